"""What a study found, as sentences computed from its numbers.

The pattern that the literature reports, and that each finding holds or does not hold: tuning leaves
low layers as they are; in the top layers linguistic labels become harder to read off (Durrani et
al. 2021, arXiv 2105.15179), concepts are lost, and new ones follow the task's classes (Durrani et
al. 2022, arXiv 2210.12696).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pandas as pd

from tunescope.report.concepts import page as concept_page
from tunescope.report.figure import slug
from tunescope.report.finding import ALPHA, Evidence, Finding, verdict
from tunescope.report.wording import layers, percent, points
from tunescope.study.result import Run


def findings(run: Run, base: str, tuned: str) -> list[Finding]:
    """Say what tuning did to one model.

    Parameters
    ----------
    run : Run
        Results of a study.
    base, tuned : str
        A pair of its models.

    Returns
    -------
    list of Finding
        One per label column probed, then for each corpus with concepts: those retained, those
        polarised towards a class of the task, and what is done with them (`concepts.page`).
    """
    found = []
    level = run.study.probe.confidence if run.study.probe else 0.95
    for (corpus, label, *pair), comparison in run.comparisons.items():
        if pair == [base, tuned]:
            at = Evidence("layers", (base, tuned), f"difference-{slug(base, tuned, corpus, label)}")
            claim = knowledge(comparison.table(), f"{label} in {corpus}", level)
            found.append(replace(claim, evidence=at))
    for key in concept_page.keys(run, base, tuned):
        found += concept_page.aligned(run, key) + concept_page.findings(run, key)
    return found + concept_page.faithful(run, base, tuned)


def summary(run: Run) -> str:
    """Say what tuning did to every model of a run, as plain text.

    Parameters
    ----------
    run : Run
        Results of a study.

    Returns
    -------
    str
        For each pair its verdict, then a paragraph per finding; empty where nothing is compared.
    """
    lines = []
    for base, tuned in run.pairs:
        if found := findings(run, base, tuned):
            lines += [f"{base} -> {tuned}: {verdict(found)}"]
            lines += [f"- {finding.topic}: {finding.text}" for finding in found]
    # A plain hyphen: not every terminal's encoding has the minus sign.
    return "\n".join(lines).replace("\N{MINUS SIGN}", "-")


def knowledge(table: pd.DataFrame, topic: str, level: float = 0.95) -> Finding:
    """Say at which layers labels became harder to read off.

    Parameters
    ----------
    table : pandas.DataFrame
        `ProbeComparison.table()`.
    topic : str
        Label column and corpus.
    level : float
        Of the confidence intervals.
    """
    rows = _rows(table)
    tuned, top, low = rows[0]["tuned"], rows[-1], rows[0]
    worse = [r["layer"] for r in rows if r["p_holm"] < ALPHA and r["difference"] < 0]
    better = [r["layer"] for r in rows if r["p_holm"] < ALPHA and r["difference"] > 0]
    runs = f", mean over {top['n_seeds']} tuning runs" if top["n_seeds"] > 1 else ""
    change = (
        f"at layer {top['layer']}, {percent(top['base_accuracy'])} of the words are labelled "
        f"correctly before tuning and {percent(top['tuned_accuracy'])} after "
        f"({points(top['difference'])} points, {percent(level)} CI {points(top['low'])} to "
        f"{points(top['high'])}{runs})"
    )
    loses_at_top = top["layer"] in worse
    if loses_at_top:
        text = f"{tuned} loses accuracy significantly at {layers(worse)}: {change}."
        kept = [r["layer"] for r in rows if r["layer"] not in worse]
        text += f" No significant loss at {layers(kept)}." if kept else " Every layer loses."
    elif worse:
        text = f"{tuned} loses accuracy significantly at {layers(worse)}, not at the top: {change}."
    else:
        text = f"{tuned} loses no accuracy that is significant at any layer: {change}."
    if better:
        text += f" It gains significantly at {layers(better)}."
    less_below = low["layer"] not in worse or low["low"] > top["high"]
    holds = loses_at_top and less_below and len(rows) > 1
    short = f"{points(top['difference'])} points at layer {top['layer']}"
    return Finding(topic, text, holds, short=short)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], table.sort_values("layer").to_dict("records"))
