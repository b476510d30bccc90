"""The part of a study about tuned classifiers and their concepts: triggers, explanations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunescope.explanations.check import check_explanations
from tunescope.explanations.mapping import map_concepts
from tunescope.models.load import find_device
from tunescope.paths import resolve_path
from tunescope.study.examples import explain_examples
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.models import Models
from tunescope.tasks.data import TaskData
from tunescope.triggers.find import find_triggers

TABLES = ("triggers", "explain", "check_explanations")
"""Steps that need texts which the model was not tuned on."""


def classifier(
    study: Study,
    out: Path,
    jobs: Jobs,
    name: str,
    tuned: str,
    words: Any,
    store: Any,
    concepts: Any,
    alignment: Any,
    found: Models,
    device: str,
) -> None:
    """Try the concepts of one tuned model as triggers, and explain its predictions by them.

    What needs a classifier is skipped, with the reason, where the model is none.

    Parameters
    ----------
    study : Study
        `[triggers]`, `[map_concepts]`, `[explain]` and `[check_explanations]`, as far as given.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    name : str
        The corpus.
    tuned : str
        The model.
    words, store, concepts, alignment : Corpus, ActivationStore, LayerConcepts, Alignment
        Its words with the classes it predicts, its activations, its concepts, and their alignment
        with those of its base (None where nothing is aligned).
    found : Models
        The model, and the tasks.
    device : str
        Where the model runs.
    """
    what, model = f"{name}/{tuned}", found.named[tuned]
    texts = {table: _texts(study, found, tuned, table) for table in TABLES}
    if study.triggers is not None:
        lexicon = study.triggers_lexicon
        if lexicon not in (None, "vader"):
            lexicon = str(resolve_path(lexicon, study.folder))
        jobs.do(
            "triggers", what, out / "triggers" / name / tuned, find_triggers, model, concepts,
            texts["triggers"], words=words, activations=store, lexicon=lexicon, device=device,
            optional=True, step=study.triggers,
        )  # fmt: skip
    mapper: Any = ABSENT
    if study.map_concepts is not None:
        mapper = jobs.do(
            "map_concepts", what, out / "mappers" / name / tuned, map_concepts, store, concepts,
            device=str(find_device(device)), step=study.map_concepts,
        )  # fmt: skip
    if study.explain is not None:
        jobs.do(
            "explain", what, out / "explanations" / name / tuned, explain_examples, model, concepts,
            mapper, texts["explain"], alignment=alignment, device=device, optional=True,
            step=study.explain,
        )  # fmt: skip
    if study.check_explanations is not None and name == study.clustered[0]:
        jobs.do(
            "check_explanations", tuned, out / "explanation_checks" / tuned,
            check_explanations, model, texts["check_explanations"], device=device, optional=True,
            step=study.check_explanations,
        )  # fmt: skip


def _texts(study: Study, found: Models, tuned: str, table: str) -> Any:
    """Return the dev texts of the task a model was tuned on, or of the one that a table names."""
    of_model = study.models[tuned].task
    named = getattr(study, f"{table}_tasks")
    name = of_model or (named[0] if named else None)
    if name is None:
        return TaskData((), ())
    task = found.tasks[name]
    if task is ABSENT or task.dev is not None:
        return task if task is ABSENT else task.dev
    step = study.finetune_step(tuned) if of_model else study.finetune
    return task.held_out(step.dev_share, step.dev_seed).dev
