"""Concepts beside baselines: of the same layer, over units that share no word, p corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from tunescope.report.figures import triggers as figures
from tunescope.report.figures.style import specification
from tunescope.steps import Triggers
from tunescope.triggers.comparing import compare
from tunescope.triggers.measures import group_means
from tunescope.triggers.tables import best, choose
from tunescope.triggers.units import group_rates, joined, words_in

Row = tuple[str, int, int, int, str, float]
COLUMNS = ["method", "layer", "mirrors", "group", "trigger", "flip_rate"]


def tried(rows: Sequence[Row], towards: str = "x", position: str = "before") -> pd.DataFrame:
    where = {"towards": towards, "position": position, "part": "first"}
    return pd.DataFrame(rows, columns=COLUMNS).assign(**where, concept=-1, probability=0.5)


def said(chosen: pd.DataFrame, flips: Mapping[str, int], n: int = 20) -> pd.DataFrame:
    """What is predicted of `n` texts of class "o": each trigger flips the first so many."""
    parts = []
    for row in chosen.to_dict("records"):
        flipped = np.arange(n) < flips[row["trigger"]]
        where = {name: row[name] for name in ("towards", "position", "part", "method", "scope")}
        parts.append(pd.DataFrame({
            **where, "layer": row["layer"], "trigger": row["trigger"], "text": np.arange(n),
            "gold": "o", "predicted": "o", "predicted_with": np.where(flipped, row["towards"], "o"),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


TWO_LAYERS = tried([
    ("concept", 1, -1, 0, "a b", 0.2), ("concept", 1, -1, 0, "c d", 0.3),
    ("concept", 2, -1, 0, "a b", 0.2), ("concept", 2, -1, 1, "e f", 0.9),
    ("random", -1, 1, 0, "p q", 0.1), ("random", -1, 1, 0, "p q", 0.1),
    ("random", -1, 2, 1, "p q", 0.1), ("random", -1, 2, 2, "r s", 0.8),
    ("hotflip", -1, -1, 0, "t u", 1.0),
])  # fmt: skip
FLIPS = {"a b": 4, "c d": 6, "e f": 18, "p q": 2, "r s": 16, "t u": 20}


def test_a_layers_concepts_stand_beside_what_mirrors_them():
    chosen = choose(TWO_LAYERS)
    top = {(row.method, row.scope, row.layer): row for row in chosen.itertuples()}
    assert top["random", "all", -1].trigger == top["random", "layer", 2].trigger == "r s"
    assert top["random", "layer", 1].trigger == "p q"  # though "r s" flips more
    assert top["random", "layer", 1].tried == 1  # one trigger, twice
    assert top["concept", "all", 2].tried == 3
    assert ("hotflip", "layer", -1) not in top
    frame = compare(chosen, said(chosen, FLIPS), TWO_LAYERS, Triggers(resamples=50))
    rows = {(r.scope, r.layer, r.baseline): r for r in frame.itertuples()}
    assert set(rows) == {
        ("all", 2, "random"), ("all", 2, "hotflip"), ("layer", 1, "random"), ("layer", 2, "random"),
    }  # fmt: skip
    low, high = rows["layer", 1, "random"], rows["layer", 2, "random"]
    assert (low.trigger, low.baseline_trigger, low.baseline_tried) == ("c d", "p q", 1)
    assert (low.flip_rate, low.baseline_rate) == (0.3, 0.1)
    assert (low.mean, low.baseline_mean) == (pytest.approx(0.25), pytest.approx(0.1))
    assert (high.baseline_rate, high.baseline_mean) == (0.8, pytest.approx(0.45))
    hotflip = rows["all", 2, "hotflip"]
    assert np.isnan(hotflip.baseline_mean) and np.isnan(hotflip.mean_p)


def test_the_figure_over_layers_shows_the_random_words_of_each_layer():
    chosen = choose(TWO_LAYERS)
    step = Triggers(resamples=50)
    shown = figures.by_layer(best(chosen, said(chosen, FLIPS), step))
    rates = shown.set_index(["method", "layer"])["flip_rate"].to_dict()
    assert rates == {
        ("concept", 1): 0.3, ("concept", 2): 0.9, ("random", 1): 0.1, ("random", 2): 0.8,
    }  # fmt: skip
    drawn = specification(figures.layers(best(chosen, said(chosen, FLIPS), step)))
    names = {(row["measure"], row["layer"], row["flip_rate"])
             for rows in drawn["datasets"].values() for row in rows}  # fmt: skip
    assert ("best of random words", 1, 0.1) in names and len(names) == 4


def one_word(alone: int = 0) -> pd.DataFrame:
    """Triggers of ten concepts that share a word and are strong, and of others that are weak."""
    rows: list[Row] = []
    for number in range(10 + alone):
        shared = number < 10
        word, other = ("gem", "chair") if shared else (f"alone{number}", f"lone{number}")
        rate = 0.9 if shared else 0.1
        rows.append(("concept", number, -1, 0, f"{word} w{number}", rate))
        rows.append(("random", -1, number, number, f"{other} r{number}", 0.1 + number / 1000))
    return tried(rows)


@pytest.mark.parametrize("alone", [3, 6])
def test_one_word_in_ten_concepts_is_no_ten_findings(alone: int):
    frame = one_word(alone)
    chosen = choose(frame)
    flips = dict.fromkeys(frame["trigger"], 3)
    found = compare(chosen, said(chosen, flips), frame, Triggers()).iloc[0]
    ours, theirs = (frame[frame["method"] == name] for name in ("concept", "random"))
    a, b = (of["flip_rate"].to_numpy() for of in (ours, theirs))
    assert group_means(a, b).p < 0.01  # taken each by itself
    assert found["mean_p"] > 0.1
    assert found["units"] == found["baseline_units"] == 1 + alone
    assert found["mean_difference"] == pytest.approx(a.mean() - b.mean())
    assert found["mean_low"] < group_means(a, b).low


def test_nothing_can_be_exchanged_where_a_side_is_one_unit():
    frame = one_word()
    chosen = choose(frame)
    found = compare(chosen, said(chosen, dict.fromkeys(frame["trigger"], 3)), frame, Triggers())
    row = found[(found["scope"] == "all")].iloc[0]
    assert (row["units"], row["baseline_units"]) == (1, 1)
    assert row["mean_difference"] > 0.7
    assert row[["mean_low", "mean_high", "mean_p", "mean_p_holm"]].isna().all()
    apart = np.arange(5)
    assert np.isnan(group_means(np.ones(5), np.zeros(5), apart, apart // 5).p)
    assert group_means(np.ones(5), np.zeros(5), apart, apart).p < 0.05


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_units_differ_only_if_they_do(shift: float):
    """Groups of one unit are alike: by themselves they would be found to differ far too often."""
    ps, naive = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        units = np.repeat(np.arange(10), rng.integers(1, 8, 10))
        a, b = (rng.normal(of, 0.2, 10)[units] for of in (shift, 0))
        ps.append(group_means(a, b, units, units, resamples=200, seed=seed).p)
        naive.append(group_means(a, b, resamples=200, seed=seed).p)
    found, without = (np.mean(np.array(p) < 0.05) for p in (ps, naive))
    assert found < 0.15 if shift == 0 else found > 0.8
    assert without > 0.3


def test_sets_that_share_a_word_are_one_unit_directly_or_through_others():
    assert joined([{"a"}, {"b", "c"}, {"a", "d"}, {"e"}, {"d", "c"}]).tolist() == [0, 0, 0, 1, 0]
    assert words_in(["Good film", "good"]) == {"good", "film"}
    assert joined([]).tolist() == [] and joined([set(), set()]).tolist() == [0, 1]


def test_equal_triggers_count_once_and_equal_searches_too():
    frame = tried([
        ("concept", 1, -1, 0, "a b", 0.2), ("concept", 1, -1, 0, "c d", 0.6),
        ("concept", 2, -1, 0, "a b", 0.2), ("concept", 2, -1, 0, "e f", 0.8),
        ("concept", 3, -1, 0, "c d", 0.6), ("concept", 3, -1, 0, "a b", 0.2),
        ("concept", 4, -1, 0, "g", np.nan),
    ])  # fmt: skip
    each = group_rates(frame, Triggers())
    assert each.rates.tolist() == [0.4, 0.8] and each.units.tolist() == [0, 1]
    greedy = group_rates(frame, Triggers(choice="greedy"))
    assert greedy.rates.tolist() == [0.6, 0.8] and greedy.units.tolist() == [0, 0]


def test_p_is_corrected_over_what_findings_are_about_and_nothing_else():
    rng = np.random.default_rng(0)
    frames, flips = [], {}
    for towards, position in (("x", "before"), ("x", "after"), ("y", "before")):
        rows: list[Row] = []
        for number in range(5):
            for method, layer, mirrors in (("concept", 1, -1), ("random", -1, 1)):
                trigger = f"{towards}{position}{method}{number}"
                rows.append((method, layer, mirrors, number, trigger, rng.random()))
                flips[trigger] = int(rng.integers(8, 20)) if method == "concept" else 5
        frames.append(tried(rows, towards, position))
    rows = [("concept", 1, -1, 0, "none", np.nan), ("random", -1, 1, 0, "other", np.nan)]
    frames.append(tried(rows, "o"))  # all texts are of this class: nothing to test
    frame = pd.concat(frames, ignore_index=True)
    chosen = choose(frame)
    found = compare(chosen, said(chosen, flips | {"none": 0, "other": 0}), frame, Triggers())
    assert found["p_holm"][found["scope"] == "layer"].isna().all()
    main = found[found["scope"] == "all"]
    assert len(main) == 4
    for name in ("p", "mean_p"):
        p, corrected = main[name].to_numpy(), main[f"{name}_holm"].to_numpy()
        assert np.isnan(corrected).tolist() == np.isnan(p).tolist() == [False] * 3 + [True]
        order = np.argsort(p[:3])  # three tests: by hand
        steps = np.maximum.accumulate(p[order] * [3, 2, 1])
        np.testing.assert_allclose(corrected[order], np.minimum(steps, 1))
        assert (corrected[:3] >= p[:3]).all() and (corrected[:3] > p[:3]).any()
