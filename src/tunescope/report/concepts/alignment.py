"""Figures of an alignment: concepts kept, lost and born, those that follow a label or a class."""

from __future__ import annotations

import pandas as pd

from tunescope.concepts.alignment import Alignment
from tunescope.report.figure import Figure, slug
from tunescope.report.figures import alignment as draw
from tunescope.report.figures import concepts as draw_concepts
from tunescope.report.provenance import source as producer
from tunescope.report.wording import null, percent, spread
from tunescope.study.result import Run


def figures(run: Run, corpus: str, alignment: Alignment) -> list[Figure]:
    """Make the figures of one alignment.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus of the words.
    alignment : Alignment
        Of one pair of models, or of a model alone.
    """
    facts = alignment.manifest.facts
    clustering = run.study.concepts
    steps = [producer(run, "concepts", clustering.parameters())] if clustering else []
    source = "\n".join([*steps, producer(run, "align", alignment.manifest.parameters)])
    name = slug(*(m for m in (facts["base"], facts["tuned"]) if m is not None), corpus)
    made = []
    if len(alignment.retention):
        made += _retention(alignment, corpus, name, source)
    if len(alignment.labels):
        made.append(_at_a_glance(alignment, corpus, name, source))
    for label, counts in alignment.labels.groupby("label", sort=False):
        if counts["aligned"].any():
            made += _labels(alignment, str(label), corpus, name, source)
    if len(alignment.polarity):
        made += _polarity(alignment, corpus, name, source)
    if len(alignment.predicted_polarity):
        made.append(_predicted(alignment, corpus, name, source))
    return made


def _retention(alignment: Alignment, corpus: str, name: str, source: str) -> list[Figure]:
    step, kept = alignment.manifest.parameters, alignment.retention
    rule = f"when one tuned concept holds at least {percent(step['theta'])} of its"
    rule += f" {step['overlap']}"
    n = f"{spread(kept['n_base'])} base concepts per layer"
    return [
        Figure(
            f"retained-{name}",
            f"Base concepts that tuning retained ({corpus})",
            f"A base concept is retained {rule}. Band: Wilson’s {percent(step['confidence'])} "
            f"confidence interval over concepts. Dashed: {null(step)} of the tuned clustering "
            f"over words. {n}.",
            {"share retained by layer": draw_concepts.retention(kept)},
            kept,
            source,
        ),
        Figure(
            f"fates-{name}",
            f"Concepts retained, lost and born ({corpus})",
            f"Numbers of base concepts retained and lost ({rule}, or not), and of tuned concepts "
            f"born (no base concept holds that share). {n}; the null is that of the figure before.",
            {"retained, lost and born by layer": draw_concepts.lost_and_born(kept)},
            pd.DataFrame(kept[["layer", "n_base", "retained", "lost", "n_tuned", "born"]]),
            source,
        ),
        Figure(
            f"matrix-{name}",
            f"Where base concepts are found again ({corpus})",
            "Share of the concepts of each base layer that each tuned layer retains. On the "
            "diagonal: the same layer; its null is in the figure of the concepts retained. "
            f"{n}.",
            {"retained by base and tuned layer": draw_concepts.matrix(alignment.matrix)},
            alignment.matrix,
            source,
        ),
        Figure(
            f"sweep-{name}",
            f"At other thresholds ({corpus})",
            "Base concepts retained at every share that may be asked for, by occurrences and by "
            f"word types, at the lowest, the middle and the top layer. Dashed: {null(step)}. "
            f"Bands: Wilson’s intervals. {n}.",
            {
                "by occurrences": draw.sweep(alignment.sweep, "occurrences"),
                "by word types": draw.sweep(alignment.sweep, "types"),
            },
            alignment.sweep,
            source,
            beside=True,
        ),
    ]


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
                "aligned concepts by layer": draw_concepts.aligned(counts),
                "score by layer": draw.score(scores),
            },
            counts,
            source,
            beside=True,
        )
    ]
    found = {
        f"{facts[role]}, what concepts are made of": draw.composition(made_of, role, label)
        for role in ("base", "tuned")
        if facts[role] is not None and role in set(made_of["role"])
    }
    if found and made_of["value"].nunique() > 1:
        made.append(
            Figure(
                f"composition-{name}-{slug(label)}",
                f"Labels that concepts are made of: {label} ({corpus})",
                f"Grey: concepts with more than {percent(step['composition_share'])} of a label, "
                f"at most {step['composition_labels']} labels a concept. Green: those aligned "
                "with it.",
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


def _predicted(alignment: Alignment, corpus: str, name: str, source: str) -> Figure:
    step, facts = alignment.manifest.parameters, alignment.manifest.facts
    gold, said = alignment.polarity, alignment.predicted_polarity
    return Figure(
        f"predicted-{name}",
        f"By true class and by what {facts['tuned']} predicts ({corpus})",
        f"Concepts with at least {percent(step['theta_classes'])} of their words in sentences of "
        f"one class: the true one, or the one that {facts['tuned']} predicts. Dashed: {null(step)} "
        "of classes over sentences. Bands: bootstrap over sentences. In the table: the difference.",
        {
            f"concepts of {facts[role]}": draw.gold_and_predicted(gold, said, role)
            for role in ("base", "tuned")
            if facts[role] is not None
        },
        alignment.difference,
        source,
        beside=True,
    )


def _polarity(alignment: Alignment, corpus: str, name: str, source: str) -> list[Figure]:
    step, facts = alignment.manifest.parameters, alignment.manifest.facts
    table = alignment.polarity
    share = percent(step["theta_classes"])
    rule = f"Concepts with at least {share} of their words in sentences of one class"
    chance = f"{null(step)} of classes over sentences"
    n = f"{spread(table['n_concepts'])} concepts per layer"
    most = float(table[["polarised", "null_high"]].max().max())
    by_model = {
        f"{facts[role]}, by class": draw_concepts.classes(table, role, most)
        for role in ("base", "tuned")
        if facts[role] is not None
    }
    return [
        Figure(
            f"polarised-{name}",
            f"Concepts that follow a class of the task ({corpus})",
            f"{rule}. Dashed: {chance}. {n}.",
            {"polarised concepts by layer": draw_concepts.polarised(table)},
            pd.DataFrame(table[table["class"] == ""].drop(columns="class")),
            source,
        ),
        Figure(
            f"classes-{name}",
            f"Which class they follow ({corpus})",
            f"{rule}, by class. Tick: {chance}, for all classes together; for each class it is in "
            f"the table. {n}.",
            by_model,
            pd.DataFrame(table[table["class"] != ""]),
            source,
            beside=True,
        ),
    ]
