"""Run a study: the method from text and models to alignments, each result kept and re-used."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from tunescope.activations.extract import extract
from tunescope.errors import InputError, nearest
from tunescope.files import atomic_file, write_json
from tunescope.latent.alignment import align
from tunescope.latent.concepts import check_enough, concepts
from tunescope.latent.selection import select_words
from tunescope.models.finetune import finetune
from tunescope.models.load import check_comparable
from tunescope.models.reference import find_model
from tunescope.probes.compare import compare_probes
from tunescope.probes.layerwise import probe
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.neurons import neurons
from tunescope.study.read import read
from tunescope.study.result import Run
from tunescope.study.shared import common_rows, labels_of

LIBRARIES = ("torch", "transformers", "numpy", "scikit-learn", "pyarrow")


def run(
    study: Study | Path | str,
    out: Path | str | None = None,
    *,
    device: str = "auto",
) -> Run:
    """Run a whole study, or what is left of it.

    Parameters
    ----------
    study : Study, Path or str
        A study file.
    out : Path or str, optional
        The run's folder; `runs/NAME` when not given. What it holds already and still fits is
        used; what an interrupted run left is gone on with.
    device : str
        Where models run: `auto`, `cpu`, `cuda:1`, ...

    Returns
    -------
    Run
        All results.

    Raises
    ------
    InputError
        If the study, a corpus or a model cannot be used. Finished steps stay.
    """
    study = study if isinstance(study, Study) else Study.load(study)
    out = Path("runs", study.name) if out is None else Path(out)
    with Jobs.working(out) as jobs:
        with atomic_file(out / "study.toml") as temporary:
            temporary.write_text(study.text, encoding="utf-8")
        versions = {name: version(name) for name in LIBRARIES}
        command = shlex.join(["tunescope", *sys.argv[1:]]) if _is_command() else "tunescope.run()"
        about = {
            "name": study.name,
            "description": study.description.strip(),
            "folder": str(study.folder.resolve()),
            "seed": study.seed,
            "command": command,
            "versions": versions | {"tunescope": version("tunescope")},
            "pairs": study.pairs,
        }
        write_json(out / "manifest.json", about)
        follow(study, out, jobs, device)
    return Run.load(out)


def _is_command() -> bool:
    return Path(sys.argv[0]).name == "tunescope"


def follow(study: Study, out: Path, jobs: Jobs, device: str = "auto") -> None:
    """Go through the steps of a study, in the order of the method.

    What "go through" means is up to `jobs`: do each step, or only look at what is there.
    """
    corpora = {
        name: jobs.do("corpus", name, out / "corpora" / name, read, source, name, study.folder)
        for name, source in study.corpora.items()
    }
    check_labels(study, corpora)
    selections = {name: _selection(study, corpora[name]) for name in study.clustered}
    models = _models(study, out, jobs, device)
    whole = {*study.probed, *study.ranked}
    used = [n for n in study.corpora if n in {*whole, *study.clustered}]
    for name in used:
        selected = selections.get(name, ABSENT)
        words = corpora[name] if name in whole else selected
        stores = {
            model: jobs.do(
                "extract", f"{name}/{model}", out / "activations" / name / model,
                extract, words, ref, device=device, step=study.extract,
            )
            for model, ref in models.items()
        }  # fmt: skip
        if name in study.probed:
            _probes(study, out, jobs, corpora[name], stores)
        if name in study.ranked:
            neurons(study, out, jobs, corpora, name, models, stores, device)
        if name in study.clustered:
            _concepts(study, out, jobs, name, selected, stores)


def _models(study: Study, out: Path, jobs: Jobs, device: str) -> dict[str, Any]:
    """Find the models, check that they can be compared, then tune those to be tuned."""
    found: dict[str, Any] = {
        name: find_model(source, name=name, relative_to=study.folder)
        for name, source in study.models.items()
        if source.path is not None
    }
    for base, tuned in study.pairs:
        if tuned in found:
            check_comparable(found[base], found[tuned], study.extract.stack)
    used = dict.fromkeys(source.task for source in study.models.values() if source.task)
    tasks = {
        task: jobs.do(
            "corpus", f"task-{task}", out / "corpora" / f"task-{task}",
            read, study.tasks[task], task, study.folder,
        )
        for task in used
    }  # fmt: skip
    for name, source in study.models.items():
        if source.task is not None and source.base is not None:
            tuned = jobs.do(
                "finetune", name, out / "models" / name, finetune, found[source.base],
                tasks[source.task], device=device, step=study.finetune_step(name),
            )  # fmt: skip
            found[name] = tuned if tuned is ABSENT else find_model(tuned.path, name=name)
    return {name: found[name] for name in study.models}


def check_labels(study: Study, corpora: dict[str, Any]) -> None:
    """Check, before anything slow begins, that the label columns the study names are there.

    Parameters
    ----------
    study : Study
        `[probe]` and `[align]` may name label columns.
    corpora : dict
        Its corpora, by name; one that is ABSENT is passed over.

    Raises
    ------
    InputError
        If a column is in none of the corpora that the step works on, or a corpus to probe has none
        of the columns.
    """
    asked = {
        "probe": (study.probe_labels, study.probed),
        "rank": (study.rank_labels, study.ranked),
        "align": (study.align.labels or () if study.align else (), study.clustered),
    }
    for step, (labels, names) in asked.items():
        found = [corpora[name] for name in names if corpora[name] is not ABSENT]
        offered = sorted({label for corpus in found for label in corpus.labels})
        for label in labels:
            if label not in offered and len(found) == len(names):
                hint = nearest(label, offered) if offered else "they have no label columns"
                raise InputError(
                    f"[{step}] labels: no column {label!r} in corpora {', '.join(names)}; {hint}"
                )
    for step, done in (("probe", "probed"), ("rank", "ranked for")):
        labels, names = asked[step]
        for name in names:
            if corpora[name] is not ABSENT and not labels_of(corpora[name], labels):
                columns = ", ".join(corpora[name].labels)
                having = (
                    f"its label columns are {columns}" if columns else "it has no label columns"
                )
                raise InputError(
                    f"corpus {name!r} cannot be {done}: {having}; set corpora in [{step}] to others"
                )


def _selection(study: Study, corpus: Any) -> Any:
    """Choose the words to cluster before anything is tuned or extracted."""
    if corpus is ABSENT or study.concepts is None:
        return ABSENT
    selected = select_words(corpus, study.concepts)
    check_enough(selected, study.concepts)
    return selected


def _probes(study: Study, out: Path, jobs: Jobs, corpus: Any, stores: dict[str, Any]) -> None:
    if corpus is ABSENT:
        return
    rows = common_rows(stores)
    for label in labels_of(corpus, study.probe_labels):
        folder = out / "probes" / corpus.name / quote(label, safe="")
        probes = {
            model: jobs.do(
                "probe", f"{corpus.name}/{label}/{model}", folder / model,
                probe, store, label, rows=rows, step=study.probe,
            )
            for model, store in stores.items()
        }  # fmt: skip
        for base, tuned in study.pairs:
            if ABSENT not in (probes[base], probes[tuned]) and jobs.does:
                compare_probes(probes[base], probes[tuned]).save(folder / f"{base}--{tuned}")


def _concepts(
    study: Study, out: Path, jobs: Jobs, name: str, selected: Any, stores: dict[str, Any]
) -> None:
    rows = common_rows(stores)
    if selected is ABSENT or rows is ABSENT:
        words: Any = ABSENT
    else:
        whole = next(iter(stores.values())).corpus
        places = selected.rows_in(whole)
        words = selected.select(np.flatnonzero(np.isin(places, rows)))
    found = {
        model: jobs.do(
            "concepts", f"{name}/{model}", out / "concepts" / name / model,
            concepts, store, words=words, step=study.concepts,
        )
        for model, store in stores.items()
    }  # fmt: skip
    if study.align is None:
        return
    step = study.align
    if step.labels is not None and words is not ABSENT:
        step = replace(step, labels=tuple(labels_of(words, step.labels)))
    for base, tuned in study.pairs:
        jobs.do(
            "align", f"{name}/{base}--{tuned}", out / "alignment" / name / f"{base}--{tuned}",
            align, found[base], found[tuned], words=words, step=step,
        )  # fmt: skip
