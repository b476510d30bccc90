"""Rates, differences and correlations against independent computations; the winner's curse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tunescope.errors import InputError
from tunescope.triggers.candidates import chunks, greedy
from tunescope.triggers.lexicon import read_lexicon
from tunescope.triggers.measures import (
    group_means,
    paired_mean,
    paired_rates,
    rank_correlation,
    rate,
)
from tunescope.triggers.tables import choose


def test_wilson_by_hand():
    z, n, p = 1.959964, 20, 0.25
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = rate(5, 20)
    assert found.value == 0.25
    assert found.low == pytest.approx(centre - half, abs=1e-6)
    assert found.high == pytest.approx(centre + half, abs=1e-6)
    assert np.isnan(rate(0, 0).value)


def test_a_drop_has_the_interval_of_resampled_texts():
    differences = np.array([1] * 30 + [-1] * 5 + [0] * 65)
    found = paired_mean(differences, resamples=4000)
    rng = np.random.default_rng(7)
    rows = rng.integers(100, size=(4000, 100))
    low, high = np.quantile(differences[rows].mean(1), [0.025, 0.975])
    assert found.value == 0.25
    assert (found.low, found.high) == (
        pytest.approx(low, abs=0.015),
        pytest.approx(high, abs=0.015),
    )


def test_paired_texts_decide_where_single_rates_do_not():
    flips = np.repeat([True, False], [40, 60])
    more = flips.copy()
    more[40:50] = True
    found = paired_rates(more, flips)
    assert found.value == pytest.approx(0.1)
    assert found.p == pytest.approx(2 * 0.5**10)
    assert found.low > 0
    assert paired_rates(flips, flips).p == 1.0


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_groups_differ_only_if_they_do(shift: float):
    ps = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(shift, 0.2, 12), rng.normal(0, 0.2, 12)
        ps.append(group_means(a, b, resamples=200, seed=seed).p)
    share = np.mean(np.array(ps) < 0.05)
    assert share < 0.15 if shift == 0 else share > 0.8


def test_rank_correlation_is_spearmans_and_within_classes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    found = rank_correlation(x, y, resamples=300)
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.low < found.value < found.high
    # a class that is easy to flip to and has large concepts makes a correlation by itself
    strata = np.repeat([0, 1], 30)
    noise = rng.normal(size=60) + 10 * strata, rng.normal(size=60) + 10 * strata
    assert spearmanr(*noise).statistic > 0.6
    assert abs(rank_correlation(*noise, strata, resamples=100).value) < 0.4


def test_copies_of_a_concept_make_no_correlation_more_certain():
    rng = np.random.default_rng(3)
    x = rng.normal(size=8)
    y = x + rng.normal(size=8)
    few = rank_correlation(x, y, resamples=500)
    copies = [np.repeat(of, 10) for of in (x, y)]
    units = np.repeat(np.arange(8), 10)
    by_unit = rank_correlation(*copies, units=units, resamples=500)
    assert by_unit.value == pytest.approx(few.value)
    assert by_unit.low == pytest.approx(few.low, abs=0.05)
    assert rank_correlation(*copies, resamples=500).low > few.low + 0.2
    # of two strata that count units alike, each has its own
    both = rank_correlation(*copies, np.arange(80) // 40, units % 4, resamples=500)
    assert both.low < both.value < both.high
    three = rank_correlation(*copies, units=units % 3, resamples=500)
    assert np.isnan(three).all()
    assert np.isnan(rank_correlation(np.ones(10), np.arange(10.0)).value)


def test_the_best_of_many_on_one_half_is_no_better_on_the_other():
    """Triggers that all flip a fifth: the chosen one looks better than it is, unless reported on
    texts that had no say in the choice."""
    looks, held = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        halves = rng.random((2, 50, 30)) < 0.2  # 50 triggers, 30 texts in each half
        frame = pd.DataFrame({
            "towards": "x", "position": "before", "part": "first", "method": "random", "layer": -1,
            "concept": -1, "mirrors": -1, "trigger": [str(n) for n in range(50)],
            "flip_rate": halves[0].mean(1), "probability": 0.5,
        })  # fmt: skip
        chosen = choose(frame).iloc[0]
        looks.append(chosen["choosing_rate"])
        held.append(halves[1, int(chosen["trigger"])].mean())
    assert np.mean(looks) > 0.3
    assert np.mean(held) == pytest.approx(0.2, abs=0.04)


def test_ties_are_broken_by_probability_then_by_order():
    frame = pd.DataFrame({
        "towards": "x", "position": "before", "part": "first", "method": "concept",
        "layer": [1, 1, 2, 2], "concept": [4, 5, 6, 7], "mirrors": -1, "trigger": list("abcd"),
        "flip_rate": [0.5, 0.5, 0.5, 0.1], "probability": [0.1, 0.3, 0.3, 0.9],
    })  # fmt: skip
    found = choose(frame)
    assert found["trigger"].tolist() == ["b", "b", "c"]  # of all, of layer 1, of layer 2
    assert found["scope"].tolist() == ["all", "layer", "layer"]
    assert found["tried"].tolist() == [4, 2, 2]


def test_words_of_a_concept_are_used_in_turn_and_all_where_there_are_few():
    assert chunks(list("abcdefgh"), 3, 3) == ["a b c", "d e f"]
    assert chunks(list("ab"), 3, 3) == ["a b"]


def test_greedy_keeps_the_best_word_at_each_place():
    worth = {"a": 1.0, "b": 3.0, "c": 2.0}
    tried = list(greedy("abc", 2, lambda t: (sum(worth[w] for w in t.split()), 0.0)))
    assert [trigger for trigger, _ in tried] == ["a", "b", "c", "b a", "b c"]
    assert max(tried, key=lambda pair: pair[1])[0] == "b c"


def test_lexicon_with_scores(tmp_path: Path):
    path = tmp_path / "scores.tsv"
    path.write_text("good\t1.9\t0.9\t[2, 1]\ngreat\t3.1\nbad\t-2.5\nso\t0\n")
    assert read_lexicon(path, ("neg", "pos")) == {"pos": ["great", "good"], "neg": ["bad"]}
    assert read_lexicon(path, ("neg", "pos"), "neg")["neg"] == ["great", "good"]
    with pytest.raises(InputError, match="give a lexicon with the class"):
        read_lexicon(path, ("a", "b", "c"))


def test_lexicon_with_classes_that_are_numbers(tmp_path: Path):
    path = tmp_path / "classes.tsv"
    path.write_text("bad\t0\ngood\t1\ngreat\t1\n")
    assert read_lexicon(path, ("0", "1")) == {"0": ["bad"], "1": ["good", "great"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good 1.9\n", "line 1: need word<TAB>"),
        ("\n", "no words"),
        ("a\tx\nb\ty\n", "line 2: no class 'y'"),
    ],
)
def test_a_malformed_lexicon_names_the_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "lexicon.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_lexicon(path, ("x", "z"))
