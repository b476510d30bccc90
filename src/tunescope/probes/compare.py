"""Base against tuned, layer by layer, on the same words (arXiv 2105.15179, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tunescope.errors import InputError, MismatchError
from tunescope.probes.comparison import ProbeComparison
from tunescope.probes.result import LayerProbes
from tunescope.probes.statistics import holm, seeds_interval, sign_flip_test

__all__ = ["ProbeComparison", "compare_probes"]

_FLIPS = 40
"""Sign flips for each layer at least, so that no p-value is too coarse to survive Holm."""


def compare_probes(
    base: LayerProbes,
    tuned: LayerProbes | Sequence[LayerProbes],
    *,
    resamples: int | None = None,
    confidence: float | None = None,
    seed: int | None = None,
) -> ProbeComparison:
    """Compare probes of two models on the same test words.

    Parameters
    ----------
    base : LayerProbes
        Probes of the base model.
    tuned : LayerProbes or sequence of LayerProbes
        Probes of the tuned model, or of several runs of the same tuning with other seeds: of the
        same label column, fitted with the same parameters on the same words.
    resamples : int, optional
        Bootstrap resamples, and sign flips of the test; as in the probes when not given. There
        are at least 40 flips for each layer.
    confidence : float, optional
        Level of the intervals; as in the probes when not given.
    seed : int, optional
        Seed of both; as in the probes when not given.

    Returns
    -------
    ProbeComparison
        Differences are means over runs. Intervals are by a bootstrap over sentences that takes the
        runs' spread into account (`seeds_interval`). p-values are by flipping signs of whole
        sentences of the mean over runs, corrected over layers after Holm: they speak of these runs.

    Raises
    ------
    MismatchError
        If corpus, label column, parameters, training or test words, or layers differ.
    InputError
        If there are no tuned probes, or the same ones twice.
    """
    runs = [tuned] if isinstance(tuned, LayerProbes) else list(tuned)
    if not runs or len({run.key for run in runs}) < len(runs):
        named = ", ".join(str(run.path) for run in runs) or "none"
        raise InputError(f"tuned probes are {named}: give one or more runs, each once")
    for run in runs:
        _check_same(base, run)
    step = base.step
    chance = {
        "resamples": step.resamples if resamples is None else resamples,
        "seed": step.seed if seed is None else seed,
    }
    level = step.confidence if confidence is None else confidence
    flips = max(chance["resamples"], _FLIPS * len(base.layers))
    top = _top_third(base.layers)
    about = {
        "corpus": base.corpus, "label": base.label, "base": base.model, "tuned": runs[0].model,
        "n_seeds": len(runs),
    }  # fmt: skip
    rows, upper = [], []
    for layer, facts in zip(base.layers, base.facts, strict=True):
        answers = _Answers.read(base, runs, layer, facts["majority"])
        if layer in top:
            upper.append(answers)
        change = answers.after - answers.before
        p = sign_flip_test(
            change.mean(axis=0), answers.sentences, resamples=flips, seed=chance["seed"]
        )
        spread = change.mean(axis=1).std(ddof=1) if len(runs) > 1 else np.nan
        found = answers.compared(confidence=level, **chance)
        kept = {"majority": facts["majority"], "retained": found.pop("retained")}
        rows.append({**about, "layer": layer, **found, "seed_sd": spread, "p": p, **kept})
    table = pa.Table.from_pylist(rows)
    corrected = pa.array(holm(np.array([row["p"] for row in rows])))
    table = table.add_column(table.column_names.index("p") + 1, "p_holm", corrected)
    summary = _Answers.mean(upper).compared(confidence=level, **chance)
    span = {"from_layer": top[0], "to_layer": top[-1]}
    return ProbeComparison(table, pa.Table.from_pylist([span | summary]))


@dataclass(frozen=True, eq=False)
class _Answers:
    """Right (1) and wrong (0) of the same n words in base, shape (n,), and S runs, (S, n)."""

    before: np.ndarray
    after: np.ndarray
    sentences: np.ndarray
    majority: float

    @classmethod
    def read(
        cls, base: LayerProbes, runs: list[LayerProbes], layer: int, majority: float
    ) -> _Answers:
        one = base.words(layer)
        after = np.stack([run.words(layer)["correct"].to_numpy() for run in runs])
        before = one["correct"].to_numpy().astype(float)
        return cls(before, after.astype(float), one["sentence"].to_numpy(), majority)

    @classmethod
    def mean(cls, layers: list[_Answers]) -> _Answers:
        """Return each word's mean over layers: sentences stay the unit that is resampled."""
        before = np.mean([answers.before for answers in layers], axis=0)
        after = np.mean([answers.after for answers in layers], axis=0)
        majority = float(np.mean([answers.majority for answers in layers]))
        return cls(before, after, layers[0].sentences, majority)

    def compared(self, **options: Any) -> dict[str, float]:
        """Return accuracies, their difference with its interval, and the share retained."""
        change = self.after - self.before
        low, high = seeds_interval(change, self.sentences, **options)
        before, after = float(self.before.mean()), float(self.after.mean())
        known = before - self.majority
        return {
            "base_accuracy": before,
            "tuned_accuracy": after,
            "difference": float(change.mean()),
            "low": low,
            "high": high,
            "retained": (after - self.majority) / known if known > 0 else np.nan,
        }


def _top_third(layers: Sequence[int]) -> tuple[int, ...]:
    """Return the top third of the layers above the embeddings, rounded up."""
    return tuple(layers[-max(1, -(-(len(layers) - 1) // 3)) :])


def _check_same(base: LayerProbes, tuned: LayerProbes) -> None:
    where = f"{base.path} and {tuned.path}"
    for name in ("corpus", "label"):
        one, other = getattr(base, name), getattr(tuned, name)
        if one != other:
            raise MismatchError(f"{where}: {name} {one!r} is not {other!r}; compare like with like")
    if base.manifest.inputs["words"] != tuned.manifest.inputs["words"]:
        raise MismatchError(
            f"{where} were not trained and tested on the same words: probe both with "
            "rows=common_words(base_store, tuned_store)"
        )
    if base.step != tuned.step:
        raise MismatchError(f"{where} were fitted with different parameters: probe one again")
    if base.layers != tuned.layers:
        raise MismatchError(
            f"{where} have {len(base.layers)} and {len(tuned.layers)} layers: layers of models "
            "that differ in depth have no counterpart"
        )
