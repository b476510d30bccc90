"""A study whose outcome is planted is recovered: what is kept, split, lost, born, polarised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tunescope as ts
from planted_study import CONCEPTS, N_CONCEPTS, make_corpus, planted_concept, save_model

LAYERS = (0, 1, 2)
TOP = 2


@pytest.fixture(scope="module")
def words():
    return ts.select_words(make_corpus(), min_count=10, max_occurrences=10)


@pytest.fixture(scope="module")
def study(words, tmp_path_factory):
    """Base and tuned concepts, and their alignment, through the whole pipeline."""
    folder: Path = tmp_path_factory.mktemp("planted")
    found = []
    for name, fraction in (("base", 0.0), ("tuned", 1.0)):
        model = save_model(folder / name, fraction)
        store = ts.extract(words, model, folder / f"store-{name}", device="cpu")
        found.append(
            ts.discover_concepts(
                store, folder / f"concepts-{name}", words=words, n_clusters=N_CONCEPTS, n_jobs=1
            )
        )
    base, tuned = found
    return base, tuned, ts.align(base, tuned, folder / "alignment", permutations=99)


def same_partition(labels: np.ndarray, names: np.ndarray) -> bool:
    pairs = set(zip(labels.tolist(), names.tolist(), strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(names.tolist()))


def named(frame: pd.DataFrame, labels: np.ndarray, names: np.ndarray) -> pd.DataFrame:
    """The rows of one layer by the name of the concept that was planted."""
    name = dict(zip(labels.tolist(), names.tolist(), strict=True))
    return frame.assign(name=frame["concept"].map(name)).set_index("name")


def of_layer(alignment: ts.Alignment, role: str, layer: int) -> pd.DataFrame:
    frame = alignment.concepts
    return frame[(frame["role"] == role) & (frame["layer"] == layer)]


def test_every_type_has_as_many_words(words):
    assert words.n_words == 10 * len(set(words.values("form")))


def test_clusters_are_the_planted_concepts(study, words):
    base, tuned, _ = study
    for layer in LAYERS:
        assert same_partition(base.labels(layer), planted_concept(words, 0.0))
        then = 1.0 if layer == TOP else 0.0
        assert same_partition(tuned.labels(layer), planted_concept(words, then))


def test_low_layers_keep_all(study):
    *_, alignment = study
    table = alignment.retention.set_index("layer")
    assert table.loc[[0, 1], "retained"].tolist() == [N_CONCEPTS] * 2
    assert table.loc[[0, 1], "born"].tolist() == [0, 0]


def test_what_is_lost_and_born_in_the_top_layer_is_what_was_planted(study, words):
    base, tuned, alignment = study
    before = named(of_layer(alignment, "base", TOP), base.labels(TOP), planted_concept(words, 0.0))
    lost = {"split", "vanish", "polar"}
    assert set(before.index[before["fate"] == "lost"]) == lost
    assert set(before.index[before["fate"] == "retained"]) == set(CONCEPTS) - lost
    after = named(of_layer(alignment, "tuned", TOP), tuned.labels(TOP), planted_concept(words, 1.0))
    assert set(after.index[after["fate"] == "born"]) == {"born", "merge1", "merge3"}
    row = alignment.retention.set_index("layer").loc[TOP]
    assert (row["retained"], row["lost"], row["born"]) == (9, 3, 3)
    assert row["null_high"] == 0
    assert row["p"] == 0.01


def test_matches_lead_to_where_words_went(study, words):
    base, tuned, alignment = study
    before = named(of_layer(alignment, "base", TOP), base.labels(TOP), planted_concept(words, 0.0))
    after = named(of_layer(alignment, "tuned", TOP), tuned.labels(TOP), planted_concept(words, 1.0))
    number = after["concept"]
    assert before.loc["merge2", "best_match"] == number["merge1"]
    assert before.loc["vanish", "overlap"] == pytest.approx(1 / 6)
    assert before.loc["split", "overlap"] == pytest.approx(12 / 26)
    halves = {number["polar positive"], number["polar negative"]}
    assert before.loc["polar", "best_match"] in halves
    for half in ("split", "split off"):  # parts of a concept are no new ones
        assert after.loc[half, "fate"] == "survived"
        assert after.loc[half, "best_match"] == before.loc["split", "concept"]


def test_polarity_is_found_where_it_was_planted_and_nowhere_else(study, words):
    base, tuned, alignment = study
    cues = {"up", "down"}
    for layer in LAYERS:
        frame = named(
            of_layer(alignment, "base", layer), base.labels(layer), planted_concept(words, 0.0)
        )
        assert set(frame.index[frame["polarised"]]) == cues
    frame = named(of_layer(alignment, "tuned", TOP), tuned.labels(TOP), planted_concept(words, 1.0))
    assert set(frame.index[frame["polarised"]]) == cues | {"polar positive", "polar negative"}
    assert frame.loc["polar positive", "class_label"] == "positive"
    assert frame.loc["polar negative", "class_label"] == "negative"
    total = alignment.polarity[alignment.polarity["class"] == ""]
    assert (total["null_high"] == 0).all()
    assert (total["p"] == 0.01).all()


def test_types_hide_what_occurrences_show(study, words, tmp_path):
    base, tuned, _ = study
    by_types = ts.align(base, tuned, tmp_path / "types", overlap="types", permutations=1)
    frame = named(of_layer(by_types, "base", TOP), base.labels(TOP), planted_concept(words, 0.0))
    assert frame.loc["polar", "fate"] == "retained"


def test_the_human_label_that_was_planted_is_found(study):
    *_, alignment = study
    table = alignment.labels.set_index(["role", "layer"])[["aligned", "covered"]]
    every = [N_CONCEPTS, N_CONCEPTS]
    assert table.loc[("base", TOP)].tolist() == table.loc[("tuned", 0)].tolist() == every
    # the cues', and two halves of one concept; all others have taken in foreign words
    assert table.loc[("tuned", TOP)].tolist() == [4, 3]


def test_a_real_tuning_of_the_same_base_puts_polarity_concepts_on_top(study, words, tmp_path):
    """What the paper found in kind: low layers stay, high ones follow the task."""
    base_model = save_model(tmp_path / "base", 0.0)
    task = ts.Task.from_corpus(make_corpus(seed=1))
    model = ts.finetune(
        base_model, task, tmp_path / "tuned", epochs=4, learning_rate=1e-3, device="cpu"
    )
    assert model.dev_score > 0.95
    base, *_ = study
    store = ts.extract(words, model.path, tmp_path / "store", device="cpu")
    tuned = ts.discover_concepts(
        store, tmp_path / "concepts", words=words, n_clusters=N_CONCEPTS, n_jobs=1
    )
    alignment = ts.align(base, tuned, tmp_path / "alignment", permutations=99)
    retained = alignment.retention["retained"].tolist()
    assert retained[0] == N_CONCEPTS
    assert retained == sorted(retained, reverse=True)
    assert retained[TOP] <= N_CONCEPTS / 4
    total = alignment.polarity[alignment.polarity["class"] == ""]
    polarised = total.set_index(["role", "layer"])["polarised"]
    assert polarised["base"].tolist() == [2, 2, 2]
    assert polarised["tuned"][0] == 2
    assert polarised["tuned"][TOP] >= N_CONCEPTS / 2
    assert total["p"].max() == 0.01
