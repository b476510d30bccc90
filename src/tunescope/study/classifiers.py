"""The part of a study about tuned classifiers and their concepts: triggers, explanations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunescope.errors import InputError, NotApplicable
from tunescope.explanations.check import check_explanations
from tunescope.explanations.mapping import map_concepts
from tunescope.models.heads import find_measure
from tunescope.models.load import find_device
from tunescope.paths import resolve_path
from tunescope.study.examples import explain_examples
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.models import Models
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
    names: Any,
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
    names : ConceptNames, optional
        Names of its concepts.
    found : Models
        The model, and the tasks.
    device : str
        Where the model runs.
    """
    asked = [table for table in (*TABLES, "map_concepts") if getattr(study, table) is not None]
    what, model = f"{name}/{tuned}", found.named[tuned]
    reason = not_a_classifier(model)
    if reason:
        for table in asked:
            jobs.skip(table, what, out, reason)
        return
    texts = {table: _texts(study, found, tuned, table) for table in asked}
    for table in TABLES:  # all but the mapper need texts
        if table in texts and texts[table] is None:
            jobs.skip(table, what, out, f"there are no texts to try: set tasks in [{table}]")
    if texts.get("triggers") is not None:
        _triggers(study, out, jobs, name, tuned, texts, words, store, concepts, model, device)
    mapper: Any = ABSENT
    if study.map_concepts is not None:
        mapper = jobs.do(
            "map_concepts", what, out / "mappers" / name / tuned, map_concepts, store, concepts,
            device=str(find_device(device)), step=study.map_concepts,
        )  # fmt: skip
    if texts.get("explain") is not None:
        jobs.do(
            "explain", what, out / "explanations" / name / tuned, explain_examples, model, concepts,
            mapper, texts["explain"], alignment=None if alignment is ABSENT else alignment,
            names=names, seed=study.seed, device=device, step=study.explain,
        )  # fmt: skip
    if texts.get("check_explanations") is not None and name == study.clustered[0]:
        jobs.do(
            "check_explanations", tuned, out / "explanation_checks" / tuned,
            check_explanations, model, texts["check_explanations"], device=device,
            step=study.check_explanations,
        )  # fmt: skip


def not_a_classifier(model: Any) -> str:
    """Say why a model predicts no class of a text; empty where it does, or is not there yet."""
    if model is ABSENT:
        return ""
    try:
        measure = find_measure(model)
    except InputError as error:
        return str(error)
    return (
        "" if measure == "task" else f"model {model.name!r} predicts words and no class of a text"
    )


def _triggers(
    study: Study, out: Path, jobs: Jobs, name: str, tuned: str, texts: dict[str, Any], words: Any,
    store: Any, concepts: Any, model: Any, device: str,
) -> None:  # fmt: skip
    what, folder = f"{name}/{tuned}", out / "triggers" / name / tuned
    assert study.triggers is not None
    column = "class" if study.triggers.polarity == "gold" else "predicted"
    if words is not ABSENT and not has_classes(words, column):
        kind = "class" if column == "class" else "predicted class"
        jobs.skip("triggers", what, folder, f"no sentence of corpus {name!r} has a {kind}")
        return
    jobs.do(
        "triggers", what, folder, find_triggers, model, concepts, texts["triggers"], words=words,
        activations=store, lexicon=lexicon_of(study), classes=study.models[tuned].classes,
        device=device, optional=NotApplicable, step=study.triggers,
    )  # fmt: skip


def has_classes(words: Any, column: str) -> bool:
    """Whether any sentence has a class, true (`class`) or `predicted`."""
    sentences = words.sentences
    return column in sentences.column_names and sentences[column].null_count < len(sentences)


def lexicon_of(study: Study) -> str | None:
    """Return the lexicon of `[triggers]`, a path as it can be opened."""
    given = study.triggers_lexicon
    return given if given in (None, "vader") else str(resolve_path(given, study.folder))


def _texts(study: Study, found: Models, tuned: str, table: str) -> Any:
    """Return the dev texts of the task a model was tuned on, or of the one that a table names.

    None where there is no task, or nothing to be asked for.
    """
    if table not in TABLES:
        return None
    of_model = study.models[tuned].task
    named = getattr(study, f"{table}_tasks")
    name = of_model or (named[0] if named else None)
    if name is None:
        return None
    task = found.tasks[name]
    if task is ABSENT or task.dev is not None:
        return task if task is ABSENT else task.dev
    step = study.finetune_step(tuned) if of_model else study.finetune
    return task.held_out(step.dev_share, step.dev_seed).dev
