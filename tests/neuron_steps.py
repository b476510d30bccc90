"""Rank, select, reduce and intervene on planted neurons, once for all tests that look at them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

import tunescope as ts
from planted import (
    planted_store,
)
from tiny import save_tiny
from tunescope.neurons.result import (
    NeuronEffects,
    NeuronRankings,
    NeuronRedundancy,
    NeuronResult,
    NeuronSets,
)

TELLING = ("lca", "linear", "probeless", "mean_select", "iou", "average_precision", "gaussian")
RANK: dict[str, Any] = {
    "rankings": (*TELLING, "random"), "grid": (0.0, 1e-2, 1e-3), "gaussian_neurons": 8,
    "control_seeds": 1, "resamples": 50, "views": 1, "selected": 6, "tag_neurons": 2,
}  # fmt: skip
SELECT: dict[str, Any] = {
    "deltas": (1.0, 3.0), "shares": (0.1, 0.2), "sizes": (3, 6, 24), "seeds": 2,
}  # fmt: skip
REDUCE: dict[str, Any] = {"increment": 2, "seeds": 2}
INTERVENE: dict[str, Any] = {
    "neurons": (2, 6), "actions": ("zero", "translate:4"), "draws": 2, "max_sentences": 10,
    "resamples": 50,
}  # fmt: skip

KINDS: dict[str, type[NeuronResult]] = {
    kind.made_by.name: kind
    for kind in (NeuronRankings, NeuronSets, NeuronRedundancy, NeuronEffects)
}
CHANGED = {
    "rank": {"iou_quantile": 0.8},
    "select": {"classifiers": ("gaussian",), "seeds": 1},
    "reduce": {"distance": 0.5},
    "intervene": {"draws": 1},
}

Make = Callable[..., NeuronResult]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steps")
    planted_store(folder / "store")
    save_tiny("bert", folder / "model", head=hf.AutoModelForMaskedLM)
    return folder


@pytest.fixture(scope="module")
def make(place: Path) -> Make:
    """Return a function that does a step by name."""

    def do(step: str, out: Path, ranked: Path | None = None, **changed: Any) -> NeuronResult:
        store, ranked = place / "store", ranked or place / "rank"
        if step == "rank":
            return ts.rank(store, "tag", out, **{**RANK, **changed})
        if step == "select":
            return ts.select(ranked, store, out, **{**SELECT, **changed})
        if step == "reduce":
            return ts.reduce(ranked, store, out, **{**REDUCE, **changed})
        model, options = place / "model", {**INTERVENE, **changed}
        return ts.intervene(ranked, store, model, out, device="cpu", **options)

    return do


@pytest.fixture(scope="module")
def made(place: Path, make: Make) -> dict[str, Any]:
    """Every step, done once."""
    return {step: make(step, place / step) for step in KINDS}
