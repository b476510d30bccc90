"""Concepts beside each baseline: their best triggers on held-out texts, and all triggers tried.

Whether concepts beat a baseline as a whole is asked of all triggers tried, on the choosing half,
where none was picked. Concepts of a layer stand beside the groups that mirror them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tunescope.probes.statistics import holm
from tunescope.steps.triggers import Triggers
from tunescope.triggers.findings import main_rows
from tunescope.triggers.measures import group_means, paired_rates
from tunescope.triggers.tables import WHERE, concept_layers, each_of
from tunescope.triggers.units import GroupRates, group_rates

COMPARISONS = [
    *WHERE, "scope", "layer", "baseline", "trigger", "baseline_trigger", "n", "flip_rate",
    "baseline_rate", "difference", "low", "high", "p", "p_holm", "tried", "baseline_tried", "mean",
    "baseline_mean", "mean_difference", "mean_low", "mean_high", "mean_p", "mean_p_holm", "units",
    "baseline_units",
]  # fmt: skip
NONE = GroupRates(np.empty(0), np.empty(0, int))


def compare(
    chosen: pd.DataFrame, said: pd.DataFrame, tried: pd.DataFrame, step: Triggers
) -> pd.DataFrame:
    """Hold concepts against each baseline; columns `COMPARISONS`.

    `difference` is that of the two chosen triggers on the same held-out texts, those predicted to
    be of another class; its p is McNemar's. `mean_difference` is that of all triggers tried, on
    the choosing half, over groups (with `greedy`, of the best of each group); its p is from
    exchanging units, which are groups that share words. For HotFlip, whose triggers are one search
    of another size, there is no mean and no layer. `p_holm` and `mean_p_holm` are corrected over
    the rows that findings are about (`main_rows`), and not a number in the others.

    Parameters
    ----------
    chosen : pandas.DataFrame
        The best triggers (`tables.choose`).
    said : pandas.DataFrame
        What was predicted with them on the held-out half.
    tried : pandas.DataFrame
        All triggers tried.
    step : Triggers
        The parameters.
    """
    together: dict[tuple, dict[str, tuple[dict, pd.DataFrame]]] = {}
    for row, part in each_of(chosen, said):
        layer = row["layer"] if row["scope"] == "layer" else None
        key = (*(row[name] for name in WHERE), layer)
        together.setdefault(key, {})[row["method"]] = row, part
    rows = []
    for by_method in together.values():
        if "concept" in by_method:
            ours = by_method.pop("concept")
            rows += [_row(*ours, *theirs, tried, step) for theirs in by_method.values()]
    frame = pd.DataFrame(rows, columns=COMPARISONS)
    for name in ("p", "mean_p"):
        p = main_rows(frame)[name].dropna()
        frame.loc[p.index, f"{name}_holm"] = holm(p.to_numpy(float))
    return frame


def _row(
    ours: dict, part: pd.DataFrame, theirs: dict, same: pd.DataFrame, tried: pd.DataFrame,
    step: Triggers,
) -> dict[str, Any]:  # fmt: skip
    """Compare the best trigger of concepts, and all of them, with those of a baseline."""
    options = {"resamples": step.resamples, "confidence": step.confidence, "seed": step.seed}
    can = (part["predicted"] != ours["towards"]).to_numpy()
    a, b = ((of["predicted_with"] == ours["towards"]).to_numpy()[can] for of in (part, same))
    x, y = (group_rates(_tried_beside(row, tried), step) for row in (ours, theirs))
    y = NONE if theirs["method"] == "hotflip" else y
    best = paired_rates(a, b, **options)
    mean = group_means(x.rates, y.rates, x.units, y.units, **options)
    return {
        **{name: ours[name] for name in [*WHERE, "scope", "layer", "trigger", "tried"]},
        "baseline": theirs["method"], "baseline_trigger": theirs["trigger"],
        "baseline_tried": theirs["tried"], "n": int(can.sum()), "flip_rate": _mean(a),
        "baseline_rate": _mean(b), "difference": best.value, "low": best.low, "high": best.high,
        "p": best.p, "mean": _mean(x.rates), "baseline_mean": _mean(y.rates),
        "mean_difference": mean.value, "mean_low": mean.low, "mean_high": mean.high,
        "mean_p": mean.p, "units": len(set(x.units)), "baseline_units": len(set(y.units)),
    }  # fmt: skip


def _tried_beside(row: dict, tried: pd.DataFrame) -> pd.DataFrame:
    """Return all triggers that a chosen one is the best of."""
    here = (tried[[*WHERE, "method"]] == [row[name] for name in [*WHERE, "method"]]).all(axis=1)
    if row["scope"] == "layer":
        here &= concept_layers(tried) == row["layer"]
    return pd.DataFrame(tried[here])


def _mean(rates: np.ndarray) -> float:
    return float(rates.mean()) if len(rates) else float("nan")
