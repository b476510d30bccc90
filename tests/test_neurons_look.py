"""Top words, contexts and values per tag are what their definitions say, whatever the words."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from hostile_neurons import ARABIC, HEBREW, SENTENCES, hostile_store
from runs import HOSTILE, LABELS
from stores import store_from_arrays
from tunescope.activations.neuron import NeuronId
from tunescope.activations.sharded import ShardedArray
from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import hash_file
from tunescope.neurons.look import NeuronView, load_views, look_at, save_views
from tunescope.neurons.tag_values import QUANTILE_NAMES, QUANTILES, tag_values
from tunescope.neurons.top_words import WordTypes, top_words
from tunescope.report.figures.neuron_values import neuron_values
from tunescope.report.figures.style import specification
from tunescope.report.neurons.text import box, show_neuron, show_neurons

VALUES = np.array([1.0, 3, 5, 7, 9, 11])  # mean 6, distances 5 3 1 1 3 5, mean distance 3
FORMS = ["x", "y", "x", "y", "z", "z"]
DEVIATION = np.sqrt(35 / 3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ActivationStore:
    return hostile_store(tmp_path_factory.mktemp("look") / "store")


# --- top words -----------------------------------------------------------------------------------


def test_top_words_by_hand() -> None:
    found = top_words(VALUES, FORMS)
    assert found["word"].tolist() == ["z", "x", "y"]
    assert found["count"].tolist() == [2, 2, 2]
    np.testing.assert_allclose(found["strength"], [1, 3 / 4, 2 / 4])
    np.testing.assert_allclose(found["z"], np.array([4, -3, -1]) / DEVIATION)
    np.testing.assert_allclose(found["mean"], [10, 3, 5])


def test_the_threshold_is_not_itself_above() -> None:
    assert top_words(VALUES, FORMS, threshold=0.5)["word"].tolist() == ["z", "x"]
    assert top_words(VALUES, FORMS, most=1)["word"].tolist() == ["z"]


def test_prior_draws_types_towards_all_words() -> None:
    found = top_words(VALUES, FORMS, prior=2)
    np.testing.assert_allclose(found["strength"], [1, 6 / 7, 5 / 7])
    np.testing.assert_allclose(found["z"], np.array([4, -3, -1]) / DEVIATION)


def test_rare_types_lead_by_default_and_can_be_left_out() -> None:
    values, forms = [9.0, 0, 0, 4, 4, 4], ["once", "a", "a", "b", "b", "b"]
    assert top_words(np.array(values), forms)["word"].iloc[0] == "once"
    kept = top_words(np.array(values), forms, min_count=2)
    assert kept["word"].tolist() == ["a", "b"]
    assert kept["strength"].iloc[0] == 1
    assert top_words(np.array(values), forms, min_count=9).empty


def test_equal_strength_is_ordered_by_count_then_alphabet() -> None:
    values = np.array([1.0, 1, -1, -1, 1, -1])
    assert top_words(values, ["c", "c", "b", "b", "a", "d"])["word"].tolist() == list("bcad")


def test_a_constant_neuron_has_no_top_words() -> None:
    assert top_words(np.full(6, 0.1), FORMS).empty


@pytest.mark.parametrize("wrong", [{"min_count": 0}, {"prior": -1}])
def test_top_words_refuses(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="top words"):
        top_words(VALUES, FORMS, **wrong)  # type: ignore[arg-type]


def test_top_words_agree_with_a_loop_over_tokens() -> None:
    rng = np.random.default_rng(0)
    values, forms = rng.normal(3, 2, 500), [f"w{k}" for k in rng.integers(0, 40, 500)]
    sums: dict[str, list[float]] = {}
    for value, form in zip(values, forms, strict=True):
        sums.setdefault(form, []).append(abs((value - np.mean(values)) / np.std(values)))
    means = {form: np.mean(scores) for form, scores in sums.items()}
    expected = sorted(((s / max(means.values()), f) for f, s in means.items()), reverse=True)
    found = top_words(values, WordTypes.of(forms))
    assert found["word"].tolist() == [form for share, form in expected if share > 0.1]
    np.testing.assert_allclose(found["strength"], [s for s, _ in expected if s > 0.1])


# --- values per tag ------------------------------------------------------------------------------


def test_values_per_tag_against_pairs_of_words() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 12, 300).astype(float)  # many ties
    tags = np.array([["a", "b", "c", None][k] for k in rng.integers(0, 4, 300)], object)
    found = tag_values(values, tags)
    known = np.array([tag is not None for tag in tags])
    assert sorted(found["tag"]) == ["a", "b", "c"]
    for row in found.to_dict("records"):
        inside, rest = values[tags == row["tag"]], values[known & (tags != row["tag"])]
        pairs = inside[:, None] - rest[None]
        auc = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
        assert row["n"] == len(inside)
        assert row["auc"] == pytest.approx(auc)
        assert row["separation"] == pytest.approx(max(auc, 1 - auc))
        assert row["direction"] == ("higher" if auc >= 0.5 else "lower")
        assert (row["mean"], row["sd"]) == pytest.approx((inside.mean(), inside.std()))
        quantiles = [row[name] for name in QUANTILE_NAMES]
        np.testing.assert_allclose(quantiles, np.quantile(inside, QUANTILES))


def test_a_separated_tag_leads_and_a_lucky_one_does_not() -> None:
    values = np.concatenate([np.arange(100.0) + 50, np.arange(100.0), [1000.0]])
    tags = ["high"] * 100 + ["low"] * 100 + ["once"]
    found = tag_values(values, tags).set_index("tag")
    assert found.index[-1] == "once"
    assert found.loc["once", "auc"] == 1
    assert found.loc["once", "chance"] == 1
    assert found.loc["high", "direction"] == "higher"
    assert found.loc["low", "direction"] == "lower"


def test_random_tags_exceed_chance_one_time_in_twenty() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=400)
    beyond = 0
    for _ in range(400):
        table = tag_values(values, np.where(rng.permutation(400) < 40, "a", "b")).set_index("tag")
        beyond += table.loc["a", "separation"] > table.loc["a", "chance"]  # type: ignore[operator]
    assert 8 <= beyond <= 34


def test_one_tag_alone_has_nothing_to_be_told_from() -> None:
    row = tag_values(VALUES, ["t"] * 6).iloc[0]
    assert np.isnan([row["auc"], row["separation"], row["chance"]]).all()
    assert row["direction"] == ""
    assert row["q50"] == 6
    assert tag_values(VALUES, [None] * 6).empty


# --- look ----------------------------------------------------------------------------------------


def test_look_gives_words_contexts_and_values(store: ActivationStore) -> None:
    view = look_at(store, ["1:0"])[0]
    values = np.asarray(store[1])[:, 0].astype(float)
    forms = store.corpus.values("form")
    assert (view.neuron, view.n_words) == (NeuronId(1, 0), len(values))
    assert view.mean == pytest.approx(values.mean())
    assert (view.low, view.high) == (values.min(), values.max())
    pd.testing.assert_frame_equal(view.words, top_words(values, forms), check_dtype=False)
    best = view.of_label("upos").iloc[0]
    assert (best["tag"], best["direction"]) == ("NOUN", "higher")
    assert best["auc"] > 0.99
    assert "upos NOUN lies higher" in view.headline()
    assert view.labels == ["upos", "<b>x"]


@pytest.mark.parametrize("side", ["highest", "lowest"])
def test_contexts_are_the_extreme_words_one_of_each_type(store: ActivationStore, side: str) -> None:
    view = look_at(store, ["0:1"], n_contexts=6)[0]
    values = np.asarray(store[0])[:, 1].astype(float)
    order = np.argsort(-values if side == "highest" else values)
    forms = store.corpus.values("form")
    first = list(dict.fromkeys(forms[order]))[:6]
    rows = view.side(side)
    assert rows["word"].tolist() == first
    assert rows["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    start = np.cumsum([0, *map(len, SENTENCES)])
    for row in rows.to_dict("records"):
        assert row["words"] == SENTENCES[row["sentence"]]
        assert row["words"][row["position"]] == row["word"]
        assert row["activations"][row["position"]] == row["activation"]
        span = slice(start[row["sentence"]], start[row["sentence"] + 1])
        np.testing.assert_array_equal(row["activations"], values[span])


def test_contexts_may_repeat_a_type(store: ActivationStore) -> None:
    view = look_at(store, ["0:1"], n_contexts=41, one_per_type=False)[0]
    assert view.side("highest")["word"].tolist().count("dog") == 2
    activations = view.side("highest")["activation"].tolist()
    assert activations == sorted(activations, reverse=True)


def test_several_neurons_come_in_the_order_asked_and_read_each_layer_once(
    store: ActivationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ["1:3", "0:2", "1:0", "0:0", "1:3"]
    alone = [look_at(store, [name])[0] for name in wanted]
    read, original = [], ShardedArray.__getitem__

    def counted(self: ShardedArray, rows: object) -> np.ndarray:
        found = original(self, rows)
        read.append(len(found))
        return found

    monkeypatch.setattr(ShardedArray, "__getitem__", counted)
    together = look_at(store, [NeuronId.parse(name) for name in wanted])
    assert sum(read) == 2 * store.n_words
    assert [str(view.neuron) for view in together] == wanted
    for one, other in zip(alone, together, strict=True):
        same(one, other)


def test_rows_choose_the_words_and_contexts_still_show_all(store: ActivationStore) -> None:
    rows = np.arange(len(HEBREW))
    view = look_at(store, ["0:0"], rows=rows)[0]
    values = np.asarray(store[0])[rows, 0].astype(float)
    assert (view.n_words, view.mean) == (len(rows), pytest.approx(values.mean()))
    assert set(view.words["word"]) <= set(HEBREW)
    assert set(view.contexts["sentence"]) == {0}


def test_words_without_activation_are_left_out_and_shown_without_one(tmp_path: Path) -> None:
    corpus = Corpus.from_sentences([["a", "b", "c"], ["d", "e", "f"]])
    layer = np.arange(12.0).reshape(6, 2)
    layer[1] = np.nan
    view = look_at(store_from_arrays(tmp_path / "s", corpus, [layer]), ["0:0"])[0]
    assert view.n_words == 5
    assert "b" not in view.words["word"].tolist()
    context = view.side("lowest").iloc[0]
    np.testing.assert_array_equal(context["activations"], [0, np.nan, 4])
    assert view.labels == []
    save_views(tmp_path / "views", [view])
    same(load_views(tmp_path / "views")[0], view)


@pytest.mark.parametrize(
    ("neuron", "said"),
    [("7:0", "layers are 0 to 1"), ("1:5", "layer 1 has 0 to 4"), ("9-1", "layer:index")],
)
def test_a_neuron_that_is_not_there(store: ActivationStore, neuron: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        look_at(store, [neuron])


def test_a_label_that_is_not_there_and_no_words(store: ActivationStore) -> None:
    with pytest.raises(InputError, match="'upos'"):
        look_at(store, ["0:0"], ["xpos"])
    with pytest.raises(InputError, match="no word"):
        look_at(store, ["0:0"], rows=np.zeros(0, int))


# --- kept ----------------------------------------------------------------------------------------


def same(one: NeuronView, other: NeuronView) -> None:
    for name, value in vars(one).items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, getattr(other, name))
        else:
            assert value == getattr(other, name), name


def test_views_come_back_as_they_were(store: ActivationStore, tmp_path: Path) -> None:
    views = look_at(store, ["1:0", "0:4", "0:1"])
    assert views[1].deviation == 0
    assert views[1].words.empty
    assert views[1].contexts.empty
    assert "never changes" in views[1].headline()
    save_views(tmp_path / "views", views)
    for view, loaded in zip(views, load_views(tmp_path / "views"), strict=True):
        same(view, loaded)
    save_views(tmp_path / "again", views)
    for file in (tmp_path / "views").iterdir():
        assert hash_file(file) == hash_file(tmp_path / "again" / file.name)
    views[2].save(tmp_path / "one")
    same(NeuronView.load(tmp_path / "one"), views[2])


def test_folders_without_views_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"views\.json"):
        load_views(tmp_path)
    (tmp_path / "views.json").write_text("{}")
    with pytest.raises(InputError, match="not one of tunescope"):
        load_views(tmp_path)
    with pytest.raises(InputError, match="no neurons"):
        save_views(tmp_path / "none", [])


# --- shown ---------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Names of elements, and the text."""

    def __init__(self, html: str):
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_in_a_notebook_words_are_text(store: ActivationStore) -> None:
    html = look_at(store, ["1:0"])[0]._repr_html_()
    found = Elements(html)
    structure = {"div", "p", "h4", "span", "bdi", "small"}
    structure |= {"table", "thead", "tbody", "tr", "th", "td"}
    assert found.names <= structure
    for word in (*HOSTILE, *LABELS, "<b>odd</b>", "<i>base</i>", "<b>x"):
        assert word in found.text
    assert 'dir="rtl"' in html
    assert 'dir="ltr"' in html


def terminal(width: int = 100, **settings: object) -> Console:
    return Console(width=width, record=True, file=open("/dev/null", "w"), **settings)  # type: ignore[arg-type]  # noqa: SIM115


def test_in_a_terminal_without_colour_there_are_numbers(store: ActivationStore) -> None:
    view = look_at(store, ["1:0"])[0]
    console = terminal(no_color=True)
    show_neuron(view, console)
    text = console.export_text(styles=True)
    assert "\x1b[3" not in text
    top = view.side("highest").iloc[0]
    z = view.z([top["activation"]])[0]
    assert f"[{top['word']}]({z:+.1f})" in text
    assert "Values by upos" in text
    assert "<b>VERB</b>" in text
    assert "┃" in text


def test_in_a_terminal_with_colour_there_are_styles(store: ActivationStore) -> None:
    console = terminal(force_terminal=True, color_system="truecolor")
    show_neuron(look_at(store, ["1:0"])[0], console, n_contexts=2)
    text = console.export_text(styles=True)
    assert "Colour, in sd" in text
    assert "38;2;167;103;0" in text
    assert "](" not in text


def test_right_to_left_contexts_stand_right_in_a_terminal(store: ActivationStore) -> None:
    rows = len(HEBREW) + np.arange(len(ARABIC))
    console = terminal(width=80, no_color=True)
    show_neuron(look_at(store, ["0:0"], rows=rows, n_contexts=1)[0], console)
    context = next(line for line in console.export_text().splitlines() if "[" in line)
    assert len(context.rstrip()) >= 78
    assert context.index(ARABIC[0]) < context.index(ARABIC[4]), "logical order"


def test_a_command_shows_several_neurons(store: ActivationStore) -> None:
    console = terminal(no_color=True)
    show_neurons(store.path, ["0:4", "1:0"], labels=["upos"], min_count=1, console=console)
    text = console.export_text()
    assert "Neuron 0:4" in text
    assert "Neuron 1:0" in text
    assert "Values by <b>x" not in text
    with pytest.raises(InputError, match="has no neuron"):
        show_neurons(store.path, ["99:0"], console=console)


def test_a_box_of_characters_is_where_its_quantiles_are() -> None:
    assert box([0, 10, 20, 30, 33], 0, 33, plain=True) == "-" * 10 + "=" * 10 + "|" + "=" * 10 + (
        "-" * 3
    )
    assert box([1, 1, 1, 1, 1], 1, 1, plain=True) == "|"


def test_the_figure_draws_quantiles_of_the_best_separated_tags(store: ActivationStore) -> None:
    view = look_at(store, ["1:0"])[0]
    spec = specification(neuron_values(view.of_label("upos"), view.mean))
    rows = max(spec["datasets"].values(), key=len)
    assert [row["tag"] for row in rows][0] == "NOUN"
    assert [row["q50"] for row in rows] == sorted((row["q50"] for row in rows), reverse=True)
    lies = {row["tag"]: row["lies"] for row in rows}
    assert lies["NOUN"] == "higher"
    few = specification(neuron_values(view.of_label("<b>x"), most=5))
    assert len(max(few["datasets"].values(), key=len)) == 5
