"""The sibling of each concept in the dendrogram: what it would be merged with next.

Dalvi et al. 2022 (arXiv 2205.07237, section 4) ask annotators of a concept whether it is mergeable
with its sibling. Here it is looked up which concept that is, how much farther apart the two are
than the words of each, and whether they carry the same label or class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunescope.concepts.dendrogram import Dendrogram
from tunescope.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from tunescope.concepts.layer_concepts import LayerConcepts


@dataclass(frozen=True, eq=False)
class Siblings:
    """The siblings of the concepts of one cut.

    Parameters
    ----------
    sibling : numpy.ndarray of int64, shape (k,)
        The concept that each would be merged with; where that is a union of several concepts, the
        largest of them (the lowest number); -1 when k is 1.
    n_siblings : numpy.ndarray of int64, shape (k,)
        Concepts in that union: 1 where the sibling is a concept itself, 0 when k is 1.
    height : numpy.ndarray of float64, shape (k,)
        Height of the concept's own last merge; 0 for a single word.
    merge_height : numpy.ndarray of float64, shape (k,)
        Height of the merge with the sibling; NaN when k is 1.
    members : tuple of numpy.ndarray of int64, length k
        The concepts of each sibling, ascending.
    """

    sibling: np.ndarray
    n_siblings: np.ndarray
    height: np.ndarray
    merge_height: np.ndarray
    members: tuple[np.ndarray, ...]

    @property
    def ratio(self) -> np.ndarray:
        """`merge_height` / `height`: near 1, the cut fell into one cloud. NaN where height is 0."""
        known = self.height > 0
        return np.divide(
            self.merge_height, self.height, out=np.full(len(self.height), np.nan), where=known
        )


def siblings(dendrogram: Dendrogram, k: int) -> Siblings:
    """Find the sibling of each of the `k` concepts of a cut.

    Parameters
    ----------
    dendrogram : Dendrogram
        The merges of one layer.
    k : int
        Number of concepts; they are numbered as `Dendrogram.cut` numbers them.

    Returns
    -------
    Siblings

    Raises
    ------
    InputError
        If `k` is not from 1 to the number of points.

    Examples
    --------
    >>> import numpy as np
    >>> from tunescope.concepts.cluster import cluster
    >>> tree = cluster(np.array([[0.0], [0.2], [1.0], [1.1], [9.0]]))
    >>> found = siblings(tree, 3)
    >>> tree.cut(3).tolist(), found.sibling.tolist(), found.n_siblings.tolist()
    ([0, 0, 1, 1, 2], [1, 0, 0], [1, 1, 2])
    >>> found.ratio.round(1).tolist()
    [6.7, 13.4, nan]
    """
    labels = dendrogram.cut(k)
    n, merges = dendrogram.n_points, dendrogram.merges
    children, done = merges[:, :2].astype(np.int64), dendrogram.n_points - k
    below = np.arange(n + len(merges))  # a point below each node
    for row, (left, _) in enumerate(children):
        below[n + row] = below[left]
    merged = np.zeros(n + done, bool)
    merged[children[:done].ravel()] = True
    height = np.zeros(k)
    under: dict[int, np.ndarray] = {}
    for node in np.flatnonzero(~merged):
        concept = labels[below[node]]
        under[int(node)] = np.array([concept])
        height[concept] = merges[node - n, 2] if node >= n else 0.0
    members: list[np.ndarray] = [np.empty(0, np.int64)] * k
    merge_height = np.full(k, np.nan)
    roots = set(under)
    for row in range(done, n - 1):
        left, right = map(int, children[row])
        for node, other in ((left, right), (right, left)):
            if node in roots:
                concept = under[node][0]
                members[concept], merge_height[concept] = under[other], merges[row, 2]
        under[n + row] = np.sort(np.concatenate([under[left], under[right]]))
    return Siblings(
        np.array([found[0] if len(found) else -1 for found in members], np.int64),
        np.array([len(found) for found in members], np.int64),
        height,
        merge_height,
        tuple(members),
    )


def sibling_frame(
    concepts: LayerConcepts,
    layer: int,
    described: pd.DataFrame | None = None,
    *,
    role: str | None = None,
) -> pd.DataFrame:
    """Describe the siblings of one layer's concepts.

    Parameters
    ----------
    concepts : LayerConcepts
        Concepts with a dendrogram.
    layer : int
        Layer number.
    described : pandas.DataFrame, optional
        `Alignment.concepts`: what the concepts carry. Rows of other layers are left out.
    role : {"base", "tuned"}, optional
        Which model's rows of it are meant, where it has those of both.

    Returns
    -------
    pandas.DataFrame
        One row per concept: `layer`, `concept`, `sibling`, `n_siblings`, `height`, `merge_height`,
        `ratio` (see `Siblings`); with `described`, for each of its columns `NAME_label` a column
        `same_NAME`: whether the concept and all concepts of its sibling have the same label most;
        None where one has no label.

    Raises
    ------
    InputError
        If the method has no dendrogram, there is no such layer, or `role` is needed and not given.
    """
    import pandas as pd

    if described is not None:
        roles = list(dict.fromkeys(described["role"])) if "role" in described else []
        if role is None and len(roles) > 1:
            raise InputError(
                "described has rows of both models: say which with role='base'/'tuned'"
            )
        if role is not None:
            described = pd.DataFrame(described[described["role"] == role])
    found = siblings(concepts.dendrogram(layer), concepts.step.n_clusters)
    frame = pd.DataFrame(
        {
            "layer": layer,
            "concept": np.arange(len(found.sibling)),
            "sibling": found.sibling,
            "n_siblings": found.n_siblings,
            "height": found.height,
            "merge_height": found.merge_height,
            "ratio": found.ratio,
        }
    )
    if described is None:
        return frame
    here = described[described["layer"] == layer].set_index("concept")
    for column in [name for name in here.columns if name.endswith("_label")]:
        labels = here[column].reindex(frame["concept"]).tolist()
        same = [_same(labels, concept, members) for concept, members in enumerate(found.members)]
        frame[f"same_{column.removesuffix('_label')}"] = pd.Series(same, dtype=object)
    return frame


def _same(labels: list, concept: int, members: np.ndarray) -> bool | None:
    """Whether a concept and those of its sibling have one label."""
    all_labels = [labels[concept], *(labels[member] for member in members)]
    if len(members) == 0 or not all(isinstance(label, str) for label in all_labels):
        return None
    return len(set(all_labels)) == 1
