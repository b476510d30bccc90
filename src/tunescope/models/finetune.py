"""Fine-tune a model on a task, and keep what it says of the dev texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunescope.errors import InputError
from tunescope.files import atomic_directory, write_frame
from tunescope.manifest import begin, finish
from tunescope.models.load import load_classifier, load_tokenizer, quiet
from tunescope.models.reference import ModelRef, find_model
from tunescope.models.scoring import score_dev
from tunescope.models.training import seeded, train
from tunescope.models.tuned import TunedModel
from tunescope.parameters import step_function
from tunescope.steps import Finetune
from tunescope.tasks.table import Task


@step_function(Finetune)
def finetune(
    model: str | Path | ModelRef,
    task: Task,
    out: str | Path,
    *,
    device: str = "auto",
    step: Finetune,
) -> TunedModel:
    """Fine-tune a model on a task: to tell classes of texts or pairs, or to give a number.

    Parameters
    ----------
    model : str, Path or ModelRef
        What to start from.
    task : Task
        Texts with targets (`read_task`, `Task.from_corpus`), with a dev set or without.
    out : str or Path
        Folder for the checkpoint (safetensors, configuration, tokenizer), or for an adapter.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : Finetune
        Parameters.

    Raises
    ------
    InputError
        If the model or the task cannot be used, or the loss stops being a number.
    """
    if not isinstance(task, Task):
        raise InputError(
            f"finetune(): task is a {type(task).__name__}; make one with read_task() or, of a "
            "corpus whose sentences have classes, with Task.from_corpus()"
        )
    ref, out = find_model(model), Path(out)
    if step.method == "lora" and ref.source.init == "random":
        raise InputError(
            f"model {ref.name!r} is drawn at random, and an adapter would not know it again: tune "
            'it with method = "full"'
        )
    task = task.held_out(step.dev_share, step.dev_seed)
    inputs = {"model": ref.hash, "task": task.hash}
    if begin(out, step, inputs) is None:
        finish(out, step, inputs, _tune(ref, task, out, device, step))
    return TunedModel.load(out)


def _tune(ref: ModelRef, task: Task, out: Path, device: str, step: Finetune) -> dict[str, Any]:
    """Train, score and save; return what is known of the result."""
    tokenizer = load_tokenizer(ref)
    with seeded(step.seed), quiet():
        model = load_classifier(ref, task.classes)
    checkpoints = []

    def keep(fraction: float, update: int, live: Any) -> None:
        dev = score_dev(live, tokenizer, task, step.max_length)
        folder = f"checkpoints/{fraction:g}"
        with atomic_directory(out / folder) as temporary:
            _save(live, tokenizer, temporary, ref, step)
        known = {"fraction": fraction, "step": update, "folder": folder}
        checkpoints.append({**known, "dev_score": dev.score, "dev_scores": dev.scores})

    title = f"tune {ref.name} on {task.name}"
    done = train(model, tokenizer, task, step, device, keep, title)
    dev = score_dev(done.model, tokenizer, task, step.max_length)
    _save(done.model, tokenizer, out, ref, step)
    write_frame(out / "predictions.parquet", dev.predictions)
    return {
        "task": task.name,
        "base": ref.name,
        "method": step.method,
        "kind": task.kind,
        "metric": task.metric,
        "classes": list(task.classes),
        "positive": task.positive,
        "n_train": done.n_train,
        "n_dev": len(dev.predictions),
        "n_updates": done.n_updates,
        "train_loss": done.train_loss,
        **dev.facts(),
        "checkpoints": checkpoints,
    }


def _save(model: Any, tokenizer: Any, folder: Path, ref: ModelRef, step: Finetune) -> None:
    """Write an ordinary checkpoint, or an adapter with its head."""
    with quiet():
        if step.method == "lora":
            from tunescope.models.adapters import save_adapter

            save_adapter(model, folder, ref)
        else:
            model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
