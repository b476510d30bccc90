"""The concepts and align steps on made activations whose concepts are known."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.concepts import discover as discover_module
from tunescope.errors import InputError, MismatchError

N_GROUPS = 6
"""Word groups planted: w0_0 ... w0_7 are group 0, and so on; each group has its own label."""


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    sentences = [
        [f"w{rng.integers(N_GROUPS)}_{rng.integers(8)}" for _ in range(8)] for _ in range(60)
    ]
    upos = [["NVAXYZ"[int(word[1])] for word in sentence] for sentence in sentences]
    classes = ["positive" if i % 2 else "negative" for i in range(60)]
    return ts.Corpus.from_sentences(sentences, {"upos": upos}, classes=classes, name="planted")


def layers(corpus, by_class):
    """Activations: at layer 0 by group; at layer 1 by group or, tuned, by class and group half."""
    rng = np.random.default_rng(1)
    group = np.array([int(form[1]) for form in corpus.values("form")])
    positive = corpus.words["sentence"].to_numpy() % 2
    top = positive + 2 * (group % 3) if by_class else group
    noise = [rng.normal(size=(corpus.n_words, 12)) * 0.3 for _ in range(2)]
    return [np.eye(12)[group] * 9 + noise[0], np.eye(12)[top] * 9 + noise[1]]


@pytest.fixture(scope="module")
def stores(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    return [
        store_from_arrays(folder / name, corpus, layers(corpus, name == "tuned"), model=name)
        for name in ("base", "tuned")
    ]


RULE = {"n_clusters": N_GROUPS, "min_count": 2, "min_types": 6}


@pytest.fixture(scope="module")
def both(stores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("concepts")
    return [ts.discover_concepts(store, folder / store.model, **RULE) for store in stores]


@pytest.fixture(scope="module")
def alignment(both, tmp_path_factory):
    return ts.align(*both, tmp_path_factory.mktemp("align") / "out")


def test_planted_concepts_are_found(both):
    for found in both:
        groups = [int(form[1]) for form in found.words.values("form")]
        pairs = set(zip(found.labels(0).tolist(), groups, strict=True))
        assert len(pairs) == N_GROUPS


def test_any_number_of_clusters_from_one_dendrogram(both):
    assert [len(np.unique(both[0].labels(0, k))) for k in (2, 10, 50)] == [2, 10, 50]


def test_the_table_lists_concepts_with_their_words(both):
    table = both[0].table()
    assert len(table) == 2 * N_GROUPS
    assert table.groupby("layer")["size"].sum().tolist() == [both[0].words.n_words] * 2
    first = table.iloc[0]
    words = both[0].words.values("form")[both[0].labels(0) == 0]
    assert set(first["words"].split()) == set(words)
    assert first["n_types"] == len(set(words))
    counts = [(words == word).sum() for word in first["words"].split()]
    assert counts == sorted(counts, reverse=True)
    assert "base" in str(both[0])


def test_unchanged_layers_keep_their_concepts_and_changed_ones_lose_them(alignment):
    retention = alignment.retention.set_index("layer")
    assert retention["n_base"].tolist() == [N_GROUPS, N_GROUPS]
    assert retention["retained_share"].tolist() == [1.0, 0.0]
    assert retention["lost"].tolist() == [0, N_GROUPS]
    assert retention["born"].tolist() == [0, N_GROUPS]
    assert retention.loc[0, "p"] == 1 / 101
    assert retention.loc[0, "null_high"] == 0
    assert retention.loc[0, "retained_low"] < 1


def test_the_matrix_holds_all_pairs_of_layers(alignment):
    matrix = alignment.matrix.pivot(
        index="base_layer", columns="tuned_layer", values="retained_share"
    )
    # The base's layer 1 has the groups of layer 0, which the tuned layer 0 still has.
    assert matrix.to_numpy().tolist() == [[1, 0], [1, 0]]


def test_polarity_is_at_the_tuned_top_alone_and_not_in_the_null(alignment):
    polarity = alignment.polarity.set_index(["role", "layer", "class"])["polarised"]
    assert polarity["tuned", 1, ""] == N_GROUPS
    assert polarity["tuned", 1, "positive"] == polarity["tuned", 1, "negative"] == 3
    assert polarity.sum() == 2 * N_GROUPS
    assert (alignment.polarity["null_high"] == 0).all()


def test_labels_follow_the_groups(alignment):
    labels = alignment.labels.set_index(["role", "layer"])
    assert (labels["label"] == "upos").all()
    assert labels["aligned"].tolist() == [6, 6, 6, 0]
    assert labels["covered"].tolist() == [6, 6, 6, 0]
    assert labels["p"].tolist() == [1 / 101] * 3 + [1.0]


def test_each_concept_has_its_row(alignment):
    rows = alignment.concepts
    assert len(rows) == 4 * N_GROUPS
    assert rows.groupby(["role", "layer"])["fate"].unique().map(list).tolist() == [
        ["retained"],
        ["lost"],
        ["survived"],
        ["born"],
    ]
    top = rows[(rows["role"] == "tuned") & (rows["layer"] == 1)]
    assert top["polarised"].all()
    assert not top["upos_aligned"].any()
    bottom = rows[(rows["role"] == "base") & (rows["layer"] == 0)]
    assert (bottom["overlap"] == 1).all()
    assert bottom["best_match"].tolist() == list(range(N_GROUPS))
    assert sorted(bottom["upos_label"]) == sorted("NVAXYZ")


def test_the_result_shows_retention_beside_polarity(alignment):
    table = alignment.table()
    assert table["polarised_tuned"].tolist() == [0, N_GROUPS]
    assert "Alignment of base with tuned on 'planted'" in str(alignment)


def test_a_model_aligned_with_itself_retains_everything(both, tmp_path):
    for overlap in ("occurrences", "types"):
        same = ts.align(both[1], both[1], tmp_path / overlap, overlap=overlap)
        assert same.retention["retained_share"].tolist() == [1.0, 1.0]
        assert same.retention["born"].tolist() == [0, 0]


def test_one_model_alone_is_aligned_with_labels_and_classes(both, tmp_path):
    alone = ts.align(both[1], None, tmp_path / "alone")
    assert alone.retention.empty
    assert alone.table()["aligned"].tolist() == [6, 0]
    assert set(alone.concepts["fate"]) == {""}


def test_paths_do_as_well_as_objects(both, alignment, tmp_path):
    again = ts.align(both[0].path, str(both[1].path), tmp_path / "again")
    for name in ("retention", "matrix", "labels", "polarity", "concepts"):
        first, second = ((a.path / f"{name}.parquet").read_bytes() for a in (alignment, again))
        assert first == second


def test_labels_added_after_clustering_are_used(both, tmp_path):
    words = both[0].words
    case = ["odd" if form[-1] in "1357" else None for form in words.values("form")]
    import pyarrow as pa

    labelled = ts.Corpus(words.sentences, words.words.append_column("case", pa.array(case)))
    result = ts.align(*both, tmp_path / "a", words=labelled, labels=["case"])
    assert set(result.labels["label"]) == {"case"}
    assert not result.labels["aligned"].any()  # about half of each concept is unlabelled
    known = ts.align(*both, tmp_path / "b", words=labelled, labels=["case"], max_unknown=1)
    assert known.labels["aligned"].tolist() == [6, 6, 6, 6]
    assert known.labels["covered"].tolist() == [1, 1, 1, 1]


def test_an_unknown_label_column_is_an_error(both, tmp_path):
    with pytest.raises(InputError, match="no label column 'xpos'"):
        ts.align(*both, tmp_path / "out", labels=["xpos"])


def test_concepts_of_other_words_or_parameters_are_not_compared(stores, both, corpus, tmp_path):
    fewer = corpus.select(np.arange(200))
    other = ts.discover_concepts(stores[1], tmp_path / "fewer", words=fewer, **RULE)
    with pytest.raises(MismatchError, match="different words"):
        ts.align(both[0], other, tmp_path / "out")
    coarse = ts.discover_concepts(stores[1], tmp_path / "coarse", **{**RULE, "n_clusters": 3})
    with pytest.raises(MismatchError, match="n_clusters = 6, .* has 3"):
        ts.align(both[0], coarse, tmp_path / "out")
    with pytest.raises(MismatchError, match="not those of"):
        ts.align(*both, tmp_path / "out", words=fewer)


def test_permuted_words_are_noticed_when_opened(stores, tmp_path):
    found = ts.discover_concepts(stores[0], tmp_path / "c", **RULE)
    rows = np.random.default_rng(0).permutation(found.words.n_words)
    import pyarrow.parquet as pq

    pq.write_table(found.words.words.take(rows), tmp_path / "c" / "words.parquet")
    with pytest.raises(MismatchError, match="word table was changed"):
        ts.LayerConcepts.load(tmp_path / "c")


def linkages(folder):
    return [path.read_bytes() for path in sorted(folder.glob("layer_*/linkage.npy"))]


def test_an_interrupted_run_goes_on_and_ends_the_same(stores, both, tmp_path, monkeypatch):
    done = []
    real = discover_module.cluster

    def interrupted(X, *, where, **options):
        if done:
            raise KeyboardInterrupt
        done.append(where)
        return real(X, where=where, **options)

    monkeypatch.setattr(discover_module, "cluster", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ts.discover_concepts(stores[0], tmp_path / "c", n_jobs=1, **RULE)
    assert len(linkages(tmp_path / "c")) == 1
    with pytest.raises(InputError, match="manifest.json is missing"):
        ts.LayerConcepts.load(tmp_path / "c")

    after = []

    def counted(X, *, where, **options):
        after.append(where)
        return real(X, where=where, **options)

    monkeypatch.setattr(discover_module, "cluster", counted)
    resumed = ts.discover_concepts(stores[0], tmp_path / "c", n_jobs=1, **RULE)
    assert [where.split()[-1] for where in after] == ["1"]
    assert linkages(resumed.path) == linkages(both[0].path)
    ts.discover_concepts(stores[0], tmp_path / "c", n_jobs=1, **RULE)
    assert len(after) == 1  # a finished step is not run again


def test_other_parameters_start_afresh(stores, tmp_path):
    ward = ts.discover_concepts(stores[0], tmp_path / "c", **RULE)
    before = linkages(ward.path)
    average = ts.discover_concepts(stores[0], tmp_path / "c", **RULE, method="average")
    assert linkages(average.path) != before


def test_words_without_activations(corpus, tmp_path):
    arrays = layers(corpus, by_class=False)
    for array in arrays:
        array[-3:] = np.nan
    store = store_from_arrays(tmp_path / "cut", corpus, arrays)
    with pytest.raises(InputError, match=r"3 of the 480 words have no activations"):
        ts.discover_concepts(store, tmp_path / "a", words=corpus, n_clusters=3)
    every = ts.discover_concepts(
        store, tmp_path / "b", min_count=1, max_occurrences=99, n_clusters=3
    )
    assert every.words.n_words == corpus.n_words - 3


def test_words_without_activations_take_no_place_of_others(tmp_path):
    corpus = ts.Corpus.from_sentences([["w", "v"]] * 30)
    array = np.random.default_rng(0).normal(size=(60, 4))
    array[:40] = np.nan  # of each type 10 are left
    array[59] = np.nan  # of "v" 9
    store = store_from_arrays(tmp_path / "cut", corpus, [array])
    rule = {"n_clusters": 2, "min_types": 1, "max_occurrences": 5}
    for choice in ("random", "first"):
        found = ts.discover_concepts(store, tmp_path / choice, min_count=9, choice=choice, **rule)
        forms = found.words.values("form").tolist()
        assert (forms.count("w"), forms.count("v")) == (5, 5)
        assert store.valid[found.words.rows_in(corpus)].all()
    few = ts.discover_concepts(store, tmp_path / "few", min_count=10, **rule)
    assert set(few.words.values("form")) == {"w"}
    whole = store_from_arrays(tmp_path / "whole", corpus, [np.nan_to_num(array)])
    drawn = ts.discover_concepts(whole, tmp_path / "drawn", min_count=9, **rule)
    assert drawn.words.word_hash == ts.select_words(corpus, drawn.step).word_hash


def test_fewer_words_than_clusters_is_an_error(stores, corpus, tmp_path):
    with pytest.raises(InputError, match="n_clusters = 600 but only 20 words"):
        ts.discover_concepts(stores[0], tmp_path / "c", words=corpus.select(np.arange(20)))
    assert not (tmp_path / "c").exists()


def test_folders_of_other_steps_are_refused(stores, both):
    with pytest.raises(InputError, match="step 'extract'; give a folder of 'concepts'"):
        ts.LayerConcepts.load(stores[0].path)
    with pytest.raises(InputError, match="step 'concepts'; give a folder of 'align'"):
        ts.Alignment.load(both[0].path)
    with pytest.raises(InputError, match="layers 0 to 1, not 7"):
        both[0].labels(7)


def test_layers_run_in_processes_from_a_plain_script(stores, both, tmp_path):
    # A script without an `if __name__ == "__main__"` guard must do, and give the same bytes.
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, tunescope as ts\n"
        "ts.discover_concepts(sys.argv[1], sys.argv[2], n_jobs=2, n_clusters=6, min_count=2)\n"
        "ts.discover_concepts(sys.argv[1], sys.argv[3], n_jobs=1, n_clusters=6, min_count=2)\n"
    )
    folders = [tmp_path / "two", tmp_path / "one"]
    subprocess.run([sys.executable, script, stores[0].path, *folders], check=True)
    assert linkages(folders[0]) == linkages(folders[1]) == linkages(both[0].path)
