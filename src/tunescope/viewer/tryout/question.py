"""A text and a trigger that somebody asks a tuned model about, checked before it is queued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from tunescope.errors import InputError
from tunescope.report.concepts.page import Key
from tunescope.steps.triggers import Part, Position
from tunescope.study.result import Run

LONGEST_TEXT, LONGEST_TRIGGER = 4000, 200
"""Characters."""


@dataclass(frozen=True, eq=False)
class Question:
    """What a model is asked.

    Parameters
    ----------
    run : Run
        Results of the study it is of.
    key : tuple of (str, str, str)
        Corpus, base and tuned model of a search for triggers.
    texts : tuple of str
        One text, or the two of a pair.
    trigger : str
        Words to put into it; "" for none.
    position, part : str
        Where they are put.
    explain : bool
        Whether the prediction for the text, with the trigger in it, is to be explained.
    layer : int or None
        Layer whose concepts explain it; the mapper's last when not given.
    """

    run: Run
    key: Key
    texts: tuple[str, ...]
    trigger: str = ""
    position: Position = "before"
    part: Part = "first"
    explain: bool = False
    layer: int | None = None

    @classmethod
    def read(cls, given: dict[str, Any], run: Run, *, explain: bool = False) -> Question:
        """Check what a page sends.

        Parameters
        ----------
        given : dict
            `corpus`, `base`, `tuned`, `texts`, and where they are asked for `trigger`, `position`,
            `part`, `layer`.
        run : Run
            The run that is served.
        explain : bool
            Whether an explanation is asked for.

        Raises
        ------
        InputError
            If the run has no such triggers or mapper, or a field is wrong.
        """
        names = [given.get(name) for name in ("corpus", "base", "tuned")]
        key = next((key for key in run.latent.triggers if list(key) == names), None)
        if key is None:
            raise InputError("the run has no triggers of this corpus and these models")
        n_parts = run.latent.triggers[key].facts["n_parts"]
        texts = given.get("texts")
        if not isinstance(texts, list) or len(texts) != n_parts:
            raise InputError(f"give {'one text' if n_parts == 1 else 'two texts'}")
        read = tuple(_text(text, LONGEST_TEXT, "the text") for text in texts)
        if not all(read):
            raise InputError("the text is empty: write one" if n_parts == 1 else "write both texts")
        position, part = given.get("position", "before"), given.get("part", "first")
        if position not in get_args(Position):
            raise InputError(f"position is one of {', '.join(get_args(Position))}")
        if part not in get_args(Part)[:n_parts]:
            raise InputError(f"part is one of {', '.join(get_args(Part)[:n_parts])}")
        layer = given.get("layer")
        if explain:
            mapper = run.latent.mappers.get(key)
            if mapper is None:
                raise InputError("the run has no concept mapper of this model: run [map_concepts]")
            if layer is not None and (type(layer) is not int or layer not in mapper.layers):
                raise InputError("the concept mapper has no such layer")
        trigger = _text(given.get("trigger", ""), LONGEST_TRIGGER, "the trigger")
        return cls(run, key, read, trigger, position, part, explain, layer)


def _text(given: Any, longest: int, what: str) -> str:
    """Return a text on one line."""
    if not isinstance(given, str):
        raise InputError(f"{what} is no text")
    if len(given) > longest:
        raise InputError(f"{what} has {len(given):,} characters: at most {longest:,}")
    if any("\ud800" <= letter <= "\udfff" for letter in given):
        raise InputError(f"{what} holds half a character")
    return " ".join(given.split())
