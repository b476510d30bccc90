"""Figures of an alignment: concepts kept, lost and born, those that follow a label or a class."""

from __future__ import annotations

from functools import partial

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.report.concepts.labels import figures as label_figures
from tunescope.report.figure import CELL, Figure, Opens, layers_of, slug
from tunescope.report.figures import alignment as draw
from tunescope.report.figures import concepts as draw_concepts
from tunescope.report.provenance import source as producer
from tunescope.report.wording import null, percent, spread
from tunescope.study.result import Run

Parts = dict[str, list[Figure]]
"""Figures by what they are about."""


def parts(run: Run, corpus: str, alignment: Alignment, opens: Opens | None = None) -> Parts:
    """Make the figures of one alignment.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus of the words.
    alignment : Alignment
        Of one pair of models.
    opens : callable, optional
        Where the concepts of a layer are.

    Returns
    -------
    dict of str to list of Figure
        `kept` (between the models), `labels`, `classes`; empty lists where there is nothing.
    """
    facts = alignment.manifest.facts
    clustering = run.study.concepts
    steps = [producer(run, "concepts", clustering.parameters())] if clustering else []
    source = "\n".join([*steps, producer(run, "align", alignment.manifest.parameters)])
    name = slug(*(m for m in (facts["base"], facts["tuned"]) if m is not None), corpus)
    kept = _retention(alignment, corpus, name, source, opens) if len(alignment.retention) else []
    classes = _polarity(alignment, corpus, name, source) if len(alignment.polarity) else []
    if len(alignment.predicted_polarity):
        classes.append(_predicted(alignment, corpus, name, source))
    labels = label_figures(alignment, corpus, name, source)
    return {"kept": kept, "labels": labels, "classes": classes}


def _retention(
    alignment: Alignment, corpus: str, name: str, source: str, opens: Opens | None
) -> list[Figure]:
    step, kept = alignment.manifest.parameters, alignment.retention
    led = {
        role: layers_of(opens, corpus, alignment.manifest.facts[role], kept["layer"])
        for role in ("tuned", "base")
    }
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
            {"share retained by layer": partial(draw_concepts.retention, kept)},
            kept,
            source,
        ),
        Figure(
            f"matrix-{name}",
            f"Where base concepts are found again ({corpus})",
            "Share of the concepts of each base layer that each tuned layer retains. On the "
            "diagonal: the same layer; what chance gives there is in the figure of the concepts "
            f"retained. {n}.",
            {
                "retained by base and tuned layer": partial(
                    draw_concepts.matrix,
                    alignment.matrix,
                    {int(layer): address for layer, address in led["tuned"]},
                )
            },
            alignment.matrix,
            source,
            opens={
                f"Concepts of {alignment.manifest.facts[role]}, layer": found
                for role, found in led.items()
                if found
            },
            clicked=CELL if led["tuned"] else "",
        ),
        Figure(
            f"fates-{name}",
            f"Concepts retained, lost and born ({corpus})",
            f"Numbers of base concepts retained and lost ({rule}, or not), and of tuned concepts "
            f"born (no base concept holds that share). {n}; what chance gives is in the figure of "
            "the concepts retained.",
            {"retained, lost and born by layer": partial(draw_concepts.lost_and_born, kept)},
            pd.DataFrame(kept[["layer", "n_base", "retained", "lost", "n_tuned", "born"]]),
            source,
        ),
        Figure(
            f"sweep-{name}",
            f"At other thresholds ({corpus})",
            "Base concepts retained at every share that may be asked for, by occurrences and by "
            f"word types, at the lowest, the middle and the top layer. Dashed: {null(step)}. "
            f"Bands: Wilson’s intervals. {n}.",
            {
                "by occurrences": partial(draw.sweep, alignment.sweep, "occurrences"),
                "by word types": partial(draw.sweep, alignment.sweep, "types"),
            },
            alignment.sweep,
            source,
            beside=True,
        ),
    ]


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
            f"concepts of {facts[role]}": partial(draw.gold_and_predicted, gold, said, role)
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
        f"{facts[role]}, by class": partial(draw_concepts.classes, table, role, most)
        for role in ("base", "tuned")
        if facts[role] is not None
    }
    return [
        Figure(
            f"polarised-{name}",
            f"Concepts that follow a class of the task ({corpus})",
            f"{rule}. Bands: {percent(step['confidence'])} intervals over sentences and concepts. "
            f"Dashed: {chance}. {n}.",
            {"concepts that follow a class, by layer": partial(draw_concepts.polarised, table)},
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
