"""Clusterings are exact, dendrograms cut anywhere, and both are the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from tunescope.concepts import cluster as cluster_module
from tunescope.concepts.cluster import cluster
from tunescope.concepts.dendrogram import Dendrogram, number_by_size
from tunescope.concepts.distances import condensed_distances
from tunescope.errors import InputError


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 24)) * 3
    return (centres[rng.integers(0, 40, 700)] + rng.normal(size=(700, 24))).astype(np.float32)


def partition(labels):
    return {frozenset(np.flatnonzero(labels == label)) for label in np.unique(labels)}


def test_distances_equal_scipys(points):
    np.testing.assert_allclose(
        condensed_distances(points), pdist(points.astype(np.float64)), rtol=1e-12
    )


def test_distances_of_near_duplicates_do_not_cancel(points):
    far = points.astype(np.float64) + 1e3  # large norms: products alone lose all digits
    step = np.zeros(24)
    step[0] = 1e-5
    X = np.concatenate([far, far[:50] + step, far[:20]])
    found, exact = condensed_distances(X), pdist(X)
    np.testing.assert_allclose(found, exact, rtol=1e-8)
    assert (found == 0).sum() == 20


def test_all_points_equal_have_no_distance():
    assert not condensed_distances(np.full((600, 3), 0.1)).any()


@pytest.mark.parametrize("linkage", ["ward", "average", "complete"])
def test_partitions_equal_scipys_at_any_number_of_clusters(points, linkage):
    ours = cluster(points, linkage)
    theirs = hierarchy.linkage(points.astype(np.float64), linkage)
    for k in (2, 50, 200, 600):
        assert partition(ours.cut(k)) == partition(hierarchy.fcluster(theirs, k, "maxclust"))


def test_float16_is_computed_in_double_precision(points):
    half = points.astype(np.float16)
    np.testing.assert_array_equal(cluster(half).merges, cluster(half.astype(np.float64)).merges)


def test_the_same_input_gives_the_same_bytes(points):
    assert cluster(points).merges.tobytes() == cluster(points).merges.tobytes()


def test_a_cut_has_exactly_k_clusters_even_with_ties():
    dendrogram = cluster(np.repeat(np.arange(4.0)[:, None], 5, axis=0))  # all merges tie
    for k in range(1, 21):
        assert len(np.unique(dendrogram.cut(k))) == k
    assert partition(dendrogram.cut(4)) == {frozenset(range(i, i + 5)) for i in (0, 5, 10, 15)}


def test_cuts_are_nested(points):
    dendrogram = cluster(points)
    fine, coarse = dendrogram.cut(100), dendrogram.cut(30)
    assert all(len(np.unique(coarse[fine == label])) == 1 for label in range(100))


def test_clusters_are_numbered_by_size_then_by_first_point():
    assert number_by_size(np.array([7, 3, 3, 9, 7, 9, 9])).tolist() == [1, 2, 2, 0, 1, 0, 0]


def test_more_clusters_than_points_is_an_error(points):
    with pytest.raises(InputError, match="n_clusters = 701 .* 700 words"):
        cluster(points).cut(701)


def test_a_dendrogram_survives_the_disk(points, tmp_path):
    dendrogram = cluster(points)
    dendrogram.save(tmp_path / "linkage.npy")
    assert Dendrogram.load(tmp_path / "linkage.npy").merges.tobytes() == dendrogram.merges.tobytes()
    np.save(tmp_path / "other.npy", np.arange(3.0))
    with pytest.raises(InputError, match=r"shape \(n - 1, 4\)"):
        Dendrogram.load(tmp_path / "other.npy")
    with pytest.raises(InputError, match=r"absent.npy"):
        Dendrogram.load(tmp_path / "absent.npy")


def test_values_that_are_not_finite_are_named(points):
    broken = points.copy()
    broken[5, 1] = np.nan
    with pytest.raises(InputError, match="layer 3: 1 words .*first: row 5"):
        cluster(broken, where="layer 3")


def test_one_point_cannot_be_clustered():
    with pytest.raises(InputError, match="at least two words"):
        cluster(np.zeros((1, 3)))


def test_too_little_memory_is_said_before_it_is_used(points, monkeypatch):
    class Memory:
        available = 1_000_000

    monkeypatch.setattr(cluster_module.psutil, "virtual_memory", Memory)
    with pytest.raises(InputError, match=r"700 words needs .* GB of memory.*select about"):
        cluster(points)
