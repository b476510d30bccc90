"""The pairs of a run, and the figures of their probes, with captions that say what is drawn."""

from __future__ import annotations

from functools import partial

import pandas as pd

from tunescope.report.figure import Figure, slug
from tunescope.report.figures import probes as draw_probes
from tunescope.report.provenance import source as producer
from tunescope.report.wording import percent
from tunescope.study.result import Run

Pair = tuple[str, str | None]


def pairs(run: Run) -> list[Pair]:
    """Return (base, tuned) for all that is compared, then (model, None) for the models left."""
    compared: list[Pair] = [*run.pairs]
    named = {name for pair in run.pairs for name in pair}
    return compared + [(model, None) for model in run.study.models if model not in named]


def figures(run: Run, pair: Pair) -> list[Figure]:
    """Make the figures of probes of one pair of models, as far as the run has some.

    Parameters
    ----------
    run : Run
        Results of a study.
    pair : tuple
        Base and tuned model; the tuned one is None for a model that stands alone.
    """
    return [
        figure
        for corpus, label in dict.fromkeys(key[:2] for key in run.probes)
        for figure in _probes(run, corpus, label, pair)
    ]


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
        f"{percent(step['confidence'])} confidence intervals by a bootstrap over sentences "
        f"({step['resamples']:,} resamples)"
    )
    source = producer(run, "probe", step)
    name = slug(*models, corpus, label)
    seeds = step["control_seeds"]
    control = (
        f"the same probes on a control task, where each word type has a random label (mean of "
        f"{seeds})"
    )
    made = []
    n_seeds = max((len(run.transfer.tuned.get(model, ())) for model in models), default=1)
    runs = ""
    if n_seeds > 1:
        runs = f"Mean over {n_seeds} tuning runs, whose spread is in the interval. "
        if n_seeds == 2:
            runs += "Two runs say little of how runs differ: three or more give narrower ones. "
    first = "The tuned model is that of the first tuning run. " if n_seeds > 1 else ""
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
                {"difference by layer": partial(draw_probes.difference, comparison.table())},
                comparison.table(),
                source,
            )
        )
    made.append(
        Figure(
            f"accuracy-{name}",
            f"How well {label} can be read off each layer ({corpus})",
            f"Accuracy of a linear probe with elastic net on each layer. Bands: {interval}. "
            + (f"Dashed: {control}. " if seeds else "")
            + f"Dotted: the most frequent label. {first}{size}.",
            {"accuracy by layer": partial(draw_probes.accuracy, table)},
            table,
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
                f"not memorise by word. Bands: {interval}. {first}{size}.",
                {"selectivity by layer": partial(draw_probes.selectivity, table)},
                pd.DataFrame(table[columns]),
                source,
            )
        )
    return made
