"""Fine-tune a model for sentence classification with transformers' Trainer."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.manifest import begin, finish
from tunescope.models.limits import length_limit
from tunescope.models.load import find_device, load_classifier, load_tokenizer, quiet
from tunescope.models.progress import progress_bar
from tunescope.models.reference import ModelRef, find_model
from tunescope.models.tasks import TaskData, train_and_dev
from tunescope.models.tuned import TunedModel
from tunescope.parameters import step_function
from tunescope.steps import Finetune


@step_function(Finetune)
def finetune(
    model: str | Path | ModelRef,
    task: Corpus,
    out: str | Path,
    *,
    device: str = "auto",
    step: Finetune,
) -> TunedModel:
    """Fine-tune a model to tell the classes of sentences.

    Parameters
    ----------
    model : str, Path or ModelRef
        What to start from.
    task : Corpus
        Sentences with classes, with train and dev splits or without.
    out : str or Path
        Folder for the checkpoint (safetensors, configuration, tokenizer).
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : Finetune
        Parameters.

    Raises
    ------
    InputError
        If the model or the task cannot be used, or the loss stops being a number.
    """
    ref, out = find_model(model), Path(out)
    train, dev = train_and_dev(task, step.dev_share, step.seed)
    if step.max_sentences is not None and step.max_sentences < len(train):
        rng = np.random.default_rng(step.seed)
        train = train.take(np.sort(rng.permutation(len(train))[: step.max_sentences]))
    inputs = {"model": ref.hash, "train": train.hash, "dev": dev.hash}
    if begin(out, step, inputs) is None:
        with _seeded(step.seed), quiet():
            tuned, tokenizer, loss = _train(ref, train, step, device)
            right = _is_right(tuned, tokenizer, dev, train.classes, step)
        tuned.save_pretrained(out)
        tokenizer.save_pretrained(out)
        low, high = _wilson(int(right.sum()), len(right))
        facts = {
            "task": task.name,
            "base": ref.name,
            "classes": list(train.classes),
            "n_train": len(train),
            "n_dev": len(dev),
            "train_loss": loss,
            "dev_accuracy": float(right.mean()),
            "dev_low": low,
            "dev_high": high,
            "dev_majority": _majority(train, dev),
        }
        finish(out, step, inputs, facts)
    return TunedModel.load(out)


class _Sentences(torch.utils.data.Dataset):
    """Encoded texts and class numbers, as the Trainer wants them."""

    def __init__(self, data: TaskData, classes: tuple[str, ...], tokenizer: Any, limit: int):
        parts = [list(part) for part in zip(*data.texts, strict=True)]
        self._encoded = tokenizer(*parts, truncation=True, max_length=limit)
        self._targets = [classes.index(target) for target in data.targets]

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = {name: column[index] for name, column in self._encoded.items()}
        return {**item, "labels": self._targets[index]}


def _train(ref: ModelRef, train: TaskData, step: Finetune, device: str) -> tuple[Any, Any, float]:
    """Run the Trainer; nothing of it is kept but the weights."""
    from transformers import (
        DataCollatorWithPadding,
        PrinterCallback,
        Trainer,
        TrainingArguments,
    )

    tokenizer = load_tokenizer(ref)
    model = load_classifier(ref, train.classes)
    if tokenizer.pad_token_id is None:  # decoders often have none
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    model.config.pad_token_id = tokenizer.pad_token_id
    n_updates = -(-len(train) // step.batch_size) * step.epochs
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            num_train_epochs=step.epochs,
            learning_rate=step.learning_rate,
            per_device_train_batch_size=step.batch_size,
            weight_decay=step.weight_decay,
            warmup_steps=int(step.warmup * n_updates),
            seed=step.seed,
            data_seed=step.seed,
            use_cpu=find_device(device).type == "cpu",
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=_Sentences(
                train, train.classes, tokenizer, _limit(tokenizer, model, step)
            ),
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[progress_bar(f"tune {ref.name} on {train.name}")],
        )
        trainer.remove_callback(PrinterCallback)  # else it prints its record to standard output
        loss = float(trainer.train().training_loss)
    if not np.isfinite(loss):
        raise InputError(f"tuning {ref.name!r} on {train.name!r} diverged: lower learning_rate")
    return model.eval(), tokenizer, loss


def _limit(tokenizer: Any, model: Any, step: Finetune) -> int:
    return min(step.max_length, length_limit(tokenizer, model.config, None))


@torch.inference_mode()
def _is_right(
    model: Any, tokenizer: Any, dev: TaskData, classes: tuple[str, ...], step: Finetune
) -> np.ndarray:
    """Return whether each dev text is classified rightly, shape (n_dev,)."""
    right = []
    limit = _limit(tokenizer, model, step)
    for start in range(0, len(dev), 64):
        parts = [list(part) for part in zip(*dev.texts[start : start + 64], strict=True)]
        batch = tokenizer(
            *parts, truncation=True, max_length=limit, padding=True, return_tensors="pt"
        ).to(model.device)
        guesses = model(**batch).logits.argmax(-1).tolist()
        targets = dev.targets[start : start + 64]
        right += [classes[guess] == target for guess, target in zip(guesses, targets, strict=True)]
    return np.array(right)


def _majority(train: TaskData, dev: TaskData) -> float:
    """Dev accuracy of always answering the most frequent training class."""
    counts = {name: train.targets.count(name) for name in train.classes}
    most = max(train.classes, key=lambda name: counts[name])
    return dev.targets.count(most) / len(dev)


def _wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % Wilson interval of a share; dev sentences are independent of each other."""
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the random states the Trainer uses, and put them back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
