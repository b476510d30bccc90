"""Layer-wise probes find planted knowledge, say where it went, and survive being killed."""

from __future__ import annotations

import numpy as np
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_file
from tunescope.probes import layerwise
from tunescope.probes.compare import ProbeComparison
from tunescope.probes.result import COLUMNS

QUICK = {"l1": 0.5, "l2": 0.5, "resamples": 200}


def corpus(n: int = 150, seed: int = 0) -> Corpus:
    """Sentences of eight words; a word's tag is its first letter's."""
    rng = np.random.default_rng(seed)
    forms = [[f"{'nva'[t]}{k}" for t, k in zip(*rng.integers([3, 40], size=(8, 2)).T, strict=True)]
             for _ in range(n)]  # fmt: skip
    return Corpus.from_sentences(forms, {"tag": [[w[0].upper() for w in s] for s in forms]})


def layers(words: Corpus, signal: tuple[float, ...], seed: int = 0) -> list[np.ndarray]:
    """Noise, plus the tag as one direction per tag; widths differ from layer to layer."""
    rng = np.random.default_rng(seed)
    tags = np.unique(words.values("tag").astype(str), return_inverse=True)[1]
    noise = [rng.normal(size=(words.n_words, 6 + n)) for n in range(len(signal))]
    return [x + s * np.eye(3, x.shape[1])[tags] for x, s in zip(noise, signal, strict=True)]


@pytest.fixture(scope="module")
def words() -> Corpus:
    return corpus()


@pytest.fixture(scope="module")
def base(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    store = store_from_arrays(folder / "store", words, layers(words, (2, 3, 4)), "base")
    return ts.probe(store, "tag", folder / "probes", **QUICK)


@pytest.fixture(scope="module")
def tuned(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    store = store_from_arrays(folder / "store", words, layers(words, (2, 3, 0.3)), "tuned")
    return ts.probe(folder / "store", "tag", folder / "probes", rows=np.flatnonzero(store.valid),
                    **QUICK)  # fmt: skip


def files_of(folder) -> dict[str, str]:
    return {str(f.relative_to(folder)): hash_file(f) for f in folder.rglob("*") if f.is_file()}


def test_planted_knowledge_is_found(base, words):
    table = base.table()
    assert tuple(table.columns) == COLUMNS
    assert table["layer"].tolist() == [0, 1, 2]
    assert (table["n_train"] + table["n_test"] < words.n_words).all()
    assert table["accuracy"].is_monotonic_increasing
    assert table["accuracy"].iloc[2] > 0.95
    assert (table["accuracy_low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["accuracy_high"]).all()
    assert table["majority"].between(0.25, 0.45).all()
    # Types are random directions of noise here, so the control task cannot be learned.
    assert table["control_accuracy"].between(0.2, 0.5).all()
    difference = table["accuracy"] - table["control_accuracy"]
    np.testing.assert_allclose(table["selectivity"], difference)
    assert table["converged"].all()
    assert "best at layer 2" in base.headline()
    assert ts.LayerProbes.load(base.path).table().equals(table)


def test_stored_probe_makes_the_stored_predictions(base):
    store = ts.ActivationStore.load(base.path.parent / "store")
    for layer in base.layers:
        coefficients, intercepts = base.coefficients(layer)
        assert coefficients.shape == (3, 6 + layer)
        found = base.words(layer)
        scores = store[layer][found["word"].to_numpy()] @ coefficients.T + intercepts
        predicted = np.array(base.classes)[scores.argmax(1)]
        assert predicted.tolist() == found["predicted"].to_pylist()
        truth = store.corpus.values("tag")[found["word"].to_numpy()]
        assert (predicted == truth).tolist() == found["correct"].to_pylist()
        assert np.mean(predicted == truth) == base.facts[layer]["accuracy"]


def test_lost_knowledge_is_seen_where_it_was_lost(base, tuned, tmp_path):
    comparison = ts.compare_probes(base, tuned)
    table = comparison.table()
    assert table["difference"].iloc[2] < -0.3
    assert table["high"].iloc[2] < 0
    assert table["p_holm"].iloc[2] == pytest.approx(3 / 201)
    assert table["difference"].iloc[:2].tolist() == [0, 0]
    assert table["p"].iloc[:2].tolist() == [1, 1]
    np.testing.assert_allclose(table["base_accuracy"], base.table()["accuracy"])
    assert "largest at layer 2" in comparison.headline()
    comparison.save(tmp_path / "base--tuned")
    assert ProbeComparison.load(tmp_path / "base--tuned").table().equals(table)
    assert ts.compare_probes(base, tuned).table().equals(table)


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(base, tmp_path, monkeypatch):
    store = base.path.parent / "store"
    fit, fitted = layerwise.fit_many, []

    def dies_at_the_second(*args, **options):
        fitted.append(1)
        if len(fitted) == 2:
            raise KeyboardInterrupt
        return fit(*args, **options)

    monkeypatch.setattr(layerwise, "fit_many", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        ts.probe(store, "tag", tmp_path / "out", **QUICK)
    assert not (tmp_path / "out" / "manifest.json").exists()
    (tmp_path / "out" / ".partial-1-layer_02").mkdir()
    ts.probe(store, "tag", tmp_path / "out", **QUICK)
    assert len(fitted) == 4, "layer 0 was fitted again"
    assert files_of(tmp_path / "out") == files_of(base.path)
    ts.probe(store, "tag", tmp_path / "out", **QUICK)
    assert len(fitted) == 4, "a finished step was run again"
    ts.probe(store, "tag", tmp_path / "out", **{**QUICK, "seed": 1})
    assert len(fitted) == 7, "another seed is another result"


def test_labels_unseen_in_training_count_as_errors(tmp_path):
    words = corpus()
    tags = [["Q" if s >= 100 and w % 4 == 0 else tag for w, tag in enumerate(row)]
            for s, row in enumerate(np.array(words.values("tag")).reshape(-1, 8))]  # fmt: skip
    splits = ["train"] * 100 + ["test"] * 50
    words = Corpus.from_sentences(
        words.sentences["words"].to_pylist(), {"tag": tags}, splits=splits
    )
    store = store_from_arrays(tmp_path / "store", words, [layers(corpus(), (9,))[0]])
    probes = ts.probe(store, "tag", tmp_path / "out", control_seeds=0, **QUICK)
    assert probes.facts[0]["n_unseen"] == 100
    assert probes.table()["accuracy"].iloc[0] == pytest.approx(0.75, abs=0.02)
    assert probes.table()[["control_accuracy", "dev_accuracy", "selectivity"]].isna().all(axis=None)
    assert "100 test words have a label unseen in training" in str(probes)


def test_words_that_are_not_valid_or_have_no_label_are_left_out(words, tmp_path):
    x = layers(words, (3,))
    x[0][:16] = np.nan
    store = store_from_arrays(tmp_path / "store", words, x)
    probes = ts.probe(store, "tag", tmp_path / "out", **QUICK)
    facts = probes.facts[0]
    assert facts["n_train"] + facts["n_test"] <= words.n_words - 16
    assert probes.words(0)["word"].to_numpy().min() >= 16


def test_what_cannot_be_probed_is_said(words, tmp_path):
    forms = words.sentences["words"].to_pylist()
    labels = {
        "same": [["X"] * 8 for _ in forms],
        "own": [[f"{s}.{w}" for w in range(8)] for s in range(len(forms))],
    }
    odd = Corpus.from_sentences(forms, labels, name="odd")
    x = layers(words, (1,))
    store = store_from_arrays(tmp_path / "store", odd, x)
    with pytest.raises(InputError, match="all .* training words have the label 'X'"):
        ts.probe(store, "same", tmp_path / "out")
    with pytest.raises(InputError, match="training words for .* classes"):
        ts.probe(store, "own", tmp_path / "out")
    with pytest.raises(InputError, match="no label column 'sane'.*did you mean 'same'"):
        ts.probe(store, "sane", tmp_path / "out")
    with pytest.raises(InputError, match="unknown key 'l3'"):
        ts.probe(store, "same", tmp_path / "out", l3=1)
    assert not (tmp_path / "out").exists()
    x.append(np.where(np.arange(len(x[0]))[:, None] == 40, np.inf, x[0]))
    store = store_from_arrays(tmp_path / "infinite", words, x)
    with pytest.raises(InputError, match="layer 1: .* not finite"):
        ts.probe(store, "tag", tmp_path / "out", seed=1, dev_share=0.0, test_share=0.01)


def test_only_like_is_compared_with_like(base, tuned, words, tmp_path):
    store = tuned.path.parent / "store"
    fewer = ts.probe(store, "tag", tmp_path / "fewer", rows=np.arange(800), **QUICK)
    with pytest.raises(MismatchError, match="not trained and tested on the same words"):
        ts.compare_probes(base, fewer)
    other = ts.probe(store, "tag", tmp_path / "other", **{**QUICK, "l1": 2.0})
    with pytest.raises(MismatchError, match="different parameters"):
        ts.compare_probes(base, other)
    short = store_from_arrays(tmp_path / "short", words, layers(words, (1,)))
    shallow = ts.probe(short, "tag", tmp_path / "shallow", **QUICK)
    with pytest.raises(MismatchError, match="3 and 1 layers"):
        ts.compare_probes(base, shallow)
    with pytest.raises(InputError, match="give a folder of 'probe'"):
        ts.LayerProbes.load(store)
