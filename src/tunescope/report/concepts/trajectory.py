"""Figures of concepts over checkpoints, and of how much would be lost without tuning."""

from __future__ import annotations

from functools import partial

import pandas as pd

from tunescope.concepts.stability.result import BASE, BETWEEN, ConceptStability
from tunescope.concepts.trajectory.result import ConceptTrace
from tunescope.report.figure import Figure, slug
from tunescope.report.figures import trajectory as draw
from tunescope.report.finding import Finding
from tunescope.report.provenance import source as producer
from tunescope.report.wording import layers as layer_names
from tunescope.report.wording import null, percent, spread
from tunescope.study.result import Run

HALF = 0.5


def stability(run: Run, corpus: str, found: ConceptStability) -> Figure:
    """Show how many concepts are found again without any tuning, beside those after it.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus of the words.
    found : ConceptStability
        Of one pair of models.
    """
    step, facts = found.manifest.parameters, found.manifest.facts
    how = {
        "shared": "two samples of two thirds of the sentences each, on the words they share",
        "centroids": "halves of the sentences, words of one being given to the nearest centroid "
        "of the other",
    }[step["compare"]]
    divisions = f"; means of {step['repeats']} divisions" if step["repeats"] > 1 else ""
    return Figure(
        f"stability-{slug(facts['base'], facts['tuned'] or '', corpus)}",
        f"How many concepts would be lost without tuning ({corpus})",
        f"Share of concepts of which one concept holds at least {percent(step['theta'])} when the "
        f"same model is clustered on {how}, beside base and tuned model in the same way. What lies "
        "between the lines is due to tuning; what the upper ones lack of 100% is noise of the "
        "clustering. "
        f"Bands: Wilson’s {percent(step['confidence'])} intervals{divisions}.",
        {"found again by layer": partial(draw.noise, found.summary)},
        found.summary,
        producer(run, "stability", step),
    )


def stability_finding(found: ConceptStability, corpus: str) -> Finding | None:
    """Say at which layers tuning loses more than clustering other sentences would.

    Parameters
    ----------
    found : ConceptStability
        Of one pair of models.
    corpus : str
        For the topic.
    """
    facts, summary = found.manifest.facts, found.summary
    if facts["tuned"] is None:
        return None
    by = {
        name: pd.DataFrame(summary[summary["comparison"] == name]).set_index("layer")
        for name in (BASE, BETWEEN)
    }
    alone, between = by[BASE], by[BETWEEN]
    beyond = [int(n) for n in alone.index if between.loc[n, "high"] < alone.loc[n, "low"]]
    low, top = int(min(alone.index)), int(max(alone.index))
    ends = [f"{percent(alone.loc[n, 'share'])} of its concepts of layer {n}" for n in (low, top)]
    text = (
        f"Clustered on other sentences, {facts['base']} itself finds {ends[0]} and {ends[1]} "
        f"again. Compared in the same way, on other sentences, {facts['tuned']} keeps fewer of "
        f"them, beyond both intervals, at {layer_names(beyond)}; elsewhere the loss may be noise "
        "of the clustering."
        if beyond
        else f"Clustered on other sentences, {facts['base']} itself finds {ends[0]} and {ends[1]} "
        f"again. Compared in the same way, on other sentences, {facts['tuned']} keeps fewer of "
        "them, beyond both intervals, at no layer."
    )
    return Finding(f"what is noise in {corpus}", text, top in beyond and low not in beyond)


def trace(run: Run, corpus: str, found: ConceptTrace) -> list[Figure]:
    """Show when on the way of tuning concepts are lost, born and polarised.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus of the words.
    found : ConceptTrace
        Of one pair of models.
    """
    step, facts = found.manifest.parameters, found.manifest.facts
    name, source = slug(facts["base"], facts["tuned"], corpus), producer(run, "trace", step)
    counts, points = found.counts, found.points
    measures = [m for m in ("retained", "present", "polarised") if m in set(counts["measure"])]
    rule = f"A concept is there when one concept holds at least {percent(step['theta'])} of it. "
    top = int(max(counts["layer"]))
    flows, groups = (
        pd.DataFrame(frame[frame["layer"] == top]) for frame in (found.flows, found.groups)
    )
    n = f"{spread(counts['n_concepts'])} concepts per layer"
    return [
        Figure(
            f"trajectory-{name}",
            f"When concepts are lost, are born and follow a class ({corpus})",
            f"{rule}Each row is a checkpoint. What chance would give is in the table: "
            f"{null(step)}. {n}.",
            {draw.MEASURES[m].lower(): partial(draw.there, counts, points, m) for m in measures},
            counts,
            source,
        ),
        Figure(
            f"flow-{name}",
            f"Where words go on the way, at layer {top} ({corpus})",
            "Groups of concepts at each checkpoint, as tall as their words, with the number of "
            "concepts. Kept: found again both ways; merged, absorbed: goes into another together "
            "with others, or into a larger one; split, carved: the reverse; vanished and new: "
            f"without a match; polarised: at least {percent(found.step.theta_classes)} in "
            "sentences of one class; small: too few word types to count.",
            {"flow of words": partial(draw.flow, flows, groups, points)},
            flows,
            source,
        ),
    ]


def finding(found: ConceptTrace, corpus: str) -> Finding | None:
    """Say what the first checkpoint keeps, and when half of the polarised concepts are there.

    The pattern of the literature, low layers kept and high ones replaced, shows on the way when the
    top layer has fewer base concepts than the lowest at every checkpoint.

    Parameters
    ----------
    found : ConceptTrace
        Of one pair of models.
    corpus : str
        For the topic.
    """
    counts = found.counts.merge(found.points[["point", "fraction"]], on="point")
    kept = pd.DataFrame(counts[(counts["measure"] == "retained") & (counts["point"] > 0)])
    shares = kept.pivot(index="fraction", columns="layer", values="share").sort_index()
    low, top = int(min(shares.columns)), int(max(shares.columns))
    if len(shares) < 2 or low == top:
        return None
    then, end, first = shares.iloc[0], shares.iloc[-1], float(min(shares.index))
    text = (
        f"After {percent(first)} of the tuning, {percent(then[top])} of the base concepts of layer "
        f"{top} are found again, against {percent(then[low])} at layer {low}; at the end "
        f"{percent(end[top])} and {percent(end[low])}."
    )
    polar = counts[(counts["measure"] == "polarised") & (counts["layer"] == top)]
    text += half_way(pd.DataFrame(polar), top)
    text += f" Found again: one concept holds {percent(found.step.theta)} of the words or more."
    below = bool((shares[top] < shares[low]).all())
    return Finding(f"when concepts change in {corpus}", text, below)


def half_way(polarised: pd.DataFrame, layer: int) -> str:
    """Say by which checkpoint half of the change in polarised concepts has come about.

    Parameters
    ----------
    polarised : pandas.DataFrame
        `count` and `fraction` of one layer, at every point.
    layer : int
        Its number.

    Returns
    -------
    str
        A sentence with a blank before it; "" where nothing changes or there is no checkpoint.
    """
    rows = polarised.sort_values("fraction")
    numbers, fractions = rows["count"].to_numpy(), rows["fraction"].to_numpy()
    if len(rows) < 3 or numbers[0] == numbers[-1]:
        return ""
    reached = (numbers - numbers[0]) / (numbers[-1] - numbers[0]) >= HALF
    return (
        f" Of layer {layer}, {numbers[0]} concepts follow a class before tuning and {numbers[-1]} "
        f"at the end; half of that change is there by {percent(fractions[reached][0])} of the "
        "tuning, the first checkpoint with so much of it."
    )
