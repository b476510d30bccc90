"""Leaders are those of the definition, whatever the products round to; their tree holds all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster import hierarchy

import tunescope as ts
from tunescope.concepts import leaders as leaders_module
from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.leaders import Search, find_leaders
from tunescope.concepts.leaders_ward import leaders_ward
from tunescope.concepts.linkage.points import read_points
from tunescope.errors import InputError

RNG = np.random.default_rng(0)


def clustered(n: int, d: int) -> np.ndarray:
    centres = RNG.normal(size=(40, d)) * 3
    return centres[RNG.integers(0, 40, n)] + RNG.normal(size=(n, d))


INPUTS = {
    "clustered": clustered(900, 16),
    "float32": clustered(500, 8).astype(np.float32),
    "float16": clustered(400, 8).astype(np.float16),
    "lines": RNG.normal(size=(600, 1)),
    "far from the origin": clustered(500, 6) + 1e6,
    "near-duplicates": np.repeat(clustered(40, 5), 15, axis=0) + 1e-6 * RNG.normal(size=(600, 5)),
    "duplicated": clustered(200, 6)[RNG.integers(0, 200, 700)],
    "a grid": np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), -1).reshape(-1, 2),
}


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def leaders_by_definition(points: np.ndarray, tau: float) -> list[int]:
    found: list[int] = []
    for i, point in enumerate(points):
        if all(((points[j] - point) ** 2).sum() > tau * tau for j in found):
            found.append(i)
    return found


@pytest.mark.parametrize("rows", [1024, 64])
@pytest.mark.parametrize("name", INPUTS)
def test_leaders_are_those_of_the_definition(name, rows, monkeypatch):
    monkeypatch.setattr(leaders_module, "ROWS", rows)
    points, _ = read_points(INPUTS[name], name)
    found = find_leaders(points, 100)
    assert len(found.rows) <= 100
    assert found.rows.tolist() == leaders_by_definition(points, found.tau)
    distances = ((points[:, None] - points[found.rows][None]) ** 2).sum(axis=2)
    assert (found.followed == distances.argmin(axis=1)).all()
    assert (distances.min(axis=1) <= found.tau**2).all()


def test_the_search_comes_near_the_number_asked_for():
    points, _ = read_points(INPUTS["clustered"], "x")
    for asked in (20, 100, 400, 800):
        assert 0.95 * asked <= len(find_leaders(points, asked).rows) <= asked


def test_too_many_leaders_end_a_pass_early():
    points, _ = read_points(INPUTS["clustered"], "x")
    everyone = len(points)
    assert len(Search(points).leaders_at(0.0, everyone)) == everyone
    assert Search(points).leaders_at(0.0, everyone - 1) is None


def test_one_leader_is_enough_if_no_more_are_asked_for():
    points, _ = read_points(np.array([[0.0], [1e-9], [1e9], [-1e9]]), "x")
    assert len(find_leaders(points, 1).rows) == 1


@pytest.mark.parametrize("name", INPUTS)
def test_with_enough_leaders_the_tree_is_wards(name):
    X = INPUTS[name]
    tree, leaders = leaders_ward(X, len(X))
    assert leaders.tau == 0
    assert len(np.unique(tree.cut(len(X) - 1))) == len(X) - 1
    assert tree.merges.tobytes() == ts.ward(X, progress=False).tobytes()


@pytest.mark.parametrize("weigh", [True, False])
def test_the_tree_is_that_of_scipy_on_the_means_of_followers(weigh):
    X = INPUTS["clustered"]
    tree, leaders = leaders_ward(X, 120, weigh=weigh)
    assert hierarchy.is_valid_linkage(tree.merges)
    followed = leaders.followed
    assert (tree.leaders == followed).all()
    means = np.stack([X[followed == leader].mean(axis=0) for leader in range(followed.max() + 1)])
    repeated = means[followed] if weigh else means
    reference = hierarchy.linkage(repeated, "ward")
    for k in (2, 10, 50, 100):
        expected = hierarchy.fcluster(reference, k, "maxclust")
        expected = expected if weigh else expected[followed]
        assert partition(tree.cut(k)) == partition(expected)
    heights = tree.merges[-(len(means) - 1) :, 2]
    np.testing.assert_allclose(heights, reference[-(len(means) - 1) :, 2], rtol=1e-9)
    assert (tree.merges[: -(len(means) - 1), 2] == 0).all()
    assert np.linalg.norm(X - X[0], axis=1)[followed == followed[0]].max() <= 2 * leaders.tau


def test_weighted_leaders_come_closer_to_wards_sum_of_squares():
    X = INPUTS["clustered"]

    def spread(labels):
        return sum(((X[labels == k] - X[labels == k].mean(axis=0)) ** 2).sum() for k in range(40))

    best = spread(Dendrogram(ts.ward(X, progress=False)).cut(40))
    weighed, equal = (spread(leaders_ward(X, 200, weigh=w)[0].cut(40)) for w in (True, False))
    assert best <= weighed * 1.01
    assert weighed <= equal


def test_weights_are_repeated_rows():
    X, weights = INPUTS["clustered"][:150], RNG.integers(1, 6, 150)
    repeated = hierarchy.linkage(np.repeat(X, weights, axis=0), "ward")
    merges = ts.ward(X, weights=weights, progress=False)
    np.testing.assert_allclose(merges[:, 2], repeated[-149:, 2], rtol=1e-9)
    first = np.cumsum(weights) - weights
    for k in (2, 20, 100):
        ours = Dendrogram(merges).cut(k)
        assert partition(ours) == partition(hierarchy.fcluster(repeated, k, "maxclust")[first])
    assert (
        ts.ward(X, weights=np.ones(150, int), progress=False).tobytes()
        == ts.ward(X, progress=False).tobytes()
    )
    for wrong in (weights[1:], weights - 1, weights / 2):
        with pytest.raises(InputError, match="weights must be whole numbers from 1"):
            ts.ward(X, weights=wrong, progress=False)


def test_leaders_are_not_taken_apart():
    tree, _ = leaders_ward(INPUTS["clustered"], 50)
    n_leaders = tree.leaders.max() + 1
    assert len(np.unique(tree.cut(n_leaders))) == n_leaders
    with pytest.raises(InputError, match=f"not possible with {n_leaders} leaders: raise n_leaders"):
        tree.cut(n_leaders + 1)
    with pytest.raises(InputError, match="is not possible with .* leaders"):
        ts.cluster(INPUTS["clustered"], "leaders", 51, n_leaders=50)


def test_the_same_input_gives_the_same_bytes_at_any_number_of_threads():
    from threadpoolctl import threadpool_limits

    X = INPUTS["near-duplicates"]
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(leaders_ward(X, 60)[0].merges.tobytes())
    assert found[0] == found[1]


def test_the_estimator_is_scikit_learns():
    from sklearn.utils.estimator_checks import check_estimator

    check_estimator(ts.LeadersWard())


def test_the_estimator_cuts_the_tree():
    X = INPUTS["clustered"]
    found = ts.LeadersWard(30, n_leaders=100).fit(X)
    tree, leaders = leaders_ward(X, 100)
    assert (found.labels_ == tree.cut(30)).all()
    assert found.tau_ == leaders.tau
    assert (found.leaders_ == leaders.followed).all()
