"""Words are chosen by frequency before anything else; ConceptX's selection bugs stay out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import tunescope as ts
from tunescope.errors import InputError
from tunescope.steps import Concepts


@pytest.fixture
def corpus():
    sentences = [["a", "The", "the", "b"], ["a", "the", "a"], ["a", "a", "c", "the"], ["a", "b"]]
    return ts.Corpus.from_sentences(sentences)


def forms(corpus):
    return corpus.values("form").tolist()


def occurrences(corpus):
    columns = (corpus.words[c].to_pylist() for c in ("sentence", "position"))
    return list(zip(*columns, strict=True))


def test_types_count_by_all_their_occurrences_not_by_those_kept(corpus):
    chosen = ts.select_words(corpus, min_count=3, max_occurrences=2)
    assert Counter(forms(chosen)) == {"a": 2, "the": 2}


def test_forms_are_compared_as_given(corpus):
    assert "The" not in forms(ts.select_words(corpus, min_count=2))


def test_types_above_the_upper_limit_are_dropped(corpus):
    assert set(forms(ts.select_words(corpus, min_count=2, max_count=3))) == {"the", "b"}


def test_the_last_word_is_kept(corpus):
    whole = ts.select_words(corpus, min_count=1)
    assert occurrences(whole) == occurrences(corpus)


def test_first_occurrences_are_kept_only_when_asked_for():
    corpus = ts.Corpus.from_sentences([["w"]] * 400)
    first = ts.select_words(corpus, min_count=1, max_occurrences=20, choice="first")
    drawn = ts.select_words(corpus, min_count=1, max_occurrences=20)
    assert [sentence for sentence, _ in occurrences(first)] == list(range(20))
    sentences = np.array([sentence for sentence, _ in occurrences(drawn)])
    assert len(sentences) == 20
    assert 120 < sentences.mean() < 280  # drawn from the whole corpus


def test_the_draw_follows_the_seed(corpus):
    big = ts.Corpus.from_sentences([["w", "v"]] * 100)
    same = [occurrences(ts.select_words(big, seed=3)) for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != occurrences(ts.select_words(big, seed=4))


def test_every_occurrence_is_as_likely_to_be_drawn():
    corpus = ts.Corpus.from_sentences([["w"]] * 5)
    drawn = Counter(
        occurrence
        for seed in range(300)
        for occurrence in occurrences(
            ts.select_words(corpus, min_count=1, max_occurrences=2, seed=seed)
        )
    )
    assert len(drawn) == 5
    assert all(80 < count < 160 for count in drawn.values())  # 120 expected


def test_parameters_may_be_given_as_a_step(corpus):
    step = Concepts(min_count=3, max_occurrences=2)
    assert occurrences(ts.select_words(corpus, step)) == occurrences(
        ts.select_words(corpus, step=step)
    )


def test_a_rule_that_no_type_passes_is_an_error(corpus):
    with pytest.raises(InputError, match=r"7 to 7 occurrences .*most frequent has 6.*min_count"):
        ts.select_words(corpus, min_count=7, max_count=7)
