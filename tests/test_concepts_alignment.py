"""Each use of the alignment function against a plain reading of its definition."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from tunescope.concepts.alignment.labels import align_labels
from tunescope.concepts.alignment.models import best_overlap, match
from tunescope.concepts.alignment.nulls import compare, orders, permuted, permuted_types
from tunescope.concepts.alignment.overlaps import permuted_overlaps
from tunescope.concepts.alignment.polarity import align_classes
from tunescope.concepts.alignment.resampling import share_interval
from tunescope.concepts.alignment.retention import retention_row
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.contingency import type_counts
from tunescope.concepts.dendrogram import number_by_size
from tunescope.steps import Align


@pytest.fixture(params=range(3))
def made(request):
    """Return two clusterings, types and labels (-1: none) of 400 occurrences, at random."""
    rng = np.random.default_rng(request.param)
    base = number_by_size(rng.integers(0, 25, 400))
    changed = rng.random(400) < 0.3
    tuned = number_by_size(np.where(changed, rng.integers(0, 25, 400), base))
    types = np.unique(base * 8 + rng.integers(0, 10, 400), return_inverse=True)[1]
    labels = np.where(rng.random(400) < 0.85, base % 3, rng.integers(-1, 3, 400))
    return base, tuned, types, labels


def members(clusters, number):
    return set(np.flatnonzero(clusters == number).tolist())


def test_matches_by_occurrences(made):
    base, tuned, _, _ = made
    found = match(base, tuned)
    for concept in range(base.max() + 1):
        mine = members(base, concept)
        shares = [len(mine & members(tuned, t)) / len(mine) for t in range(tuned.max() + 1)]
        assert found.overlap[concept] == max(shares)
        assert found.best[concept] == int(np.argmax(shares))
    np.testing.assert_array_equal(best_overlap(base, tuned), found.overlap)


def test_matches_by_types(made):
    base, tuned, types, _ = made
    found = match(base, tuned, types)
    for concept in range(base.max() + 1):
        mine = set(types[base == concept])
        shares = [len(mine & set(types[tuned == t])) / len(mine) for t in range(tuned.max() + 1)]
        assert found.overlap[concept] == max(shares)
        assert found.best[concept] == int(np.argmax(shares))


def test_types_per_cluster(made):
    base, _, types, _ = made
    expected = [len(set(types[base == concept])) for concept in range(base.max() + 1)]
    assert type_counts(base, types).tolist() == expected


@pytest.mark.parametrize("max_unknown", [0.0, 0.1, 1.0])
def test_labels(made, max_unknown):
    base, _, _, labels = made
    found = align_labels(base, labels, 3, theta=0.85, max_unknown=max_unknown)
    for concept in range(base.max() + 1):
        mine = labels[base == concept]
        label, count = Counter(mine[mine >= 0].tolist()).most_common(1)[0]
        share = count / (mine >= 0).sum()
        assert found.share[concept] == share
        assert (mine == found.best[concept]).sum() == (mine == label).sum()
        assert found.aligned[concept] == (share >= 0.85 and (mine < 0).mean() <= max_unknown)


def test_a_concept_without_any_label_is_not_aligned():
    found = align_labels(np.array([0, 0, 1]), np.array([-1, -1, 0]), 1, max_unknown=1.0)
    assert found.aligned.tolist() == [False, True]
    assert found.best.tolist() == [-1, 0]


def test_a_column_without_labels_aligns_nothing():
    found = align_labels(np.array([0, 0, 1]), np.array([-1, -1, -1]), 0)
    assert not found.aligned.any()


def test_the_threshold_itself_aligns():
    labels = np.array([0] * 9 + [1])
    assert align_labels(np.zeros(10, int), labels, 2, theta=0.9).aligned.all()


def test_polarity_takes_the_class_of_the_sentence():
    clusters = np.array([0, 0, 0, 1, 1, 1])
    sentences = np.array([0, 1, 1, 2, 0, 3])
    found = align_classes(clusters, sentences, np.array([1, 1, 0, -1]), 2)
    assert found.aligned.tolist() == [True, False]
    assert found.best[0] == 1


def test_type_permutation_moves_whole_types_and_keeps_counts(made):
    _, _, types, labels = made
    of_type = {t: tuple(labels[types == t]) for t in np.unique(types)}
    for draw in permuted_types(labels, types, 5, seed=0):
        assert Counter(draw.tolist()) == Counter(labels.tolist())
        moved = {t: tuple(draw[types == t]) for t in of_type}
        assert Counter(moved.values()) == Counter(of_type.values())
        assert moved != of_type


def test_type_permutation_keeps_what_lexical_clusters_alone_would_give():
    # Clusters of 2 types; every type has one of two labels. Half of the clusters are pure by
    # chance, which permuting single occurrences would hide.
    types = np.repeat(np.arange(400), 10)
    clusters, labels = types // 2, (types * 7 // 3) % 2

    def pure(draws):
        return np.mean([align_labels(clusters, draw, 2).aligned.mean() for draw in draws])

    assert abs(pure(permuted_types(labels, types, 50, seed=0)) - 0.5) < 0.03
    assert pure(permuted(labels, 50, seed=0)) < 0.01


def test_permutation_leaves_unknown_values_in_place():
    values = np.array([-1, 0, 1, 2, -1, 3])
    for draw in permuted(values, 10, seed=1):
        assert draw[[0, 4]].tolist() == [-1, -1]
        assert sorted(draw) == sorted(values)


def test_p_counts_the_observation_among_the_draws():
    null = compare(3, np.array([0, 1, 2, 3, 4]))
    assert null.p == (1 + 2) / (1 + 5)
    assert null.mean == 2
    assert null.high == pytest.approx(3.9)
    assert compare(9, np.zeros(99)).p == 0.01


def layer_of(labels, types, role="base", min_types=6):
    return Clustering("model", role, 0, labels, types, min_types)


def retention(base, tuned, step):
    draws = orders(len(base.labels), step.permutations, step.seed)
    [kept], [survived] = (
        permuted_overlaps([base], tuned, draws),
        permuted_overlaps([tuned], base, draws),
    )
    at = step.overlap
    return retention_row(base, tuned, at, kept[at], survived[at], step)


def test_a_giant_tuned_concept_retains_everything_and_the_null_says_so():
    rng = np.random.default_rng(0)
    types = np.arange(600)
    base = number_by_size(rng.integers(0, 30, 600))
    giant = number_by_size(np.where(np.arange(600) < 580, 0, np.arange(600)))
    row = retention(layer_of(base, types), layer_of(giant, types, "tuned"), Align())
    assert row["retained_share"] > 0.9
    assert row["null_mean"] > 0.9 * row["n_base"]
    assert row["p"] > 0.05
    assert row["born"] == row["n_tuned"] == 1  # the other direction is not fooled


def test_concepts_with_few_types_do_not_count(made):
    base, tuned, types, _ = made
    row = retention(layer_of(base, types, "base", 9), layer_of(tuned, types, "tuned", 9), Align())
    enough = type_counts(base, types) >= 9
    kept = (match(base, tuned).overlap >= 0.8) & enough
    assert row["n_base"] == enough.sum() < base.max() + 1
    assert (row["retained"], row["lost"]) == (kept.sum(), enough.sum() - kept.sum())
    enough = type_counts(tuned, types) >= 9
    survived = (match(tuned, base).overlap >= 0.8) & enough
    assert row["born"] == enough.sum() - survived.sum()


def test_interval_of_a_share():
    # Wilson's interval of 8 of 10 at 95 %, as in textbooks: (0.4902, 0.9433).
    assert share_interval(8, 10, 0.95) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    for hits, n, level in ((0, 7, 0.95), (7, 7, 0.9), (3, 300, 0.99)):
        expected = binomtest(hits, n).proportion_ci(level, method="wilson")
        assert share_interval(hits, n, level) == pytest.approx(tuple(expected), abs=1e-12)
    assert np.isnan(share_interval(0, 0, 0.95)).all()
