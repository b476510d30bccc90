"""Rankings give the orders that can be worked out by hand, and NeuroX's own published cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError, MismatchError
from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings import RANKINGS
from tunescope.neurons.rankings.lca import (
    bottom_neurons,
    hard_threshold,
    lca_order,
    top_neurons,
)
from tunescope.neurons.rankings.moments import class_moments
from tunescope.neurons.rankings.probeless import pair_distances
from tunescope.neurons.words import UNSEEN, LabelledWords, Part

FOUR = [[-1, -1, 0], [-1, 0, 0], [1, 1, 0], [1, 0, 0]]
"""NeuroX's case of a perfect, a middling and a useless neuron, with labels 0 0 1 1."""


def part(x, targets) -> Part:
    x, targets = np.asarray(x, dtype=float), np.asarray(targets)
    n = len(targets)
    forms = np.array([f"w{i}" for i in range(n)], dtype=object)
    half = x.shape[1] // 2  # two layers, as in a store
    matrix = WordMatrix([x[:, :half], x[:, half:]], np.arange(n))
    return Part(matrix, targets, np.zeros((0, n), int), forms, np.arange(n))


def words(x, targets, n_classes: int | None = None, dev=None, model: str = "m") -> LabelledWords:
    d, n_classes = np.shape(x)[1], n_classes or int(np.max(targets)) + 1
    none = part(np.zeros((0, d)), np.zeros(0, int))
    names = tuple(f"T{k:04d}" for k in range(n_classes))
    test = part(np.full((1, d), np.nan), [0])  # a ranking that reads test words fails
    return LabelledWords("c", "l", model, names, part(x, targets), dev or none, test)


def rank(name: str, x=FOUR, targets=(0, 0, 1, 1), weights=None, **options) -> Ranking:
    labelled = words(x, targets)
    if weights is None:
        weights = np.full((labelled.n_classes, labelled.n_neurons), np.nan)
    return RANKINGS[name](**options)(Evidence(labelled, np.asarray(weights)))


def sample(n=300, d=14, k=5, seed=0):
    rng = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
    x = rng.normal(size=(n, d)) + rng.normal(size=(k, d))[targets] * rng.random(d) * 2
    return x.astype(np.float32), targets


# The exact cases of NeuroX.


def test_top_neurons_hold_their_mass():
    union, chosen = top_neurons(np.array([[5, 1, 1], [1, 10, 1]]), 0.5)
    assert [c.tolist() for c in chosen] == [[0], [1]]
    assert union.tolist() == [0, 1]
    union, chosen = top_neurons(np.array([[10, 9, 8], [10, 2, 1]]), 1.1)
    assert [c.tolist() for c in chosen] == [[0, 1, 2], [0, 1, 2]]
    assert union.tolist() == [0, 1, 2]


def test_bottom_neurons_hold_their_mass():
    union, chosen = bottom_neurons(np.array([[5, 4, 1], [10, 1, 1]]), 0.1)
    assert [sorted(c.tolist()) for c in chosen] == [[2], [1, 2]]
    assert union.tolist() == [1, 2]
    assert bottom_neurons(np.array([[8, 9, 10], [1, 2, 10]]), 1.1)[0].tolist() == [0, 1, 2]


def test_hard_threshold_is_a_share_of_the_largest_weight():
    union, chosen = hard_threshold(np.array([[5, 1, 2, 1], [1, 10, 1, 6]]), 2)
    assert [c.tolist() for c in chosen] == [[0], [1, 3]]
    assert union.tolist() == [0, 1, 3]
    signs = hard_threshold(np.array([[-5, 1, 2, 1], [1, 10, 1, -6]]), 2)
    assert [c.tolist() for c in signs[1]] == [[0], [1, 3]]


def test_global_order_of_the_published_case():
    weights = np.array([[4, 1, 5], [1, 1, 10]])
    assert lca_order(weights)[0].tolist() == [2, 0, 1]
    assert rank("lca", weights=weights).order.tolist() == [2, 0, 1]
    assert rank("linear", weights=weights).order.tolist() == [2, 0, 1]


@pytest.mark.parametrize("name", ["probeless", "average_precision", "mean_select", "gaussian"])
def test_order_of_the_published_four_words(name):
    ranking = rank(name)
    assert ranking.order.tolist() == [0, 1, 2]
    assert ranking.tag_orders[1].tolist() == [0, 1, 2]


def test_probeless_finds_each_labels_own_neuron():
    ranking = rank("probeless", 2 * np.eye(4) - 1, [0, 1, 2, 3])
    assert ranking.tag_orders[:, 0].tolist() == [0, 1, 2, 3]


# LCA.


def slow_lca(weights: np.ndarray, steps: int = 100) -> list[set[int]]:
    """The papers' procedure, word for word, in whole numbers: the sets that enter together."""
    seen: set[int] = set()
    entering = []
    for p in range(1, steps + 1):
        union: set[int] = set()
        for row in np.abs(weights):
            order, held = np.argsort(-row, kind="stable"), 0
            for neuron in order:
                if held * steps >= p * row.sum():
                    break
                union.add(int(neuron))
                held += row[neuron]
        entering.append(union - seen)
        seen |= union
    return entering


@pytest.mark.parametrize("seed", range(5))
def test_lca_is_the_papers_procedure(seed):
    rng = np.random.default_rng(seed)
    # Few small whole numbers: sums that hit a step exactly, equal weights, and zeros.
    weights = rng.integers(-3, 4, size=(4, 30))
    order, entered = lca_order(weights)
    for step, neurons in enumerate(slow_lca(weights), start=1):
        assert set(np.flatnonzero(entered == step)) == neurons
    assert (np.diff(entered[order]) >= 0).all()
    shares = np.abs(weights / np.abs(weights).sum(axis=1, keepdims=True)).max(axis=0)
    for step in np.unique(entered):
        together = order[entered[order] == step]
        assert (np.diff(shares[together]) <= 1e-12).all()


def test_lca_puts_neurons_without_weight_last_and_favours_no_layer_among_them():
    weights = np.zeros((3, 8))
    weights[0, 5], weights[1, [2, 7]] = 1e-30, [3, -1]  # and a label without any weight
    ranking = rank("lca", np.ones((3, 8)), [0, 1, 2], weights)
    assert ranking.order[:3].tolist() == [5, 2, 7]
    assert sorted(ranking.order[3:]) == [0, 1, 3, 4, 6]
    many = np.zeros((2, 1000))
    many[:, 0] = 1
    bottom = rank("lca", np.ones((3, 1000)), [0, 1, 1], many).bottom(300)
    assert 100 < (bottom < 500).sum() < 200, "bottom neurons are all of one half"
    assert (ranking.scores[[0, 1, 3, 4, 6]] == 0).all()
    assert (ranking.scores[[5, 2, 7]] > 0).all()
    assert (np.diff(ranking.scores[ranking.order]) <= 0).all()
    assert ranking.tag_orders[1][:2].tolist() == [2, 7]
    assert sorted(ranking.tag_orders[2]) == list(range(8))


def test_lca_of_many_labels_and_neurons():
    weights = np.random.default_rng(0).standard_normal((1300, 10_000), dtype=np.float32)
    weights[:, ::2] = 0
    order, entered = lca_order(weights)
    assert sorted(order) == list(range(10_000))
    assert (entered[::2] == 101).all()
    assert (np.sort(order[5000:]) == np.arange(0, 10_000, 2)).all()


def test_weights_that_are_no_weights_are_refused():
    with pytest.raises(InputError, match="finite"):
        lca_order(np.array([[1.0, np.nan]]))


# Rankings from means.


def test_moments_are_those_of_each_label():
    x, targets = sample()
    x += 1000 * np.arange(x.shape[1], dtype=np.float32)  # far from zero, as outlier neurons are
    moments = class_moments(words(x, targets).train.x, targets, 6)
    assert moments.counts.tolist() == [*np.bincount(targets), 0]
    for k in range(5):
        mine = x[targets == k].astype(np.float64)
        np.testing.assert_allclose(moments.means[k], mine.mean(0), rtol=1e-10)
        np.testing.assert_allclose(moments.variances[k], mine.var(0), rtol=1e-8)
        rest = x[targets != k].mean(0, dtype=np.float64)
        np.testing.assert_allclose(moments.rest[k], rest, rtol=1e-10)
    whole = x.astype(np.float64)
    np.testing.assert_allclose(moments.variance, whole.var(0), rtol=1e-8)
    np.testing.assert_array_equal(moments.low, x.min(0))
    np.testing.assert_array_equal(moments.high, x.max(0))


def test_words_with_unseen_labels_are_left_out():
    x, targets = sample()
    odd = np.where(np.arange(len(x)) % 7 == 0, UNSEEN, targets)
    for name in ("probeless", "mean_select", "iou", "average_precision"):
        all_words = RANKINGS[name]()(Evidence(words(x, odd), np.zeros((5, x.shape[1]))))
        seen = odd != UNSEEN
        fewer = RANKINGS[name]()(Evidence(words(x[seen], odd[seen]), np.zeros((5, x.shape[1]))))
        np.testing.assert_allclose(all_words.scores, fewer.scores)


def test_probeless_sums_over_all_pairs():
    x, targets = sample()
    means = np.stack([x[targets == k].mean(0, dtype=np.float64) for k in range(5)])
    pairs = sum(np.abs(a - b) for a, b in itertools.combinations(means, 2))
    np.testing.assert_allclose(pair_distances(means), pairs)
    ranking = rank("probeless", x, targets)
    np.testing.assert_allclose(ranking.scores, pairs, rtol=1e-6)
    rest = x[targets != 2].mean(0, dtype=np.float64)
    np.testing.assert_allclose(ranking.tag_scores[2], np.abs(means[2] - rest), rtol=1e-5)


def test_mean_select_is_in_units_of_the_range():
    x, targets = sample()
    x[:, 3] = 7.0
    scaled = rank("mean_select", x * np.linspace(1, 100, x.shape[1], dtype=np.float32), targets)
    ranking = rank("mean_select", x, targets)
    np.testing.assert_allclose(ranking.tag_scores, scaled.tag_scores, rtol=1e-4, atol=1e-7)
    mine = x[targets == 1].mean(0) - x[targets != 1].mean(0)
    span = np.where(np.ptp(x, axis=0) > 0, np.ptp(x, axis=0), 1)
    np.testing.assert_allclose(ranking.tag_scores[1], np.abs(mine) / span, atol=1e-6)
    np.testing.assert_allclose(ranking.scores, ranking.tag_scores.mean(0))
    assert ranking.order[-1] == 3


# Neurons as detectors.


@pytest.mark.parametrize("options", [{"threshold": 0.5}, {"quantile": 0.8}])
@pytest.mark.parametrize("overall", ["mean", "best"])
def test_iou_by_hand(options, overall):
    x, targets = sample()
    ranking = rank("iou", x, targets, overall=overall, **options)
    limits = options.get("threshold") or np.quantile(x, 0.8, axis=0).astype(np.float32)
    high = x > limits
    for k, tag in enumerate(ranking.tag_scores):
        mine = (targets == k)[:, None]
        np.testing.assert_allclose(tag, (high & mine).sum(0) / (high | mine).sum(0))
    np.testing.assert_allclose(ranking.scores, getattr(ranking.tag_scores,
                               {"mean": "mean", "best": "max"}[overall])(axis=0))  # fmt: skip


def test_iou_of_a_threshold_that_is_never_passed_is_zero():
    assert (rank("iou", threshold=9).scores == 0).all()
    with pytest.raises(InputError, match="quantile"):
        RANKINGS["iou"](quantile=1.5)


def test_average_precision_is_scikit_learns_for_every_label():
    x, targets = sample(n=400, d=7, k=6)
    x[:, 2] = np.round(x[:, 2])  # many equal activations, which are retrieved together
    x[:, 4] = 0
    ranking = rank("average_precision", x, targets)
    zeroed = np.where(np.abs(x) < 0.05, 0, x)
    for k, j in itertools.product(range(6), range(7)):
        expected = average_precision_score(targets == k, zeroed[:, j])
        assert ranking.tag_scores[k, j] == pytest.approx(expected, abs=1e-12)
    unzeroed = rank("average_precision", x, targets, zero_below=0.0)
    assert not np.allclose(unzeroed.tag_scores, ranking.tag_scores)


def test_average_precision_in_small_chunks_is_the_same(monkeypatch):
    from tunescope.neurons.rankings import average_precision, moments

    x, targets = sample()
    whole = rank("average_precision", x, targets).tag_scores
    monkeypatch.setattr(average_precision, "_SORT_VALUES", 700)
    monkeypatch.setattr(moments, "CHUNK_VALUES", 1600)
    np.testing.assert_array_equal(rank("average_precision", x, targets).tag_scores, whole)


# Across models.


def other_models():
    """A model, one that has its even neurons rotated among each other, and one with neuron 0."""
    rng = np.random.default_rng(3)
    x, targets = sample(n=500, d=8)
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    noise = rng.normal(size=(500, 4))
    even = np.hstack([x[:, ::2] @ rotation, noise])
    first = np.hstack([noise, -3 * x[:, :1] + 5, x[:, 3:4] + rng.normal(size=(500, 1))])
    named = [words(v, targets, model=f"m{i}") for i, v in enumerate((x, even, first))]
    return Evidence(named[0], np.zeros((5, 8)), others=tuple(named[1:])), (x, even, first)


def test_correlations_with_other_models():
    evidence, (x, *others) = other_models()
    best = np.stack([np.abs(np.corrcoef(x.T, o.T)[:8, 8:]).max(1) for o in others])
    for name, expected in (("max_corr", best.max(0)), ("min_corr", best.min(0))):
        ranking = RANKINGS[name]()(evidence)
        np.testing.assert_allclose(ranking.scores, expected, atol=1e-5)
        np.testing.assert_array_equal(ranking.tag_scores, np.tile(ranking.scores, (5, 1)))
        np.testing.assert_array_equal(ranking.tag_orders[4], ranking.order)
    assert RANKINGS["max_corr"]()(evidence).order[0] == 0


def test_regression_finds_what_no_single_neuron_has():
    evidence, (x, even, first) = other_models()
    scores = RANKINGS["lin_reg"](ridge=1e-3)(evidence).scores
    assert (scores[::2] > -0.01).all()
    expected = []
    for other in (even, first):
        z, target = ((v - v.mean(0)) / v.std(0) for v in (other.astype(float), x.astype(float)))
        predicted = Ridge(alpha=1e-3 * len(z), fit_intercept=False).fit(z, target).predict(z)
        expected.append(-np.square(target - predicted).mean(0))
    np.testing.assert_allclose(scores, np.max(expected, axis=0), atol=1e-5)


def test_constant_neurons_are_like_no_other(monkeypatch):
    from tunescope.neurons.rankings import cross_model

    monkeypatch.setattr(cross_model, "_COLUMNS", 3)
    evidence, (x, *_) = other_models()
    x = x.copy()
    x[:, 2] = 1.5
    targets = evidence.words.train.targets
    constant = Evidence(words(x, targets), np.zeros((5, 8)), others=evidence.others)
    for name in ("max_corr", "min_corr", "lin_reg"):
        ranking = RANKINGS[name]()(constant)
        assert ranking.order[-1] == 2
        keep = np.arange(8) != 2
        whole = RANKINGS[name]()(evidence).scores
        np.testing.assert_allclose(ranking.scores[keep], whole[keep], atol=1e-6)


def test_models_are_compared_on_the_same_words_only():
    evidence, (x, *_) = other_models()
    with pytest.raises(InputError, match="give at least one other model"):
        RANKINGS["max_corr"]()(Evidence(evidence.words, np.zeros((5, 8))))
    fewer = words(x[:400], evidence.words.train.targets[:400], model="short")
    with pytest.raises(MismatchError, match="short and m0 are not on the same words"):
        RANKINGS["min_corr"]()(Evidence(evidence.words, np.zeros((5, 8)), others=(fewer,)))


# All rankings.


@pytest.mark.parametrize("name", RANKINGS)
def test_every_ranking_keeps_its_word(name):
    evidence, _ = other_models()
    rng = np.random.default_rng(1)
    evidence = Evidence(evidence.words, rng.normal(size=(5, 8)), evidence.others, seed=7)
    method = RANKINGS[name]()
    assert method.name == name
    ranking, again = method(evidence), method(evidence)
    assert ranking.name == name
    assert sorted(ranking.order) == list(range(8))
    assert (np.diff(ranking.scores[ranking.order]) <= 0).all()
    assert ranking.tag_orders.shape == ranking.tag_scores.shape == (5, 8)
    assert (np.sort(ranking.tag_orders, axis=1) == np.arange(8)).all()
    for order, scores in zip(ranking.tag_orders, ranking.tag_scores, strict=True):
        assert (np.diff(scores[order]) <= 0).all()
    np.testing.assert_array_equal(ranking.order, again.order)
    np.testing.assert_array_equal(ranking.tag_scores, again.tag_scores)


def test_what_a_ranking_needs_is_what_it_says():
    assert {n for n, m in RANKINGS.items() if m.needs_probe} == {"lca", "linear"}
    assert {n for n, m in RANKINGS.items() if m.needs_others} == {"max_corr", "min_corr", "lin_reg"}


def test_random_orders_depend_on_the_seed_alone():
    x, targets = sample()
    one, same, two = (
        RANKINGS["random"]()(Evidence(words(x * f, targets), np.zeros((5, 14)), seed=s))
        for f, s in ((1, 0), (2, 0), (1, 1))
    )
    assert one.order.tolist() == same.order.tolist() != two.order.tolist()
    assert len({tuple(order) for order in one.tag_orders}) == 5


def test_options_are_checked():
    with pytest.raises(InputError, match="ranking 'lca': steps = 'many'"):
        RANKINGS["lca"](steps="many")
    with pytest.raises(InputError, match="ridge"):
        RANKINGS["lin_reg"](ridge=0)
    with pytest.raises(InputError, match="criterion.*mutual_information"):
        RANKINGS["gaussian"](criterion="mutual")


@pytest.mark.parametrize("name", [n for n, m in RANKINGS.items() if m.scale_free])
def test_scale_free_rankings_do_not_mind_scale(name):
    x, targets = sample()
    rng = np.random.default_rng(1)
    factor, shift = rng.uniform(0.1, 10, x.shape[1]), rng.normal(size=x.shape[1])
    moved = (x * factor + shift).astype(np.float32)
    other = words(x + rng.normal(size=x.shape).astype(np.float32), targets)
    one, two = (
        RANKINGS[name]()(Evidence(words(v, targets), np.ones((5, 14)), (other,)))
        for v in (x, moved)
    )
    assert one.order.tolist() == two.order.tolist()
    assert one.tag_orders.tolist() == two.tag_orders.tolist()
