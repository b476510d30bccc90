"""Every method clusters through one interface; what a method cannot do, or ignores, is an error."""

from __future__ import annotations

import numpy as np
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.concepts import discover as discover_module
from tunescope.concepts.cluster import memory_needed
from tunescope.concepts.partition import Partition
from tunescope.errors import InputError
from tunescope.steps import Concepts
from tunescope.steps.concepts import FLAT, METHODS

K = 8


def discover(store, out, **options):
    return ts.discover_concepts(store, out, n_jobs=1, **RULE, **options)


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(0).integers(0, K, 640)


@pytest.fixture(scope="module")
def points(groups):
    rng = np.random.default_rng(1)
    return (rng.normal(size=(K, 12))[groups] * 9 + rng.normal(size=(640, 12))).astype(np.float32)


@pytest.fixture(scope="module")
def store(points, groups, tmp_path_factory):
    sentences = np.array([f"w{group}" for group in groups]).reshape(80, 8).tolist()
    corpus = ts.Corpus.from_sentences(sentences)
    return store_from_arrays(tmp_path_factory.mktemp("s") / "s", corpus, [points, points * 2])


RULE = {"n_clusters": K, "min_count": 1, "max_occurrences": 1000, "min_types": 1}


def partition(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_what_is_there(points, groups, method):
    labels = ts.cluster(points, method, K, n_leaders=100).cut(K)
    assert partition(labels) == partition(groups)
    sizes = np.bincount(labels)
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_clusters(points, method):
    one, two = (ts.cluster(points, method, 50, n_leaders=100, seed=3).cut(50) for _ in range(2))
    assert one.tobytes() == two.tobytes()


def test_kmeans_is_no_worse_with_more_restarts(points):
    def spread(restarts):
        labels = ts.cluster(points, "kmeans", 20, restarts=restarts).cut(20)
        parts = [points[labels == k].astype(float) for k in range(20)]
        return sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts)

    assert spread(8) <= spread(1)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_through_the_step(store, groups, method, tmp_path):
    options = {"n_leaders": 100} if method == "leaders" else {}
    found = discover(store, tmp_path / "c", method=method, **options)
    assert partition(found.labels(1)) == partition(groups)
    assert len(found.table()) == 2 * K
    assert method in found.headline()
    again = ts.LayerConcepts.load(found.path)
    assert (again.labels(0) == found.labels(0)).all()
    assert again.manifest.parameters["method"] == method


@pytest.mark.parametrize("method", ["ward", "average", "leaders"])
def test_trees_give_any_number_without_clustering_again(store, method, tmp_path, monkeypatch):
    """A bug of the published code: every K was a clustering of its own."""
    options = {"n_leaders": 100} if method == "leaders" else {}
    found = discover(store, tmp_path / "c", method=method, **options)
    monkeypatch.setattr(discover_module, "cluster", None)
    assert [len(np.unique(found.labels(0, k))) for k in (2, 9, 60)] == [2, 9, 60]
    assert found.dendrogram(0).n_points == 640


def test_leaders_give_as_many_concepts_as_there_are_leaders(store, tmp_path):
    found = discover(store, tmp_path / "c", method="leaders", n_leaders=50)
    with pytest.raises(InputError, match="n_clusters = 60 is not possible with .* leaders"):
        found.labels(0, 60)


@pytest.mark.parametrize("method", FLAT)
def test_without_a_tree_there_is_one_number(store, method, tmp_path):
    found = discover(store, tmp_path / "c", method=method)
    assert (found.labels(0, K) == found.labels(0)).all()
    with pytest.raises(InputError, match="n_clusters = 8 and no tree, so it has no 9 clusters"):
        found.labels(0, 9)
    with pytest.raises(InputError, match=f"'{method}', which leaves no dendrogram"):
        found.dendrogram(0)
    with pytest.raises(InputError, match="layers 0 to 1, not 7"):
        found.labels(7)


@pytest.mark.parametrize("method", FLAT)
def test_fewer_different_points_than_clusters_leave_fewer_clusters(method):
    X = np.repeat(np.random.default_rng(0).normal(size=(5, 3)), 20, axis=0)
    labels = ts.cluster(X, method, 9).cut(9)
    assert labels.max() + 1 <= 5 or method == "minibatch_kmeans"
    assert sorted(np.unique(labels)) == list(range(labels.max() + 1))


def test_a_partition_survives_the_disk(tmp_path):
    Partition(np.array([0, 0, 1]), 2).save(tmp_path / "labels.npy")
    assert Partition.load(tmp_path / "labels.npy", 2).labels.tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="no labels of 1 clusters"):
        Partition.load(tmp_path / "labels.npy", 1)
    with pytest.raises(InputError, match="absent.npy holds no clusters"):
        Partition.load(tmp_path / "absent.npy", 2)


def test_what_cannot_be_is_an_error(points):
    with pytest.raises(InputError, match="unknown method 'wart'; did you mean 'ward'"):
        ts.cluster(points, "wart")
    with pytest.raises(InputError, match="unknown leader_weights.*'equal'"):
        ts.cluster(points, "leaders", leader_weights="equals")
    for k in (None, 0, 641):
        with pytest.raises(InputError, match="'kmeans' needs k, from 1 to 640"):
            ts.cluster(points, "kmeans", k)


def test_no_argument_is_ignored_silently(points):
    """A bug of the published code: a range of points could be given and was not used."""
    with pytest.raises(TypeError):
        ts.cluster(points, range=(0, 10))  # type: ignore[call-arg]
    for name, value in (("restarts", 5), ("n_leaders", 700), ("leader_weights", "equal")):
        with pytest.raises(InputError, match=f"{name} is not used by method = 'ward'"):
            Concepts(**{name: value})
    with pytest.raises(InputError, match="n_leaders is not used by .*'kmeans'.* take 'leaders'"):
        Concepts(method="kmeans", n_leaders=700)
    with pytest.raises(InputError, match="n_leaders = 500 is less than n_clusters = 600"):
        Concepts(method="leaders", n_leaders=500)


def test_the_manifest_says_what_a_method_took_by_default():
    assert Concepts(method="leaders").parameters()["n_leaders"] == 20_000
    assert Concepts(method="leaders").parameters()["leader_weights"] == "followers"
    assert Concepts(method="kmeans").parameters()["restarts"] == 3
    assert Concepts().parameters()["restarts"] is None
    for method in METHODS:
        step = Concepts(method=method)
        assert Concepts(**step.parameters()) == step


def test_only_two_methods_hold_all_distances():
    for method in METHODS:
        growth = memory_needed(2_000_000, 768, method) / memory_needed(1_000_000, 768, method)
        assert (growth > 3) == (method in ("average", "complete"))


def test_concepts_of_an_earlier_version_are_to_be_clustered_again(store, tmp_path):
    found = discover(store, tmp_path / "c")
    path = found.path / "manifest.json"
    path.write_text(path.read_text().replace('"method": "ward"', '"linkage": "ward"'))
    with pytest.raises(InputError, match="written by an earlier version: cluster again"):
        ts.LayerConcepts.load(found.path)
