"""Casing: lower, UPPER, Title, mIxed (Durrani et al. 2022, arXiv 2210.12696; Dalvi et al. 2022)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from tunescope.concepts.human.kind import OfForm

LOWER, UPPER, TITLE, MIXED = CASES = ("lower", "UPPER", "Title", "mIxed")
"""The labels. Whoever writes or reads one takes it from here."""


@dataclass(frozen=True)
class Casing(OfForm):
    """How a word is capitalised; a word without letters that have case carries no label.

    One capital alone (`I`, `A`, `X.`) is `Title`. Of a hyphenated word each part is looked at, and
    all after the first may be lower: `Jean-Paul`, `X-ray` and `Anglo-american` are `Title`, while
    `e-Mail`, `McDonald` and `O'Neill` are `mIxed`.
    """

    name: ClassVar[str] = "casing"

    def label(self, form: str) -> str | None:
        """Return the class of a form.

        Parameters
        ----------
        form : str
            Any text.
        """
        cases = [_case(character) for character in form]
        found = [case for case in cases if case]
        if not found:
            return None
        if set(found) == {"l"}:
            return LOWER
        if set(found) == {"u"} and sum(map(str.isalnum, form)) > 1:
            return UPPER
        parts = _parts(form, cases)
        titles = parts[0][0] != "l" and all("l" * len(p[1:]) == p[1:] for p in parts)
        return TITLE if titles else MIXED


def _case(character: str) -> str:
    """Return u, l, or t for a title-case digraph such as U+01C5; nothing where there is no case."""
    if character.isupper():
        return "u"
    if character.islower():
        return "l"
    return "t" if character.istitle() else ""


def _parts(form: str, cases: list[str]) -> list[str]:
    """Return the cases in each part between hyphens, parts without any left out."""
    parts = [""]
    for character, case in zip(form, cases, strict=True):
        if unicodedata.category(character) == "Pd":
            parts.append("")
        parts[-1] += case
    return [part for part in parts if part]
