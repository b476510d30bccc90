"""Word lists of the user's, and WordNet's lexicographer files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import tunescope as ts
from test_human_labels import HOSTILE, as_sets, labels_of, words
from tunescope.concepts.alignment.align import labellings
from tunescope.concepts.human import human_labels
from tunescope.concepts.human.wordnet_places import find_wordnet
from tunescope.errors import InputError
from tunescope.steps import Align

LISTS = "mood\thapp*\nmood\tSAD\nbody\thand*\nmood\thandsome\nbody\t<b>\n"
EXPECTED = [{"mood"}, {"mood"}, {"mood"}, {"body", "mood"}, {"body"}, set(), {"body"}]
FORMS = ["Happy", "happ", "sad", "handsome", "HANDS", "sadness", "<b>"]


def test_word_lists_of_one_file(tmp_path):
    file = tmp_path / "lists.tsv"
    file.write_text("\ufeff" + LISTS.replace("\n", "\r\n") + "\r\n")
    assert labels_of(FORMS, f"words:{file}") == EXPECTED
    found = human_labels(words(*FORMS), f"words:{file}")
    assert found.complete and found.names == ("body", "mood")


def test_word_lists_of_a_folder(tmp_path):
    (tmp_path / "mood.txt").write_text("happ*\nsad\nhandsome\n")
    (tmp_path / "body.txt").write_text("hand*\n\n<b>\n")
    (tmp_path / ".DS_Store").write_bytes(b"\xff\x00")
    assert labels_of(FORMS, f"words:{tmp_path}") == EXPECTED


def test_word_lists_of_liwc(tmp_path):
    file = tmp_path / "own.dic"
    file.write_text("%\n1\tmood\n22\tbody\n%\nhapp*\t1\nsad\t1\nhandsome\t1\nhand*\t22\n<b>\t22\n")
    assert labels_of(FORMS, f"words:{file}") == EXPECTED
    file.write_text("%\n1\tmood\n%\nhapp*\t1\t7\n")
    with pytest.raises(InputError, match="line 4: there is no category '7'"):
        labels_of(FORMS, f"words:{file}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mood happy\n", "line 1: 'mood happy' is not category<TAB>word"),
        ("mood\thappy\nmood\t \n", "line 2"),
        ("mood\t*\n", "at most one"),
        ("mood\th*y\n", "at most one"),
        ("\thappy\n", "no name of a category"),
        ("", "lists no words"),
    ],
)
def test_malformed_word_lists(tmp_path, text: str, message: str):
    file = tmp_path / "lists.tsv"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        labels_of(FORMS, f"words:{file}")


def test_two_files_of_one_category_are_an_error(tmp_path):
    (tmp_path / "mood.txt").write_text("happ*\n")
    (tmp_path / "body.txt").write_text("hand*\n")
    (tmp_path / "mood.csv").write_text("sad\n")
    with pytest.raises(InputError, match=r"mood\.csv and mood\.txt are both .*category 'mood'"):
        labels_of(FORMS, f"words:{tmp_path}")


def test_two_lists_of_one_name_cannot_be_told_apart_in_tables(tmp_path):
    corpus = ts.Corpus.from_sentences([FORMS], {"lists": [["x"] * len(FORMS)]})
    kinds = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lists.tsv").write_text(LISTS)
        kinds.append(f"words:{tmp_path / folder / 'lists.tsv'}")
    step = Align(labels=(), computed=tuple(kinds))
    with pytest.raises(InputError, match=r"'lists' .*twice, from .*a/lists.tsv.* and .*b/lists"):
        labellings(corpus, step)
    with pytest.raises(InputError, match="from column 'lists' and computed 'words:.*rename"):
        labellings(corpus, Align(computed=(kinds[0],)))
    (tmp_path / "class.tsv").write_text(LISTS)
    with pytest.raises(InputError, match=r"'class', from .*class\.tsv.*rename the column or file"):
        labellings(corpus, Align(labels=(), computed=(f"words:{tmp_path / 'class.tsv'}",)))
    [found] = labellings(corpus, Align(labels=(), computed=(kinds[0],)))
    assert as_sets(found.sets) == EXPECTED


def test_word_lists_that_are_not_there_or_not_text(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        labels_of(FORMS, f"words:{tmp_path / 'no.tsv'}")
    (tmp_path / "latin.tsv").write_bytes(b"mood\tna\xefve\n")
    with pytest.raises(InputError, match="not utf-8"):
        labels_of(FORMS, f"words:{tmp_path / 'latin.tsv'}")


LEXNAMES = (
    "00 adj.all 3\n02 adv.all 4\n05 noun.animal 1\n15 noun.location 1\n20 noun.plant 1\n"
    "38 verb.motion 2\n"
)
SENSES = [
    "dog%1:05:00:: 00000001 1 42",
    "dog%2:38:00:: 00000002 1 2",
    "mouse%1:05:00:: 00000003 1 10",
    "fly%1:05:00:: 00000004 1 3",
    "fly%2:38:00:: 00000005 1 30",
    "rose%1:20:00:: 00000006 1 5",
    "rose%1:05:00:: 00000007 2 0",
    "paris%1:20:00:: 00000008 1 9",
    "paris%1:15:00:: 00000009 2 1",
    "new_york%1:15:00:: 00000010 1 1",
    "fast%5:00:00:quick:00 00000011 1 7",
    "icecream%1:20:00:: 00000012 1 0",
    "in%1:20:00:: 00000013 1 0",
    "bus%1:20:00:: 00000014 1 0",
]


def tiny_wordnet(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "lexnames").write_text(LEXNAMES.replace(" ", "\t"))
    (folder / "index.sense").write_text("\n".join(SENSES) + "\n")
    (folder / "noun.exc").write_text("mice mouse\n")
    (folder / "verb.exc").write_text("flew fly\nflown fly\n")
    data = "  1 the licence  \n00000009 15 n 02 Paris 0 City_of_Light 0 000 | a city  \n"
    data += "00000010 15 n 01 New_York 0 000 | a city  \n00000001 05 n 01 dog 0 000 | barks\n"
    (folder / "data.noun").write_text(data)
    return folder


def test_the_lexical_file_of_the_most_frequent_sense(tmp_path):
    place = tiny_wordnet(tmp_path / "dict")
    forms = ["dog", "Dogs", "mice", "flew", "FLIES", "faster", "roses", "xyz", "in"]
    forms += ["New-York", "buses", "ice-cream"]
    found = human_labels(words(*forms), f"wordnet:{place}")
    assert found.values().tolist() == [
        "noun.animal", "noun.animal", "noun.animal", "verb.motion", "verb.motion", "adj.all",
        "noun.plant", None, None, "noun.location", "noun.plant", "noun.plant",
    ]  # fmt: skip
    assert not found.complete, "nothing is known of a word that WordNet does not have"
    assert found.known.tolist() == [value is not None for value in found.values()]
    made = ts.annotate(words(*forms), [f"wordnet:{place}"])
    assert made.values("wordnet").tolist() == found.values().tolist()


@pytest.mark.parametrize("column", ["upos", "penn"])
def test_senses_are_those_of_the_part_of_speech(tmp_path, column: str):
    place = tiny_wordnet(tmp_path / "dict")
    forms = ["fly", "fly", "dog", "Paris", "paris", "in", "flies", "dog"]
    tags = {
        "upos": ["NOUN", "VERB", "VERB", "PROPN", "NOUN", "ADP", "ADP", None],
        "penn": ["NN", "VBP", "VB", "NNP", "NN", "IN", "IN", None],
    }
    corpus = words(*forms, labels={column: [tags[column]]})
    found = human_labels(corpus, f"wordnet:{place}", pos=column).values().tolist()
    expected = ["noun.animal", "verb.motion", "verb.motion", "noun.location", "noun.plant"]
    assert found == [*expected, None, None, "noun.animal"]
    if column == "upos":
        assert human_labels(corpus, f"wordnet:{place}").values().tolist() == found
    without = human_labels(corpus, f"wordnet:{place}", pos="none").values().tolist()
    assert without[:4] == ["verb.motion", "verb.motion", "noun.animal", "noun.plant"]


def test_all_senses(tmp_path):
    place = tiny_wordnet(tmp_path / "dict")
    found = human_labels(words("rose", "fly", "dog"), f'wordnet{{senses = "all"}}:{place}')
    assert as_sets(found) == [
        {"noun.plant", "noun.animal"}, {"noun.animal", "verb.motion"},
        {"noun.animal", "verb.motion"},
    ]  # fmt: skip
    with pytest.raises(InputError, match="several labels"):
        ts.annotate(words("rose"), [f"wordnet:{place}"], senses="all")


def test_wordnet_is_found_in_folders_zips_and_by_variables(tmp_path, monkeypatch):
    place = tiny_wordnet(tmp_path / "home" / "dict")
    nltk = tmp_path / "nltk"
    (nltk / "corpora").mkdir(parents=True)
    with zipfile.ZipFile(nltk / "corpora" / "wordnet.zip", "w") as archive:
        for file in place.iterdir():
            archive.write(file, f"wordnet/{file.name}")
    for variable in ("WNHOME", "WNSEARCHDIR", "NLTK_DATA"):
        monkeypatch.delenv(variable, raising=False)
    for given in (place, place.parent, nltk, nltk / "corpora" / "wordnet.zip"):
        assert human_labels(words("dog"), f"wordnet:{given}").names == ("noun.animal",)
    for variable, value in (("WNHOME", place.parent), ("NLTK_DATA", nltk)):
        with monkeypatch.context() as here:
            here.setenv(variable, str(value))
            assert human_labels(words("dog"), "wordnet").names == ("noun.animal",)


def test_what_is_wrong_with_a_wordnet(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="holds no WordNet"):
        labels_of(["dog"], f"wordnet:{tmp_path}")
    place = tiny_wordnet(tmp_path / "dict")
    (place / "index.sense").write_text(SENSES[0] + "\nbroken\n")
    with pytest.raises(InputError, match="line 2 of index.sense"):
        labels_of(["dog"], f"wordnet:{place}")
    (place / "index.sense").write_text("")
    with pytest.raises(InputError, match="is empty"):
        labels_of(["dog"], f"wordnet:{place}")
    corpus = words("dog", labels={"upos": [["Substantiv"]]})
    (place / "index.sense").write_text(SENSES[0] + "\n")
    with pytest.raises(InputError, match="set pos = 'none'"):
        human_labels(corpus, f"wordnet:{place}")


def test_hostile_words_are_not_in_wordnet_and_no_words_have_no_labels(tmp_path):
    place = tiny_wordnet(tmp_path / "dict")
    assert human_labels(words(*HOSTILE, "s", "-"), f"wordnet:{place}").names == ()
    empty = words("dog").select(np.array([], int))
    assert human_labels(empty, f"wordnet:{place}").table.shape == (0, 0)


def test_real_wordnet(shared):
    try:
        find_wordnet()
    except InputError as error:
        pytest.skip(str(error))
    forms = ["dogs", "men", "was", "better", "Paris", "quickly", "children", "geese", "ran"]
    forms += ["glasses", "the"]
    tags = ["NOUN", "NOUN", "AUX", "ADJ", "PROPN", "ADV", "NOUN", "NOUN", "VERB", "NOUN", "DET"]
    corpus = words(*forms, labels={"upos": [tags]})
    assert human_labels(corpus, "wordnet").values().tolist() == [
        "noun.animal", "noun.person", "verb.stative", "adj.all", "noun.location", "adv.all",
        "noun.person", "noun.animal", "verb.motion", "noun.artifact", None,
    ]  # fmt: skip
    corpus = ts.read_corpus(shared("ewt/dev.conllu"))
    found = human_labels(corpus, "wordnet")
    content = np.isin(corpus.values("upos"), ["NOUN", "VERB", "ADJ", "ADV"])
    assert found.known[content].mean() > 0.9
