"""Retained, lost and born concepts: per layer, over thresholds, and for all pairs of layers.

Every row is for one level: "occurrences" or "types" (see `overlaps`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tunescope.concepts.alignment.nulls import compare
from tunescope.concepts.alignment.overlaps import Level
from tunescope.concepts.alignment.resampling import share_interval
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align

RETENTION = [
    "base",
    "tuned",
    "layer",
    "level",
    "n_base",
    "retained",
    "retained_share",
    "retained_low",
    "retained_high",
    "lost",
    "n_tuned",
    "born",
    "born_share",
    "born_low",
    "born_high",
    "born_null_mean",
    "born_p",
    "null_mean",
    "null_high",
    "p",
]
MATRIX = [
    "base",
    "tuned",
    "base_layer",
    "tuned_layer",
    "level",
    "n_base",
    "retained",
    "retained_share",
    "retained_low",
    "retained_high",
    "null_mean",
    "null_high",
    "p",
]
SWEEP = [
    "role",
    "layer",
    "level",
    "theta",
    "n_concepts",
    "matched",
    "matched_share",
    "matched_low",
    "matched_high",
    "null_mean",
    "null_high",
    "p",
]


def matched(shares: np.ndarray, counting: np.ndarray, theta: float) -> np.ndarray:
    """Count the concepts of which one other concept holds at least theta.

    Parameters
    ----------
    shares : numpy.ndarray, shape (n_draws, n_concepts)
        `permuted_overlaps` of one level.
    counting : numpy.ndarray of bool, shape (n_concepts,)
        Concepts with enough types to count.
    theta : float
        The threshold, itself included.

    Returns
    -------
    numpy.ndarray of int, shape (n_draws,)
    """
    return (shares[:, counting] >= theta).sum(axis=1)


def match_counts(
    shares: np.ndarray, counting: np.ndarray, theta: float, confidence: float
) -> tuple[int, dict[str, Any]]:
    """Count matched concepts, with Wilson's interval of their share and the null.

    Parameters
    ----------
    shares, counting, theta
        As in `matched`; row 0 of `shares` is observed, the others are draws of the null.
    confidence : float
        Level of the interval; the null's upper end.

    Returns
    -------
    count : int
        Concepts matched.
    columns : dict
        `share`, `low`, `high` (the concepts that count being the sample), `null_mean`,
        `null_high` (in concepts), `p`.
    """
    found = matched(shares, counting, theta)
    n, count = int(counting.sum()), int(found[0])
    null = compare(count, found[1:], confidence)
    low, high = share_interval(count, n, confidence)
    return count, {
        "share": count / n if n else np.nan,
        "low": low,
        "high": high,
        "null_mean": null.mean,
        "null_high": null.high,
        "p": null.p,
    }


def retention_row(
    base: Clustering,
    tuned: Clustering,
    level: Level,
    kept: np.ndarray,
    survived: np.ndarray,
    step: Align,
) -> dict[str, Any]:
    """Count what becomes of the concepts of one layer.

    Parameters
    ----------
    base, tuned : Clustering
        The same layer of two models, over the same words.
    level : {"occurrences", "types"}
        What the shares are of.
    kept : numpy.ndarray, shape (1 + n_draws, n_base)
        `permuted_overlaps` of base concepts in tuned ones.
    survived : numpy.ndarray, shape (1 + n_draws, n_tuned)
        The same of tuned concepts in base ones.
    step : Align
        `theta` and `confidence` are used.

    Returns
    -------
    dict
        Keys `RETENTION`. `null_mean`, `null_high` and `p` are of `retained`; what is lost is the
        rest. Of `born` there are its share of the tuned concepts with Wilson's interval, how many
        would be without a match by chance (nearly all), and the probability that chance leaves as
        few as there are or fewer: where `born_p` is small, what is not born is found again.
    """
    count, found = match_counts(kept, base.counts, step.theta, step.confidence)
    n_base, n_tuned = int(base.counts.sum()), int(tuned.counts.sum())
    also, other = match_counts(survived, tuned.counts, step.theta, step.confidence)
    born = {
        "born": n_tuned - also,
        "born_share": 1 - other["share"],
        "born_low": 1 - other["high"],
        "born_high": 1 - other["low"],
        "born_null_mean": n_tuned - other["null_mean"],
        "born_p": other["p"],
    }
    row = {"base": base.model, "tuned": tuned.model, "layer": base.layer, "level": level}
    row |= {"n_base": n_base, "retained": count, "lost": n_base - count}
    return row | {"n_tuned": n_tuned} | born | _named(found, "retained")


def matrix_row(
    base: Clustering, tuned: Clustering, level: Level, kept: np.ndarray, step: Align
) -> dict[str, Any]:
    """Count the concepts of any base layer that any tuned layer retains; keys `MATRIX`.

    Parameters
    ----------
    base, tuned : Clustering
        Layers of two models, over the same words.
    level, kept, step
        As in `retention_row`.
    """
    count, found = match_counts(kept, base.counts, step.theta, step.confidence)
    row = {"base": base.model, "tuned": tuned.model, "level": level}
    row |= {"base_layer": base.layer, "tuned_layer": tuned.layer}
    return row | {"n_base": int(base.counts.sum()), "retained": count} | _named(found, "retained")


def sweep_rows(
    here: Clustering, level: Level, shares: np.ndarray, step: Align
) -> list[dict[str, Any]]:
    """Count the concepts matched at every threshold of the grid, `step.theta` among them.

    Parameters
    ----------
    here : Clustering
        Concepts that are looked for in the same layer of the other model.
    level : {"occurrences", "types"}
        What the shares are of.
    shares : numpy.ndarray, shape (1 + n_draws, n_concepts)
        `permuted_overlaps`.
    step : Align
        `thetas`, `theta` and `confidence` are used.

    Returns
    -------
    list of dict
        Keys `SWEEP`. Of the base, matched is retained; of the tuned model, survived.
    """
    rows = []
    for theta in sorted({*step.thetas, step.theta}):
        count, found = match_counts(shares, here.counts, theta, step.confidence)
        row = {"role": here.role, "layer": here.layer, "level": level, "theta": theta}
        row |= {"n_concepts": int(here.counts.sum()), "matched": count}
        rows.append(row | _named(found, "matched"))
    return rows


def _named(found: dict[str, Any], what: str) -> dict[str, Any]:
    return {f"{what}_{k}" if k in ("share", "low", "high") else k: v for k, v in found.items()}
