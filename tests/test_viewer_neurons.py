"""Pages about neurons: what they show, and which neurons have one."""

from __future__ import annotations

import io
import json
import re
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from hostile_neurons import ARABIC, HEBREW, hostile_store
from runs import HOSTILE
from tunescope.activations.neuron import NeuronId
from tunescope.neurons.look import NeuronView, look_at
from tunescope.neurons.rankings import RANKINGS
from tunescope.study.result import Run
from tunescope.viewer.neurons.one import beside, of_view, signed
from tunescope.viewer.neurons.pages import Neurons
from tunescope.viewer.neurons.paths import (
    neuron_path,
    ranking_path,
    read_neuron_path,
    study_path,
)
from tunescope.viewer.neurons.rankings import ABOUT
from tunescope.viewer.neurons.views import NeuronViews, column_of, neurons_of
from tunescope.viewer.site import Served, Site

KEY = ("odd", "upos", "tuned")


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[NeuronView]:
    folder = tmp_path_factory.mktemp("neurons")
    base, tuned = hostile_store(folder / "a"), hostile_store(folder / "b", "tuned", 1)
    return [*look_at(base, ["0:4", "1:0"]), *look_at(tuned, ["1:0"])]


@pytest.fixture(scope="module")
def site(tiny_run: Run) -> Site:
    return Site(tiny_run)


def kind(site: Site) -> Neurons:
    return next(pages for pages in site.kinds if isinstance(pages, Neurons))


def test_a_sentence_has_its_direction_its_colours_and_the_word_marked(
    views: list[NeuronView],
) -> None:
    shown = of_view(views[1])
    contexts = [context for _, side in shown["sides"] for context in side]
    assert contexts
    for context in contexts:
        words = [word["text"] for word in context["words"]]
        assert context["rtl"] == (words in (HEBREW, ARABIC))
        (marked,) = [word for word in context["words"] if word["here"]]
        assert marked["z"] == context["z"]
        assert marked["title"].startswith(context["activation"])
    assert any(context["rtl"] for context in contexts)


def test_boxes_lie_on_the_scale_in_the_order_of_the_quantiles(views: list[NeuronView]) -> None:
    for box in of_view(views[1])["values"]:
        for row in box["tags"]:
            (q05, line), (q25, quartiles) = row["line"], row["quartiles"]
            assert 0 <= q05 <= q25 <= row["median"] <= q25 + quartiles + 0.2 <= q05 + line + 0.4
            assert q05 + line <= 100.1
        lies = {row["tag"]: row["lies"] for row in box["tags"]}
        if box["label"] == "upos":
            assert lies["NOUN"] == "above"


def test_a_neuron_that_never_changes_is_shown(views: list[NeuronView]) -> None:
    shown = of_view(views[0])
    assert shown["words"] == []
    assert signed(float("nan")) == ""
    assert signed(-0.04) == "0.0"


def test_top_words_of_two_models_are_divided(views: list[NeuronView]) -> None:
    found = beside(views[1], views[2])
    own, other = (set(view.words["word"][:20]) for view in views[1:])
    assert set(found["both"]) == own & other
    assert set(found["here"]) == own - other
    assert set(found["there"]) == other - own


def test_columns_and_neurons_go_both_ways() -> None:
    widths, layers = [3, 2, 4], [0, 2, 3]
    columns = list(range(9))
    neurons = neurons_of(widths, layers, np.array(columns))
    assert neurons[3] == NeuronId(2, 0)
    assert [column_of(widths, layers, neuron) for neuron in neurons] == columns
    assert column_of(widths, layers, NeuronId(1, 0)) is None
    assert column_of(widths, layers, NeuronId(2, 2)) is None


def test_addresses_are_read_back_and_nothing_else_is() -> None:
    path = neuron_path("a/b", "<m>", NeuronId(3, 12))
    found = read_neuron_path(path)
    assert found is not None
    assert found[1] == NeuronId(3, 12)
    assert read_neuron_path(study_path(KEY)) is None
    assert read_neuron_path("neurons/x/layer-01/../0001.html") is None


def test_every_neuron_listed_has_a_page_that_names_its_tags(site: Site, tiny_run: Run) -> None:
    pages = kind(site)
    paths = [path for path in pages.paths() if "/layer-" in path]
    assert len(paths) == len(set(paths)) >= 6
    for path in paths:
        content = pages.get(path)
        assert content is not None
        text = content.body.decode()
        assert "What it is chosen for" in text or "rank " not in text
        assert "Before and after tuning" in text, "the model beside it has this place too"
    assert any("upos: <bdi>NOUN</bdi>" in pages.get(p).body.decode() for p in paths)  # type: ignore[union-attr]


def test_a_neuron_is_chosen_where_the_ranking_puts_it(tiny_run: Run) -> None:
    ranked = tiny_run.neurons.rankings[KEY]
    ranking, tags = ranked.ranking("lca"), ranked.facts["classes"]
    (best,) = neurons_of(ranked.facts["widths"], ranked.facts["layers"], ranking.tag_orders[1][:1])
    chosen = NeuronViews(tiny_run).chosen("odd", "tuned", best)
    assert ("upos", tags[1], "lca", "raw", 1) in chosen
    assert [one.rank for one in chosen] == sorted(one.rank for one in chosen)


def test_neurons_that_are_not_listed_are_read_when_asked_for(site: Site) -> None:
    pages = kind(site)
    listed = set(pages.views.listed["odd", "tuned"])
    other = next(n for n in (NeuronId(1, i) for i in range(32)) if n not in listed)
    content = pages.get(neuron_path("odd", "tuned", other))
    assert content is not None
    assert f"Neuron {other} of tuned" in content.body.decode()
    assert pages.get(neuron_path("odd", "tuned", NeuronId(1, 32))) is None, "it has 32"
    assert pages.get(neuron_path("odd", "tuned", NeuronId(9, 0))) is None
    assert pages.get(neuron_path("odd", "unknown", NeuronId(1, 0))) is None


def data(content: bytes) -> dict:
    found = re.search(r'id="ranking-data">(.*?)</script>', content.decode(), re.S)
    assert found is not None
    return json.loads(found[1])


def test_rankings_on_the_page_are_those_on_disk(site: Site, tiny_run: Run) -> None:
    ranked = tiny_run.neurons.rankings[KEY]
    content = kind(site).get(study_path(KEY))
    assert content is not None
    shown = data(content.body)
    assert shown["tags"] == ranked.facts["classes"]
    for entry in shown["rankings"]:
        ranking = ranked.ranking(entry["method"], entry["scaling"])
        for order, whole in zip(entry["orders"], [ranking.order, *ranking.tag_orders], strict=True):
            neurons = neurons_of(
                ranked.facts["widths"], ranked.facts["layers"], whole[: len(order)]
            )
            assert [name for name, _ in order] == [str(neuron) for neuron in neurons]
    linked = {name for name, (path, _) in shown["neurons"].items() if path}
    assert linked == {str(n) for n in kind(site).views.listed["odd", "tuned"]}


def test_rankings_are_a_csv_and_say_what_each_method_is(site: Site, tiny_run: Run) -> None:
    content = kind(site).get(ranking_path(KEY))
    assert content is not None
    assert ranking_path(KEY) in set(kind(site).paths())
    table = pd.read_csv(io.BytesIO(content.body), keep_default_na=False)
    ranked = tiny_run.neurons.rankings[KEY]
    facts = ranked.facts
    for (method, tag), rows in cast(Any, table.groupby(["method", "tag"])):
        ranking = ranked.ranking(str(method), "raw")
        whole = ranking.tag_orders[facts["classes"].index(tag)] if tag else ranking.order
        order = neurons_of(facts["widths"], facts["layers"], whole[: len(rows)])
        assert rows["neuron"].tolist() == [str(neuron) for neuron in order]
    assert set(table["tag"]) == {"", *facts["classes"]}
    page = kind(site).get(study_path(KEY))
    assert page is not None
    about = data(page.body)["about"]
    assert set(about) == set(ranked.rankings)
    assert all(about.values())


def test_every_ranking_is_described() -> None:
    assert set(ABOUT) == set(RANKINGS)


def test_random_rankings_choose_no_neuron(site: Site, tiny_run: Run) -> None:
    assert "random" in tiny_run.neurons.rankings[KEY].rankings
    views = kind(site).views
    chosen = [views.chosen("odd", "tuned", neuron) for neuron in views.listed["odd", "tuned"]]
    met = {one.ranking for places in chosen for one in places}
    assert met
    assert "random" not in met


def test_when_served_every_neuron_is_linked(tiny_run: Run) -> None:
    pages = kind(Site(tiny_run, Served(live=True)))
    content = pages.get(study_path(KEY))
    assert content is not None
    assert all(path for path, _ in data(content.body)["neurons"].values())


def test_hostile_words_are_escaped(site: Site) -> None:
    for path in kind(site).paths():
        if path.endswith(".html"):
            text = kind(site).get(path).body.decode()  # type: ignore[union-attr]
            for hostile in (HOSTILE[0], HOSTILE[2], "<b>VERB</b>"):
                assert hostile not in text, path


def test_a_run_without_neurons_has_no_such_pages(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_run.neurons, "rankings", {})
    pages = kind(Site(tiny_run))
    assert pages.links() == []
    assert list(pages.paths()) == []
