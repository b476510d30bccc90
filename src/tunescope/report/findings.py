"""What a study found, as sentences computed from its numbers.

The pattern that the literature reports, and that each finding holds or does not hold: tuning leaves
low layers as they are; in the top layers linguistic labels become harder to read off (Durrani et
al. 2021, arXiv 2105.15179), concepts are lost, and new ones follow the task's classes (Durrani et
al. 2022, arXiv 2210.12696).
"""

from __future__ import annotations

from typing import Any, cast

import pandas as pd

from tunescope.report.concepts import page as concept_page
from tunescope.report.finding import ALPHA, Finding, verdict
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
    for (corpus, label, *pair), comparison in run.comparisons.items():
        if pair == [base, tuned]:
            found.append(knowledge(comparison.table(), f"{label} in {corpus}"))
    for (corpus, *pair), alignment in run.alignments.items():
        if pair == [base, tuned]:
            step = alignment.manifest.parameters
            if len(alignment.retention):
                found.append(retained(alignment.retention, f"concepts in {corpus}", step["theta"]))
            if len(alignment.polarity):
                topic = f"classes in {corpus}"
                found.append(polarised(alignment.polarity, topic, step["theta_classes"]))
            found += concept_page.findings(run, (corpus, base, tuned))
    return found + concept_page.faithful(run, tuned)


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


def knowledge(table: pd.DataFrame, topic: str) -> Finding:
    """Say at which layers labels became harder to read off.

    Parameters
    ----------
    table : pandas.DataFrame
        `ProbeComparison.table()`.
    topic : str
        Label column and corpus.
    """
    rows = _rows(table)
    tuned, top, low = rows[0]["tuned"], rows[-1], rows[0]
    worse = [r["layer"] for r in rows if r["p_holm"] < ALPHA and r["difference"] < 0]
    better = [r["layer"] for r in rows if r["p_holm"] < ALPHA and r["difference"] > 0]
    change = (
        f"at layer {top['layer']}, {percent(top['base_accuracy'])} of the words are labelled "
        f"correctly before tuning and {percent(top['tuned_accuracy'])} after "
        f"({points(top['difference'])} points, 95% CI {points(top['low'])} to "
        f"{points(top['high'])})"
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
    return Finding(topic, text, loses_at_top and less_below and len(rows) > 1)


def retained(table: pd.DataFrame, topic: str, theta: float) -> Finding:
    """Say how many base concepts are found again at the lowest and at the top layer.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.retention`.
    topic : str
        Corpus.
    theta : float
        Share of a concept that makes it retained.
    """
    rows = _rows(table)
    low, top = rows[0], rows[-1]
    text = (
        f"At layer {low['layer']}, {_kept(low)} are found again in {low['tuned']}; at layer "
        f"{top['layer']}, {_kept(top)}. Found again means that one concept holds at least "
        f"{percent(theta)} of the words; by chance that happens to at most {low['null_high']:.0f} "
        f"of them at layer {low['layer']}, {top['null_high']:.0f} at layer {top['layer']}."
    )
    falls = top["retained_high"] < low["retained_low"]
    return Finding(topic, text, bool(falls and low["p"] < ALPHA))


def polarised(table: pd.DataFrame, topic: str, theta: float) -> Finding:
    """Say how many concepts follow a class of the task, before and after, and by chance.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.polarity`.
    topic : str
        Corpus.
    theta : float
        Share of one class that makes a concept polarised.
    """
    whole = [row for row in _rows(table) if row["class"] == ""]
    base, tuned = ([row for row in whole if row["role"] == role] for role in ("base", "tuned"))
    top, before = tuned[-1], base[-1]
    text = (
        f"At layer {top['layer']}, {top['polarised']} of {top['n_concepts']} concepts of "
        f"{top['model']} have at least {percent(theta)} of their words in sentences of one class, "
        f"against {before['polarised']} of {before['n_concepts']} of {before['model']} and up to "
        f"{top['null_high']:.0f} when classes are permuted over sentences."
    )
    above = [r["layer"] for r in tuned if r["p"] < ALPHA and r["polarised"] > r["null_high"]]
    if above:
        text += f" More than by chance at {layers(above)} of {top['model']}"
        of_base = [r["layer"] for r in base if r["p"] < ALPHA and r["polarised"] > r["null_high"]]
        text += f", and at {layers(of_base)} of {before['model']}." if of_base else "."
    else:
        text += f" At no layer of {top['model']} are there more than by chance."
    beyond = top["polarised_low"] > max(before["polarised_high"], top["null_high"])
    if top["layer"] in above and not beyond:
        text += " At the top that is too few to be told from the base model, by their intervals."
    holds = top["layer"] in above and beyond
    return Finding(topic, text, bool(holds))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], table.sort_values("layer").to_dict("records"))


def _kept(row: dict[str, Any]) -> str:
    interval = f"95% CI {percent(row['retained_low'])} to {percent(row['retained_high'])}"
    share = percent(row["retained_share"])
    return f"{share} of the {row['n_base']} concepts of {row['base']} ({interval})"
