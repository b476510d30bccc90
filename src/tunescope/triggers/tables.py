"""From what was tried and said to tables: the best triggers, comparisons, concepts, examples.

A trigger is chosen on one half of the texts and reported on the other, so that its flip rate is not
the luckiest of many (the winner's curse). Whether concepts beat a baseline as a whole is asked of
all triggers tried, on the choosing half, where none was picked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tunescope.steps.triggers import Triggers
from tunescope.triggers.measures import (
    group_means,
    paired_mean,
    paired_rates,
    rank_correlation,
    rate,
)

WHERE = ["towards", "position", "part"]
CHOSEN = [*WHERE, "method", "scope", "layer", "concept", "trigger", "tried", "choosing_rate"]
BEST = [
    *CHOSEN, "by", "n_texts", "n", "flipped", "flip_rate", "flip_low", "flip_high",
    "accuracy_before", "accuracy_after", "drop", "drop_low", "drop_high",
]  # fmt: skip
COMPARISONS = [
    *WHERE, "scope", "layer", "baseline", "trigger", "baseline_trigger", "n", "flip_rate",
    "baseline_rate", "difference", "low", "high", "p", "tried", "baseline_tried", "mean",
    "baseline_mean", "mean_difference", "mean_low", "mean_high", "mean_p",
]  # fmt: skip
CORRELATIONS = [*WHERE, "trait", "strength", "n", "rho", "low", "high"]
EXAMPLES = [
    *WHERE, "method", "layer", "concept", "trigger", "text", "gold", "predicted", "predicted_with",
    "probability", "probability_with", "before", "with_trigger",
]  # fmt: skip
TRAITS = ("class_share", "size", "n_types", "layer", "spread", "distance")


def choose(tried: pd.DataFrame) -> pd.DataFrame:
    """Choose the best trigger of each class, place and method; of concepts, of each layer too.

    Parameters
    ----------
    tried : pandas.DataFrame
        All triggers tried.

    Returns
    -------
    pandas.DataFrame
        Columns `CHOSEN`. `scope` is `all` or, for the best of one layer's concepts, `layer`.
        Best is by flip rate, then by the mean probability of the class, then the first tried.
    """
    rows = []
    for key, group in tried.groupby([*WHERE, "method"], sort=False):
        rows.append(_best_of(key, "all", group))
        if isinstance(key, tuple) and key[-1] == "concept":
            for _, layer in group.groupby("layer"):
                rows.append(_best_of(key, "layer", layer))
    return pd.DataFrame(rows, columns=CHOSEN)


def _best_of(key: object, scope: str, group: pd.DataFrame) -> tuple:
    assert isinstance(key, tuple)
    values = group[["flip_rate", "probability"]].fillna(0.0).to_numpy()
    at = int(np.lexsort((np.arange(len(values)), -values[:, 1], -values[:, 0]))[0])
    row = group.iloc[at]
    found = int(row["layer"]), int(row["concept"]), row["trigger"], len(group), row["flip_rate"]
    return (*key, scope, *found)


def best(chosen: pd.DataFrame, said: pd.DataFrame, step: Triggers) -> pd.DataFrame:
    """Report the chosen triggers on the held-out half; columns `BEST`.

    There are two rows for each. `by` "predicted" is over texts that were predicted to be of another
    class, and "gold" over texts that are of another class; `n` of these could flip, as they were
    not predicted to be of the class already. The accuracy is that on `n_texts`.
    """
    rows = []
    for row, part in _each(chosen, said):
        start = tuple(row[name] for name in CHOSEN)
        for by in ("predicted", "gold"):
            of = part[part[by] != row["towards"]]
            gold, plain, put = (
                np.array(of[c], object) for c in ("gold", "predicted", "predicted_with")
            )
            can = plain != row["towards"]
            flipped = int((can & (put == row["towards"])).sum())
            flips = rate(flipped, int(can.sum()), step.confidence)
            right, still = (plain == gold).astype(int), (put == gold).astype(int)
            drop = paired_mean(
                right - still, resamples=step.resamples, confidence=step.confidence, seed=step.seed
            )
            n = len(of)
            accuracy = (right.mean(), still.mean()) if n else (np.nan, np.nan)
            rows.append((*start, by, n, int(can.sum()), flipped, *flips, *accuracy, *drop))
    return pd.DataFrame(rows, columns=BEST)


def compare(
    chosen: pd.DataFrame, said: pd.DataFrame, tried: pd.DataFrame, step: Triggers
) -> pd.DataFrame:
    """Hold concepts against each baseline; columns `COMPARISONS`.

    `difference` is that of the two chosen triggers on the same held-out texts, those predicted to
    be of another class; its p is McNemar's. `mean_difference` is that of all triggers tried, on
    the choosing half, over groups (with `greedy`, of the best of each group); its p is from
    exchanging groups. For HotFlip, whose triggers are one search, there is none.
    """
    options = {"resamples": step.resamples, "confidence": step.confidence, "seed": step.seed}
    flips = {
        tuple(row[name] for name in [*WHERE, "method", "scope", "layer"]): (row, part)
        for row, part in _each(chosen, said)
    }
    rows = []
    for key, (row, part) in flips.items():
        if key[3] != "concept":
            continue
        for other, (theirs, same) in flips.items():
            if other[:3] != key[:3] or other[3] == "concept":
                continue
            can = (part["predicted"] != row["towards"]).to_numpy()
            a, b = ((p["predicted_with"] == row["towards"]).to_numpy()[can] for p in (part, same))
            found = paired_rates(a, b, **options)
            ours = _tried_by(tried, key[:3], "concept", key)
            base = _tried_by(tried, key[:3], other[3], None)
            x, y = (_group_values(frame, step) for frame in (ours, base))
            means = group_means(x, y if other[3] != "hotflip" else y[:0], **options)
            single = other[3] == "hotflip"
            rows.append(
                (*key[:3], row["scope"], row["layer"], other[3], row["trigger"])
                + (theirs["trigger"], int(can.sum()), _mean(a), _mean(b), *found)
                + (row["tried"], theirs["tried"], _mean(x), np.nan if single else _mean(y))
                + tuple(means)
            )
    return pd.DataFrame(rows, columns=COMPARISONS)


def concepts(groups: pd.DataFrame, tried: pd.DataFrame) -> pd.DataFrame:
    """Return the polarity concepts with how strong their triggers are, on the choosing half.

    Returns
    -------
    pandas.DataFrame
        One row per place and concept: `position`, `part`, the columns of `groups`, `n_triggers`,
        `mean_rate` and `best_rate` over its triggers, and `trigger`, the best one.
    """
    key = ["towards", "layer", "concept"]
    own = pd.DataFrame(tried[tried["method"] == "concept"])
    at = own.groupby(["position", "part", *key], sort=False)
    found = at["flip_rate"].agg(n_triggers="size", mean_rate="mean", best_rate="max").reset_index()
    order = own.sort_values("flip_rate", ascending=False, kind="stable")
    first = order.drop_duplicates(["position", "part", *key])
    found = found.merge(first[["position", "part", *key, "trigger"]], on=["position", "part", *key])
    return groups.merge(found, on=key, how="inner")


def correlate(frame: pd.DataFrame, step: Triggers) -> pd.DataFrame:
    """Correlate traits of concepts with the flip rate of their triggers; columns `CORRELATIONS`.

    `towards` "" is over all classes, with ranks taken within each. `strength` is `mean_rate`, or
    `best_rate` with `greedy`, whose triggers grow.
    """
    strength = "best_rate" if step.choice == "greedy" else "mean_rate"
    rows = []
    for place, of_place in frame.groupby(["position", "part"], sort=False):
        assert isinstance(place, tuple)
        for towards in ("", *dict.fromkeys(of_place["towards"])):
            of = pd.DataFrame(of_place[of_place["towards"] == towards] if towards else of_place)
            for trait in TRAITS:
                x, y = np.array(of[trait], float), np.array(of[strength], float)
                found = rank_correlation(
                    x, y, np.array(of["towards"], str), resamples=step.resamples,
                    confidence=step.confidence, seed=step.seed,
                )  # fmt: skip
                n = int(np.isfinite(x).sum())
                rows.append((towards, *place, trait, strength, n, *found))
    return pd.DataFrame(rows, columns=CORRELATIONS)


def examples(chosen: pd.DataFrame, said: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return held-out texts that the best trigger of a class does most to; columns `EXAMPLES`.

    The best of concepts, else of any method. Texts that flip come first, then those whose
    probability of the class rises most; `before` and `with_trigger` are yet to be filled.
    """
    rows = []
    for _, group in chosen[chosen["scope"] == "all"].groupby(WHERE, sort=False):
        concept = group[group["method"] == "concept"]
        picked = pd.DataFrame(concept if len(concept) else group).head(1)
        for row, part in _each(picked, said):
            part = pd.DataFrame(part[part["predicted"] != row["towards"]])
            flips = (part["predicted_with"] == row["towards"]).to_numpy()
            rise = (part["probability_with"] - part["probability"]).to_numpy()
            for at in np.lexsort((part["text"].to_numpy(), -rise, ~flips))[:n]:
                one = part.iloc[int(at)]
                start = tuple(row[c] for c in [*WHERE, "method", "layer", "concept", "trigger"])
                rows.append((*start, *(one[c] for c in EXAMPLES[7:13]), "", ""))
    return pd.DataFrame(rows, columns=EXAMPLES)


def _each(chosen: pd.DataFrame, said: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Yield each chosen trigger with what was said of the held-out texts, in the same order."""
    key = [*WHERE, "method", "scope", "layer"]
    parts: dict = dict(iter(said.groupby(key, sort=False)))
    for row in chosen.to_dict("records"):
        name = tuple(row[column] for column in key)
        yield row, parts.get(name, said.iloc[:0])


def _tried_by(tried: pd.DataFrame, where: tuple, method: str, layer: tuple | None) -> pd.DataFrame:
    rows = tried["method"] == method
    for name, value in zip(WHERE, where, strict=True):
        rows &= tried[name] == value
    if layer is not None and layer[4] == "layer":
        rows &= tried["layer"] == layer[5]
    return pd.DataFrame(tried[rows])


def _group_values(tried: pd.DataFrame, step: Triggers) -> np.ndarray:
    """Return a flip rate of each group: of its triggers the mean, or with `greedy` the best."""
    of_group = tried.groupby(["layer", "group"], sort=False)
    values = of_group.agg({"flip_rate": "max" if step.choice == "greedy" else "mean"})
    return np.array(values["flip_rate"].dropna(), float)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
