"""Base with tuned: all matches, thresholds and pairs of layers against plain definitions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tunescope.concepts.alignment.changes import changes
from tunescope.concepts.alignment.frames import pair_frames
from tunescope.concepts.alignment.matches import match_frame
from tunescope.concepts.alignment.nulls import orders, type_orders
from tunescope.concepts.alignment.overlaps import permuted_overlaps
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.dendrogram import number_by_size
from tunescope.steps import Align

N = 300


def layer_of(labels, types, role="base", layer=0, min_types=3):
    return Clustering(role, role, layer, np.asarray(labels), np.asarray(types), min_types)


@pytest.fixture(params=range(3))
def models(request):
    """Return two layers of a base and three of a tuned model, at random."""
    rng = np.random.default_rng(request.param)
    start = rng.integers(0, 14, N)
    types = np.unique(start * 9 + rng.integers(0, 12, N), return_inverse=True)[1]

    def noisy(role, layer, rate):
        new = np.where(rng.random(N) < rate, rng.integers(0, 14, N), start)
        return layer_of(number_by_size(new), types, role, layer)

    base = [noisy("base", 0, 0.1), noisy("base", 1, 0.3)]
    return base, [noisy("tuned", layer, 0.2 * layer) for layer in range(3)]


def occurrences(layer, concept):
    return set(np.flatnonzero(layer.labels == concept).tolist())


def kinds(layer, concept):
    return set(layer.types[layer.labels == concept].tolist())


def brute_share(source, target, labels, concept, level):
    """Return the largest share of a concept that one target concept holds, by definition."""
    other = layer_of(labels, target.types)
    members = occurrences if level == "occurrences" else kinds
    mine = members(source, concept)
    shared = [len(mine & members(other, t)) for t in range(labels.max() + 1)]
    return max(shared) / len(mine)


@pytest.mark.parametrize("level", ["occurrences", "types"])
@pytest.mark.parametrize("exchange", [orders, type_orders])
def test_overlaps_observed_and_by_chance(models, level, exchange):
    base, tuned = models
    draws = exchange(N if exchange is orders else base[0].types, 3, 7)
    for target in tuned:
        for source, found in zip(base, permuted_overlaps(base, target, draws), strict=True):
            for row, order in enumerate([np.arange(N), *draws]):
                dealt = target.labels[order]
                for concept in range(len(source.sizes)):
                    assert found[level][row, concept] == brute_share(
                        source, target, dealt, concept, level
                    )


def test_overlaps_are_the_same_from_any_number_of_threads(models):
    """The counting releases Python's lock: nothing of one call may be seen by another."""
    base, tuned = models
    draws = orders(N, 50, 7)
    alone = [permuted_overlaps(base, target, draws) for target in tuned]
    for n in (2, 7):
        with ThreadPoolExecutor(n) as pool:
            found = pool.map(lambda target: permuted_overlaps(base, target, draws), tuned * 5)
        for shares, expected in zip(found, alone * 5, strict=True):
            for here, there in zip(shares, expected, strict=True):
                for level in ("occurrences", "types"):
                    np.testing.assert_array_equal(here[level], there[level])


def test_every_match_is_listed_not_the_last_one(models):
    base, tuned = models
    floor, expected = 0.15, set()
    for mine, theirs in ((base, tuned), (tuned, base)):
        for here in mine:
            for other in theirs:
                for a in range(len(here.sizes)):
                    for b in range(len(other.sizes)):
                        both = [m(here, a) & m(other, b) for m in (occurrences, kinds)]
                        of = [m(here, a) for m in (occurrences, kinds)]
                        if max(len(x) / len(y) for x, y in zip(both, of, strict=True)) >= floor:
                            row = [here.role, here.layer, a, other.layer, b]
                            for x, y, m in zip(both, of, (occurrences, kinds), strict=True):
                                z = m(other, b)
                                row += [
                                    len(x),
                                    len(x) / len(y),
                                    len(x) / len(z),
                                    len(x) / len(y | z),
                                ]
                            expected.add(tuple(row))
    frame = match_frame(base, tuned, floor)
    found = {tuple(row) for row in frame.itertuples(index=False)}
    assert found == expected
    assert frame.groupby(["role", "layer", "concept", "other_layer"]).size().max() > 1
    keys = frame[["role", "layer", "concept", "other_layer"]]
    assert keys.apply(tuple, axis=1).is_monotonic_increasing
    falls = frame["share"].diff().fillna(0) <= 0
    assert (falls | (keys != keys.shift()).any(axis=1)).all()


def test_sweep_and_matrix_count_thresholds_with_their_null(models):
    base, tuned = models
    step = Align(theta=0.6, thetas=(0.5, 0.8), permutations=9, seed=3)
    frames = pair_frames(base, tuned, step)
    draws = orders(N, 9, 3)
    sweep = frames["sweep"].set_index(["role", "layer", "level", "theta"])
    assert sorted(set(frames["sweep"]["theta"])) == [0.5, 0.6, 0.8]
    assert set(frames["sweep"]["layer"]) == {0, 1}  # a tuned layer without a base has no row
    for layer in (0, 1):
        for role, here, other in (("base", base[layer], tuned[layer]),
                                  ("tuned", tuned[layer], base[layer])):  # fmt: skip
            [found] = permuted_overlaps([here], other, draws)
            for level in ("occurrences", "types"):
                for theta in (0.5, 0.6, 0.8):
                    counts = [
                        sum(share >= theta for share in row[here.counts]) for row in found[level]
                    ]
                    row = sweep.loc[role, layer, level, theta]
                    assert row["matched"] == counts[0]
                    assert row["null_mean"] == np.mean(counts[1:])
                    assert row["p"] == (1 + sum(c >= counts[0] for c in counts[1:])) / 10
                    assert row["matched_low"] <= row["matched_share"] <= row["matched_high"]
    matrix = frames["matrix"].set_index(["base_layer", "tuned_layer", "level"])
    assert len(matrix) == 2 * 3 * 2
    retention = frames["retention"].set_index(["layer", "level"])
    for at in ((0, "occurrences"), (1, "types")):
        assert retention.loc[at, "retained"] == matrix.loc[(at[0], *at), "retained"]
        assert retention.loc[at, "retained"] == sweep.loc["base", *at, 0.6]["matched"]
        born = retention.loc[at, "n_tuned"] - sweep.loc["tuned", *at, 0.6]["matched"]
        assert retention.loc[at, "born"] == born


def test_exactly_theta_is_enough():
    types = np.arange(20)
    base = layer_of(np.repeat([0, 1], 10), types)
    tuned = layer_of(np.repeat([0, 1, 0], [9, 1, 10]), types, "tuned")
    found = pair_frames([base], [tuned], Align(theta=0.9, thetas=(0.91,), permutations=5))
    sweep = found["sweep"].query("role == 'base' and level == 'occurrences'")
    assert sweep.set_index("theta")["matched"].to_dict() == {0.9: 2, 0.91: 1}


def test_no_word_is_dropped_at_an_end():
    # The last word of the last concept decides: an off-by-one slice would find 3 of 3 shared.
    types = np.arange(8)
    base = layer_of([0, 0, 0, 0, 1, 1, 1, 1], types)
    tuned = layer_of([1, 0, 0, 0, 1, 1, 1, 0], types, "tuned")
    [found] = permuted_overlaps([base], tuned, np.empty((0, 8), np.int32))
    assert found["occurrences"].tolist() == [[0.75, 0.75]]
    frame = match_frame([base], [tuned], 0.0)
    assert frame[frame["role"] == "base"]["shared"].sum() == 8
    [last] = permuted_overlaps([base], base, np.array([[7, *range(1, 7), 0]], np.int32))
    assert last["occurrences"].tolist() == [[1, 1], [0.75, 0.75]]


def made(*parts, role="base"):
    """Lay out concepts as runs of words, each a type of its own."""
    labels = np.repeat(np.arange(len(parts)), parts)
    return layer_of(labels, np.arange(len(labels)), role)


@pytest.mark.parametrize(
    "base, tuned, of_base, of_tuned",
    [
        ([10, 10], [10, 10], ["kept", "kept"], ["kept", "kept"]),
        ([10, 9, 1], [20], ["merged", "merged", ""], ["merged"]),
        ([20], [10, 10], ["split"], ["split", "split"]),
        ([20], [18, 2], ["kept"], ["kept", ""]),
        ([10, 5, 5, 5, 5], [30], ["merged"] * 5, ["merged"]),
        ([18, 3, 3, 3, 3, 3], [18, 15], ["kept"] + ["merged"] * 5, ["kept", "merged"]),
        ([6, 6], [3, 3, 6], ["split", "kept"], ["split", "split", "kept"]),
    ],
)
def test_what_became_of_concepts(base, tuned, of_base, of_tuned):
    base, tuned = made(*base), made(*tuned, role="tuned")
    assert changes(base, tuned, 0.8).tolist() == of_base
    assert changes(tuned, base, 0.8).tolist() == of_tuned


def test_absorbed_carved_vanished_and_new():
    base = made(10, 10, 10)
    # Tuned concept 0 holds all of base 0 and half of base 1; the rest is a mixture.
    tuned = layer_of([0] * 15 + [1] * 15, np.arange(30), "tuned")
    assert changes(base, tuned, 0.8).tolist() == ["absorbed", "vanished", "absorbed"]
    assert changes(tuned, base, 0.8).tolist() == ["new", "new"]
    assert changes(made(15, 15), made(10, 10, 10, role="tuned"), 0.8).tolist() == ["vanished"] * 2
    assert changes(made(10, 10, 10, role="tuned"), made(15, 15), 0.8).tolist() == [
        "carved", "new", "carved",
    ]  # fmt: skip


def test_both_models_agree_on_splits_and_merges(models):
    base, tuned = models
    for here in base:
        for other in tuned:
            for theta in (0.55, 0.7, 0.9):
                assert_agree(here, other, theta)


def assert_agree(base, tuned, theta):
    """The wholes that parts say they are parts of are those that say they have parts."""
    for whole, parts, word in ((base, tuned, "split"), (tuned, base, "merged")):
        named = np.flatnonzero(changes(parts, whole, theta) == word)
        of_parts = {int(np.bincount(whole.labels[parts.labels == p]).argmax()) for p in named}
        assert of_parts == set(np.flatnonzero(changes(whole, parts, theta) == word))


def test_what_has_too_few_types_is_made_up_of_nothing():
    """Two concepts of three types each give all of two types to one cluster, which has no more."""
    mine = layer_of(np.repeat([0, 1], 10), [0] * 5 + [1] * 4 + [2] + [0] * 5 + [1] * 4 + [3])
    theirs = layer_of(([0] * 9 + [1]) * 2, mine.types, "tuned")
    assert mine.counts.all() and not theirs.counts.any()
    assert changes(mine, theirs, 0.8).tolist() == ["absorbed"] * 2
    assert_agree(mine, theirs, 0.8)
    base, tuned = (layer_of(x.labels, x.types, r) for x, r in ((theirs, "base"), (mine, "tuned")))
    assert changes(tuned, base, 0.8).tolist() == ["carved"] * 2
    assert_agree(base, tuned, 0.8)


def test_the_stricter_null_keeps_lexical_concepts_together():
    # Concepts of two types each, five occurrences a type: dealing single words tears types apart.
    types = np.repeat(np.arange(200), 5)
    base = layer_of(types // 2, types, min_types=1)
    tuned = layer_of((types * 77 % 200) // 2, types, "tuned", min_types=1)
    step = {"theta": 0.5, "thetas": (0.5,), "permutations": 20}
    words = pair_frames([base], [tuned], Align(**step, exchange="occurrences"))["retention"]
    whole = pair_frames([base], [tuned], Align(**step, exchange="types"))["retention"]
    assert words["null_mean"][0] < 5
    assert whole["null_mean"][0] == 100
