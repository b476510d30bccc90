"""Label columns that are probed together: what is made once for all of them, and for all models.

Splits and control labels depend on the corpus, the words and the seed and not on the model, so a
study of many models makes them once (`Tasks`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tunescope.activations.store import ActivationStore, layer_folder
from tunescope.files import hash_json
from tunescope.probes.task import ProbingTask
from tunescope.steps import Probe


@dataclass(frozen=True, eq=False)
class Tasks:
    """Splits, labels and control labels that were made, to be used for other models again.

    They are used again where word table, labels, usable words and parameters are the same; all
    others are made anew, so that one `Tasks` serves any number of models, corpora and columns.
    """

    _made: dict[str, ProbingTask] = field(default_factory=dict)

    def of(self, store: ActivationStore, label: str, rows: np.ndarray, step: Probe) -> ProbingTask:
        """Return the task of a label column.

        Parameters
        ----------
        store : ActivationStore
            Says which words are valid.
        label : str
            Label column of its corpus.
        rows : numpy.ndarray of int
            Words to use.
        step : Probe
            Says how to split and how many control tasks to draw.

        Raises
        ------
        InputError
            As `ProbingTask`.
        """
        rows = np.unique(rows)
        usable = rows[store.valid[rows]]
        split = {
            "dev_share": step.dev_share, "test_share": step.test_share,
            "control_seeds": step.control_seeds, "seed": step.seed,
        }  # fmt: skip
        labels = store.corpus.values(label).tolist()
        key = hash_json([store.corpus.word_hash, store.corpus.name, label, labels,
                         usable.tolist(), split])  # fmt: skip
        if key not in self._made:
            self._made[key] = ProbingTask(store, label, usable, **split)
        return self._made[key]


@dataclass(frozen=True, eq=False)
class Column:
    """One label column, and the folder its probes go to.

    Parameters
    ----------
    label : str
        The label column.
    out : Path
        Folder of its probes.
    task : ProbingTask
        Its words and labels.
    inputs : dict
        For the manifest.
    """

    label: str
    out: Path
    task: ProbingTask
    inputs: dict[str, Any]

    @classmethod
    def of(cls, store: ActivationStore, label: str, out: Path, task: ProbingTask) -> Column:
        """Name what the probes are made from."""
        inputs = {
            "store": store.key,
            "corpus": store.corpus.name,
            "model": store.model,
            "label": label,
            "words": task.hash(),
        }
        return cls(label, out, task, inputs)

    def folder(self, layer: int) -> Path:
        """Where the probe of a layer is."""
        return self.out / layer_folder(layer)


def same_words(columns: Iterable[Column]) -> list[list[Column]]:
    """Put columns together that are trained and tested on the same words, in order."""
    groups: dict[tuple[bytes, ...], list[Column]] = {}
    for column in columns:
        split = column.task.split
        key = tuple(part.tobytes() for part in (split.train, split.dev, split.test))
        groups.setdefault(key, []).append(column)
    return list(groups.values())
