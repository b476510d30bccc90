"""All measures of one layer of base and tuned, with their intervals and baselines."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from tunescope.geometry.cka import alignment, chance, hsic, pairs
from tunescope.geometry.jackknife import interval
from tunescope.geometry.layers import LayerWords, parts
from tunescope.geometry.moments import PairMoments
from tunescope.geometry.neighbours import candidates, nearest, overlap
from tunescope.geometry.procrustes import procrustes
from tunescope.geometry.sample import WordSample
from tunescope.steps import Geometry

KEPT_BYTES = 1 << 30
"""Sums of groups are kept up to this size; beyond it, they are computed twice."""

COLUMNS = ("layer", "measure", "value", "low", "high", "chance", "permuted", "n")

Sums = list[PairMoments]
"""Moments of base with tuned, base with base, tuned with tuned."""


def measure_layer(
    base: LayerWords, tuned: LayerWords, sample: WordSample, step: Geometry
) -> list[dict[str, Any]]:
    """Measure one layer; return a row of `COLUMNS` but `layer` for each measure, in their order."""
    rows: dict[str, dict[str, Any]] = {}
    if {"cka", "procrustes"} & set(step.measures):
        rows |= _of_moments(base, tuned, sample, step)
    if "neighbours" in step.measures:
        rows["neighbours"] = _neighbours(base, tuned, sample, step)
    return [{"measure": name, **rows[name]} for name in step.measures]


def _of_moments(
    base: LayerWords, tuned: LayerWords, sample: WordSample, step: Geometry
) -> dict[str, dict[str, Any]]:
    """Measure CKA and Procrustes distance, as far as they are asked for."""
    groups = _GroupSums(base, tuned, sample.sizes)
    total = groups.total
    shuffled = _permuted(base, tuned, sample.permutation)

    def cka(sums: Sums) -> float:
        return alignment(*(hsic(moments, step.estimator) for moments in sums))

    measures: dict[str, tuple[Callable[[Sums], float], tuple[float, float]]] = {
        "cka": (cka, (-1, 1)),
        "procrustes": (lambda sums: procrustes(sums[0]), (0, 2)),
    }
    measures = {name: how for name, how in measures.items() if name in step.measures}
    left_out: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(len(sample.sizes)):
        rest = [whole - part for whole, part in zip(total, groups[number], strict=True)]
        for name, (measure, _) in measures.items():
            left_out[name].append(measure(rest))
    found = {}
    for name, (measure, bounds) in measures.items():
        value, permuted = measure(total), measure([shuffled, *total[1:]])
        low, high = interval(
            value, np.array(left_out[name]), sample.sizes, confidence=step.confidence, bounds=bounds
        )
        expected = chance(total[1], total[2], step.estimator) if name == "cka" else permuted
        found[name] = {
            "value": value, "low": low, "high": high, "chance": expected, "permuted": permuted,
            "n": len(base),
        }  # fmt: skip
    return found


class _GroupSums:
    """Moments of each group of sentences, kept where there is room for them."""

    def __init__(self, base: LayerWords, tuned: LayerWords, sizes: np.ndarray):
        self._base, self._tuned = base, tuned
        self._ends = np.cumsum(sizes)
        d, e = base.shape[1], tuned.shape[1]
        room = 8 * len(sizes) * (d * e + d * d + e * e) <= KEPT_BYTES
        self._kept: list[Sums] | None = [] if room else None
        self.total: Sums = []
        for number in range(len(sizes)):
            sums = self._compute(number)
            self.total = _plus(self.total, sums) if number else sums
            if self._kept is not None:
                self._kept.append(sums)

    def __getitem__(self, number: int) -> Sums:
        return self._compute(number) if self._kept is None else self._kept[number]

    def _compute(self, number: int) -> Sums:
        start = self._ends[number - 1] if number else 0
        blocks = (
            [PairMoments.of(*pair) for pair in pairs(x, y)]
            for x, y in zip(
                self._base.blocks(start, self._ends[number]),
                self._tuned.blocks(start, self._ends[number]),
                strict=True,
            )
        )
        return reduce(_plus, blocks)


def _plus(one: Sums, other: Sums) -> Sums:
    return [a + b for a, b in zip(one, other, strict=True)]


def _permuted(base: LayerWords, tuned: LayerWords, order: np.ndarray) -> PairMoments:
    """Moments of base with tuned, each word paired with another one."""
    every = parts(0, len(base))
    return reduce(add, (PairMoments.of(base[part], tuned[order[part]]) for part in every))


def _neighbours(
    base: LayerWords, tuned: LayerWords, sample: WordSample, step: Geometry
) -> dict[str, Any]:
    """Measure the share of common neighbours.

    `permuted` is the share that a word's neighbours in the base model have in common with those of
    another word in the tuned one: above what chance gives where some words are neighbours of many.
    """
    types = sample.types if step.exclude_type else None
    queries = sample.queries
    enough = candidates(len(base), queries, types) >= step.k
    queries = queries[enough] if enough.any() else queries
    before, after = (
        nearest(layer.as_stored(), queries, step.k, metric=step.metric, types=types)
        for layer in (base, tuned)
    )
    shares = overlap(before, after)
    groups = len(sample.sizes)
    group = sample.group_of[queries]
    sums, counts = np.bincount(group, shares, groups), np.bincount(group, minlength=groups)
    used = counts > 0
    value = float(shares.mean())
    low = high = float("nan")
    if used.sum() > 1:
        left_out = (sums.sum() - sums[used]) / (len(shares) - counts[used])
        low, high = interval(
            value, left_out, counts[used], confidence=step.confidence, bounds=(0, 1)
        )
    other = np.random.default_rng(step.seed).permutation(len(queries))
    other = np.roll(other, 1)[np.argsort(other)]  # no word is paired with itself
    return {
        "value": value,
        "low": low,
        "high": high,
        "chance": float(np.mean(step.k / candidates(len(base), queries, types))),
        "permuted": float(overlap(before, after[other]).mean()),
        "n": len(queries),
    }
