"""Whether the parts of a study fit together: names are defined, steps have what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunescope.errors import InputError, nearest
from tunescope.models.reference import ModelSource
from tunescope.parameters import check_types

if TYPE_CHECKING:
    from tunescope.study.file import Study

WORK = ("probe", "geometry", "rank", "prune", "concepts")
"""Step tables that give a study something to do."""

NEEDS = {
    "select": "rank",
    "reduce": "rank",
    "intervene": "rank",
    "align": "concepts",
    "project": "concepts",
    "stability": "align",
    "trace": "align",
    "triggers": "align",
    "map_concepts": "concepts",
    "explain": "map_concepts",
    "check_explanations": "concepts",
    "names": "concepts",
}
"""Step tables that are of no use without another."""


def check(study: Study, where: str) -> None:
    """Check that the parts of a study fit together.

    Parameters
    ----------
    study : Study
        As read.
    where : str
        For messages.

    Raises
    ------
    InputError
        If a name refers to nothing, or nothing is to be done.
    """
    check_types(study, where)
    if not study.models:
        raise InputError(f"{where}: define a model: [models.NAME] with path = ...")
    needs_words = any(getattr(study, table) is not None for table in WORK if table != "prune")
    needs_words = needs_words or any(
        rule.startswith("contribution") for rule in (study.prune.drop if study.prune else ())
    )
    if not study.corpora and (needs_words or study.prune is None):
        raise InputError(f"{where}: define a corpus: [corpora.NAME] with path = ...")
    if all(getattr(study, table) is None for table in WORK):
        tables = ", ".join(f"[{table}]" for table in WORK[:-1])
        raise InputError(f"{where}: nothing to do; add a table {tables} or [{WORK[-1]}]")
    for table, needed in NEEDS.items():
        if getattr(study, table) is not None and getattr(study, needed) is None:
            raise InputError(f"{where}: [{table}] needs the table [{needed}]")
    _check_rankings(study, where)
    if len(study.intervene_sentences) > 1:
        raise InputError(
            f"{where}: [intervene] sentences: name one corpus, not "
            f"{len(study.intervene_sentences)}; changes on several cannot be averaged"
        )
    for name, model in study.models.items():
        _check_model(study, name, model, f"{where}: [models.{name}]")
    for table in WORK + ("intervene",):
        for key in ("corpora", "sentences"):
            for name in getattr(study, f"{table}_{key}", ()):
                if name not in study.corpora:
                    raise InputError(
                        f"{where}: [{table}] {key}: no corpus {name!r}; "
                        f"{nearest(name, study.corpora) if study.corpora else 'define it'}"
                    )
    _check_pruning(study, where)
    _check_texts(study, where)
    if study.geometry is not None and not study.pairs:
        raise InputError(f"{where}: [geometry] compares a tuned model with its base; name a base")


def _check_rankings(study: Study, where: str) -> None:
    """Check that what follows on rankings asks for some that are made."""
    if study.rank is None:
        return
    from tunescope.neurons.interventions import Action

    for action in study.intervene.actions if study.intervene is not None else ():
        Action.parse(action)
    asked = []
    if study.select is not None:
        asked.append(("select", "rankings", study.select.rankings, study.rank.rankings))
    if study.intervene is not None:
        step = study.intervene
        asked.append(("intervene", "ranking", (step.ranking,), study.rank.rankings))
        asked.append(("intervene", "scaling", (step.scaling,), study.rank.scalings))
    for table, key, names, made in asked:
        for name in names:
            if name not in made:
                raise InputError(
                    f"{where}: [{table}] {key}: {name!r} is not made by [rank]; "
                    f"{nearest(name, made)}"
                )


def _check_model(study: Study, name: str, model: ModelSource, where: str) -> None:
    check_types(model, where)
    if (model.path is None) == (model.task is None):
        raise InputError(f"{where}: give either path or, with base, task")
    if model.task is not None and model.base is None:
        raise InputError(f"{where}: task needs base, the model to tune")
    if model.base is not None:
        if model.base not in study.models or model.base == name:
            others = [other for other in study.models if other != name]
            hint = nearest(model.base, others) if others else "define it"
            raise InputError(f"{where}: base: no model {model.base!r}; {hint}")
        if study.models[model.base].base is not None:
            raise InputError(f"{where}: base {model.base!r} is itself tuned; name its base")
    if model.task is not None and model.task not in study.tasks:
        hint = nearest(model.task, study.tasks) if study.tasks else "define [tasks.NAME]"
        raise InputError(f"{where}: no task {model.task!r}; {hint}")
    if model.finetune and model.task is None:
        raise InputError(f"{where}: finetune is of no use without task")
    if "seed" in model.finetune and len(study.finetune_seeds) > 1:
        raise InputError(
            f"{where}: finetune has a seed, and seeds of [finetune] has several; give one of both"
        )
    study.finetune_step(name, where)


def _check_pruning(study: Study, where: str) -> None:
    if study.prune is None:
        return
    if not study.tasks:
        raise InputError(f"{where}: [prune] needs a task to tune what is left on: [tasks.NAME]")
    for key, names, there in (
        ("bases", study.prune_bases, study.bases),
        ("tasks", study.prune_tasks, tuple(study.tasks)),
    ):
        for name in names:
            if name not in there:
                hint = nearest(name, there) if there else "none is defined"
                raise InputError(f"{where}: [prune] {key}: no {key[:-1]} {name!r}; {hint}")


def _check_texts(study: Study, where: str) -> None:
    """Check that steps on tuned classifiers name tasks that are there."""
    for table in ("triggers", "explain", "check_explanations"):
        names = getattr(study, f"{table}_tasks")
        if len(names) > 1:
            raise InputError(f"{where}: [{table}] tasks: name one task, not {len(names)}")
        for name in names:
            if name not in study.tasks:
                hint = nearest(name, study.tasks) if study.tasks else "define [tasks.NAME]"
                raise InputError(f"{where}: [{table}] tasks: no task {name!r}; {hint}")
    if study.names is not None and study.names.address is None:
        raise InputError(f"{where}: [names] needs an address to ask at; see docs/naming.md")
    if study.trace is not None and not any(v.fraction < 1 for v in study.variants):
        raise InputError(
            f"{where}: [trace] follows concepts over checkpoints: set checkpoints in [finetune]"
        )
