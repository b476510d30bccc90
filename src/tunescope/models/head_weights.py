"""Which weights of a classifier are its head, and which the stack of layers that is studied.

To the head belongs all outside the stack: what was put on top for the task, and the pooler that
some architectures have between the two. No layer's hidden states depend on them.
"""

from __future__ import annotations

from typing import Any

POOLERS = ("pooler", "pooler_activation")


def head_modules(model: Any) -> tuple[str, ...]:
    """Return the names of the modules that are the head, such as `bert.pooler` and `classifier`.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With a head for sentence classification.
    """
    prefix = model.base_model_prefix
    head = [name for name, module in model.named_children() if name != prefix and _trains(module)]
    body = getattr(model, prefix)
    inside = [name for name, module in body.named_children() if name in POOLERS and _trains(module)]
    return (*(f"{prefix}.{name}" for name in inside), *head)


def freeze_body(model: Any) -> None:
    """Let only the head be trained; the stack of layers keeps its weights.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With a head for sentence classification.
    """
    head = tuple(f"{name}." for name in head_modules(model))
    for name, weight in model.named_parameters():
        weight.requires_grad = name.startswith(head)


def _trains(module: Any) -> bool:
    return any(True for _ in module.parameters())
