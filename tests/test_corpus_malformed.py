"""Every malformed input is one clear error that names file and line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tunescope.corpus.read import read_corpus
from tunescope.errors import InputError

ROW = "1\ta\ta\tX\tX\t_\t0\troot\t_\t_\n"


@dataclass
class Case:
    """A file that cannot be used, the line at fault and what the message must say."""

    name: str
    content: str | bytes
    line: int
    says: str
    options: dict[str, Any] = field(default_factory=dict)
    labels: str | bytes | None = None

    def __str__(self) -> str:
        return f"{self.name}-{self.says}"


TEXT = {"format": "text"}
CASES = [
    Case("x.conllu", ROW + "2\tb\tb\n", 2, "3 columns"),
    Case("x.conllu", ROW + ROW, 2, "word id '1' where 2 is due"),
    Case("x.conllu", ROW.replace("1\ta", "1-x\ta"), 1, "word id '1-x'"),
    Case("x.conllu", ROW.replace("\ta\ta", "\t\ta"), 1, "the word '' is blank"),
    Case("x.conllu", ROW + ROW.replace("1\ta", "2\t\u00a0"), 2, "is blank"),
    Case("x.conllu", ROW + "\n" + ROW.replace("\ta\ta", "\ta\x00\ta"), 3, "U+0000"),
    Case("x.conllu", ROW.replace("\tX\tX", "\t\tX"), 1, "the 'upos' label '' is blank"),
    Case("x.conllu", "", 1, "there is no sentence"),
    Case("x.conllu", "# only = comments\n\n", 1, "there is no sentence"),
    Case("x.conll", "a X Y\nb X\n", 2, "2 columns where the first row has 3"),
    Case("x.conll", "# comment\na X Y\n", 1, "no column 2 for 'chunk'"),
    Case("x.conll", "# comment here\na b\n", 2, "lines with # are rows here"),
    Case("x.conll", "a X\nb X\n", 1, "2 columns, so there is no column 2 for 'chunk'"),
    Case("x.conll", "a\tX\tY\n\tX\tY\n", 2, "the word '' is blank"),
    Case("x.conll", "a\tX\tY\n\t\t\n", 2, "the word '' is blank"),
    Case("x.conll", "a b c\x07\n", 1, "the 'chunk' label 'c\\x07'"),
    Case("x.conll", "# c\nA\tA\n", 2, "no column 3 for 'sem'", {"format": "pmb"}),
    Case("x.conll", "# c\n#c\n", 1, "there is no sentence", {"format": "pmb"}),
    Case("x.words", "a b\nc d\n", 2, "1 labels for the 2 words", labels="X Y\nX\n"),
    Case("x.words", "a b\nc\n", 2, "0 labels for the 1 words", labels="X Y\n\n"),
    Case("x.words", "a\n\n", 2, "1 labels for the 0 words", labels="X\nY\n"),
    Case("x.words", "a\nb\n", 2, "x.labels ends before line 2", labels="X\n"),
    Case("x.words", "a\n", 2, "x.words ends before line 2", labels="X\nY\n"),
    Case("x.words", "a\n", 1, "byte 0xe9 is not utf-8", labels=b"\xe9\n"),
    Case("x.words", "\n\n", 1, "there is no sentence", labels="\n\n"),
    Case("x.jsonl", '{"text": "a"}\n{"text": }\n', 2, "not JSON"),
    Case("x.jsonl", '[{"text": "a"}]\n', 1, "one JSON object"),
    Case("x.jsonl", '{"words": ["a"]}\n{"text": "a"}\n', 2, "no column 'words'"),
    Case("x.jsonl", '{"line": "a"}\n', 1, "set sentence_column"),
    Case("x.jsonl", '{"text": 3}\n', 1, "neither text nor a list of words"),
    Case("x.jsonl", '{"words": ["a", "b"], "pos": ["X"]}\n', 1, "1 labels", {"labels": ["pos"]}),
    Case("x.jsonl", '{"words": ["a"]}\n{"words": []}\n', 2, "is blank"),
    Case("x.jsonl", '{"words": ["a"]}\n{"words": ["b", " "]}\n', 2, "the word ' ' is blank"),
    Case("x.jsonl", '{"words": ["a"]}\n{"words": ["b", 3]}\n', 2, "the word 3 is not text"),
    Case("x.jsonl", json.dumps({"words": ["a\x00"]}), 1, "U+0000"),
    Case("x.jsonl", '{"words": ["\\ud800"]}', 1, "U+D800"),
    Case("x.jsonl", '{"text": "a", "class": {"x": 1}}', 1, "neither text nor a number"),
    Case("x.jsonl", '{"words": ["a"], "pos": "X"}', 1, "no label column", {"labels": ["pos"]}),
    Case("x.jsonl", '{"words": ["a"], "p": ["X"]}\n{"words": ["a"]}', 2, "no column 'p'"),
    Case("x.jsonl", "\n\n", 1, "there is no sentence"),
    Case("x.tsv", "label\tsentence\n0\ta\n1\n", 3, "1 columns where the first line has 2"),
    Case("x.tsv", "label\tsentence\n0\ta\tb\n", 2, "3 columns"),
    Case("x.tsv", "label\tsentence\n0\t  \n", 2, "is blank"),
    Case("x.tsv", "label\tsentence\n\n\t\n", 3, "is blank"),
    Case("x.tsv", "0\ta\n1\tb\n", 2, "set sentence_column"),
    Case("x.tsv", "0\ta\n", 1, "no column 2", {"sentence_column": 2}),
    Case("x.tsv", "y\tsentence\n0\ta\n", 2, "no column 'x'; valid", {"class_column": "x"}),
    Case("x.tsv", "label\tsentence\n0\ta b\x08\n", 2, 'control_characters = "space"'),
    Case("x.tsv", "label\tsentence\n0\ta\n", 1, "with {'label': '1'}", {"where": {"label": "1"}}),
    Case("x.tsv", "label\tsentence\n", 1, "there is no sentence"),
    Case("x.csv", 'label,text\n0,a\n1,"b\nc\n', 3, "check the quotes"),
    Case("x.txt", "", 1, "there is no sentence", TEXT),
    Case("x.txt", " \n\n", 1, "there is no sentence", TEXT),
    Case("x.txt", "a\nb \x97 c\n", 2, "U+0097", TEXT),
    Case("x.txt", "a\nb\ncaf\xe9\n".encode("latin-1"), 3, '"cp1252" or "latin-1"', TEXT),
    Case("x.txt", ("a\n" * 30_000).encode() + b"\xff", 30_001, "byte 0xff is not utf-8", TEXT),
    Case("x.txt", "a\nb".encode("utf-16"), 1, 'such as "utf-16"', TEXT),
    Case("x.txt", b"abc", 1, "set encoding", {"format": "text", "encoding": "utf-16"}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_message_names_file_and_line(case: Case, tmp_path: Path):
    path = tmp_path / case.name
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    options = dict(case.options)
    if case.labels is not None:
        labels = tmp_path / "x.labels"
        labels.write_bytes(case.labels if isinstance(case.labels, bytes) else case.labels.encode())
        options["label_files"] = {"pos": str(labels)}
    with pytest.raises(InputError) as caught:
        read_corpus(path, **options)
    message = str(caught.value)
    assert str(tmp_path / "x.") in message
    if "no label column" not in message:
        assert f"line {case.line}" in message
    assert case.says in message
    assert "\n" not in message


FORMATS = ["conllu", "conll", "pmb", "jsonl", "tsv", "text"]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_missing_file(format_: str, tmp_path: Path):
    with pytest.raises(InputError, match=r"gone\.x does not exist"):
        read_corpus(tmp_path / "gone.x", format=format_)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_directory_in_place_of_a_file(format_: str, tmp_path: Path):
    with pytest.raises(InputError, match="is a directory"):
        read_corpus(tmp_path, format=format_)


def test_parallel_needs_label_files(tmp_path: Path):
    with pytest.raises(InputError, match="set label_files"):
        read_corpus(tmp_path / "a.words", format="parallel")


def test_label_files_need_the_splits_of_the_words(tmp_path: Path):
    files = {"train": str(tmp_path / "a"), "dev": str(tmp_path / "b")}
    with pytest.raises(InputError, match="'pos' must name a file for the same splits"):
        read_corpus(files, label_files={"pos": {"train": "c"}})


def test_the_file_at_fault_among_splits_is_named(tmp_path: Path):
    (tmp_path / "train.conllu").write_text(ROW)
    (tmp_path / "dev.conllu").write_text(ROW + "\n" + ROW.replace("a", "\x01"))
    with pytest.raises(InputError, match=r"dev\.conllu, line 3: the word '\\x01' holds"):
        read_corpus({split: tmp_path / f"{split}.conllu" for split in ("train", "dev")})
