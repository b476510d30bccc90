"""What taking words out of a text does to its prediction."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.explanations.inputs import Input
from tunescope.models.heads import Head

Action = Literal["remove", "mask", "pad"]


def without_words(
    head: Head, given: Input, words: np.ndarray, action: Action
) -> dict[str, list[int]]:
    """Return the fields of a text without some of its words.

    Parameters
    ----------
    head : Head
        The classifier with its tokenizer.
    given : Input
        The text.
    words : numpy.ndarray of bool, shape (n_words,)
        Words to do without.
    action : {"remove", "mask", "pad"}
        Whether their subwords are left out, or replaced by the mask or the padding token, which
        the model then reads as it reads any other.

    Raises
    ------
    InputError
        If the tokenizer has no such token.
    """
    gone = (given.owner >= 0) & words[given.owner]
    if action == "remove":
        keep = np.flatnonzero(~gone)
        return {name: [values[i] for i in keep] for name, values in given.fields.items()}
    token = getattr(head.tokenizer, f"{action}_token_id")
    if token is None:
        raise InputError(
            f"model {head.name!r}: its tokenizer has no {action} token; use action remove"
        )
    ids = np.where(gone, token, given.ids).tolist()
    return {**given.fields, "input_ids": ids}


@torch.inference_mode()
def class_probabilities(
    head: Head, inputs: list[dict[str, list[int]]], batch_tokens: int
) -> np.ndarray:
    """Return the probability of every class for each input, float64, shape (n, n_classes).

    Parameters
    ----------
    head : Head
        The classifier; its tokenizer has a padding token.
    inputs : list of dict
        Fields of each input.
    batch_tokens : int
        Subwords in one forward pass, padding included.
    """
    lengths = np.array([len(fields["input_ids"]) for fields in inputs])
    order = np.argsort(-lengths, kind="stable")
    found: Any = None
    start = 0
    while start < len(order):
        chosen = order[start : start + max(1, batch_tokens // lengths[order[start]])]
        batch = head.tokenizer.pad([inputs[i] for i in chosen], return_tensors="pt")
        logits = head.model(**batch.to(head.model.device)).logits.double()
        found = np.empty((len(order), logits.shape[1])) if found is None else found
        found[chosen] = logits.softmax(1).cpu().numpy()
        start += len(chosen)
    return found
