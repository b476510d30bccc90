"""What the triggers show, in sentences that say no more than the intervals and tests allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from tunescope.triggers.result import TriggerTable

LEVEL = 0.05


def main_rows(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons that findings are about: all layers together, beside random words."""
    main = (comparisons["scope"] == "all") & (comparisons["baseline"] == "random")
    return pd.DataFrame(comparisons[main])


def findings(table: TriggerTable) -> list[str]:
    """Return one or two sentences for each class and place; p is corrected over these (Holm).

    Parameters
    ----------
    table : TriggerTable
        What was found.
    """
    said = []
    frame = main_rows(table.comparisons)
    for row in frame.to_dict("records"):
        said.append(_against_random(row, table))
    seen = {(row["towards"], row["position"], row["part"]) for row in frame.to_dict("records")}
    for where in _places(table.tried):
        own = table.tried[(table.tried[["towards", "position", "part"]] == list(where)).all(axis=1)]
        if where not in seen and "concept" not in set(own["method"]):
            said.append(f"No concept is polarised towards {where[0]!r}: it has no triggers of any.")
    return said


def _places(tried: pd.DataFrame) -> list[tuple]:
    frame = tried[["towards", "position", "part"]].drop_duplicates()
    return [tuple(row) for row in frame.to_numpy()]


def _against_random(row: dict[str, Any], table: TriggerTable) -> str:
    where = f"Towards {row['towards']!r}" + _place(row, table)
    rates = (
        f"{row['flip_rate']:.0%} of {row['n']} held-out texts against {row['baseline_rate']:.0%}"
    )
    flips = f"{row['trigger']!r} flips {rates}"
    if row["n"] == 0:
        return f"{where}: no held-out text is predicted otherwise, nothing can flip."
    best = f"{where}, the best trigger from a concept"
    if row["p_holm"] < LEVEL and row["difference"] > 0:
        first = f"{best} beats the best of as many random ones: {flips}"
    elif row["p_holm"] < LEVEL:
        first = f"{best} is worse than the best of as many random ones: {flips}"
    else:
        first = f"{best} does not beat the best of as many random ones: {flips}"
    first += f" (p = {row['p_holm']:.2g})."
    mean = f"{row['mean']:.0%} against {row['baseline_mean']:.0%}"
    if pd.isna(row["mean_p_holm"]):
        return first
    if row["mean_p_holm"] < LEVEL and row["mean_difference"] > 0:
        second = f"On average their triggers flip more than random ones do, {mean}"
    elif row["mean_p_holm"] < LEVEL:
        second = f"On average their triggers flip less than random ones do, {mean}"
    else:
        second = f"On average their triggers flip no more than random ones do, {mean}"
    return f"{first} {second} (p = {row['mean_p_holm']:.2g})."


def _place(row: dict[str, Any], table: TriggerTable) -> str:
    pairs = table.facts["n_parts"] == 2
    if len(table.step.positions) == 1 and not pairs:
        return ""
    spot = {"before": "before", "after": "after", "middle": "in the middle of"}[row["position"]]
    return f" {spot} the {row['part']} text" if pairs else f" {spot} the text"
