"""CKA, Procrustes distance, neighbours and intervals against their definitions, n x n and all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group
from sklearn.neighbors import NearestNeighbors

import tunescope as ts
from tunescope.errors import InputError, MismatchError
from tunescope.geometry import cka as cka_module
from tunescope.geometry.cka import chance, hsic
from tunescope.geometry.jackknife import interval, standard_error
from tunescope.geometry.matrix import pair_hsic, tiles
from tunescope.geometry.moments import PairMoments
from tunescope.geometry.neighbours import candidates, nearest, overlap


def related(n: int, d: int, e: int, seed: int = 0, offset: float = 3.0):
    """Two representations with a common part, far from the origin."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.gamma(2, size=d)
    y = x @ rng.normal(size=(d, e)) / np.sqrt(d) + rng.normal(size=(n, e))
    return x + offset, y - offset


def hsic_by_matrices(x: np.ndarray, y: np.ndarray, biased: bool = False) -> float:
    """The definitions as printed, with n x n matrices."""
    n = len(x)
    k, m = x @ x.T, y @ y.T
    if biased:
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ m @ h) / (n - 1) ** 2
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    middle = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ m) + middle - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def cka_by_matrices(x: np.ndarray, y: np.ndarray, biased: bool = False) -> float:
    pairs = [hsic_by_matrices(*pair, biased) for pair in ((x, y), (x, x), (y, y))]
    return pairs[0] / np.sqrt(pairs[1] * pairs[2])


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@pytest.mark.parametrize(("n", "d", "e"), [(60, 8, 8), (40, 12, 90), (7, 30, 5)])
def test_cka_is_that_of_the_n_by_n_definition(n: int, d: int, e: int, estimator: str):
    x, y = related(n, d, e)
    expected = cka_by_matrices(x, y, estimator == "biased")
    assert ts.linear_cka(x, y, estimator) == pytest.approx(expected, abs=1e-10)  # type: ignore[arg-type]
    sums = PairMoments.of(x, y)  # not centred first
    of_pair = hsic_by_matrices(x, y, estimator == "biased")
    assert hsic(sums, estimator) == pytest.approx(of_pair, rel=1e-9)  # type: ignore[arg-type]


def test_cka_read_in_blocks_is_cka_read_whole(monkeypatch: pytest.MonkeyPatch):
    x, y = related(500, 10, 14)
    whole = ts.linear_cka(x, y), ts.procrustes_distance(x, y)
    monkeypatch.setattr(cka_module, "BLOCK_ROWS", 37)
    assert (ts.linear_cka(x, y), ts.procrustes_distance(x, y)) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("measure", [ts.linear_cka, ts.procrustes_distance])
def test_turning_moving_and_scaling_change_nothing(measure):
    x, y = related(200, 20, 20)
    turn = ortho_group.rvs(20, random_state=0)
    assert measure(7 * x @ turn + 100, y) == pytest.approx(measure(x, y), abs=1e-9)
    stretched = x * np.geomspace(0.01, 10, 20)  # the same map, but not orthogonal, does
    assert abs(measure(stretched, y) - measure(x, y)) > 0.05


def test_a_representation_is_alike_to_itself_turned():
    x, _ = related(200, 20, 20)
    turned = 3 * x @ ortho_group.rvs(20, random_state=1) - 4
    assert ts.linear_cka(x, turned) == pytest.approx(1, abs=1e-9)
    assert ts.procrustes_distance(x, turned) == pytest.approx(0, abs=1e-9)


def test_the_unbiased_estimator_is_near_zero_on_independent_data_and_the_biased_is_not():
    rng = np.random.default_rng(0)
    drawn = [rng.normal(size=(2, 50, 200)) for _ in range(200)]
    unbiased = np.array([ts.linear_cka(x, y) for x, y in drawn])
    biased = np.array([ts.linear_cka(x, y, "biased") for x, y in drawn])
    assert abs(unbiased.mean()) < 4 * unbiased.std() / np.sqrt(200)
    assert abs(unbiased.mean()) < 0.01
    assert biased.min() > 0.7


def test_chance_is_the_mean_over_permutations():
    x, y = related(30, 6, 9)
    rng = np.random.default_rng(0)
    drawn = [y[rng.permutation(30)] for _ in range(3000)]
    own = [PairMoments.of(side, side) for side in (x, y)]
    for estimator in ("unbiased", "biased"):
        found = np.array([ts.linear_cka(x, shuffled, estimator) for shuffled in drawn])
        expected = chance(*own, estimator)
        assert abs(found.mean() - expected) < 4 * found.std() / np.sqrt(len(found))


def test_moments_of_parts_add_and_subtract():
    x, y = related(90, 5, 7)
    parts = [PairMoments.of(x[s], y[s]) for s in (slice(0, 20), slice(20, 90))]
    whole = parts[0] + parts[1]
    assert hsic(whole) == pytest.approx(hsic_by_matrices(x, y))
    assert hsic(whole - parts[0]) == pytest.approx(hsic_by_matrices(x[20:], y[20:]))


@pytest.mark.parametrize(("d", "e"), [(12, 12), (12, 20)])
def test_procrustes_is_the_distance_after_the_best_turn(d: int, e: int):
    x, y = related(150, d, e)
    width = max(d, e)
    x_, y_ = (np.pad(a - a.mean(axis=0), ((0, 0), (0, width - a.shape[1]))) for a in (x, y))
    x_, y_ = x_ / np.linalg.norm(x_), y_ / np.linalg.norm(y_)
    turn, _ = orthogonal_procrustes(x_, y_)
    expected = np.square(x_ @ turn - y_).sum()
    assert ts.procrustes_distance(x, y) == pytest.approx(expected, abs=1e-10)


def test_representations_of_other_words_are_refused():
    x, y = related(30, 4, 4)
    for measure in (ts.linear_cka, ts.procrustes_distance):
        with pytest.raises(MismatchError, match="30 words"):
            measure(x, y[1:])
        with pytest.raises(InputError, match="at least 4"):
            measure(x[:3], y[:3])
        assert np.isnan(measure(x, np.ones((30, 2))))


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_all_pairs_of_layers_at_once_are_each_pair_alone(estimator):
    rng = np.random.default_rng(0)
    widths = [6, 6, 9, 4]
    common = rng.normal(size=(5000, 5))
    layers = [
        (common @ rng.normal(size=(5, d)) + rng.normal(size=(5000, d))).astype(np.float32)
        for d in widths
    ]
    layers = [layer - layer.mean(axis=0) for layer in layers]
    pairs = [(i, j) for i in range(4) for j in range(i, 4)]
    cut = tiles(pairs, widths, budget=8 * 9 * 9 * 4)
    assert len(cut) == 3 and sorted(pair for tile in cut for pair in tile) == pairs
    for tile in cut:
        for (i, j), found in zip(tile, pair_hsic(layers, tile, estimator), strict=True):  # type: ignore[arg-type]
            expected = hsic(PairMoments.of(layers[i], layers[j]), estimator)
            assert found == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_are_those_of_scikit_learn(metric):
    x, _ = related(400, 16, 2)
    queries = np.arange(0, 400, 7)
    found = nearest(x, queries, 5, metric=metric)
    _, expected = NearestNeighbors(n_neighbors=6, metric=metric).fit(x).kneighbors(x[queries])
    assert (expected[:, 0] == queries).all()
    assert np.array_equal(found, np.sort(expected[:, 1:], axis=1))


def test_neighbours_of_another_type_are_found_by_brute_force():
    x, _ = related(120, 5, 2)
    types = np.random.default_rng(0).integers(9, size=120)
    found = nearest(x, np.arange(120), 4, metric="euclidean", types=types)
    far = np.linalg.norm(x[:, None] - x, axis=2)
    far[types[:, None] == types] = np.inf
    assert np.array_equal(found, np.sort(np.argsort(far, axis=1)[:, :4], axis=1))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_of_identical_vectors_the_first_are_neighbours(metric):
    """As in the embedding layers of models without positions: every occurrence is the same."""
    kinds = np.random.default_rng(0).normal(size=(7, 96)).astype(np.float32)
    which = np.random.default_rng(1).integers(7, size=301)
    before, after = (nearest(s * kinds[which], np.arange(301), 10, metric=metric) for s in (1, 3))
    for word in (0, 150, 300):
        same = np.flatnonzero(which == which[word])
        assert before[word].tolist() == same[same != word][:10].tolist()
    assert np.array_equal(before, after)


def test_overlap_is_the_share_in_common_and_chance_is_k_of_the_rest():
    assert overlap(np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2, 3, 9], [1, 2, 3]])).tolist() == [
        pytest.approx(2 / 3), 0,
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 300, 8))
    queries = np.arange(300)
    share = overlap(nearest(x, queries, 30), nearest(y, queries, 30)).mean()
    assert share == pytest.approx(30 / candidates(300, queries)[0], abs=0.02)
    types = np.array([0, 0, 1, 2, 2, 2])
    assert candidates(6, np.arange(6), types).tolist() == [4, 4, 5, 3, 3, 3]


def test_more_neighbours_than_words_is_an_error():
    x, _ = related(10, 3, 3)
    with pytest.raises(InputError, match="only 9 others"):
        nearest(x, np.arange(10), 10)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=40)
    left_out = (values.sum() - values) / 39
    error = standard_error(values.mean(), left_out, np.ones(40, int))
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(40))
    low, high = interval(values.mean(), left_out, np.ones(40, int), bounds=(-1, 0.1))
    assert (low + 2.0227 * error, high) == (pytest.approx(values.mean(), abs=1e-4), 0.1)


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Sentences of unequal length whose words share a part; the truth is CKA of many words."""

    def draw(sentences: int, rng: np.random.Generator):
        lengths = rng.integers(3, 25, size=sentences)
        sentence = np.repeat(np.arange(sentences), lengths)
        x = rng.normal(size=(len(sentence), 6)) + rng.normal(size=(sentences, 6))[sentence]
        noise = rng.normal(size=(len(sentence), 5)) + rng.normal(size=(sentences, 5))[sentence]
        return x, x @ mixing + noise, sentence

    mixing = np.random.default_rng(99).normal(size=(6, 5)) / 2
    truth = ts.linear_cka(*draw(40_000, np.random.default_rng(100))[:2])
    rng = np.random.default_rng(0)
    covered, widths = [], []
    for _ in range(300):
        x, y, sentence = draw(200, rng)
        x, y = x - x.mean(axis=0), y - y.mean(axis=0)
        group = rng.permutation(200)[sentence] % 20
        sums = [
            [PairMoments.of(a[group == g], b[group == g]) for a, b in ((x, y), (x, x), (y, y))]
            for g in range(20)
        ]
        total = [sum(part[1:], part[0]) for part in zip(*sums, strict=True)]
        cka = cka_module.alignment(*map(hsic, total))
        left_out = [
            cka_module.alignment(*(hsic(t - p) for t, p in zip(total, part, strict=True)))
            for part in sums
        ]
        low, high = interval(cka, np.array(left_out), np.bincount(group))
        covered.append(low <= truth <= high)
        widths.append(high - low)
    assert 0.91 <= np.mean(covered) <= 0.985
    assert np.mean(widths) < 0.3
