"""The two halves share no text, and no text was seen when concepts were found."""

from __future__ import annotations

import numpy as np
import pytest

import tunescope as ts
from tunescope.errors import InputError
from tunescope.triggers.halves import alike, halves, unseen


def test_single_texts_are_drawn_by_class_exactly():
    gold = np.repeat([0, 1, 2], [40, 20, 10])
    choosing = halves(gold, 0.5, 3)
    assert [int(choosing[gold == number].sum()) for number in range(3)] == [20, 10, 5]
    assert (choosing == halves(gold, 0.5, 3)).all()
    assert (choosing != halves(gold, 0.5, 4)).any()


@pytest.mark.parametrize("seed", range(5))
def test_equal_texts_never_cross_and_classes_stay_balanced(seed: int):
    rng = np.random.default_rng(seed)
    groups = rng.integers(60, size=200)
    gold = rng.integers(2, size=200)
    choosing = halves(gold, 0.5, seed, groups)
    for group in np.unique(groups):
        assert len(set(choosing[groups == group])) == 1
    for number in range(2):
        assert choosing[gold == number].mean() == pytest.approx(0.5, abs=0.05)


def test_texts_are_equal_whatever_their_case_and_blanks_and_pairs_by_their_first():
    same = alike([("A film",), ("a  film ",), ("afilm",), ("films",)])
    assert same[0] == same[1] == same[2] != same[3]
    pairs = alike([("It rains.", "wet"), ("it rains .", "dry"), ("wet", "It rains.")])
    assert pairs[0] == pairs[1] != pairs[2]
    with pytest.raises(InputError, match="2 texts, 1 of them different"):
        halves(np.array([0, 1]), 0.5, 0, np.zeros(2, int))


def test_a_sentence_is_seen_though_it_is_written_otherwise():
    corpus = ts.Corpus.from_sentences([["it", "is", "n't", "dull", "."]], classes=["x"])
    data = ts.TaskData((("It isn't dull.",), ("It is dull.",)), ("x", "x"))
    left, n = unseen(data, corpus)
    assert (left.texts, n) == ((("It is dull.",),), 1)
