"""Scores of models fine-tuned without some of their blocks (arXiv 2105.15179, section 4.3)."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import look, names_axis
from tunescope.report.figures.style import CATEGORIES, styled

WHOLE = "whole model"
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
SIGNIFICANT = 0.05


def pruned_frame(summary: pd.DataFrame) -> pd.DataFrame:
    """Bring the summaries of pruned models into the form of the figure.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of `PrunedScores.summary()` for one base model, of one task or of several.

    Returns
    -------
    pandas.DataFrame
        Columns task, metric, rule (as the legend names it), dropped, blocks, seeds, score, low,
        high, baseline, p_holm and certain (whether it is the whole model, or differs from it).
    """
    frame = summary.copy()
    if "p_holm" not in frame:
        frame["p_holm"] = float("nan")
    whole = frame["rule"] == "none"
    frame["certain"] = whole | (frame["p_holm"] < SIGNIFICANT)
    frame["rule"] = frame["rule"].mask(whole, WHOLE)
    columns = ["task", "metric", "rule", "dropped", "blocks", "seeds", "score", "low", "high"]
    return pd.DataFrame(frame[[*columns, "baseline", "p_holm", "certain"]]).reset_index(drop=True)


def pruned_scores(summary: pd.DataFrame) -> Any:
    """Draw the score under each rule, a row for each task, beside the baseline (a tick).

    Points are hollow where the difference from the whole model is not significant (Holm).

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of `PrunedScores.summary()` for one base model, of one task or of several.

    Returns
    -------
    altair.LayerChart
    """
    frame = pruned_frame(summary)
    tasks, rules = (list(dict.fromkeys(frame[name])) for name in ("task", "rule"))
    colours = {rule: CATEGORIES[n % len(CATEGORIES)] for n, rule in enumerate(rules)}
    shapes = [SHAPES[n % len(SHAPES)] for n in range(len(rules))]
    encoded = look("rule", colours, shapes)
    x = alt.X(
        "score:Q", title=f"Score on dev ({', '.join(dict.fromkeys(frame['metric']))})",
        scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=5, format="~g"),
    )  # fmt: skip
    y, offset = names_axis("task", tasks), alt.YOffset("rule:N", sort=rules)
    base = alt.Chart(frame).encode(y=y, yOffset=offset)
    tip = ["task:N", "metric:N", "rule:N", alt.Tooltip("dropped:N", title="blocks dropped")]
    tip += [alt.Tooltip("blocks:Q", title="blocks kept"), "seeds:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".3f") for c in ("score", "low", "high", "baseline")]
    tip += [alt.Tooltip("p_holm:Q", format=".3f", title="p (Holm)")]

    def points(certain: bool) -> Any:
        shown = alt.Chart(pd.DataFrame(frame[frame["certain"] == certain]))
        return shown.mark_point(size=70, opacity=1, strokeWidth=2, filled=certain).encode(
            x=x, y=y, yOffset=offset, tooltip=tip, **encoded
        )

    return styled(
        alt.layer(
            base.mark_tick(color="currentColor", thickness=2).encode(x=alt.X("baseline:Q")),
            base.mark_rule(strokeWidth=2).encode(
                x=alt.X("low:Q"), x2="high:Q", color=encoded["color"]
            ),
            points(True),
            points(False),
        ),
        height=max(60, len(tasks) * (14 + 18 * len(rules))),
    )
