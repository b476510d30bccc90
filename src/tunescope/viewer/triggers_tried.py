"""All triggers that were tried: with intervals, beside random words, as data for their page."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from tunescope.report.concepts.triggers import PLACE, SPOTS
from tunescope.report.figures.triggers import METHODS
from tunescope.triggers.measures import wilson
from tunescope.triggers.result import TriggerTable

Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""


def tried_frame(found: TriggerTable) -> pd.DataFrame:
    """Return all triggers tried, with intervals, beside random words, and what the chosen do.

    Parameters
    ----------
    found : TriggerTable
        The triggers.

    Returns
    -------
    pandas.DataFrame
        `TriggerTable.tried` without `draw` and `group`, and `low` and `high` (Wilson), `random`
        (mean flip rate of the random triggers of the same class and place, of a concept those that
        stand for its layer) and `difference` from it; of triggers that were chosen, `held_out`,
        `held_out_low`, `held_out_high` and `held_out_n`. The largest difference first.
    """
    tried: Frame = found.tried.drop(columns=["draw", "group"])
    confidence = found.manifest.parameters["confidence"]
    hits, n = tried["flipped"].to_numpy(), tried["n"].to_numpy()
    tried["low"], tried["high"] = wilson(hits, n, confidence)
    chance = tried[tried["method"] == "random"]
    of_all = chance.groupby(["towards", *PLACE])["flip_rate"].mean().to_dict()
    of_layer = chance.groupby(["towards", *PLACE, "mirrors"])["flip_rate"].mean().to_dict()
    columns = (tried[c] for c in ("towards", *PLACE, "method", "layer"))
    random = [
        math.nan
        if method == "random"
        else of_layer.get((*key, layer if method == "concept" else None), of_all.get(tuple(key)))
        for *key, method, layer in zip(*columns, strict=True)
    ]
    tried["random"] = pd.Series(random, tried.index, float)
    tried["difference"] = tried["flip_rate"] - tried["random"]
    best: Frame = found.best[found.best["by"] == "predicted"]
    on = ["towards", *PLACE, "method", "trigger"]
    held = {"flip_rate": "held_out", "flip_low": "held_out_low", "flip_high": "held_out_high",
            "n": "held_out_n"}  # fmt: skip
    best = best.drop_duplicates(on)[[*on, *held]].rename(columns=held)
    return tried.merge(best, on=on, how="left").sort_values(
        ["difference", "flip_rate"], ascending=False, kind="stable"
    )


def tried_data(found: TriggerTable) -> dict[str, Any]:
    """Return all triggers as plain values for the page's own table: one list per column.

    Parameters
    ----------
    found : TriggerTable
        The triggers.
    """
    frame = tried_frame(found)
    shares = ["flip_rate", "low", "high", "difference", "held_out", "held_out_low", "held_out_high"]
    made: dict[str, Any] = {
        name: [None if math.isnan(value) else round(value, 4) for value in frame[name].tolist()]
        for name in shares
    }
    made |= {name: frame[name].tolist() for name in ("trigger", "layer", "concept", "flipped", "n")}
    kinds = {
        "towards": frame["towards"].tolist(),
        "method": [METHODS[name][0] for name in frame["method"]],
        "where": [
            spot(position, part, found.facts["n_parts"])
            for position, part in zip(frame["position"], frame["part"], strict=True)
        ],
    }
    for name, values in kinds.items():
        known = list(dict.fromkeys(values))
        made[name] = known, [known.index(value) for value in values]
    return made


def spot(position: str, part: str, n_parts: int) -> str:
    """Return where a trigger stands, in words.

    Examples
    --------
    >>> spot("before", "second", 2)
    'before the second text'
    """
    return f"{SPOTS[position]} the {f'{part} ' if n_parts == 2 else ''}text"
