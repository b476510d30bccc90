"""The upper part of a dendrogram: its cuts are those of the whole tree."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.concepts.cluster import cluster
from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.upper_tree import upper_tree
from tunescope.errors import InputError


def points(n: int = 300, duplicates: int = 60) -> np.ndarray:
    made = np.random.default_rng(0).normal(size=(n, 5))
    made[:duplicates] = made[duplicates : 2 * duplicates]
    return made


@pytest.mark.parametrize("n_leaves", [1, 2, 57, 300])
def test_every_cut_is_that_of_the_dendrogram(n_leaves: int) -> None:
    whole = cluster(points())
    tree = upper_tree(whole, n_leaves)
    for k in {1, min(2, n_leaves), n_leaves // 2 + 1, n_leaves}:
        nodes = tree.clusters(k)
        assert len(nodes) == k
        found = np.full(whole.n_points, -1)
        for number, node in enumerate(nodes):
            below = (tree.position >= tree.first[node]) & (tree.position < tree.last[node])
            assert below.sum() == tree.size[node]
            assert below[tree.point[node]]
            found[below] = number
        assert len(set(zip(found, whole.cut(k), strict=True))) == k, "one to one"


def test_heights_fall_from_the_root_and_children_divide_a_node() -> None:
    whole = cluster(points())
    tree = upper_tree(whole, 40)
    inner = np.flatnonzero(tree.children[:, 0] >= 0)
    assert (inner == np.arange(39)).all(), "inner nodes come first"
    assert tree.height[0] == whole.merges[-1, 2]
    for node in inner:
        larger, smaller = tree.children[node]
        assert tree.size[larger] >= tree.size[smaller]
        assert tree.size[node] == tree.size[larger] + tree.size[smaller]
        assert tree.height[node] >= max(tree.height[larger], tree.height[smaller])
        assert tree.parent[larger] == tree.parent[smaller] == node


def test_leaders_are_not_taken_apart() -> None:
    merges = cluster(points(20, 0)).merges
    whole = Dendrogram(merges, np.array([0, 0, 0] + list(range(1, 18))))
    assert upper_tree(whole, 18).n_leaves == 18
    with pytest.raises(InputError, match="leaders"):
        upper_tree(whole, 19)
