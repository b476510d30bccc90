"""Concepts over thresholds, scores of labels, what concepts are made of, gold against predicted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import (
    AXIS_WIDTH,
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    dashes,
    layer_axis,
    models,
    styled,
    value_axis,
)

LAYERS = (BLUE, GREEN, VERMILLION)
FOUND, CHANCE = "found", "by chance (upper end)"
MOST_LABELS = 14
"""Labels that are drawn by name; the others are drawn together."""
LONGEST = 18


def sweep(table: pd.DataFrame, level: str, role: str = "base") -> Any:
    """Draw the share of concepts found again at every theta: lowest, middle and top layer.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.sweep`.
    level : {"occurrences", "types"}
        Which level.
    role : {"base", "tuned"}
        Base concepts retained, or tuned concepts that survived from the base.

    Returns
    -------
    altair.LayerChart
    """
    rows = pd.DataFrame(table[(table["role"] == role) & (table["level"] == level)])
    layers = sorted(set(rows["layer"]))
    shown = sorted({layers[0], layers[len(layers) // 2], layers[-1]})
    rows = pd.DataFrame(rows[rows["layer"].isin(shown)])
    kept = pd.DataFrame(rows[["theta", "n_concepts", "p"]])
    kept["at"] = [f"layer {layer}" for layer in rows["layer"]]
    found = kept.assign(
        measure=FOUND, share=rows["matched_share"], low=rows["matched_low"],
        high=rows["matched_high"],
    )  # fmt: skip
    null = kept.assign(measure=CHANCE, share=rows["null_high"] / rows["n_concepts"].clip(lower=1))
    names = [f"layer {layer}" for layer in shown]
    scale = alt.Scale(domain=names, range=list(LAYERS[: len(names)]))
    colour = alt.Color("at:N", scale=scale, legend=alt.Legend(title=None, symbolOpacity=1))
    x = alt.X(
        "theta:Q", scale=alt.Scale(zero=False, nice=False),
        axis=alt.Axis(title=f"Threshold (share of the concept's {level})", format="~f", grid=False),
    )  # fmt: skip
    what = "Base concepts retained" if role == "base" else "Tuned concepts found in the base"
    y = value_axis("share:Q", what, domain=[0, 1])
    dash = dashes([FOUND, CHANCE])
    tip = [alt.Tooltip("at:N"), alt.Tooltip("theta:Q"), alt.Tooltip("n_concepts:Q")]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("share", "low", "high")]
    tip.append(alt.Tooltip("p:Q", format=".3f"))
    return styled(
        alt.layer(
            alt.Chart(found)
            .mark_area(opacity=0.15)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
            alt.Chart(null)
            .mark_line(strokeWidth=1.5)
            .encode(x=x, y=y, color=colour, strokeDash=dash),
            alt.Chart(found)
            .mark_line(strokeWidth=2)
            .encode(x=x, y=y, color=colour, strokeDash=dash),
            alt.Chart(found)
            .mark_point(filled=True, size=45, opacity=1)
            .encode(x=x, y=y, color=colour, tooltip=tip),
        )
    )


def score(table: pd.DataFrame, measure: str = "score") -> Any:
    """Draw the score of a label column over layers, both models, with interval and null.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Alignment.scores` for one label column.
    measure : {"score", "aligned", "covered"}
        Half of both shares, the share of clusters aligned, or the share of labels covered.

    Returns
    -------
    altair.LayerChart
    """
    titles = {
        "score": "Score (half aligned, half covered)",
        "aligned": "Clusters aligned",
        "covered": "Labels covered",
    }
    rows = pd.DataFrame(table[table["measure"] == measure])
    return _over_layers(rows, "value", titles[measure], "share")


def gold_and_predicted(gold: pd.DataFrame, predicted: pd.DataFrame, role: str) -> Any:
    """Draw the concepts of one model polarised by gold and by predicted class.

    Parameters
    ----------
    gold, predicted : pandas.DataFrame
        `Alignment.polarity` and `Alignment.predicted_polarity`.
    role : {"base", "tuned"}
        Which model's concepts.

    Returns
    -------
    altair.LayerChart
    """
    parts = []
    for name, part in (("gold class", gold), ("predicted class", predicted)):
        rows = part[(part["role"] == role) & (part["class"] == "")]
        parts.append(pd.DataFrame(rows).assign(model=name))
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.rename(columns={"polarised_low": "low", "polarised_high": "high"})
    return _over_layers(rows, "polarised", "Concepts that follow a class", "count")


def composition(table: pd.DataFrame, role: str, label: str) -> Any:
    """Draw which labels the concepts of each layer are made of, as a map of layers and labels.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.composition`.
    role : {"base", "tuned"}
        Which model.
    label : str
        Which label column.

    Returns
    -------
    altair.LayerChart
        The area of a grey dot is the number of concepts that the label has a share above the step's
        `composition_share` of; that of the green one within, of those aligned with it.
    """
    rows = pd.DataFrame(table[(table["role"] == role) & (table["label"] == label)])
    kinds = ["have some of it", "follow it"]
    grouped = rows.groupby(["layer", "value"], as_index=False)
    counts = pd.DataFrame(
        grouped.agg(**{kinds[0]: ("concept", "size"), kinds[1]: ("aligned", "sum")})
    )
    of_label: Counter[str] = Counter()
    for name, number in zip(counts["value"], counts[kinds[0]], strict=True):
        of_label[name] += number
    names = sorted(of_label, key=lambda name: (-of_label[name], name))[:MOST_LABELS]
    frame = pd.DataFrame(counts[counts["value"].isin(names)]).melt(
        ["layer", "value"], kinds, var_name="share", value_name="concepts"
    )
    axis = alt.Axis(
        minExtent=AXIS_WIDTH, labelLimit=140, title=None,
        labelExpr=f"length(datum.label) > {LONGEST} ? slice(datum.label, 0, {LONGEST}) + '…' : "
        "datum.label",
    )  # fmt: skip
    most = max([1.0, *map(float, frame["concepts"])])
    dots = (
        alt.Chart(pd.DataFrame(frame[frame["concepts"] > 0]))
        .mark_circle(opacity=1)
        .encode(
            x=alt.X("layer:O", axis=alt.Axis(title="Layer (0 = embeddings)", labelAngle=0)),
            y=alt.Y("value:N", sort=names, axis=axis),
            size=alt.Size(
                "concepts:Q", scale=alt.Scale(domain=[0, most], range=[0, 420]), legend=None
            ),
            color=alt.Color(
                "share:N",
                scale=alt.Scale(domain=kinds, range=[GREY, GREEN]),
                legend=alt.Legend(title=None),
            ),
            order=alt.Order("share:N", sort="descending"),
            tooltip=["value:N", "layer:O", "share:N", "concepts:Q"],
        )
    )
    return styled(alt.layer(dots), height=max(120, 26 * len(names)))


def _over_layers(rows: pd.DataFrame, column: str, title: str, unit: str) -> Any:
    """Draw a figure per layer for up to two models, with its interval and the null's upper end."""
    kept = pd.DataFrame(rows[["layer", "model", "low", "high", "p"]])
    found = kept.assign(measure=FOUND, shown=rows[column])
    null = kept.assign(measure=CHANCE, shown=rows["null_high"])
    look = models(list(dict.fromkeys(rows["model"])))
    x, dash = layer_axis(kept["layer"]), dashes([FOUND, CHANCE])
    top = {"domain": [0, 1]} if unit == "share" else {}
    y = value_axis("shown:Q", title, unit, **top)
    tip = [alt.Tooltip("model:N"), alt.Tooltip("layer:Q")]
    form = ".1%" if unit == "share" else ".1f"
    tip += [alt.Tooltip(f"{c}:Q", format=form) for c in ("shown", "low", "high")]
    tip.append(alt.Tooltip("p:Q", format=".3f"))
    line = {"x": x, "y": y, "strokeDash": dash, "color": look["color"]}
    return styled(
        alt.layer(
            alt.Chart(found)
            .mark_area(opacity=0.15)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=look["color"]),
            alt.Chart(null).mark_line(strokeWidth=1.5).encode(**line),
            alt.Chart(found).mark_line(strokeWidth=2).encode(**line),
            alt.Chart(found)
            .mark_point(filled=True, size=55, opacity=1)
            .encode(x=x, y=y, tooltip=tip, **look),
        )
    )
