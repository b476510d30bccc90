"""The concept mapper on held-out words, and what predictions lose without their salient words."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import (
    AXIS_WIDTH,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    layer_axis,
    styled,
    value_axis,
)

LINES = {
    ("mapper", "top1"): ("right", GREEN, [1, 0]),
    ("mapper", "top2"): ("among the best two", BLUE, [1, 0]),
    ("mapper", "top5"): ("among the best five", PURPLE, [1, 0]),
    ("mapper", "accepted"): ("accepted", ORANGE, [1, 0]),
    ("nearest_centroid", "top1"): ("nearest centroid", GREY, [6, 3]),
    ("majority", "top1"): ("largest concept", GREY, [2, 2]),
}
"""Name, colour and dashes of each method and measure."""
SETS = {"salient": ("salient words", ORANGE), "random": ("as many random words", GREY)}
MEASURES = {"deleted": "without them", "kept": "with them alone"}


def mapper(scores: pd.DataFrame) -> Any:
    """Draw the shares of held-out words that are mapped to their concept, over layers.

    Parameters
    ----------
    scores : pandas.DataFrame
        `ConceptMapper.scores` of one kind of words.

    Returns
    -------
    altair.LayerChart
    """
    keys = list(zip(scores["method"], scores["measure"], strict=True))
    frame = pd.DataFrame(scores[[key in LINES for key in keys]])
    kept = zip(frame["method"], frame["measure"], strict=True)
    frame["line"] = [LINES[key][0] for key in kept]
    frame = frame[["layer", "line", "value", "low", "high", "n"]]
    names, colours, dashes = zip(*LINES.values(), strict=True)
    colour = alt.Color(
        "line:N", scale=alt.Scale(domain=names, range=colours),
        legend=alt.Legend(title=None, columns=3, symbolOpacity=1),
    )  # fmt: skip
    dash = alt.StrokeDash(
        "line:N",
        scale=alt.Scale(domain=names, range=dashes),
        legend=alt.Legend(title=None, columns=3, symbolOpacity=1),
    )
    x = layer_axis(frame["layer"])
    tip = ["line:N", "layer:Q", "n:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("value", "low", "high")]
    base = alt.Chart(frame).encode(x=x, color=colour)
    y = value_axis("value:Q", "Held-out words", domain=[0, 1])
    return styled(
        alt.layer(
            base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q"), y2="high:Q"),
            base.mark_line().encode(y=y, strokeDash=dash),
            base.mark_point(filled=True, size=45, opacity=1).encode(y=y, tooltip=tip),
        )
    )


def faithful(effects: pd.DataFrame) -> Any:
    """Draw what the predicted class loses without salient and without random words.

    Parameters
    ----------
    effects : pandas.DataFrame
        `ExplanationCheck.effects`.

    Returns
    -------
    altair.LayerChart
    """
    frame = pd.DataFrame(effects[effects["words"].isin(list(SETS))])
    frame = frame.assign(
        set=[SETS[name][0] for name in frame["words"]],
        shown=[MEASURES[name] for name in frame["measure"]],
    )[["set", "shown", "drop", "drop_low", "drop_high", "flips", "n"]]
    names, colours = zip(*SETS.values(), strict=True)
    axis = alt.Axis(title=None, minExtent=AXIS_WIDTH, grid=False, labelLimit=140)
    base = alt.Chart(frame).encode(
        y=alt.Y("shown:N", sort=list(MEASURES.values()), axis=axis),
        yOffset=alt.YOffset("set:N", sort=list(names)),
        color=alt.Color(
            "set:N", scale=alt.Scale(domain=names, range=colours),
            legend=alt.Legend(title=None, symbolOpacity=1),
        ),
    )  # fmt: skip
    axis = alt.Axis(title="Probability of the predicted class that is lost", format="%")
    x = alt.X("drop:Q", axis=axis)
    tip = ["set:N", "shown:N", "n:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("drop", "drop_low", "drop_high", "flips")]
    zero = alt.Chart(pd.DataFrame({"drop": [0.0]})).mark_rule(color="currentColor", opacity=0.4)
    return styled(
        alt.layer(
            zero.encode(x=x),
            base.mark_rule(strokeWidth=2).encode(x=alt.X("drop_low:Q"), x2="drop_high:Q"),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=tip),
        ),
        height=110,
    )
