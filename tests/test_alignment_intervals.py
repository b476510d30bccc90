"""Intervals of scores and polarity hold what they should: simulated corpora, one clustering."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.concepts.alignment.label_draws import count_labels
from tunescope.concepts.alignment.labels import Labelling, sets_of_codes
from tunescope.concepts.alignment.resampling import (
    count_interval,
    resampled_interval,
    sentence_weights,
    share_interval,
)
from tunescope.concepts.clustering import Clustering

K, WORDS = 60, 8


class World:
    """Concepts of different purity; words of a sentence share its class, or have own labels."""

    def __init__(self, n_labels, shared, seed=0):
        rng = np.random.default_rng(seed)
        mixed = rng.random(K) < 0.6
        self.purity = np.where(mixed, rng.beta(4, 3, K), rng.beta(30, 1.5, K))
        self.label = rng.integers(0, n_labels, K)
        size = rng.lognormal(0, 0.5, K)
        self.size, self.n_labels, self.shared = size / size.sum(), n_labels, shared

    def draw(self, rng, n_sentences):
        """Return concepts, labels and sentences of the words of a new corpus."""
        sentences = np.repeat(np.arange(n_sentences), WORDS)
        if not self.shared:
            concepts = rng.choice(K, len(sentences), p=self.size)
            other = (self.label[concepts] + rng.integers(1, self.n_labels, len(sentences))) % (
                self.n_labels
            )
            pure = rng.random(len(sentences)) < self.purity[concepts]
            return concepts, np.where(pure, self.label[concepts], other), sentences
        classes = rng.integers(0, self.n_labels, n_sentences)
        own = np.arange(self.n_labels)[:, None] == self.label
        p = np.where(own, self.purity, (1 - self.purity) / (self.n_labels - 1)) * self.size
        p /= p.sum(axis=1, keepdims=True)
        concepts = np.concatenate([rng.choice(K, WORDS, p=p[c]) for c in classes])
        return concepts, classes[sentences], sentences


def counted(world, concepts, codes, weights):
    labels = Labelling("x", sets_of_codes(codes, tuple(map(str, range(world.n_labels)))))
    here = Clustering("m", "base", 0, np.append(concepts, np.arange(K)), np.arange(0), 0)
    here.__dict__["counts"] = np.ones(K, bool)  # all concepts count, however small here
    rows = np.append(np.arange(len(codes)), np.zeros(K)).astype(np.int32)
    pad = np.zeros(K, np.int8)  # every concept is there, also when no word fell into it
    draws = [(rows, np.append(w, pad).astype(np.int8)) for w in weights]
    return count_labels(here, labels, draws, theta=0.9, max_unknown=0.4)


@pytest.mark.parametrize("n_labels, shared", [(8, False), (3, True)])
def test_sentences_drawn_again_give_the_spread_and_hold_the_mean(n_labels, shared):
    world, rng = World(n_labels, shared), np.random.default_rng(1)
    scores, spreads, intervals, polarised = [], [], [], []
    for seed in range(120):
        concepts, codes, sentences = world.draw(rng, 400)
        once = np.ones((1, len(codes)), np.int8)
        weights = sentence_weights(sentences, 60, seed)[:, sentences]
        found, again = (counted(world, concepts, codes, w) for w in (once, weights))
        scores.append(found.score[0])
        spreads.append(again.score.std(ddof=1))
        intervals.append(resampled_interval(found.score[0], again.score, 0.95, 0, 1))
        polarised.append(
            (found.aligned[0], count_interval(found.aligned[0], K, again.aligned, 0.95))
        )
    assert 0.85 < np.mean(spreads) / np.std(scores) < 1.25
    mean = np.mean(scores)
    assert np.mean([low <= mean <= high for low, high in intervals]) >= 0.9
    mean = np.mean([count for count, _ in polarised])
    assert np.mean([low <= mean <= high for _, (low, high) in polarised]) >= 0.95


def test_counts_hold_their_mean_where_concepts_share_few_sentences():
    """Twenty groups of three concepts, each from three sentences, as pure as these happen to be."""
    groups, each, n_sentences = 20, 3, 3
    world = World(2, shared=True)
    purity = world.purity[:groups]
    rng = np.random.default_rng(1)
    of_sentence = np.repeat(np.arange(groups), n_sentences)
    sentences = np.repeat(np.arange(len(of_sentence)), 3 * each)
    once = np.ones((1, len(sentences)), np.int8)
    found = []
    for seed in range(150):
        classes = (rng.random(len(of_sentence)) < purity[of_sentence]).astype(int)
        concepts = of_sentence[sentences] * each + rng.integers(0, each, len(sentences))
        weights = sentence_weights(sentences, 60, seed)[:, sentences]
        count, again = (counted(world, concepts, classes[sentences], w) for w in (once, weights))
        found.append((count.aligned[0], count_interval(count.aligned[0], K, again.aligned, 0.95)))
    mean = np.mean([count for count, _ in found])
    assert np.mean([low <= mean <= high for _, (low, high) in found]) >= 0.93


def test_concepts_drawn_again_would_never_hold_the_coverage():
    # Why sentences are drawn and not concepts: labels that one concept covers get lost.
    rng = np.random.default_rng(0)
    covered_by = np.arange(40)  # concept c covers label c, and no other does
    again = [len(set(covered_by[rng.integers(0, 40, 40)])) for _ in range(500)]
    assert np.quantile(again, 0.975) < 40 == len(set(covered_by))


def test_no_concept_found_still_has_an_upper_end():
    low, high = count_interval(0, 300, np.zeros(50), 0.95)
    assert low == 0
    assert high == pytest.approx(300 * share_interval(0, 300, 0.95)[1])
    assert high > 3
    assert np.isnan(count_interval(0, 0, np.zeros(50), 0.95)).all()


def test_weights_draw_as_many_sentences_as_have_words():
    sentences = np.repeat([2, 5, 9], 4)
    weights = sentence_weights(sentences, 30, 0)
    assert weights.shape == (30, 10)
    assert (weights.sum(axis=1) == 3).all()
    assert weights[:, [0, 1, 3, 4, 6, 7, 8]].sum() == 0
    np.testing.assert_array_equal(weights, sentence_weights(sentences, 30, 0))
