"""Alignment counts of one layer with label columns and with the task's classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tunescope.concepts.align_labels import Majorities, align_labels
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.nulls import compare, permuted, permuted_types
from tunescope.concepts.polarity import align_classes
from tunescope.steps import Align

LABELS = [
    "model",
    "role",
    "layer",
    "label",
    "n_concepts",
    "aligned",
    "covered",
    "null_mean",
    "null_high",
    "p",
]
POLARITY = [
    "model",
    "role",
    "layer",
    "class",
    "n_concepts",
    "polarised",
    "null_mean",
    "null_high",
    "p",
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
        return [self.names[code] if code >= 0 else None for code in best]


def with_labels(here: Clustering, labels: Codes, step: Align) -> Majorities:
    """Align the concepts of a layer with one label column."""
    return align_labels(
        here.labels,
        labels.codes,
        len(labels.names),
        theta=step.theta_labels,
        max_unknown=step.max_unknown,
    )


def with_classes(
    here: Clustering, sentences: np.ndarray, classes: Codes, step: Align
) -> Majorities:
    """Align the concepts of a layer with the task's classes."""
    return align_classes(
        here.labels,
        sentences,
        classes.codes,
        len(classes.names),
        theta=step.theta_classes,
        max_unknown=step.max_unknown,
    )


def label_row(here: Clustering, column: str, labels: Codes, step: Align) -> dict[str, Any]:
    """Count the concepts aligned with a label column, and the labels covered by any.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    column : str
        Name of the label column.
    labels : Codes
        The label of each occurrence.
    step : Align
        The parameters.

    Returns
    -------
    dict
        Keys `LABELS`. The null exchanges the labels of whole word types (see `nulls`).
    """
    found = with_labels(here, labels, step)
    aligned = found.aligned & here.counts
    draws = [
        int((with_labels(here, Codes(labels.names, codes), step).aligned & here.counts).sum())
        for codes in permuted_types(labels.codes, here.types, step.permutations, step.seed)
    ]
    count = int(aligned.sum())
    null = compare(count, np.array(draws), step.confidence)
    return {
        "model": here.model,
        "role": here.role,
        "layer": here.layer,
        "label": column,
        "n_concepts": int(here.counts.sum()),
        "aligned": count,
        "covered": len(np.unique(found.best[aligned])),
        "null_mean": null.mean,
        "null_high": null.high,
        "p": null.p,
    }


def polarity_rows(
    here: Clustering, sentences: np.ndarray, classes: Codes, step: Align
) -> list[dict[str, Any]]:
    """Count the concepts polarised towards each class, and towards any.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each occurrence.
    classes : Codes
        Class of each sentence.
    step : Align
        The parameters.

    Returns
    -------
    list of dict
        Keys `POLARITY`; the first row, with class "", is for all classes together. The null
        permutes classes over sentences.
    """
    observed = _per_class(here, sentences, classes, step)
    draws = np.array(
        [
            _per_class(here, sentences, Codes(classes.names, codes), step)
            for codes in permuted(classes.codes, step.permutations, step.seed)
        ]
    )
    rows = []
    for number, name in enumerate(("", *classes.names)):
        null = compare(observed[number], draws[:, number], step.confidence)
        rows.append(
            {
                "model": here.model,
                "role": here.role,
                "layer": here.layer,
                "class": name,
                "n_concepts": int(here.counts.sum()),
                "polarised": int(observed[number]),
                "null_mean": null.mean,
                "null_high": null.high,
                "p": null.p,
            }
        )
    return rows


def _per_class(here: Clustering, sentences: np.ndarray, classes: Codes, step: Align) -> np.ndarray:
    """Polarised concepts in all, then towards each class, shape (1 + n_classes,)."""
    found = with_classes(here, sentences, classes, step)
    towards = found.best[found.aligned & here.counts]
    return np.array([len(towards), *np.bincount(towards, minlength=len(classes.names))])
