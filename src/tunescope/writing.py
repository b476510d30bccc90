"""Words as they are written: their direction, and what a terminal may be given of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

EMBEDDING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them."""


def direction(words: Sequence[str]) -> Literal["ltr", "rtl"]:
    """Return the direction of a sentence: that of most words that have one.

    The first strong letter, which `dir="auto"` goes by, turns a Hebrew sentence around when it
    starts with an English name.

    Parameters
    ----------
    words : sequence of str
        The sentence.
    """
    right = left = 0
    for word in words:
        strong = next(filter(None, map(_strong, word)), "")
        right += strong == "rtl"
        left += strong == "ltr"
    return "rtl" if right > left else "ltr"


def _strong(letter: str) -> str:
    return {"L": "ltr", "R": "rtl", "AL": "rtl"}.get(unicodedata.bidirectional(letter), "")


def printable(word: str) -> str:
    """Return a word without what a terminal would obey: controls, and turns of direction.

    Parameters
    ----------
    word : str
        Any text.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if letter in EMBEDDING or unicodedata.category(letter) in ("Cc", "Cs")
        else letter
        for letter in word
    )
