"""Tables over all tuned models of a run, with a reason wherever there is no result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tunescope.pruning.runs import over_seeds
from tunescope.study.result import Run
from tunescope.tasks.table import Task

Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""

RESAMPLES = 1000
NOT_THERE = "not there"


def short(base: str, tuned: str) -> str:
    """Return what a tuned model is called beside its base: `sst2` for `bert-sst2` from `bert`."""
    rest = tuned.removeprefix(f"{base}-")
    return rest or tuned


def reason(run: Run, tuned: str, *jobs: str) -> str:
    """Say why there is no result about a tuned model.

    Parameters
    ----------
    run : Run
        Results of a study.
    tuned : str
        The model.
    *jobs : str
        Other jobs that the result needs, as in `Run.failed`.
    """
    source = run.study.models[tuned]
    first = (f"task {source.task}", f"model {source.base}", f"model {tuned}", f"finetune {tuned}")
    for job in (*first, *jobs):
        if job in run.failed:
            return f"{job.split()[0]} failed: {run.failed[job]}"
    return NOT_THERE


def score_table(run: Run) -> Frame:
    """Return how well tuned models do their task.

    Returns
    -------
    pandas.DataFrame
        One row per model that the study tunes: base, model, task, metric, kind, seeds (tuning
        runs), score (mean over them), low, high (over dev texts and runs), baseline, n_dev, reason
        (where there is no score).
    """
    rows = []
    for base, name in run.pairs:
        source = run.study.models[name]
        if source.task is None:
            continue
        made = run.transfer.tuned.get(name)
        row = {"base": base, "model": name, "task": source.task, "reason": None}
        if not made:
            rows.append({**row, "score": np.nan, "reason": reason(run, name)})
            continue
        facts = made[0].manifest.facts
        said = [tuned.predictions() for tuned in made]
        task = Task.load(run.path / "tasks" / source.task)
        least = 0.0 if facts["metric"] in ("accuracy", "f1") else -1.0
        value, low, high = over_seeds(
            facts["metric"], said[0]["target"].to_numpy(),
            np.stack([each["predicted"].to_numpy() for each in said]), resamples=RESAMPLES,
            confidence=0.95, seed=run.study.seed, **task.scoring,
        )  # fmt: skip
        rows.append(
            {
                **row,
                "metric": facts["metric"],
                "seeds": len(made),
                "score": value,
                "low": max(low, least),
                "high": min(high, 1.0),
                "baseline": facts["dev_baseline"],
                "n_dev": facts["n_dev"],
            }
        )
    return pd.DataFrame(rows)


def labels(run: Run) -> list[tuple[str, str]]:
    """Return (corpus, label column) of all that is compared."""
    return list(dict.fromkeys(key[:2] for key in run.comparisons))


def change_table(run: Run, corpus: str, label: str) -> Frame:
    """Return the change of probing accuracy of every tuned model, layer by layer.

    Returns
    -------
    pandas.DataFrame
        `ProbeComparison.table()` of all pairs, with row (the task's name beside its base) and
        reason; a model without a result is one row without a layer.
    """
    parts = []
    for base, tuned in run.pairs:
        found = run.comparisons.get((corpus, label, base, tuned))
        about = {"corpus": corpus, "label": label, "base": base, "tuned": tuned}
        if found is None:
            why = reason(
                run, tuned, f"extract {corpus}/{tuned}", f"probe {corpus}/{label}/{tuned}",
                f"extract {corpus}/{base}", f"probe {corpus}/{label}/{base}",
            )  # fmt: skip
            part = pd.DataFrame([{**about, "layer": np.nan, "difference": np.nan, "reason": why}])
        else:
            part = found.table().assign(**about, reason=None)
        parts.append(part.assign(row=short(base, tuned)))
    return pd.concat(parts, ignore_index=True)


def curve_table(run: Run, corpus: str, label: str, base: str) -> Frame:
    """Return accuracy by layer of a base and of all that was tuned from it, over seeds.

    Returns
    -------
    pandas.DataFrame
        Columns model, layer, accuracy, low, high, majority. The interval of a tuned model is that
        of its difference from the base, laid around its accuracy.
    """
    own = run.probes[corpus, label, base].table()
    columns = {"accuracy_low": "low", "accuracy_high": "high"}
    kept = ["model", "layer", "accuracy", "low", "high", "majority"]
    parts = [own.rename(columns=columns)[kept].assign(model=base)]
    for of, tuned in run.pairs:
        found = run.comparisons.get((corpus, label, of, tuned))
        if of == base and found is not None:
            table = found.table()
            parts.append(
                pd.DataFrame(
                    {
                        "model": tuned,
                        "layer": table["layer"],
                        "accuracy": table["tuned_accuracy"],
                        "low": (table["base_accuracy"] + table["low"]).clip(lower=0),
                        "high": (table["base_accuracy"] + table["high"]).clip(upper=1),
                        "majority": table["majority"],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def forgetting_table(run: Run) -> Frame:
    """Return one row per label column and tuned model: `ProbeComparison.forgetting`."""
    rows = []
    for (corpus, label, base, tuned), found in run.comparisons.items():
        about = {"corpus": corpus, "label": label, "base": base, "tuned": tuned}
        rows.append({**found.forgetting(), **about, "row": short(base, tuned)})
    return pd.DataFrame(rows)


def alike_table(run: Run, corpus: str, measure: str = "cka") -> Frame:
    """Return a measure of geometry of every tuned model, over tuning runs.

    Returns
    -------
    pandas.DataFrame
        Columns base, tuned, row, layer, value, low, high, chance. Of several runs, value is the
        mean and the interval reaches over those of all.
    """
    parts = []
    for (of, base, tuned), runs in run.transfer.geometry.items():
        if of == corpus:
            table: Frame = over_runs([made.layers for made in runs])
            table = table[table["measure"] == measure]
            columns = ["layer", "value", "low", "high", "chance"]
            about = {"base": base, "tuned": tuned, "row": short(base, tuned)}
            parts.append(table[columns].assign(**about))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def over_runs(tables: list[Frame]) -> Frame:
    """Average tables of geometry over tuning runs; the interval reaches over those of all runs.

    Parameters
    ----------
    tables : list of pandas.DataFrame
        `LayerGeometry.layers`, of one pair of models.
    """
    if len(tables) == 1:
        return tables[0]
    keys = ["corpus", "base", "layer", "measure"]
    rows: Any = pd.concat(tables, ignore_index=True).groupby(keys, sort=False)
    found = rows.agg(
        value=("value", "mean"), low=("low", "min"), high=("high", "max"),
        chance=("chance", "mean"), permuted=("permuted", "mean"), n=("n", "first"),
    )  # fmt: skip
    return found.reset_index().assign(tuned=tables[0]["tuned"].iloc[0])


def shift_table(run: Run, corpus: str, label: str) -> Frame:
    """Return where the selected neurons of every pair sit, by the first ranking and scaling."""
    parts = []
    for (of, column, base, tuned), found in run.transfer.shifts.items():
        if (of, column) == (corpus, label):
            row = first_ranking(found.table())
            parts.append(row.assign(base=base, tuned=tuned, row=tuned))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def first_ranking(table: Frame) -> Frame:
    """Return the rows of the first scaling and ranking of a table about neurons."""
    first = table.iloc[0]
    same = (table["scaling"] == first["scaling"]) & (table["ranking"] == first["ranking"])
    return table[same].reset_index(drop=True)


def pruning_tables(run: Run) -> Iterator[tuple[str, Frame]]:
    """Yield each base with the scores of its pruned models on all tasks."""
    for base in dict.fromkeys(key[0] for key in run.transfer.pruning):
        found = [made.summary() for key, made in run.transfer.pruning.items() if key[0] == base]
        yield base, pd.concat(found, ignore_index=True)
