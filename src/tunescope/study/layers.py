"""The part of a study that goes layer by layer: probes of every label column, and geometry.

Base and tuned model are compared on the words that the base and all that was tuned from it have.
Further seeds and checkpoints are probed and measured as the tuned model is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunescope.geometry.compare import compare_geometry
from tunescope.probes.columns import Tasks
from tunescope.probes.compare import compare_probes
from tunescope.probes.layerwise import probe_columns
from tunescope.probes.result import LayerProbes
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.shared import common_rows, compare_once, labels_of
from tunescope.study.variants import end_of_way


def layers(
    study: Study,
    out: Path,
    jobs: Jobs,
    corpus: Any,
    stores: dict[str, Any],
) -> None:
    """Probe and measure every layer of every model on one corpus.

    Parameters
    ----------
    study : Study
        With `[probe]` or `[geometry]`.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    corpus : Corpus
        Words with labels.
    stores : dict of str to ActivationStore
        Activations of the study's models on it, and of their further seeds and checkpoints.
    """
    if corpus is ABSENT:
        return
    name, tasks = corpus.name, Tasks()
    for base in study.bases:
        members = study.family(base)
        rows = common_rows({member: stores[member] for member in members})
        if name in study.probed:
            _probes(study, out, jobs, corpus, {m: stores[m] for m in members}, rows, tasks)
        if name in study.measured:
            for member in members[1:]:
                pair = f"{base}--{member}"
                jobs.do(
                    "geometry", f"{name}/{pair}", out / "geometry" / name / pair, compare_geometry,
                    stores[base], stores[member], rows=rows, step=study.geometry,
                )  # fmt: skip


def _probes(
    study: Study, out: Path, jobs: Jobs, corpus: Any, stores: dict[str, Any], rows: Any,
    tasks: Tasks,
) -> None:  # fmt: skip
    """Probe all label columns of a base and what was tuned from it, and compare."""
    folders = {
        label: out / "probes" / corpus.name / quote(label, safe="")
        for label in labels_of(corpus, study.probe_labels)
    }
    probes: dict[str, dict[str, Any]] = {label: {} for label in folders}
    for model, store in stores.items():
        places = {label: folder / model for label, folder in folders.items()}
        if jobs.does and store is not ABSENT and rows is not ABSENT:
            # All columns share the passes; what fails is met again, and kept, column by column.
            jobs.together(
                [("probe", f"{corpus.name}/{label}/{model}", place)
                 for label, place in places.items()],
                probe_columns, store, places, rows=rows, tasks=tasks, step=study.probe,
            )  # fmt: skip
        for label, place in places.items():
            probes[label][model] = jobs.do(
                "probe", f"{corpus.name}/{label}/{model}", place, _probe, store, label, rows=rows,
                tasks=tasks, step=study.probe,
            )  # fmt: skip
    for label, folder in folders.items():
        for base, tuned in study.pairs:
            if base in stores and jobs.does:
                for name, members in _runs(study, tuned).items():
                    there = [probes[label][m] for m in members if probes[label][m] is not ABSENT]
                    if there and probes[label][base] is not ABSENT:
                        jobs.attempt(
                            "compare", f"{corpus.name}/{label}/{base}--{name}", compare_once,
                            folder / f"{base}--{name}", compare_probes, probes[label][base], there,
                        )  # fmt: skip


def _runs(study: Study, tuned: str) -> dict[str, list[str]]:
    """Return what is compared with the base: all seeds of a model, and each of its checkpoints.

    Checkpoints are those of the first seed, so the way they are on ends with it alone.
    """
    of_model = [v for v in study.variants if v.model == tuned]
    seeds = [tuned, *(v.name for v in of_model if v.fraction == 1)]
    way = {v.name: [v.name] for v in of_model if v.fraction < 1}
    return {tuned: seeds, **way, **({end_of_way(tuned): [tuned]} if way else {})}


def _probe(store: Any, label: str, out: Path, *, rows: Any, tasks: Tasks, step: Any) -> LayerProbes:
    """Probe one column, or return it where it is done."""
    return probe_columns(store, {label: out}, rows=rows, tasks=tasks, step=step)[label]
