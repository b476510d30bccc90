"""A clustering without a tree: one number of clusters, found for that number alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunescope.errors import InputError
from tunescope.files import write_array


@dataclass(frozen=True, eq=False)
class Partition:
    """The cluster of every point, as K-means leaves it.

    Parameters
    ----------
    labels : numpy.ndarray of int64, shape (n_points,)
        Clusters numbered from 0 by decreasing size, ties by their first point.
    k : int
        The number of clusters asked for. There are fewer where there are fewer different points,
        or where mini-batches left some empty.
    """

    labels: np.ndarray
    k: int

    @property
    def n_points(self) -> int:
        """Number of points clustered."""
        return len(self.labels)

    def cut(self, k: int | None = None) -> np.ndarray:
        """Return the cluster of every point; `k` is there because a dendrogram has it.

        Raises
        ------
        InputError
            If `k` is not the number that was asked for.
        """
        if k not in (None, self.k):
            raise InputError(
                f"this clustering has n_clusters = {self.k} and no tree, so it has no {k} "
                "clusters: cluster again with that number, or with method 'ward' or 'leaders', "
                "which give any number"
            )
        return self.labels

    def save(self, path: Path) -> None:
        """Write the labels as one .npy file, atomically."""
        write_array(path, self.labels)

    @classmethod
    def load(cls, path: Path, k: int) -> Partition:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or holds no labels.
        """
        try:
            labels = np.load(path, allow_pickle=False)
        except (FileNotFoundError, ValueError) as error:
            raise InputError(f"{path} holds no clusters ({error}): cluster again") from None
        if labels.ndim != 1 or labels.dtype.kind != "i" or not 0 < len(np.unique(labels)) <= k:
            raise InputError(f"{path} holds no labels of {k} clusters: cluster again")
        return cls(labels, k)
