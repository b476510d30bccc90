"""The geometry step on stores whose geometry is known: what it writes, resumes and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ortho_group

import tunescope as ts
from stores import store_from_arrays
from test_probes_layerwise import files_of
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.geometry import compare, measure
from tunescope.geometry.sample import draw_words

WIDTH = 12
QUICK = {"k": 3, "queries": 60, "groups": 6, "matrix": "all"}


def some_corpus(sentences: int = 60, seed: int = 0) -> Corpus:
    rng = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(40)]
    lengths = rng.integers(3, 12, size=sentences)
    return Corpus.from_sentences([rng.choice(words, n).tolist() for n in lengths], name="made")


def pair_of_layers(corpus: Corpus) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Layer 0 of the tuned model is the base's turned, 1 has noise added, 2 is another one."""
    rng = np.random.default_rng(0)
    base = [rng.normal(size=(corpus.n_words, WIDTH)) + 5 for _ in range(3)]
    turn = ortho_group.rvs(WIDTH, random_state=0)
    tuned = [
        2 * base[0] @ turn,
        base[1] + 0.5 * rng.normal(size=base[1].shape),
        rng.normal(size=base[2].shape),
    ]
    return base, tuned


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("geometry")
    corpus = some_corpus()
    base, tuned = pair_of_layers(corpus)
    base[0][7] = np.nan  # a word that was cut off
    return (
        store_from_arrays(folder / "base", corpus, base, "base"),
        store_from_arrays(folder / "tuned", corpus, tuned, "tuned", shards=3),
    )


@pytest.fixture(scope="module")
def found(stores, tmp_path_factory: pytest.TempPathFactory):
    return ts.compare_geometry(*stores, tmp_path_factory.mktemp("out") / "g", **QUICK)


def column(result: ts.LayerGeometry, name: str, field: str = "value") -> list[float]:  # type: ignore[name-defined]
    return result.layers.query("measure == @name").sort_values("layer")[field].tolist()


def test_values_are_those_of_the_functions_on_the_words_of_both(stores, found):
    rows = ts.common_words(*stores)
    assert len(rows) == stores[0].n_words - 1 and found.manifest.facts["n_words"] == len(rows)
    x, y = ([store[layer][rows] for layer in store.layers] for store in stores)
    pairs = list(zip(x, y, strict=True))
    assert column(found, "cka") == pytest.approx([ts.linear_cka(*p) for p in pairs], abs=1e-8)
    distances = [ts.procrustes_distance(*p) for p in pairs]
    assert column(found, "procrustes") == pytest.approx(distances, abs=1e-8)
    for row in found.matrix.itertuples():
        expected = ts.linear_cka(x[row.base_layer], y[row.tuned_layer])
        assert row.cka == pytest.approx(expected, abs=3e-6)
    for row in found.within.itertuples():
        side = x if row.role == "base" else y
        expected = ts.linear_cka(side[row.layer], side[row.other_layer])
        assert row.cka == pytest.approx(expected, abs=3e-6)
    assert (len(found.matrix), len(found.within)) == (9, 18)


def test_a_turned_layer_is_alike_a_noisy_one_less_and_another_is_as_chance(found):
    cka, distance, shared = (column(found, m) for m in ("cka", "procrustes", "neighbours"))
    assert cka[0] == pytest.approx(1, abs=1e-6) and distance[0] == pytest.approx(0, abs=1e-6)
    assert 0.5 < cka[1] < 0.95 and 0 < distance[1] < 0.5
    assert cka[0] > cka[1] > cka[2] and shared[0] > shared[1] > shared[2]
    assert abs(cka[2]) < 0.05 and shared[2] < 0.1
    for name in ("cka", "procrustes", "neighbours"):
        low, high, value = (column(found, name, f) for f in ("low", "high", "value"))
        assert all(a <= v <= b for a, v, b in zip(low, value, high, strict=True))
        permuted, chance = (column(found, name, f) for f in ("permuted", "chance"))
        assert permuted == pytest.approx(chance, abs=0.06)


def test_the_result_says_what_it_is_and_loads_again(found):
    again = ts.LayerGeometry.load(found.path)
    assert again.layers.equals(found.layers)
    assert set(found.layers) >= {"corpus", "base", "tuned"}
    assert "base and tuned" in again.headline() and "layer 2" in again.headline()
    assert sorted(p.name for p in found.path.iterdir()) == [
        "layers.parquet", "manifest.json", "matrix.parquet", "within.parquet",
    ]  # fmt: skip


def test_same_seed_same_bytes_and_an_interrupted_run_ends_the_same(
    stores, found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compare, "tiles", lambda pairs, widths: [[pair] for pair in pairs])
    whole = ts.compare_geometry(*stores, tmp_path / "whole", **QUICK)
    assert column(whole, "cka") == column(found, "cka")
    real, calls = compare.measure_layer, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(compare, "measure_layer", killed)
    with pytest.raises(KeyboardInterrupt):
        ts.compare_geometry(*stores, tmp_path / "cut", **QUICK)
    real_hsic = compare.pair_hsic

    def killed_later(layers, tile, estimator):
        if tile == [(2, 4)]:
            raise KeyboardInterrupt
        return real_hsic(layers, tile, estimator)

    monkeypatch.setattr(compare, "pair_hsic", killed_later)
    with pytest.raises(KeyboardInterrupt):
        ts.compare_geometry(*stores, tmp_path / "cut", **QUICK)
    assert len(calls) == 4  # layer 0 was not measured again
    monkeypatch.setattr(compare, "pair_hsic", real_hsic)
    ts.compare_geometry(*stores, tmp_path / "cut", **QUICK)
    assert len(calls) == 4
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")


def test_sums_that_do_not_fit_are_computed_again_to_the_same_result(
    stores, found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(measure, "KEPT_BYTES", 0)
    again = ts.compare_geometry(*stores, tmp_path / "g", **QUICK)
    assert again.layers.equals(found.layers)


def test_some_layers_some_measures_no_matrix(stores, found, tmp_path: Path):
    part = ts.compare_geometry(
        *stores, tmp_path / "g",
        **{**QUICK, "layers": (2, 1), "measures": ("procrustes",), "matrix": "none"},
    )  # fmt: skip
    assert part.layers["layer"].tolist() == [1, 2]
    assert column(part, "procrustes") == column(found, "procrustes")[1:]
    assert part.matrix.empty and part.within.empty
    between = ts.compare_geometry(*stores, tmp_path / "b", **{**QUICK, "matrix": "between"})
    assert between.within.empty
    assert between.matrix["cka"].tolist() == pytest.approx(found.matrix["cka"].tolist())


def test_half_precision_stores_give_nearly_the_same(stores, found, tmp_path: Path):
    halves = []
    for store in stores:
        folder = tmp_path / store.path.name
        half = store_from_arrays(folder, store.corpus, [store[n][:] for n in store.layers])
        for path in folder.glob("layer_*/*.npy"):
            np.save(path, np.load(path).astype(np.float16))
        halves.append(half)
    assert ts.ActivationStore.load(halves[0].path)[0].dtype == np.float16
    near = ts.compare_geometry(*(h.path for h in halves), tmp_path / "g", **QUICK)
    assert near.layers["value"].tolist() == pytest.approx(found.layers["value"].tolist(), abs=5e-3)


def test_models_of_other_width_and_depth_are_compared_as_far_as_they_go(stores, tmp_path: Path):
    base, _ = stores
    rng = np.random.default_rng(1)
    other = [base[0][:] @ rng.normal(size=(WIDTH, 20)), rng.normal(size=(base.n_words, 20))]
    wide = store_from_arrays(tmp_path / "wide", base.corpus, other, "wide")
    result = ts.compare_geometry(base, wide, tmp_path / "g", **QUICK)
    assert sorted(set(result.layers["layer"])) == [0, 1]
    assert len(result.matrix) == 6
    assert column(result, "cka")[0] > 0.3 > abs(column(result, "cka")[1])
    assert column(result, "procrustes")[0] < column(result, "procrustes")[1]


def test_unbiased_and_biased_differ_and_both_have_their_chance(stores, found, tmp_path: Path):
    biased = ts.compare_geometry(*stores, tmp_path / "g", **QUICK, estimator="biased")
    assert column(found, "cka", "chance") == [0, 0, 0]
    assert all(value > 0.01 for value in column(biased, "cka", "chance"))
    assert column(biased, "cka")[2] == pytest.approx(column(biased, "cka", "chance")[2], rel=0.5)


def test_what_cannot_be_compared_is_refused(stores, tmp_path: Path):
    base, tuned = stores
    corpus = some_corpus(seed=1)
    other = store_from_arrays(tmp_path / "other", corpus, pair_of_layers(corpus)[0])
    with pytest.raises(MismatchError, match="different words"):
        ts.compare_geometry(base, other, tmp_path / "g")
    with pytest.raises(InputError, match="layers 0 to 2, not 3"):
        ts.compare_geometry(base, tuned, tmp_path / "g", layers=(3,))
    with pytest.raises(InputError, match="k = 500"):
        ts.compare_geometry(base, tuned, tmp_path / "h", k=500)
    with pytest.raises(InputError, match="sentences"):
        ts.compare_geometry(base, tuned, tmp_path / "i", rows=np.array([0, 1]))
    layers = [store[:] for store in (base[0], base[1], base[2])]
    layers[1][30, 4] = np.inf
    broken = store_from_arrays(tmp_path / "broken", base.corpus, layers)
    with pytest.raises(InputError, match="layer 1: some activations"):
        ts.compare_geometry(broken, tuned, tmp_path / "j", **QUICK)


def test_a_constant_layer_has_no_cka_and_stops_nothing(stores, tmp_path: Path):
    base, tuned = stores
    flat = store_from_arrays(
        tmp_path / "flat", base.corpus, [np.ones((base.n_words, WIDTH)), base[1][:], base[2][:]]
    )
    result = ts.compare_geometry(flat, tuned, tmp_path / "g", **QUICK)
    assert np.isnan(column(result, "cka")[0]) and np.isfinite(column(result, "cka")[1])
    assert np.isnan(result.matrix["cka"]).sum() == 3


def test_words_are_drawn_by_whole_sentences_and_groups_hold_whole_sentences():
    corpus = some_corpus(200)
    options = {"max_words": 300, "groups": 7, "queries": 50}
    drawn = draw_words(corpus, np.arange(corpus.n_words), **options, seed=0)
    sentence = corpus.words["sentence"].to_numpy()
    lengths = np.bincount(sentence)
    kept, counts = np.unique(sentence[drawn.rows], return_counts=True)
    assert 280 < len(drawn.rows) <= 300 and np.array_equal(counts, lengths[kept])
    for s in kept:
        assert len(set(drawn.group_of[sentence[drawn.rows] == s])) == 1
    assert drawn.sizes.sum() == len(drawn.rows) and len(drawn.queries) == 50
    forms = corpus.values("form")[drawn.rows]
    assert len(set(zip(forms, drawn.types, strict=True))) == len(set(forms))
    again = draw_words(corpus, np.arange(corpus.n_words), **options, seed=0)
    assert np.array_equal(again.rows, drawn.rows)
    other = draw_words(corpus, np.arange(corpus.n_words), **options, seed=1)
    assert not np.array_equal(np.sort(other.rows), np.sort(drawn.rows))


def test_the_command_writes_what_the_function_does(stores, found, tmp_path: Path, capsys):
    from tunescope.cli import main

    flags = ["--k", "3", "--queries", "60", "--groups", "6"]
    with pytest.raises(SystemExit) as end:
        main(["geometry", *(str(s.path) for s in stores), str(tmp_path / "g"), *flags])
    assert not end.value.code
    assert ts.LayerGeometry.load(tmp_path / "g").layers.equals(found.layers)
    assert "cka" in capsys.readouterr().out
