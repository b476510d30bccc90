"""Steps on neurons that are done once, killed, mistaken and unusual."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers as hf

import tunescope as ts
from neuron_steps import (
    CHANGED,
    INTERVENE,
    KINDS,
    RANK,
    REDUCE,
    SELECT,
)
from planted import (
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
from tunescope.neurons.search import sample_sentences

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
