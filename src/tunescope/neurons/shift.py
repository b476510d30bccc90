"""Where the telling neurons go when a model is tuned, and whether they stay the same neurons.

After Durrani et al. 2021 (arXiv 2105.15179, section 4.2, figure 4), which draws the layers of the
selected neurons of base and tuned models; intervals, overlap and its chance are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as student

from tunescope.errors import InputError, MismatchError
from tunescope.neurons.distribution import tag_sets
from tunescope.neurons.overlap import overlap_beside_chance
from tunescope.neurons.rank import n_of_count
from tunescope.neurons.result import NeuronRankings
from tunescope.neurons.shift_result import NeuronShift

if TYPE_CHECKING:
    pass

__all__ = ["SIZES", "NeuronShift", "compare_neurons"]

SIZES = (0.01, 0.04, 0.1)
"""Sizes of the selections whose overlap is measured: shares of all neurons."""

_DRAWN = ("random",)
"""Rankings without a meaning, which base and tuned model share by their seed."""


def compare_neurons(
    base: NeuronRankings,
    tuned: NeuronRankings | Sequence[NeuronRankings],
    *,
    sizes: Sequence[float] = SIZES,
    resamples: int | None = None,
    confidence: float | None = None,
    seed: int | None = None,
) -> NeuronShift:
    """Compare the neurons that rankings select in a base model and in a tuned one.

    Parameters
    ----------
    base : NeuronRankings
        Rankings of the base model.
    tuned : NeuronRankings or sequence of NeuronRankings
        Rankings of the tuned model, or of several runs of the same tuning: by the same methods,
        for the same labels of the same words.
    sizes : sequence of float
        Sizes of the selections whose overlap is measured: shares of all neurons below 1, else
        numbers. Selections of labels have the size `tag_neurons` of the rankings.
    resamples : int, optional
        Bootstrap resamples of neurons; as in the rankings when not given.
    confidence : float, optional
        Level of the intervals and of the upper ends of chance; as in the rankings when not given.
    seed : int, optional
        Seed of the resampling; as in the rankings when not given.

    Returns
    -------
    NeuronShift
        The interval of a shift is a bootstrap over the neurons that any of the models selects; with
        several runs it also holds what runs differ by (Student's t). The ranking `random` is left
        out: it is the same in all models.

    Raises
    ------
    MismatchError
        If corpus, labels, words, parameters or neurons differ.
    InputError
        If there are no tuned rankings, or the same ones twice.
    """
    import pandas as pd

    runs = [tuned] if isinstance(tuned, NeuronRankings) else list(tuned)
    if not runs or len({run.key for run in runs}) < len(runs):
        named = ", ".join(str(run.path) for run in runs) or "none"
        raise InputError(f"tuned rankings are {named}: give one or more runs, each once")
    for run in runs:
        _check_same(base, run)
    made, facts = base.manifest.parameters, base.facts
    layer_of = np.repeat(facts["layers"], facts["widths"])
    selected = n_of_count(made["selected"], len(layer_of))
    chance = {
        "resamples": made["resamples"] if resamples is None else resamples,
        "confidence": made["confidence"] if confidence is None else confidence,
        "seed": made["seed"] if seed is None else seed,
    }
    tables: dict[str, list[dict[str, Any]]] = {"shift": [], "layers": [], "overlap": []}
    for scaling in base.scalings:
        for name in base.rankings:
            if name in _DRAWN:
                continue
            about = {
                "corpus": base.corpus, "label": base.label, "base": base.model,
                "tuned": runs[0].model, "n_seeds": len(runs), "scaling": scaling, "ranking": name,
            }  # fmt: skip
            rankings = [model.ranking(name, scaling) for model in (base, *runs)]
            tops = [ranking.top(selected) for ranking in rankings]
            tables["layers"] += [about | row for row in _by_layer(tops, layer_of)]
            tables["shift"].append(about | {"tag": None} | _shift(tops, layer_of, **chance))
            sets = [(None, size, [r.top(n_of_count(size, len(layer_of))) for r in rankings])
                    for size in sizes]  # fmt: skip
            of_tags = [tag_sets(ranking, n=made["tag_neurons"]) for ranking in rankings]
            for tag, *tops in zip(facts["classes"], *of_tags, strict=True):
                tables["shift"].append(about | {"tag": tag} | _shift(tops, layer_of, **chance))
                sets.append((tag, made["tag_neurons"], tops))
            for tag, size, tops in sets:
                start = about | {"tag": tag, "size": float(size)}
                tables["overlap"] += [
                    start | row for row in _overlaps(tops, layer_of, chance["confidence"])
                ]
    return NeuronShift(**{name: pd.DataFrame(rows) for name, rows in tables.items()})


def _by_layer(tops: list[np.ndarray], layer_of: np.ndarray) -> Iterator[dict[str, Any]]:
    """Count the selected neurons of each layer: base first, then the runs."""
    layers, sizes = np.unique(layer_of, return_counts=True)
    counts = np.stack([
        np.bincount(np.searchsorted(layers, layer_of[top]), minlength=len(layers)) for top in tops
    ])  # fmt: skip
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for place, layer in enumerate(layers):
        runs = counts[1:, place]
        yield {
            "layer": int(layer),
            "base_selected": int(counts[0, place]),
            "tuned_selected": float(runs.mean()),
            "seed_sd": float(runs.std(ddof=1)) if len(runs) > 1 else np.nan,
            "base_share": shares[0, place],
            "tuned_share": shares[1:, place].mean(),
            "chance": sizes[place] / sizes.sum(),
        }


def _shift(
    tops: list[np.ndarray], layer_of: np.ndarray, *, resamples: int, confidence: float, seed: int
) -> dict[str, Any]:
    """Return mean layers of base and runs, and their difference with its interval."""
    found = {"n_base": len(tops[0]), "n_tuned": float(np.mean([len(top) for top in tops[1:]]))}
    if not all(len(top) for top in tops):
        nothing = ("base_layer", "tuned_layer", "shift", "low", "high")
        return found | dict.fromkeys(nothing, np.nan)
    means = np.array([layer_of[top].mean() for top in tops])
    shift = means[1:].mean() - means[0]
    neurons = np.unique(np.concatenate(tops))
    inside = np.stack([np.isin(neurons, top) for top in tops], axis=1).astype(float)
    rng = np.random.default_rng(seed)
    even = np.full(len(neurons), 1 / len(neurons))
    drawn = rng.multinomial(len(neurons), even, size=resamples).astype(float)
    # A resample may hold none of a small selection; it then says nothing.
    with np.errstate(invalid="ignore"):
        resampled = (drawn * layer_of[neurons]) @ inside / (drawn @ inside)
    shifts = resampled[:, 1:].mean(axis=1) - resampled[:, 0]
    shifts = shifts[np.isfinite(shifts)]
    if (runs := len(tops) - 1) > 1:
        error = means[1:].std(ddof=1) / np.sqrt(runs)
        shifts = shifts + error * student.rvs(runs - 1, size=len(shifts), random_state=rng)
    tail = (1 - confidence) / 2
    low, high = np.quantile(shifts, [tail, 1 - tail])
    return found | {
        "base_layer": float(means[0]), "tuned_layer": float(means[1:].mean()),
        "shift": float(shift), "low": float(low), "high": float(high),
    }  # fmt: skip


def _overlaps(
    tops: list[np.ndarray], layer_of: np.ndarray, confidence: float
) -> Iterator[dict[str, Any]]:
    """Compare base with every run, and runs with each other."""
    for a, b in combinations(range(len(tops)), 2):
        pair = "base-tuned" if a == 0 else "tuned-tuned"
        beside = overlap_beside_chance(tops[a], tops[b], layer_of, confidence=confidence)
        yield {"pair": pair, "run": b - 1, "other_run": a - 1} | beside


def _check_same(base: NeuronRankings, tuned: NeuronRankings) -> None:
    where = f"{base.path} and {tuned.path}"
    if (base.corpus, base.label) != (tuned.corpus, tuned.label):
        raise MismatchError(f"{where} are of different corpora or labels; compare like with like")
    if base.manifest.inputs["words"] != tuned.manifest.inputs["words"]:
        raise MismatchError(
            f"{where} were not ranked on the same words: rank both with "
            "rows=common_words(base_store, tuned_store)"
        )
    if base.manifest.parameters != tuned.manifest.parameters:
        raise MismatchError(f"{where} were ranked with different parameters: rank one again")
    for name in ("layers", "widths"):
        if base.facts[name] != tuned.facts[name]:
            raise MismatchError(
                f"{where} have different {name}: neurons of models that differ in shape have no "
                "counterpart"
            )
