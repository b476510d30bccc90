"""One layer's vectors in two dimensions, and how far the picture is to be believed.

Trustworthiness (Venna and Kaski 2006) is lower the more words are neighbours in the picture that
are none in the layer: 1 is faithful, about 0.5 is what words put down at random come to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from tunescope.errors import InputError
from tunescope.steps import Project


@dataclass(frozen=True, eq=False)
class Picture:
    """Where points lie.

    Parameters
    ----------
    points : numpy.ndarray of float32, shape (n, 2)
        Centred on 0.
    explained : float
        Share of the variance that the two directions hold, of `pca`; NaN of other methods.
    """

    points: np.ndarray
    explained: float = float("nan")


def draw_picture(X: np.ndarray, step: Project) -> Picture:
    """Put vectors into two dimensions.

    In one thread: with several, sums are added up in any order, and t-SNE makes another picture of
    the last digit.

    Parameters
    ----------
    X : numpy.ndarray, shape (n, d)
        Vectors.
    step : Project
        The method and its parameters.

    Raises
    ------
    InputError
        If there are too few points for the method, or `umap` is not installed.
    """
    enough(len(X), step)
    if not np.ptp(X, axis=0).any():  # nothing is anywhere else
        return Picture(np.zeros((len(X), 2), np.float32))
    with threadpool_limits(1):
        points, explained = _METHODS[step.method](X, step)
    points = points.astype(np.float64)
    return Picture((points - points.mean(axis=0)).astype(np.float32), explained)


def enough(n: int, step: Project) -> None:
    """Check that there are enough points for the parameters.

    Raises
    ------
    InputError
        If there are not.
    """
    needed = {"perplexity": step.perplexity, "n_neighbors": step.n_neighbors}
    for name, value in (*needed.items(), ("trust_neighbors", 2 * step.trust_neighbors)):
        if value is not None and n <= value:
            raise InputError(
                f"{n} points are too few for {name} = {getattr(step, name):g}: draw more words, "
                "or lower it"
            )


def _tsne(X: np.ndarray, step: Project) -> tuple[np.ndarray, float]:
    from sklearn.manifold import TSNE

    model = TSNE(init="pca", random_state=step.seed, n_jobs=1, **step.options)
    return model.fit_transform(X), float("nan")


def _pca(X: np.ndarray, step: Project) -> tuple[np.ndarray, float]:
    from sklearn.decomposition import PCA

    model = PCA(2, random_state=step.seed)
    return model.fit_transform(X), float(model.explained_variance_ratio_.sum())


def _umap(X: np.ndarray, step: Project) -> tuple[np.ndarray, float]:
    need_umap()
    from umap import UMAP

    model = UMAP(random_state=step.seed, n_jobs=1, **step.options)
    return np.asarray(model.fit_transform(X)), float("nan")


_METHODS = {"tsne": _tsne, "pca": _pca, "umap": _umap}


def need_umap() -> None:
    """Check that the package for `umap` is there.

    Raises
    ------
    InputError
        If it is not.
    """
    from importlib.util import find_spec

    if find_spec("umap") is None:
        raise InputError(
            "method = 'umap' needs the package umap-learn: pip install 'tunescope[umap]', or take "
            "'tsne'"
        )


def trust(X: np.ndarray, points: np.ndarray, k: int) -> float:
    """Return the trustworthiness of a picture.

    Parameters
    ----------
    X : numpy.ndarray, shape (n, d)
        Vectors.
    points : numpy.ndarray, shape (n, 2)
        Where they were put.
    k : int
        Neighbours that are looked at, fewer than n / 2.

    Returns
    -------
    float
        From 0 to 1.
    """
    from sklearn.manifold import trustworthiness

    with threadpool_limits(1):
        return float(trustworthiness(X, points, n_neighbors=k))


def zscored(X: np.ndarray) -> np.ndarray:
    """Return columns with mean 0 and deviation 1; those that do not vary become 0."""
    deviation = X.std(axis=0, dtype=np.float64)
    varies = deviation > 1e-6 * np.abs(X.mean(axis=0, dtype=np.float64))
    scaled = (X - X.mean(axis=0)) / np.where(varies, deviation, 1)
    return np.where(varies, scaled, 0).astype(np.float32)


def turned(points: np.ndarray, mine: np.ndarray, theirs: np.ndarray, *, axes: bool) -> np.ndarray:
    """Turn and mirror a picture so that some points lie as near as they can to those of another.

    Distances stay as they are. Pictures of layers that follow each other can so be compared by eye;
    which way up a method puts a picture has no meaning.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 2)
        The picture.
    mine, theirs : numpy.ndarray, shape (m, 2)
        Points of it, and where the same are in the other picture.
    axes : bool
        Whether the axes have a meaning, as of `pca`: then they are mirrored only.
    """
    cross = (mine - mine.mean(axis=0)).T.astype(np.float64) @ (theirs - theirs.mean(axis=0))
    if axes:
        turn = np.diag(np.where(np.diag(cross) < 0, -1.0, 1.0))
    else:
        left, _, right = np.linalg.svd(cross)
        turn = left @ right
    return (points @ turn).astype(np.float32)
