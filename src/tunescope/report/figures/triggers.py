"""Triggers beside baselines, over layers, and which concepts make strong ones (2210.12696)."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import (
    AXIS_WIDTH,
    BLUE,
    CATEGORIES,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    dashes,
    layer_axis,
    styled,
    value_axis,
)

METHODS = {
    "concept": ("concepts of the class", GREEN, "circle"),
    "random": ("random words", GREY, "square"),
    "opposite": ("concepts of other classes", PURPLE, "cross"),
    "lexicon": ("sentiment lexicon", ORANGE, "diamond"),
    "hotflip": ("HotFlip", BLUE, "triangle-up"),
}
"""Name, colour and shape of each method."""
TRAITS = {
    "class_share": "Share of the class",
    "size": "Occurrences",
    "n_types": "Word types",
    "layer": "Layer",
    "spread": "Spread around its centroid",
    "distance": "Distance from the mean of all words",
}
"""Titles of what concepts are told apart by."""


def flips(best: pd.DataFrame, tried: pd.DataFrame) -> Any:
    """Draw the flip rate of the best trigger of each method towards each class, with its interval.

    Parameters
    ----------
    best : pandas.DataFrame
        `TriggerTable.best`, of one place.
    tried : pandas.DataFrame
        `TriggerTable.tried`, of the same place: a tick shows the mean of all tried.

    Returns
    -------
    altair.LayerChart
    """
    rows = best[(best["scope"] == "all") & (best["by"] == "predicted")]
    mean = tried.groupby(["towards", "method"]).agg(mean=("flip_rate", "mean")).reset_index()
    frame = pd.DataFrame(rows).merge(mean, on=["towards", "method"], how="left")
    frame["words"] = [METHODS[name][0] for name in frame["method"]]
    frame = frame.drop(columns="method")
    there = [METHODS[name] for name in METHODS if METHODS[name][0] in set(frame["words"])]
    names = [name for name, _, _ in there]
    x = alt.X(
        "flip_rate:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title="Predictions flipped", format="%"),
    )
    axis = alt.Axis(title="Towards class", minExtent=AXIS_WIDTH, labelLimit=140, grid=False)
    base = alt.Chart(frame).encode(
        y=alt.Y("towards:N", axis=axis, scale=alt.Scale(paddingInner=0.3)),
        yOffset=alt.YOffset("words:N", sort=names),
        color=alt.Color(
            "words:N",
            scale=alt.Scale(domain=names, range=[colour for _, colour, _ in there]),
            legend=alt.Legend(title=None, symbolOpacity=1, columns=3),
        ),
    )
    shape = alt.Shape(
        "words:N",
        scale=alt.Scale(domain=names, range=[shape for _, _, shape in there]),
        legend=alt.Legend(title=None, columns=3),
    )
    tip = ["towards:N", "words:N", "trigger:N", "tried:Q", "n:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("flip_rate", "flip_low", "flip_high")]
    tip.append(alt.Tooltip("mean:Q", format=".1%", title="mean of all tried"))
    return styled(
        alt.layer(
            base.mark_rule(strokeWidth=2).encode(x=alt.X("flip_low:Q"), x2="flip_high:Q"),
            base.mark_tick(thickness=2, size=12).encode(x=alt.X("mean:Q"), tooltip=tip),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, shape=shape, tooltip=tip),
        ),
        height=max(90, 20 * len(frame) + 20),
    )


def by_layer(best: pd.DataFrame) -> pd.DataFrame:
    """Return what `layers` draws: the best of each layer's concepts, and of their random mirrors.

    Parameters
    ----------
    best : pandas.DataFrame
        `TriggerTable.best`.
    """
    shown = (best["scope"] == "layer") & (best["by"] == "predicted")
    return pd.DataFrame(best[shown & best["method"].isin(["concept", "random"])])


def layers(best: pd.DataFrame) -> Any:
    """Draw the flip rate of the best concept trigger of each layer beside that of random words.

    Parameters
    ----------
    best : pandas.DataFrame
        `TriggerTable.best`, of one place.

    Returns
    -------
    altair.LayerChart
    """
    measures = {"concept": "best of concepts", "random": "best of random words"}
    frame = by_layer(best).replace({"method": measures}).rename(columns={"method": "measure"})
    own = frame[frame["measure"] == measures["concept"]]
    classes = sorted(set(frame["towards"]))
    colours = [CATEGORIES[n % len(CATEGORIES)] for n in range(len(classes))]
    colour = alt.Color(
        "towards:N",
        scale=alt.Scale(domain=classes, range=colours),
        legend=alt.Legend(title="Towards", symbolOpacity=1),
    )
    x, dash = layer_axis(frame["layer"]), dashes(list(measures.values()))
    y = value_axis("flip_rate:Q", "Predictions flipped", domain=[0, 1])
    tip = ["towards:N", "measure:N", "layer:Q", "trigger:N", "tried:Q", "n:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("flip_rate", "flip_low", "flip_high")]
    both, filled = (alt.Chart(of).encode(x=x, color=colour) for of in (frame, own))
    return styled(
        alt.layer(
            both.mark_line().encode(y=y, strokeDash=dash),
            both.mark_point(size=35, opacity=1).encode(y=y, tooltip=tip),
            filled.mark_rule().encode(y=alt.Y("flip_low:Q"), y2="flip_high:Q"),
            filled.mark_point(filled=True, size=55, opacity=1).encode(y=y, tooltip=tip),
        )
    )


def strength(concepts: pd.DataFrame, tried: pd.DataFrame, trait: str) -> Any:
    """Draw each concept that triggers are made from: a trait against the flip rate of its triggers.

    Parameters
    ----------
    concepts : pandas.DataFrame
        `TriggerTable.concepts`, of one place.
    tried : pandas.DataFrame
        `TriggerTable.tried`, of the same place: dashed lines are the mean of random words.
    trait : str
        A key of `TRAITS`.

    Returns
    -------
    altair.LayerChart
    """
    columns = ["towards", "layer", "concept", "size", "mean_rate", "best_rate", "trigger", trait]
    frame = pd.DataFrame(concepts[list(dict.fromkeys(columns))]).assign(value=concepts[trait])
    classes = sorted(set(frame["towards"]))
    colours = [CATEGORIES[n % len(CATEGORIES)] for n in range(len(classes))]
    shapes = ["circle", "square", "diamond", "triangle-up", "cross"]
    look = {
        "color": alt.Color(
            "towards:N", scale=alt.Scale(domain=classes, range=colours),
            legend=alt.Legend(title="Towards", symbolOpacity=1),
        ),
        "shape": alt.Shape(
            "towards:N",
            scale=alt.Scale(domain=classes, range=[shapes[n % 5] for n in range(len(classes))]),
            legend=alt.Legend(title="Towards"),
        ),
    }  # fmt: skip
    random = pd.DataFrame(tried[tried["method"] == "random"])
    mean = random.groupby("towards").agg(mean_rate=("flip_rate", "mean")).reset_index()
    logarithmic = trait in ("size", "n_types")
    x = alt.X(
        "value:Q",
        scale=alt.Scale(type="log" if logarithmic else "linear", zero=False, nice=False),
        axis=alt.Axis(title=TRAITS[trait], tickCount=6, format=".0%" if "share" in trait else ""),
    )
    y = value_axis("mean_rate:Q", "Flipped, mean of its triggers", domain=[0, 1])
    tip = ["towards:N", "layer:Q", "concept:Q", "size:Q", "trigger:N"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("mean_rate", "best_rate")]
    return styled(
        alt.layer(
            alt.Chart(mean)
            .mark_rule(strokeDash=[6, 3], strokeWidth=1.5)
            .encode(y=y, color=look["color"]),
            alt.Chart(frame)
            .mark_point(filled=True, size=50, opacity=0.75)
            .encode(x=x, y=y, tooltip=tip, **look),
        )
    )


def correlations(table: pd.DataFrame) -> Any:
    """Draw the rank correlation of each trait with the strength of triggers, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame
        `TriggerTable.correlations`, of one place; the rows over all classes are drawn.

    Returns
    -------
    altair.LayerChart
    """
    frame = pd.DataFrame(table[(table["towards"] == "") & table["rho"].notna()])
    frame = frame.assign(name=[TRAITS[trait] for trait in frame["trait"]])
    x = alt.X("rho:Q", scale=alt.Scale(domain=[-1, 1]), axis=alt.Axis(title="Spearman's rho"))
    axis = alt.Axis(title=None, labelLimit=240, grid=False)
    base = alt.Chart(frame).encode(y=alt.Y("name:N", sort=list(TRAITS.values()), axis=axis))
    tip = ["name:N", "n:Q", *(alt.Tooltip(f"{c}:Q", format=".2f") for c in ("rho", "low", "high"))]
    zero = alt.Chart(pd.DataFrame({"rho": [0.0]})).mark_rule(color="currentColor", opacity=0.4)
    return styled(
        alt.layer(
            zero.encode(x=x),
            base.mark_rule(strokeWidth=2, color=GREEN).encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_point(filled=True, size=70, opacity=1, color=GREEN).encode(x=x, tooltip=tip),
        ),
        height=max(60, 26 * len(frame)),
    )
