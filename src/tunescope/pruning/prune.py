"""Drop blocks of a base model, fine-tune what is left, and score it (arXiv 2105.15179, 4.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError, MismatchError
from tunescope.files import atomic_directory, write_frame, write_json, write_table
from tunescope.manifest import begin, finish, step_key
from tunescope.models.head_weights import head_modules
from tunescope.models.load import load_classifier, load_tokenizer, quiet
from tunescope.models.pruning import count_layers, drop_layers, layers_kept, which_layers
from tunescope.models.reference import ModelRef, find_model
from tunescope.models.scoring import score_dev
from tunescope.models.training import seeded, train
from tunescope.models.tuned import TunedModel
from tunescope.parameters import step_function
from tunescope.pruning.contributions import block_similarities
from tunescope.pruning.result import (
    FACTS,
    PREDICTIONS,
    SCORES,
    SIMILARITIES,
    SUMMARY,
    WEIGHTS,
    PrunedScores,
    unit_folder,
)
from tunescope.pruning.tables import score_table, summary_table
from tunescope.steps import Finetune, Prune
from tunescope.steps.prune import parse_rule
from tunescope.tasks.table import Task


@step_function(Prune)
def prune(
    model: str | Path | ModelRef,
    task: Task,
    out: str | Path,
    *,
    store: ActivationStore | str | Path | None = None,
    finetune: Finetune | None = None,
    tuned: Sequence[TunedModel] = (),
    device: str = "auto",
    step: Prune,
) -> PrunedScores:
    """Fine-tune a base model without some of its blocks, for every rule and seed.

    Parameters
    ----------
    model : str, Path or ModelRef
        The base model.
    task : Task
        What it is tuned on and scored by.
    out : str or Path
        Folder for the results. An interrupted run goes on with the rules and seeds it lacks.
    store : ActivationStore, str or Path, optional
        Activations of the base model, for the rules `contribution:K`.
    finetune : Finetune, optional
        How each is fine-tuned; its `seed` is replaced by each of `seeds`, and its `checkpoints` are
        not kept.
    tuned : sequence of TunedModel
        Whole models that were tuned already. One made of the same model and task with the same
        parameters and seed stands for `none` and is not tuned again; its weights are not copied.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : Prune
        Parameters.

    Raises
    ------
    InputError
        If model or task cannot be used, or a rule drops blocks that cannot be dropped.
    MismatchError
        If the store is of another model.
    """
    ref, out = find_model(model), Path(out)
    finetune = Finetune() if finetune is None else finetune
    task = task.held_out(finetune.dev_share, finetune.dev_seed)
    recipe = dataclasses.replace(finetune, seed=0, checkpoints=None)
    needs_store = any(parse_rule(rule).kind == "contribution" for rule in step.drop)
    inputs: dict[str, Any] = {"model": ref.hash, "task": task.hash}
    inputs |= {"finetune": step_key(recipe, {}), "finetune_parameters": recipe.parameters()}
    if needs_store:
        store = _check_store(store, ref)
        inputs["store"] = store.key
    if begin(out, step, inputs) is None:
        alike = None
        if isinstance(store, ActivationStore) and needs_store:
            table = block_similarities(store, resamples=step.resamples, confidence=step.confidence)
            write_table(out / SIMILARITIES, table)
            alike = table["similarity"].to_numpy()
        plan = _plan(ref, task, step, alike)
        done = {_tuned_key(one): one for one in tuned}
        for rule in step.drop:
            for seed in step.seeds:
                folder = out / unit_folder(rule, seed)
                if (folder / FACTS).exists():
                    continue
                own = dataclasses.replace(finetune, seed=seed)
                plain = dataclasses.replace(own, checkpoints=None)
                whole = done.get(step_key(plain, {"model": ref.hash, "task": task.hash}))
                with atomic_directory(folder) as temporary:
                    if rule == "none" and whole is not None:
                        _take(whole, plan[rule], temporary)
                    else:
                        _run(ref, task, own, plan[rule], device, temporary, step.keep_weights)
        about = {"model": ref.name, "task": task.name, "metric": task.metric}
        scores = score_table(out, task, step, about)
        write_frame(out / SCORES, scores)
        write_frame(out / SUMMARY, summary_table(out, scores, task, step))
        facts = {**about, "n_dev": len(task.dev or ()), "n_blocks": plan[step.drop[0]]["of"]}
        finish(out, step, inputs, facts)
    return PrunedScores.load(out)


def _check_store(store: ActivationStore | str | Path | None, ref: ModelRef) -> ActivationStore:
    if store is None:
        raise InputError(
            "rules 'contribution:K' need activations of the base model: give store, the folder "
            "that `extract` wrote"
        )
    store = store if isinstance(store, ActivationStore) else ActivationStore.load(store)
    made_of = store.manifest.inputs.get("model")
    if made_of != ref.hash:
        raise MismatchError(
            f"{store.path} holds activations of another model than {ref.name!r}: extract those of "
            "the base model"
        )
    return store


def _plan(ref: ModelRef, task: Task, step: Prune, alike: Any) -> dict[str, dict[str, Any]]:
    """Return what every rule drops, once it is known that all can be done."""
    with seeded(0), quiet():
        whole = load_classifier(ref, task.classes)
    n = count_layers(whole)
    plan = {}
    for rule in step.drop:
        dropped = which_layers(rule, n, alike)
        try:
            kept = layers_kept(whole, dropped, savable=step.keep_weights)
        except InputError as error:
            raise InputError(f"model {ref.name!r}, rule {rule!r}: {error}") from None
        known = {"rule": rule, "dropped": list(dropped), "blocks": len(kept), "of": n}
        plan[rule] = known if dropped else {**known, "parameters": _size(whole)}
    return plan


def _run(
    ref: ModelRef,
    task: Task,
    recipe: Finetune,
    planned: dict[str, Any],
    device: str,
    folder: Path,
    keep_weights: bool,
) -> None:
    """Prune, tune and score one model: one unit of work."""
    tokenizer = load_tokenizer(ref)
    with seeded(recipe.seed), quiet():
        live = load_classifier(ref, task.classes)
    drop_layers(live, planned["dropped"], savable=keep_weights)
    size = _size(live)
    rule, blocks = planned["rule"], f"{planned['blocks']} of {planned['of']}"
    title = f"tune {ref.name} on {task.name}, {rule} ({blocks} blocks)"
    made = train(live, tokenizer, task, recipe, device, title=title)
    dev = score_dev(made.model, tokenizer, task, recipe.max_length)
    if keep_weights:
        # an adapter would be put on the whole model when loaded
        merge = getattr(made.model, "merge_and_unload", None)
        whole = made.model if merge is None else merge()
        whole.save_pretrained(folder / WEIGHTS)
        tokenizer.save_pretrained(folder / WEIGHTS)
    facts = {**planned, "parameters": size, "seed": recipe.seed, "train_loss": made.train_loss}
    _write(folder, dev.predictions, facts | {"n_train": made.n_train, "baseline": dev.baseline})


def _take(tuned: TunedModel, planned: dict[str, Any], folder: Path) -> None:
    """Write the unit of a whole model that was tuned already."""
    known = tuned.manifest.facts
    facts = {**planned, "seed": tuned.manifest.parameters["seed"]}
    facts |= {name: known[name] for name in ("train_loss", "n_train")}
    _write(folder, tuned.predictions(), facts | {"baseline": known["dev_baseline"]})


def _write(folder: Path, predictions: pd.DataFrame, facts: dict[str, Any]) -> None:
    write_frame(folder / PREDICTIONS, predictions)
    write_json(folder / FACTS, facts)


def _size(model: Any) -> int:
    """Return the number of parameters without those of the head."""
    head = tuple(f"{name}." for name in head_modules(model))
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith(head))


def _tuned_key(tuned: TunedModel) -> str:
    """Key of a tuned model as if no checkpoints had been kept: they do not change the result."""
    recipe = Finetune(**tuned.manifest.parameters)
    plain = dataclasses.replace(recipe, checkpoints=None)
    return step_key(plain, tuned.manifest.inputs)
