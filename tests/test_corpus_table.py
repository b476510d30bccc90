"""A corpus made from lists: what it holds, what it refuses, and how selections find their rows."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError

SENTENCES = [["Time", "flies"], ["like"], ["an", "arrow", "."]]
POS = [["N", "V"], [None], ["D", "N", "."]]


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.from_sentences(SENTENCES, {"pos": POS}, classes=["a", None, "b"], name="flies")


def test_words_are_rows_in_order(corpus: Corpus):
    assert corpus.values("form").tolist() == ["Time", "flies", "like", "an", "arrow", "."]
    assert corpus.words["sentence"].to_pylist() == [0, 0, 1, 2, 2, 2]
    assert corpus.words["position"].to_pylist() == [0, 1, 0, 0, 1, 2]
    assert corpus.values("pos").tolist() == ["N", "V", None, "D", "N", "."]
    assert corpus.sentences["words"].to_pylist() == SENTENCES
    assert corpus.of_sentence("id").tolist() == ["0", "1", "2"]
    assert corpus.classes == ("a", "b")


def test_saved_and_loaded_it_is_the_same(corpus: Corpus, tmp_path):
    corpus.save(tmp_path / "corpus")
    loaded = Corpus.load(tmp_path / "corpus")
    assert loaded.words.equals(corpus.words)
    assert loaded.sentences.equals(corpus.sentences)
    assert (loaded.name, loaded.word_hash) == (corpus.name, corpus.word_hash)


def test_hash_is_of_words_not_of_labels(corpus: Corpus):
    assert Corpus.from_sentences(SENTENCES).word_hash == corpus.word_hash
    changed = [*SENTENCES[:2], ["an", "arrow", "!"]]
    assert Corpus.from_sentences(changed).word_hash != corpus.word_hash
    joined = [["Time", "flies", "like"], ["an", "arrow", "."]]
    assert Corpus.from_sentences(joined).word_hash != corpus.word_hash


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_a_selection(seed: int):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 6, 30)
    whole = Corpus.from_sentences([["w"] * length for length in lengths])
    rows = np.flatnonzero(rng.random(whole.n_words) < 0.4)
    selection = whole.select(rng.permutation(rows))
    assert selection.rows_in(whole).tolist() == rows.tolist()
    inner = selection.select(np.arange(0, selection.n_words, 2))
    assert inner.rows_in(selection).tolist() == list(range(0, selection.n_words, 2))


def test_rows_of_an_empty_selection(corpus: Corpus):
    assert corpus.select(np.array([], dtype=int)).rows_in(corpus).shape == (0,)


def test_rows_of_other_sentences_are_refused(corpus: Corpus):
    other = Corpus.from_sentences([*SENTENCES[:2], ["a", "banana", "."]], name="fruit")
    with pytest.raises(MismatchError, match="'flies' and 'fruit'"):
        corpus.rows_in(other)


def test_a_word_that_is_not_there_is_named(corpus: Corpus):
    with pytest.raises(MismatchError, match="1 of 6 words .* word 1 of sentence 2"):
        corpus.rows_in(corpus.select(np.array([0, 1, 2, 3, 5])))


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([], "has no sentences"),
        ([["a"], []], r"sentences\[1\]: the sentence has no words"),
        ([["a"], ["b", ""]], r"sentences\[1\]\[1\]: the word '' is blank"),
        ([["a", "\u00a0 "]], "is blank"),
        ([["a", "b\x00"]], r"sentences\[0\]\[1\]: .* U\+0000"),
        ([["a\tb"]], r"U\+0009"),
        ([["a\nb"]], r"U\+000A"),
        ([["\x85"]], "is blank"),
        ([["x\x97"]], r"U\+0097"),
        ([["\ud800"]], r"U\+D800"),
        ([["a", None]], r"sentences\[0\]\[1\]: the word None is not text"),
        ([["a", ["b"]]], "is not text"),
        (["the cat"], "is text; give a list of words"),
    ],
)
def test_unusable_words(sentences, message):
    with pytest.raises(InputError, match=message):
        Corpus.from_sentences(sentences)


@pytest.mark.parametrize(
    "word", ["New York", "a\u00adb", "\u200d", "می\u200cخواهم", "e\u0301", "👩\u200d🔬", "a\u2028b"]
)
def test_words_are_taken_as_given(word: str):
    assert Corpus.from_sentences([[word]]).values("form").tolist() == [word]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": {"pos": POS[:2]}}, "2 sentences of 'pos' labels for 3"),
        ({"labels": {"pos": [["N"], *POS[1:]]}}, r"sentences\[0\]: 1 labels in 'pos' for 2 words"),
        ({"labels": {"pos": ["NV", *POS[1:]]}}, "text in 'pos'"),
        ({"labels": {"pos": [["N", ""], *POS[1:]]}}, r"\[0\]\[1\]: the 'pos' label '' is blank"),
        ({"labels": {"pos": [["N", 3], *POS[1:]]}}, "the 'pos' label 3 is not text"),
        ({"labels": {"form": POS}}, "may not be named 'form'"),
        ({"classes": ["a"]}, "1 values of class for 3 sentences"),
        ({"classes": ["a", 1, "b"]}, r"sentences\[1\]: the class 1 is not text"),
        ({"ids": ["a", "b", ""]}, r"sentences\[2\]: the id '' is blank"),
        ({"splits": ["train", "dev", "tst"]}, "unknown split 'tst'; did you mean 'test'"),
    ],
)
def test_unusable_labels_and_values(options, message):
    with pytest.raises(InputError, match=message):
        Corpus.from_sentences(SENTENCES, **options)


def test_an_unknown_label_column_is_named(corpus: Corpus):
    with pytest.raises(InputError, match="no label column 'upos'; did you mean 'pos'"):
        corpus.values("upos")


def test_a_further_column_of_sentences_is_kept_and_changes_no_hash(corpus: Corpus, tmp_path):
    more = corpus.with_sentence_column("predicted", ["b", None, "a"])
    assert more.of_sentence("predicted").tolist() == ["b", None, "a"]
    assert more.word_hash == corpus.word_hash
    again = more.with_sentence_column("predicted", ["a", "a", "a"])
    assert again.of_sentence("predicted").tolist() == ["a", "a", "a"]
    assert again.sentences.num_columns == more.sentences.num_columns
    more.select(np.array([5])).save(tmp_path / "corpus")
    loaded = Corpus.load(tmp_path / "corpus")
    assert loaded.of_sentence("predicted").tolist() == ["b", None, "a"]
    assert "predicted" not in corpus.sentences.column_names


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("class", ["a", "b", "c"], "another name"),
        (" ", ["a", "b", "c"], "another name"),
        ("predicted", ["a"], "1 values for 3 sentences"),
        ("predicted", ["a", 1, None], "value 1 of sentence 1 is not text"),
        ("predicted", ["a", "b\x07", None], "U\\+0007"),
    ],
)
def test_a_column_of_sentences_that_cannot_be_is_refused(corpus: Corpus, column, values, message):
    with pytest.raises(InputError, match=message):
        corpus.with_sentence_column(column, values)


def test_a_sentence_column_that_is_not_there_is_named(corpus: Corpus):
    with pytest.raises(InputError, match="no sentence column 'predicted'"):
        corpus.of_sentence("predicted")
