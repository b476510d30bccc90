"""What alignments found, as sentences computed from their numbers: kept, and turned to classes."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd

from tunescope.report.finding import ALPHA, Finding
from tunescope.report.wording import layers, null, percent

UNITS = {"occurrences": "words", "types": "word types"}
"""What an overlap counts, in plain words."""


def retained(table: pd.DataFrame, topic: str, step: dict[str, Any]) -> Finding:
    """Say how many base concepts are found again at the lowest and at the top layer.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.retention`.
    topic : str
        Corpus.
    step : dict
        Parameters of `align`.
    """
    rows = _rows(table)
    low, top = rows[0], rows[-1]
    text = (
        f"At layer {low['layer']}, {_kept(low, step)} are found again in {low['tuned']}; at layer "
        f"{top['layer']}, {_kept(top, step)}. Found again means that one concept at the same layer "
        f"holds at least {percent(step['theta'])} of the {UNITS[step['overlap']]}. By chance "
        f"({null(step)}) that happens to up to {low['null_high']:.0f} of them at layer "
        f"{low['layer']}, {top['null_high']:.0f} at layer {top['layer']}."
    )
    falls = top["retained_high"] < low["retained_low"]
    short = (
        f"{percent(low['retained_share'])} kept at layer {low['layer']}, "
        f"{percent(top['retained_share'])} at layer {top['layer']}"
    )
    return Finding(topic, text, bool(falls and low["p"] < ALPHA), short=short)


def polarised(table: pd.DataFrame, topic: str, step: dict[str, Any]) -> Finding:
    """Say how many concepts follow a class of the task, before and after, and by chance.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.polarity`.
    topic : str
        Corpus.
    step : dict
        Parameters of `align`.
    """
    whole = [row for row in _rows(table) if row["class"] == ""]
    base, tuned = ([row for row in whole if row["role"] == role] for role in ("base", "tuned"))
    top, before = tuned[-1], base[-1]
    text = (
        f"At layer {top['layer']}, {_polar(top, step)} of {top['n_concepts']} concepts of "
        f"{top['model']} have at least {percent(step['theta_classes'])} of their words in "
        f"sentences of one class, against {_polar(before, step)} of {before['n_concepts']} of "
        f"{before['model']}. By chance ({null(step)} of classes over sentences) up to "
        f"{top['null_high']:.0f} have."
    )
    above = [r["layer"] for r in tuned if r["p"] < ALPHA and r["polarised"] > r["null_high"]]
    if above:
        text += f" More than by chance at {layers(above)} of {top['model']}"
        of_base = [r["layer"] for r in base if r["p"] < ALPHA and r["polarised"] > r["null_high"]]
        text += f", and at {layers(of_base)} of {before['model']}" if of_base else ""
        text += f" (p < {ALPHA:g} for each layer by itself, not corrected over layers)."
    else:
        text += f" At no layer of {top['model']} are there more than by chance."
    beyond = top["polarised_low"] > max(before["polarised_high"], top["null_high"])
    if top["layer"] in above and not beyond:
        text += " At the top that is too few to be told from the base model, by their intervals."
    holds = top["layer"] in above and beyond
    short = (
        f"{top['polarised']} concepts follow a class at layer {top['layer']}, before tuning "
        f"{before['polarised']}"
    )
    return Finding(topic, text, bool(holds), short=short)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], table.sort_values("layer").to_dict("records"))


def _kept(row: dict[str, Any], step: dict[str, Any]) -> str:
    ends = f"{percent(row['retained_low'])} to {percent(row['retained_high'])}"
    share, level = percent(row["retained_share"]), percent(step["confidence"])
    return f"{share} of the {row['n_base']} concepts of {row['base']} ({level} CI {ends})"


def _polar(row: dict[str, Any], step: dict[str, Any]) -> str:
    low, high = (f"{row[end]:.0f}" for end in ("polarised_low", "polarised_high"))
    return f"{row['polarised']} ({percent(step['confidence'])} CI {low} to {high})"
