"""The tables over all rules and seeds, made of what each model said of the dev texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tunescope.files import read_frame, read_json
from tunescope.probes.statistics import holm
from tunescope.pruning.result import FACTS, PREDICTIONS, unit_folder
from tunescope.pruning.runs import against, over_seeds
from tunescope.steps import Prune
from tunescope.tasks.metrics import interval, score
from tunescope.tasks.table import Task

SAME = ("rule", "dropped", "blocks", "parameters")
"""What does not vary over the seeds of a rule."""


def score_table(out: Path, task: Task, step: Prune, about: dict[str, str]) -> pd.DataFrame:
    """Score every rule and seed.

    Parameters
    ----------
    out : Path
        Folder of the step, all units done.
    task : Task
        With its dev set.
    step : Prune
        Parameters.
    about : dict
        Columns that are the same in all rows: model, task, metric.

    Returns
    -------
    pandas.DataFrame
        As `PrunedScores.table`.
    """
    options = {"resamples": step.resamples, "confidence": step.confidence}
    rows = []
    for rule in step.drop:
        for seed in step.seeds:
            unit = out / unit_folder(rule, seed)
            facts, said = read_json(unit / FACTS), read_frame(unit / PREDICTIONS)
            pair = (said["target"].tolist(), said["predicted"].tolist())
            low, high = interval(task.metric, *pair, **options, **task.scoring)
            same = {name: facts[name] for name in SAME}
            same["dropped"] = ",".join(str(block) for block in facts["dropped"])
            found = {"score": score(task.metric, *pair, **task.scoring), "low": low, "high": high}
            rows.append({**about, **same, "seed": seed, **found, "baseline": facts["baseline"]})
    return pd.DataFrame(rows)


def summary_table(out: Path, scores: pd.DataFrame, task: Task, step: Prune) -> pd.DataFrame:
    """Summarise the seeds of every rule, and compare rules with `none`.

    Parameters
    ----------
    out, task, step
        As in `score_table`.
    scores : pandas.DataFrame
        What `score_table` returned.

    Returns
    -------
    pandas.DataFrame
        As `PrunedScores.summary`.
    """
    options: dict[str, Any] = {"resamples": step.resamples, "confidence": step.confidence}
    options |= task.scoring
    said = {rule: _said(out, rule, step.seeds) for rule in step.drop}
    targets = read_frame(out / unit_folder(step.drop[0], step.seeds[0]) / PREDICTIONS)["target"]
    values = targets.to_numpy() if task.kind == "regression" else targets.to_numpy().astype(str)
    rows = []
    for rule in step.drop:
        of_rule = [row for row in scores.to_dict("records") if row["rule"] == rule]
        mean, low, high = over_seeds(task.metric, values, said[rule], **options)
        row = {name: of_rule[0][name] for name in ("model", "task", "metric", *SAME)}
        by_seed = [one["score"] for one in of_rule]
        spread = float(np.std(by_seed, ddof=1)) if len(of_rule) > 1 else np.nan
        row |= {"seeds": len(of_rule), "score": mean, "low": low, "high": high}
        row |= {"sd": spread, "baseline": of_rule[0]["baseline"]}
        if "none" in said and rule != "none":
            row |= against(task.metric, values, said["none"], said[rule], **options)
        rows.append(row)
    table = pd.DataFrame(rows)
    if "p" in table:
        table["p_holm"] = np.nan
        tested = table["p"].notna()
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"].to_numpy())
    return table


def _said(out: Path, rule: str, seeds: tuple[int, ...]) -> np.ndarray:
    """Read what was said of each dev text, shape (n_seeds, n_texts): text, or numbers."""
    runs = [read_frame(out / unit_folder(rule, s) / PREDICTIONS)["predicted"] for s in seeds]
    stacked = np.array([run.to_numpy() for run in runs])
    return stacked.astype(float) if stacked.dtype.kind == "f" else stacked.astype(str)
