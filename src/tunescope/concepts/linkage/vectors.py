"""Centroids in float32, such that distances from their products are lower bounds.

|x|^2 + |y|^2 - 2 x.y from float32 vectors is off by at most (d + 18) u (|x|^2 + |y|^2), with u =
2^-24: rounding the vectors, the sum of d products in any order, weighing the result. A little more
than that is taken off the squared norms beforehand, so that lower bounds come out also where the
sum cancels. What is decided is decided on distances in float64.
"""

from __future__ import annotations

import numpy as np

from tunescope.concepts.linkage.neighbours import Clusters

UNIT = 2.0**-24
SPARE = 32
UNDERFLOW = 1e-37
"""More than a product may lose because float32 ends at 1e-38; the largest coordinate is near 1."""


class Vectors:
    """The clusters in float32.

    Parameters
    ----------
    clusters : Clusters
        The survivors.
    centre : numpy.ndarray of float64, shape (d,)
        Taken off all centroids: distances stay, norms (and so what cancels) get smaller.
    """

    def __init__(self, clusters: Clusters, centre: np.ndarray):
        m = len(clusters.sizes)
        self.centre = centre
        self.points = np.empty((m, len(centre)), np.float32)
        """float32, shape (m, d)."""
        self.squares = np.empty(m, np.float32)
        """Squared norms less what may be lost; infinite for the dead. Shape (m,)."""
        self.inverse = np.empty(m, np.float32)
        """One over the size, shape (m,)."""
        self.update(clusters, np.arange(m))

    def update(self, clusters: Clusters, rows: np.ndarray) -> None:
        """Take over the clusters `rows` (indices) as they are now."""
        d = self.points.shape[1]
        for first in range(0, len(rows), 4096):
            part = rows[first : first + 4096]
            points = clusters.centroids[part] - self.centre
            squares = np.einsum("ij,ij->i", points, points)
            self.points[part] = points
            self.squares[part] = squares * (1 - (d + SPARE) * UNIT) - d * UNDERFLOW
        self.inverse[rows] = 1 / clusters.sizes[rows]

    def bury(self, rows: np.ndarray) -> None:
        """Make clusters `rows` (indices) infinitely far from all."""
        self.squares[rows] = np.inf
