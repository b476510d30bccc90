"""Rank, select, reduce and intervene on neurons that are known, whole, killed and mistaken."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import transformers as hf

import tunescope as ts
from planted import (
    PLANTED,
    TAGS,
    WIDTH,
    planted_columns,
    planted_corpus,
    planted_layers,
    planted_store,
)
from stores import store_from_arrays
from test_probes_layerwise import files_of
from tiny import save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.neurons.rankings import RANKINGS
from tunescope.neurons.result import (
    NeuronEffects,
    NeuronRankings,
    NeuronRedundancy,
    NeuronResult,
    NeuronSets,
)
from tunescope.neurons.search import sample_sentences
from tunescope.steps.neurons import RankingName

TELLING = ("lca", "linear", "probeless", "mean_select", "iou", "average_precision", "gaussian")
RANK: dict[str, Any] = {
    "rankings": (*TELLING, "random"), "grid": (0.0, 1e-2, 1e-3), "gaussian_neurons": 8,
    "control_seeds": 1, "resamples": 50, "views": 1, "selected": 6, "tag_neurons": 2,
}  # fmt: skip
SELECT: dict[str, Any] = {
    "deltas": (1.0, 3.0), "shares": (0.1, 0.2), "sizes": (3, 6, 24), "seeds": 2,
}  # fmt: skip
REDUCE: dict[str, Any] = {"increment": 2, "seeds": 2}
INTERVENE: dict[str, Any] = {
    "neurons": (2, 6), "actions": ("zero", "translate:4"), "draws": 2, "max_sentences": 10,
    "resamples": 50,
}  # fmt: skip

KINDS: dict[str, type[NeuronResult]] = {
    kind.step: kind for kind in (NeuronRankings, NeuronSets, NeuronRedundancy, NeuronEffects)
}
CHANGED = {
    "rank": {"iou_quantile": 0.8},
    "select": {"classifiers": ("gaussian",), "seeds": 1},
    "reduce": {"distance": 0.5},
    "intervene": {"draws": 1},
}

Make = Callable[..., NeuronResult]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steps")
    planted_store(folder / "store")
    save_tiny("bert", folder / "model", head=hf.AutoModelForMaskedLM)
    return folder


@pytest.fixture(scope="module")
def make(place: Path) -> Make:
    """Return a function that does a step by name."""

    def do(step: str, out: Path, ranked: Path | None = None, **changed: Any) -> NeuronResult:
        store, ranked = place / "store", ranked or place / "rank"
        if step == "rank":
            return ts.rank(store, "tag", out, **{**RANK, **changed})
        if step == "select":
            return ts.select(ranked, store, out, **{**SELECT, **changed})
        if step == "reduce":
            return ts.reduce(ranked, store, out, **{**REDUCE, **changed})
        model, options = place / "model", {**INTERVENE, **changed}
        return ts.intervene(ranked, store, model, out, device="cpu", **options)

    return do


@pytest.fixture(scope="module")
def made(place: Path, make: Make) -> dict[str, Any]:
    """Every step, done once."""
    return {step: make(step, place / step) for step in KINDS}


# --- what comes out ------------------------------------------------------------------------------


def test_the_names_of_rankings_are_those_that_parameters_take():
    assert get_args(RankingName) == tuple(RANKINGS)


@pytest.mark.parametrize("scaling", ["raw", "zscored"])
@pytest.mark.parametrize("name", TELLING)
def test_planted_neurons_lead_every_ranking(made, name, scaling):
    ranking = made["rank"].ranking(name, scaling)
    assert sorted(ranking.top(6)) == planted_columns()
    assert sorted(ranking.order) == list(range(3 * WIDTH))


@pytest.mark.parametrize("name", ["mean_select", "average_precision", "iou"])
def test_planted_neurons_lead_for_their_label(made, name):
    ranking, classes = made["rank"].ranking(name), made["rank"].facts["classes"]
    for place, neurons in PLANTED.items():
        order = ranking.tag_orders[classes.index(TAGS[place])]
        assert {f"{c // WIDTH}:{c % WIDTH}" for c in order[:2]} == set(neurons)


def test_a_random_ranking_does_not_know_them(made):
    assert len(np.intersect1d(made["rank"].ranking("random").top(6), planted_columns())) < 4


def test_tables_of_a_ranking_count_the_planted_neurons(made):
    ranked = made["rank"]
    layers = ranked.frame("layers").query("ranking == 'lca' and scaling == 'raw'")
    assert layers["selected"].tolist() == [0, 3, 3]
    tags = ranked.frame("tags").query("ranking == 'mean_select' and scaling == 'raw'")
    found = tags.pivot(index="tag", columns="layer", values="selected")
    assert found.loc[list(TAGS)].to_numpy().tolist() == [[0, 1, 1], [0, 2, 0], [0, 0, 2]]
    sharing = ranked.frame("sharing").query("ranking == 'mean_select' and scaling == 'raw'")
    assert sharing.loc[sharing["n_tags"] == 1, "neurons"].tolist() == [6]
    places = ranked.frame("localisation")
    assert len(places) and places[["low", "high"]].isna().all(axis=None), "only three tags"
    summary = ranked.frame("agreement_summary").query("s == 10 and scaling == 'raw'")
    voted = summary.set_index("ranking")["neuron_vote"]
    assert voted.drop("random").min() > voted["random"]


def test_the_search_chose_one_point_and_the_probe_has_it(made):
    ranked = made["rank"]
    for scaling in ("raw", "zscored"):
        table = ranked.search(scaling)
        assert len(table) == 9
        assert table["chosen"].sum() == 1
        point = table.loc[table["chosen"], ["l1", "l2"]].to_dict("records")
        found = ranked.facts["probe"][scaling]
        assert point == [{"l1": found["l1"], "l2": found["l2"]}]
        assert found["gap"] is None or found["gap"] > 0
        assert not found["converged"]
        coefficients, intercepts = ranked.probe(scaling)
        assert coefficients.shape == (2, 3, 3 * WIDTH)
        assert intercepts.shape == (2, 3)
        words = ranked.words(ts.ActivationStore.load(ranked.path.parent / "store"))
        words = words.zscored() if scaling == "zscored" else words
        scores = np.asarray(words.test.x) @ coefficients[0].T + intercepts[0]
        accuracy = np.mean(scores.argmax(1) == words.test.targets)
        whole = made["select"].frame("ablation").query("order == 'all' and scaling == @scaling")
        assert whole["accuracy"].tolist() == [accuracy]


def test_the_minimal_set_is_a_few_planted_neurons(made):
    table = made["select"].frame("minimal")
    assert table["scaling"].tolist() == ["raw"] * 2 + ["zscored"] * 2
    assert table["delta"].tolist() == [1, 3] * 2
    assert table["n"].between(2, 6).all()
    assert table["reached"].all()
    assert (table["dev_accuracy"] >= table["oracle_dev"] - table["delta"] / 100).all()
    assert (table["accuracy"] > table["random_high"]).all()
    assert (table["random_accuracy"] > table["bottom_accuracy"] - 0.15).all()


def test_keeping_the_top_is_better_than_keeping_others(made):
    table = made["select"].frame("ablation").query("within == 'overall' and share == 0.2")
    mean = table.groupby(["scaling", "how", "order"])["accuracy"].mean()
    for scaling in ("raw", "zscored"):
        for how in ("masked", "retrained"):
            of = mean[scaling, how]
            assert of["top"] > 0.9
            assert of["top"] > of["random"] + 0.1
            assert of["random"] > of["bottom"] - 0.05


def test_curves_have_every_ranking_and_classifier(made):
    table = made["select"].frame("curve")
    assert set(table["ranking"]) == {*TELLING, "random"}
    assert set(table["classifier"]) == {"linear", "gaussian"}
    at = table.query("order == 'top' and n == 6").groupby("ranking")["test_accuracy"].min()
    assert at.drop("random").min() > 0.9 > at["random"]


def test_selectivity_compares_all_with_the_sets(made):
    table = made["select"].frame("selectivity")
    seeds = sorted({name[-1] for name in table["set"] if name.startswith("random")})
    sets = ["all"]
    for delta in (1, 3):
        sets.append(f"top, delta {delta}")
        sets += [f"random, delta {delta}, seed {seed}" for seed in seeds]
    assert table.query("scaling == 'raw'")["set"].tolist() == sets
    np.testing.assert_allclose(
        table["selectivity"], table["accuracy"] - table["control_accuracy"], atol=1e-9
    )


def test_what_is_left_of_a_model_is_where_the_label_is(made):
    table = made["reduce"].frame("redundancy")
    assert table["stage"].tolist() == ["oracle", "layers", "clusters", "features"]
    assert table["neurons"].is_monotonic_decreasing
    assert table["neurons"].iloc[0] == 3 * WIDTH
    kept = made["reduce"].facts["neurons"]
    assert len(kept) == table["neurons"].iloc[-1]
    named = {neuron for neurons in PLANTED.values() for neuron in neurons}
    assert set(kept) <= named


def test_effects_are_of_top_and_random_neurons(made):
    table = made["intervene"].frame("effects")
    assert set(table["neurons"]) == {"none", "top", "random"}
    assert set(table["k"]) == {0, 2, 6}
    assert made["intervene"].facts["kind"] == "masked"
    assert made["intervene"].facts["n_sentences"] == 10
    source, target = made["intervene"].facts["direction"]
    assert {source, target} < set(TAGS)
    against = made["intervene"].frame("against_random")
    assert against["p"].min() == pytest.approx(1 / 3), "two draws can say no more"


def test_measured_sentences_are_of_the_ranking_s_test_words(made):
    """Neurons are chosen on training and dev words: their effect is to be seen on others."""
    ranked = made["rank"]
    words = ranked.words(ts.ActivationStore.load(ranked.path.parent / "store"))
    units = made["intervene"].facts
    assert units["n_sentences"] <= len(np.unique(words.test.sentences))


# --- results as objects --------------------------------------------------------------------------


@pytest.mark.parametrize("step", KINDS)
def test_results_come_back_from_their_folder(made, step):
    result = made[step]
    again = KINDS[step].load(str(result.path))
    assert type(result) is KINDS[step]
    assert again.manifest == result.manifest
    assert again.names == result.names
    for name in result.names:
        pd.testing.assert_frame_equal(again.frame(name), result.frame(name))
        assert len(result.frame(name))
    for title, table in result.tables().items():
        assert title in result.shown
        pd.testing.assert_frame_equal(table, result.frame(title))
    assert result.table().equals(result.frame(next(iter(result.tables()))))
    assert (result.corpus, result.label, result.model) == ("planted", "tag", "made")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("rank", "Rankings of 96 neurons for 'tag' in 'planted', made (8 methods; raw: l1 = "),
        ("select", "%) of 96 by lca come within 1 of all (test accuracy "),
        ("reduce", " layers and 2 neurons keep an accuracy of 0.9"),
        ("intervene", "for 'tag' in 'planted', made: the model predicts masked words"),
    ],
)
def test_results_show_themselves(made, step, said):
    result = made[step]
    assert said in result.headline()
    assert "\n" not in result.headline()
    assert repr(result) == f"<{KINDS[step].__name__}: {result.headline()}>"
    text, html = str(result), result._repr_html_()
    for title in result.tables():
        assert f"\n{title}\n" in text
        assert f"<h4>{title}</h4>" in html
    assert "<b>" not in html, "labels are text"


def test_views_are_of_the_top_neurons_of_every_label(made):
    ranked = made["rank"]
    ranking = ranked.ranking("lca")
    best = {int(ranking.order[0]), *ranking.tag_orders[:, 0].tolist()}
    views = ranked.views()
    assert {view.neuron.layer * WIDTH + view.neuron.index for view in views} == best
    rows = np.load(ranked.path / "rows.npy")
    assert {view.n_words for view in views} == {len(rows)}
    assert {view.labels[0] for view in views} == {"tag"}


def test_what_is_not_there_is_named_with_what_is_near(made, tmp_path):
    ranked = made["rank"]
    with pytest.raises(InputError, match="no ranking 'probless'; did you mean 'probeless'"):
        ranked.ranking("probless")
    for ask in (ranked.search, ranked.probe, lambda scaling: ranked.ranking("lca", scaling)):
        with pytest.raises(InputError, match="'zscore'; did you mean 'zscored'"):
            ask("zscore")
    for step, wrong, near in (
        ("rank", "layer", "layers"), ("select", "minimum", "minimal"),
        ("reduce", "redundant", "redundancy"), ("intervene", "effect", "effects"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"no table '{wrong}'; did you mean '{near}'"):
            made[step].frame(wrong)
    with pytest.raises(InputError, match="written by step 'rank'; give a folder of 'select'"):
        NeuronSets.load(ranked.path)
    with pytest.raises(InputError, match="is missing"):
        NeuronRankings.load(tmp_path)


# --- done once -----------------------------------------------------------------------------------

WORK = {
    "rank": "rank._Work.run", "select": "select._Work.tables", "reduce": "reduce.ccfs",
    "intervene": "intervene.measure_effects",
}  # fmt: skip


@pytest.mark.parametrize("step", KINDS)
def test_the_same_again_is_not_done_again_and_other_parameters_are(
    made, make, step, tmp_path, monkeypatch
):
    out = Path(shutil.copytree(made[step].path, tmp_path / "out"))
    module, _, attribute = f"tunescope.neurons.{WORK[step]}".rpartition(".")

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("done again")

    monkeypatch.setattr(f"{module}.{attribute}", fail)
    before = files_of(out)
    assert make(step, out).manifest == made[step].manifest
    assert files_of(out) == before
    with pytest.raises(AssertionError, match="done again"):
        make(step, out, **CHANGED[step])
    monkeypatch.undo()
    changed = make(step, out, **CHANGED[step])
    assert changed.key != made[step].key
    assert files_of(out) != before


def test_rankings_that_are_made_anew_make_what_follows_anew(made, make, tmp_path):
    other = make("rank", tmp_path / "rank", iou_quantile=0.8)
    for step in ("select", "reduce", "intervene"):
        out = Path(shutil.copytree(made[step].path, tmp_path / step))
        assert make(step, out, ranked=other.path).key != made[step].key


@contextmanager
def interrupted_at(monkeypatch: pytest.MonkeyPatch, n: int) -> Iterator[list[Path]]:
    """Interrupt at the n-th file that gets its name; every second one gets it before."""
    real, named = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        named.append(Path(target))
        if len(named) == n:
            if n % 2:
                real(self, target)
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        yield named


def units(out: Path) -> dict[Path, int]:
    """Files that took work, with the time they were written."""
    return {file: file.stat().st_mtime_ns for file in out.glob("*/*")}


@pytest.mark.parametrize("step", KINDS)
def test_an_interrupted_step_goes_on_and_ends_with_the_same_bytes(
    made, make, step, tmp_path, monkeypatch
):
    out, kept, interrupts = tmp_path / "out", {}, 0
    for n in range(2, 40, 3):
        with interrupted_at(monkeypatch, n):
            try:
                make(step, out)
                break
            except KeyboardInterrupt:
                interrupts += 1
        there = units(out)
        assert kept.items() <= there.items(), "what was finished was made again"
        kept = there
    assert interrupts >= {"rank": 5, "select": 3}.get(step, 1)
    assert kept.items() <= units(out).items()
    assert files_of(out) == files_of(made[step].path)


# --- what cannot be done -------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["select", "reduce", "intervene"])
def test_another_store_is_refused_before_anything_is_touched(made, place, step, tmp_path):
    other = planted_store(tmp_path / "other", seed=1)
    out = Path(shutil.copytree(made[step].path, tmp_path / "out"))
    before = files_of(out)
    for folder, options in ((out, CHANGED[step]), (tmp_path / "new", {})):
        with pytest.raises(MismatchError, match="give the store that was ranked"):
            if step == "intervene":
                ts.intervene(made["rank"], other, place / "model", folder, device="cpu", **options)
            else:
                getattr(ts, step)(made["rank"], other, folder, **options)
    assert files_of(out) == before
    assert not (tmp_path / "new").exists()


def test_rankings_across_models_need_others(place, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"ranking 'max_corr' compares a model with others.*give"):
        ts.rank(place / "store", "tag", out, rankings=("lca", "max_corr"))
    assert not out.exists()
    few = {**RANK, "rankings": ("max_corr", "lin_reg", "min_corr"), "scalings": ("raw",)}
    corpus = planted_corpus()
    rng = np.random.default_rng(5)
    mine, theirs = planted_layers(corpus), [rng.normal(size=(corpus.n_words, 8)) for _ in range(2)]
    theirs[1][:, 3] = -2 * mine[2][:, 7] + 1
    other = store_from_arrays(tmp_path / "other", corpus, theirs, "other")
    ranked = ts.rank(place / "store", "tag", out, others=[other.path], **few)
    for name in few["rankings"]:
        assert ranked.ranking(name).order[0] == 2 * WIDTH + 7
    with pytest.raises(MismatchError, match="not on the same words"):
        other = planted_store(tmp_path / "words", planted_corpus(seed=3))
        ts.rank(place / "store", "tag", tmp_path / "mixed", others=[other], **few)


def test_others_that_no_ranking_asks_for_change_nothing(made, place, tmp_path):
    other = planted_store(tmp_path / "other", seed=2)
    out = Path(shutil.copytree(made["rank"].path, tmp_path / "out"))
    again = ts.rank(place / "store", "tag", out, others=[other], **RANK)
    assert again.manifest == made["rank"].manifest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rankings": ("lca", "proveless")}, "did you mean 'probeless'"),
        ({"scalings": ("zscore",)}, "did you mean 'zscored'"),
        ({"solver": "adm"}, "did you mean 'adam'"),
        ({"searchshare": 1}, "unknown key 'searchshare'; did you mean 'search_share'"),
        ({"search_share": 0.6}, "at most 0.5"),
        ({"grid": ()}, "grid is empty: give at least one"),
        ({"rankings": ()}, "rankings is empty"),
        ({"grid": (0.1, -0.1)}, r"grid = \(0.1, -0.1\) must be at least 0"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(place, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        ts.rank(place / "store", "tag", tmp_path / "out", **{**RANK, **options})


def test_a_column_that_is_not_there_is_said_before_anything_is_written(place, tmp_path):
    with pytest.raises(InputError, match="no label column 'tags'.*did you mean 'tag'"):
        ts.rank(place / "store", "tags", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_dev_words_come_from_training_where_the_corpus_has_none(tmp_path):
    words = planted_corpus(20)
    tags = np.array(words.values("tag")).reshape(-1, 8).tolist()
    splits = ["train"] * 14 + ["test"] * 6
    texts = words.sentences["words"].to_pylist()
    words = Corpus.from_sentences(texts, {"tag": tags}, splits=splits, name="no dev")
    store = planted_store(tmp_path / "store", words)
    ranked = ts.rank(store, "tag", tmp_path / "out", **{**RANK, "dev_share": 0.3})
    used = ranked.words(store)
    own = words.of_sentence("split")
    for part, split in ((used.train, "train"), (used.dev, "train"), (used.test, "test")):
        assert set(own[part.sentences]) == {split}
    assert not set(used.dev.sentences) & set(used.train.sentences)
    assert len(set(used.dev.sentences)) == 4


def test_a_ranking_that_was_not_made_cannot_be_selected_or_changed(made, place, tmp_path):
    store = place / "store"
    with pytest.raises(InputError, match="ranking 'max_corr' was not made; .*lca"):
        ts.select(made["rank"], store, tmp_path / "s", rankings=("max_corr",))
    for options, message in (
        ({"ranking": "max_corr"}, "no ranking 'max_corr'"),
        ({"actions": ("zer",)}, "zer"),
        ({"target": "Q"}, "no training word has the label 'Q'; valid: "),
    ):
        with pytest.raises(InputError, match=message):
            ts.intervene(made["rank"], store, place / "model", tmp_path / "i", device="cpu",
                         **{**INTERVENE, **options})  # fmt: skip
    assert not [*tmp_path.iterdir()]


def test_a_model_without_a_head_is_refused(made, place, tmp_path):
    headless = save_tiny("bert", tmp_path / "headless")
    with pytest.raises(InputError, match="head"):
        ts.intervene(made["rank"], place / "store", headless, tmp_path / "out", device="cpu")


# --- unusual inputs ------------------------------------------------------------------------------

FEW: dict[str, Any] = {
    **RANK, "rankings": ("lca", "mean_select"), "grid": (0.0, 1e-3), "scalings": ("raw",),
}  # fmt: skip


def whole_way(store: Any, label: str, out: Path, **options: Any) -> dict[str, Any]:
    ranked = ts.rank(store, label, out / "rank", **{**FEW, **options})
    sets = ts.select(ranked, store, out / "select", **{**SELECT, "sizes": (2, 6), "seeds": 1})
    reduced = ts.reduce(ranked, store, out / "reduce", **{**REDUCE, "seeds": 1})
    for result in (ranked, sets, reduced):
        assert result.headline()
        assert result._repr_html_()
    return {"rank": ranked, "select": sets, "reduce": reduced}


def test_without_control_tasks_there_is_no_selectivity(place, tmp_path):
    found = whole_way(place / "store", "tag", tmp_path, control_seeds=0)
    minimal = found["select"].frame("minimal")
    assert minimal[["selectivity", "selectivity_low", "selectivity_all"]].isna().all(axis=None)
    assert minimal["reached"].all()
    curve = found["select"].frame("curve")
    assert curve[["control_accuracy", "selectivity"]].isna().all(axis=None)
    assert found["rank"].probe()[0].shape == (1, 3, 3 * WIDTH)


def test_one_layer(tmp_path):
    store = planted_store(tmp_path / "store", layers=1)
    corpus = store.corpus
    layer = planted_layers(corpus)[1]
    store = store_from_arrays(tmp_path / "one", corpus, [layer])
    found = whole_way(store, "tag", tmp_path)
    layers = found["rank"].frame("layers")
    assert layers["layer"].unique().tolist() == [0]
    assert (layers["share"] == 1).all()
    assert found["reduce"].frame("redundancy")["layers"].tolist() == [1] * 4


def test_two_labels_and_a_column_with_a_slash(tmp_path):
    label = "../<i>a/b</i> %2F"
    corpus = planted_corpus(tags=2, label=label)
    store = planted_store(tmp_path / "store", corpus, label=label)
    found = whole_way(store, label, tmp_path / "out")
    assert found["rank"].facts["classes"] == ["<b>N</b>", "__proto__"]
    assert found["rank"].label == label
    best = found["rank"].ranking("mean_select").top(4)
    assert set(best) == {WIDTH + 3, 2 * WIDTH + 30, WIDTH + 8, WIDTH + 9}
    assert "&lt;i&gt;a/b" in found["rank"]._repr_html_()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "store"], "nothing lies elsewhere"
    model = save_tiny("bert", tmp_path / "model", head=hf.AutoModelForMaskedLM)
    effects = ts.intervene(found["rank"], store, model, tmp_path / "effects", device="cpu",
                           **INTERVENE)  # fmt: skip
    assert sorted(effects.facts["direction"]) == ["<b>N</b>", "__proto__"]


def test_a_class_that_the_search_does_not_see_is_ranked_all_the_same(tmp_path):
    corpus = planted_corpus()
    tags = [[t if s % 12 == 0 else ("__proto__" if t == "a/b c" else t) for t in row]
            for s, row in enumerate(np.array(corpus.values("tag")).reshape(-1, 8))]  # fmt: skip
    texts = corpus.sentences["words"].to_pylist()
    rare = Corpus.from_sentences(texts, {"tag": tags}, name="rare")
    store = planted_store(tmp_path / "store", rare)
    seed = next(s for s in range(50) if _unseen_by_search(store, s))
    ranked = ts.rank(store, "tag", tmp_path / "out", search_words=16, seed=seed, **FEW)
    assert len(ranked.facts["classes"]) == 3
    place = ranked.facts["classes"].index("a/b c")
    assert set(ranked.ranking("mean_select").tag_orders[place][:2]) == {2 * WIDTH, 2 * WIDTH + 17}
    assert np.abs(ranked.probe()[0][0, place]).max() > 0, "the probe itself sees all words"


def _unseen_by_search(store: Any, seed: int) -> bool:
    from tunescope.neurons.words import label_words

    words = label_words(store, "tag", seed=seed)
    sample = sample_sentences(words.train, 16, seed)
    return words.n_classes == 3 and len(np.unique(sample.targets)) < 3


def test_words_without_activations_or_labels_are_left_out(tmp_path):
    corpus = planted_corpus()
    layers = planted_layers(corpus)
    for layer in layers:
        layer[40:80] = np.nan
    store = store_from_arrays(tmp_path / "store", corpus, layers)
    ranked = ts.rank(store, "tag", tmp_path / "out", **FEW)
    rows = np.load(ranked.path / "rows.npy")
    assert not np.intersect1d(rows, np.arange(40, 80)).size
    assert sum(ranked.facts["words"].values()) == len(rows) == corpus.n_words - 40
    assert sorted(ranked.ranking("lca").top(6)) == planted_columns()


def test_rows_choose_the_words(place, tmp_path):
    rows = np.arange(0, 480)
    ranked = ts.rank(place / "store", "tag", tmp_path / "out", rows=rows, **FEW)
    assert np.load(ranked.path / "rows.npy").tolist() == rows.tolist()
    words = ranked.words(ts.ActivationStore.load(place / "store"))
    assert len(words.train) + len(words.dev) + len(words.test) == 480


def test_sentences_with_classes_are_asked_of_a_classifier(made, place, tmp_path):
    model = save_tiny("bert", tmp_path / "m", head=hf.AutoModelForSequenceClassification)
    texts = [["the", "lazy", "dog"]] * 8
    classes = ["LABEL_0"] * 6 + ["LABEL_1"] * 2
    found = {}
    for name, given in (("right", classes), ("wrong", ["LABEL_1"] * 6 + ["LABEL_0"] * 2)):
        sentences = Corpus.from_sentences(texts, classes=given, name="texts")
        result = ts.intervene(made["rank"], place / "store", model, tmp_path / "out",
                              sentences=sentences, device="cpu", **INTERVENE)  # fmt: skip
        assert result.facts["kind"] == "task"
        table = result.frame("effects").query("neurons == 'none' and measure == 'accuracy'")
        found[name] = table["value"].iloc[0]
    assert sorted(found.values()) == [0.25, 0.75], "the same texts with other classes are others"
