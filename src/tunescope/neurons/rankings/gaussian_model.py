"""Class-conditional Gaussians with a conjugate prior (Torroba Hennigen et al. 2020, section 4.2).

Each label's mean and covariance are the most probable ones under a normal-inverse-Wishart prior
with mu0 = the label's empirical mean, k0 = 0.01, Lambda0 = the diagonal of its empirical
covariance, nu0 = D + 2. With mu0 the empirical mean k0 cancels out, and for N words with scatter S

    mean = empirical mean,    covariance = (S + Lambda0) / (N + 2 D + 4)

What the paper leaves open. D: the authors' code takes all neurons; with 2,688 of them the variance
of a label of 100 words shrinks to a fiftieth, and rare labels are never predicted. Here D is the
number of neurons in the set that is looked at, unless given. Labels whose words hardly differ: the
empirical variance of a label of N words is taken to be at least 1/N of the variance within labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import log_softmax

from tunescope.errors import InputError
from tunescope.neurons.rankings.moments import ClassMoments

_BLOCK_VALUES = 1 << 22
"""Float64 values in one block: 32 MiB."""


def floored_variances(moments: ClassMoments) -> np.ndarray:
    """Return the labels' variances, each at least 1/N of that within labels; shape (K, d).

    They are also at least a millionth of the variance of all words, in case a neuron varies within
    no label; a neuron that is the same for all words has variance 1.
    """
    counts = np.maximum(moments.counts, 1)[:, None]
    floored = np.maximum(moments.variances, moments.within / counts)
    total = moments.variance
    return np.where(total > 0, np.maximum(floored, 1e-6 * total), 1.0)


def diagonal(moments: ClassMoments) -> np.ndarray:
    """Return the diagonal of S + Lambda0, shape (K, d)."""
    return (moments.counts[:, None] + 1) * floored_variances(moments)


def scales(counts: np.ndarray, dimensions: int) -> np.ndarray:
    """Return what S + Lambda0 is divided by, shape (K,)."""
    return counts + 2.0 * dimensions + 4.0


def log_prior(counts: np.ndarray) -> np.ndarray:
    """Return the logarithm of the labels' shares of the words; -inf for one without words."""
    with np.errstate(divide="ignore"):
        return np.log(counts / counts.sum())


class GaussianClassifier:
    """The Gaussians as a classifier, for the neurons given and for all prefixes of them.

    Parameters
    ----------
    dimensions : int, optional
        D of the prior; the number of neurons in use when not given.

    Attributes
    ----------
    counts : numpy.ndarray of int, shape (K,)
        Training words of each label.
    means : numpy.ndarray, shape (K, d)
        Means.
    factors : numpy.ndarray, shape (K, d, d)
        Lower Cholesky factors of S + Lambda0. They take 8 K d^2 bytes.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[-2.0, 1], [-1, 0], [-1.5, 1], [1, 0], [2, 1], [1.5, 0]])
    >>> GaussianClassifier().fit(x, np.array([0, 0, 0, 1, 1, 1]), 2).predict(x).tolist()
    [0, 0, 0, 1, 1, 1]
    """

    counts: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    def __init__(self, dimensions: int | None = None):
        self.dimensions = dimensions

    def fit(self, x: Any, targets: np.ndarray, n_classes: int) -> GaussianClassifier:
        """Fit one Gaussian per label.

        Parameters
        ----------
        x : numpy.ndarray or WordMatrix, shape (n, d)
            Activations; the order of the columns is that of the prefixes.
        targets : numpy.ndarray of int, shape (n,)
            Labels, 0 to n_classes - 1; words with another value are left out.
        n_classes : int
            Number of labels, K; one without words is never predicted.

        Returns
        -------
        GaussianClassifier
            Itself.

        Raises
        ------
        InputError
            If no word has one of the labels.
        """
        d = x.shape[1]
        words = [np.flatnonzero(targets == label) for label in range(n_classes)]
        self.counts = np.array([len(rows) for rows in words])
        if not self.counts.any():
            raise InputError("no word has one of the labels: a classifier needs training words")
        self.means, variances = np.zeros((2, n_classes, d))
        self.factors = np.zeros((n_classes, d, d))
        step = max(1, _BLOCK_VALUES // d)
        for label in np.flatnonzero(self.counts):
            parts = np.split(words[label], range(step, len(words[label]), step))
            total = sum(_rows(x, part).sum(axis=0) for part in parts)
            self.means[label] = total / self.counts[label]
            for part in parts:
                centred = _rows(x, part) - self.means[label]
                self.factors[label] += centred.T @ centred
            variances[label] = self.factors[label].diagonal() / self.counts[label]
        empty = np.zeros(d)
        moments = ClassMoments(self.counts, self.means, variances, empty, empty)
        for factor, values in zip(self.factors, diagonal(moments), strict=True):
            np.fill_diagonal(factor, values)
            factor[:] = np.linalg.cholesky(factor)
        return self

    def log_posteriors(self, x: Any, sizes: Sequence[int]) -> np.ndarray:
        """Return log p(label | the first s neurons) for each s, shape (len(sizes), n, K).

        Parameters
        ----------
        x : numpy.ndarray or WordMatrix, shape (n, d)
            Words, with the columns of `fit`.
        sizes : sequence of int
            Numbers of neurons, 0 to d; with 0 the labels' shares of the training words are left.

        Raises
        ------
        InputError
            If x has other columns, or a size is not between 0 and d.
        """
        out = np.empty((len(sizes), x.shape[0], len(self.counts)))
        for rows, logs in self._blocks(x, sizes):
            out[:, rows] = logs
        return out

    def log_posterior(self, x: Any) -> np.ndarray:
        """Return log p(label | all neurons), shape (n, K)."""
        return self.log_posteriors(x, [x.shape[1]])[0]

    def predict(self, x: Any) -> np.ndarray:
        """Return the most probable label of every word, shape (n,)."""
        return self.predict_prefixes(x, [x.shape[1]])[0]

    def predict_prefixes(self, x: Any, sizes: Sequence[int]) -> np.ndarray:
        """Return the most probable labels by the first s neurons, shape (len(sizes), n)."""
        out = np.empty((len(sizes), x.shape[0]), dtype=np.int64)
        for rows, logs in self._blocks(x, sizes):
            out[:, rows] = logs.argmax(axis=2)
        return out

    def _blocks(self, x: Any, sizes: Sequence[int]) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows, log posteriors of shape (len(sizes), rows, K))."""
        n, d = x.shape
        if d != self.means.shape[1] or not all(0 <= size <= d for size in sizes):
            raise InputError(
                f"fitted to {self.means.shape[1]} neurons, asked for the first {list(sizes)} of {d}"
            )
        step = max(1, _BLOCK_VALUES // max(d, len(sizes) * len(self.counts)))
        for start in range(0, n, step):
            rows = slice(start, min(start + step, n))
            block = np.asarray(x[rows], dtype=np.float64)
            logs = np.full((len(sizes), len(block), len(self.counts)), -np.inf)
            for label in np.flatnonzero(self.counts):
                logs[:, :, label] = self._log_densities(int(label), block, sizes)
            yield rows, log_softmax(logs + log_prior(self.counts), axis=2)

    def _log_densities(self, label: int, x: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
        """Return log p(first s neurons | label) for each s, less a term that all labels share."""
        factor = self.factors[label]
        z = solve_triangular(factor, (x - self.means[label]).T, lower=True, check_finite=False)
        log_determinants = np.concatenate([[0.0], np.cumsum(2 * np.log(factor.diagonal()))])
        out = np.empty((len(sizes), len(x)))
        distance, done = np.zeros(len(x)), 0
        for place in np.argsort(sizes, kind="stable"):
            size = sizes[place]
            distance = distance + np.einsum("ij,ij->j", z[done:size], z[done:size])
            done = size
            dimensions = size if self.dimensions is None else self.dimensions
            scale = scales(self.counts[label], dimensions)
            log_determinant = log_determinants[size] - size * np.log(scale)
            out[place] = -(log_determinant + scale * distance) / 2
        return out


def _rows(x: Any, which: np.ndarray) -> np.ndarray:
    return np.asarray(x[which], dtype=np.float64)
