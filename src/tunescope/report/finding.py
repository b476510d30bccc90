"""A finding: a sentence computed from numbers, and whether the pattern of the literature shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALPHA = 0.05


@dataclass(frozen=True)
class Finding:
    """One sentence or a few, and whether they are the pattern the literature reports.

    Parameters
    ----------
    topic : str
        What it is about.
    text : str
        The finding, with its numbers.
    holds : bool
        Whether the reported pattern shows.
    """

    topic: str
    text: str
    holds: bool


def verdict(found: Sequence[Finding]) -> str:
    """Say in one sentence in how many of the findings the reported pattern shows."""
    holds = sum(finding.holds for finding in found)
    pattern = "The reported pattern (low layers keep what they know, top layers turn to the task)"
    if not found:
        return "Nothing is compared."
    if holds == len(found):
        return f"{pattern} shows here" + (f", in all {holds} measures." if holds > 1 else ".")
    if holds == 0:
        return f"{pattern} does not show here."
    return f"{pattern} shows here in {holds} of {len(found)} measures, not in all."
