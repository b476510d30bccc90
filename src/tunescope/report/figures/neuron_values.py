"""Box plots of a neuron's activations for each value of a label."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import BLUE, GREY, ORANGE, styled

ROW = 19
"""Pixels for one tag."""


def neuron_values(table: pd.DataFrame, mean: float | None = None, most: int = 30) -> Any:
    """Draw a box for each tag: 5 to 95 % of its words as a line, 25 to 75 % as a bar, the median.

    Parameters
    ----------
    table : pandas.DataFrame
        `NeuronView.of_label(label)`, or `tag_values`; the best separated tags first.
    mean : float, optional
        The neuron's mean over all words, drawn as a line.
    most : int
        At most so many tags.

    Returns
    -------
    altair.LayerChart
        Tags stand by falling median. A tag whose values lie higher than the rest by more than
        chance is orange, one whose values lie lower blue, any other grey.
    """
    shown = table.head(most).sort_values("q50", ascending=False, kind="stable")
    by_chance = shown["separation"].isna() | (shown["separation"] <= shown["chance"])
    shown = shown.assign(
        lies=shown["direction"].where(~by_chance, "as the rest").astype(object),
        number=range(len(shown)),
    )
    names = ["higher", "lower", "as the rest"]
    colour = alt.Color(
        "lies:N",
        scale=alt.Scale(domain=names, range=[ORANGE, BLUE, GREY]),
        legend=alt.Legend(title=None),
    )
    tag = alt.Y(
        "tag:N",
        sort=alt.EncodingSortField("number", order="ascending"),
        axis=alt.Axis(title=None, labelLimit=140, grid=False, labelOverlap=False),
    )
    axis = alt.Axis(title="Activation", grid=True)
    tip = [alt.Tooltip("tag:N"), alt.Tooltip("n:Q", format=",d")]
    tip += [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("mean", "sd", "q50")]
    tip += [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("auc", "chance")]
    drawn = alt.Chart(shown)
    scale = alt.Scale(zero=False)
    layers: list[Any] = [
        drawn.mark_rule(strokeWidth=1.5).encode(
            y=tag, x=alt.X("q05:Q", axis=axis, scale=scale), x2="q95:Q", color=colour, tooltip=tip
        ),
        drawn.mark_bar(height=9).encode(
            y=tag, x=alt.X("q25:Q", scale=scale), x2="q75:Q", color=colour, tooltip=tip
        ),
        drawn.mark_tick(color="currentColor", thickness=2, height=13).encode(
            y=tag, x=alt.X("q50:Q"), tooltip=tip
        ),
    ]
    if mean is not None:
        line = alt.Chart(pd.DataFrame({"all words": [mean]}))
        layers.append(
            line.mark_rule(color="currentColor", strokeDash=[2, 3]).encode(
                x="all words:Q", tooltip=[alt.Tooltip("all words:Q", format=".3~g")]
            )
        )
    return styled(alt.layer(*layers), height=max(ROW * len(shown), 60))
