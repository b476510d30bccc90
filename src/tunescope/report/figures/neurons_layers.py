"""Where selected neurons sit: by layer, by tag, shared by tags, and how localised they are.

After arXiv 2010.02695. Raw and z-scored activations stand side by side, because
the scale of a layer decides which of its neurons a probe gives large weights (COLING 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import (
    SCALINGS,
    SHAPES,
    Frame,
    cells,
    choose,
    look,
    names_axis,
    percents,
    rankings,
    scaling_look,
    scalings,
)
from tunescope.report.figures.style import BLUE, GREEN, GREY, ORANGE, styled, value_axis

MOST_TAGS = 40
"""Rows of a figure with one row per tag; more cannot be read."""
KIND_COLOURS = {"closed class": GREEN, "open class": ORANGE, "other": GREY}
MOST_SHARED = 15
"""Neurons that more tags share are put together."""


def shares(layers: Frame) -> Frame:
    """Return the table of layers with the share that each layer has of the selected neurons."""
    total = layers.groupby(["scaling", "ranking"])["selected"].transform("sum")
    return layers.assign(share=layers["selected"] / total.clip(lower=1))


def by_layer(table: Frame) -> Any:
    """Draw the share of the selected neurons in each layer, raw beside z-scored.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `layers` for one ranking.

    Returns
    -------
    altair.LayerChart
    """
    frame = shares(table)
    frame["scaled"] = [SCALINGS.get(name, name) for name in frame["scaling"]]
    colours = scaling_look(SCALINGS.get(name, name) for name in scalings(table))
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    x = _layers()
    tip = [alt.Tooltip(f"{name}:N") for name in ("layer", "scaled", "selected")]
    tip += [alt.Tooltip(f"{name}:Q", format=".1%") for name in ("share", "chance")]
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=x,
            xOffset=alt.XOffset("scaled:N", sort=list(colours)),
            y=value_axis("share:Q", "Of the selected neurons"),
            color=alt.Color("scaled:N", scale=scale, legend=alt.Legend(title=None)),
            tooltip=tip,
        )
    )
    chance = frame.dropna(subset=["chance"]).drop_duplicates("layer")
    ticks = alt.Chart(pd.DataFrame(chance)).mark_tick(color="currentColor", thickness=2)
    return styled(alt.layer(bars, ticks.encode(x=x, y=alt.Y("chance:Q"))), height=220)


def rankings_by_layer(table: Frame) -> Any:
    """Draw where the neurons that each ranking selects sit.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `layers` for one scaling.

    Returns
    -------
    altair.LayerChart
    """
    frame = shares(table)
    frame["percent"] = percents(frame["share"])
    return cells(
        frame, _layers(), names_axis("ranking", rankings(table)), "share",
        "Of the selected neurons", written="percent", domain=(0, float(frame["share"].max())),
    )  # fmt: skip


def most_frequent(tags: Frame, counts: Mapping[str, int], most: int = MOST_TAGS) -> Any:
    """Return the rows of the most frequent tags.

    Parameters
    ----------
    tags : pandas.DataFrame
        Rows of the table of tags.
    counts : mapping of str to int
        Training words of each tag; where it is empty, tags with the most neurons are kept.
    most : int
        Tags that are kept.
    """
    names = list(dict.fromkeys(tags["tag"]))
    if len(names) <= most:
        return tags
    weight = dict(counts) or tags.groupby("tag")["selected"].sum().to_dict()
    kept = sorted(names, key=lambda name: (-weight.get(name, 0), str(name)))[:most]
    return pd.DataFrame(tags[tags["tag"].isin(kept)])


def by_tag_and_layer(table: Frame) -> Any:
    """Draw where each tag's neurons sit; tags whose neurons lie low come first.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `tags` for one scaling and ranking (`most_frequent`).

    Returns
    -------
    altair.LayerChart
    """
    total = table.groupby("tag")["selected"].transform("sum")
    frame = table.assign(share=table["selected"] / total.where(total > 0))
    frame["percent"] = percents(frame["share"])
    height = frame["share"] * frame["layer"]
    middle = height.groupby(frame["tag"]).sum(min_count=1).sort_values(kind="stable")
    most = frame["share"].max()
    return cells(
        frame, _layers(), names_axis("tag", [str(name) for name in middle.index]), "share",
        "Of the tag’s neurons", written="percent", domain=(0, float(most) if most > 0 else 1),
        row_height=18,
    )  # fmt: skip


def by_tag(table: Frame, kinds: Mapping[str, str] | None = None) -> Any:
    """Draw how many neurons each tag has, the fewest first.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `tags` for one scaling and ranking (`most_frequent`).
    kinds : mapping of str to str, optional
        Kind of each tag (closed class, open class, other), by which bars are coloured.

    Returns
    -------
    altair.Chart
    """
    frame = table.groupby("tag", sort=False)["selected"].sum().reset_index()
    frame = frame.sort_values("selected", kind="stable")
    frame["kind"] = [(kinds or {}).get(name, "") for name in frame["tag"]]
    there = set(frame["kind"])
    colours = {kind: colour for kind, colour in KIND_COLOURS.items() if kind in there}
    encoded: Any = alt.value(BLUE)
    if kinds:
        scale = alt.Scale(domain=list(colours), range=list(colours.values()))
        encoded = alt.Color("kind:N", scale=scale, legend=alt.Legend(title=None))
    axis = alt.Axis(
        format=",d", tickCount=4, tickMinStep=1, labelOverlap="greedy", labelSeparation=4
    )
    return styled(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("selected:Q", title="Neurons of the tag", axis=axis),
            y=names_axis("tag", [str(name) for name in frame["tag"]]),
            color=encoded,
            tooltip=["tag:N", "selected:Q"],
        ),
        height=max(60, 16 * len(frame)),
    )


def sharing(table: Frame) -> Any:
    """Draw how many neurons serve one tag, two tags, and so on.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `sharing` for one ranking.

    Returns
    -------
    altair.Chart
    """
    frame = table.assign(
        scaled=[SCALINGS.get(name, name) for name in table["scaling"]],
        tags=table["n_tags"].clip(upper=MOST_SHARED),
    )
    frame = frame.groupby(["scaled", "tags"], sort=False)["neurons"].sum().reset_index()
    more = table["n_tags"].max() > MOST_SHARED
    frame["tags"] = [f"{n}+" if more and n == MOST_SHARED else str(n) for n in frame["tags"]]
    names = sorted(set(frame["tags"]), key=lambda name: int(name.rstrip("+")))
    colours = scaling_look(SCALINGS.get(name, name) for name in scalings(table))
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    axis = alt.Axis(
        labelAngle=0, grid=False, labelOverlap="greedy", title="Tags that share a neuron"
    )
    return styled(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("tags:N", sort=names, axis=axis),
            xOffset=alt.XOffset("scaled:N", sort=list(colours)),
            y=value_axis("neurons:Q", "Neurons", "count"),
            color=alt.Color("scaled:N", scale=scale, legend=alt.Legend(title=None)),
            tooltip=["tags:N", "scaled:N", "neurons:Q"],
        ),
        height=180,
    )


def localisation(table: Frame) -> Any:
    """Draw one measure of localisation for several models, raw beside z-scored.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `localisation` for one measure and ranking, with a column `model` (or `label`) named
        `row`.

    Returns
    -------
    altair.LayerChart
    """
    frame = table.assign(scaled=[SCALINGS.get(name, name) for name in table["scaling"]])
    names = list(dict.fromkeys(frame["row"]))
    colours = scaling_look(SCALINGS.get(name, name) for name in scalings(table))
    encoded = look("scaled", colours, SHAPES)
    y, offset = names_axis("row", names), alt.YOffset("scaled:N", sort=list(colours))
    x = alt.X(
        "value:Q", title="0 spread out, 1 localised", scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(tickCount=5),
    )  # fmt: skip
    base = alt.Chart(frame).encode(y=y, yOffset=offset)
    tip = [alt.Tooltip("row:N"), alt.Tooltip("scaled:N")]
    tip += [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high", "chance")]
    chance = alt.Chart(choose(frame).dropna(subset=["chance"])).encode(y=y, yOffset=offset)
    return styled(
        alt.layer(
            chance.mark_tick(color="currentColor", thickness=2).encode(x=alt.X("chance:Q")),
            base.mark_rule(strokeWidth=2).encode(
                x=alt.X("low:Q"), x2="high:Q", color=encoded["color"]
            ),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=tip, **encoded),
        ),
        height=max(60, len(names) * (10 + 18 * len(colours))),
    )


def _layers() -> alt.X:
    axis = alt.Axis(
        title="Layer (0 = embeddings)",
        labelAngle=0,
        grid=False,
        labelOverlap="greedy",
        labelSeparation=3,
    )
    return alt.X("layer:O", axis=axis)
