"""Each format reads what its definition says, and what is written is read back the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunescope.corpus.read import FORMATS, HUB, read_corpus, read_source
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError

CONLLU = """\
# sent_id = one
# text = du Mont Blanc _
1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_
1\tde\tde\tADP\tE\t_\t3\tcase\t_\t_
2\tle\tle\tDET\t_\tGender=Masc|Number=Sing\t3\tdet\t_\t_
3\tMont Blanc\t_\tPROPN\tNN\tNumber=Sing\t0\troot\t_\t_
3.1\tghost\tghost\tX\t_\t_\t_\t_\t_\t_
4\t_\t_\tSYM\t_\t_\t3\tdep\t_\t_

# sent_id = two
1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_
"""

NO_CONTROLS = st.characters(exclude_categories=["Cc", "Cs"])
WORD = st.text(NO_CONTROLS, min_size=1, max_size=5).filter(lambda word: not word.isspace())
TOKEN = WORD.filter(lambda word: " " not in word)
LABEL = st.sampled_from(["NOUN", "VERB", "X:y", "é"])


def sentences(word: st.SearchStrategy[str], label: st.SearchStrategy[str | None]):
    """Sentences as lists of (word, label)."""
    pairs = st.lists(st.tuples(word, label), min_size=1, max_size=4)
    return st.lists(pairs, min_size=1, max_size=4)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def words_of(corpus) -> list[list[str]]:
    return corpus.sentences["words"].to_pylist()


def labels_of(corpus, label: str) -> list[str | None]:
    return corpus.words[label].to_pylist()


class TestConllu:
    def test_syntactic_words_are_the_words(self, tmp_path):
        corpus = read_corpus(write(tmp_path, "a.conllu", CONLLU))
        assert words_of(corpus) == [["de", "le", "Mont Blanc", "_"], ["#"]]
        assert corpus.labels == ("upos", "xpos", "deprel")
        assert labels_of(corpus, "xpos") == ["E", None, "NN", None, "NN"]
        assert corpus.of_sentence("id").tolist() == ["one", "two"]

    def test_labels_on_request(self, tmp_path):
        wanted = ["lemma", "feats.Number", "feats"]
        corpus = read_corpus(write(tmp_path, "a.conllu", CONLLU), labels=wanted)
        assert corpus.labels == tuple(wanted)
        assert labels_of(corpus, "lemma") == ["de", "le", None, "_", "#"]
        assert labels_of(corpus, "feats.Number") == [None, "Sing", "Sing", None, None]
        assert labels_of(corpus, "feats")[1] == "Gender=Masc|Number=Sing"


class TestColumns:
    def test_two_sentences_of_blank_separated_columns(self, tmp_path):
        text = "-DOCSTART- -X- O\n\nHe PRP B-NP\nruns  VBZ B-VP\n\n\n# # B-NP\n10 _ I-NP\n"
        corpus = read_corpus(write(tmp_path, "a.conll", text))
        assert words_of(corpus) == [["He", "runs"], ["#", "10"]]
        assert labels_of(corpus, "pos") == ["PRP", "VBZ", "#", None]
        assert labels_of(corpus, "chunk") == ["B-NP", "B-VP", "B-NP", "I-NP"]

    def test_named_columns_and_tabs(self, tmp_path):
        path = write(tmp_path, "a.txt", "1\tNew York\tx\tLOC\n2\tis\tx\tO\n")
        corpus = read_corpus(path, columns={"form": 1, "ner": -1})
        assert words_of(corpus) == [["New York", "is"]]
        assert labels_of(corpus, "ner") == ["LOC", "O"]

    def test_pmb_comments_hashes_and_blanks_inside_tokens(self, tmp_path):
        header = "### Generated\n# newdoc id = p00\n# tok:gold\ttok:gold\tsym:gold\tsem:gold\t\n"
        rows = "#1\t#1\t1\tQUC\tn\nNew~York\tNew~York\tny\tGPE\tn\n~\t~\t~\tNIL\t.\n\n"
        corpus = read_corpus(write(tmp_path, "a.conll", header + rows), format="pmb")
        assert words_of(corpus) == [["#1", "New York", "~"]]
        assert labels_of(corpus, "sem") == ["QUC", "GPE", "NIL"]


class TestParallel:
    def test_blanks_and_blank_lines(self, tmp_path):
        words = write(tmp_path, "words.txt", "a  b \r\n\n c\n\n")
        tags = write(tmp_path, "tags.txt", "X Y\n\nZ")
        corpus = read_corpus(words, label_files={"pos": str(tags)})
        assert words_of(corpus) == [["a", "b"], ["c"]]
        assert labels_of(corpus, "pos") == ["X", "Y", "Z"]

    def test_a_file_for_each_split_relative_to_the_study(self, tmp_path):
        for name in ("train.w", "train.t", "dev.w", "dev.t"):
            write(tmp_path, name, "a b\n")
        source = CorpusSource(
            path={"train": "train.w", "dev": "dev.w"},
            label_files={"pos": {"train": "train.t", "dev": "dev.t"}},
        )
        corpus = read_source(source, "both", relative_to=tmp_path)
        assert corpus.of_sentence("split").tolist() == ["train", "dev"]
        assert labels_of(corpus, "pos") == ["a", "b", "a", "b"]


class TestRecords:
    def test_jsonl_words_text_and_unknown_values(self, tmp_path):
        lines = [
            {"id": 7, "words": ["a b", "c"], "pos": ["X", None], "class": 1, "spans": [{}, {}]},
            {"id": "x", "words": ["d"], "pos": ["Y"], "class": None, "spans": []},
        ]
        text = "\n\n".join(json.dumps(line) for line in lines)
        corpus = read_corpus(write(tmp_path, "a.jsonl", text))
        assert words_of(corpus) == [["a b", "c"], ["d"]]
        assert (corpus.labels, labels_of(corpus, "pos")) == (("pos",), ["X", None, "Y"])
        assert corpus.sentences["class"].to_pylist() == ["1", None]
        assert corpus.of_sentence("id").tolist() == ["7", "x"]

    def test_text_in_jsonl_is_split_at_white_space_only(self, tmp_path):
        text = json.dumps({"text": "Don't  re-tokenise,\nplease", "label": True})
        corpus = read_corpus(write(tmp_path, "a.jsonl", text))
        assert words_of(corpus) == [["Don't", "re-tokenise,", "please"]]
        assert corpus.classes == ("true",)

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_tsv_with_header(self, tmp_path, end: str):
        text = end.join(["label\tsentence", '0\ta " quote', "1\tgood .", ""])
        corpus = read_corpus(write(tmp_path, "a.tsv", text))
        assert words_of(corpus) == [["a", '"', "quote"], ["good", "."]]
        assert corpus.of_sentence("class").tolist() == ["0", "1"]

    def test_tsv_without_header(self, tmp_path):
        path = write(tmp_path, "a.tsv", "x\t1\t\tgood one\ny\t\t*\tbad\n")
        corpus = read_corpus(path, sentence_column=3, class_column=1, id_column=0)
        assert words_of(corpus) == [["good", "one"], ["bad"]]
        assert corpus.sentences["class"].to_pylist() == ["1", None]
        assert corpus.of_sentence("id").tolist() == ["x", "y"]

    def test_csv_with_quotes_and_lines_inside(self, tmp_path):
        text = 'text,label,source\n"one, ""two""\nthree",pos,a\nfour,neg,b\n'
        corpus = read_corpus(write(tmp_path, "a.csv", text))
        assert words_of(corpus) == [["one,", '"two"', "three"], ["four"]]
        one = read_corpus(tmp_path / "a.csv", where={"source": "b"})
        assert words_of(one) == [["four"]]

    def test_control_characters_can_stand_for_blanks(self, tmp_path):
        path = write(tmp_path, "a.tsv", "sentence\tlabel\ngood \x97 very\x96good\t1\n")
        corpus = read_corpus(path, control_characters="space")
        assert words_of(corpus) == [["good", "very", "good"]]


class TestText:
    def test_blank_lines_are_skipped_and_other_line_ends_are_white_space(self, tmp_path):
        path = write(tmp_path, "a.txt", "\n a b\u2028c \n \t \nd\u00a0e\n")
        assert words_of(read_corpus(path, format="text")) == [["a", "b", "c"], ["d", "e"]]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
    def test_encodings(self, tmp_path, encoding: str):
        path = write(tmp_path, "a.txt", "été là\nça".encode(encoding))
        given = "utf-8" if encoding == "utf-8-sig" else encoding
        corpus = read_corpus(path, format="text", encoding=given)
        assert words_of(corpus) == [["été", "là"], ["ça"]]


quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(made=sentences(WORD, st.none() | LABEL))
def test_conllu_reads_what_was_written(tmp_path, made):
    lines = []
    for sentence in made:
        for number, (word, label) in enumerate(sentence, 1):
            lines.append("\t".join([str(number), word, "_", label or "_", *"______"]))
        lines.append("")
    corpus = read_corpus(write(tmp_path, "a.conllu", "\n".join(lines)), labels=["upos"])
    assert words_of(corpus) == [[word for word, _ in sentence] for sentence in made]
    assert labels_of(corpus, "upos") == [label for sentence in made for _, label in sentence]


@quick
@given(made=sentences(TOKEN, LABEL))
def test_parallel_reads_what_was_written(tmp_path, made):
    words = "\n".join(" ".join(word for word, _ in sentence) for sentence in made)
    tags = "\n".join(" ".join(label for _, label in sentence) for sentence in made)
    # The mark of byte order is no part of a text's first word.
    path = write(tmp_path, "a.words", b"\xef\xbb\xbf" + words.encode())
    corpus = read_corpus(path, label_files={"pos": str(write(tmp_path, "a.tags", tags))})
    assert words_of(corpus) == [[word for word, _ in sentence] for sentence in made]
    assert labels_of(corpus, "pos") == [label for sentence in made for _, label in sentence]


@quick
@given(made=sentences(WORD, st.none() | LABEL), ascii=st.booleans())
def test_jsonl_reads_what_was_written(tmp_path, made, ascii: bool):
    lines = []
    for sentence in made:
        words, labels = (list(column) for column in zip(*sentence, strict=True))
        lines.append(json.dumps({"words": words, "pos": labels}, ensure_ascii=ascii))
    corpus = read_corpus(write(tmp_path, "a.jsonl", "\n".join(lines)))
    assert words_of(corpus) == [[word for word, _ in sentence] for sentence in made]
    assert labels_of(corpus, "pos") == [label for sentence in made for _, label in sentence]


def test_splits_and_limits(tmp_path):
    for split in ("train", "test"):
        write(tmp_path, f"{split}.conllu", CONLLU)
    files = {split: tmp_path / f"{split}.conllu" for split in ("train", "test")}
    corpus = read_corpus(files, max_sentences=1)
    assert corpus.of_sentence("split").tolist() == ["train", "test"]
    assert corpus.n_words == 8
    assert corpus.name == tmp_path.name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["upso"]}, "no label column 'upso'; did you mean 'upos'"),
        ({"columns": {"form": 1}}, "columns is not an option of format 'conllu'"),
        ({"max_sentence": 1}, "unknown key 'max_sentence'; did you mean 'max_sentences'"),
        ({"max_sentences": 0}, "max_sentences = 0 must be at least 1"),
        ({"max_sentences": "3"}, "max_sentences = '3' must be a whole number"),
        ({"format": "conlu"}, "one of auto, conllu"),
        ({"encoding": "utf-9"}, "encoding = 'utf-9' is unknown"),
        ({"format": "conll", "columns": {"word": 0}}, 'columns has no "form"'),
        ({"format": "tsv", "delimiter": "||"}, "must be one character"),
    ],
)
def test_wrong_options(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        read_corpus(write(tmp_path, "a.conllu", CONLLU), **options)


def test_an_unknown_split_is_named(tmp_path):
    with pytest.raises(InputError, match="unknown split 'tain'; did you mean 'train'"):
        read_corpus({"tain": write(tmp_path, "a.conllu", CONLLU)})


def test_a_suffix_that_says_nothing(tmp_path):
    with pytest.raises(InputError, match=r"a\.txt.*'\.txt'.*set format to conllu"):
        read_corpus(write(tmp_path, "a.txt", "a b\n"))


def test_something_that_is_no_path():
    with pytest.raises(InputError, match="path is a list"):
        read_corpus([["a", "b"]])


def test_every_option_belongs_to_a_format():
    used = {option for format_ in FORMATS.values() for option in format_.options} | set(HUB)
    fields = set(CorpusSource.__dataclass_fields__) - {"path", "format"}
    assert used == fields


def test_describing_a_corpus_imports_no_science_library():
    code = (
        "import sys, tunescope.corpus.source, tunescope.paths;"
        "print({'numpy', 'pyarrow', 'pandas', 'torch'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
