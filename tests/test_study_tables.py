"""A run as small tables: nothing that was computed is missing from them."""

from __future__ import annotations

import numpy as np

from tunescope.study.result import Run


def test_tables_of_a_pair(tiny_run: Run):
    tables = tiny_run.tables()
    table = tables["upos in odd: base -> tuned"]
    assert table["layer"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(table["change"], table["tuned"] - table["base"])
    assert ((table["low"] <= table["change"]) & (table["change"] <= table["high"])).all()
    concepts = tables["concepts in odd: base -> tuned"]
    assert concepts["kept"].between(0, 1).all()
    assert {"upos base", "upos tuned", "polar base", "polar tuned"} <= set(concepts.columns)
    assert len(tables) == 2 * 2 + 2
    assert len(tiny_run.table()) == sum(map(len, tables.values()))


def test_tables_of_neurons(tiny_run: Run):
    for model in ("base", "tuned"):
        table = tiny_run.tables()[f"neurons for upos in odd: {model}"]
        minimal = tiny_run.neurons.sets["odd", "upos", model].frame("minimal")
        assert table["set"].tolist() == ["raw, lca, within 1", "raw, lca, within 5"]
        for shown, name in (("neurons", "n"), ("top", "accuracy"), ("all", "oracle_accuracy"),
                            ("random", "random_accuracy"), ("low", "low")):  # fmt: skip
            np.testing.assert_array_equal(table[shown], minimal[name])


def test_a_model_alone_has_a_table(tiny_run: Run, monkeypatch):
    monkeypatch.setattr(Run, "pairs", [])
    run = Run(tiny_run.path, tiny_run.about)
    table = run.tables()["upos in odd: base"]
    probes = run.probes["odd", "upos", "base"].table()
    np.testing.assert_array_equal(table["accuracy"], probes["accuracy"])
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()
