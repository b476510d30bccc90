"""From what was tried and said to tables: the best triggers, concepts, correlations, examples.

A trigger is chosen on one half of the texts and reported on the other, so that its flip rate is not
the luckiest of many (the winner's curse). How strong a concept is, is the mean of all its triggers,
on the choosing half, where none was picked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tunescope.steps.triggers import Triggers
from tunescope.triggers.groups import NO_LAYER, TRAITS
from tunescope.triggers.measures import paired_mean, rank_correlation, rate
from tunescope.triggers.units import joined, words_in

WHERE = ["towards", "position", "part"]
CHOSEN = [*WHERE, "method", "scope", "layer", "concept", "trigger", "tried", "choosing_rate"]
BEST = [
    *CHOSEN, "by", "n_texts", "n", "flipped", "flip_rate", "flip_low", "flip_high",
    "accuracy_before", "accuracy_after", "drop", "drop_low", "drop_high",
]  # fmt: skip
CORRELATIONS = [*WHERE, "trait", "strength", "n", "rho", "low", "high"]
EXAMPLES = [
    *WHERE, "method", "layer", "concept", "trigger", "text", "gold", "predicted", "predicted_with",
    "probability", "probability_with", "before", "with_trigger",
]  # fmt: skip


def choose(tried: pd.DataFrame) -> pd.DataFrame:
    """Choose the best trigger of each class, place and method, and of each layer.

    Parameters
    ----------
    tried : pandas.DataFrame
        All triggers tried.

    Returns
    -------
    pandas.DataFrame
        Columns `CHOSEN`. `scope` is `all`, or `layer` for the best of one layer's concepts, or of
        a baseline, of the groups that mirror them. Best is by flip rate, then by the mean
        probability of the class, then the first tried. `tried` counts different triggers.
    """
    rows = []
    for key, group in tried.groupby([*WHERE, "method"], sort=False):
        assert isinstance(key, tuple)
        rows.append((*key, "all", *_best_of(group)))
        for layer, part in group.groupby(concept_layers(group)):
            if layer != NO_LAYER:
                rows.append((*key, "layer", layer, *_best_of(part)[1:]))
    return pd.DataFrame(rows, columns=CHOSEN)


def concept_layers(tried: pd.DataFrame) -> pd.Series:
    """Return the layer of each trigger's concept; of a baseline's, of the concept it mirrors."""
    found = np.where(tried["method"] == "concept", tried["layer"], tried["mirrors"])
    return pd.Series(found.astype(int), tried.index)


def _best_of(group: pd.DataFrame) -> tuple:
    """Return layer, concept, trigger, tried and choosing rate of the best trigger."""
    rates = group[["flip_rate", "probability"]].fillna(0.0).to_numpy()
    row = group.iloc[int(np.lexsort((np.arange(len(rates)), -rates[:, 1], -rates[:, 0]))[0])]
    n = group["trigger"].nunique()
    return int(row["layer"]), int(row["concept"]), row["trigger"], n, row["flip_rate"]


def best(chosen: pd.DataFrame, said: pd.DataFrame, step: Triggers) -> pd.DataFrame:
    """Report the chosen triggers on the held-out half; columns `BEST`.

    There are two rows for each. `by` "predicted" is over texts that were predicted to be of another
    class, and "gold" over texts that are of another class; `n` of these could flip, as they were
    not predicted to be of the class already. The accuracy is that on `n_texts`.
    """
    rows = []
    for row, part in each_of(chosen, said):
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


def concepts(groups: pd.DataFrame, tried: pd.DataFrame) -> pd.DataFrame:
    """Return the polarity concepts with how strong their triggers are, on the choosing half.

    Returns
    -------
    pandas.DataFrame
        One row per place and concept: `position`, `part`, the columns of `groups`, `n_triggers`,
        `mean_rate` and `best_rate` over its triggers, `trigger`, the best one, and `unit`: of one
        class and place, concepts whose triggers share words have the same number.
    """
    key = ["towards", "layer", "concept"]
    own = pd.DataFrame(tried[tried["method"] == "concept"])
    own = own.sort_values("flip_rate", ascending=False, kind="stable")
    found = own.groupby(["position", "part", *key]).agg(
        n_triggers=("trigger", "size"), mean_rate=("flip_rate", "mean"),
        best_rate=("flip_rate", "max"), trigger=("trigger", "first"), unit=("trigger", words_in),
    ).reset_index()  # fmt: skip
    found["unit"] = found.groupby(WHERE)["unit"].transform(lambda words: joined(words.tolist()))
    return groups.merge(found, on=key, how="inner")


def correlate(frame: pd.DataFrame, step: Triggers) -> pd.DataFrame:
    """Correlate traits of concepts with the flip rate of their triggers; columns `CORRELATIONS`.

    `towards` "" is over all classes, with ranks taken within each. `strength` is `mean_rate`, or
    `best_rate` with `greedy`, whose triggers grow. Intervals are over units.
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
                    x, y, np.array(of["towards"], str), np.array(of["unit"]),
                    resamples=step.resamples, confidence=step.confidence, seed=step.seed,
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
        for row, part in each_of(picked, said):
            part = pd.DataFrame(part[part["predicted"] != row["towards"]])
            flips = (part["predicted_with"] == row["towards"]).to_numpy()
            rise = (part["probability_with"] - part["probability"]).to_numpy()
            for at in np.lexsort((part["text"].to_numpy(), -rise, ~flips))[:n]:
                one = part.iloc[int(at)]
                start = tuple(row[c] for c in [*WHERE, "method", "layer", "concept", "trigger"])
                rows.append((*start, *(one[c] for c in EXAMPLES[7:13]), "", ""))
    return pd.DataFrame(rows, columns=EXAMPLES)


def each_of(chosen: pd.DataFrame, said: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    """Yield each chosen trigger with what was said of the held-out texts, in the same order."""
    key = [*WHERE, "method", "scope", "layer"]
    parts: dict = dict(iter(said.groupby(key, sort=False)))
    for row in chosen.to_dict("records"):
        name = tuple(row[column] for column in key)
        yield row, parts.get(name, said.iloc[:0])
