"""Train a live classifier with transformers' Trainer: in full, its head alone, or an adapter.

Nothing is kept of the Trainer but the weights, and no global random state is left changed. On one
CPU the same seed gives the same weights, to the bit.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, TrainerCallback

from tunescope.errors import InputError
from tunescope.models.encoding import encode, set_padding
from tunescope.models.head_weights import freeze_body
from tunescope.models.load import find_device, quiet
from tunescope.models.progress import progress_bar
from tunescope.steps import Finetune
from tunescope.tasks.table import Task

OnCheckpoint = Callable[[float, int, Any], None]
"""Called with the share of the training done, the number of updates, and the live model."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A live model after training.

    Parameters
    ----------
    model : transformers.PreTrainedModel or peft.PeftModel
        In evaluation mode, on the device it was trained on.
    train_loss : float
        Mean over the updates.
    n_updates : int
        How many.
    n_train : int
        Texts it was trained on.
    """

    model: Any
    train_loss: float
    n_updates: int
    n_train: int


def train(
    model: Any,
    tokenizer: Any,
    task: Task,
    step: Finetune,
    device: str = "auto",
    on_checkpoint: OnCheckpoint | None = None,
    title: str | None = None,
) -> Trained:
    """Train a model on the training texts of a task.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With a head for the task (`tunescope.models.load.load_classifier`); changed in place.
    tokenizer : transformers tokenizer
        The model's; it is given a padding token where it has none.
    task : Task
        What to learn.
    step : Finetune
        How.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    on_checkpoint : callable, optional
        Called at each of `step.checkpoints`. It may run the model and save it; the training goes on
        as if it had not been called.
    title : str, optional
        What the progress bar says.

    Raises
    ------
    InputError
        If the loss stops being a number, or an adapter cannot be put on the model.
    """
    from transformers import PrinterCallback, Trainer, TrainingArguments

    set_padding(tokenizer, model)
    data = task.train.draw(step.max_sentences, step.seed)
    inputs = encode(tokenizer, model.config, data.texts, step.max_length)
    numbers = {name: number for number, name in enumerate(task.classes)}
    labels = [numbers[str(target)] if numbers else float(target) for target in data.targets]
    rows = [{**row, "labels": label} for row, label in zip(inputs, labels, strict=True)]
    n_updates = -(-len(rows) // step.batch_size) * step.epochs
    callbacks: list[TrainerCallback] = [progress_bar(title or f"tune on {task.name}")]
    if on_checkpoint is not None and step.checkpoints:
        callbacks.append(_Checkpoints(tuple(step.checkpoints), on_checkpoint))
    where = find_device(device)
    with (
        tempfile.TemporaryDirectory() as scratch,
        seeded(step.seed),
        quiet(),
        torch.cuda.device(where) if where.type == "cuda" else nullcontext(),
    ):
        if step.method == "lora":
            from tunescope.models.adapters import add_adapter

            model = add_adapter(model, step)
        elif step.method == "frozen":
            freeze_body(model)
        arguments = TrainingArguments(
            output_dir=scratch,
            num_train_epochs=step.epochs,
            learning_rate=step.learning_rate,
            per_device_train_batch_size=step.batch_size,
            adam_epsilon=1e-8,
            weight_decay=step.weight_decay,
            warmup_steps=int(step.warmup * n_updates),
            seed=step.seed,
            data_seed=step.seed,
            use_cpu=where.type == "cpu",
            label_names=["labels"],
            remove_unused_columns=False,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            logging_nan_inf_filter=False,  # else a loss that is no number is passed over
            disable_tqdm=True,
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)  # else all that there are share each batch
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=rows,  # type: ignore[arg-type]
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=callbacks,
        )
        trainer.remove_callback(PrinterCallback)  # else it prints its record to standard output
        done = trainer.train()
    if not np.isfinite(done.training_loss):
        raise InputError(f"tuning on {task.name!r} diverged: lower learning_rate")
    return Trained(model.eval(), float(done.training_loss), done.global_step, len(rows))


class _Checkpoints(TrainerCallback):
    """Calls back after the updates at which given shares of the training are done."""

    def __init__(self, fractions: tuple[float, ...], call: OnCheckpoint):
        self._fractions, self._call = fractions, call

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        for fraction in self._fractions:
            if state.global_step == max(1, round(fraction * state.max_steps)):
                model = kwargs["model"]
                with seeded(0):  # what it draws is not missed by the training
                    self._call(fraction, state.global_step, model)
                model.train()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch and put all random states back afterwards, those that the Trainer seeds too.

    Parameters
    ----------
    seed : int
        For heads that are drawn anew and dropout.
    """
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
