"""The real corpora of the field, with the counts they are published with."""

from __future__ import annotations

import time

import pytest

from tunescope.corpus.read import read_corpus
from tunescope.errors import InputError


def test_ewt(shared):
    files = {split: shared(f"ewt/{split}.conllu") for split in ("train", "dev", "test")}
    started = time.perf_counter()
    corpus = read_corpus(files)
    assert time.perf_counter() - started < 15
    splits = corpus.of_sentence("split").tolist()
    assert [splits.count(split) for split in files] == [12_544, 2_001, 2_077]
    assert corpus.n_words == 254_818
    assert len(set(corpus.values("upos"))) == 17
    assert None not in corpus.values("upos")
    assert len(set(corpus.of_sentence("id"))) == corpus.n_sentences
    assert corpus.of_sentence("id")[0] == "answers-20090605110235AAALlCt_ans-0001"


@pytest.mark.parametrize(
    ("split", "sentences", "words"),
    [("train", 7_745, 50_408), ("dev", 1_174, 7_368), ("test", 1_053, 6_821), ("eval", 841, 5_710)],
)
def test_pmb(shared, split: str, sentences: int, words: int):
    corpus = read_corpus(shared(f"pmb/{split}.conll"), format="pmb")
    assert (corpus.n_sentences, corpus.n_words) == (sentences, words)
    assert not any("~" in form for form in corpus.values("form"))
    if split == "train":
        assert len(set(corpus.values("sem"))) == 69
        assert len(set(corpus.values("ccg"))) == 294
        assert "Celestial Seasonings" in corpus.values("form")


@pytest.mark.parametrize(
    ("split", "sentences", "words", "chunks"),
    [("train", 8_936, 211_727, 22), ("test", 2_012, 47_377, 19)],
)
def test_conll2000(shared, split: str, sentences: int, words: int, chunks: int):
    corpus = read_corpus(shared(f"conll2000/{split}.txt"), format="conll")
    assert (corpus.n_sentences, corpus.n_words) == (sentences, words)
    assert len(set(corpus.values("chunk"))) == chunks
    assert "#" in corpus.values("form")


@pytest.mark.parametrize(
    ("split", "sentences", "positive"),
    [("train", 67_349, 37_569), ("dev", 872, 444), ("test", 1_821, 909)],
)
def test_sst2(shared, split: str, sentences: int, positive: int):
    corpus = read_corpus(shared(f"sst2/{split}.tsv"))
    assert corpus.n_sentences == sentences
    assert corpus.of_sentence("class").tolist().count("1") == positive
    assert not any("\r" in form for form in corpus.values("form"))


@pytest.mark.parametrize(("polarity", "words"), [("pos", 112_418), ("neg", 111_609)])
def test_sentence_polarity(shared, polarity: str, words: int):
    path = shared(f"sentence_polarity/rt-polarity.{polarity}")
    with pytest.raises(InputError, match=r'line \d+: the word .* control_characters = "space"'):
        read_corpus(path, format="text")
    corpus = read_corpus(path, format="text", control_characters="space")
    assert (corpus.n_sentences, corpus.n_words) == (5_331, words)


def test_cola(shared):
    options = {"sentence_column": 3, "class_column": 1, "control_characters": "space"}
    corpus = read_corpus(shared("cola/train.tsv"), **options)
    assert corpus.n_sentences == 7_250
    assert corpus.classes == ("0", "1")
