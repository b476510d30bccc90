"""Retained, lost and born concepts per layer, and the matrix of all base and tuned layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binomtest

from tunescope.concepts.align_models import best_overlap
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.nulls import compare, permuted
from tunescope.steps import Align

RETENTION = [
    "base",
    "tuned",
    "layer",
    "n_base",
    "retained",
    "retained_share",
    "retained_low",
    "retained_high",
    "lost",
    "n_tuned",
    "born",
    "null_mean",
    "null_high",
    "p",
]
MATRIX = ["base", "tuned", "base_layer", "tuned_layer", "retained_share"]


def retention_row(base: Clustering, tuned: Clustering, step: Align) -> dict[str, Any]:
    """Count what becomes of the concepts of one layer.

    Parameters
    ----------
    base, tuned : Clustering
        The same layer of two models, over the same words.
    step : Align
        `theta`, `overlap`, `permutations`, `confidence` and `seed` are used.

    Returns
    -------
    dict
        Keys `RETENTION`. `retained_low` and `retained_high` bound the share by Wilson's interval,
        concepts being the sample. The null permutes the tuned clustering over occurrences.
    """
    types = _types(base, step)
    kept = _n_retained(base, tuned.labels, types, step)
    survived = _n_retained(tuned, base.labels, types, step)
    n_base, n_tuned = int(base.counts.sum()), int(tuned.counts.sum())
    draws = [
        _n_retained(base, labels, types, step)
        for labels in permuted(tuned.labels, step.permutations, step.seed)
    ]
    null = compare(kept, np.array(draws), step.confidence)
    low, high = share_interval(kept, n_base, step.confidence)
    return {
        "base": base.model,
        "tuned": tuned.model,
        "layer": base.layer,
        "n_base": n_base,
        "retained": kept,
        "retained_share": kept / n_base if n_base else np.nan,
        "retained_low": low,
        "retained_high": high,
        "lost": n_base - kept,
        "n_tuned": n_tuned,
        "born": n_tuned - survived,
        "null_mean": null.mean,
        "null_high": null.high,
        "p": null.p,
    }


def matrix_row(base: Clustering, tuned: Clustering, step: Align) -> dict[str, Any]:
    """Share of the concepts of any base layer that any tuned layer retains; keys `MATRIX`.

    Parameters
    ----------
    base, tuned : Clustering
        Layers of two models, over the same words.
    step : Align
        `theta` and `overlap` are used.
    """
    n_base = int(base.counts.sum())
    kept = _n_retained(base, tuned.labels, _types(base, step), step)
    return {
        "base": base.model,
        "tuned": tuned.model,
        "base_layer": base.layer,
        "tuned_layer": tuned.layer,
        "retained_share": kept / n_base if n_base else np.nan,
    }


def share_interval(hits: int, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's interval of a share `hits / n`; NaN when `n` is 0 (Wilson 1927)."""
    if n == 0:
        return np.nan, np.nan
    interval = binomtest(hits, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def _types(clustering: Clustering, step: Align) -> np.ndarray | None:
    return clustering.types if step.overlap == "types" else None


def _n_retained(
    source: Clustering, target: np.ndarray, types: np.ndarray | None, step: Align
) -> int:
    overlap = best_overlap(source.labels, target, types)
    return int((overlap[source.counts] >= step.theta).sum())
