"""Suffixes and prefixes: of all that fit, the longest.

The original code took the first that fitted and labelled "nationalization" with -tion; here it is
-ization.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tunescope.concepts.human.affix_lists import PREFIXES, SUFFIXES
from tunescope.concepts.human.kind import OfForm
from tunescope.corpus.lines import read_lines
from tunescope.errors import InputError
from tunescope.paths import resolve_path

JOINERS = frozenset("-\u2010\u2011'\u2019\u02bc")
"""Characters that may stand between the letters of one word: hyphens and apostrophes."""


@dataclass(frozen=True)
class Suffix(OfForm):
    """The longest suffix that leaves a stem, upper or lower case.

    Only words of letters, hyphens and apostrophes have affixes: no number and no web address.

    Parameters
    ----------
    suffixes
        The suffixes to look for, or a file with one a line; those of `affix_lists.SUFFIXES`
        (English) when not given.
    min_stem
        Letters that must be left.
    """

    name: ClassVar[str] = "suffix"
    suffixes: tuple[str, ...] | str | None = None
    min_stem: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least("min_stem", 1)

    @cached_property
    def affixes(self) -> frozenset[str]:
        """What is looked for, case-folded."""
        return known_affixes(self.suffixes, SUFFIXES, "suffixes")

    def label(self, form: str) -> str | None:
        """Return the longest suffix of a form."""
        return longest(fold(form), self.affixes, self.min_stem, at_end=True)


@dataclass(frozen=True)
class Prefix(OfForm):
    """The longest prefix that leaves a stem, upper or lower case.

    Only words of letters, hyphens and apostrophes have affixes: no number and no web address.

    Parameters
    ----------
    prefixes
        The prefixes to look for, or a file with one a line; those of `affix_lists.PREFIXES`
        (English) when not given.
    min_stem
        Letters that must be left.
    """

    name: ClassVar[str] = "prefix"
    prefixes: tuple[str, ...] | str | None = None
    min_stem: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least("min_stem", 1)

    @cached_property
    def affixes(self) -> frozenset[str]:
        """What is looked for, case-folded."""
        return known_affixes(self.prefixes, PREFIXES, "prefixes")

    def label(self, form: str) -> str | None:
        """Return the longest prefix of a form."""
        return longest(fold(form), self.affixes, self.min_stem, at_end=False)


def fold(form: str) -> str:
    """Return a form without case and with composed accents, to be compared."""
    return unicodedata.normalize("NFC", form.casefold())


def longest(form: str, affixes: frozenset[str], min_stem: int, *, at_end: bool) -> str | None:
    """Return the longest affix at one end of a folded form that leaves `min_stem` letters."""
    if not _is_word(form):
        return None
    most = max(map(len, affixes))
    for size in range(min(most, len(form) - min_stem), 0, -1):
        affix, stem = (form[-size:], form[:-size]) if at_end else (form[:size], form[size:])
        if affix in affixes and sum(map(_is_letter, stem)) >= min_stem:
            return affix
    return None


def known_affixes(
    given: Sequence[str] | str | None, default: tuple[str, ...], option: str
) -> frozenset[str]:
    """Return affixes from a list, a file or the default, without hyphens at their ends.

    Raises
    ------
    InputError
        If the file cannot be read, or there is none.
    """
    if given is None:
        return frozenset(default)
    if isinstance(given, str):
        path: Path = resolve_path(given)
        entries = [line for _, line in read_lines(path)]
    else:
        path, entries = Path(), list(given)
    found = {fold(entry.strip()).strip("".join(JOINERS)) for entry in entries} - {""}
    if not found:
        where = f"{path} holds no affix" if isinstance(given, str) else f"{option} is empty"
        raise InputError(f"{where}; give at least one, such as 'ness', one a line in a file")
    return frozenset(found)


def _is_word(form: str) -> bool:
    return all(_is_letter(character) or character in JOINERS for character in form)


def _is_letter(character: str) -> bool:
    """Whether it is a letter, or a mark on one, such as the vowel signs of Devanagari."""
    return unicodedata.category(character)[0] in "LM"
