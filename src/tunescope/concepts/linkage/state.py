"""Where a clustering stands: surviving clusters and merges so far; kept on disk if asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunescope.concepts.linkage.neighbours import Clusters
from tunescope.concepts.linkage.points import duplicates
from tunescope.errors import InputError
from tunescope.files import read_tensors, remove_leftovers, write_tensors

VERSION = 1
FILE = "ward.safetensors"


@dataclass
class State:
    """Everything that a clustering goes on from.

    Parameters
    ----------
    clusters : Clusters
        The survivors (and some dead ones).
    pairs : numpy.ndarray of int64, shape (n - 1, 2)
        First points of the clusters merged; `done` rows are filled.
    distances : numpy.ndarray of float64, shape (n - 1,)
        Ward distances of the merges.
    done : int
        Merges so far.
    scanned : int
        Clusters whose lists are filled by the first pass.
    work : int
        Distances computed so far.
    """

    clusters: Clusters
    pairs: np.ndarray
    distances: np.ndarray
    done: int
    scanned: int
    work: int

    @classmethod
    def start(cls, points: np.ndarray, k: int, weights: np.ndarray | None = None) -> State:
        """Return the state before the first pass: each distinct point a cluster.

        Parameters
        ----------
        points : numpy.ndarray of float64, shape (n, d)
            The points; not copied unless some are equal.
        k : int
            Length of the lists of neighbours.
        weights : numpy.ndarray of int64, shape (n,), optional
            What each point counts for.
        """
        n = len(points)
        first = duplicates(points)
        repeated = np.flatnonzero(first != np.arange(n))
        kept = np.flatnonzero(first == np.arange(n))
        m = len(kept)
        sizes = np.bincount(first, weights=weights, minlength=n)[kept].astype(np.int64)
        pairs = np.zeros((n - 1, 2), np.int64)
        pairs[: len(repeated)] = np.stack([first[repeated], repeated], axis=1)
        clusters = Clusters(
            centroids=points if m == n else points[kept],
            sizes=sizes,
            first=kept,
            parents=np.arange(m, dtype=np.int32),
            ids=np.zeros((m, k), np.int32),
            lower=np.zeros((m, k)),
            measured=np.zeros((m, k), np.int64),
            counts=np.zeros(m, np.int32),
            bounds=np.zeros(m),
            nearest=np.full(m, -1, np.int32),
            nearest_size=np.zeros(m, np.int64),
            distance=np.zeros(m),
        )
        return cls(clusters, pairs, np.zeros(n - 1), len(repeated), 0, 0)

    @property
    def alive(self) -> np.ndarray:
        """Which clusters are, bool, shape (m,)."""
        return self.clusters.parents == np.arange(len(self.clusters.parents))

    def list_found(self, rows: np.ndarray, low: np.ndarray, ids: np.ndarray, all_: bool) -> None:
        """Put what a scan found into the lists of clusters.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (r,)
            The clusters.
        low, ids : numpy.ndarray, shape (r, at most k)
            Ascending lower bounds and whose they are.
        all_ : bool
            Whether the lists hold all other clusters.
        """
        c, count = self.clusters, low.shape[1]
        c.ids[rows, :count] = ids
        c.lower[rows, :count] = low
        c.measured[rows] = 0
        c.counts[rows] = count
        c.bounds[rows] = np.inf if all_ else low[:, -1]

    def compact(self) -> None:
        """Leave out the dead."""
        c, alive = self.clusters, np.flatnonzero(self.alive)
        roots = c.parents
        while (c.parents[roots] != roots).any():
            roots = c.parents[roots]
        new = np.full(len(roots), -1, np.int32)
        new[alive] = np.arange(len(alive), dtype=np.int32)
        kept = {name: array[alive] for name, array in c._asdict().items() if name != "centroids"}
        kept["centroids"] = c.centroids[alive]
        kept["parents"] = np.arange(len(alive), dtype=np.int32)
        dead_entry = new[kept["ids"]] < 0
        kept["measured"][dead_entry] = 0
        kept["ids"] = new[roots[kept["ids"]]]
        kept["nearest"] = np.where(kept["nearest"] >= 0, new[kept["nearest"]], -1).astype(np.int32)
        self.clusters = Clusters(**kept)

    def save(self, folder: Path, key: np.ndarray) -> None:
        """Write the state into a folder, as one file."""
        numbers = np.array([self.done, self.scanned, self.work], np.int64)
        write_tensors(
            folder / FILE,
            {
                **self.clusters._asdict(),
                "pairs": self.pairs,
                "distances": self.distances,
                "numbers": numbers,
                "key": key,
            },
        )

    @classmethod
    def load(cls, folder: Path, key: np.ndarray) -> State | None:
        """Read the state from a folder; None when there is none.

        Raises
        ------
        InputError
            If it is of another clustering.
        """
        if not (folder / FILE).exists():
            return None
        tensors = read_tensors(folder / FILE)
        if not np.array_equal(tensors.pop("key"), key):
            raise InputError(
                f"{folder / FILE} is the checkpoint of other points or of another version: give "
                "another folder, or delete it"
            )
        done, scanned, work = (int(number) for number in tensors.pop("numbers"))
        pairs, distances = tensors.pop("pairs"), tensors.pop("distances")
        return cls(Clusters(**tensors), pairs, distances, done, scanned, work)


def key_of(points: np.ndarray, k: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Hash points, their weights and parameters: uint8, shape (32,)."""
    digest = hashlib.sha256(f"{VERSION} {k} {points.shape}".encode())
    digest.update(points.data)
    if weights is not None:
        digest.update(weights.data)
    return np.frombuffer(digest.digest(), np.uint8)


def forget(folder: Path) -> None:
    """Remove the checkpoint from a folder, and what a killed run left there."""
    (folder / FILE).unlink(missing_ok=True)
    remove_leftovers(folder)
