"""The sibling of a concept against a reading of the tree by SciPy, and by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.cluster import hierarchy

from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.siblings import sibling_frame, siblings
from tunescope.errors import InputError


def tree_of(points: np.ndarray) -> Dendrogram:
    return Dendrogram(hierarchy.linkage(points, "ward"))


@pytest.mark.parametrize("k", [2, 3, 7, 20, 40])
def test_a_sibling_is_what_the_next_merge_of_a_concept_joins(k):
    tree = tree_of(np.random.default_rng(k).normal(size=(40, 5)))
    labels, found = tree.cut(k), siblings(tree, k)
    nodes = {frozenset(node.pre_order()): node for node in _nodes(hierarchy.to_tree(tree.merges))}
    for concept in range(k):
        mine = frozenset(np.flatnonzero(labels == concept).tolist())
        above = min((words for words in nodes if words > mine), key=len)
        assert set(labels[list(above - mine)]) == set(found.members[concept])
        assert found.sibling[concept] == min(found.members[concept])
        assert found.n_siblings[concept] == len(found.members[concept])
        assert found.height[concept] == nodes[mine].dist
        assert found.merge_height[concept] == nodes[above].dist
    alone = found.n_siblings == 1
    assert (found.sibling[found.sibling[alone]] == np.flatnonzero(alone)).all()


def _nodes(node):
    return [] if node is None else [node, *_nodes(node.left), *_nodes(node.right)]


def test_one_concept_has_no_sibling_and_a_single_word_no_height():
    tree = tree_of(np.array([[0.0], [1.0], [5.0]]))
    whole = siblings(tree, 1)
    assert whole.sibling.tolist() == [-1]
    assert whole.n_siblings.tolist() == [0]
    assert np.isnan(whole.merge_height).all()
    words = siblings(tree, 3)
    assert words.sibling.tolist() == [1, 0, 0]
    assert np.isnan(words.ratio).all()
    with pytest.raises(InputError, match="n_clusters = 4"):
        siblings(tree, 4)


def test_equal_heights_have_siblings_too():
    tree = tree_of(np.zeros((6, 2)))
    for k in range(2, 7):
        found = siblings(tree, k)
        assert (found.n_siblings >= 1).all()
        assert (found.merge_height == 0).all()


def test_the_frame_says_whether_labels_are_the_same():
    tree = tree_of(np.array([[0.0], [0.2], [1.0], [1.1], [9.0], [9.5], [30.0]]))
    concepts = SimpleNamespace(dendrogram=lambda layer: tree, step=SimpleNamespace(n_clusters=4))
    described = pd.DataFrame(
        {
            "layer": [1] * 4 + [2] * 4,
            "concept": [*range(4)] * 2,
            "pos_label": ["N", "N", "N", None, "V", "V", "V", "V"],
            "class_label": ["up", "down", "up", "up", "x", "x", "x", "x"],
        }
    )
    frame = sibling_frame(concepts, 1, described).set_index("concept")  # type: ignore[arg-type]
    assert tree.cut(4).tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert frame["sibling"].tolist() == [1, 0, 0, 0]
    assert frame["n_siblings"].tolist() == [1, 1, 2, 3]
    assert frame["same_pos"].tolist() == [True, True, True, None]
    assert frame["same_class"].tolist() == [False, False, False, False]
