"""Figures of study 2 over all tuned models of a run: who forgets what, where, how much."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from tunescope.report.figure import Figure, slug
from tunescope.report.figures import forgetting as draw_forgetting
from tunescope.report.figures import neuron_shift as draw_shift
from tunescope.report.figures import training as draw_training
from tunescope.report.figures import transfer as draw_transfer
from tunescope.report.figures.pruning import pruned_scores
from tunescope.report.provenance import source
from tunescope.report.transfer import inputs
from tunescope.study.result import Run

UPPER = (
    "the mean over the top third of the layers, with intervals by a bootstrap over sentences "
    "that takes the spread of tuning runs into account where there are several"
)
HOLM = (
    "in bold (or with a dot): p < .05 in a paired test that flips the signs of whole sentences, "
    "corrected over layers after Holm"
)


def figures(run: Run) -> list[Figure]:
    """Make the figures over all tuned models, as far as the run has results for them.

    Of one tuned model, its own figures say what those beside each other would.

    Parameters
    ----------
    run : Run
        Results of a study.
    """
    made = _beside_each_other(run) if len(run.pairs) > 1 else []
    for base, table in inputs.pruning_tables(run):
        made.append(_pruning(run, base, table))
    return made


def _beside_each_other(run: Run) -> list[Figure]:
    """Make the figures that put several tuned models beside each other."""
    made = _scores(run)
    forgotten = inputs.forgetting_table(run)
    for corpus, label in inputs.labels(run):
        made += _changes(run, corpus, label)
        rows = forgotten[(forgotten["corpus"] == corpus) & (forgotten["label"] == label)]
        made.append(_upper(run, corpus, label, rows))
    for corpus in run.study.measured:
        made += _alike(run, corpus)
    for corpus, label in dict.fromkeys(key[:2] for key in run.transfer.shifts):
        made += _shifts(run, corpus, label)
    return made


def _scores(run: Run) -> list[Figure]:
    table = inputs.score_table(run)
    if not len(table) or not table["score"].notna().any():
        return []
    lacking = table[table["score"].isna()]
    absent = "; ".join(
        f"{model}: {why}" for model, why in zip(lacking["model"], lacking["reason"], strict=True)
    )
    return [
        Figure(
            "scores",
            "How well the tuned models do their task",
            "Score on dev texts, with a 95% confidence interval by a bootstrap over texts (and "
            "over tuning runs, where there are several). Grey: always saying the most frequent "
            "class of the training texts, or their mean."
            + (f" Not there: {absent}." if absent else ""),
            {"score on dev": partial(draw_training.scores, table)},
            table,
            source(run, "finetune", run.study.finetune.parameters()),
        )
    ]


def _changes(run: Run, corpus: str, label: str) -> list[Figure]:
    table, name = inputs.change_table(run, corpus, label), slug(corpus, label)
    step = source(run, "probe", run.study.probe.parameters() if run.study.probe else {})
    n = max(len(v) for v in run.transfer.tuned.values()) if run.transfer.tuned else 1
    over = f" mean over {n} tuning runs," if n > 1 else ""
    made = [
        Figure(
            f"forgotten-{name}",
            f"What each task changed in {label}, layer by layer ({corpus})",
            f"Probing accuracy of each tuned model minus that of its base on the same words, in "
            f"percentage points;{over} {HOLM}. Hatched: no result, and why is in the table.",
            draw_transfer.matrices(table, panel="base"),
            table,
            step,
        )
    ]
    charts, tables = {}, []
    for base in dict.fromkeys(pair[0] for pair in run.pairs):
        if (corpus, label, base) not in run.probes:
            continue
        curve = inputs.curve_table(run, corpus, label, base)
        tasks = {tuned: inputs.short(base, tuned) for of, tuned in run.pairs if of == base}
        charts[base] = partial(draw_transfer.curves, curve, base, tasks=tasks)
        tables.append(curve.assign(base=base))
    made.append(
        Figure(
            f"curves-{name}",
            f"Knowledge of {label} by layer, before and after tuning ({corpus})",
            "Probing accuracy of the base model (black, with its own interval) and of what was "
            "tuned from it (with the interval of the difference). Dotted: the most frequent label.",
            charts,
            pd.concat(tables, ignore_index=True),
            step,
        )
    )
    return made


def _upper(run: Run, corpus: str, label: str, table: Any) -> Figure:
    step = source(run, "probe", run.study.probe.parameters() if run.study.probe else {})
    several = len(set(table["base"])) > 1
    rows = [f"{b}: {r}" if several else r for b, r in zip(table["base"], table["row"], strict=True)]
    return Figure(
        f"upper-{slug(corpus, label)}",
        f"Which task forgets {label} most in the upper layers ({corpus})",
        f"Probing accuracy of each tuned model minus that of its base: {UPPER}. The table has the "
        "onset, the layer from which on every layer is worse: by half a point or more, with an "
        "interval below zero and a corrected p of .05 at most.",
        {"change in the top third": partial(draw_forgetting.upper_loss, table.assign(row=rows))},
        table,
        step,
    )


def _alike(run: Run, corpus: str) -> list[Figure]:
    table = inputs.alike_table(run, corpus)
    if not len(table):
        return []
    assert run.study.geometry is not None
    charts = {
        base: partial(draw_training.alike, table[table["base"] == base])
        for base in dict.fromkeys(table["base"])
    }
    return [
        Figure(
            f"alike-{slug(corpus)}",
            f"How much of each layer’s geometry tuning left as it was ({corpus})",
            "Linear CKA of the base model’s layer with the same layer of the tuned model: 1 is the "
            "same up to rotation and scale; words paired at random give about 0. The table has "
            "them, and jackknife intervals. It needs no labels.",
            charts,
            table,
            source(run, "geometry", run.study.geometry.parameters()),
        )
    ]


def _shifts(run: Run, corpus: str, label: str) -> list[Figure]:
    table = inputs.shift_table(run, corpus, label)
    if not len(table):
        return []
    assert run.study.rank is not None
    first = table.iloc[0]
    return [
        Figure(
            f"shifted-{slug(corpus, label)}",
            f"Where the neurons for {label} sit, before and after tuning ({corpus})",
            f"Mean layer of the {first['n_base']:,} top neurons by {first['ranking']} "
            f"({first['scaling']}); the thin line is the interval of the shift by a bootstrap over "
            "neurons. To the left: knowledge has moved to lower layers.",
            {"mean layer": partial(draw_shift.shifts, table, row="row")},
            table,
            source(run, "rank", run.study.rank.parameters()),
        )
    ]


def _pruning(run: Run, base: str, table: Any) -> Figure:
    assert run.study.prune is not None
    step = source(run, "prune", run.study.prune.parameters())
    return Figure(
        f"pruned-{slug(base)}",
        f"{base} without some of its layers, tuned and scored",
        "Score on dev of the base model without the blocks that each rule drops, tuned on the "
        "task, with 95% confidence intervals. Hollow: no significant difference from the whole "
        "model (paired on the same texts, corrected over rules after Holm). Tick: the baseline.",
        {"score by rule": partial(pruned_scores, table)},
        table,
        step + "\n" + source(run, "finetune", run.study.finetune.parameters()),
    )
