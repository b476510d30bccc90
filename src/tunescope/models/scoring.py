"""How well a live model does a task: its score on the dev texts, beside the simplest answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tunescope.models.predicting import answers, predict
from tunescope.tasks.metrics import interval, score, scores
from tunescope.tasks.table import Task


@dataclass(frozen=True)
class DevScores:
    """What a model said of the dev texts, and how good that is.

    Parameters
    ----------
    score : float
        By the task's metric.
    low, high : float
        Ends of its 95 % confidence interval over texts.
    baseline : float
        Score of always answering the most frequent class of the training texts; for a regression
        that of the mean, 0, as what is the same for all texts correlates with nothing.
    scores : dict
        Values of all metrics of such tasks.
    predictions : pandas.DataFrame
        One row per dev text: `target`, `predicted`, and for classes a column `logit_CLASS` each.
    """

    score: float
    low: float
    high: float
    baseline: float
    scores: dict[str, float]
    predictions: pd.DataFrame

    def facts(self) -> dict[str, Any]:
        """Return all but the predictions, as a manifest holds them."""
        return {
            "dev_score": self.score,
            "dev_low": self.low,
            "dev_high": self.high,
            "dev_baseline": self.baseline,
            "dev_scores": self.scores,
        }


def score_dev(model: Any, tokenizer: Any, task: Task, max_length: int) -> DevScores:
    """Let a live model do the dev texts of a task.

    Parameters
    ----------
    model : transformers.PreTrainedModel or peft.PeftModel
        With a head for the task.
    tokenizer : transformers tokenizer
        The model's.
    task : Task
        With a dev set.
    max_length : int
        Longest input in subwords.
    """
    assert task.dev is not None
    logits = predict(model, tokenizer, task.dev.texts, max_length=max_length)
    said = answers(logits, task.classes)
    targets, options = task.dev.targets, task.scoring
    low, high = interval(task.metric, targets, said, **options)
    found = scores(task.kind, targets, said, **options)
    frame = pd.DataFrame({"target": list(targets), "predicted": said})
    for number, name in enumerate(task.classes):
        frame[f"logit_{name}"] = logits[:, number]
    simplest = score(task.metric, targets, [_simplest(task)] * len(targets), **options)
    return DevScores(found[task.metric], low, high, simplest, found, frame)


def _simplest(task: Task) -> Any:
    """Return the best answer for one who has not read the text."""
    if task.kind == "regression":
        return float(np.mean([float(target) for target in task.train.targets]))
    counts = Counter(task.train.targets)
    return max(task.classes, key=lambda name: counts[name])
