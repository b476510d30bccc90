"""One row per concept: what became of it, and which label and class it carries."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tunescope.concepts.align_models import match
from tunescope.concepts.annotation import Codes, with_classes, with_labels
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align

FATES = {"base": ("lost", "retained"), "tuned": ("born", "survived")}
"""By role: the word for a concept without a match in the other model, and for one with it."""


def concept_frame(
    here: Clustering,
    other: Clustering | None,
    columns: Mapping[str, Codes],
    sentences: np.ndarray,
    classes: Codes,
    step: Align,
) -> pd.DataFrame:
    """Describe every concept of one layer.

    Parameters
    ----------
    here : Clustering
        The concepts described.
    other : Clustering or None
        The same layer of the other model, if there is one.
    columns : mapping of str to Codes
        The label columns: label of each occurrence.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each occurrence.
    classes : Codes
        Class of each sentence.
    step : Align
        The parameters.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `role`, `layer`, `concept`, `size`, `n_types`, `fate` ("" when there is
        nothing to compare with or the concept has too few types to count), `best_match` (concept
        of the other model at this layer; -1 when there is none), `overlap`; for each label column
        `<column>_label`, `<column>_share`, `<column>_aligned`; `class_label`, `class_share`,
        `polarised`.
    """
    n = len(here.sizes)
    frame = pd.DataFrame(
        {
            "model": here.model,
            "role": here.role,
            "layer": here.layer,
            "concept": np.arange(n),
            "size": here.sizes,
            "n_types": here.n_types,
            "fate": "",
            "best_match": -1,
            "overlap": np.nan,
        }
    )
    if other is not None:
        types = here.types if step.overlap == "types" else None
        found = match(here.labels, other.labels, types)
        without, with_match = FATES[here.role]
        fate = np.where(found.overlap >= step.theta, with_match, without)
        frame["fate"] = np.where(here.counts, fate, "")
        frame["best_match"] = found.best
        frame["overlap"] = found.overlap
    for column, labels in columns.items():
        majority = with_labels(here, labels, step)
        frame[f"{column}_label"] = labels.name(majority.best)
        frame[f"{column}_share"] = majority.share
        frame[f"{column}_aligned"] = majority.aligned & here.counts
    majority = with_classes(here, sentences, classes, step)
    frame["class_label"] = classes.name(majority.best)
    frame["class_share"] = majority.share
    frame["polarised"] = majority.aligned & here.counts
    return frame
