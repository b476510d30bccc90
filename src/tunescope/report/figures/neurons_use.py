"""The search for lambda, what is redundant, and what the model itself uses.

After arXiv 2010.02695 (lambda), Dalvi et al. 2020 (redundancy) and Antverg and
Belinkov 2022 (interventions).
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import (
    MOST_POINTS,
    ORDERS,
    Frame,
    cells,
    choose,
    look,
    names_axis,
    number_axis,
    order_look,
    over_seeds,
    stacked,
)
from tunescope.report.figures.style import (
    AXIS_WIDTH,
    BLUE,
    GREY,
    ORANGE,
    VERMILLION,
    styled,
    value_axis,
)

CHOSEN, DRAWN = "chosen", "as many random"
STAGES = {
    "oracle": "all neurons",
    "layers": "layers chosen",
    "clusters": "one per cluster",
    "features": "features chosen",
}


def search(table: Frame) -> Any:
    """Draw the score of every point of the lambda search; the chosen point is framed.

    Parameters
    ----------
    table : pandas.DataFrame
        The table `search`, of one scaling.

    Returns
    -------
    altair.LayerChart
    """
    frame = table.dropna(subset=["score"]).copy()
    frame["across"], frame["up"] = ([_short(v) for v in frame[c]] for c in ("l1", "l2"))
    frame["written"] = [f"{score:.2f}" for score in frame["score"]]
    across, up = ([_short(v) for v in sorted(set(frame[c]))] for c in ("l1", "l2"))
    axis = alt.Axis(labelAngle=0, grid=False, title="l1 (lasso)", labelOverlap=False)
    x = alt.X("across:N", sort=across, axis=axis)
    y = names_axis("up", up[::-1], "l2 (ridge)")
    drawn = cells(
        frame, x, y, "score", "Score", written="written", unit=".2~f", row_height=26
    )  # fmt: skip
    chosen = alt.Chart(choose(frame, chosen=True))
    frames = chosen.mark_rect(filled=False, stroke=VERMILLION, strokeWidth=3, strokeOpacity=1)
    drawn.layer.append(frames.encode(x=x, y=y))
    return drawn


def redundancy_kept(table: Frame) -> Any:
    """Draw how many neurons are left after each stage.

    Parameters
    ----------
    table : pandas.DataFrame
        The table `redundancy`.

    Returns
    -------
    altair.LayerChart
    """
    frame, names = _staged(table)
    whole = max(int(frame["neurons"].max()), 1)
    frame["written"] = [
        f"{n:,} in {k} layer{'s' * (k != 1)}" if k == k else f"{n:,}"
        for n, k in zip(frame["neurons"], frame["layers"], strict=True)
    ]
    x = alt.X(
        "neurons:Q", title="Neurons kept", axis=alt.Axis(format=",d", tickCount=3),
        scale=alt.Scale(domain=[0, 2 * whole], nice=False),
    )  # fmt: skip
    base = alt.Chart(frame).encode(y=names_axis("name", names), x=x)
    tip = ["name:N", alt.Tooltip("neurons:Q", format=",d"), "layers:Q"]
    text = base.mark_text(align="left", dx=4, fontSize=11, color="currentColor")
    return styled(
        alt.layer(base.mark_bar(color=BLUE).encode(tooltip=tip), text.encode(text="written:N")),
        height=30 * len(names),
    )


def redundancy_accuracy(table: Frame) -> Any:
    """Draw the accuracy after each stage, beside as many random neurons where they are known.

    Parameters
    ----------
    table : pandas.DataFrame
        The table `redundancy`.

    Returns
    -------
    altair.LayerChart
    """
    frame, names = _staged(table)
    y = names_axis("name", names)
    x = alt.X(
        "accuracy:Q", title="Words labelled correctly",
        axis=alt.Axis(format="%", tickCount=4), scale=alt.Scale(zero=False, padding=12),
    )  # fmt: skip
    parts = [frame.assign(neurons_kept=CHOSEN)]
    if "random_accuracy" in frame.columns:
        beside = {"random_accuracy": "accuracy", "random_low": "low", "random_high": "high"}
        drawn = frame.drop(columns=list(beside.values())).rename(columns=beside)
        # All neurons are no choice: nothing stands beside them.
        parts.append(drawn[drawn["stage"] != "oracle"].assign(neurons_kept=DRAWN))
    both = stacked(parts)
    kinds = {CHOSEN: BLUE, DRAWN: ORANGE} if len(parts) > 1 else {CHOSEN: BLUE}
    encoded = look("neurons_kept", kinds, ("circle", "diamond"))
    offset = alt.YOffset("neurons_kept:N", sort=list(kinds))
    base = alt.Chart(both).encode(y=y, yOffset=offset)
    tip = ["name:N", "neurons_kept:N", alt.Tooltip("neurons:Q", format=",d")]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("accuracy", "low", "high")]
    whole = alt.Chart(frame[frame["stage"] == "oracle"])
    span = base.mark_rule(strokeWidth=2)
    return styled(
        alt.layer(
            whole.mark_rule(color=GREY, strokeDash=[6, 3]).encode(x=x),
            span.encode(x=alt.X("low:Q"), x2="high:Q", color=encoded["color"]),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=tip, **encoded),
        ),
        height=(14 + 16 * len(kinds)) * len(names),
    )


def effects(table: Frame, *, title: str = "Change", shares: bool = False) -> Any:
    """Draw what changing the top k neurons does to the model's output, beside random neurons.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `effects` for one ranking, measure and action; those of the unedited model are
        left out. Where k does not vary, the amount of
        the change is on the x axis instead; where both do, only the largest amount is drawn.
    title : str
        Of the y axis.
    shares : bool
        Whether the measure is a share, whose change is in percentage points.

    Returns
    -------
    altair.LayerChart
    """
    axis = "k"
    table = table[table["neurons"].isin(list(ORDERS))]
    table = table.assign(amount=table["amount"].fillna(0.0))
    if table["k"].nunique() == 1 and table["amount"].nunique() > 1:
        axis = "amount"
    elif table["amount"].nunique() > 1:
        table = pd.DataFrame(table[table["amount"] == strongest(table)])
    frame = over_seeds(table, ["neurons", axis], "change").rename(columns={axis: "along"})
    encoded = order_look(frame["neurons"], "neurons")
    if axis == "k":
        x = number_axis(frame["along"], "along:Q", "Neurons changed")
    else:
        x = alt.X("along:Q", title="Amount", axis=alt.Axis(grid=False))
    if shares:
        y = value_axis("change:Q", f"{title} (points)", "points")
    else:
        shown = alt.Axis(title=title, minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH, format="~g")
        y = alt.Y("change:Q", axis=shown)
    form = "+.2%" if shares else "+.4~g"
    tip = [alt.Tooltip("neurons:N"), alt.Tooltip("along:Q", title=axis), alt.Tooltip("seeds:Q")]
    tip += [alt.Tooltip(f"{name}:Q", format=form) for name in ("change", "low", "high")]
    chart = alt.Chart(frame)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=GREY)
    size = 50 if frame["along"].nunique() <= MOST_POINTS else 18
    layers = [zero.encode(y=alt.Y("zero:Q"))]
    if frame["along"].nunique() > 1:
        band = chart.mark_area(opacity=0.2)
        layers.append(band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=encoded["color"]))
        layers.append(chart.mark_line().encode(x=x, y=y, color=encoded["color"]))
    else:
        band = chart.mark_rule(strokeWidth=2)
        layers.append(band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=encoded["color"]))
    points = chart.mark_point(filled=True, size=size, opacity=1)
    layers.append(points.encode(x=x, y=y, tooltip=tip, **encoded))
    return styled(alt.layer(*layers), height=200)


def by_amount(table: Frame) -> list[tuple[float | None, Frame]]:
    """Return the parts of one action's rows that each make a chart, with their amount.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `effects` for one ranking, measure and action.

    Returns
    -------
    list of (float or None, pandas.DataFrame)
        One part per amount where there are two and k varies; else all rows, without an amount.
    """
    amounts = sorted(set(table["amount"]))
    if len(amounts) == 2 and table["k"].nunique() > 1:
        return [(amount, choose(table, amount=amount)) for amount in amounts]
    return [(None, table)]


def is_share(measure: str) -> bool:
    """Return whether a measure is a share or a probability, not its logarithm or a loss."""
    name = measure.lower()
    shares = ("accuracy", "changed", "probability", "share")
    return "log" not in name and any(word in name for word in shares)


def strongest(table: Frame) -> float:
    """Return the amount that changes neurons most: the one furthest from leaving them as they are.

    Scaling by 1 and translating by 0 leave them.
    """
    still = 1.0 if set(table["action"]) == {"scale"} else 0.0
    amounts = sorted(set(table["amount"].dropna()))
    return max(amounts, key=lambda amount: (abs(amount - still), amount), default=0.0)


def _short(value: float) -> str:
    """Write a small number without the zeros of its exponent: 1e-5."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-3 else f"{value:g}"


def _staged(table: Frame) -> tuple[Frame, list[str]]:
    frame = table.assign(name=[STAGES.get(stage, stage) for stage in table["stage"]])
    return frame, list(dict.fromkeys(frame["name"]))
