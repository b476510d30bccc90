"""All frames of an alignment, from the concepts of one or two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

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
from tunescope.concepts.alignment.matches import match_frame
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
from tunescope.concepts.clustering import Clustering, clusterings
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.steps import Align


def align_frames(
    base: LayerConcepts,
    tuned: LayerConcepts | None,
    labels: Sequence[Labelling],
    classes: Mapping[str, SentenceClasses],
    sentences: np.ndarray,
    step: Align,
) -> dict[str, pd.DataFrame]:
    """Compute every frame of `Alignment`.

    Parameters
    ----------
    base : LayerConcepts
        Concepts of the base model.
    tuned : LayerConcepts or None
        Those of the tuned model, over the same words.
    labels : sequence of Labelling
        What the words carry.
    classes : mapping of str to SentenceClasses
        "gold" and "predicted", where sentences have them.
    sentences : numpy.ndarray of int32, shape (n_words,)
        Sentence of each word.
    step : Align
        The parameters.

    Returns
    -------
    dict of str to pandas.DataFrame
        By name, as in `Alignment.frame`, without the column `corpus`.
    """
    of_base = clusterings(base, "base")
    of_tuned = clusterings(tuned, "tuned") if tuned is not None else {}
    every = [(here, of_tuned.get(layer)) for layer, here in of_base.items()]
    every += [(here, of_base.get(layer)) for layer, here in of_tuned.items()]
    with tqdm(desc="align", total=len(of_tuned) + len(every), unit="layer") as bar:
        found = pair_frames(list(of_base.values()), list(of_tuned.values()), step, bar)
        return found | layer_frames(every, labels, classes, sentences, step, bar)


def pair_frames(
    base: Sequence[Clustering], tuned: Sequence[Clustering], step: Align, bar: Any = None
) -> dict[str, pd.DataFrame]:
    """Compute what is said of two models: `retention`, `matrix`, `sweep` and `matches`.

    Parameters
    ----------
    base, tuned : sequence of Clustering
        Layers of both models, over the same words; `tuned` may be empty.
    step : Align
        The parameters.
    bar : tqdm.tqdm, optional
        Told of every tuned layer.
    """
    retention, matrix, sweep = [], [], []
    if tuned:
        words = _word_orders(base[0], step)
        same = {layer.layer: layer for layer in base}
        for target in tuned:
            kept = permuted_overlaps(base, target, words)
            for source, shares in zip(base, kept, strict=True):
                matrix += [matrix_row(source, target, at, shares[at], step) for at in LEVELS]
            if target.layer in same:
                source = same[target.layer]
                [survived] = permuted_overlaps([target], source, words)
                shares = kept[base.index(source)]
                for at in LEVELS:
                    row = retention_row(source, target, at, shares[at], survived[at], step)
                    retention.append(row)
                    sweep += sweep_rows(source, at, shares[at], step)
                    sweep += sweep_rows(target, at, survived[at], step)
            if bar is not None:
                bar.update()
    sweep.sort(key=lambda row: (row["role"], row["layer"], row["level"], row["theta"]))
    matrix.sort(key=lambda row: (row["base_layer"], row["tuned_layer"], row["level"]))
    retention.sort(key=lambda row: (row["layer"], row["level"]))
    return {
        "retention": pd.DataFrame(retention, columns=RETENTION),
        "matrix": pd.DataFrame(matrix, columns=MATRIX),
        "sweep": pd.DataFrame(sweep, columns=SWEEP),
        "matches": match_frame(base, tuned, step.floor),
    }


def layer_frames(
    every: Sequence[tuple[Clustering, Clustering | None]],
    labels: Sequence[Labelling],
    classes: Mapping[str, SentenceClasses],
    sentences: np.ndarray,
    step: Align,
    bar: Any = None,
) -> dict[str, pd.DataFrame]:
    """Compute what is said of each layer: labels, scores, composition, polarity and concepts.

    Parameters
    ----------
    every : sequence of (Clustering, Clustering or None)
        Each layer of each model, and the same layer of the other one.
    labels, classes, sentences, step
        As in `align_frames`.
    bar : tqdm.tqdm, optional
        Told of every layer.
    """
    types = every[0][0].types
    exchanged = type_orders(types, step.permutations, step.seed) if labels else np.empty((0, 0))
    weights = sentence_weights(sentences, step.resamples, step.seed)[:, sentences]
    of_sentences = {by: kind.orders(step) for by, kind in classes.items()}
    rows: dict[str, list[Any]] = {"labels": [], "scores": [], "polarity": [], "difference": []}
    frames: dict[str, list[pd.DataFrame]] = {"composition": [], "concepts": []}
    for here, other in every:
        for kind in labels:
            row, scores = label_rows(here, kind, exchanged, weights, step)
            rows["labels"].append(row)
            rows["scores"] += scores
            frames["composition"].append(composition_frame(here, kind, step))
        for by, kind in classes.items():
            rows["polarity"] += polarity_rows(here, kind, of_sentences[by], weights, step)
        if len(classes) == 2:
            pair = classes["gold"], classes["predicted"]
            rows["difference"] += difference_rows(here, *pair, weights, step)
        frames["concepts"].append(concept_frame(here, other, labels, list(classes.values()), step))
        if bar is not None:
            bar.update()
    columns = {"labels": LABELS, "scores": SCORES, "polarity": POLARITY, "difference": DIFFERENCE}
    made = {name: pd.DataFrame(rows[name], columns=columns[name]) for name in rows}
    none = pd.DataFrame(columns=COMPOSITION)
    for name, parts in frames.items():
        made[name] = pd.concat(parts, ignore_index=True) if parts else none
    return made


def _word_orders(layer: Clustering, step: Align) -> np.ndarray:
    if step.exchange == "types":
        return type_orders(layer.types, step.permutations, step.seed)
    return orders(len(layer.labels), step.permutations, step.seed)
