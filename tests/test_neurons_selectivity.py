"""Selectivity tells neurons that know words by heart from neurons that know the label."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.activations.matrix import WordMatrix
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.selectivity import Bootstrap, Outcome, selectivity_table
from tunescope.neurons.words import LabelledWords, Part
from tunescope.probes.control import control_task
from tunescope.probes.statistics import mean_interval

TYPES, K = 30, 3


def words(n_controls: int = 3) -> LabelledWords:
    """Layer 0 has a direction for every word type; layer 1 one for every label."""
    rng = np.random.default_rng(0)
    sizes = {"train": 900, "dev": 100, "test": 500}
    types = rng.integers(TYPES, size=sum(sizes.values()))
    labels, forms = types % K, np.array([f"w{t}" for t in types], object)
    train = np.arange(len(types)) < sizes["train"]
    controls = [control_task(forms, labels, train, seed) for seed in range(n_controls)]
    by_heart = 3 * np.eye(TYPES)[types] + 0.1 * rng.normal(size=(len(types), TYPES))
    general = 3 * np.eye(K)[labels] + 0.1 * rng.normal(size=(len(types), K))
    x = WordMatrix([by_heart.astype(np.float32), general.astype(np.float32)], np.arange(len(types)))
    whole = Part(x, labels, np.array(controls).reshape(n_controls, len(types)), forms,
                 np.arange(len(types)) // 10)  # fmt: skip
    ends = np.cumsum([0, *sizes.values()])
    parts = {
        name: whole.take(slice(start, stop))
        for name, start, stop in zip(sizes, ends[:-1], ends[1:], strict=True)
    }
    return LabelledWords("made", "tag", "model", ("a", "b", "c"), **parts)


SETS = {"by heart": np.arange(TYPES), "general": TYPES + np.arange(K)}


def test_general_neurons_are_selective_and_memorising_ones_are_not():
    table = selectivity_table(words(), SETS, LinearClassifier(1e-4, 1e-4)).set_index("set")
    assert table["n"].to_dict() == {"by heart": TYPES, "general": K}
    assert (table["controls"] == 3).all()
    assert (table["accuracy"] > 0.98).all()
    assert table.loc["by heart", "control_accuracy"] > 0.98
    assert abs(table.loc["by heart", "selectivity"]) < 0.02
    assert table.loc["general", "selectivity_low"] > 0.2
    np.testing.assert_allclose(
        table["selectivity"], table["accuracy"] - table["control_accuracy"], atol=1e-12
    )


def test_without_control_tasks_there_is_no_selectivity():
    table = selectivity_table(words(0), SETS, LinearClassifier(1e-4, 1e-4))
    columns = ["control_accuracy", "selectivity", "selectivity_low", "selectivity_high"]
    assert table[columns].isna().all(axis=None)
    assert (table["accuracy"] > 0.98).all()


def outcome(test: np.ndarray, controls: np.ndarray) -> Outcome:
    return Outcome(np.zeros(0, bool), test, controls)


def test_task_and_controls_are_resampled_together():
    rng = np.random.default_rng(1)
    right, sentences = rng.random(400) < 0.7, np.arange(400) // 10
    # Controls that are right wherever the task is: the difference is zero in every resample.
    same = outcome(right, np.stack([right, right]))
    assert Bootstrap().selectivity(same, sentences) == (0, 0, 0)
    other = outcome(right, rng.random((3, 400)) < 0.4)
    value, low, high = Bootstrap(resamples=500, seed=4).selectivity(other, sentences)
    advantage = right - other.controls.mean(axis=0)
    assert value == pytest.approx(other.accuracy - other.control_accuracy)
    assert (low, high) == mean_interval(advantage, sentences, resamples=500, seed=4)


def test_intervals_over_draws_hold_both_words_and_draws():
    rng = np.random.default_rng(2)
    sentences = np.arange(1000) // 10
    none = np.zeros((0, 1000), bool)
    draws = [outcome(rng.random(1000) < p, none) for p in (0.5, 0.6, 0.7)]
    bootstrap = Bootstrap()
    mean, low, high = bootstrap.over_seeds(draws, sentences)
    assert mean == pytest.approx(np.mean([draw.accuracy for draw in draws]))
    spread = 4.3027 * np.std([draw.accuracy for draw in draws], ddof=1) / 3**0.5
    assert mean - low > spread
    assert mean - low < spread + 0.05
    # Draws that agree leave the interval over sentences; so does a single one.
    once = bootstrap.accuracy(draws[0], sentences)
    assert bootstrap.over_seeds([draws[0]] * 3, sentences) == pytest.approx(once)
    assert bootstrap.over_seeds(draws[:1], sentences) == pytest.approx(once)
    wide = bootstrap.over_seeds([outcome(np.full(1000, p), none) for p in (True, False)], sentences)
    assert wide == (0.5, 0, 1), "accuracies lie in [0, 1]"
