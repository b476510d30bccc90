"""Parameters of layer pruning (Durrani et al. 2021, arXiv 2105.15179, section 4.3).

The rules are those of Sajjad et al. 2023, "On the effect of dropping layers of pre-trained
transformer models", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tunescope.errors import InputError, nearest
from tunescope.steps.step import Step, bounded

RULES = (
    "top", "bottom", "alternate", "alternate-odd", "alternate-even", "symmetric", "contribution",
)  # fmt: skip


@dataclass(frozen=True)
class DropRule:
    """A rule that says which blocks to drop, read from its text.

    Parameters
    ----------
    kind : str
        `none`, `layers` (named one by one), or one of `RULES`.
    count : int or None
        How many blocks a rule of `RULES` drops; None is half of them, rounded down.
    layers : tuple of int
        The blocks of `layers`, ascending; the first block has number 1.
    """

    kind: str
    count: int | None = None
    layers: tuple[int, ...] = ()


def parse_rule(text: str) -> DropRule:
    """Read `none`, `top:6`, `bottom:half`, `contribution:2`, ..., or a list like `1,3,5`.

    Raises
    ------
    InputError
        If it is none of these.
    """
    name, colon, amount = (part.strip() for part in text.partition(":"))
    if text.strip() == "none":
        return DropRule("none")
    if not colon and name.replace(",", "").replace(" ", "").isdecimal():
        numbers = [part.strip() for part in name.split(",")]
        if all(part.isdecimal() and int(part) > 0 for part in numbers):
            layers = tuple(sorted({int(part) for part in numbers}))
            if len(layers) == len(numbers):
                return DropRule("layers", layers=layers)
        raise InputError(
            f"rule {text!r}: give each block once, numbered from 1, as in '1,3,5' (layer 0, the "
            "embeddings, is always kept)"
        )
    if name not in RULES:
        raise InputError(
            f"rule {text!r}: {nearest(name, ('none', *RULES))}; or list blocks, as in '1,3,5'"
        )
    if amount == "half":
        return DropRule(name)
    if not amount.isdecimal() or int(amount) == 0:
        raise InputError(
            f"rule {text!r} must say how many blocks to drop, as in '{name}:2' or '{name}:half'"
        )
    return DropRule(name, int(amount))


@dataclass(frozen=True)
class Prune(Step):
    """Drop blocks of a base model, fine-tune what is left, and evaluate it.

    Embeddings are always kept, and so is a norm behind the last block. How a model is fine-tuned is
    said by step `finetune`; its `seed` is replaced by each of `seeds`.

    Parameters
    ----------
    drop
        Rules, each fine-tuned by itself: `none` (the whole model, which the others are tested
        against); `top:K` or `bottom:K`; `alternate:K` (every other block from the last one down;
        `alternate-odd:K` and `alternate-even:K` start from the last odd or even one);
        `symmetric:K` (the K in the middle); `contribution:K` (the K whose output is most like
        their input; needs activations); a list of blocks such as `1,3,5`, the first being 1.
        `half` for K is half of the blocks, rounded down.
    seeds
        Each rule is fine-tuned once with each of them: seeds of the new head, dropout and the
        order of texts.
    keep_weights
        Keep every fine-tuned checkpoint; without it, only its predictions.
    resamples
        Bootstrap resamples of dev texts, and sign flips of the paired tests.
    confidence
        Level of the confidence intervals.
    """

    name: ClassVar[str] = "prune"
    drop: tuple[str, ...] = ("none", "top:half", "bottom:half")
    seeds: tuple[int, ...] = bounded((0,), 0)
    keep_weights: bool = False
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)

    def __post_init__(self) -> None:
        super().__post_init__()
        for rule in self.drop:
            try:
                parse_rule(rule)
            except InputError as error:
                raise InputError(f"step 'prune': drop: {error}") from None
        for name in ("drop", "seeds"):
            given = list(getattr(self, name))
            if again := sorted({str(v) for v in given if given.count(v) > 1}):
                raise InputError(f"step 'prune': {name} has {again[0]} more than once")
