"""The concept mapper: right where concepts are plain, honest where they are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from stores import store_from_arrays
from test_imports import loaded_by
from tunescope.concepts.discover import discover_concepts
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.explanations.mapper import ConceptMapper
from tunescope.explanations.mapper_scores import score_mapper
from tunescope.explanations.mapping import map_concepts
from tunescope.steps import MapConcepts

K = 5


def planted(folder: Path, seed: int = 0):
    """Two layers: five separate groups of words, and noise without any."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 20, size=(150, 6))
    corpus = Corpus.from_sentences([[f"w{i}" for i in row] for row in drawn], name="planted")
    group = drawn.ravel() % K
    centres = 6 * rng.normal(size=(K, 12))
    layers = [centres[group] + rng.normal(size=(len(group), 12)), rng.normal(size=(len(group), 12))]
    store = store_from_arrays(folder / "store", corpus, layers)
    concepts = discover_concepts(
        store, folder / "concepts", n_clusters=K, min_count=1, max_occurrences=1000, n_jobs=1
    )
    return store, concepts


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("mapper")
    store, concepts = planted(folder)
    return store, concepts, map_concepts(store, concepts, folder / "mapper", resamples=100)


def value(mapper: ConceptMapper, layer: int, method: str, measure: str, words: str = "all"):
    rows = mapper.scores.query(
        "layer == @layer and method == @method and measure == @measure and words == @words"
    )
    assert len(rows) == 1
    return rows.iloc[0]


def test_separate_groups_are_mapped_and_their_interval_holds_the_value(made):
    mapper = made[2]
    top = value(mapper, 0, "mapper", "top1")
    assert top["value"] >= 0.99
    assert top["low"] <= top["value"] <= top["high"]
    assert value(mapper, 0, "mapper", "accepted")["value"] >= 0.95
    assert value(mapper, 0, "majority", "top1")["value"] < 0.4
    assert value(mapper, 0, "nearest_centroid", "top1")["value"] >= 0.99
    assert top["n"] == mapper.manifest.facts["n_test"] == 15 * 6


def test_the_concept_is_the_most_probable_one(made):
    store, concepts, mapper = made
    rows = concepts.words.rows_in(store.corpus)
    vectors = store[0][rows]
    p = mapper.predict_proba(0, vectors)
    assert p.sum(1) == pytest.approx(1)
    best, found = mapper.map(0, vectors)
    assert (best == p.argmax(1)).all()
    assert found == pytest.approx(p.max(1))
    assert (best == concepts.labels(0)).mean() > 0.99


def test_words_held_out_are_whole_sentences_and_the_mapper_never_saw_them(made, tmp_path: Path):
    """Held-out vectors may be anything: the mapper stays what it was."""
    from tunescope.explanations.mapping import _held_out

    store, concepts, mapper = made
    sentences = concepts.words.words["sentence"].to_numpy()
    held_out = _held_out(sentences, MapConcepts())
    assert not set(sentences[held_out]) & set(sentences[~held_out])
    counts = np.bincount(concepts.labels(0)[~held_out], minlength=K)
    assert counts.sum() == mapper.manifest.facts["n_train"]


def test_ranks_by_hand():
    p = np.array([[0.5, 0.3, 0.2], [0.98, 0.01, 0.01], [0.2, 0.4, 0.4], [0.98, 0.01, 0.01]])
    concepts = np.array([1, 0, 2, 1])
    new = np.array([False, False, True, False])
    frame = score_mapper(
        p, 1 - p, np.array([5, 9, 1]), concepts, np.arange(4), new, MapConcepts(resamples=10)
    ).set_index(["words", "method", "measure"])
    assert frame.loc[("all", "mapper", "top1"), "value"] == 0.25
    assert frame.loc[("all", "mapper", "top2"), "value"] == 1.0  # of equal ones, the first is 1
    assert frame.loc[("all", "majority", "top1"), "value"] == 0.5
    assert frame.loc[("all", "mapper", "accepted"), "value"] == 0.5
    assert frame.loc[("all", "mapper", "top1_accepted"), "value"] == 0.5
    assert frame.loc[("all", "mapper", "top1_accepted"), "n"] == 2
    assert frame.loc[("new", "mapper", "top1"), "n"] == 1
    assert frame.loc[("new", "mapper", "top1_accepted"), "n"] == 0
    assert np.isnan(frame.loc[("new", "mapper", "top1_accepted"), "value"])


def test_an_interrupted_fit_goes_on_and_ends_the_same(made, tmp_path: Path, monkeypatch):
    from tunescope.explanations import mapping

    store, concepts, mapper = made
    layers = []
    original = mapping._map_layer

    def killed(store, concepts, layer, *rest):
        layers.append(layer)
        if len(layers) == 2:
            raise KeyboardInterrupt
        original(store, concepts, layer, *rest)

    monkeypatch.setattr(mapping, "_map_layer", killed)
    with pytest.raises(KeyboardInterrupt):
        map_concepts(store, concepts, tmp_path / "mapper", resamples=100)
    map_concepts(store, concepts, tmp_path / "mapper", resamples=100)
    assert layers == [0, 1, 1]
    for path in sorted(mapper.path.rglob("*.*")):
        assert (tmp_path / "mapper" / path.relative_to(mapper.path)).read_bytes() == (
            path.read_bytes()
        )


def test_other_activations_are_refused(made, tmp_path: Path):
    store, concepts, _ = made
    other, _ = planted(tmp_path, seed=1)
    with pytest.raises(MismatchError, match="other activations"):
        map_concepts(other, concepts, tmp_path / "mapper")


def test_a_layer_that_is_not_there(made):
    with pytest.raises(InputError, match="maps layers 0, 1, not 7"):
        made[2].map(7, np.zeros((1, 12)))
    with pytest.raises(InputError, match="12 neurons"):
        made[2].map(0, np.zeros((1, 3)))


def test_table_has_a_row_for_each_layer_with_both_baselines(made, tmp_path: Path):
    table = made[2].table()
    assert table["layer"].tolist() == [0, 1]
    assert {"top1", "low", "high", "nearest centroid", "majority", "accepted"} <= set(table)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_a_mapper_is_read_without_model_libraries(made):
    code = f"import tunescope as ts; ts.ConceptMapper.load({str(made[2].path)!r}).weights(0)"
    assert not loaded_by(code) & {"torch", "transformers", "sklearn", "numba"}
