"""The figures of a run, with captions that say what is drawn, beside what, and from what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from tunescope.concepts.alignment import Alignment
from tunescope.report.figure import Figure, slug
from tunescope.report.figures import concepts as draw_concepts
from tunescope.report.figures import probes as draw_probes
from tunescope.report.provenance import source as producer
from tunescope.study.result import Run

Pair = tuple[str, str | None]


def pairs(run: Run) -> list[Pair]:
    """Return (base, tuned) for all that is compared, then (model, None) for the models left."""
    compared: list[Pair] = [*run.pairs]
    named = {name for pair in run.pairs for name in pair}
    return compared + [(model, None) for model in run.study.models if model not in named]


def figures(run: Run, pair: Pair) -> list[Figure]:
    """Make the figures of one pair of models, as far as the run has results for them.

    Parameters
    ----------
    run : Run
        Results of a study.
    pair : tuple
        Base and tuned model; the tuned one is None for a model that stands alone.
    """
    base, tuned = pair
    found = [
        figure
        for corpus, label in dict.fromkeys(key[:2] for key in run.probes)
        for figure in _probes(run, corpus, label, pair)
    ]
    for (corpus, *names), alignment in run.alignments.items():
        if names == [base, tuned]:
            found += _alignment(run, corpus, alignment)
    return found


def _probes(run: Run, corpus: str, label: str, pair: Pair) -> list[Figure]:
    models = [model for model in pair if model is not None and (corpus, label, model) in run.probes]
    if not models:
        return []
    probes = [run.probes[corpus, label, model] for model in models]
    table = pd.concat([p.table() for p in probes], ignore_index=True)
    step, first = probes[0].manifest.parameters, table.iloc[0]
    size = (
        f"{first['n_test']:,} test words and {first['n_train']:,} training words of corpus "
        f"“{corpus}”, {first['n_classes']} labels"
    )
    interval = (
        f"{_percent(step['confidence'])} confidence intervals by a bootstrap over sentences "
        f"({step['resamples']:,} resamples)"
    )
    source = producer(run, "probe", step)
    name = slug(*models, corpus, label)
    seeds = step["control_seeds"]
    control = (
        f"the same probes on a control task, where each word type has a random label (mean of "
        f"{seeds})"
    )
    made = [
        Figure(
            f"accuracy-{name}",
            f"How well {label} can be read off each layer ({corpus})",
            f"Accuracy of a linear probe with elastic net on each layer. Bands: {interval}. "
            + (f"Dashed: {control}. " if seeds else "")
            + f"Dotted: the most frequent label. {size}.",
            {"accuracy by layer": draw_probes.accuracy(table)},
            table,
            source,
        )
    ]
    n_seeds = max((len(run.transfer.tuned.get(model, ())) for model in models), default=1)
    runs = ""
    if n_seeds > 1:
        runs = f"Mean over {n_seeds} tuning runs, whose spread is in the interval. "
        if n_seeds == 2:
            runs += "Two runs say little of how runs differ: three or more give narrower ones. "
    comparison = run.comparisons.get((corpus, label, *pair)) if pair[1] is not None else None  # type: ignore[arg-type]
    if comparison is not None:
        made.append(
            Figure(
                f"difference-{name}",
                f"What tuning changed in {label} ({corpus})",
                f"Accuracy of the tuned model minus that of the base model on the same words, with "
                f"{interval}. Filled: p < .05 in a paired test that flips the signs of whole "
                f"sentences, corrected over {len(comparison.table())} layers after Holm. {runs}"
                f"{size}.",
                {"difference by layer": draw_probes.difference(comparison.table())},
                comparison.table(),
                source,
            )
        )
    if seeds:
        columns = ["model", "layer", "selectivity", "selectivity_low", "selectivity_high"]
        made.append(
            Figure(
                f"selectivity-{name}",
                f"Selectivity of the probes of {label} ({corpus})",
                f"Accuracy minus that of {control}: what the probe reads off the vectors and did "
                f"not memorise by word. Bands: {interval}. {size}.",
                {"selectivity by layer": draw_probes.selectivity(table)},
                pd.DataFrame(table[columns]),
                source,
            )
        )
    return made


def _alignment(run: Run, corpus: str, alignment: Alignment) -> list[Figure]:
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
    rule = f"when one tuned concept holds at least {_percent(step['theta'])} of its"
    rule += f" {step['overlap']}"
    n = f"{_range(kept['n_base'])} base concepts per layer"
    return [
        Figure(
            f"retained-{name}",
            f"Base concepts that tuning retained ({corpus})",
            f"A base concept is retained {rule}. Band: Wilson’s {_percent(step['confidence'])} "
            f"confidence interval over concepts. Dashed: {_null(step)} of the tuned clustering "
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
        f"Concepts with at least {_percent(step['theta_labels'])} of their labelled words under "
        f"one label. Dashed: {_null(step)} of labels over word types. "
        f"{_range(table['n_concepts'])} concepts per layer.",
        {"aligned concepts by layer": draw_concepts.aligned(table)},
        table,
        source,
    )


def _polarity(alignment: Alignment, corpus: str, name: str, source: str) -> list[Figure]:
    step, facts = alignment.manifest.parameters, alignment.manifest.facts
    table = alignment.polarity
    share = _percent(step["theta_classes"])
    rule = f"Concepts with at least {share} of their words in sentences of one class"
    null = f"{_null(step)} of classes over sentences"
    n = f"{_range(table['n_concepts'])} concepts per layer"
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
            f"{rule}. Dashed: {null}. {n}.",
            {"polarised concepts by layer": draw_concepts.polarised(table)},
            pd.DataFrame(table[table["class"] == ""].drop(columns="class")),
            source,
        ),
        Figure(
            f"classes-{name}",
            f"Which class they follow ({corpus})",
            f"{rule}, by class. Tick: {null}, for all classes together; for each class it is in "
            f"the table. {n}.",
            by_model,
            pd.DataFrame(table[table["class"] != ""]),
            source,
            beside=True,
        ),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


def _null(step: dict[str, Any]) -> str:
    return (
        f"upper end of the {_percent(step['confidence'])} range of {step['permutations']} "
        "permutations"
    )


def _range(numbers: Iterable[int]) -> str:
    """Write the smallest and the largest of some counts."""
    low, high = (extreme(numbers) for extreme in (min, max))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
