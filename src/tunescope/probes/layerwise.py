"""Fit a probe on every layer (Durrani et al. 2021, arXiv 2105.15179, section 3).

The task and its control tasks are fitted together, layer by layer; a layer that is done is on disk
and not fitted again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore, layer_folder
from tunescope.errors import InputError
from tunescope.files import atomic_directory, write_json, write_table
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.probes.features import Features
from tunescope.probes.problem import Fit, Problem
from tunescope.probes.result import LayerProbes
from tunescope.probes.solver import fit_many
from tunescope.probes.statistics import mean_interval
from tunescope.probes.task import ProbingTask
from tunescope.steps import Probe


@step_function(Probe)
def probe(
    store: ActivationStore | str | Path,
    label: str,
    out: str | Path,
    *,
    rows: np.ndarray | None = None,
    step: Probe,
) -> LayerProbes:
    """Fit an elastic-net probe of a label column on every layer, with control tasks.

    Parameters
    ----------
    store : ActivationStore, str or Path
        Activations, or the folder they are in.
    label : str
        Label column of the store's corpus.
    out : str or Path
        Folder to write; one that an interrupted call left is gone on with.
    rows : numpy.ndarray of int, optional
        Words to use, all valid ones when not given. Models to be compared need the same words:
        give `common_words(base, tuned)`.
    step : Probe
        Parameters.

    Returns
    -------
    LayerProbes

    Raises
    ------
    InputError
        If the column is missing or has one class only, train or test is empty, there are no more
        training words than classes, or an activation is not finite.
    """
    store = store if isinstance(store, ActivationStore) else ActivationStore.load(store)
    out = Path(out)
    task = ProbingTask(
        store,
        label,
        np.arange(store.n_words) if rows is None else rows,
        dev_share=step.dev_share,
        test_share=step.test_share,
        control_seeds=step.control_seeds,
        seed=step.seed,
    )
    inputs = {
        "store": store.key,
        "corpus": store.corpus.name,
        "model": store.model,
        "label": label,
        "words": task.hash(),
    }
    if begin(out, step, inputs) is not None:
        return LayerProbes.load(out)
    missing = [layer for layer in store.layers if not (out / layer_folder(layer)).exists()]
    title = f"probe {label} of {store.corpus.name} in {store.model}"
    with tqdm(desc=title, total=len(store.layers), unit="layer") as bar:
        bar.update(len(store.layers) - len(missing))
        for layer in missing:
            _probe_layer(store, layer, task, step, out / layer_folder(layer), bar)
            bar.update()
    finish(out, step, inputs, {"layers": list(store.layers), "classes": task.classes.tolist()})
    return LayerProbes.load(out)


def _probe_layer(
    store: ActivationStore, layer: int, task: ProbingTask, step: Probe, folder: Path, bar: tqdm[Any]
) -> None:
    """Fit task and controls on one layer and write what came out."""
    split = task.split
    try:
        features = Features(store[layer][split.train], standardize=step.standardize)
    except InputError as error:
        raise InputError(f"{store.path}, layer {layer}: {error}") from None
    # The solver sums the loss over words; a mean is that sum with penalties n times as large.
    scale = features.n if step.loss == "mean" else 1
    kinds, problems = [], []
    for labels in task.labels:
        found, targets = np.unique(labels[task.train].astype(str), return_inverse=True)
        kinds.append(found)
        problems.append(Problem(targets, step.l1 * scale, step.l2 * scale))
    fits = fit_many(
        features,
        problems,
        tolerance=step.tolerance,
        max_iterations=step.max_iterations,
        progress=lambda iteration, gap: bar.set_postfix(iteration=iteration, gap=f"{gap:.0e}"),
    )
    predicted = [
        kind[place]
        for kind, place in zip(kinds, _predict(store, layer, task.rows, fits), strict=True)
    ]
    right = [p == labels for p, labels in zip(predicted, task.labels, strict=True)]
    test = slice(len(split.train) + len(split.dev), None)
    words = pa.table(
        {
            "word": split.test,
            "sentence": task.sentences,
            "predicted": predicted[0][test].tolist(),
            "correct": right[0][test],
            **{f"control_{n}": control[test] for n, control in enumerate(right[1:])},
        }
    )
    tensors = {"coefficients": fits[0].coefficients, "intercepts": fits[0].intercepts}
    with atomic_directory(folder) as partial:
        save_file(tensors, partial / "probe.safetensors")
        write_table(partial / "words.parquet", words)
        write_json(partial / "facts.json", {"layer": layer} | _facts(task, step, fits, right))


def _predict(
    store: ActivationStore, layer: int, rows: np.ndarray, fits: list[Fit]
) -> list[np.ndarray]:
    """Return every probe's class for every word, as places in its sorted labels."""
    places = [np.empty(len(rows), np.int64) for _ in fits]
    for start in range(0, len(rows), 16384):
        part = slice(start, start + 16384)
        x = store[layer][rows[part]].astype(np.float32, copy=False)
        for fit, place in zip(fits, places, strict=True):
            place[part] = (x @ fit.coefficients.T + fit.intercepts).argmax(axis=1)
    return places


def _facts(
    task: ProbingTask, step: Probe, fits: list[Fit], right: list[np.ndarray]
) -> dict[str, Any]:
    """Count and estimate what `LayerProbes.table` shows of one layer."""
    split = task.split
    n_train, n_dev = len(split.train), len(split.dev)
    test = slice(n_train + n_dev, None)
    truth = task.labels[0]
    kinds, counts = np.unique(truth[task.train].astype(str), return_counts=True)
    correct = right[0][test].astype(float)

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
        "n_unseen": int((~np.isin(truth[test].astype(str), kinds)).sum()),
        "accuracy": float(correct.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "dev_accuracy": float(right[0][n_train : n_train + n_dev].mean()) if n_dev else None,
        "majority": float((truth[test] == kinds[counts.argmax()]).mean()),
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
        control = np.mean([values[test] for values in right[1:]], axis=0)
        low, high = interval(correct - control)
        facts["control_accuracy"] = float(control.mean())
        facts["selectivity"] = float((correct - control).mean())
        facts["selectivity_low"], facts["selectivity_high"] = low, high
    return facts
