"""All frames of an alignment, unit by unit: a tuned layer with every base layer, and each layer.

A unit depends on nothing but its layers and the parameters, so that a killed run goes on with the
next one. Everything runs in one thread, and draws depend on the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.annotation import (
    COMPOSITION,
    LABELS,
    SCORES,
    composition_frame,
    label_rows,
)
from tunescope.concepts.alignment.fates import concept_frame
from tunescope.concepts.alignment.gold_and_predicted import DIFFERENCE, difference_rows
from tunescope.concepts.alignment.labels import Labelling
from tunescope.concepts.alignment.matches import MATCHES, match_frame
from tunescope.concepts.alignment.nulls import orders, type_orders
from tunescope.concepts.alignment.overlaps import LEVELS, permuted_overlaps
from tunescope.concepts.alignment.polarity import POLARITY, SentenceClasses, polarity_rows
from tunescope.concepts.alignment.resampling import sentence_weights
from tunescope.concepts.alignment.retention import (
    MATRIX,
    RETENTION,
    SWEEP,
    matrix_row,
    retention_row,
    sweep_rows,
)
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align

Frames = dict[str, pd.DataFrame]
Keep = Callable[[str, Callable[[], Frames]], Frames]
"""Takes the name of a unit and how to do it; returns its frames, done now or by an earlier run."""

BETWEEN = {"retention": RETENTION, "matrix": MATRIX, "sweep": SWEEP, "matches": MATCHES}
"""Columns of the frames about two models."""
WITHIN = {
    "labels": LABELS,
    "scores": SCORES,
    "composition": COMPOSITION,
    "polarity": POLARITY,
    "difference": DIFFERENCE,
}
"""Columns of the frames about each layer; those of `concepts` depend on the labels."""
SORTED_BY = {
    "retention": ["layer", "level"],
    "matrix": ["base_layer", "tuned_layer", "level"],
    "sweep": ["role", "layer", "level", "theta"],
    "matches": ["role", "layer", "concept", "other_layer"],
}


def do(name: str, unit: Callable[[], Frames]) -> Frames:
    """Do a unit and keep nothing of it."""
    return unit()


def pair_frames(
    base: Sequence[Clustering], tuned: Sequence[Clustering], step: Align, keep: Keep = do
) -> Frames:
    """Compute what is said of two models: `retention`, `matrix`, `sweep` and `matches`.

    The null deals the words of each tuned layer (for what survived, of the base layer) to its
    clusters anew, `step.permutations` times: all words that were clustered, singly, or with
    `step.exchange` "types" as whole word types among those with equally many occurrences.

    Parameters
    ----------
    base, tuned : sequence of Clustering
        Layers of both models, over the same words; `tuned` may be empty.
    step : Align
        The parameters.
    keep : Keep
        Of units that are kept. A unit is a tuned layer with all base layers.
    """
    words = _word_orders(base[0], step) if tuned else np.empty((0, 0), np.int32)
    units = [
        keep(f"pairs_{target.layer:02d}", partial(_pairs, base, target, words, step))
        for target in tuned
    ]
    found = {name: _joined(units, name, columns) for name, columns in BETWEEN.items()}
    return {
        name: frame.sort_values(SORTED_BY[name], kind="stable", ignore_index=True)
        for name, frame in found.items()
    }


def _pairs(
    base: Sequence[Clustering], target: Clustering, words: np.ndarray, step: Align
) -> Frames:
    """Compare one tuned layer with every base layer."""
    rows: dict[str, list[Any]] = {"retention": [], "matrix": [], "sweep": []}
    kept = permuted_overlaps(base, target, words)
    for source, shares in zip(base, kept, strict=True):
        rows["matrix"] += [matrix_row(source, target, at, shares[at], step) for at in LEVELS]
        if source.layer == target.layer:
            [survived] = permuted_overlaps([target], source, words)
            for at in LEVELS:
                row = retention_row(source, target, at, shares[at], survived[at], step)
                rows["retention"].append(row)
                rows["sweep"] += sweep_rows(source, at, shares[at], step)
                rows["sweep"] += sweep_rows(target, at, survived[at], step)
    made = {name: pd.DataFrame(rows[name], columns=BETWEEN[name]) for name in rows}
    return made | {"matches": match_frame(base, [target], step.floor)}


def layer_frames(
    every: Sequence[tuple[Clustering, Clustering | None]],
    labels: Sequence[Labelling],
    classes: Mapping[str, SentenceClasses],
    sentences: np.ndarray,
    step: Align,
    keep: Keep = do,
) -> Frames:
    """Compute what is said of each layer: labels, scores, composition, polarity and concepts.

    Parameters
    ----------
    every : sequence of (Clustering, Clustering or None)
        Each layer of each model, and the same layer of the other one.
    labels : sequence of Labelling
        What the words carry. The null exchanges them between word types with equally many
        occurrences, `step.permutations` times.
    classes : mapping of str to SentenceClasses
        "gold" and "predicted", where sentences have them. The null exchanges them between
        sentences that have one and have words among those clustered, as often.
    sentences : numpy.ndarray of int32, shape (n_words,)
        Sentence of each word. Those that have words are drawn again for intervals,
        `step.resamples` times.
    step : Align
        The parameters.
    keep : Keep
        Of units that are kept. A unit is a layer of a model.
    """
    types = every[0][0].types
    exchanged = type_orders(types, step.permutations, step.seed) if labels else np.empty((0, 0))
    weights = sentence_weights(sentences, step.resamples, step.seed)[:, sentences]
    of_sentences = {by: kind.orders(step) for by, kind in classes.items()}

    def layer(here: Clustering, other: Clustering | None) -> Frames:
        rows: dict[str, list[Any]] = {"labels": [], "scores": [], "polarity": [], "difference": []}
        made = [composition_frame(here, kind, step) for kind in labels]
        for kind in labels:
            row, scores = label_rows(here, kind, exchanged, weights, step)
            rows["labels"].append(row)
            rows["scores"] += scores
        for by, kind in classes.items():
            rows["polarity"] += polarity_rows(here, kind, of_sentences[by], weights, step)
        if len(classes) == 2:
            pair = classes["gold"], classes["predicted"]
            rows["difference"] += difference_rows(here, *pair, weights, step)
        frames = {name: pd.DataFrame(rows[name], columns=WITHIN[name]) for name in rows}
        frames["composition"] = _concatenated(made, COMPOSITION)
        frames["concepts"] = concept_frame(here, other, labels, list(classes.values()), step)
        return frames

    units = [
        keep(f"{here.role}_{here.layer:02d}", partial(layer, here, other)) for here, other in every
    ]
    found = {name: _joined(units, name, columns) for name, columns in WITHIN.items()}
    return found | {"concepts": pd.concat([u["concepts"] for u in units], ignore_index=True)}


def _joined(units: Sequence[Frames], name: str, columns: list[str]) -> pd.DataFrame:
    return _concatenated([unit[name] for unit in units], columns)


def _concatenated(frames: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Put frames one below the other; empty ones have no types of columns, and are left out."""
    there = [frame for frame in frames if len(frame)]
    return pd.concat(there, ignore_index=True) if there else pd.DataFrame(columns=columns)


def _word_orders(layer: Clustering, step: Align) -> np.ndarray:
    if step.exchange == "types":
        return type_orders(layer.types, step.permutations, step.seed)
    return orders(len(layer.labels), step.permutations, step.seed)
