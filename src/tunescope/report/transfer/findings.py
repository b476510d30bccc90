"""What a study of transfer found, as sentences computed from its numbers.

The claims that each finding holds or does not hold are those of Durrani et al. 2021 (arXiv
2105.15179): knowledge is lost in the higher layers and kept in the lower ones (section 4.1), its
neurons move down (section 4.2), the bottom layers are needed more than the top ones (section 4.3).
That tuning changes the geometry of the top layers most was found by Merchant et al. 2020.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tunescope.geometry.trajectory import trajectory
from tunescope.report.figure import slug
from tunescope.report.finding import Evidence, Finding
from tunescope.report.transfer import inputs
from tunescope.report.wording import layers, percent, points
from tunescope.study.result import Run

Frame = Any


def findings(run: Run) -> list[Finding]:
    """Say what tuning did over all bases and tasks of a run.

    Parameters
    ----------
    run : Run
        Results of a study.
    """
    found: list[tuple[Finding, Evidence]] = []
    together, several = Evidence("layers", (), ""), len(run.pairs) > 1
    table = inputs.forgetting_table(run)
    for corpus, label in inputs.labels(run) if several else ():
        rows: Frame = table[(table["corpus"] == corpus) & (table["label"] == label)]
        at = replace(together, figure=f"upper-{slug(corpus, label)}")
        found.append((forgotten(rows, f"{label} in {corpus}"), at))
        if rows["base"].nunique() > 1:
            found.append((deepest(rows, f"{label} in {corpus}, by base"), at))
    for corpus in run.study.measured:
        alike = inputs.alike_table(run, corpus)
        if len(alike):
            at = replace(together, figure=f"alike-{slug(corpus)}")
            if not several:
                at = Evidence("layers", run.pairs[0], f"geometry-{slug(*run.pairs[0], corpus)}")
            found.append((geometry(alike, f"geometry on {corpus}"), at))
    for (corpus, base, tuned), way in run.transfer.geometry_paths.items():
        _, halves = trajectory([(at, made.layers) for at, made in way])
        name = f"geometry-on-the-way-{slug(base, tuned, corpus)}"
        claim = order(halves, f"{tuned} on {corpus}, during tuning")
        found.append((claim, Evidence("layers", (base, tuned), name)))
    for corpus, label in dict.fromkeys(key[:2] for key in run.transfer.shifts):
        shifts = inputs.shift_table(run, corpus, label)
        at = replace(together, figure=f"shifted-{slug(corpus, label)}")
        if not several:
            name = f"neuron-layers-{slug(*run.pairs[0], corpus, label)}"
            at = Evidence("layers", run.pairs[0], name)
        found.append((moved(shifts, f"neurons for {label} in {corpus}"), at))
    for base, scores in inputs.pruning_tables(run):
        at = replace(together, figure=f"pruned-{slug(base)}")
        found += [(claim, at) for claim in pruned(scores, f"layers of {base}")]
    return [replace(claim, evidence=at) for claim, at in found]


def verdict(found: list[Finding]) -> str:
    """Say in one sentence in how many findings the reported pattern shows."""
    holds = sum(finding.holds for finding in found)
    return (
        "The pattern that Durrani et al. (2021) report (tuning acts on the higher layers; the "
        f"lower ones keep what they know and are needed) shows in {holds} of {len(found)} measures."
    )


def forgotten(table: Frame, topic: str) -> Finding:
    """Say which task forgets most and least in the upper layers, and from which layer on.

    Parameters
    ----------
    table : pandas.DataFrame
        `ProbeComparison.forgetting` of tuned models, a row each.
    topic : str
        Label column and corpus.
    """
    rows = table.sort_values("difference").to_dict("records")
    losing = [row for row in rows if pd.notna(row["onset"])]
    most, least = rows[0], rows[-1]
    text = f"{most['tuned']} changes by {_interval(most)} in the top third of the layers"
    text += f", {_since(most)}" if len(rows) > 1 else f" ({_since(most)})"
    if len(rows) > 1:
        text += f"; {least['tuned']} by {_interval(least)}, {_since(least)}"
        text += f". {len(losing)} of {len(rows)} tuned models are worse from some layer up"
    holds = bool(losing) and all(row["kept_depth"] > 0 for row in losing)
    return Finding(topic, text + ".", holds)


def deepest(table: Frame, topic: str) -> Finding:
    """Say which base keeps knowledge deepest: the share of layers below the onset, over tasks.

    Parameters
    ----------
    table : pandas.DataFrame
        As for `forgotten`.
    topic : str
        Label column and corpus.
    """
    kept = table.groupby("base", sort=False)["kept_depth"].mean().sort_values(ascending=False)
    listed = [f"{percent(value)} in {base}" for base, value in kept.items()]
    text = f"Layers below the onset of forgetting, mean over tasks: {', '.join(listed)}."
    return Finding(topic, text, bool(kept.iloc[0] > kept.iloc[-1]))


def geometry(table: Frame, topic: str) -> Finding:
    """Say how alike the lowest and the top layer stay.

    Parameters
    ----------
    table : pandas.DataFrame
        `inputs.alike_table`.
    topic : str
        Corpus.
    """
    parts, falls = [], []
    for tuned, rows in table.sort_values("layer").groupby("tuned", sort=False):
        low, top = rows.iloc[0], rows.iloc[-1]
        falls.append(bool(top["high"] < low["low"]))
        parts.append(f"{tuned} {low['value']:.2f} to {top['value']:.2f}")
    first, last = int(table["layer"].min()), int(table["layer"].max())
    text = (
        f"CKA with the same layer of the base model, from layer {first} to layer {last}: "
        f"{', '.join(parts)} (1 is unchanged, words paired at random give "
        f"{abs(float(table['chance'].mean())):.2f})."
    )
    return Finding(topic, text, all(falls))


def order(halves: Frame, topic: str) -> Finding:
    """Say which layers change first during tuning.

    Parameters
    ----------
    halves : pandas.DataFrame
        The second table of `tunescope.geometry.trajectory.trajectory`.
    topic : str
        Model and corpus.
    """
    there = halves.dropna(subset=["half"]).sort_values("layer")
    if len(there) < 2:
        return Finding(topic, "Fewer than two layers change: there is no order.", False)
    first = there.loc[there["half"].idxmin()]
    last = there.loc[there["half"].idxmax()]
    third = max(1, len(there) // 3)
    low, top = there["half"].iloc[:third].median(), there["half"].iloc[-third:].median()
    text = (
        f"Layer {first['layer']:.0f} has changed half as much as at the end after "
        f"{percent(first['half'])} of the tuning, before all others; layer {last['layer']:.0f} "
        f"last, after {percent(last['half'])}. The top third of the layers that change: "
        f"{percent(float(top))}, the bottom third: {percent(float(low))}."
    )
    return Finding(topic, text, bool(top < low))


def moved(table: Frame, topic: str) -> Finding:
    """Say whether selected neurons sit lower after tuning.

    Parameters
    ----------
    table : pandas.DataFrame
        `inputs.shift_table`.
    topic : str
        Label column and corpus.
    """
    rows = table.to_dict("records")
    down = [row for row in rows if row["high"] < 0]
    parts = [
        f"{row['tuned']} {_signed(row['shift'])} layers (95% CI {_signed(row['low'])} to "
        f"{_signed(row['high'])})"
        for row in rows
    ]
    text = (
        f"The mean layer of the top neurons moves by: {', '.join(parts)}. Down, beyond the "
        f"interval, in {len(down)} of {len(rows)}."
    )
    return Finding(topic, text, len(down) * 2 > len(rows))


def pruned(table: Frame, topic: str) -> list[Finding]:
    """Say whether dropping bottom blocks costs more than dropping as many top blocks.

    Parameters
    ----------
    table : pandas.DataFrame
        `PrunedScores.summary` of one base, over tasks.
    topic : str
        Its name.
    """
    found = []
    amounts = {rule.partition(":")[2] for rule in table["rule"] if rule.startswith("top:")}
    for amount in sorted(amounts):
        rules = {kind: table[table["rule"] == f"{kind}:{amount}"] for kind in ("top", "bottom")}
        both = rules["top"].merge(rules["bottom"], on=["task", "metric"], suffixes=("", "_bottom"))
        if not len(both):
            continue
        parts = [
            f"{row['task']} {row['score']:.3f} ({row['low']:.3f} to {row['high']:.3f}) without the "
            f"top and {row['score_bottom']:.3f} ({row['low_bottom']:.3f} to "
            f"{row['high_bottom']:.3f}) without the bottom"
            for row in both.to_dict("records")
        ]
        worse = np.asarray(both["score_bottom"] < both["score"])
        blocks = "half of the" if amount == "half" else amount
        text = f"With {blocks} blocks dropped, tuned scores are: {'; '.join(parts)}."
        found.append(Finding(f"{topic}, {amount}", text, bool(worse.all())))
    return found


def summary(run: Run) -> str:
    """Say what tuning did over all bases and tasks, as plain text; empty without such results."""
    found = findings(run) if len(run.pairs) > 0 else []
    if not found:
        return ""
    lines = [f"transfer: {verdict(found)}"]
    lines += [f"- {finding.topic}: {finding.text}" for finding in found]
    return "\n".join(lines).replace("\N{MINUS SIGN}", "-")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _interval(row: dict[str, Any]) -> str:
    return (
        f"{points(row['difference'])} points (95% CI {points(row['low'])} to {points(row['high'])})"
    )


def _since(row: dict[str, Any]) -> str:
    if pd.isna(row["onset"]):
        return "worse from no layer on"
    return f"worse from {layers([int(row['onset'])])} on"
