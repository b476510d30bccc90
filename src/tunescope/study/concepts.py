"""The part of a study about latent concepts: choose words, cluster them, align the clusters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tunescope.concepts.alignment.align import align
from tunescope.concepts.discover import check_enough, discover_concepts
from tunescope.concepts.naming.name import name_concepts
from tunescope.concepts.projection.step import project
from tunescope.concepts.selection import select_words
from tunescope.concepts.stability.step import concept_stability
from tunescope.concepts.trajectory.step import trace_concepts
from tunescope.errors import InputError, NotApplicable
from tunescope.paths import resolve_path
from tunescope.study.classifiers import classifier, not_a_classifier
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.models import Models
from tunescope.study.predictions import predict_classes
from tunescope.study.shared import common_rows

IN_FILE = "file:"
"""Start of a prompt that is in a file."""
TO_DO = ("missing", "partial", "stale")
"""States of a job, only looked at, that the next run does."""


def selection(study: Study, corpus: Any) -> Any:
    """Choose the words to cluster, before anything is tuned or extracted.

    Parameters
    ----------
    study : Study
        `[concepts]` has the rule.
    corpus : Corpus
        To choose from.

    Returns
    -------
    Corpus
        ABSENT where the corpus is, or no concepts are to be found.
    """
    if corpus is ABSENT or study.concepts is None:
        return ABSENT
    selected = select_words(corpus, study.concepts)
    check_enough(selected, study.concepts)
    return selected


def to_cluster(study: Study) -> list[str]:
    """Return the models whose concepts are found: further seeds to align, checkpoints to trace."""
    found = list(study.models)
    for variant in study.variants:
        wanted = study.align if variant.fraction == 1 else study.trace
        if wanted is not None:
            found.append(variant.name)
    return found


def concepts(
    study: Study,
    out: Path,
    jobs: Jobs,
    name: str,
    selected: Any,
    stores: dict[str, Any],
    found: Models,
    device: str,
) -> None:
    """Find the concepts of every model in one corpus, and do all that is done with them.

    Parameters
    ----------
    study : Study
        With `[concepts]`.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    name : str
        The corpus.
    selected : Corpus
        The words of it that are clustered.
    stores : dict of str to ActivationStore
        Activations on it of all models in `to_cluster`.
    found : Models
        The models.
    device : str
        Where models run.
    """
    rows = common_rows(stores)
    if selected is ABSENT or rows is ABSENT:
        words: Any = ABSENT
    else:
        whole = next(store for store in stores.values() if store is not ABSENT).corpus
        places = selected.rows_in(whole)
        words = selected.select(np.flatnonzero(np.isin(places, rows)))
    clustered = {
        model: jobs.do(
            "concepts", f"{name}/{model}", out / "concepts" / name / model,
            discover_concepts, store, words=words, step=study.concepts,
        )
        for model, store in stores.items()
    }  # fmt: skip
    said, aligned = {}, {}
    for pair in study.pairs:
        said[pair] = _with_predictions(study, out, jobs, name, pair[1], words, found, device)
        aligned[pair] = _align(study, out, jobs, name, pair, said[pair], clustered)
        _project(study, out, jobs, name, pair, said[pair], stores, clustered)
        _follow(study, out, jobs, name, pair, words, stores, clustered, found)
    for model in study.alone:
        _project(study, out, jobs, name, (model, None), words, stores, clustered)
    names = _names(study, out, jobs, name, clustered, aligned)
    for base, tuned in study.pairs:
        pair = base, tuned
        classifier(
            study, out, jobs, name, tuned, said[pair], stores[tuned], clustered[tuned],
            aligned[pair], names.get(tuned), found, device,
        )  # fmt: skip


def _with_predictions(
    study: Study, out: Path, jobs: Jobs, name: str, tuned: str, words: Any, found: Models,
    device: str,
) -> Any:  # fmt: skip
    """Return the words with the classes that the tuned model predicts, where it predicts some."""
    folder, model = out / "predictions" / name / tuned, found.named[tuned]
    if study.align is None or words is ABSENT or not_a_classifier(model):
        return words
    said = jobs.do(
        "predict", f"{name}/{tuned}", folder, predict_classes, words, model, device=device,
        optional=NotApplicable,
    )  # fmt: skip
    return words if said is ABSENT else said


def _align(
    study: Study, out: Path, jobs: Jobs, name: str, pair: tuple[str, str], words: Any,
    clustered: dict[str, Any],
) -> Any:  # fmt: skip
    """Align a base with a tuned model, and with its further seeds; return the first alignment."""
    if study.align is None:
        return None
    step, (base, tuned) = study.align, pair
    if step.labels is not None and words is not ABSENT:
        there = (label for label in step.labels if label in words.labels)  # none stay none
        step = replace(step, labels=tuple(there))
    if step.computed:
        step = replace(step, computed=tuple(_placed(kind, study.folder) for kind in step.computed))
    ends = [tuned, *(v.name for v in study.variants if v.model == tuned and v.fraction == 1)]
    made = [
        jobs.do(
            "align", f"{name}/{base}--{end}", out / "alignment" / name / f"{base}--{end}",
            align, clustered[base], clustered[end], words=words, step=step,
        )
        for end in ends
    ]  # fmt: skip
    return made[0]


def _project(
    study: Study, out: Path, jobs: Jobs, name: str, pair: tuple[str, str | None], words: Any,
    stores: dict[str, Any], clustered: dict[str, Any],
) -> None:  # fmt: skip
    """Draw the words of a pair of models in two dimensions, or those of one model."""
    if study.project is None:
        return
    base, tuned = pair
    what = "--".join(filter(None, pair))
    jobs.do(
        "project", f"{name}/{what}", out / "projection" / name / what, project,
        stores[base], stores[tuned] if tuned else None, base_concepts=clustered[base],
        tuned_concepts=clustered[tuned] if tuned else None, words=words, step=study.project,
    )  # fmt: skip


def _follow(
    study: Study, out: Path, jobs: Jobs, name: str, pair: tuple[str, str], words: Any,
    stores: dict[str, Any], clustered: dict[str, Any], found: Models,
) -> None:  # fmt: skip
    """Measure what of an alignment is noise, and follow concepts over checkpoints."""
    base, tuned = pair
    what = f"{base}--{tuned}"
    if study.stability is not None:
        jobs.do(
            "stability", f"{name}/{what}", out / "stability" / name / what, concept_stability,
            clustered[base], stores[base], tuned=stores[tuned], optional=InputError,
            step=study.stability,
        )  # fmt: skip
    way = [v for v in study.variants if v.model == tuned and v.fraction < 1]
    if study.trace is not None and way:
        way = sorted(way, key=lambda variant: variant.fraction)
        points = [clustered[base], *(clustered[v.name] for v in way), clustered[tuned]]
        jobs.do(
            "trace", f"{name}/{what}", out / "trace" / name / what, trace_concepts,
            ABSENT if ABSENT in points else points,
            fractions=[0.0, *(v.fraction for v in way), 1.0], words=words,
            tuning=next((made for made in found.tuned if made.path.name == tuned), None),
            step=study.trace,
        )  # fmt: skip


def _names(
    study: Study, out: Path, jobs: Jobs, name: str, clustered: dict[str, Any],
    aligned: dict[tuple[str, str], Any],
) -> dict[str, Any]:  # fmt: skip
    """Ask for names of the concepts of the study's models; return them by model.

    Names that are still to be asked for, be it some of them, are ABSENT: what is made with them
    waits. Where they cannot be had, there are none. What became of a base's concepts is asked of
    its first tuned model.
    """
    step = study.names
    if step is None:
        return {}
    if step.prompt is not None and step.prompt.startswith(IN_FILE):
        place = resolve_path(step.prompt.removeprefix(IN_FILE), study.folder)
        step = replace(step, prompt=f"{IN_FILE}{place}")
    made = {}
    for model in study.models:
        alignment = next((found for pair, found in aligned.items() if model in pair), None)
        if alignment is ABSENT and step.which == ("counted",):
            alignment = None  # nothing is asked of it
        named = jobs.do(
            "name", f"{name}/{model}", out / "names" / name / model, name_concepts,
            clustered[model], alignment=alignment, step=step,
        )  # fmt: skip
        if named is not ABSENT or jobs.list[-1].state in TO_DO:
            made[model] = named
    return made


def _placed(kind: str, folder: Path) -> str:
    """Let the path in a computed kind, such as that of word lists, start at the study file."""
    head, colon, place = kind.partition("}:") if "{" in kind else kind.partition(":")
    there = folder / place
    return f"{head}{colon}{there}" if place and there.exists() else kind
