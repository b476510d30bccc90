"""What concepts do to predictions: the triggers made from them, beside random words."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tunescope.report.concepts.triggers import SPOTS
from tunescope.triggers.measures import rate
from tunescope.triggers.result import TriggerTable

MOST_TRIED = 6


class Rate(NamedTuple):
    """Predictions flipped.

    Parameters
    ----------
    trigger : str
        Its words: untrusted text.
    flipped, n : int
        Of how many texts that were predicted to be of another class.
    value, low, high : float
        The share with Wilson's interval; not a number where `n` is 0.
    """

    trigger: str
    flipped: int
    n: int
    value: float
    low: float
    high: float


class Effect(NamedTuple):
    """The triggers made from one concept towards one class, at one place of the text.

    Parameters
    ----------
    towards : str
        The class.
    where : str
        "before the text" and the like.
    mean, random : float
        Mean flip rate of all its triggers, and of the random triggers of the same layer; not a
        number where there are none.
    n_triggers, n_random : int
        How many these are.
    tried : list of Rate
        Its triggers on the choosing texts, the best first; the best of many.
    held_out : Rate or None
        On texts that no trigger was chosen on, where one of them was the best of its layer.
    """

    towards: str
    where: str
    mean: float
    random: float
    n_triggers: int
    n_random: int
    tried: list[Rate]
    held_out: Rate | None


def effects(found: TriggerTable, layer: int) -> dict[int, list[Effect]]:
    """Return what the concepts of a layer do, by their number; the strongest effect first.

    Parameters
    ----------
    found : TriggerTable
        Triggers against a model.
    layer : int
        Layer of the concepts.
    """
    tried = found.tried
    own = tried[(tried["method"] == "concept") & (tried["layer"] == layer)]
    random = tried[(tried["method"] == "random") & tried["mirrors"].isin([layer, -1])]
    best = found.best
    chosen = (best["layer"] == layer) & (best["method"] == "concept") & (best["by"] == "predicted")
    made: dict[tuple, list[dict[str, Any]]] = {}
    for row in pd.DataFrame(own).to_dict("records"):
        made.setdefault((*_place(row), row["concept"]), []).append(row)
    chance: dict[tuple, list[float]] = {}
    for row in pd.DataFrame(random).to_dict("records"):
        chance.setdefault(_place(row), []).append(row["flip_rate"])
    held_out = {
        (*_place(row), row["concept"]): row for row in pd.DataFrame(best[chosen]).to_dict("records")
    }
    confidence = found.manifest.parameters["confidence"]
    of: dict[int, list[Effect]] = {}
    for (*place, concept), rows in made.items():
        towards, position, part = place
        one = f"{part} " if found.facts["n_parts"] == 2 else ""
        rows.sort(key=lambda row: _or_least(row["flip_rate"]), reverse=True)
        others, kept = chance.get(tuple(place), []), held_out.get((*place, concept))
        effect = Effect(
            towards,
            f"{SPOTS[position]} the {one}text",
            _mean([row["flip_rate"] for row in rows]),
            _mean(others),
            len(rows),
            len(others),
            [_tried(row, confidence) for row in rows[:MOST_TRIED]],
            None if kept is None else _held_out(kept),
        )
        of.setdefault(int(concept), []).append(effect)
    for several in of.values():
        several.sort(key=lambda effect: _or_least(effect.mean), reverse=True)
    return of


def _place(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["towards"], row["position"], row["part"]


def _tried(row: dict[str, Any], confidence: float) -> Rate:
    flipped, n = int(row["flipped"]), int(row["n"])
    return Rate(row["trigger"], flipped, n, *rate(flipped, n, confidence))


def _held_out(row: dict[str, Any]) -> Rate:
    ends = row["flip_rate"], row["flip_low"], row["flip_high"]
    return Rate(row["trigger"], int(row["flipped"]), int(row["n"]), *ends)


def _or_least(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def _mean(rates: list[float]) -> float:
    return float(np.nanmean(rates)) if any(not math.isnan(r) for r in rates) else math.nan
