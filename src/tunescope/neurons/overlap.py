"""How many neurons two selections share, beside what chance gives, overall and layer by layer.

Two nulls. `chance`: both are drawn at random from all neurons (hypergeometric). `layer_chance`:
both are drawn at random, but keep their numbers in every layer; what is shared beyond that are the
same neurons, and not only the same layers. Both distributions are exact: the second is that of a
sum of hypergeometric numbers, one a layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom


@dataclass(frozen=True, eq=False)
class Shared:
    """The distribution of the number of neurons that two random sets share.

    Parameters
    ----------
    mass : numpy.ndarray, shape (m + 1,)
        Probability of 0, 1, ..., m neurons.
    n_a, n_b : int
        Sizes of the sets.
    """

    mass: np.ndarray
    n_a: int
    n_b: int

    @classmethod
    def of(cls, sizes: np.ndarray, in_a: np.ndarray, in_b: np.ndarray) -> Shared:
        """Draw both sets within each layer.

        Parameters
        ----------
        sizes : numpy.ndarray of int, shape (n_layers,)
            Neurons of each layer; a single entry is the null without layers.
        in_a, in_b : numpy.ndarray of int, shape (n_layers,)
            Neurons of each set in each layer.
        """
        mass = np.ones(1)
        for size, a, b in zip(sizes, in_a, in_b, strict=True):
            if a and b:
                mass = np.convolve(mass, hypergeom.pmf(np.arange(min(a, b) + 1), size, a, b))
        return cls(mass / mass.sum(), int(in_a.sum()), int(in_b.sum()))

    def index(self, both: np.ndarray | int) -> np.ndarray:
        """Return the overlap `|A and B| / |A or B|` of sets that share this many."""
        return np.asarray(both / np.maximum(self.n_a + self.n_b - np.asarray(both), 1))

    def expected(self) -> float:
        """Return the expected overlap."""
        return float(self.mass @ self.index(np.arange(len(self.mass))))

    def upper(self, confidence: float = 0.95) -> float:
        """Return the overlap that chance reaches or stays below with this probability."""
        enough = np.searchsorted(np.cumsum(self.mass), confidence * (1 - 1e-12))
        return float(self.index(min(int(enough), len(self.mass) - 1)))

    def p(self, both: int) -> float:
        """Return the probability of sharing at least this many (one-sided)."""
        return float(min(self.mass[both:].sum(), 1.0))


def overlap_beside_chance(
    a: np.ndarray, b: np.ndarray, layer_of: np.ndarray, *, confidence: float = 0.95
) -> dict[str, float]:
    """Compare the overlap of two sets of neurons with both nulls.

    Parameters
    ----------
    a, b : numpy.ndarray of int
        Neurons (columns of all layers side by side), without repetition.
    layer_of : numpy.ndarray of int, shape (d,)
        Layer of each neuron.
    confidence : float
        Of the upper ends of chance.

    Returns
    -------
    dict
        n_a, n_b, both, overlap (`|A and B| / |A or B|`); chance, chance_high and p; layer_chance,
        layer_chance_high and layer_p, of the null that keeps the numbers per layer. p is the
        probability, under the null, of sharing at least as many.
    """
    layers, sizes = np.unique(layer_of, return_counts=True)
    counts = [np.bincount(np.searchsorted(layers, layer_of[s]), minlength=len(layers))
              for s in (a, b)]  # fmt: skip
    both = len(np.intersect1d(a, b))
    anywhere = Shared.of(np.array([len(layer_of)]), np.array([len(a)]), np.array([len(b)]))
    within = Shared.of(sizes, *counts)
    found: dict[str, float] = {
        "n_a": len(a), "n_b": len(b), "both": both, "overlap": float(anywhere.index(both)),
    }  # fmt: skip
    for name, null in (("", anywhere), ("layer_", within)):
        found[f"{name}chance"] = null.expected()
        found[f"{name}chance_high"] = null.upper(confidence)
        found[f"{name}p"] = null.p(both)
    return found
