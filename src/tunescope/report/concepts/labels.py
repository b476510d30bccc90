"""Figures of human-defined concepts: which latent concepts follow them, and are made of what."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.report.figure import Figure, slug
from tunescope.report.figures import alignment as draw
from tunescope.report.figures import concepts as draw_concepts
from tunescope.report.wording import null, percent, spread


def figures(alignment: Alignment, corpus: str, name: str, source: str) -> list[Figure]:
    """Make the figures of all label columns.

    Parameters
    ----------
    alignment : Alignment
        Of one pair of models, or of a model alone.
    corpus : str
        The corpus of the words.
    name : str
        Part of the figures' names.
    source : str
        Steps and parameters that produced the numbers.
    """
    if not len(alignment.labels):
        return []
    made = [_at_a_glance(alignment, corpus, name, source)]
    for label, counts in alignment.labels.groupby("label", sort=False):
        if max(counts["aligned"]) > 0:
            made += _labels(alignment, str(label), corpus, name, source)
    return made


def _at_a_glance(alignment: Alignment, corpus: str, name: str, source: str) -> Figure:
    """One row per label column: how many concepts follow it, at most and at the top layer."""
    step, rows = alignment.manifest.parameters, []
    roles = [role for role in ("base", "tuned") if alignment.manifest.facts[role] is not None]
    ordered = alignment.labels.sort_values("layer", kind="stable")
    for label in dict.fromkeys(alignment.labels["label"]):
        row: dict[str, object] = {"label column": label}
        for role in roles:
            chosen = (ordered["label"] == label) & (ordered["role"] == role)
            of_role = pd.DataFrame(ordered[chosen]).to_dict("records")
            best, top = max(of_role, key=lambda r: r["aligned"]), of_role[-1]
            peak = f"{best['aligned']} at layer {best['layer']}" if best["aligned"] else "none"
            row[f"{role}: most"] = peak
            row[f"{role}: top layer"] = f"{top['aligned']} of {top['n_concepts']}"
            row[f"{role}: by chance there"] = f"up to {top['null_high']:g}"
        rows.append(row)
    return Figure(
        f"labels-{name}",
        f"Human-defined concepts at a glance ({corpus})",
        f"Concepts with {percent(step['theta_labels'])} or more of their labelled words under one "
        "label of the column: the most at any layer, and at the top layer. By chance: "
        f"{null(step)} of labels over word types. Columns that any concept follows have figures of "
        f"their own below.{_computed(alignment.labels['label'])}",
        {},
        alignment.labels,
        source,
        shown=pd.DataFrame(rows),
    )


FORMS = {
    "casing": "upper or lower case",
    "first_word": "it begins a sentence",
    "last_word": "it ends one",
    "suffix": "how it ends",
    "prefix": "how it begins",
    "ngram": "letters in a row",
}
"""What columns hold that are made from the words themselves (`tunescope.human_labels`)."""


def _computed(labels: Iterable[str]) -> str:
    """Explain the columns that no corpus has annotated, for a caption."""
    met = [f"{name} ({FORMS[name]})" for name in FORMS if name in set(labels)]
    return f" Made from the words themselves: {', '.join(met)}." if met else ""


def _labels(alignment: Alignment, label: str, corpus: str, name: str, source: str) -> list[Figure]:
    step, facts = alignment.manifest.parameters, alignment.manifest.facts
    counts, scores, made_of = (
        pd.DataFrame(frame[frame["label"] == label])
        for frame in (alignment.labels, alignment.scores, alignment.composition)
    )
    n = f"{spread(counts['n_concepts'])} concepts per layer"
    made = [
        Figure(
            f"aligned-{name}-{slug(label)}",
            f"Concepts that follow {label} ({corpus})",
            f"Left: concepts with {percent(step['theta_labels'])} or more of their labelled words "
            f"under one label; {n}. Right: half the share of all clusters that are such concepts, "
            f"and half the share of labels with {step['min_tokens']} words or more that one of "
            f"them covers (Hawasly et al. 2024). Dashed: {null(step)} of labels over word types. "
            "Bands: bootstrap over sentences.",
            {
                "aligned concepts by layer": partial(draw_concepts.aligned, counts),
                "score by layer": partial(draw.score, scores),
            },
            counts,
            source,
            beside=True,
        )
    ]
    found = {
        f"{facts[role]}, what concepts are made of": partial(draw.composition, made_of, role, label)
        for role in ("base", "tuned")
        if facts[role] is not None and role in set(made_of["role"])
    }
    if found and len(set(made_of["value"])) > 1:
        made.append(
            Figure(
                f"composition-{name}-{slug(label)}",
                f"Labels that concepts are made of: {label} ({corpus})",
                f"Grey: concepts with more than {percent(step['composition_share'])} of a label, "
                f"at most {step['composition_labels']} labels a concept. Green: those that follow "
                f"it, with at least {percent(step['theta_labels'])} of their labelled words under "
                "it. The larger, the more concepts.",
                found,
                _counted(made_of),
                source,
                beside=True,
            )
        )
    return made


def _counted(made_of: pd.DataFrame) -> pd.DataFrame:
    """Count, for each layer and label, the concepts that have much of it."""
    grouped = made_of.groupby(["role", "layer", "value"], as_index=False, sort=True)
    return pd.DataFrame(grouped.agg(concepts=("concept", "size"), aligned=("aligned", "sum")))
