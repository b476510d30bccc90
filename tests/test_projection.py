"""Words in two dimensions: which are drawn, that pictures are faithful, repeatable and resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

import tunescope as ts
from stores import store_from_arrays
from test_probes_layerwise import files_of
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.projection import units
from tunescope.concepts.projection.picture import draw_picture, trust, turned, zscored
from tunescope.concepts.projection.sample import draw_words, shares
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.steps import Project

WIDTH = 8
QUICK = {"n_words": 60, "perplexity": 8, "trust_neighbors": 5}


def some_corpus(sentences: int = 80, seed: int = 0) -> Corpus:
    """Five words a sentence; one sentence in eight is of the rare class."""
    rng = np.random.default_rng(seed)
    words = [f"w{i:02d}" for i in range(40)]
    texts = [rng.choice(words, 5).tolist() for _ in range(sentences)]
    classes = ["rare" if n % 8 == 0 else "common" for n in range(sentences)]
    labels = {"first": [[word[1] for word in text] for text in texts]}
    return Corpus.from_sentences(texts, labels, classes=classes, name="made")


def layers_of(corpus: Corpus, seed: int) -> list[np.ndarray]:
    """Words of one type lie together, in both models; types lie elsewhere in the second layer."""
    types = np.unique(corpus.values("form"), return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    common = np.random.default_rng(99)
    return [
        5 * common.normal(size=(40, WIDTH))[types] + rng.normal(size=(corpus.n_words, WIDTH))
        for _ in range(2)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """Stores and concepts of two models; one word has no vector."""
    folder, corpus = tmp_path_factory.mktemp("projection"), some_corpus()
    before, after = layers_of(corpus, 1), layers_of(corpus, 2)
    before[0][7] = np.nan
    stores = [
        store_from_arrays(folder / name, corpus, layers, name, shards=shards)
        for name, layers, shards in (("base", before, 2), ("tuned", after, 3))
    ]
    words = corpus.select(ts.common_words(*stores))
    concepts = [
        ts.discover_concepts(
            store, folder / f"concepts-{store.model}", words=words, n_jobs=1,
            n_clusters=12, min_count=1, min_types=2,
        )
        for store in stores
    ]  # fmt: skip
    return stores, concepts


def draw(made, out: Path, **parameters) -> ts.Projection:
    stores, concepts = made
    given = {"base_concepts": concepts[0], "tuned_concepts": concepts[1], "n_jobs": 1}
    return ts.project(*stores, out, **{**given, **QUICK, **parameters})


@pytest.fixture(scope="module")
def found(made, tmp_path_factory: pytest.TempPathFactory) -> ts.Projection:
    return draw(made, tmp_path_factory.mktemp("out") / "p")


# --- which words ----------------------------------------------------------------------------------


def test_every_concept_that_counts_is_drawn_and_classes_keep_their_share(made, found):
    _, concepts = made
    for role, of in zip(("base", "tuned"), concepts, strict=True):
        for layer in (0, 1):
            here = Clustering(role, role, layer, of.labels(layer), of.types, 2)
            points = found.points.query("layer == @layer and role == @role")
            assert {*np.flatnonzero(here.counts)} <= {*points["concept"]}
            everywhere = dict(zip(of.words.rows_in(made[0][0].corpus), here.labels, strict=True))
            assert [everywhere[row] for row in points["row"]] == points["concept"].tolist()
    frame = found.layer(0).query("role == 'base'")
    assert len(frame) == 60 and 7 not in set(frame["row"])
    assert (frame["class"] == "rare").sum() == pytest.approx(60 / 8, abs=3)


def test_small_concepts_come_first_and_the_rest_is_shared_out_by_class():
    labels = np.array([0] * 90 + [1] * 8 + [2] * 2)
    counts = np.array([0] * 80 + [1] * 20)
    here = Clustering("m", "base", 0, labels, np.arange(100), 3)  # the last has too few types
    priority = np.random.default_rng(0).permutation(100)
    drawn = draw_words([here], counts, priority, n_words=20, per_concept=4)
    sizes = np.bincount(labels[drawn], minlength=3)
    assert len(drawn) == 20 and sizes[1] >= 4 and sizes[0] >= 4
    rest = 20 - 8
    expected = shares(np.array([80 - 4, 20 - 4]), rest) + 4
    assert np.bincount(counts[drawn]).tolist() == expected.tolist()
    few = draw_words([here], counts, priority, n_words=2, per_concept=4)
    assert np.bincount(labels[few], minlength=3).tolist() == [4, 4, 0]
    assert len(draw_words([], counts, priority, n_words=500, per_concept=4)) == 100


def test_words_already_drawn_for_one_model_count_for_the_other():
    labels = np.repeat(np.arange(10), 10)
    same = [Clustering("m", role, 0, labels, np.arange(100), 1) for role in ("base", "tuned")]
    priority = np.random.default_rng(0).permutation(100)
    drawn = draw_words(same, np.zeros(100, int), priority, n_words=1, per_concept=2)
    assert len(drawn) == 20


def test_layers_draw_the_same_words_where_their_concepts_allow(made, tmp_path: Path):
    stores, _ = made
    frames = ts.project(*stores, tmp_path / "p", n_jobs=1, **QUICK).points
    rows = [set(frames.query("layer == @layer")["row"]) for layer in (0, 1)]
    assert rows[0] == rows[1]


# --- pictures -------------------------------------------------------------------------------------


def test_both_models_are_in_one_picture_of_their_words(made, found):
    base, tuned = (found.points.query("layer == 0 and role == @r") for r in ("base", "tuned"))
    assert base["row"].tolist() == tuned["row"].tolist()
    here, there = base[["x", "y"]].to_numpy(), tuned[["x", "y"]].to_numpy()
    stayed = np.linalg.norm(here - there, axis=1)
    assert np.median(stayed) < 0.3 * np.median(cdist(here, there))  # types lie where they lay


def test_trustworthiness_is_that_of_the_picture_beside_a_random_one(made, found):
    stores, _ = made
    frame = found.layers.set_index("layer")
    for layer in (0, 1):
        points = found.points.query("layer == @layer")
        rows = points.query("role == 'base'")["row"].to_numpy()
        X = np.concatenate([store[layer][rows] for store in stores])
        expected = _trustworthiness(X, points[["x", "y"]].to_numpy(), 5)
        assert frame.at[layer, "trustworthiness"] == pytest.approx(expected, abs=1e-6)
        assert frame.at[layer, "random"] == pytest.approx(0.5, abs=0.1)
        assert frame.at[layer, "trustworthiness"] > 0.9
        alone = _trustworthiness(X[:60], points[["x", "y"]].to_numpy()[:60], 5)
        assert frame.at[layer, "trustworthiness_base"] == pytest.approx(alone, abs=1e-6)
    assert "0.5" in found.headline() and "explained" not in found.table()


def _trustworthiness(X: np.ndarray, points: np.ndarray, k: int) -> float:
    """Venna and Kaski 2006, word by word."""
    n, penalty = len(X), 0
    far, near = cdist(X, X), cdist(points, points)
    for i in range(n):
        order = [j for j in np.argsort(far[i], kind="stable") if j != i]
        rank = {j: place + 1 for place, j in enumerate(order)}
        close = [j for j in np.argsort(near[i], kind="stable") if j != i][:k]
        penalty += sum(max(0, rank[j] - k) for j in close)
    return 1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1))


def test_pca_is_the_projection_on_the_first_two_directions(made, tmp_path: Path):
    stores, _ = made
    found = draw(made, tmp_path / "p", method="pca", perplexity=None)
    points = found.points.query("layer == 0")
    rows = points.query("role == 'base'")["row"].to_numpy()
    X = np.concatenate([store[0][rows] for store in stores])
    X = X - X.mean(axis=0)
    left, values, _ = np.linalg.svd(X, full_matrices=False)
    expected = left[:, :2] * values[:2]
    drawn = points[["x", "y"]].to_numpy()
    assert np.abs(drawn) == pytest.approx(np.abs(expected), abs=1e-3)
    share = float((values[:2] ** 2).sum() / (values**2).sum())
    assert found.layers["explained"][0] == pytest.approx(share, abs=1e-5)


UMAP = {"method": "umap", "perplexity": None, "n_neighbors": 8, "layers": (1,)}


def test_umap_says_what_it_needs(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'tunescope\[umap\]'"):
        draw(made, tmp_path / "p", **UMAP)


@pytest.mark.slow  # a minute of compilation
def test_umap_draws_types_apart_the_same_each_time(made, tmp_path: Path):
    pytest.importorskip("umap")
    found, again = (draw(made, tmp_path / name, **UMAP) for name in ("p", "again"))
    assert files_of(found.path) == files_of(again.path)
    assert found.layer_numbers == (1,) and found.layers["trustworthiness"][0] > 0.85


def test_zscores_are_over_both_models_together(made, tmp_path: Path):
    X = np.array([[0.0, 5], [2, 5], [4, 5]], np.float32)
    assert zscored(X) == pytest.approx(np.array([[-1.2247, 0], [0, 0], [1.2247, 0]]), abs=1e-3)
    plain, scaled = (
        draw(made, tmp_path / str(z), method="pca", perplexity=None, zscore=z)
        for z in (False, True)
    )
    assert not np.allclose(plain.points["x"], scaled.points["x"], atol=1e-2)


def test_a_layer_in_which_nothing_varies_is_drawn_on_one_spot():
    picture = draw_picture(np.ones((30, 4), np.float32), Project(perplexity=5, trust_neighbors=5))
    assert not picture.points.any()
    assert 0 <= trust(np.ones((30, 4)), picture.points, 5) <= 1


def test_pictures_of_layers_are_turned_towards_each_other_and_not_bent():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(30, 2))
    angle = 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    now = before @ turn * [1, -1] + 0.01 * rng.normal(size=(30, 2))
    back = turned(now, now, before, axes=False)
    assert back == pytest.approx(before, abs=0.1)
    assert pdist(back) == pytest.approx(pdist(now), abs=1e-4)
    flipped = turned(before * [-1, 1], before * [-1, 1], before, axes=True)
    assert flipped == pytest.approx(before, abs=1e-5)
    crossed = turned(before[:, ::-1], before[:, ::-1], before, axes=True)
    assert np.abs(crossed) == pytest.approx(np.abs(before[:, ::-1]), abs=1e-5)


# --- the step -------------------------------------------------------------------------------------


def test_same_seed_same_bytes_in_one_process_or_two_and_another_seed_another_picture(
    made, found, tmp_path: Path
):
    again = draw(made, tmp_path / "again", n_jobs=2)
    assert files_of(again.path) == files_of(found.path)
    other = draw(made, tmp_path / "other", seed=1, layers=(0,))
    assert set(other.points["row"]) != set(found.points.query("layer == 0")["row"])


def test_an_interrupted_run_goes_on_and_ends_the_same(
    made, found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real, seen = units._draw_layer, []

    def killed(layer, *arguments):
        seen.append(layer)
        if seen == [0, 1]:
            raise KeyboardInterrupt
        return real(layer, *arguments)

    monkeypatch.setattr(units, "_draw_layer", killed)
    with pytest.raises(KeyboardInterrupt):
        draw(made, tmp_path / "p")
    draw(made, tmp_path / "p")
    assert seen == [0, 1, 1]
    assert files_of(tmp_path / "p") == files_of(found.path)
    draw(made, tmp_path / "p")
    assert seen == [0, 1, 1]


def test_only_rows_drawn_are_read(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tunescope.activations.sharded import ShardedArray

    real, most = ShardedArray.__getitem__, []

    def counted(self, rows):
        most.append(len(np.arange(len(self))[rows]))
        return real(self, rows)

    monkeypatch.setattr(ShardedArray, "__getitem__", counted)
    draw(made, tmp_path / "p")
    assert most == [60] * 4


def test_words_saved_are_those_drawn_and_new_labels_reach_them(made, found, tmp_path: Path):
    stores, concepts = made
    assert found.words.n_words == len(found.rows) == len(np.unique(found.points["row"]))
    whole = stores[0].corpus
    assert found.words.values("form").tolist() == whole.values("form")[found.rows].tolist()
    frame = found.layer(1)
    sentence = whole.words["sentence"].to_numpy()[frame["row"][5]]
    assert frame["sentence"][5] == " ".join(whole.sentence_words(int(sentence)))
    assert frame["first"][5] == frame["form"][5][1]
    given = draw(made, tmp_path / "p")
    said = concepts[0].words.with_sentence_column("predicted", ["yes"] * whole.n_sentences)
    before = (given.path / "points.parquet").stat().st_mtime_ns
    assert set(draw(made, given.path, words=said).layer(0)["predicted"]) == {"yes"}
    assert (given.path / "points.parquet").stat().st_mtime_ns == before


def test_one_model_alone(made, tmp_path: Path):
    stores, concepts = made
    found = ts.project(
        stores[0], None, tmp_path / "p", base_concepts=concepts[0], n_jobs=1, **QUICK
    )
    assert set(found.points["role"]) == {"base"} and found.models == {"base": "base"}
    assert len(found.points) == 2 * 60
    assert found.layers["trustworthiness"].equals(found.layers["trustworthiness_base"])


def test_what_does_not_fit_is_refused(made, tmp_path: Path):
    stores, concepts = made
    corpus = stores[0].corpus
    wide = store_from_arrays(tmp_path / "wide", corpus, [np.ones((corpus.n_words, 3))] * 2, "wide")
    with pytest.raises(InputError, match="8 neurons in one model and 3 in the other"):
        ts.project(stores[0], wide, tmp_path / "a", **QUICK)
    with pytest.raises(MismatchError, match="not made from the activations"):
        ts.project(*stores, tmp_path / "b", base_concepts=concepts[1], **QUICK)
    with pytest.raises(MismatchError, match="concepts of other words"):
        some = concepts[0].words.select(np.arange(50))
        draw(made, tmp_path / "c", words=some)
    with pytest.raises(InputError, match="no layer 9"):
        draw(made, tmp_path / "d", layers=(9,))
    with pytest.raises(InputError, match="1 of 400 words have no activations"):
        ts.project(*stores, tmp_path / "e", words=corpus, **QUICK)
    with pytest.raises(InputError, match="too few for perplexity = 500"):
        draw(made, tmp_path / "f", perplexity=500)
    with pytest.raises(InputError, match="trust_neighbors"):
        draw(made, tmp_path / "g", trust_neighbors=100)
    with pytest.raises(InputError, match="min_dist is not used by method = 'tsne'.*'umap'"):
        Project(min_dist=0.5)
    assert Project().options == {"perplexity": 30.0}


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path):
    corpus = some_corpus(20)
    broken = layers_of(corpus, 1)
    broken[1][3] = np.inf
    store = store_from_arrays(tmp_path / "s", corpus, broken)
    with pytest.raises(InputError, match="layer 1: some activations .* are not finite"):
        ts.project(store, None, tmp_path / "p", n_jobs=1, **{**QUICK, "n_words": 100})
