"""What became of the test words of one layer: predictions, and the figures kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tunescope.probes.problem import Fit
from tunescope.probes.statistics import mean_interval
from tunescope.probes.task import ProbingTask
from tunescope.steps import Probe

_WORDS = 16384
"""Words predicted at once."""


def predict(values: Any, rows: np.ndarray, probes: list[list[Fit]]) -> list[list[np.ndarray]]:
    """Return every probe's class for some words, as places in its sorted labels.

    The words are read once. Each column's probes are one product, so that a column comes out the
    same whatever stands beside it.

    Parameters
    ----------
    values : array-like, shape (n_words, d)
        Activations of a layer.
    rows : numpy.ndarray of int, shape (n,)
        The words.
    probes : list of list of Fit
        Of each column: those of the task and of its control tasks.

    Returns
    -------
    list of list of numpy.ndarray of int, each of shape (n,)
    """
    wide = [
        (np.concatenate([f.coefficients for f in fits]).T,
         np.concatenate([f.intercepts for f in fits]),
         np.cumsum([0, *(len(f.intercepts) for f in fits)]))
        for fits in probes
    ]  # fmt: skip
    places = [[np.empty(len(rows), np.int64) for _ in fits] for fits in probes]
    for start in range(0, len(rows), _WORDS):
        part = slice(start, start + _WORDS)
        x = values[rows[part]].astype(np.float32, copy=False)
        for (coefficients, intercepts, ends), found in zip(wide, places, strict=True):
            scores = x @ coefficients + intercepts
            for place, low, high in zip(found, ends[:-1], ends[1:], strict=True):
                place[part] = scores[:, low:high].argmax(axis=1)
    return places


def word_table(task: ProbingTask, places: list[np.ndarray]) -> pa.Table:
    """Say of every test word what was predicted, and what was right.

    Parameters
    ----------
    task : ProbingTask
        Words and labels.
    places : list of numpy.ndarray of int, each of shape (n_dev + n_test,)
        Predictions for the task and each control task.
    """
    n_dev = len(task.split.dev)
    right = [values[n_dev:] for values in _right(task, places)]
    predicted = task.classes[places[0][n_dev:]]
    return pa.table(
        {
            "word": task.split.test,
            "sentence": task.sentences,
            "predicted": predicted.tolist(),
            "correct": right[0],
            **{f"control_{n}": control for n, control in enumerate(right[1:])},
        }
    )


def _right(task: ProbingTask, places: list[np.ndarray]) -> list[np.ndarray]:
    """Return which dev and test words are right, for the task and each control task."""
    n_train = len(task.split.train)
    return [p == codes[n_train:] for p, (_, codes) in zip(places, task.codes, strict=True)]


def layer_facts(
    task: ProbingTask, step: Probe, fits: list[Fit], places: list[np.ndarray]
) -> dict[str, Any]:
    """Count and estimate what `LayerProbes.table` shows of one layer.

    Parameters
    ----------
    task : ProbingTask
        Words and labels.
    step : Probe
        Says how intervals are made.
    fits : list of Fit
        Probes of the task and of each control task.
    places : list of numpy.ndarray of int, each of shape (n_dev + n_test,)
        Their predictions.
    """
    n_train, n_dev = len(task.split.train), len(task.split.dev)
    kinds, codes = task.codes[0]
    right = _right(task, places)
    correct = right[0][n_dev:].astype(float)
    test = codes[n_train + n_dev :]

    def interval(values: np.ndarray) -> tuple[float, float]:
        return mean_interval(
            values,
            task.sentences,
            resamples=step.resamples,
            confidence=step.confidence,
            seed=step.seed,
        )

    low, high = interval(correct)
    facts = {
        "n_train": n_train,
        "n_test": len(correct),
        "n_classes": len(kinds),
        "n_unseen": int((test < 0).sum()),
        "accuracy": float(correct.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "dev_accuracy": float(right[0][:n_dev].mean()) if n_dev else None,
        "majority": float((test == np.bincount(codes[:n_train]).argmax()).mean()),
        "control_accuracy": None,
        "selectivity": None,
        "selectivity_low": None,
        "selectivity_high": None,
        "zeros": float((fits[0].coefficients == 0).mean()),
        "converged": all(fit.converged for fit in fits),
        "control_converged": [fit.converged for fit in fits[1:]],
        "objective": fits[0].objective,
        "gap": fits[0].gap if np.isfinite(fits[0].gap) else None,
        "iterations": fits[0].iterations,
    }
    if len(right) > 1:
        control = np.mean([values[n_dev:] for values in right[1:]], axis=0)
        low, high = interval(correct - control)
        facts["control_accuracy"] = float(control.mean())
        facts["selectivity"] = float((correct - control).mean())
        facts["selectivity_low"], facts["selectivity_high"] = low, high
    return facts
