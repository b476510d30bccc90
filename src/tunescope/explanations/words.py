"""A text as words: what a user typed is split where a tokenised corpus splits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from tunescope.errors import InputError

CHUNK = re.compile(r"\S+")
Text = str | Sequence[str]
"""A text; a pair of texts, as a tuple of two; or a list of words, which are taken as they are."""


@dataclass(frozen=True)
class SplitText:
    """One text, or a pair, and where its words are.

    Parameters
    ----------
    parts : tuple of str
        One text, or the two of a pair.
    words : tuple of str
        The words of all parts.
    part : tuple of int
        Which part each word is in, from 0.
    spans : tuple of (int, int)
        First character of each word in its part, and the one behind its last.
    """

    parts: tuple[str, ...]
    words: tuple[str, ...]
    part: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


def split_text(text: Text) -> SplitText:
    """Split a text, or both texts of a pair, into words.

    Of what white space separates, punctuation and symbols such as emoji at either end are words of
    their own, a run of one character is one word, and what has nothing else in it stays whole. So
    "(it's great...)" has the words "(", "it's", "great", "..." and ")".

    Parameters
    ----------
    text : str, tuple of two str, or list of str
        A text, a pair of texts, or the words of one text.

    Raises
    ------
    InputError
        If it is none of these, or a text or a word is blank.

    Examples
    --------
    >>> split_text("(It's great...)").words
    ('(', "It's", 'great', '...', ')')
    >>> split_text(("A dog barks.", "No dog")).part
    (0, 0, 0, 0, 1, 1)
    """
    if isinstance(text, list):
        return _given(text)
    parts = (text,) if isinstance(text, str) else text
    if not isinstance(parts, tuple) or len(parts) not in (1, 2):
        raise InputError(
            f"{text!r} is neither a text, a tuple of two texts (a pair) nor a list of words"
        )
    words, part, spans = [], [], []
    for number, whole in enumerate(parts):
        if not isinstance(whole, str) or not whole.strip():
            raise InputError(f"the text {whole!r} is blank or no text: there is nothing to explain")
        for chunk in CHUNK.finditer(whole):
            for start, stop in _inside(chunk.group()):
                words.append(chunk.group()[start:stop])
                part.append(number)
                spans.append((chunk.start() + start, chunk.start() + stop))
    return SplitText(tuple(parts), tuple(words), tuple(part), tuple(spans))


def _given(words: Sequence[str]) -> SplitText:
    if not words or any(not isinstance(word, str) or not word.strip() for word in words):
        raise InputError(f"{words!r}: a list of words needs words, none of them blank")
    spans, start = [], 0
    for word in words:
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return SplitText((" ".join(words),), tuple(words), (0,) * len(words), tuple(spans))


def _inside(chunk: str) -> list[tuple[int, int]]:
    """Return where the words of a chunk without white space are."""
    loose = [unicodedata.category(letter)[0] == "P" or _is_picture(letter) for letter in chunk]
    if all(loose):
        return [(0, len(chunk))]
    first = loose.index(False)
    last = len(chunk) - loose[::-1].index(False)
    return [*_runs(chunk, 0, first), (first, last), *_runs(chunk, last, len(chunk))]


def _is_picture(letter: str) -> bool:
    return unicodedata.category(letter) == "So"


def _runs(chunk: str, start: int, stop: int) -> list[tuple[int, int]]:
    """Cut chunk[start:stop] into runs of the same character."""
    found: list[tuple[int, int]] = []
    for place in range(start, stop):
        if found and chunk[place] == chunk[place - 1]:
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return found
