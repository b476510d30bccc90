"""One annotation of one concept, and what may stand in it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from tunescope.errors import InputError

ANSWERS = {"yes": "meaningful", "partly": "partly meaningful", "no": "not meaningful"}
"""Answers to whether the words of a concept have something in common, and how they are shown."""
NAME_LENGTH, NOTE_LENGTH = 100, 2000
"""Longest name and note, in characters."""
PLACE_LENGTH = 500
"""Longest name of a corpus or model."""
LARGEST = 10**7
"""Numbers of layers and concepts are below it."""


class Place(NamedTuple):
    """Which concept, and of which clustering: the same number in another one is another concept.

    Parameters
    ----------
    corpus, model : str
        Names in the study.
    layer, concept : int
        Numbers.
    clustering : str
        Key of the step that made the concepts (`LayerConcepts.key`).
    """

    corpus: str
    model: str
    layer: int
    concept: int
    clustering: str


@dataclass(frozen=True)
class Annotation:
    """What somebody said of a concept.

    Parameters
    ----------
    corpus, model : str
        Names in the study.
    layer, concept : int
        Numbers.
    clustering : str
        Key of the step that made the concepts.
    meaningful : {"yes", "partly", "no", ""}
        Whether its words have something in common; "" where that was left open.
    name : str
        What they have in common; "" without one.
    merge : int or None
        Number of the concept of the same layer that it should be one with.
    note : str
        Anything else.
    time : str
        When it was saved: ISO 8601, UTC.
    """

    corpus: str
    model: str
    layer: int
    concept: int
    clustering: str
    meaningful: str = ""
    name: str = ""
    merge: int | None = None
    note: str = ""
    time: str = ""

    @property
    def place(self) -> Place:
        """Which concept it is of."""
        return Place(self.corpus, self.model, self.layer, self.concept, self.clustering)

    @property
    def answer(self) -> str:
        """The answer in words; "" where there is none."""
        return ANSWERS.get(self.meaningful, "")

    @property
    def says_nothing(self) -> bool:
        """Whether nothing was filled in."""
        return not (self.meaningful or self.name or self.note) and self.merge is None

    @classmethod
    def read(cls, content: Any, where: str) -> Annotation:
        """Check what came from a file or a form.

        Parameters
        ----------
        content : object
            Fields by name, of JSON.
        where : str
            For messages.

        Raises
        ------
        InputError
            If a field is missing, unknown, of another type, too long or out of range.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(content, dict) or content.keys() - known:
            raise InputError(f"{where}: an annotation has the fields {', '.join(sorted(known))}")
        lengths = {"corpus": PLACE_LENGTH, "model": PLACE_LENGTH, "clustering": PLACE_LENGTH}
        lengths |= {"meaningful": 10, "name": NAME_LENGTH, "note": NOTE_LENGTH, "time": 40}
        given = {
            name: _text(content.get(name, ""), longest, f"{where}: {name}")
            for name, longest in lengths.items()
        }
        if given["meaningful"] not in ("", *ANSWERS):
            raise InputError(f"{where}: meaningful is one of {', '.join(ANSWERS)}, or empty")
        layer, concept = (
            _number(content.get(name), f"{where}: {name}") for name in ("layer", "concept")
        )
        merge = content.get("merge")
        merge = None if merge is None else _number(merge, f"{where}: merge")
        if merge == concept:
            raise InputError(f"{where}: concept {merge} cannot be merged with itself")
        return cls(**given, layer=layer, concept=concept, merge=merge)


def _text(given: Any, longest: int, what: str) -> str:
    """Return a text of a few lines that can be written down and shown."""
    if not isinstance(given, str):
        raise InputError(f"{what} is no text")
    text = given.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise InputError(f"{what} has {len(text):,} characters: at most {longest:,}")
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t":
            raise InputError(f"{what} holds the character U+{ord(letter):04X}, which is not text")
    return text


def _number(given: Any, what: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < LARGEST:
        raise InputError(f"{what} is no number from 0 on")
    return given
