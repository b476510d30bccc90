"""One row per concept: what became of it, and which label and class it carries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.annotation import names_of
from tunescope.concepts.alignment.changes import changes
from tunescope.concepts.alignment.labels import Labelling, Majorities, compose
from tunescope.concepts.alignment.models import match
from tunescope.concepts.alignment.polarity import SentenceClasses
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align

FATES = {"base": ("lost", "retained"), "tuned": ("born", "survived")}
"""By role: the word for a concept without a match in the other model, and for one with it."""
CLASS_COLUMNS = {
    "gold": ("class_label", "class_share", "polarised"),
    "predicted": ("predicted_label", "predicted_share", "predicted_polarised"),
}


def concept_frame(
    here: Clustering,
    other: Clustering | None,
    labels: Sequence[Labelling],
    classes: Sequence[SentenceClasses],
    step: Align,
) -> pd.DataFrame:
    """Describe every concept of one layer.

    Parameters
    ----------
    here : Clustering
        The concepts described.
    other : Clustering or None
        The same layer of the other model, if there is one.
    labels : sequence of Labelling
        The labels of each occurrence, by column or kind.
    classes : sequence of SentenceClasses
        Gold and predicted classes of the sentences, where there are any.
    step : Align
        The parameters.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `role`, `layer`, `concept`, `size`, `n_types`, `fate` ("" when there is
        nothing to compare with or the concept has too few types to count), `best_match` (concept
        of the other model at this layer; -1 when there is none), `overlap`, both by the step's
        `overlap`; `change` (see `changes`); the best match and its share by either level
        (`occurrence_match`, `occurrence_overlap`, `type_match`, `type_overlap`); for each label
        column `<column>_label`, `<column>_share`, `<column>_aligned`; `class_label`, `class_share`,
        `polarised`; and the same by predicted class, where sentences have one: `predicted_label`,
        `predicted_share`, `predicted_polarised`.
    """
    n = len(here.sizes)
    columns = {
        "model": here.model,
        "role": here.role,
        "layer": here.layer,
        "concept": np.arange(n),
        "size": here.sizes,
        "n_types": here.n_types,
        "fate": "",
        "best_match": -1,
        "overlap": np.nan,
        "change": "",
        "occurrence_match": -1,
        "occurrence_overlap": np.nan,
        "type_match": -1,
        "type_overlap": np.nan,
    }
    if other is not None:
        columns |= _counterparts(here, other, step)
    for kind in labels:
        majority = compose(here.labels, kind).majorities(step.theta_labels, step.max_unknown)
        names = (f"{kind.name}_label", f"{kind.name}_share", f"{kind.name}_aligned")
        columns |= _majority(here, kind, majority, names)
    columns |= {"class_label": None, "class_share": 0.0, "polarised": False}
    for of in classes:
        made = compose(here.labels, of.labelling, of.sentences)
        majority = made.majorities(step.theta_classes, step.max_unknown)
        columns |= _majority(here, of.labelling, majority, CLASS_COLUMNS[of.by])
    return pd.DataFrame(columns, index=range(n))


def _counterparts(here: Clustering, other: Clustering, step: Align) -> dict[str, object]:
    found = {
        "occurrences": match(here.labels, other.labels),
        "types": match(here.labels, other.labels, here.types),
    }
    best = found[step.overlap]
    without, with_match = FATES[here.role]
    fate = np.where(best.overlap >= step.theta, with_match, without)
    return {
        "fate": np.where(here.counts, fate, ""),
        "best_match": best.best,
        "overlap": best.overlap,
        "change": changes(here, other, step.theta),
        "occurrence_match": found["occurrences"].best,
        "occurrence_overlap": found["occurrences"].overlap,
        "type_match": found["types"].best,
        "type_overlap": found["types"].overlap,
    }


def _majority(
    here: Clustering, kind: Labelling, majority: Majorities, names: tuple[str, str, str]
) -> dict[str, object]:
    values = (
        names_of(kind.sets.names, majority.best),
        majority.share,
        majority.aligned & here.counts,
    )
    return dict(zip(names, values, strict=True))
