"""A saved corpus is a corpus that studies and commands read like any other."""

from __future__ import annotations

import pytest

import tunescope as ts
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError
from tunescope.study.read import read


@pytest.fixture
def saved(tmp_path):
    corpus = ts.Corpus.from_sentences(
        [["Cats", "sleep"], ["Dogs", "bark"]],
        {"upos": [["NOUN", "VERB"]] * 2, "casing": [["Title", "lower"]] * 2},
        classes=["a", "b"], name="animals",
    )  # fmt: skip
    corpus.save(tmp_path / "animals")
    return corpus


def test_the_folder_is_read_as_it_was(saved, tmp_path):
    found = ts.read_corpus(tmp_path / "animals")
    assert found.word_hash == saved.word_hash
    assert found.labels == ("upos", "casing")
    assert found.classes == ("a", "b")
    assert ts.read_corpus(tmp_path / "animals", labels=["casing"]).labels == ("casing",)


def test_what_cannot_be_is_said(saved, tmp_path):
    with pytest.raises(InputError, match="no label column 'xpos'"):
        ts.read_corpus(tmp_path / "animals", labels=["xpos"])
    with pytest.raises(InputError, match="max_sentences is not an option of a saved corpus"):
        ts.read_corpus(tmp_path / "animals", max_sentences=1)
    with pytest.raises(InputError, match="nowhere"):
        ts.read_corpus(tmp_path / "nowhere", format="saved")


def test_a_study_notices_that_it_changed(saved, tmp_path):
    source = CorpusSource(path="animals")
    read(source, "animals", tmp_path, out=tmp_path / "out")
    changed = ts.annotate(saved, ["first_word"])
    (tmp_path / "animals").rename(tmp_path / "old")
    changed.save(tmp_path / "animals")
    again = read(source, "animals", tmp_path, out=tmp_path / "out")
    assert again.labels == ("upos", "casing", "first_word")
