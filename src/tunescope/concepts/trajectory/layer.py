"""One layer over all checkpoints: the unit of work of the trace step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.labels import Majorities, align_labels
from tunescope.concepts.alignment.nulls import compare, orders
from tunescope.concepts.alignment.overlaps import permuted_overlaps
from tunescope.concepts.alignment.polarity import SentenceClasses, class_counts
from tunescope.concepts.alignment.resampling import (
    count_interval,
    sentence_weights,
    share_interval,
)
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.trajectory.follow import (
    NEVER,
    count_returns,
    follow,
    from_when,
    lost_when,
    polarised_when,
)
from tunescope.steps import Trace

COUNTS = [
    "layer",
    "point",
    "measure",
    "n_concepts",
    "count",
    "share",
    "low",
    "high",
    "null_mean",
    "null_high",
    "p",
    "changed",
]


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes of the sentences, as gold or as a model predicts them.

    Parameters
    ----------
    names : tuple of str
        All classes, the same at every point.
    codes : numpy.ndarray of int, shape (n_sentences,)
        Class of each sentence; -1 where there is none.
    """

    names: tuple[str, ...]
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class LayerPath:
    """The concepts of one layer at every point.

    Parameters
    ----------
    points : tuple of Clustering
        The base first, the tuned model last.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each word.
    gold : Classes
        The same at every point.
    predicted : tuple of Classes, or None
        What the model of each point predicts.
    step : Trace
        The parameters.
    """

    points: tuple[Clustering, ...]
    sentences: np.ndarray
    gold: Classes
    predicted: tuple[Classes, ...] | None
    step: Trace

    @property
    def layer(self) -> int:
        """Layer number."""
        return self.points[0].layer

    @cached_property
    def weights(self) -> np.ndarray:
        """How often each word counts when sentences are drawn again, (resamples, n_words)."""
        drawn = sentence_weights(self.sentences, self.step.resamples, self.step.seed)
        return drawn[:, self.sentences]

    @cached_property
    def polarity(self) -> dict[str, list[Majorities]]:
        """Majorities of every point, by `class` and, where there are predictions, `predicted`."""
        kinds = {"class": [self.gold] * len(self.points)}
        if self.predicted is not None:
            kinds["predicted"] = list(self.predicted)
        return {
            kind: [self._majorities(*pair) for pair in zip(self.points, of_point, strict=True)]
            for kind, of_point in kinds.items()
        }

    def _majorities(self, here: Clustering, classes: Classes) -> Majorities:
        found = align_labels(
            here.labels,
            classes.codes[self.sentences],
            len(classes.names),
            theta=self.step.theta_classes,
            max_unknown=self.step.max_unknown,
        )
        return Majorities(found.best, found.share, found.aligned & here.counts)

    def polarity_columns(self, point: int) -> dict[str, list | np.ndarray]:
        """Columns that say which class each concept of a point carries."""
        columns: dict[str, list | np.ndarray] = {}
        for kind, found in self.polarity.items():
            here, names = found[point], self.gold.names
            prefix = "" if kind == "class" else "predicted_"
            columns[f"{kind}_label"] = [names[code] if code >= 0 else None for code in here.best]
            columns[f"{kind}_share"] = here.share
            columns[f"{prefix}polarised"] = here.aligned
        return columns


def fate_frame(path: LayerPath) -> pd.DataFrame:
    """Date what happened to the concepts of the base and of the tuned model.

    Returns
    -------
    pandas.DataFrame
        Columns `role` ("base", "tuned"), `layer`, `concept`, `size`, `n_types`; `fate` ("retained"
        or "lost", "survived" or "born"; "" for concepts with too few types to count) and `at`, the
        point from which on it is lost, or there; `NEVER` for what is retained. `returns` counts how
        often it was there again after it was not. `class_label`, `class_share`, `polarised` are
        the concept's own; `polarised_at` is the point from which on (`NEVER`: it is not at the
        end). With predictions also `predicted_label`, `predicted_share`, `predicted_polarised`,
        `predicted_at`.
    """
    frames = []
    for role, point in (("base", 0), ("tuned", len(path.points) - 1)):
        here = path.points[point]
        way = follow(here, path.points)
        there = way.there(path.step.theta)
        if role == "base":
            at = lost_when(there)
            fate = np.where(at == NEVER, "retained", "lost")
        else:
            at = np.where(there[0], 0, from_when(there))
            fate = np.where(there[0], "survived", "born")
        columns = {
            "role": role,
            "layer": path.layer,
            "concept": np.arange(len(here.sizes)),
            "size": here.sizes,
            "n_types": here.n_types,
            "fate": np.where(here.counts, fate, ""),
            "at": np.where(here.counts, at, NEVER),
            "returns": count_returns(there),
            **path.polarity_columns(point),
        }
        for kind, found in path.polarity.items():
            when = polarised_when(here, path.points, found, path.step.theta)
            name = "polarised_at" if kind == "class" else "predicted_at"
            columns[name] = np.where(here.counts, when, NEVER)
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def count_frame(path: LayerPath, fates: pd.DataFrame) -> pd.DataFrame:
    """Count at every point what is there, beside what chance would give.

    Parameters
    ----------
    path : LayerPath
        One layer.
    fates : pandas.DataFrame
        `fate_frame` of it.

    Returns
    -------
    pandas.DataFrame
        Columns `COUNTS`. Measures: `retained`, base concepts that are there (null: the point's
        concepts dealt anew over occurrences); `present`, tuned concepts that are there (the same);
        `polarised` and `predicted_polarised`, concepts of the point (null: classes over sentences
        that have words), where its sentences have classes. `low` and `high` bound `share`: by
        Wilson's interval, concepts being the sample; of polarised concepts by what `align` gives,
        sentences being drawn again. `changed` is how many were lost for good, born, or polarised
        for good, at this point.
    """
    rows = []
    base, tuned = path.points[0], path.points[-1]
    step, shuffles = path.step, orders(len(base.labels), path.step.permutations, path.step.seed)
    dates = {"retained": _dates(fates, "lost", "at"), "present": _dates(fates, "born", "at")}
    for number, point in enumerate(path.points):
        pair = permuted_overlaps([base, tuned], point, shuffles)
        for measure, here, shares in zip(("retained", "present"), (base, tuned), pair, strict=True):
            found = (shares["occurrences"][:, here.counts] >= step.theta).sum(axis=1)
            n = int(here.counts.sum())
            ends = share_interval(int(found[0]), n, step.confidence)
            rows.append((number, measure, n, found, ends, (dates[measure] == number).sum()))
        for kind in path.polarity:
            classes, gold = _classes(path, kind, number), kind == "class"
            if (classes.codes < 0).all():  # a base model predicts nothing
                continue
            name = "polarised" if gold else "predicted_polarised"
            when = _dates(fates, None, "polarised_at" if gold else "predicted_at")
            n = int(point.counts.sum())
            found, ends = _polarised(path, point, classes)
            rows.append((number, name, n, found, ends, (when == number).sum()))
    return pd.DataFrame([_count_row(path, *row) for row in rows], columns=COUNTS)


def _dates(fates: pd.DataFrame, fate: str | None, column: str) -> np.ndarray:
    """Points at which concepts had a fate; of tuned concepts of any fate where none is given."""
    chosen = fates["role"] == "tuned" if fate is None else fates["fate"] == fate
    return fates.loc[chosen, column].to_numpy()


def _classes(path: LayerPath, kind: str, point: int) -> Classes:
    return path.gold if kind == "class" or path.predicted is None else path.predicted[point]


def _polarised(
    path: LayerPath, here: Clustering, classes: Classes
) -> tuple[np.ndarray, tuple[float, float]]:
    """Count polarised concepts, then the same with classes permuted; and bound their share."""
    step, rows = path.step, path.sentences
    kind = SentenceClasses("", classes.names, classes.codes, rows)
    once = np.ones(len(rows), np.int8)
    draws = [(rows, once), *((order[rows], once) for order in kind.orders(step))]
    found = class_counts(here, kind, draws, step)[:, 0]
    again = class_counts(here, kind, ((rows, weight) for weight in path.weights), step)[:, 0]
    n = int(here.counts.sum())
    low, high = count_interval(int(found[0]), n, again, step.confidence)
    return found, (low / max(n, 1), high / max(n, 1))


def _count_row(
    path: LayerPath, point: int, measure: str, n: int, found: Sequence[int],
    ends: tuple[float, float], changed: int,
) -> tuple:  # fmt: skip
    count = int(found[0])
    null = compare(count, np.asarray(found[1:]), path.step.confidence)
    share = count / n if n else np.nan
    nulls = (null.mean, null.high, null.p)
    return (path.layer, point, measure, n, count, share, *ends, *nulls, int(changed))
