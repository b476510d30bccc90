"""The part of a study about models: find them, tune them on their tasks, drop layers of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunescope.models.finetune import finetune
from tunescope.models.load import check_comparable
from tunescope.models.reference import find_model
from tunescope.pruning.prune import prune
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.read import read_task
from tunescope.study.variants import Variant


@dataclass(frozen=True)
class Models:
    """What is at hand; a model that could not be found or tuned is ABSENT.

    Parameters
    ----------
    named : dict of str to ModelRef
        The study's models.
    variants : dict of Variant to ModelRef
        Their further seeds and checkpoints.
    tasks : dict of str to Task
        What is tuned on.
    tuned : list of TunedModel
        Whole models that were tuned here, with every seed.
    """

    named: dict[str, Any]
    variants: dict[Variant, Any]
    tasks: dict[str, Any]
    tuned: list[Any]


def models(study: Study, out: Path, jobs: Jobs, device: str) -> Models:
    """Find the models, check that they can be compared, then tune those to be tuned.

    Parameters
    ----------
    study : Study
        Says which.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    device : str
        Where models are tuned.
    """
    found: dict[str, Any] = {}
    for name, source in study.models.items():
        if source.path is not None:
            found[name] = jobs.attempt(
                "model", name, find_model, source, name=name, relative_to=study.folder
            )
    for base, tuned in study.pairs:
        if tuned in found and ABSENT not in (found[base], found[tuned]):
            stack = study.extract.stack
            pair = (found[base], found[tuned])
            if jobs.attempt("model", tuned, check_comparable, *pair, stack) is ABSENT:
                found[tuned] = ABSENT
    tasks = _tasks(study, out, jobs)
    variants: dict[Variant, Any] = {}
    made: list[Any] = []
    for name, source in study.models.items():
        if source.task is None or source.base is None:
            continue
        base, task, step = found[source.base], tasks[source.task], study.finetune_step(name)
        tuned = jobs.do(
            "finetune", name, out / "models" / name, finetune, base, task, device=device, step=step
        )
        made.append(tuned)
        found[name] = tuned if tuned is ABSENT else find_model(tuned.path, name=name)
        folders = {} if tuned is ABSENT else dict(tuned.checkpoints)
        for variant in study.variants:
            if variant.model != name:
                continue
            if variant.fraction < 1:
                place = folders.get(variant.fraction)
            else:
                of_seed = dataclasses.replace(step, seed=variant.seed, checkpoints=None)
                again = jobs.do(
                    "finetune", variant.name, out / "models" / variant.name, finetune, base, task,
                    device=device, step=of_seed,
                )  # fmt: skip
                made.append(again)
                place = None if again is ABSENT else again.path
            variants[variant] = ABSENT if place is None else find_model(place, name=variant.name)
    made = [tuned for tuned in made if tuned is not ABSENT]
    return Models({name: found[name] for name in study.models}, variants, tasks, made)


def _tasks(study: Study, out: Path, jobs: Jobs) -> dict[str, Any]:
    """Read the tasks that anything is tuned on or tried on."""
    used = [source.task for source in study.models.values() if source.task]
    used += [*study.triggers_tasks, *study.explain_tasks, *study.check_explanations_tasks]
    if study.prune is not None:
        used += study.prune_tasks or tuple(study.tasks)
    return {
        task: jobs.do(
            "task", task, out / "tasks" / task, read_task, study.tasks[task], task, study.folder
        )
        for task in dict.fromkeys(used)
    }


def pruning(
    study: Study,
    out: Path,
    jobs: Jobs,
    stores: dict[str, dict[str, Any]],
    found: Models,
    device: str,
) -> None:
    """Drop layers of every base, and tune what is left on every task.

    Parameters
    ----------
    study : Study
        With `[prune]`.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    stores : dict of str to dict of str to ActivationStore
        By corpus and model; contributions of blocks are measured on one of the corpora.
    found : Models
        Bases and tasks.
    device : str
        Where models run.
    """
    if study.prune is None:
        return
    for base in study.prune_bases or study.bases:
        store = stores[study.contributing[0]][base] if study.contributing else None
        for task in study.prune_tasks or tuple(study.tasks):
            jobs.do(
                "prune", f"{base}/{task}", out / "pruning" / base / task, prune,
                found.named[base], found.tasks[task], store=store, device=device,
                finetune=study.finetune, tuned=found.tuned, step=study.prune,
            )  # fmt: skip
