"""Shifts of planted neurons are found, and what two selections share is put beside exact chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tunescope as ts
from planted import LAYERS, WIDTH, planted_corpus, planted_layers
from stores import store_from_arrays
from tunescope.errors import InputError, MismatchError
from tunescope.files import write_frame
from tunescope.manifest import Manifest
from tunescope.neurons.overlap import Shared, overlap_beside_chance
from tunescope.neurons.result import NeuronSets
from tunescope.neurons.side_by_side import transfer_ablation

RANK: dict[str, Any] = {
    "rankings": ("probeless", "linear", "random"), "scalings": ("raw",), "l1": 1e-3, "l2": 1e-3,
    "control_seeds": 0, "resamples": 200, "views": 0, "selected": 6, "tag_neurons": 2,
}  # fmt: skip


def moved(corpus, seed: int) -> list[np.ndarray]:
    """The planted layers with layers 1 and 2 in the place of 0 and 1, and noise above."""
    planted = planted_layers(corpus, seed=seed)
    noise = np.random.default_rng(100 + seed).normal(size=(corpus.n_words, WIDTH))
    return [*planted[1:], noise]


@pytest.fixture(scope="module")
def ranked(tmp_path_factory) -> dict[str, ts.NeuronRankings]:
    """Base; two runs of a tuning that moves all knowledge one layer down; one that keeps it."""
    folder, corpus = tmp_path_factory.mktemp("shift"), planted_corpus()
    layers = {
        "base": planted_layers(corpus),
        "moved": moved(corpus, 1),
        "moved.seed1": moved(corpus, 2),
        "kept": planted_layers(corpus, seed=3),
    }
    found = {}
    for name, values in layers.items():
        store = store_from_arrays(folder / name / "store", corpus, values, name)
        found[name] = ts.rank(store, "tag", folder / name / "rank", **RANK)
    return found


def test_knowledge_that_moved_one_layer_down_is_seen_to(ranked, tmp_path: Path):
    shift = ts.compare_neurons(ranked["base"], [ranked["moved"], ranked["moved.seed1"]], sizes=(6,))
    table = shift.table().set_index("ranking")
    assert "random" not in table.index, "it is the same order in every model"
    # Planted at layers 1, 2, 1, 1, 2, 2.
    assert table["base_layer"].tolist() == [1.5, 1.5]
    assert table["tuned_layer"].tolist() == [0.5, 0.5]
    assert (table["shift"] == -1).all() and (table["high"] < 0).all()
    assert (table["low"] <= -1).all() and (table["n_seeds"] == 2).all()
    layers = shift.layers[shift.layers["ranking"] == "probeless"]
    assert layers["base_selected"].tolist() == [0, 3, 3]
    assert layers["tuned_selected"].tolist() == [3, 3, 0]
    assert set(layers["base"]) == {"base"} and set(layers["tuned"]) == {"moved"}
    assert layers["seed_sd"].tolist() == [0, 0, 0]
    tags = shift.shift[(shift.shift["ranking"] == "probeless") & shift.shift["tag"].notna()]
    planted = {"__proto__": 1.5, "<b>N</b>": 1.0, "a/b c": 2.0}
    assert dict(zip(tags["tag"], tags["base_layer"], strict=True)) == planted
    assert (tags["shift"] == -1).all()
    assert "-1.00 in moved" in shift.headline()
    shift.save(tmp_path / "out")
    again = ts.NeuronShift.load(tmp_path / "out")
    assert all(getattr(again, name).equals(getattr(shift, name)) for name in vars(shift))
    assert ts.compare_neurons(
        ranked["base"], [ranked["moved"], ranked["moved.seed1"]], sizes=(6,)
    ).shift.equals(shift.shift)


def test_the_same_neurons_are_told_from_the_same_layers(ranked):
    kept = ts.compare_neurons(ranked["base"], ranked["kept"], sizes=(6,)).tables()["overlap"]
    assert (kept["overlap"] == 1).all() and (kept["layer_p"] < 1e-5).all()
    runs = [ranked["moved"], ranked["moved.seed1"]]
    overlap = ts.compare_neurons(ranked["base"], runs, sizes=(6, 0.5)).tables()["overlap"]
    small = overlap[(overlap["ranking"] == "probeless") & (overlap["size"] == 6)]
    assert small["pair"].tolist() == ["base-tuned", "base-tuned", "tuned-tuned"]
    assert small["overlap"].tolist() == [0, 0, 1]
    assert small["p"].tolist()[:2] == pytest.approx([1, 1])
    assert set(overlap["n_a"]) == {6, LAYERS * WIDTH // 2}


def test_chance_is_that_of_a_permutation_test():
    rng = np.random.default_rng(0)
    sizes = [30, 12, 50]
    layer_of = np.repeat(np.arange(3), sizes)
    a = np.concatenate([rng.permutation(30)[:9], 30 + rng.permutation(12)[:6], [50, 60]])
    b = np.concatenate([rng.permutation(30)[:12], 30 + rng.permutation(12)[:5], [50, 70, 71]])
    found = overlap_beside_chance(a, b, layer_of)
    both = len(set(a.tolist()) & set(b.tolist()))
    assert found["both"] == both and found["overlap"] == both / (len(a) + len(b) - both)
    anywhere, within = [], []
    per_layer = [np.flatnonzero(layer_of == layer) for layer in range(3)]
    for _ in range(5_000):
        drawn = rng.permutation(len(layer_of))[: len(b)]
        anywhere.append(np.isin(drawn, a).sum())
        shuffled = [rng.permutation(columns)[: np.isin(columns, b).sum()] for columns in per_layer]
        within.append(np.isin(np.concatenate(shuffled), a).sum())
    for prefix, shared in (("", np.array(anywhere)), ("layer_", np.array(within))):
        index = shared / (len(a) + len(b) - shared)
        assert found[f"{prefix}chance"] == pytest.approx(index.mean(), abs=0.004)
        high = np.quantile(index, 0.95, method="inverted_cdf")
        assert found[f"{prefix}chance_high"] == pytest.approx(high, abs=1e-12)
        assert found[f"{prefix}p"] == pytest.approx((shared >= both).mean(), abs=0.025)
    assert found["layer_chance"] > found["chance"], "the layers themselves are shared here"


def test_chance_of_odd_sizes():
    nothing = Shared.of(np.array([5, 5]), np.array([0, 3]), np.array([2, 0]))
    assert (nothing.expected(), nothing.upper(), nothing.p(0), nothing.p(1)) == (0, 0, 1, 0)
    all_of_it = Shared.of(np.array([4]), np.array([4]), np.array([4]))
    assert (all_of_it.expected(), all_of_it.p(4)) == pytest.approx((1, 1))


def sets(path: Path, lift: float, label: str = "tag", draws: int = 2) -> NeuronSets:
    """A result of `select` with an ablation table made up: random neurons have two draws."""
    rows = [
        {"scaling": "raw", "ranking": "lca", "share": 0.1, "within": within, "order": order,
         "how": "retrained", "seed": draw, "n": 9, "accuracy": 0.5 + lift + 0.1 * draw}
        for within in ("overall", "layer") for order in ("top", "random", "bottom")
        for draw in range(draws if order == "random" else 1)
    ]  # fmt: skip
    write_frame(path / "ablation.parquet", pd.DataFrame(rows))
    inputs = {"corpus": "made", "label": label, "model": path.name}
    return NeuronSets(path, Manifest("select", path.name, {}, inputs, {}))


def test_ablation_of_base_and_tuned_side_by_side(tmp_path: Path):
    base, tuned = sets(tmp_path / "base", 0.0), sets(tmp_path / "tuned", -0.25)
    table = transfer_ablation(base, tuned).set_index(["within", "order"])
    assert len(table) == 6
    random = table.loc[("layer", "random")]
    assert (random["base_accuracy"], random["tuned_accuracy"]) == pytest.approx((0.55, 0.3))
    assert (table["difference"] + 0.25).abs().max() < 1e-12
    with pytest.raises(MismatchError, match="different words or labels"):
        transfer_ablation(base, sets(tmp_path / "other", 0.0, label="sem"))
    write_frame(tmp_path / "tuned" / "ablation.parquet", tuned.frame("ablation").iloc[1:])
    with pytest.raises(MismatchError, match="different sets"):
        transfer_ablation(base, tuned)


def test_only_like_is_compared_with_like(ranked, tmp_path: Path):
    with pytest.raises(InputError, match="each once"):
        ts.compare_neurons(ranked["base"], [ranked["kept"], ranked["kept"]])
    with pytest.raises(InputError, match="none: give one or more"):
        ts.compare_neurons(ranked["base"], [])
    store = ranked["kept"].path.parent / "store"
    other = ts.rank(store, "tag", tmp_path / "other", **{**RANK, "tag_neurons": 3})
    with pytest.raises(MismatchError, match="different parameters"):
        ts.compare_neurons(ranked["base"], other)
    fewer = ts.rank(store, "tag", tmp_path / "fewer", rows=np.arange(400), **RANK)
    with pytest.raises(MismatchError, match="not ranked on the same words"):
        ts.compare_neurons(ranked["base"], fewer)
