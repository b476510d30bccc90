"""What a tuned model says of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.models.encoding import encode, set_padding


@torch.inference_mode()
def predict(
    model: Any,
    tokenizer: Any,
    texts: Sequence[tuple[str, ...]],
    *,
    max_length: int = 128,
    batch_size: int = 64,
) -> np.ndarray:
    """Return the model's logits, or its number, for each text.

    The model is put into evaluation mode and left as it was.

    Parameters
    ----------
    model : transformers.PreTrainedModel or peft.PeftModel
        With a head for sentence classification, on any device.
    tokenizer : transformers tokenizer
        Slow or fast; it is given a padding token where it has none.
    texts : sequence of tuples of str
        Single texts, or pairs.
    max_length : int
        Longest input in subwords; the rest is cut off.
    batch_size : int
        Texts in one forward pass.

    Returns
    -------
    numpy.ndarray of float32, shape (n_texts, n_classes) or (n_texts, 1)
        In the order of the texts.

    Raises
    ------
    InputError
        If an output is not a number.
    """
    set_padding(tokenizer, model)
    inputs = encode(tokenizer, model.config, texts, max_length)
    order = sorted(range(len(inputs)), key=lambda row: len(inputs[row]["input_ids"]))
    trains = model.training
    model.eval()
    parts = []
    try:
        for start in range(0, len(order), batch_size):
            chosen = [inputs[row] for row in order[start : start + batch_size]]
            batch = tokenizer.pad(chosen, return_tensors="pt").to(model.device)
            parts.append(model(**batch).logits.float().cpu().numpy())
    finally:
        model.train(trains)
    logits = np.empty((len(order), parts[0].shape[1]), np.float32)
    logits[order] = np.concatenate(parts)
    if not np.isfinite(logits).all():
        raise InputError("the model's outputs are not finite: lower learning_rate")
    return logits


def answers(logits: np.ndarray, classes: tuple[str, ...]) -> list[str] | list[float]:
    """Return the class with the largest logit, or where there are no classes the number.

    Parameters
    ----------
    logits : numpy.ndarray, shape (n_texts, n_outputs)
        What `predict` returns.
    classes : tuple of str
        The task's; none for a regression.
    """
    if not classes:
        return [float(value) for value in logits[:, 0]]
    return [classes[number] for number in logits.argmax(1)]
