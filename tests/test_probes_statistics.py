"""Splits, control tasks, intervals and tests do what their names promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.probes.control import control_task
from tunescope.probes.splits import split_by_sentence
from tunescope.probes.statistics import holm, mean_interval, sign_flip_test


def clustered(rng: np.random.Generator, n_sentences: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Right and wrong answers that come in bad and good sentences; true accuracy .8."""
    sentences = np.repeat(np.arange(n_sentences), rng.integers(1, 30, n_sentences))
    ability = rng.beta(2, 0.5, n_sentences)[sentences]
    return (rng.random(len(sentences)) < ability).astype(float), sentences


def test_interval_covers_the_truth_where_words_are_not_independent():
    rng = np.random.default_rng(0)
    covered = naive = 0
    for seed in range(300):
        values, sentences = clustered(rng)
        low, high = mean_interval(values, sentences, resamples=300, seed=seed)
        covered += low <= 0.8 <= high
        error = 1.96 * np.sqrt(values.mean() * (1 - values.mean()) / len(values))
        naive += abs(values.mean() - 0.8) <= error
    assert 0.91 <= covered / 300 <= 0.98
    assert naive / 300 < 0.8, "the data would not tell the two apart"


def test_interval_agrees_with_scipy():
    values, sentences = clustered(np.random.default_rng(1))
    ours = mean_interval(values, sentences, resamples=4000, confidence=0.9, seed=0)
    sums, sizes = np.bincount(sentences, values), np.bincount(sentences)
    theirs = bootstrap(
        (sums, sizes),
        lambda s, m, axis: s.sum(axis) / m.sum(axis),
        paired=True, n_resamples=4000, confidence_level=0.9, method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval  # fmt: skip
    np.testing.assert_allclose(ours, theirs, atol=0.004)


def test_interval_is_reproducible_and_memory_does_not_change_it(monkeypatch):
    values, sentences = clustered(np.random.default_rng(2))
    once = mean_interval(values, sentences, seed=3)
    assert once == mean_interval(values, sentences, seed=3)
    assert once != mean_interval(values, sentences, seed=4)
    monkeypatch.setattr("tunescope.probes.statistics._CHUNK", 500)
    assert once == mean_interval(values, sentences, seed=3)


def test_p_is_uniform_when_nothing_differs_and_small_when_something_does():
    rng = np.random.default_rng(3)
    null, effect = [], []
    for seed in range(300):
        one, sentences = clustered(rng)
        flips = rng.integers(2, size=sentences.max() + 1)[sentences]
        other = np.where(rng.random(len(one)) < 0.8, one, 1 - one)
        difference = np.where(flips, one - other, other - one)
        null.append(sign_flip_test(difference, sentences, resamples=199, seed=seed))
        effect.append(sign_flip_test(one - (other - 0.2), sentences, resamples=199, seed=seed))
    assert 0.02 <= np.mean(np.array(null) <= 0.05) <= 0.09
    assert 0.4 <= np.mean(null) <= 0.6
    assert np.median(effect) == 1 / 200


def test_p_agrees_with_scipy():
    rng = np.random.default_rng(4)
    difference = rng.integers(-1, 2, size=200).astype(float) + 0.05
    sentences = np.repeat(np.arange(40), 5)
    sums = np.bincount(sentences, difference)
    theirs = permutation_test(
        (sums,), lambda s, axis: s.sum(axis), permutation_type="samples",
        vectorized=True, n_resamples=20000, rng=np.random.default_rng(0),
    )  # fmt: skip
    ours = sign_flip_test(difference, sentences, resamples=20000, seed=1)
    assert ours == pytest.approx(theirs.pvalue, abs=0.015)


def test_p_of_no_difference_is_one():
    assert sign_flip_test(np.zeros(10), np.arange(10) // 2) == 1


def test_holm_steps_down():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1, 1])


def test_control_labels_belong_to_types_and_follow_the_training_words():
    rng = np.random.default_rng(5)
    forms = np.array([f"type{n}" for n in range(3000)] * 2, dtype=object)
    labels = rng.choice(np.array(["A", "B", "C"], object), size=6000, p=[0.7, 0.2, 0.1])
    train = np.arange(6000) < 3000
    labels[~train] = "Z"
    control = control_task(forms, labels, train, seed=0)
    assert (control[:3000] == control[3000:]).all()
    shares = [(control == name).mean() for name in "ABCZ"]
    np.testing.assert_allclose(shares, [0.7, 0.2, 0.1, 0], atol=0.03)
    assert (control == control_task(forms, labels, train, seed=0)).all()
    assert (control != control_task(forms, labels, train, seed=1)).any()


def made(splits: list[str | None] | None = None, n: int = 20) -> Corpus:
    labels = {"tag": [["A", "B", None]] * n}
    return Corpus.from_sentences([["a", "b", "c"]] * n, labels, splits=splits)


def test_split_keeps_sentences_whole_and_leaves_out_words_without_a_label():
    corpus = made()
    split = split_by_sentence(corpus, "tag", np.arange(60), dev_share=0.1, test_share=0.25, seed=0)
    sentence = corpus.words["sentence"].to_numpy()
    parts = [set(sentence[rows]) for rows in (split.train, split.dev, split.test)]
    assert [len(part) for part in parts] == [13, 2, 5]
    assert set.union(*parts) == set(range(20))
    used = np.sort(np.concatenate([split.train, split.dev, split.test]))
    assert used.tolist() == [n for n in range(60) if n % 3 < 2]
    again = split_by_sentence(corpus, "tag", np.arange(60), dev_share=0.1, test_share=0.25, seed=0)
    assert (split.test == again.test).all()


def test_split_of_the_corpus_comes_first_if_it_is_complete():
    splits = ["train"] * 10 + ["test"] * 8 + ["dev"] * 2
    split = split_by_sentence(made(splits), "tag", np.arange(60))
    assert split.test.tolist() == [n for n in range(30, 54) if n % 3 < 2]
    holes = split_by_sentence(made([*splits[:-1], None]), "tag", np.arange(60), test_share=0.5)
    assert len(holes.test) == 20
    # The sentence without a split does not matter where none of its words is used.
    usable = split_by_sentence(made([*splits[:-1], None]), "tag", np.arange(57))
    assert usable.test.tolist() == split.test.tolist()


def test_empty_parts_are_errors():
    with pytest.raises(InputError, match="the test split has no word"):
        split_by_sentence(made(["train"] * 20), "tag", np.arange(60))
    with pytest.raises(InputError, match="the train split has no word"):
        split_by_sentence(made(n=1), "tag", np.arange(3))
    with pytest.raises(InputError, match="no usable word has a label"):
        split_by_sentence(made(), "tag", np.arange(2, 60, 3))
