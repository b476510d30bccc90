"""Fit a probe on every layer (Durrani et al. 2021, arXiv 2105.15179, section 3).

All label columns of a model, each a task and its control tasks, are fitted together, layer by
layer: a layer is read once, and the passes of the solver over it are shared. A layer that is done
is on disk and not fitted again. What comes out for a column does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.files import atomic_directory, write_json, write_table
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.probes.columns import Column, Tasks, same_words
from tunescope.probes.features import Features
from tunescope.probes.layer_facts import layer_facts, predict, word_table
from tunescope.probes.problem import Fit, Problem
from tunescope.probes.result import LayerProbes
from tunescope.probes.solver import fit_many
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
    return probe_columns(store, {label: out}, rows=rows, step=step)[label]


@step_function(Probe)
def probe_columns(
    store: ActivationStore | str | Path,
    folders: Mapping[str, str | Path],
    *,
    rows: np.ndarray | None = None,
    tasks: Tasks | None = None,
    step: Probe,
) -> dict[str, LayerProbes]:
    """Fit probes of several label columns on every layer in shared passes.

    Each folder then holds what `probe` writes for its column alone, byte for byte.

    Parameters
    ----------
    store : ActivationStore, str or Path
        Activations, or the folder they are in.
    folders : mapping of str to str or Path
        Folder to write for each label column; one that is done is not fitted again, and one that an
        interrupted call left is gone on with.
    rows : numpy.ndarray of int, optional
        Words to use, all valid ones when not given. Columns that have labels for the same words of
        these share the passes over them.
    tasks : Tasks, optional
        Splits and control labels made for other models, and place for those made now.
    step : Probe
        Parameters.

    Returns
    -------
    dict of str to LayerProbes
        By label column.

    Raises
    ------
    InputError
        As `probe`, before anything is fitted if the labels are at fault.
    """
    store = store if isinstance(store, ActivationStore) else ActivationStore.load(store)
    tasks = Tasks() if tasks is None else tasks
    rows = np.arange(store.n_words) if rows is None else rows
    columns = [
        Column.of(store, label, Path(out), tasks.of(store, label, rows, step))
        for label, out in folders.items()
    ]
    for group in same_words(columns):
        _probe_group(store, [c for c in group if begin(c.out, step, c.inputs) is None], step)
    return {column.label: LayerProbes.load(column.out) for column in columns}


def _probe_group(store: ActivationStore, columns: list[Column], step: Probe) -> None:
    """Fit what is missing of columns over the same words."""
    missing = {
        layer: [column for column in columns if not column.folder(layer).exists()]
        for layer in store.layers
    }
    labels = ", ".join(column.label for column in columns)
    title = f"probe {labels} of {store.corpus.name} in {store.model}"
    total = sum(len(wanted) for wanted in missing.values())
    with tqdm(desc=title, total=len(store.layers), unit="layer", disable=not total) as bar:
        for layer, wanted in missing.items():
            if wanted:
                _probe_layer(store, layer, wanted, step, bar)
            bar.update()
    for column in columns:
        facts = {"layers": list(store.layers), "classes": column.task.classes.tolist()}
        finish(column.out, step, column.inputs, facts)


def _probe_layer(
    store: ActivationStore, layer: int, columns: list[Column], step: Probe, bar: tqdm[Any]
) -> None:
    """Fit tasks and controls of columns over the same words on one layer; write what came out."""
    split, values = columns[0].task.split, store[layer]
    try:
        features = Features(values[split.train], standardize=step.standardize)
    except InputError as error:
        raise InputError(f"{store.path}, layer {layer}: {error}") from None
    # The solver sums the loss over words; a mean is that sum with penalties n times as large.
    scale = features.n if step.loss == "mean" else 1
    problems = [
        [Problem(codes[: features.n], step.l1 * scale, step.l2 * scale)
         for _, codes in column.task.codes]
        for column in columns
    ]  # fmt: skip
    fits = iter(
        fit_many(
            features,
            [problem for part in problems for problem in part],
            tolerance=step.tolerance,
            max_iterations=step.max_iterations,
            parts=[len(part) for part in problems],
            progress=lambda iteration, gap: bar.set_postfix(iteration=iteration, gap=f"{gap:.0e}"),
        )
    )
    found = [[next(fits) for _ in part] for part in problems]
    unseen = np.concatenate([split.dev, split.test])
    for column, probes, places in zip(columns, found, predict(values, unseen, found), strict=True):
        _write(column, layer, step, probes, places)


def _write(
    column: Column, layer: int, step: Probe, fits: list[Fit], places: list[np.ndarray]
) -> None:
    """Write a layer's folder of one column."""
    tensors = {"coefficients": fits[0].coefficients, "intercepts": fits[0].intercepts}
    facts = {"layer": layer} | layer_facts(column.task, step, fits, places)
    with atomic_directory(column.folder(layer)) as partial:
        save_file(tensors, partial / "probe.safetensors")
        write_table(partial / "words.parquet", word_table(column.task, places))
        write_json(partial / "facts.json", facts)
