"""When concepts are lost, born and polarised: by hand, and on the planted study's checkpoints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tunescope as ts
from planted_study import EVENTS, FRACTIONS, N_CONCEPTS, make_corpus, planted_concept, save_model
from tunescope.concepts.alignment.labels import Majorities
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.trajectory.flows import shares_over_sentences
from tunescope.concepts.trajectory.follow import (
    NEVER,
    count_returns,
    from_when,
    lost_when,
    polarised_when,
)
from tunescope.concepts.trajectory.points import point_frame, texts_seen
from tunescope.errors import InputError, MismatchError

TOP, LAST = 2, len(FRACTIONS) - 1
POINT = {fraction: number for number, fraction in enumerate(FRACTIONS)}


@pytest.fixture(scope="module")
def words():
    return ts.select_words(make_corpus(), min_count=10, max_occurrences=10)


@pytest.fixture(scope="module")
def concepts(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    found = []
    for fraction in FRACTIONS:
        model = save_model(folder / f"bert@{fraction:g}", fraction)
        store = ts.extract(words, model, folder / f"store{fraction:g}", device="cpu")
        out = folder / f"concepts{fraction:g}"
        found.append(ts.discover_concepts(store, out, words=words, n_clusters=N_CONCEPTS, n_jobs=1))
    return found


@pytest.fixture(scope="module")
def trace(concepts, tmp_path_factory):
    out = tmp_path_factory.mktemp("trace") / "trace"
    return ts.trace_concepts(concepts, out, fractions=FRACTIONS, permutations=99)


def by_name(trace, concepts, words, role, layer=TOP) -> pd.DataFrame:
    point = 0 if role == "base" else LAST
    labels = concepts[point].labels(layer)
    name = dict(zip(labels, planted_concept(words, FRACTIONS[point]), strict=True))
    frame = trace.fates[(trace.fates["role"] == role) & (trace.fates["layer"] == layer)]
    return frame.assign(name=frame["concept"].map(name)).set_index("name")


def test_from_when():
    there = np.array([[1, 0, 0, 1, 0], [1, 0, 1, 0, 1], [1, 0, 1, 1, 0]], bool)
    assert from_when(there).tolist() == [0, NEVER, 1, 2, NEVER]
    assert lost_when(there).tolist() == [NEVER, 0, NEVER, NEVER, 2]
    assert count_returns(there).tolist() == [0, 0, 0, 1, 0]


def test_polarity_may_come_from_several_concepts_and_must_not_go_or_turn():
    def point(labels):
        return Clustering("m", "tuned", 0, np.array(labels), np.arange(8), 1)

    def majorities(best, aligned):
        return Majorities(np.array(best), np.ones(len(best)), np.array(aligned))

    points = [
        point([0, 0, 0, 0, 1, 1, 1, 1]),  # both polarised, the first the other way
        point([0, 0, 1, 1, 2, 2, 2, 2]),  # two concepts of one class; the second not polarised
        point([0, 0, 0, 0, 1, 1, 1, 1]),
    ]
    found = [
        majorities([1, 1], [True, True]),
        majorities([0, 0, 1], [True, True, False]),
        majorities([0, 1], [True, True]),
    ]
    assert polarised_when(points[-1], points, found, 0.8).tolist() == [1, 2]
    none = [majorities([-1] * 3, [False] * 3)] * 3
    assert polarised_when(points[-1], points, none, 0.8).tolist() == [NEVER, NEVER]


def test_every_loss_is_dated(trace, concepts, words):
    base = by_name(trace, concepts, words, "base")
    lost = base[base["fate"] == "lost"]["at"].to_dict()
    assert lost == {
        "split": POINT[EVENTS["split"]],
        "vanish": POINT[EVENTS["vanish"]],
        "polar": POINT[EVENTS["polarise"]],
    }
    assert (base.loc[base["fate"] == "retained", "at"] == NEVER).all()


def test_what_comes_back_was_not_lost(trace, concepts, words):
    base = by_name(trace, concepts, words, "base")
    assert base["returns"].to_dict() == {
        name: int(name in ("swap1", "swap2")) for name in base.index
    }
    counts = trace.counts.set_index(["layer", "measure", "point"]).sort_index()
    away = counts.loc[(TOP, "retained")]
    # 2 lost for good and 2 away; 2 for good; 3 for good
    assert away["count"].tolist() == [12, 8, 10, 9]
    assert away["changed"].tolist() == [0, 2, 0, 1]


def test_every_birth_is_dated(trace, concepts, words):
    tuned = by_name(trace, concepts, words, "tuned")
    born = tuned[tuned["fate"] == "born"]["at"].to_dict()
    assert tuned.loc[["swap1", "swap2"], "returns"].tolist() == [1, 1]  # survived, all the same
    assert born == {
        "born": POINT[EVENTS["born"]],
        "merge1": POINT[EVENTS["merge12"]],
        "merge3": POINT[EVENTS["merge34"]],
    }


def test_polarity_is_dated(trace, concepts, words):
    tuned = by_name(trace, concepts, words, "tuned")
    dated = tuned.loc[tuned["polarised_at"] != NEVER, "polarised_at"].to_dict()
    at = POINT[EVENTS["polarise"]]
    assert dated == {"up": 0, "down": 0, "polar positive": at, "polar negative": at}
    base = by_name(trace, concepts, words, "base")
    dated = base.loc[base["polarised_at"] != NEVER, "polarised_at"].to_dict()
    assert dated == {"up": 0, "down": 0}


def test_counts_stand_beside_chance(trace):
    counts = trace.counts.set_index(["layer", "measure", "point"]).sort_index()
    polarised = counts.loc[(TOP, "polarised")]
    assert polarised["count"].tolist() == [2, 2, 2, 4]
    assert polarised["changed"].tolist() == [2, 0, 0, 2]
    assert (counts["null_high"] == 0).all()
    assert (counts["p"] == 0.01).all()
    assert (counts["low"] <= counts["share"]).all()
    assert (counts["share"] <= counts["high"]).all()
    for layer in (0, 1):
        low = counts.loc[layer]
        assert low.loc["retained", "count"].tolist() == [N_CONCEPTS] * len(FRACTIONS)
        assert low.loc["polarised", "count"].tolist() == [2] * len(FRACTIONS)


def test_groups_are_what_was_planted(trace):
    groups = trace.groups[trace.groups["layer"] == TOP].set_index(["point", "group"])["concepts"]
    assert groups[0].to_dict() == {
        "kept": 3,
        "merged": 4,
        "split": 2,
        "vanished": 1,
        "polarised": 2,
    }
    # "polar" is split into halves that no checkpoint before the last has
    assert groups[LAST].to_dict() == {
        "kept": 3, "split": 2, "merged": 2, "new": 1, "polarised": 4,
    }  # fmt: skip


def test_flows_are_the_words_of_the_groups(trace, words):
    flows = trace.flows
    for (layer, point), part in flows.groupby(["layer", "point"]):
        assert part["words"].sum() == words.n_words
        assert part["expected"].sum() <= 1 + 1e-9
        for side, at in (("source", point), ("target", point + 1)):
            sums = part.groupby(side)["words"].sum().to_dict()
            here = trace.groups[(trace.groups["layer"] == layer) & (trace.groups["point"] == at)]
            assert sums == here.set_index("group")["words"].to_dict()
    last = flows[(flows["layer"] == TOP) & (flows["point"] == LAST - 1)]
    last = last.set_index(["source", "target"])["words"]
    assert last["kept", "polarised"] == 120  # all of "polar"


def test_a_chain_leads_from_the_halves_back_to_the_whole(trace, concepts, words):
    base = by_name(trace, concepts, words, "base")
    tuned = by_name(trace, concepts, words, "tuned")
    chain = trace.chain(TOP, tuned.loc["polar positive", "concept"], LAST)
    assert chain["point"].tolist() == [0, 1, 2, 3]
    assert chain["concept"].iloc[0] == base.loc["polar", "concept"]
    assert chain["share"].tolist() == [1.0] * 4
    assert chain["polarised"].tolist() == [False, False, False, True]
    chain = trace.chain(TOP, base.loc["vanish", "concept"], 0)
    assert chain["share"].iloc[1] == pytest.approx(1 / 6)
    with pytest.raises(InputError, match="no concept 99"):
        trace.chain(TOP, 99)


def test_predictions_of_each_point_are_read(concepts, words, tmp_path):
    """The base predicts nothing, the first checkpoint nothing of use; the others are right."""
    gold = words.of_sentence("class")
    rng = np.random.default_rng(0)
    told = [
        words.with_sentence_column("predicted", list(rng.permutation(gold) if n == 1 else gold))
        for n in range(len(concepts))
    ]
    trace = ts.trace_concepts(
        concepts, tmp_path / "trace", fractions=FRACTIONS, words=[words, *told[1:]], permutations=9
    )
    counts = trace.counts[trace.counts["measure"] == "predicted_polarised"]
    top = counts[counts["layer"] == TOP].set_index("point")["count"]
    assert top.to_dict() == {1: 0, 2: 2, 3: 4}
    tuned = by_name(trace, concepts, words, "tuned")
    assert tuned.loc[["up", "down"], "predicted_at"].tolist() == [2, 2]
    assert tuned.loc[["up", "down"], "polarised_at"].tolist() == [0, 0]


def test_without_classes_nothing_is_polarised(concepts, words, tmp_path):
    bare = ts.Corpus.from_sentences(words.sentences["words"].to_pylist(), name="bare")
    bare = bare.select(words.rows_in(bare))
    trace = ts.trace_concepts(
        concepts, tmp_path / "trace", fractions=FRACTIONS, words=bare, permutations=2
    )
    assert set(trace.counts["measure"]) == {"retained", "present"}
    assert not trace.fates["polarised"].any()
    assert "polarised" not in set(trace.groups["group"])
    assert not trace.table().empty


def test_an_interrupted_trace_ends_like_one_that_was_not(concepts, trace, tmp_path, monkeypatch):
    from tunescope.concepts.trajectory import step as trajectory_step

    real, calls = trajectory_step.fate_frame, []

    def stop(path):
        calls.append(path.layer)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(path)

    out = tmp_path / "trace"
    monkeypatch.setattr(trajectory_step, "fate_frame", stop)
    with pytest.raises(KeyboardInterrupt):
        ts.trace_concepts(concepts, out, fractions=FRACTIONS, permutations=99)
    again = ts.trace_concepts(concepts, out, fractions=FRACTIONS, permutations=99)
    assert calls == [0, 1, 1, 2]
    for name in ("points", "counts", "fates", "concepts", "groups", "flows"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(trace, name))
    assert (out / "counts.parquet").read_bytes() == (trace.path / "counts.parquet").read_bytes()
    assert not (out / "parts").exists()


def test_what_does_not_belong_together_is_refused(concepts, words, tmp_path):
    with pytest.raises(InputError, match="which share of the training"):
        ts.trace_concepts(concepts, tmp_path / "a")
    with pytest.raises(InputError, match="4 models but 2 shares"):
        ts.trace_concepts(concepts, tmp_path / "a", fractions=[0, 1])
    with pytest.raises(InputError, match="must rise from 0"):
        ts.trace_concepts(concepts[:2], tmp_path / "a", fractions=[0.5, 1])
    with pytest.raises(InputError, match="base model's and the tuned"):
        ts.trace_concepts(concepts[:1], tmp_path / "a", fractions=[0])
    fewer = words.select(np.arange(100))
    with pytest.raises(MismatchError, match="the same"):
        ts.trace_concepts(concepts, tmp_path / "a", fractions=FRACTIONS, words=fewer)


def test_texts_seen():
    # 10 texts in batches of 4: 4, 8, 10 | 14, 18, 20
    assert texts_seen(np.array([0, 1, 2, 3, 4, 6]), 10, 4).tolist() == [0, 4, 8, 10, 14, 20]


def test_points_of_a_real_tuning(tmp_path):
    base = save_model(tmp_path / "base", 0.0)
    task = ts.Task.from_corpus(make_corpus(2, seed=1))
    tuned = ts.finetune(
        base, task, tmp_path / "tuned", epochs=2, checkpoints=[0.25, 0.5], device="cpu"
    )
    n_train = tuned.manifest.facts["n_train"]
    frame = point_frame(["base", "a", "b", "tuned"], None, tuned)
    assert frame["fraction"].tolist() == [0, 0.25, 0.5, 1]
    assert frame["texts"].tolist()[2:] == [n_train, 2 * n_train]
    assert frame["updates"].iloc[-1] == tuned.manifest.facts["n_updates"]
    assert frame["dev_score"].iloc[-1] == tuned.dev_score
    assert point_frame(["base", "b", "tuned"], [0, 0.5, 1], tuned)["texts"][1] == n_train
    with pytest.raises(InputError, match="no checkpoint at 0.75, but at 0.25, 0.5, 1"):
        point_frame(["base", "b", "tuned"], [0, 0.75, 1], tuned)


def test_a_tuning_that_made_other_models_is_refused(tmp_path):
    base = save_model(tmp_path / "base", 0.0)
    corpus = make_corpus(2, seed=1)
    task, words = ts.Task.from_corpus(corpus), ts.select_words(corpus, min_count=2)
    mine, other = (
        ts.finetune(
            base, task, tmp_path / f"tuned{seed}", epochs=1, checkpoints=[0.25, 0.5], seed=seed,
            device="cpu",
        )
        for seed in (0, 1)
    )  # fmt: skip
    models = [base, *(path for _, path in mine.checkpoints), mine.path]
    concepts = []
    for n, model in enumerate(models):
        store = ts.extract(words, model, tmp_path / f"store{n}", device="cpu")
        out = tmp_path / f"concepts{n}"
        concepts.append(ts.discover_concepts(store, out, words=words, n_clusters=6, n_jobs=1))
    few, shares = {"permutations": 2, "resamples": 2}, [0, 0.25, 0.5, 1]
    trace = ts.trace_concepts(concepts, tmp_path / "trace", tuning=mine.path, **few)
    assert trace.points["fraction"].tolist() == shares
    with pytest.raises(MismatchError, match="concepts1.*not of the model at 0.25 .*tuned1"):
        ts.trace_concepts(concepts, tmp_path / "a", tuning=other, **few)
    turned = [concepts[n] for n in (0, 2, 1, 3)]
    with pytest.raises(MismatchError, match="concepts2.*not of the model at 0.25 .*tuned0"):
        ts.trace_concepts(turned, tmp_path / "a", tuning=mine, **few)
    with pytest.raises(MismatchError, match="concepts1.*not of the base"):
        ts.trace_concepts(concepts[1:], tmp_path / "a", tuning=mine, fractions=[0, 0.5, 1], **few)
    assert not (tmp_path / "a").exists()


def test_interval_of_a_share_over_sentences():
    """Words alone in their sentences: the textbook interval; sentences of equal words: wider."""
    cells = np.repeat([0, 1], [300, 700])
    share, low, high = shares_over_sentences(cells, np.arange(1000), 0.95)[0]
    assert share == 0.3
    assert high - share == pytest.approx(1.96 * np.sqrt(0.3 * 0.7 / 1000), rel=1e-2)
    _, low, high = shares_over_sentences(cells, np.arange(1000) // 10, 0.95)[0]
    assert high - share == pytest.approx(1.96 * np.sqrt(0.3 * 0.7 / 100), rel=1e-2)
    assert share - low == pytest.approx(high - share)


def test_the_command_does_what_the_function_does(concepts, trace, tmp_path, capsys):
    from tunescope.cli import app

    folders = [str(c.path) for c in concepts]
    shares = [f"{fraction:g}" for fraction in FRACTIONS]
    out = tmp_path / "trace"
    arguments = ["trace", *folders, "--out", str(out), "--fractions", *shares]
    app([*arguments, "--permutations", "99"], result_action="return_value")
    assert "2 checkpoints between" in capsys.readouterr().out
    assert (out / "fates.parquet").read_bytes() == (trace.path / "fates.parquet").read_bytes()
