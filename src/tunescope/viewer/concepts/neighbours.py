"""The concepts nearest to one in the dendrogram: its siblings, then what these are merged with.

With Ward linkage two clusters are merged when their centroids lie close together, large clusters
later than small ones; so the order of the merges above a concept is an order of nearness.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tunescope.concepts.upper_tree import UpperTree

MOST_NEIGHBOURS = 6


class Merge(NamedTuple):
    """A merge above a concept.

    Parameters
    ----------
    concepts : list of int
        What is merged with the concept and its earlier neighbours, the largest first; of many, the
        largest.
    n : int
        How many these are.
    height : float
        Of the merge.
    """

    concepts: list[int]
    n: int
    height: float


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The merges above the concepts of one layer.

    Parameters
    ----------
    tree : UpperTree
        Down to the concepts.
    labels : numpy.ndarray of int64, shape (n_points,)
        Concept of every word.
    """

    tree: UpperTree
    labels: np.ndarray

    @cached_property
    def _concept(self) -> np.ndarray:
        """Concept at each position of a leaf."""
        leaves = np.arange(self.tree.n_leaves - 1, len(self.tree.parent))
        found = np.empty(self.tree.n_leaves, np.int64)
        found[self.tree.first[leaves]] = self.labels[self.tree.point[leaves]]
        return found

    @cached_property
    def _leaf(self) -> np.ndarray:
        """Node of each concept."""
        leaves = np.arange(self.tree.n_leaves - 1, len(self.tree.parent))
        found = np.empty(self.tree.n_leaves, np.int64)
        found[self.labels[self.tree.point[leaves]]] = leaves
        return found

    def height(self, concept: int) -> float:
        """Return the height at which the last words of a concept were merged; 0 for one word."""
        return float(self.tree.height[self._leaf[concept]])

    def of(self, concept: int, most: int = MOST_NEIGHBOURS) -> list[Merge]:
        """Return the merges above a concept, the first being that with its siblings.

        Parameters
        ----------
        concept : int
            Its number.
        most : int
            So many neighbours are named, in all.
        """
        tree, node, left = self.tree, int(self._leaf[concept]), most
        found = []
        while left > 0 and (above := int(tree.parent[node])) >= 0:
            one, other = tree.children[above].tolist()
            beside = other if one == node else one
            members = np.sort(self._concept[tree.first[beside] : tree.last[beside]])
            found.append(Merge(members[:left].tolist(), len(members), float(tree.height[above])))
            left -= len(members)
            node = above
        return found
