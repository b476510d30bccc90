"""Where gradients are integrated: the states of a text, those of its baseline, and their owners.

The baseline is the same text with every word absent: special tokens, positions and segments stay.
The decoder of an encoder-decoder model reads the text once more, shifted by one; both readings are
on the path, or their share of the prediction would be nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.explanations.inputs import SPECIAL, Input
from tunescope.explanations.taps import Tap
from tunescope.models.heads import Head
from tunescope.steps.explain import Baseline


@dataclass(frozen=True, eq=False)
class Path:
    """A straight line of hidden states, from the baseline to the text.

    Parameters
    ----------
    tap : Tap
        Puts states into the model.
    text, baseline : list of torch.Tensor, each of shape (1, positions, width)
        The two ends, one entry for each time the model looks the text up.
    owners : list of numpy.ndarray of int, each of shape (positions,)
        Word of each position, or `SPECIAL`.
    """

    tap: Tap
    text: list[torch.Tensor]
    baseline: list[torch.Tensor]
    owners: list[np.ndarray]


@torch.no_grad()
def lay_path(head: Head, given: Input, baseline: Baseline, layer: int | None, tap: Tap) -> Path:
    """Find both ends of the path.

    Parameters
    ----------
    head : Head
        The classifier.
    given : Input
        The text.
    baseline : {"pad", "mask", "zero"}
        What stands for a word.
    layer : int or None
        Layer of the states; None for the input embeddings.
    tap : Tap
        At that place, entered.

    Raises
    ------
    InputError
        If the tokenizer has no such token, or the model does not look up the subwords it is given.
    """
    model, fields = head.model, given.tensors(1, head.model.device)
    with Tap.at_embeddings(model) as embeddings:
        model(**fields)
        readings = [
            _Reading(states, argument, given)
            for states, argument in zip(embeddings.caught, embeddings.arguments, strict=True)
        ]
        if not readings:
            raise InputError(
                f"model {head.name!r} looks no subword up in its input embeddings: its predictions "
                "cannot be attributed to words"
            )
        absent = [
            reading.without_words(module, _absent_id(head, baseline))
            for reading, module in zip(readings, embeddings.modules, strict=True)
        ]
        if layer is None:
            owners = [reading.owner for reading in readings]
            return Path(tap, [reading.states for reading in readings], absent, owners)
        tap.start()
        model(**fields)
        text = list(tap.caught)
        tap.start()
        embeddings.start()
        embeddings.given = absent
        model(**fields)
        return Path(tap, text, list(tap.caught), [given.owner])


class _Reading:
    """One look-up of a text in the input embeddings."""

    def __init__(self, states: torch.Tensor, ids: torch.Tensor, given: Input):
        self.states = states
        self.ids = ids.reshape(-1)  # of one text, whatever the order of axes
        seen, own = self.ids.cpu().numpy(), given.ids
        if seen.shape == own.shape and (seen == own).all():
            self.owner = given.owner
        elif seen.shape == own.shape and (seen[1:] == own[:-1]).all():
            self.owner = np.append(SPECIAL, given.owner[:-1])
        else:
            raise InputError(
                "the model looks up other subwords than those of the text: its predictions cannot "
                "be attributed to words"
            )

    def without_words(self, module: Any, token: int | None) -> torch.Tensor:
        """Return the states with every word absent; a token stands for each subword, or zeros."""
        words = torch.from_numpy(self.owner >= 0).to(self.ids.device)
        if token is None:
            return torch.where(words[None, :, None], 0.0, self.states)
        ids = torch.where(words, token, self.ids)
        return module.forward(ids[None])  # not called: a call would be tapped


def _absent_id(head: Head, baseline: Baseline) -> int | None:
    if baseline == "zero":
        return None
    found = getattr(head.tokenizer, f"{baseline}_token_id")
    if found is None:
        raise InputError(
            f"model {head.name!r}: its tokenizer has no {baseline} token; use another baseline, "
            "for instance zero"
        )
    return found
