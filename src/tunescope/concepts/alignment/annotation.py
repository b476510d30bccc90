"""Alignment of one layer with human-defined labels: counts, set-level scores, compositions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.label_draws import LabelCounts, count_labels, frequent_labels
from tunescope.concepts.alignment.labels import Composition, Labelling, compose
from tunescope.concepts.alignment.nulls import compare
from tunescope.concepts.alignment.resampling import count_interval, resampled_interval
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align

LABELS = [
    "model",
    "role",
    "layer",
    "label",
    "n_concepts",
    "aligned",
    "covered",
    "covered_null_mean",
    "covered_p",
    "aligned_low",
    "aligned_high",
    "null_mean",
    "null_high",
    "p",
]
SCORES = [
    "model",
    "role",
    "layer",
    "label",
    "measure",
    "count",
    "of",
    "value",
    "low",
    "high",
    "null_mean",
    "null_high",
    "p",
]
COMPOSITION = [
    "role",
    "layer",
    "concept",
    "label",
    "value",
    "rank",
    "count",
    "share",
    "aligned",
]


@dataclass(frozen=True, eq=False)
class Codes:
    """A column of text as numbers.

    Parameters
    ----------
    names : tuple of str
        The different values, sorted.
    codes : numpy.ndarray of int64, shape (n,)
        Number of each value in `names`; -1 where there is none.
    """

    names: tuple[str, ...]
    codes: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Codes:
        """Make codes of an array of text and None."""
        known = np.array([isinstance(value, str) for value in values], bool)
        names, inverse = np.unique(values[known].astype(str), return_inverse=True)
        codes = np.full(len(values), -1, np.int64)
        codes[known] = inverse
        return cls(tuple(names.tolist()), codes)

    def name(self, best: np.ndarray) -> list[str | None]:
        """Turn numbers back into text; -1 becomes None."""
        return names_of(self.names, best)


def names_of(names: tuple[str, ...], best: np.ndarray) -> list[str | None]:
    """Turn numbers into text; -1 becomes None."""
    return [names[code] if code >= 0 else None for code in best]


def label_rows(
    here: Clustering,
    labels: Labelling,
    orders: np.ndarray,
    weights: np.ndarray,
    step: Align,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Count the concepts aligned with labels and the labels covered; score both.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    labels : Labelling
        The labels of each occurrence.
    orders : numpy.ndarray of int32, shape (n_draws, n_words)
        For the null: whole word types exchanged (`nulls.type_orders`).
    weights : numpy.ndarray of int8, shape (n_resamples, n_words)
        For the interval: how often each word counts in each resample of the sentences.
    step : Align
        The parameters.

    Returns
    -------
    row : dict
        Keys `LABELS`: concepts that count (`n_concepts`), those aligned with any label, with an
        interval in concepts, and the labels that any is aligned with.
    scores : list of dict
        Keys `SCORES`, one for each measure. `aligned` is the share of all clusters, whatever their
        number, that are aligned with a label of at least `min_tokens` tokens; `covered` the share
        of these labels that a concept is aligned with; `score` the mean of the two. `count` and
        `of` are what the shares are made of; both 0 for the score.
    """
    n_words = len(here.labels)
    same, once = np.arange(n_words, dtype=np.int32), np.ones(n_words, np.int8)
    frequent = frequent_labels(labels, same, step.min_tokens)

    def counted(draws: Iterator[tuple[np.ndarray, np.ndarray]]) -> LabelCounts:
        return count_labels(
            here, labels, draws, theta=step.theta_labels, max_unknown=step.max_unknown,
            frequent=frequent,
        )  # fmt: skip

    observed = counted(iter([(same, once)]))
    null = counted((order, once) for order in orders)
    resampled = counted((same, weight) for weight in weights)
    place = {"model": here.model, "role": here.role, "layer": here.layer, "label": labels.name}
    return (
        place | _aligned(here, observed, null, resampled, step),
        [place | row for row in _scores(observed, null, resampled, step)],
    )


def _aligned(
    here: Clustering, observed: LabelCounts, null: LabelCounts, resampled: LabelCounts, step: Align
) -> dict[str, Any]:
    n, count = int(here.counts.sum()), int(observed.aligned[0])
    chance = compare(count, null.aligned, step.confidence)
    low, high = count_interval(count, n, resampled.aligned, step.confidence)
    covered, by_chance = ((counts.per_label > 0).sum(axis=1) for counts in (observed, null))
    covered = int(covered[0])
    return {
        "n_concepts": n,
        "aligned": count,
        "covered": covered,
        "covered_null_mean": float(by_chance.mean()),
        "covered_p": compare(covered, by_chance, step.confidence).p,
        "aligned_low": low,
        "aligned_high": high,
        "null_mean": chance.mean,
        "null_high": chance.high,
        "p": chance.p,
    }


def _scores(
    observed: LabelCounts, null: LabelCounts, resampled: LabelCounts, step: Align
) -> Iterator[dict[str, Any]]:
    n_labels = int(observed.frequent.sum())
    of = {
        "aligned": (int(observed.aligned_frequent[0]), observed.n_clusters),
        "covered": (int(observed.covered[0]), n_labels),
        "score": (0, 0),
    }
    for measure, (count, n) in of.items():
        attribute = "score" if measure == "score" else f"{measure}_share"
        value, draws, others = (getattr(c, attribute) for c in (observed, null, resampled))
        chance = compare(value[0], draws, step.confidence)
        if measure == "score":
            low, high = resampled_interval(float(value[0]), others, step.confidence, 0, 1)
        else:
            ends = count_interval(count, n, others * n, step.confidence)
            low, high = (end / max(n, 1) for end in ends)
        yield {
            "measure": measure,
            "count": count,
            "of": n,
            "value": float(value[0]),
            "low": low,
            "high": high,
            "null_mean": chance.mean,
            "null_high": chance.high,
            "p": chance.p,
        }


def composition_frame(here: Clustering, labels: Labelling, step: Align) -> pd.DataFrame:
    """List the labels of each concept: those that make it up, and all that reach theta.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    labels : Labelling
        The labels of each occurrence.
    step : Align
        `composition_share`, `composition_labels`, `theta_labels` and `max_unknown` are used.

    Returns
    -------
    pandas.DataFrame
        Columns `COMPOSITION`: the name of the column or kind (`label`), the label (`value`), its
        place among the concept's labels (`rank`, from 0), occurrences, share of those labelled, and
        whether the concept is aligned with it. Listed are the first `composition_labels` with a
        share above `composition_share` and every label that reaches `theta_labels`.
    """
    made: Composition = compose(here.labels, labels)
    shares, concepts, codes = made.shares, made.concepts, made.labels
    reached = made.reached(step.theta_labels, step.max_unknown) & here.counts[concepts]
    order = np.lexsort([codes, -made.counts, concepts])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - made.table.indptr[concepts[order]]
    first = (shares > step.composition_share) & (rank < step.composition_labels)
    chosen = order[(first | (shares >= step.theta_labels))[order]]
    names = np.array([*labels.sets.names, None], object)
    columns = {
        "role": here.role,
        "layer": here.layer,
        "concept": concepts[chosen],
        "label": labels.name,
        "value": names[codes[chosen]],
        "rank": rank[chosen],
        "count": made.counts[chosen],
        "share": shares[chosen],
        "aligned": reached[chosen],
    }
    return pd.DataFrame(columns, columns=COMPOSITION)
