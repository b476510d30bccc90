"""Labels computed from words: casing, position, affixes, n-grams, subwords, and what names them."""

from __future__ import annotations

import numpy as np
import pytest

import tunescope as ts
from tiny import make_tokenizer
from tunescope.concepts.alignment.labels import align_labels
from tunescope.concepts.human import HUMAN, column_of, human_labels
from tunescope.concepts.human.affix_lists import PREFIXES, SUFFIXES
from tunescope.concepts.human.casing import CASES, Casing
from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError

HOSTILE = [
    "<b>",
    "a\u202eb",
    "\u200d",
    "\U0001f600",
    "--",
    "'",
    "\ufb01ne",
    "e\u0301",
    "=1+1",
    "\u0130",
]


def words(*forms: str, labels: dict | None = None) -> ts.Corpus:
    return ts.Corpus.from_sentences([list(forms)], labels)


def labels_of(forms: list[str], name: str, **options) -> list[set[str]]:
    return as_sets(human_labels(words(*forms), name, **options))


def as_sets(found: LabelSets) -> list[set[str]]:
    table = found.table
    return [
        {found.names[n] for n in table.indices[start:stop]}
        for start, stop in zip(table.indptr[:-1], table.indptr[1:], strict=True)
    ]


@pytest.mark.parametrize(
    ("forms", "label"),
    [
        ("the e-mail 4th don't 'tis straße ωμέγα", "lower"),
        ("NATO U.S. A1 5G X-RAY ΩΜΕΓΑ ÉCOLE", "UPPER"),
        ("The I A X. Jean-Paul X-ray Wi-Fi 'Tis Anglo-american Ωμέγα \u01c5", "Title"),
        ("iPhone McDonald O'Neill e-Mail BBC-like THe", "mIxed"),
        ("42 ... - 中文 हिन्दी עברית ไทย \U0001f600 \u200d", None),
    ],
)
def test_casing(forms: str, label: str | None):
    for form in forms.split():
        assert Casing().label(form) == label, form


def test_clusters_of_upper_case_words_are_aligned_with_casing():
    """The originals wrote one name of the class and read another, so that none ever was."""
    forms = ["NATO", "USA", "FBI", "BBC", "house", "tree", "car", "Paris", "Anna"]
    clusters = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    column = ts.annotate(words(*forms), ["casing"]).values("casing")
    for sets in (human_labels(words(*forms), "casing"), LabelSets.of(column)):
        codes = np.array([sets.names.index(value) for value in sets.values()])
        found = align_labels(clusters, codes, len(sets.names))
        assert found.aligned.all()
        assert [sets.names[n] for n in found.best] == ["UPPER", "lower", "Title"]
        assert set(sets.names) <= set(CASES)


@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        ("nationalization", "ization"),  # the originals said tion
        ("NATIONALIZATION", "ization"),
        ("Nationalisation", "isation"),
        ("nation", "ion"),  # -tion and -ation would leave no stem of three letters
        ("happiness", "ness"),
        ("ization", "tion"),
        ("tion", None),
        ("king", None),
        ("well-being", "ing"),
        ("-ing", None),
        ("a-b-ing", None),
        ("a", None),
        ("42ing", None),
        ("www.nationalization", None),
        ("\u0438\u043d\u0433ing", "ing"),
    ],
)
def test_the_longest_suffix_that_leaves_a_stem(form: str, suffix: str | None):
    assert labels_of([form], "suffix") == [{suffix} - {None}]


def test_the_longest_prefix_that_leaves_a_stem():
    forms = ["Underestimate", "unhappy", "undo", "un", "counter-attack", "COUNTERACT", "interest"]
    found = [{"under"}, {"un"}, set(), set(), {"counter"}, {"counter"}, {"inter"}]
    assert labels_of(forms, "prefix") == found
    assert labels_of(["undo"], "prefix", min_stem=2) == [{"un"}]


def test_longer_lists_are_tried_from_the_longest_affix_down():
    """Whatever the list, no other affix of it that fits is longer than the one chosen."""
    forms = [f"stem{affix}" for affix in SUFFIXES]
    for form, found in zip(forms, labels_of(forms, "suffix"), strict=True):
        (chosen,) = found
        assert len(chosen) == max(len(a) for a in SUFFIXES if form[3:].endswith(a))
    assert all(len(affix) > 1 and affix.isalpha() for affix in (*SUFFIXES, *PREFIXES))


def test_affixes_of_the_users(tmp_path):
    file = tmp_path / "suffixes.txt"
    file.write_text("\ufeff-heit\r\n\n-Keit\n-\u00e4t\n")
    forms = ["Freiheit", "EINIGKEIT", "Qualita\u0308t", "nation"]
    expected = [{"heit"}, {"keit"}, {"\u00e4t"}, set()]
    assert labels_of(forms, "suffix", suffixes=str(file)) == expected
    assert labels_of(forms, "suffix", suffixes=("heit", "keit", "\u00e4t")) == expected
    assert labels_of(
        ["\u0939\u093f\u0928\u094d\u0926\u0940\u0938\u094d\u0924\u093e\u0928"],
        "suffix",
        suffixes=("\u0938\u094d\u0924\u093e\u0928",),
    ) == [{"\u0938\u094d\u0924\u093e\u0928"}]
    file.write_text("\n-\n")
    with pytest.raises(InputError, match="holds no affix"):
        labels_of(forms, "suffix", suffixes=str(file))
    with pytest.raises(InputError, match="suffixes is empty"):
        labels_of(forms, "suffix", suffixes=())
    with pytest.raises(InputError, match="does not exist"):
        labels_of(forms, "prefix", prefixes=str(tmp_path / "no.txt"))


def test_first_and_last_word_are_those_of_the_whole_sentence():
    corpus = ts.Corpus.from_sentences([["(", "It", "rained", "."], ["Yes"], ["...", "!"]])
    assert human_labels(corpus, "first_word").values().tolist() == (
        ["first", None, None, None, "first", "first", None]
    )
    assert human_labels(corpus, "last_word").values().tolist() == (
        [None, None, None, "last", "last", None, "last"]
    )
    some = corpus.select(np.array([1, 2, 4]))  # nothing moves up where words were left out
    assert human_labels(some, "first_word").values().tolist() == [None, None, "first"]
    assert human_labels(some, "last_word").values().tolist() == [None, None, "last"]


def test_punctuation_may_be_skipped_at_the_ends_of_a_sentence():
    corpus = ts.Corpus.from_sentences([["(", "It", "rained", "."], ["Yes"], ["...", "!"]])
    first = human_labels(corpus, "first_word", skip_punctuation=True).values().tolist()
    assert first == [None, "first", None, None, "first", None, None]
    last = human_labels(corpus, "last_word", skip_punctuation=True).values().tolist()
    assert last == [None, None, "last", None, "last", None, None]


def test_ngrams_are_those_that_enough_words_contain():
    forms = ["nation", "Station", "ration", "at", "at", "at", "sat"]
    found = labels_of(forms, "ngram", ngram_range=(2, 3), min_types=3)
    assert found[0] == found[1] == found[2] == {"at", "ti", "io", "on", "ati", "tio", "ion"}
    assert found[3] == found[6] == {"at"}
    assert labels_of(["\u0130a"], "ngram", ngram_range=(1, 1), min_types=1)  # grows when folded
    case = labels_of(["The", "the", "THE"], "ngram", min_types=2)
    assert case == [set(), set(), set()], "one word in three spellings is one word"


@pytest.mark.parametrize("kind", ["wordpiece", "bytes", "unigram"])
def test_subwords_are_those_of_running_text(kind: str):
    tokenizer = make_tokenizer(kind)
    sentence = ["quick", "brown", "quick", "incomprehensible"]
    found = as_sets(human_labels(words(*sentence), "subword", tokenizer=tokenizer, min_types=1))
    pieces = tokenizer.tokenize(" ".join(sentence))
    assert set().union(*found) == set(pieces) - {tokenizer.unk_token}
    assert all(found)
    if kind == "bytes":
        assert found[0] != found[2], "the first word has no blank before it"


def test_pieces_that_few_types_share_are_no_labels_and_the_unknown_token_is_none():
    tokenizer = make_tokenizer("wordpiece")
    forms = ["xylo\u6f22", "\u6f22"]
    found = labels_of(forms, "subword", tokenizer=tokenizer, min_types=1)
    assert found[1] == set()
    assert labels_of(["quick", "quick"], "subword", tokenizer=tokenizer, min_types=2) == [set()] * 2
    with pytest.raises(InputError, match="write subword:MODEL"):
        labels_of(forms, "subword")


@pytest.mark.parametrize("name", ["casing", "first_word", "last_word", "suffix", "prefix", "ngram"])
def test_hostile_words_and_no_words(name: str):
    corpus = words(*HOSTILE, *(["x"] * 20))
    found = human_labels(corpus, name)
    assert found.complete and found.known.all()
    assert found.table.shape == (corpus.n_words, len(found.names))
    assert list(found.names) == sorted(found.names)
    empty = human_labels(corpus.select(np.array([], int)), name)
    assert empty.table.shape[0] == 0


def test_labels_of_a_selection_are_those_of_its_words():
    corpus = words("Nation", "NATION", "ration", "quickly", "national")
    rows = np.array([1, 3])
    for name in ("casing", "suffix", "prefix"):
        whole = human_labels(corpus, name).values()
        assert human_labels(corpus.select(rows), name).values().tolist() == whole[rows].tolist()


def test_a_name_may_hold_options_and_an_argument():
    corpus = words("undo", "unkind")
    assert human_labels(corpus, "prefix{min_stem = 2}").values().tolist() == ["un", "un"]
    assert human_labels(corpus, 'suffix{suffixes = ["ind"], min_stem = 3}').names == ("ind",)
    assert column_of("prefix{min_stem = 2}") == "prefix{min_stem = 2}"
    assert column_of("words:some/moods.tsv") == "moods"
    assert column_of("wordnet:some/dict") == "wordnet"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cassing", {}, "did you mean 'casing'"),
        ("", {}, "no human-defined concept ''"),
        ("casing:x", {}, "takes nothing behind a colon"),
        ("suffix", {"min_steam": 2}, "did you mean 'min_stem'"),
        ("suffix", {"min_stem": 0}, "min_stem = 0 must be at least 1"),
        ("suffix", {"min_stem": "two"}, "a whole number"),
        ("suffix{min_stem}", {}, "options are written as in"),
        ("ngram", {"ngram_range": (4, 3)}, "shortest and the longest"),
        ("ngram", {"min_types": 0}, "at least 1"),
        ("words", {}, "write words:FILE"),
        ("wordnet", {"senses": "last"}, "one of first, all"),
    ],
)
def test_what_is_wrong_with_a_name_or_its_options(name: str, options: dict, message: str):
    with pytest.raises(InputError, match=message):
        human_labels(words("a"), name, **options)


def test_annotated_columns_say_of_every_word_what_it_has():
    corpus = ts.Corpus.from_sentences([["NATO", "is", "unkind", "."]], {"upos": [list("nvap")]})
    made = ts.annotate(corpus, ["casing", "prefix", "last_word"])
    assert made.labels == ("upos", "casing", "prefix", "last_word")
    assert made.values("casing").tolist() == ["UPPER", "lower", "lower", "none"]
    assert made.values("prefix").tolist() == ["none", "none", "un", "none"]
    assert made.values("last_word").tolist() == ["none", "none", "none", "last"]
    assert made.word_hash == corpus.word_hash, "activations stay valid"
    assert ts.annotate(corpus, ["casing"], absent=None).values("casing").tolist()[-1] is None
    assert ts.annotate(corpus, ["prefix"], min_stem=5).values("prefix").tolist() == ["none"] * 4


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["ngram"], {}, "fit into no column; one label have casing"),
        (["casing"], {"min_stem": 2}, "no option 'min_stem'"),
        (["casing", "casing"], {}, "has a column 'casing' already"),
        (["casing"], {"absent": "lower"}, "choose another absent"),
        (["casing"], {"absent": " "}, "blank"),
    ],
)
def test_what_cannot_be_annotated(names: list[str], options: dict, message: str):
    with pytest.raises(InputError, match=message):
        ts.annotate(words("a", "!"), names, **options)


def test_every_kind_is_in_the_documentation(request: pytest.FixtureRequest):
    page = (request.config.rootpath / "docs" / "human-concepts.md").read_text(encoding="utf-8")
    for name in HUMAN:
        assert f"| `{name}" in page


def test_coverage_of_real_words(shared):
    """Held to what English is known to be like, loosely."""
    corpus = ts.read_corpus(shared("ewt/dev.conllu"))
    shares = {}
    for name in ("casing", "first_word", "last_word", "suffix", "prefix", "ngram"):
        found = human_labels(corpus, name)
        shares[name] = float((np.diff(found.table.indptr) > 0).mean())
    assert 0.8 < shares["casing"] < 0.9
    assert shares["first_word"] == shares["last_word"] == corpus.n_sentences / corpus.n_words
    assert 0.1 < shares["suffix"] < 0.2 and 0.05 < shares["prefix"] < 0.15
    assert 0.5 < shares["ngram"] < 0.8
    adverbs = corpus.values("upos")[human_labels(corpus, "suffix").values() == "ly"] == "ADV"
    assert adverbs.mean() > 0.7
