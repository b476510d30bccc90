"""One forward pass that yields the hidden states of every layer."""

from __future__ import annotations

from typing import Any, Literal

import torch

from tunescope.errors import InputError


def pick_stack(config: Any, stack: Literal["auto", "encoder", "decoder"]) -> str:
    """Return which hidden states are meant: `only`, or `encoder` / `decoder` where there are both.

    Raises
    ------
    InputError
        If `stack` is named for a model that has only one.
    """
    if config.is_encoder_decoder:
        return "encoder" if stack == "auto" else stack
    if stack != "auto":
        raise InputError(
            f"stack = {stack!r}, but a {config.model_type} model has one stack only; leave it out"
        )
    return "only"


class Forward:
    """Run a model on a batch.

    The decoder of an encoder-decoder model reads the same subwords as its encoder, unshifted, so
    that the state at a word has seen that word.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Without head, in evaluation mode.
    stack : {"auto", "encoder", "decoder"}
        Whose hidden states to return.
    """

    def __init__(self, model: Any, stack: Literal["auto", "encoder", "decoder"] = "auto"):
        self.stack = pick_stack(model.config, stack)
        self.model = model.get_encoder() if self.stack == "encoder" else model
        self.device = model.device
        for switch in ("use_cache", "use_mems_eval"):
            if getattr(model.config, switch, None):
                setattr(model.config, switch, False)

    @torch.inference_mode()
    def __call__(self, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Return the hidden states of all layers, each (sentences, positions, d)."""
        moved = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        if self.stack == "decoder":
            moved["decoder_input_ids"] = moved["input_ids"]
            moved["decoder_attention_mask"] = moved["attention_mask"]
            return self.model(**moved, output_hidden_states=True).decoder_hidden_states
        return self.model(**moved, output_hidden_states=True, return_dict=True).hidden_states
