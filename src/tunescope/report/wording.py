"""Numbers as the pages write them: shares, points, layers, ranges, what a null is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def percent(share: float) -> str:
    """Write a share as per cent, with a proper minus sign."""
    written = f"{100 * share:.1f}".removesuffix(".0")
    return ("0" if written == "-0" else written.replace("-", "\N{MINUS SIGN}")) + "%"


def points(difference: float) -> str:
    """Write a difference of shares in percentage points, with a proper minus sign."""
    written = f"{100 * difference:+.1f}"
    return "0.0" if float(written) == 0 else written.replace("-", "\N{MINUS SIGN}")


def layers(numbers: Sequence[int]) -> str:
    """Write layer numbers as words, with ranges: "layers 0 to 3 and 5"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    written = [f"{r[0]} to {r[-1]}" if len(r) > 1 else str(r[0]) for r in runs]
    listed = " and ".join([", ".join(written[:-1]), written[-1]] if written[1:] else written)
    return ("layer " if len(numbers) == 1 else "layers ") + listed


def null(step: dict[str, Any]) -> str:
    """Say what stands beside a count, from the parameters of `align`."""
    return (
        f"upper end of the {percent(step['confidence'])} range of {step['permutations']} "
        "permutations"
    )


def spread(numbers: Iterable[int]) -> str:
    """Write the smallest and the largest of some counts."""
    low, high = (extreme(numbers) for extreme in (min, max))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
