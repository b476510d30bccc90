"""Stability of concepts where it is known: sharp clouds, clouds that move, and no clouds at all."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import tunescope as ts
from stores import store_from_arrays
from tunescope.concepts.centroids import centroids
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.dendrogram import number_by_size
from tunescope.concepts.stability.agreement import agreement, on_words, rand_interval, same_words
from tunescope.concepts.stability.samples import divide, nearest_centroid
from tunescope.errors import InputError, MismatchError
from tunescope.steps import Stability

CLOUDS, TYPES = 10, 8
NOISE, BETWEEN, SAME = "base and base", "base and tuned", "base and tuned, same sentences"
MOVED = 3
"""Clouds whose words the tuned model mixes with each other, in layer 1."""


@pytest.fixture(scope="module")
def corpus():
    """240 sentences of ten words, one of each cloud."""
    rng = np.random.default_rng(0)
    rows = [[f"c{c}w{rng.integers(TYPES)}" for c in range(CLOUDS)] for _ in range(240)]
    return ts.Corpus.from_sentences(rows, name="clouds")


def clouds(corpus, places, seed, spread=0.05):
    rng = np.random.default_rng(seed)
    centres = 4 * np.eye(CLOUDS, 12)
    return centres[places] + spread * rng.normal(size=(corpus.n_words, 12))


@pytest.fixture(scope="module")
def stores(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    place = corpus.words["position"].to_numpy()
    mixed = np.random.default_rng(4).integers(MOVED, size=corpus.n_words)
    mixed = np.where(place < MOVED, mixed, place)
    noise = np.random.default_rng(5).normal(size=(corpus.n_words, 12))
    base = [clouds(corpus, place, 0), clouds(corpus, place, 1), noise]
    tuned = [clouds(corpus, place, 2), clouds(corpus, mixed, 3), noise]
    return (
        store_from_arrays(folder / "base", corpus, base),
        store_from_arrays(folder / "tuned", corpus, tuned, model="tuned"),
    )


RULE = dict(min_count=5, max_occurrences=1000, n_clusters=CLOUDS, n_jobs=1)


@pytest.fixture(scope="module")
def concepts(stores, tmp_path_factory):
    return ts.discover_concepts(stores[0], tmp_path_factory.mktemp("concepts") / "base", **RULE)


@pytest.fixture(scope="module", params=["shared", "centroids"])
def stability(request, concepts, stores, tmp_path_factory):
    out = tmp_path_factory.mktemp("stability") / request.param
    return ts.concept_stability(
        concepts, stores[0], out, tuned=stores[1], compare=request.param, permutations=19,
        repeats=2, n_jobs=1,
    )  # fmt: skip


def of(stability, layer, comparison) -> pd.Series:
    return stability.summary.set_index(["layer", "comparison"]).loc[(layer, comparison)]


def test_sharp_clouds_are_found_again_in_other_sentences(stability):
    for layer in (0, 1):
        row = of(stability, layer, NOISE)
        assert row["share"] == row["ari"] == row["ari_low"] == 1.0
        assert row["n_concepts"] == CLOUDS
        assert row["null_share"] < 0.2


def test_without_clouds_base_is_as_unlike_itself_as_it_is_unlike_the_tuned_model(stability):
    """Layer 2 is the same noise in both: alignment calls concepts lost that no tuning touched."""
    noise, between = of(stability, 2, NOISE), of(stability, 2, BETWEEN)
    assert noise["share"] < 0.5
    assert noise["ari"] < 0.6
    assert between["share"] == noise["share"]
    assert of(stability, 2, SAME)["share"] == 1.0


def test_what_is_lost_beyond_noise_is_what_was_planted(stability):
    kept = 1 - MOVED / CLOUDS
    assert of(stability, 0, BETWEEN)["share"] == 1.0
    for comparison in (BETWEEN, SAME):
        assert of(stability, 1, comparison)["share"] == pytest.approx(kept)
    assert of(stability, 1, BETWEEN)["ari"] < 0.9


def test_the_same_seed_gives_the_same_bytes_after_an_interrupt(
    concepts, stores, tmp_path, monkeypatch
):
    from tunescope.concepts.stability import step as stability_step

    def run(name):
        return ts.concept_stability(
            concepts, stores[0], tmp_path / name, permutations=5, repeats=2, n_jobs=1
        )

    whole = run("whole")
    real, calls = stability_step.write_frame, []

    def stop(path, frame):
        calls.append(path.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(path, frame)

    monkeypatch.setattr(stability_step, "write_frame", stop)
    with pytest.raises(KeyboardInterrupt):
        run("again")
    again = run("again")
    assert len(set(calls)) == len(calls) - 1  # the one that was interrupted was written again
    name = "agreement.parquet"
    assert (again.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_another_selection_is_compared_on_common_words(stores, tmp_path):
    base, _ = stores
    few = {**RULE, "max_occurrences": 20}
    one, other = (
        ts.discover_concepts(base, tmp_path / f"seed{seed}", **few, seed=seed) for seed in (0, 1)
    )
    found = ts.concept_stability(
        one, base, tmp_path / "out", others={"selection seed": other}, permutations=9, n_jobs=1
    )
    mine, theirs = same_words(one.words, other.words)
    rows = found.agreement[found.agreement["comparison"] == "selection seed"].set_index("layer")
    assert (rows["n_words"] == len(mine)).all()
    assert 0 < len(mine) < one.words.n_words
    forms = one.words.values("form")[mine], other.words.values("form")[theirs]
    assert (forms[0] == forms[1]).all()
    assert rows.loc[0, "share"] == 1.0
    assert rows.loc[2, "share"] < 1.0


def layer_of(labels, min_types=1):
    return Clustering("model", "base", 0, labels, np.arange(len(labels)), min_types)


def test_equal_and_unrelated_clusterings():
    rng = np.random.default_rng(0)
    one, other = (number_by_size(rng.integers(0, 20, 1000)) for _ in range(2))
    sentences, step = np.arange(1000) // 5, Stability(permutations=19)
    same = agreement(layer_of(one), layer_of(one), sentences, step)
    assert (same["ari"], same["ari_low"], same["ari_high"], same["share"]) == (1, 1, 1, 1)
    assert same["p"] == 0.05
    unlike = agreement(layer_of(one), layer_of(other), sentences, step)
    assert abs(unlike["ari"]) < 0.01
    assert unlike["ari_low"] < 0 < unlike["ari_high"]
    assert unlike["share"] == 0
    assert unlike["p"] == 1


def test_the_interval_of_the_rand_index_holds_what_other_sentences_give():
    """Sentences drawn anew from one process; the jackknife of one draw against their spread."""
    rng = np.random.default_rng(1)

    def draw():
        one = rng.integers(0, 5, 600)
        changed = np.repeat(rng.random(120) < 0.3, 5)  # whole sentences change
        return one, np.where(changed, rng.integers(0, 5, 600), one)

    step, sentences = Stability(groups=12), np.arange(600) // 5
    found = np.array([rand_interval(*draw(), sentences, step) for _ in range(80)])
    truth = found[:, 0].mean()
    held = ((found[:, 1] <= truth) & (truth <= found[:, 2])).mean()
    assert 0.88 <= held < 1


@pytest.mark.parametrize("compare", ["shared", "centroids"])
def test_a_division_is_of_whole_sentences(compare):
    sentences = np.repeat(np.arange(90), 4)
    found = divide(sentences, compare, 0)
    parts = [set(sentences[rows]) for rows in (found.first, found.second, found.common)]
    if compare == "shared":
        assert [len(part) for part in parts] == [60, 60, 30]
        assert parts[0] & parts[1] == parts[2]
    else:
        assert [len(part) for part in parts] == [45, 45, 45]
        assert not parts[0] & parts[1]
        assert parts[1] == parts[2]
    assert parts[0] | parts[1] == set(sentences)
    with pytest.raises(InputError, match="at least three"):
        divide(np.zeros(5, int), compare, 0)


def test_centroids_take_no_copy_of_the_layer(monkeypatch):
    """Sums are in double precision, but of a block at a time."""
    rng = np.random.default_rng(0)
    X = rng.normal(7, 1, size=(20_000, 40)).astype(np.float32)
    labels = rng.integers(0, 30, len(X))
    labels[labels == 11] = 12
    monkeypatch.setattr("tunescope.concepts.centroids.BLOCK_VALUES", 10_000)
    tracemalloc.start()
    found = centroids(X, labels, 31)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = [
        X[labels == c].mean(axis=0, dtype=np.float64) for c in range(31) if c not in (11, 30)
    ]
    np.testing.assert_allclose(found[np.isfinite(found[:, 0])], expected, rtol=1e-12)
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [11, 30]
    assert peak < X.nbytes / 4  # in double precision the layer would be twice as large as it is


def test_nearest_centroid():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(200, 6)) + 100, rng.normal(size=(5000, 6)) + 100
    labels = number_by_size(rng.integers(0, 9, 200))
    centroids = np.array([X[labels == c].mean(axis=0) for c in range(9)])
    np.testing.assert_array_equal(nearest_centroid(X, labels, Y), cdist(Y, centroids).argmin(1))


def test_words_left_out_leave_no_gaps():
    here = on_words(layer_of(np.array([0, 0, 1, 2, 2])), np.array([0, 3, 4]))
    assert here.labels.tolist() == [0, 1, 1]
    assert here.n_types.tolist() == [1, 2]


def test_what_does_not_belong_together_is_refused(concepts, stores, corpus, tmp_path):
    base, tuned = stores
    with pytest.raises(MismatchError, match="not made from"):
        ts.concept_stability(concepts, tuned, tmp_path / "a")
    with pytest.raises(InputError, match="is the name of a comparison"):
        ts.concept_stability(concepts, base, tmp_path / "a", others={NOISE: concepts})
    fewer = ts.discover_concepts(base, tmp_path / "k", **{**RULE, "n_clusters": 5})
    with pytest.raises(MismatchError, match="n_clusters = 10, .* has 5"):
        ts.concept_stability(concepts, base, tmp_path / "a", others={"k": fewer})
    many = ts.discover_concepts(base, tmp_path / "many", **{**RULE, "n_clusters": 2000})
    with pytest.raises(InputError, match="fewer than n_clusters = 2000"):
        ts.concept_stability(many, base, tmp_path / "b", n_jobs=1)
    other = ts.Corpus.from_sentences([["a", "b"]], name="other")
    with pytest.raises(MismatchError, match="not selections of the same"):
        same_words(corpus, other)
