"""Run a study: the method from text and models to alignments, each result kept and re-used."""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tunescope.activations.extract import extract
from tunescope.errors import InputError, nearest
from tunescope.files import atomic_file, write_json
from tunescope.study.classifiers import lexicon_of
from tunescope.study.concepts import concepts, selection, to_cluster
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.layers import layers
from tunescope.study.models import models, pruning
from tunescope.study.neurons import neurons
from tunescope.study.read import read
from tunescope.study.result import Run
from tunescope.study.shared import labels_of
from tunescope.triggers.lexicon import find_lexicon

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
        If the study or a corpus cannot be used, or nothing could be done. Finished steps stay. A
        model or task that cannot be used, or a step that fails, is said, kept in `Run.failed`, and
        does not stop the others.
    """
    command = _command(study)
    study = study if isinstance(study, Study) else Study.load(study)
    if study.triggers_lexicon is not None:
        find_lexicon(lexicon_of(study))
    out = Path("runs", study.name) if out is None else Path(out)
    with Jobs.working(out) as jobs:
        with atomic_file(out / "study.toml") as temporary:
            temporary.write_text(study.text, encoding="utf-8")
        versions = {name: version(name) for name in LIBRARIES}
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
    worked = any(job.state == "done" and job.step not in ("corpus", "task") for job in jobs.list)
    if jobs.failed and not worked:
        raise InputError("; ".join(f"{job}: {said}" for job, said in jobs.failed.items()))
    return Run.load(out)


def _command(study: Study | Path | str) -> str:
    """Return what was typed or called: the pages name it under every figure."""
    if Path(sys.argv[0]).name == "tunescope":
        return shlex.join(["tunescope", *sys.argv[1:]])
    given = "study" if isinstance(study, Study) else repr(str(study))
    return f"tunescope.run({given})"


def follow(study: Study, out: Path, jobs: Jobs, device: str = "auto") -> None:
    """Go through the steps of a study, in the order of the method.

    What "go through" means is up to `jobs`: do each step, or only look at what is there.
    """
    corpora = {
        name: jobs.do(
            "corpus", name, out / "corpora" / name, read, source, name, study.folder, needed=True
        )
        for name, source in study.corpora.items()
    }  # fmt: skip
    check_labels(study, corpora)
    if jobs.does:  # only now are the label columns known, for each of which there are jobs
        with Jobs.looking(out) as seen:
            follow(study, out, seen)
        jobs.plan(seen.list)
    selections = {name: selection(study, corpora[name]) for name in study.clustered}
    found = models(study, out, jobs, device)
    by_layer = {*study.probed, *study.measured}
    whole = {*by_layer, *study.ranked, *study.contributing}
    extracted = {}
    for name in study.used:
        selected = selections.get(name, ABSENT)
        words = corpora[name] if name in whole else selected
        clustered = to_cluster(study) if name in study.clustered else []
        refs = dict(found.named)
        for variant, ref in found.variants.items():
            if name in by_layer or variant.name in clustered:
                refs[variant.name] = ref
        everything = {
            model: jobs.do(
                "extract", f"{name}/{model}", out / "activations" / name / model,
                extract, words, ref, device=device, step=study.extract,
            )
            for model, ref in refs.items()
        }  # fmt: skip
        extracted[name] = stores = {model: everything[model] for model in found.named}
        if name in by_layer:
            layers(study, out, jobs, corpora[name], everything)
        if name in study.ranked:
            neurons(study, out, jobs, corpora, name, found.named, stores, device)
        if name in study.clustered:
            of = {model: everything[model] for model in clustered}
            concepts(study, out, jobs, name, selected, of, found, device)
    pruning(study, out, jobs, extracted, found, device)


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
