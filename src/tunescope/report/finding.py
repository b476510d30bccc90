"""A finding: a sentence computed from numbers, and whether the pattern of the literature shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALPHA = 0.05


@dataclass(frozen=True)
class Evidence:
    """The figure that a finding was read off, and the page it stands on.

    Parameters
    ----------
    page : {"layers", "alignment", "triggers", "neurons"}
        Which kind of page.
    key : tuple of str
        What the page is about: base and tuned model (neither: all models side by side), behind the
        corpus where it is about one; corpus, label column and model of a page about neurons.
    figure : str
        Name of the figure.
    """

    page: str
    key: tuple[str, ...]
    figure: str


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
    evidence : Evidence, optional
        Where its numbers are drawn.
    short : str
        The main number with what it is of, for a heading; may be empty.
    """

    topic: str
    text: str
    holds: bool
    evidence: Evidence | None = None
    short: str = ""


ORDER = (
    "difference", "polarised", "retained", "triggers", "faithful", "geometry", "stability",
    "trajectory",
)  # fmt: skip
"""First words of the names of figures that findings are read off, the main ones first."""


def headlines(found: Sequence[Finding], most: int = 5) -> list[Finding]:
    """Choose the findings to begin with: one of each kind, then what there is room for.

    Parameters
    ----------
    found : sequence of Finding
        All about one pair of models.
    most : int
        How many to choose at most.

    Returns
    -------
    list of Finding
        The main kinds first.
    """
    kinds: dict[str, list[Finding]] = {}
    for finding in found:
        kinds.setdefault(_kind(finding), []).append(finding)
    known = [*(kind for kind in ORDER if kind in kinds), *(k for k in kinds if k not in ORDER)]
    turns = (kinds[kind][turn : turn + 1] for turn in range(len(found)) for kind in known)
    chosen = [finding for one in turns for finding in one][:most]
    return sorted(chosen, key=lambda finding: known.index(_kind(finding)))


def verdict(found: Sequence[Finding]) -> str:
    """Say in one sentence in how many of the findings the reported pattern shows."""
    holds = sum(finding.holds for finding in found)
    pattern = (
        "The pattern that Durrani et al. (2021, 2022) report, low layers keep what they know and "
        "top layers turn to the task,"
    )
    if not found:
        return "Nothing is compared."
    if holds == len(found):
        return f"{pattern} shows here" + (f", in all {holds} measures." if holds > 1 else ".")
    if holds == 0:
        return f"{pattern} does not show here."
    return f"{pattern} shows here in {holds} of {len(found)} measures, not in all."


def _kind(finding: Finding) -> str:
    return finding.evidence.figure.split("-")[0] if finding.evidence else ""
