"""Where a trigger stands in a text: before it, behind it, or in the middle; in either of a pair."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunescope.errors import InputError
from tunescope.steps.triggers import Part, Position
from tunescope.tasks.data import Text

WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Place:
    """Where triggers are put.

    Parameters
    ----------
    position : {"before", "after", "middle"}
        The middle is behind the first half of the words, rounded down.
    part : {"first", "second"}
        Of a pair, which text; of single texts `first`.
    """

    position: Position = "before"
    part: Part = "first"

    @property
    def number(self) -> int:
        """Number of the part, from 0."""
        return int(self.part == "second")

    def sides(self, text: Text) -> tuple[str, str]:
        """Return what stands before and behind a trigger in its part of the text.

        Raises
        ------
        InputError
            If the second part of a single text is meant.
        """
        if self.number >= len(text):
            raise InputError("single texts have no second part: parts must be 'first'")
        part = text[self.number]
        if self.position == "before":
            return "", part
        if self.position == "after":
            return part, ""
        words = list(WORD.finditer(part))
        half = len(words) // 2
        if half == 0:
            return "", part
        return part[: words[half - 1].end()], part[words[half].start() :]

    def put(self, text: Text, trigger: str) -> Text:
        """Return the text with the trigger in its place, blanks around it.

        Examples
        --------
        >>> Place("middle").put(("a film about bees",), "so very good")
        ('a film so very good about bees',)
        """
        left, right = self.sides(text)
        new = " ".join(side for side in (left, trigger, right) if side)
        return (*text[: self.number], new, *text[self.number + 1 :])

    def neighbours(self, text: Text) -> Text:
        """Return the text with no more than the words beside the trigger; of the other part, one.

        The place in what is returned is the same: the middle of two words is between them.
        """
        left, right = self.sides(text)
        near = (left.split()[-1:], right.split()[:1])
        new = " ".join(word for side in near for word in side)
        short = [" ".join(part.split()[:1]) for part in text]
        return (*short[: self.number], new, *short[self.number + 1 :])

    def edge(self, text: Text) -> tuple[str, str]:
        """Return the characters that a trigger comes to stand beside; "" at the text's ends."""
        left, right = self.sides(text)
        return left.rstrip()[-1:], right.lstrip()[:1]


def places(
    positions: tuple[Position, ...], parts: tuple[Part, ...] | None, n_parts: int
) -> list[Place]:
    """Return all places to try.

    Raises
    ------
    InputError
        If the second part of single texts is asked for.
    """
    if parts is None:
        parts = ("first", "second") if n_parts == 2 else ("first",)
    if n_parts == 1 and "second" in parts:
        raise InputError("parts: the texts are single and have no second part; leave parts out")
    return [Place(position, part) for position in positions for part in parts]
