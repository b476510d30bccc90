"""What two models' concepts must share, and what must not be mixed up or go stale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.concepts.alignment.polarity import SentenceClasses, polarity_rows
from tunescope.concepts.alignment.resampling import sentence_weights
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.siblings import sibling_frame
from tunescope.concepts.trajectory.layer import Classes, LayerPath, count_frame, fate_frame
from tunescope.errors import InputError, MismatchError
from tunescope.steps import Align, Trace

N = 40
SENTENCES = [[f"w{(3 * i + j) % 17}" for j in range(6)] for i in range(N)]
TAGS = [["V" if int(word[1:]) % 2 else "N" for word in words] for words in SENTENCES]
OPTIONS = {"min_count": 2, "n_clusters": 6, "min_types": 2, "n_jobs": 1}


def corpus(**labels: list[list[str]]) -> ts.Corpus:
    return ts.Corpus.from_sentences(
        SENTENCES, labels, classes=["good", "bad"] * (N // 2), name="odd"
    )


def concepts(folder: Path, words: ts.Corpus, seed: int = 0, **options) -> ts.LayerConcepts:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(17, 5))
    places = [int(form[1:]) for form in words.values("form")]
    arrays = [centres[places] + 0.3 * rng.normal(size=(len(places), 5)) for _ in range(2)]
    store = store_from_arrays(folder / f"store{seed}", words, arrays)
    return ts.discover_concepts(store, folder / f"c{seed}", **(OPTIONS | options))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[ts.LayerConcepts, ts.LayerConcepts]:
    folder = tmp_path_factory.mktemp("pair")
    return concepts(folder, corpus(), 0), concepts(folder, corpus(), 1)


def test_labels_that_came_later_are_those_of_the_result(tmp_path: Path) -> None:
    """Labels are not in the hash of the words: a finished result takes new ones over."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(N * 6, 4)) for _ in range(2)]
    store = store_from_arrays(tmp_path / "store", corpus(), arrays)
    before = ts.discover_concepts(store, tmp_path / "out", words=corpus(), **OPTIONS)
    stamp = (tmp_path / "out" / "layer_00" / "linkage.npy").stat().st_mtime_ns
    assert before.words.labels == ()
    after = ts.discover_concepts(store, tmp_path / "out", words=corpus(upos=TAGS), **OPTIONS)
    assert after.words.labels == ts.LayerConcepts.load(tmp_path / "out").words.labels == ("upos",)
    assert (tmp_path / "out" / "layer_00" / "linkage.npy").stat().st_mtime_ns == stamp


def test_a_label_column_cannot_pass_for_the_classes(pair, tmp_path: Path) -> None:
    words = ts.select_words(corpus(predicted=TAGS), min_count=2)
    with pytest.raises(InputError, match="'predicted', from column .*: the name stands"):
        ts.align(*pair, tmp_path / "a", words=words, permutations=5)
    other = ts.select_words(corpus(predicted=TAGS, upos=TAGS), min_count=2)
    found = ts.align(*pair, tmp_path / "b", words=other, labels=("upos",), permutations=5)
    assert "predicted_label" not in found.concepts and len(found.polarity)


def test_clusterings_of_other_parameters_are_refused(tmp_path: Path) -> None:
    few = concepts(tmp_path, corpus(), 0, method="leaders", n_leaders=10)
    many = concepts(tmp_path, corpus(), 1, method="leaders", n_leaders=15)
    with pytest.raises(MismatchError, match=r"n_leaders = 10, .* has 15"):
        ts.align(few, many, tmp_path / "align")
    with pytest.raises(MismatchError, match=r"n_leaders = 10, .* has 15"):
        ts.trace_concepts([few, many], tmp_path / "trace", fractions=[0, 1])


def test_siblings_of_one_of_two_models(pair, tmp_path: Path) -> None:
    found = ts.align(*pair, tmp_path / "align", permutations=5)
    with pytest.raises(InputError, match="role"):
        sibling_frame(pair[1], 1, found.concepts)
    frame = sibling_frame(pair[1], 1, found.concepts, role="tuned")
    assert len(frame) == 6 and "same_class" in frame


def test_thresholds_of_nothing_are_refused() -> None:
    for wrong in ({"theta": 0.0}, {"floor": 0.0}, {"thetas": (0.0, 0.5)}, {"theta_labels": 0.0}):
        with pytest.raises(InputError, match=r"must be at least 0\.01"):
            Align(**wrong)
    with pytest.raises(InputError, match=r"must be at least 0\.01"):
        Trace(theta=0.0)


def test_another_name_of_the_corpus_is_in_the_frames(pair, tmp_path: Path) -> None:
    for name in ("one", "two"):
        words = ts.Corpus(pair[0].words.sentences, pair[0].words.words, name)
        found = ts.align(*pair, tmp_path / "align", words=words, permutations=5)
        assert set(found.retention["corpus"]) == {name}


def test_the_null_of_checkpoints_is_that_of_alignments() -> None:
    """Sentences without a word that was clustered lend their classes to nobody."""
    rows = np.repeat(np.arange(50), 8).astype(np.int32)
    codes = np.r_[np.zeros(50, np.int64), np.arange(500) % 2]  # all sentences with words: class 0
    labels = np.random.default_rng(0).integers(0, 10, len(rows))
    here = Clustering("m", "base", 0, labels, np.arange(len(rows)), 6)
    step = Align(permutations=99, resamples=50)
    kind = SentenceClasses("gold", ("n", "p"), codes, rows)
    weights = sentence_weights(rows, 50, 0)[:, rows]
    wanted = polarity_rows(here, kind, kind.orders(step), weights, step)[0]
    classes, trace = Classes(("n", "p"), codes), Trace(permutations=99, resamples=50)
    path = LayerPath((here, here), rows, classes, None, trace)
    counts = count_frame(path, fate_frame(path))
    found = counts[(counts["measure"] == "polarised") & (counts["point"] == 0)].iloc[0]
    assert (found["count"], found["null_mean"], found["p"]) == (10, 10, 1.0)
    for ours, theirs in (("count", "polarised"), ("null_mean", "null_mean"), ("p", "p")):
        assert found[ours] == wanted[theirs]
    assert found["low"] * 10 == pytest.approx(wanted["polarised_low"])
    assert found["high"] * 10 == pytest.approx(wanted["polarised_high"])
