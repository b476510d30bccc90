"""The incremental Gaussians are the direct ones, and the greedy selection is the plain one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from test_neurons_rankings import part, sample, words
from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons.ranking import Evidence
from tunescope.neurons.rankings import RANKINGS, gaussian, gaussian_densities
from tunescope.neurons.rankings.gaussian import gains, tag_gains
from tunescope.neurons.rankings.gaussian_model import GaussianClassifier
from tunescope.neurons.rankings.gaussian_selection import select
from tunescope.neurons.rankings.moments import class_moments
from tunescope.neurons.words import UNSEEN


def direct(x, targets, held_out, columns, dimensions=None):
    """Return log p(label | columns) of held-out words from SciPy's densities; the formulas."""
    x, held_out = x[:, columns].astype(float), held_out[:, columns].astype(float)
    joint = []
    for label in range(targets.max() + 1):
        mine = x[targets == label]
        n, d = len(mine), len(columns) if dimensions is None else dimensions
        mean = mine.mean(axis=0)
        scatter = (mine - mean).T @ (mine - mean)
        prior = np.diag(np.diag(scatter) / n)  # of the empirical covariance
        k0, v0 = 0.01, d + 2
        posterior_mean = (k0 * mean + n * mean) / (k0 + n)
        covariance = (prior + scatter) / (v0 + n + d + 2)
        density = multivariate_normal(posterior_mean, covariance).logpdf(held_out)
        joint.append(np.log(n / len(x)) + density.reshape(len(held_out)))
    joint = np.stack(joint, axis=1)
    return joint - logsumexp(joint, axis=1, keepdims=True)


def plain_selection(x, targets, held_out, labels, n, value, dimensions=None):
    """Try every candidate with every one of the chosen, at every step."""
    chosen, values = [], []
    for _ in range(n):
        found = {
            j: value(direct(x, targets, held_out, [*chosen, j], dimensions), labels)
            for j in range(x.shape[1])
            if j not in chosen
        }
        chosen.append(max(found, key=found.__getitem__))
        values.append(found[chosen[-1]])
    return chosen, values


def mean_log(posteriors, labels):
    return posteriors[np.arange(len(labels)), labels].mean()


def information(shares):
    """Return the bound H(label) - H(label | neurons) in bits, with these shares of the labels."""

    def value(posteriors, labels):
        own = posteriors[np.arange(len(labels)), labels]
        conditional = -sum(p * own[labels == k].mean() for k, p in enumerate(shares))
        return (-(shares * np.log(shares)).sum() - conditional) / np.log(2)

    return value


def data(seed=0, d=9):
    """Train and held-out words, whose neurons 0 and 1 tell all only together."""
    x, targets = sample(n=500, d=d, k=4, seed=seed)
    rng = np.random.default_rng(seed)
    x[:, 1] = x[:, 0] + 0.3 * x[:, 1] + 0.5 * targets
    x *= rng.choice([0.01, 1, 30], size=d)
    x += rng.normal(size=d) * 10
    return x[:350].astype(np.float32), targets[:350], x[350:].astype(np.float32), targets[350:]


def run(x, targets, held_out, labels, n, dtype=torch.float64, **options):
    both = [(WordMatrix([v], np.arange(len(v))), y) for v, y in ((x, targets), (held_out, labels))]
    moments = class_moments(*both[0], int(targets.max()) + 1)
    return select(*both, moments, n, dtype=dtype, **options)


@pytest.mark.parametrize("dimensions", [None, 40])
@pytest.mark.parametrize("seed", range(3))
def test_selection_by_likelihood_is_the_plain_one(seed, dimensions):
    x, targets, held_out, labels = data(seed)
    chosen, values = plain_selection(x, targets, held_out, labels, 6, mean_log, dimensions)
    found = run(x, targets, held_out, labels, 6, dimensions=dimensions)
    assert found.chosen.tolist() == chosen
    np.testing.assert_allclose(found.values, values, rtol=1e-5)
    alone = [mean_log(direct(x, targets, held_out, [j], dimensions), labels) for j in range(9)]
    np.testing.assert_allclose(found.alone, alone, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_selection_by_mutual_information_is_the_plain_one(seed):
    x, targets, held_out, labels = data(seed)
    value = information(np.bincount(targets) / len(targets))
    chosen, values = plain_selection(x, targets, held_out, labels, 5, value)
    found = run(x, targets, held_out, labels, 5, criterion="mutual_information")
    assert found.chosen.tolist() == chosen
    np.testing.assert_allclose(found.values, values, rtol=1e-5)
    assert 0 < found.values[-1] < 2


def test_criteria_agree_where_labels_are_equally_frequent_in_both_parts():
    x, targets, _, _ = data()
    by_likelihood = run(x, targets, x, targets, 6)
    by_information = run(x, targets, x, targets, 6, criterion="mutual_information")
    assert by_likelihood.chosen.tolist() == by_information.chosen.tolist()
    shares = np.bincount(targets) / len(targets)
    entropy = -(shares * np.log2(shares)).sum()
    np.testing.assert_allclose(
        by_information.values, entropy + by_likelihood.values / np.log(2), rtol=1e-9
    )


def test_single_precision_small_blocks_and_words_read_again_choose_the_same(monkeypatch):
    x, targets, held_out, labels = data(d=20)
    exact = run(x, targets, held_out, labels, 12)
    quick = run(x, targets, held_out, labels, 12, dtype=torch.float32)
    assert quick.chosen.tolist() == exact.chosen.tolist()
    np.testing.assert_allclose(quick.values, exact.values, atol=1e-4)
    monkeypatch.setattr(gaussian_densities, "_BLOCK", 700)
    monkeypatch.setattr(gaussian_densities, "_HELD", 0)
    monkeypatch.setattr("tunescope.activations.matrix.BLOCK_VALUES", 1000)
    blocked = run(x, targets, held_out, labels, 12)
    assert blocked.chosen.tolist() == exact.chosen.tolist()
    np.testing.assert_allclose(blocked.values, exact.values, rtol=1e-6)


def test_a_copy_of_a_chosen_neuron_adds_nothing():
    x, targets, held_out, labels = data()
    x, held_out = (np.hstack([v, v[:, :1] * 2 - 1]) for v in (x, held_out))
    for dtype in (torch.float64, torch.float32):
        found = run(x, targets, held_out, labels, 10, dtype=dtype)
        assert np.isfinite(found.values).all()
        second = max(found.chosen.tolist().index(0), found.chosen.tolist().index(9))
        assert abs(found.values[second] - found.values[second - 1]) < 0.01
        assert 9 not in found.chosen[:3] or 0 not in found.chosen[:3]


def test_labels_without_words_are_no_labels():
    x, targets, held_out, labels = data()
    plain = run(x, targets, held_out, labels, 4)
    both = [(WordMatrix([v], np.arange(len(v))), y) for v, y in ((x, targets), (held_out, labels))]
    shifted = [(v, np.where(y >= 2, y + 1, y)) for v, y in both]  # none has label 2
    odd = np.append(shifted[1][1], [UNSEEN, 2])
    more = np.vstack([held_out, np.full((2, 9), 1e6, np.float32)])
    held = WordMatrix([more], np.arange(len(more))), odd
    found = select(shifted[0], held, class_moments(*shifted[0], 5), 4, dtype=torch.float64)
    assert found.chosen.tolist() == plain.chosen.tolist()
    np.testing.assert_allclose(found.values, plain.values)


# The classifier.


@pytest.mark.parametrize("dimensions", [None, 50])
def test_classifier_is_the_direct_one_for_every_prefix(dimensions):
    x, targets, held_out, _ = data()
    order = [3, 0, 7, 1, 8]
    classifier = GaussianClassifier(dimensions).fit(x[:, order], targets, 4)
    found = classifier.log_posteriors(held_out[:, order], [0, 1, 2, 5])
    shares = np.bincount(targets) / len(targets)
    np.testing.assert_allclose(found[0], np.tile(np.log(shares), (len(held_out), 1)))
    for place, size in enumerate((1, 2, 5), start=1):
        expected = direct(x, targets, held_out, order[:size], dimensions)
        np.testing.assert_allclose(found[place], expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(classifier.predict(held_out[:, order]), found[-1].argmax(1))
    np.testing.assert_allclose(classifier.log_posterior(held_out[:, order]), found[-1])
    prefixes = classifier.predict_prefixes(held_out[:, order], [1, 5])
    np.testing.assert_array_equal(prefixes, found[[1, 3]].argmax(axis=2))


def test_classifier_reads_blocks_of_a_store(monkeypatch):
    x, targets, held_out, _ = data()
    whole = GaussianClassifier().fit(x, targets, 4)
    monkeypatch.setattr("tunescope.neurons.rankings.gaussian_model._BLOCK_VALUES", 100)
    matrix = words(x, targets).train.x
    blocked = GaussianClassifier().fit(matrix, targets, 4)
    np.testing.assert_allclose(blocked.factors, whole.factors)
    there = words(held_out, np.zeros(len(held_out), int)).train.x
    np.testing.assert_allclose(blocked.log_posterior(there), whole.log_posterior(held_out))


def test_rare_and_constant_labels_do_not_break_the_classifier():
    x, targets, held_out, labels = data()
    x[targets == 3] = x[targets == 3][0]  # always the same word
    rare = np.concatenate([targets, [4]])  # one word, and none of the last label
    classifier = GaussianClassifier().fit(np.vstack([x, x[:1] + 5]), rare, 6)
    posterior = classifier.log_posterior(held_out)
    assert np.isneginf(posterior[:, 5]).all()
    assert np.isfinite(posterior[:, :5]).all()
    np.testing.assert_allclose(np.exp(posterior).sum(axis=1), 1)
    constant = np.hstack([x, np.full((len(x), 1), 3.0)])
    there = np.hstack([held_out, np.full((len(held_out), 1), 3.0)])
    predicted = GaussianClassifier().fit(constant, targets, 4).predict(there)
    same = GaussianClassifier().fit(x, targets, 4).predict(held_out)
    assert np.mean(predicted == same) > 0.95
    assert np.mean(same == labels) > 0.6


def test_what_the_classifier_cannot_do_is_said():
    x, targets, _, _ = data()
    classifier = GaussianClassifier().fit(x, targets, 4)
    with pytest.raises(InputError, match="fitted to 9 neurons"):
        classifier.log_posteriors(x[:, :3], [3])
    with pytest.raises(InputError, match="the first \\[10\\]"):
        classifier.predict_prefixes(x, [10])
    with pytest.raises(InputError, match="no word"):
        GaussianClassifier().fit(x, np.full(len(x), UNSEEN), 4)


# The ranking.

FIXTURES = [
    ([[-1.05, -1.1, 0.01], [0, -1.05, 0.005], [1.05, 1.1, 0.003], [0, 1.03, 0.1]], [1, 0, 2]),
    ([[-1.1, -1.05, 0.01], [-1.05, 0, 0.005], [1.1, 1.05, 0.003], [1.03, 0, 0.1]], [0, 1, 2]),
]


@pytest.mark.parametrize("all_dimensions", [False, True])
@pytest.mark.parametrize("criterion", ["likelihood", "mutual_information"])
@pytest.mark.parametrize(("x", "order"), FIXTURES)
def test_neurox_published_orders(x, order, criterion, all_dimensions):
    method = RANKINGS["gaussian"](criterion=criterion, all_dimensions=all_dimensions)
    ranking = method(Evidence(words(x, [0, 0, 1, 1]), np.zeros((2, 3))))
    assert ranking.order.tolist() == order


def test_ranking_selects_on_dev_words_then_goes_by_each_neuron_alone(monkeypatch):
    x, targets, held_out, labels = data(d=12)
    labelled = words(x, targets, dev=part(held_out, labels))
    ranking = RANKINGS["gaussian"](n_neurons=4)(Evidence(labelled, np.zeros((4, 12))))
    found = run(x, targets, held_out, labels, 4)
    rest = [j for j in np.argsort(-found.alone) if j not in found.chosen]
    assert ranking.order.tolist() == [*found.chosen.tolist(), *rest]
    assert (ranking.scores[ranking.order] == np.arange(12, 0, -1)).all()

    few = RANKINGS["gaussian"](n_neurons=2, candidates=5)(Evidence(labelled, np.zeros((4, 12))))
    gain = gains(class_moments(labelled.train.x, targets, 4))
    by_gain = np.argsort(-gain)
    assert set(few.order[:5]) == set(by_gain[:5])
    assert few.order[5:].tolist() == by_gain[5:].tolist()
    monkeypatch.setattr(gaussian, "_WORK", len(labels) * 4 * 5)
    limited = RANKINGS["gaussian"](n_neurons=2)(Evidence(labelled, np.zeros((4, 12))))
    assert limited.order.tolist() == few.order.tolist()


def test_ranking_does_not_depend_on_scale():
    x, targets, held_out, labels = data(d=12)
    labelled = words(x, targets, dev=part(held_out, labels))
    orders = [RANKINGS["gaussian"](n_neurons=5)(Evidence(w, np.zeros((4, 12))))
              for w in (labelled, labelled.zscored())]  # fmt: skip
    assert orders[0].order[:5].tolist() == orders[1].order[:5].tolist()
    np.testing.assert_allclose(orders[0].tag_scores, orders[1].tag_scores, atol=1e-3)


def test_gain_of_a_label_is_the_likelihood_of_two_gaussians_over_one():
    x, targets, _, _ = data()
    moments = class_moments(words(x, targets).train.x, targets, 4)

    def log_likelihood(values):
        values = values.astype(float)
        return -len(values) / 2 * np.log(values.var(axis=0))

    n = len(x)
    whole = log_likelihood(x)
    for label, tag in enumerate(tag_gains(moments)):
        mine = targets == label
        both = log_likelihood(x[mine]) + log_likelihood(x[~mine])
        np.testing.assert_allclose(tag, (both - whole) / n, rtol=1e-4, atol=1e-6)
    parts = sum(log_likelihood(x[targets == label]) for label in range(4))
    np.testing.assert_allclose(gains(moments), (parts - whole) / n, rtol=1e-4, atol=1e-6)


def test_options_out_of_range_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        RANKINGS["gaussian"](n_neurons=0)
