"""Correlation clusters are those of a naive computation, in less memory and for any scale."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons import distances
from tunescope.neurons.clusters import correlation_clusters
from tunescope.neurons.distances import correlation_distances


def related(n: int = 400, groups: int = 12, copies: int = 5, seed: int = 0) -> np.ndarray:
    """Neurons that share a source with their group, more or less, with either sign."""
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(n, groups)).repeat(copies, axis=1)
    x = source + rng.uniform(0.1, 1.5, groups * copies) * rng.normal(size=source.shape)
    return (x * rng.choice([-1, 1], x.shape[1]))[:, rng.permutation(x.shape[1])]


def naive(x: np.ndarray) -> np.ndarray:
    r = np.atleast_2d(np.corrcoef(x.T.astype(np.float64)))
    return 1 - np.abs(r[np.triu_indices(len(r), 1)])


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = len({*zip(a.tolist(), b.tolist(), strict=True)})
    return pairs == len(set(a.tolist())) == len(set(b.tolist()))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_clusters_are_those_of_scipy_on_the_whole_matrix(kind):
    x = related().astype(kind)
    found = correlation_clusters(x)
    tree = hierarchy.linkage(naive(x), "average")
    np.testing.assert_allclose(found.linkage[:, 2], tree[:, 2], atol=1e-6)
    sizes = []
    for distance in (0.1, 0.3, 0.5, 0.7):
        cut = found.cut(distance)
        assert same_partition(cut.labels, hierarchy.fcluster(tree, distance, "distance"))
        assert cut.labels[cut.representatives].tolist() == list(range(cut.n_clusters))
        sizes.append(cut.n_clusters)
    assert sizes == sorted(sizes, reverse=True)
    assert 12 <= sizes[-1] < sizes[0] < 60
    assert found.n_clusters == sizes[1]


def test_other_linkages_and_signed_distances():
    x = related()
    signed = 1 - (1 - pdist(x.T, "correlation"))
    for method in ("complete", "single", "weighted"):
        found = correlation_clusters(x, distance=0.5, method=method, absolute=False)
        tree = hierarchy.linkage(signed, method)
        assert same_partition(found.labels, hierarchy.fcluster(tree, 0.5, "distance"))


def test_opposite_neurons_are_one_cluster_unless_signs_count():
    x = np.random.default_rng(0).normal(size=(50, 3))
    x = np.column_stack([x, -x[:, 1], 7 - 1e-3 * x[:, 0]])
    assert correlation_clusters(x, distance=1e-6).labels.tolist() == [0, 1, 2, 1, 0]
    found = correlation_clusters(x, distance=1e-6, absolute=False)
    assert found.labels.tolist() == [0, 1, 2, 3, 4]
    assert correlation_distances(x, absolute=False)[0].max() == pytest.approx(2)


def test_blocks_and_strips_do_not_matter(monkeypatch):
    x = related(1000).astype(np.float32)
    x[:500] += 3  # block means differ
    matrix = WordMatrix([x[:, :25], x[:, 25:]], np.arange(1000))
    whole, _ = correlation_distances(x)
    np.testing.assert_allclose(whole, naive(x), atol=1e-6)
    labels = correlation_clusters(x).labels
    monkeypatch.setattr(distances, "BLOCK_ROWS", (33, 33))
    monkeypatch.setattr(distances, "STRIP", 7)
    monkeypatch.setattr(distances, "SAMPLE", 2)
    np.testing.assert_allclose(correlation_distances(matrix)[0], whole, atol=1e-6)
    assert correlation_clusters(matrix).labels.tolist() == labels.tolist()
    exact, _ = correlation_distances(x.astype(np.float64))
    np.testing.assert_allclose(exact, naive(x), atol=1e-12)


def test_correlation_has_no_scale_and_no_origin():
    x = related(n=3000)
    rng = np.random.default_rng(1)
    scale = 10.0 ** rng.integers(-30, 25, x.shape[1])
    odd = (x + rng.normal(size=x.shape[1]) * 100) * scale
    found, constant = correlation_distances(odd.astype(np.float32))
    np.testing.assert_allclose(found, naive(x), atol=1e-5)
    assert not constant.any()


def test_a_neuron_that_fires_for_three_words_only_is_measured():
    x = np.random.default_rng(0).normal(size=(5000, 3)).astype(np.float32)
    x[:, :2] = 0
    x[[1, 7, 4001], 0] = 1e-8, 2e-8, 3e-8
    x[[1, 7, 4001], 1] = -2, -4, -6
    found, constant = correlation_distances(x)
    assert not constant.any()
    assert found[0] == pytest.approx(0, abs=1e-6)


def test_a_constant_neuron_is_a_cluster_of_its_own():
    x = related(groups=3, copies=2)
    x = np.column_stack([np.full(len(x), 0.1), x, np.zeros(len(x)), np.full(len(x), 1e6)])
    for kind in (np.float32, np.float64):
        found = correlation_clusters(x.astype(kind), distance=0.9)
        assert found.constant.tolist() == [True, *[False] * 6, True, True]
        assert np.isfinite(found.distances).all()
        sizes = np.bincount(found.labels)[found.labels]
        assert (sizes[found.constant] == 1).all()
        rest = correlation_clusters(x[:, 1:-2].astype(kind), distance=0.9)
        assert same_partition(found.labels[~found.constant], rest.labels)


def test_the_neuron_that_stands_for_a_cluster():
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(2000, 1))
    x = np.column_stack([centre + 0.4 * rng.normal(size=(2000, 6)), centre, rng.normal(size=2000)])
    found = correlation_clusters(x)
    assert found.labels.tolist() == [0] * 7 + [1]
    assert found.representatives.tolist() == [6, 7]
    assert found.cut(0.3, choose="first").representatives.tolist() == [0, 7]
    drawn = {found.cut(0.3, choose="random", seed=s).representatives[0] for s in range(40)}
    assert len(drawn) > 4
    again = correlation_clusters(x, choose="random", seed=3)
    assert (
        again.representatives.tolist()
        == found.cut(0.3, choose="random", seed=3).representatives.tolist()
    )
    # Two equal neurons: the first, however rounding falls.
    pair = np.column_stack([x[:, :1] * 3, x[:, :1]]).astype(np.float32)
    assert correlation_clusters(pair).representatives.tolist() == [0]


def test_a_neuron_keeps_its_address():
    x = related()
    matrix = WordMatrix([x[:, :20], x[:, 20:]], np.arange(len(x)), numbers=[0, 4])
    found = correlation_clusters(matrix.columns(np.arange(15, 40)))
    table = found.table()
    assert table["layer"].tolist() == [0] * 5 + [4] * 20
    assert table["index"].tolist() == [*range(15, 20), *range(20)]
    assert table.loc[table["kept"], "cluster"].tolist() == list(range(found.n_clusters))
    assert "of 25 neurons at 0.3" in found.headline()
    one = correlation_clusters(x[:, :1])
    assert one.labels.tolist() == one.representatives.tolist() == [0]
    assert one.cut(0.5).n_clusters == 1


def test_the_square_matrix_is_never_whole():
    x = np.random.default_rng(0).normal(size=(64, 2000)).astype(np.float32)
    correlation_clusters(x[:, :50])  # imports what it needs
    condensed = 8 * 2000 * 1999 // 2
    tracemalloc.start()
    correlation_clusters(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.6 * condensed


def test_what_cannot_be_clustered_is_said():
    x = related()
    with pytest.raises(InputError, match="distance = -0.1"):
        correlation_clusters(x, distance=-0.1)
    with pytest.raises(InputError, match="did you mean 'medoid'"):
        correlation_clusters(x, choose="mediod")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="method = 'ward'"):
        correlation_clusters(x, method="ward")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="over 0 words"):
        correlation_clusters(x[:0])
    for value in (np.nan, np.inf):
        x[3, 4] = value
        with pytest.raises(InputError, match="not finite"):
            correlation_clusters(x)
