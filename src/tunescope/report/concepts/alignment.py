"""Figures of an alignment: concepts kept, lost and born, those that follow a label or a class."""

from __future__ import annotations

import pandas as pd

from tunescope.concepts.alignment import Alignment
from tunescope.report.figure import Figure, slug
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
    for label in dict.fromkeys(alignment.labels["label"]):
        made.append(_labels(alignment, label, corpus, name, source))
    if len(alignment.polarity):
        made += _polarity(alignment, corpus, name, source)
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
    ]


def _labels(alignment: Alignment, label: str, corpus: str, name: str, source: str) -> Figure:
    step = alignment.manifest.parameters
    table = pd.DataFrame(alignment.labels[alignment.labels["label"] == label])
    return Figure(
        f"aligned-{name}-{slug(label)}",
        f"Concepts that follow {label} ({corpus})",
        f"Concepts with at least {percent(step['theta_labels'])} of their labelled words under "
        f"one label. Dashed: {null(step)} of labels over word types. "
        f"{spread(table['n_concepts'])} concepts per layer.",
        {"aligned concepts by layer": draw_concepts.aligned(table)},
        table,
        source,
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
