"""Planted forgetting is found at its layers, over tuning runs too; intervals keep their word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import permutation_test

import tunescope as ts
from stores import store_from_arrays
from test_probes_layerwise import corpus
from tunescope.errors import InputError
from tunescope.probes.compare import compare_probes
from tunescope.probes.comparison import ProbeComparison
from tunescope.probes.statistics import holm, mean_interval, seeds_interval

QUICK: dict[str, Any] = {"l1": 0.5, "l2": 0.5, "resamples": 400, "control_seeds": 0}
BASE = (2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)
FORGOT = (2.0, 4.0, 4.0, 4.0, 1.5, 0.8, 0.3)


@pytest.fixture(scope="module")
def probes(tmp_path_factory) -> dict[str, ts.LayerProbes]:
    """Base; three runs that forget from layer 4 on, with noise of their own."""
    folder, words = tmp_path_factory.mktemp("forget"), corpus(220)
    tags = np.unique(words.values("tag").astype(str), return_inverse=True)[1]
    found = {}
    for name, signal, seed in (("base", BASE, 0), ("sst", FORGOT, 1), ("sst.seed1", FORGOT, 2),
                               ("sst.seed2", FORGOT, 3)):  # fmt: skip
        noise = [np.random.default_rng(7).normal(size=(words.n_words, 8)) for _ in signal]
        own = np.random.default_rng(seed)
        layers = [
            x + s * np.eye(3, 8)[tags] + 0.1 * own.normal(size=x.shape)
            for x, s in zip(noise, signal, strict=True)
        ]
        store = store_from_arrays(folder / name / "store", words, layers, name)
        found[name] = ts.probe(store, "tag", folder / name / "probes", **QUICK)
    return found


@pytest.fixture(scope="module")
def over_runs(probes) -> ProbeComparison:
    return compare_probes(probes["base"], [probes[n] for n in ("sst", "sst.seed1", "sst.seed2")])


def test_the_layer_is_found_from_which_on_knowledge_is_lost(probes, over_runs):
    one = compare_probes(probes["base"], probes["sst"])
    assert one.onset() == 4 and over_runs.onset() == 4
    assert over_runs.onset(smallest=0.9) is None
    back = compare_probes(probes["sst"], probes["base"])
    assert back.onset() is None, "a gain is no loss"
    assert "worse from layer 4 on" in over_runs.headline()


def test_forgetting_is_the_mean_over_the_top_third_with_an_interval(probes, over_runs, tmp_path):
    found = over_runs.forgetting()
    table = over_runs.table()
    assert (found["from_layer"], found["to_layer"], found["onset"]) == (5, 6, 4)
    assert found["kept_depth"] == pytest.approx(4 / 7)
    top = table[table["layer"] >= 5]
    assert found["difference"] == pytest.approx(top["difference"].mean())
    assert found["low"] < found["difference"] < found["high"] < 0
    majority = np.mean([fact["majority"] for fact in probes["base"].facts[5:]])
    known = found["base_accuracy"] - majority
    assert found["retained"] == pytest.approx((found["tuned_accuracy"] - majority) / known)
    assert (found["tuned"], found["n_seeds"]) == ("sst", 3)
    over_runs.save(tmp_path / "out")
    assert ProbeComparison.load(tmp_path / "out").forgetting() == found
    with pytest.raises(InputError, match="compare again"):
        ProbeComparison(over_runs.layers).forgetting()


def test_differences_are_means_over_runs(probes, over_runs):
    table, runs = over_runs.table(), [probes[n] for n in ("sst", "sst.seed1", "sst.seed2")]
    accuracies = np.array([run.table()["accuracy"] for run in runs])
    base = probes["base"].table()["accuracy"].to_numpy()
    np.testing.assert_allclose(table["tuned_accuracy"], accuracies.mean(0))
    np.testing.assert_allclose(table["difference"], (accuracies - base).mean(0), atol=1e-12)
    np.testing.assert_allclose(table["seed_sd"], accuracies.std(0, ddof=1), atol=1e-12)
    assert compare_probes(probes["base"], runs[0]).table()["seed_sd"].isna().all()


def test_the_paired_test_is_scipys_on_sentences(probes, over_runs):
    runs = [probes[n] for n in ("sst", "sst.seed1", "sst.seed2")]
    expected = []
    for layer in probes["base"].layers:
        words = probes["base"].words(layer).to_pandas()
        after = np.mean([run.words(layer)["correct"].to_numpy() for run in runs], axis=0)
        change = after - words["correct"].to_numpy()
        sums = [change[words["sentence"] == s].sum() for s in words["sentence"].unique()]
        expected.append(
            permutation_test(
                (sums,), np.sum, permutation_type="samples", n_resamples=4000,
                rng=np.random.default_rng(layer),
            ).pvalue
        )  # fmt: skip
    table = over_runs.table()
    np.testing.assert_allclose(table["p"], expected, atol=0.06)
    assert (np.array(expected)[4:] < 0.003).all() and (table["p"][4:] < 0.01).all()
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))


def simulated(rng: np.random.Generator, runs: int, truth: float) -> tuple[np.ndarray, np.ndarray]:
    """Differences of runs that differ by themselves, on words that come in sentences."""
    sentences = np.repeat(np.arange(80), 6)
    of_run = rng.normal(0, 0.03, (runs, 1))
    of_sentence = rng.normal(0, 0.15, 80)[sentences]
    return truth + of_run + of_sentence + rng.normal(0, 0.3, (runs, 480)), sentences


@pytest.mark.parametrize("runs", [2, 3, 5])
def test_an_interval_covers_other_runs_as_well_as_other_sentences(runs):
    rng, covered, sentences_alone = np.random.default_rng(runs), 0, 0
    for seed in range(250):
        values, sentences = simulated(rng, runs, -0.1)
        low, high = seeds_interval(values, sentences, resamples=300, seed=seed)
        covered += low <= -0.1 <= high
        low, high = mean_interval(values.mean(0), sentences, resamples=300, seed=seed)
        sentences_alone += low <= -0.1 <= high
    assert covered / 250 >= 0.92
    assert sentences_alone / 250 < 0.9, "the data would not tell the two apart"


def test_with_one_run_the_interval_is_that_of_sentences():
    values, sentences = simulated(np.random.default_rng(0), 1, 0.0)
    options: dict[str, Any] = {"resamples": 200, "seed": 4, "confidence": 0.9}
    assert seeds_interval(values, sentences, **options) == mean_interval(
        values[0], sentences, **options
    )


def hand_made(differences: list[float], p: list[float], high: list[float]) -> ProbeComparison:
    rows = [
        {"layer": layer, "difference": d, "high": h, "p_holm": q, "corpus": "c", "label": "l",
         "base": "b", "tuned": "t", "n_seeds": 1}
        for layer, (d, h, q) in enumerate(zip(differences, high, p, strict=True))
    ]  # fmt: skip
    return ProbeComparison(pa.Table.from_pylist(rows))


@pytest.mark.parametrize(
    ("differences", "p", "high", "onset"),
    [
        ([0, -0.2, -0.2], [1, 0.01, 0.01], [0.1, -0.1, -0.1], 1),
        ([-0.2, 0, -0.2], [0.01, 1, 0.01], [-0.1, 0.1, -0.1], 2),  # a gap: only what lies above
        ([-0.2, -0.2, -0.2], [0.01] * 3, [-0.1] * 3, 0),
        ([-0.2, -0.2, 0], [0.01, 0.01, 1], [-0.1, -0.1, 0.1], None),  # the last layer has it back
        ([0, -0.2, -0.2], [1, 0.01, 0.06], [0.1, -0.1, -0.1], None),  # not significant
        ([0, -0.2, -0.2], [1, 0.01, 0.01], [0.1, 0.01, -0.1], 2),  # other runs may not have it
        ([0, -0.004, -0.2], [1, 0.01, 0.01], [0.1, -0.001, -0.1], 2),  # too small
        ([0, 0.2, 0.2], [1, 0.01, 0.01], [0.1, 0.3, 0.3], None),  # a gain
    ],
)
def test_onset_by_its_definition(differences, p, high, onset):
    assert hand_made(differences, p, high).onset() == onset


def test_runs_are_given_once(probes):
    with pytest.raises(InputError, match="each once"):
        compare_probes(probes["base"], [probes["sst"], probes["sst"]])
    with pytest.raises(InputError, match="none: give one or more"):
        compare_probes(probes["base"], [])
