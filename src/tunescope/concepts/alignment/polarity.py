"""Concepts with the task: which are polarised towards a class, as annotated and as predicted.

A polarity concept is one nearly all of whose occurrences come from sentences of one class (Durrani
et al. 2022, arXiv 2210.12696, the task-specific use of the alignment function). Sentences have a
gold class and may have the class that a model predicts: a concept of wrong predictions follows the
second and not the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.alignment.label_draws import count_labels
from tunescope.concepts.alignment.labels import Labelling, Majorities, align_labels, sets_of_codes
from tunescope.concepts.alignment.nulls import compare, orders
from tunescope.concepts.alignment.resampling import count_interval
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align, Trace

POLARITY = [
    "model",
    "role",
    "layer",
    "by",
    "class",
    "n_concepts",
    "polarised",
    "polarised_low",
    "polarised_high",
    "null_mean",
    "null_high",
    "p",
]


@dataclass(frozen=True, eq=False)
class SentenceClasses:
    """One kind of class of the sentences, over the words chosen, with what chance is drawn from.

    Parameters
    ----------
    by : str
        "gold" or "predicted".
    names : tuple of str
        The classes.
    codes : numpy.ndarray of int, shape (n_sentences,)
        Class of each sentence; -1 where it has none.
    sentences : numpy.ndarray of int32, shape (n_words,)
        Sentence of each word.
    """

    by: str
    names: tuple[str, ...]
    codes: np.ndarray
    sentences: np.ndarray

    @property
    def labelling(self) -> Labelling:
        """The class of each sentence as its label."""
        return Labelling(self.by, sets_of_codes(self.codes, self.names))

    def orders(self, step: Align | Trace) -> np.ndarray:
        """Draw orders of the sentences that have a class and words, (permutations, n_sentences)."""
        used = np.zeros(len(self.codes), bool)
        used[self.sentences] = True
        among = np.flatnonzero(used & (self.codes >= 0))
        return orders(len(self.codes), step.permutations, step.seed, among)


def align_classes(
    clusters: np.ndarray,
    sentences: np.ndarray,
    classes: np.ndarray,
    n_classes: int,
    *,
    theta: float = 0.9,
    max_unknown: float = 0.4,
) -> Majorities:
    """Find the concepts polarised towards a class.

    Parameters
    ----------
    clusters : numpy.ndarray of int, shape (n_words,)
        Concept of each occurrence, numbered from 0 without gaps.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each occurrence.
    classes : numpy.ndarray of int, shape (n_sentences,)
        Class of each sentence, from 0; -1 where it has none.
    n_classes : int
        Number of different classes.
    theta : float
        Smallest share, of the occurrences in sentences with a class, that makes a concept
        polarised.
    max_unknown : float
        Concepts with a larger share of occurrences in sentences without a class are not polarised.

    Returns
    -------
    Majorities
        `aligned` says which concepts are polarised, `best` towards which class.
    """
    return align_labels(
        clusters, classes[sentences], n_classes, theta=theta, max_unknown=max_unknown
    )


def class_codes(words: Any) -> dict[str, Codes]:
    """Return the gold and predicted classes that a corpus's sentences have, over the same names.

    Parameters
    ----------
    words : Corpus
        Sentence columns `class` and, where a model has been asked, `predicted`.

    Returns
    -------
    dict of str to Codes
        Keys "gold" and "predicted", where any sentence has one; names are those of both.
    """
    columns = {"gold": "class", "predicted": "predicted"}
    found = {
        by: words.of_sentence(column)
        for by, column in columns.items()
        if column in words.sentences.column_names
    }
    together = Codes.of(np.concatenate(list(found.values())))
    parts = np.split(together.codes, len(found))
    return {
        by: Codes(together.names, codes)
        for by, codes in zip(found, parts, strict=True)
        if (codes >= 0).any()
    }


def class_counts(
    here: Clustering, classes: SentenceClasses, draws: Any, step: Align | Trace
) -> np.ndarray:
    """Count polarised concepts in several draws: of any class, then of each.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    classes : SentenceClasses
        The classes.
    draws : iterable of (rows, weights)
        As in `label_draws.count_labels`, rows being sentences.
    step : Align or Trace
        `theta_classes` and `max_unknown` are used.

    Returns
    -------
    numpy.ndarray of int64, shape (n_draws, 1 + n_classes)
    """
    found = count_labels(
        here, classes.labelling, draws, theta=step.theta_classes, max_unknown=step.max_unknown
    )
    return np.column_stack([found.aligned, found.per_label])


def polarity_rows(
    here: Clustering,
    classes: SentenceClasses,
    sentence_orders: np.ndarray,
    weights: np.ndarray,
    step: Align,
) -> list[dict[str, Any]]:
    """Count the concepts polarised towards each class, and towards any.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    classes : SentenceClasses
        Class of each sentence.
    sentence_orders : numpy.ndarray of int32, shape (n_draws, n_sentences)
        `classes.orders`, for the null.
    weights : numpy.ndarray of int8, shape (n_resamples, n_words)
        For the interval: how often each word counts in each resample of the sentences.
    step : Align
        The parameters.

    Returns
    -------
    list of dict
        Keys `POLARITY`; the first row, with class "", is for all classes together. Interval and
        null are in concepts.
    """
    rows, once = classes.sentences, np.ones(len(classes.sentences), np.int8)
    observed = class_counts(here, classes, [(rows, once)], step)[0]
    null = class_counts(here, classes, ((order[rows], once) for order in sentence_orders), step)
    resampled = class_counts(here, classes, ((rows, weight) for weight in weights), step)
    n = int(here.counts.sum())
    found = []
    for number, name in enumerate(("", *classes.names)):
        count = int(observed[number])
        chance = compare(count, null[:, number], step.confidence)
        low, high = count_interval(count, n, resampled[:, number], step.confidence)
        found.append(
            {
                "model": here.model,
                "role": here.role,
                "layer": here.layer,
                "by": classes.by,
                "class": name,
                "n_concepts": n,
                "polarised": count,
                "polarised_low": low,
                "polarised_high": high,
                "null_mean": chance.mean,
                "null_high": chance.high,
                "p": chance.p,
            }
        )
    return found
