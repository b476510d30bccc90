"""The points of a tuning: how much of it was done, and how many texts the model had seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.errors import InputError, MismatchError
from tunescope.models.reference import find_model
from tunescope.models.tuned import TunedModel

if TYPE_CHECKING:
    import pandas as pd

POINTS = ["point", "model", "fraction", "updates", "texts", "dev_score"]


def point_frame(
    models: Sequence[str],
    fractions: Sequence[float] | None,
    tuning: TunedModel | None,
) -> pd.DataFrame:
    """Describe the points.

    Parameters
    ----------
    models : sequence of str
        Display name of the model at each point; the base first, the tuned model last.
    fractions : sequence of float or None
        Share of the training done at each; may be left out where `tuning` kept as many checkpoints
        as there are.
    tuning : TunedModel or None
        The tuned model, as `finetune` returned it.

    Returns
    -------
    pandas.DataFrame
        Columns `POINTS`: `updates` of the weights and `texts` seen, repeated ones counted each
        time, and `dev_score`; NaN where not known.

    Raises
    ------
    InputError
        If fractions do not rise from 0 to 1, there is not one for each model, or a checkpoint is
        not one of the tuning.
    """
    import pandas as pd

    known = None if tuning is None else tuning.trajectory().set_index("fraction")
    if fractions is None:
        if known is None:
            raise InputError(
                "which share of the training is each checkpoint? Give fractions=, or the tuned "
                "model as tuning="
            )
        fractions = [0.0, *known.index]
    fractions = [float(fraction) for fraction in fractions]
    if len(fractions) != len(models):
        raise InputError(
            f"{len(models)} models but {len(fractions)} shares of the training "
            f"({', '.join(f'{f:g}' for f in fractions)}): give fractions=, one for each model"
        )
    if fractions[0] != 0 or fractions[-1] != 1 or (np.diff(fractions) <= 0).any():
        raise InputError(
            f"fractions = {fractions} must rise from 0 (the base) to 1 (the tuned model)"
        )
    frame = pd.DataFrame(
        {
            "point": np.arange(len(models)),
            "model": list(models),
            "fraction": fractions,
            "updates": np.nan,
            "texts": np.nan,
            "dev_score": np.nan,
        }
    )
    if tuning is None or known is None:
        return frame
    for fraction in fractions[1:]:
        if fraction not in known.index:
            kept = ", ".join(f"{f:g}" for f in known.index)
            raise InputError(f"{tuning.path} has no checkpoint at {fraction:g}, but at {kept}")
    updates = np.array([0, *known["step"].reindex(fractions[1:])], int)
    frame["updates"] = updates.astype(float)
    n_train, batch = tuning.manifest.facts["n_train"], tuning.manifest.parameters["batch_size"]
    frame["texts"] = texts_seen(updates, n_train, batch).astype(float)
    frame["dev_score"] = [np.nan, *known["dev_score"].reindex(fractions[1:])]
    return frame


def check_tuning(
    concepts: Sequence[LayerConcepts], fractions: Sequence[float], tuning: TunedModel
) -> None:
    """Check that concepts are those of a tuning: of its base, its checkpoints and its end.

    Parameters
    ----------
    concepts : sequence of LayerConcepts
        Those of each point. Concepts that do not say which weights they are of (imported ones, and
        those of earlier versions) are taken at their word.
    fractions : sequence of float
        Share of the training done at each; 0 first, 1 last.
    tuning : TunedModel
        The tuned model.

    Raises
    ------
    MismatchError
        If the weights of a point are others.
    InputError
        If a checkpoint is no longer there.
    """
    folders = dict(tuning.checkpoints) | {1.0: tuning.path}
    for here, fraction in zip(concepts, fractions, strict=True):
        if here.model_hash is None:
            continue
        if fraction == 0:
            what, expected = "the base that", tuning.manifest.inputs["model"]
        else:
            what = f"the model at {fraction:g} of the training that"
            expected = find_model(folders[fraction]).hash
        if here.model_hash != expected:
            raise MismatchError(
                f"{here.path}: the concepts of {here.model} are not of {what} {tuning.path} "
                "records: give the tuning that made the models, each checkpoint in its place, or "
                "no tuning"
            )


def texts_seen(updates: np.ndarray, n_train: int, batch_size: int) -> np.ndarray:
    """Count the texts that went into a number of updates; the last batch of an epoch is smaller.

    Parameters
    ----------
    updates : numpy.ndarray of int
        Numbers of updates.
    n_train : int
        Texts of one epoch.
    batch_size : int
        Texts of one update.
    """
    epochs, rest = np.divmod(updates, -(-n_train // batch_size))
    return epochs * n_train + rest * batch_size
