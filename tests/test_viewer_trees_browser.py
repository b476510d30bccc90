"""Icicles of dendrograms and rankings of neurons in a real browser, from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import Tab, chromium  # noqa: F401  (a fixture)
from tunescope.study.result import Run
from tunescope.viewer.concepts.paths import dendrogram_path
from tunescope.viewer.neurons.pages import Neurons
from tunescope.viewer.neurons.paths import study_path
from tunescope.viewer.site import Site

expect = pytest.importorskip("playwright.sync_api").expect
TREE = dendrogram_path("odd", "tuned", 2)
STUDY = study_path(("odd", "upos", "tuned"))


@pytest.fixture(scope="module")
def folder(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site, out = Site(tiny_run), tmp_path_factory.mktemp("trees")
    neurons = next(pages for pages in site.kinds if isinstance(pages, Neurons))
    single = [path for path in neurons.paths() if "/layer-" in path]
    static = [path for path in site.paths() if path.startswith("static/")]
    for path in [TREE, dendrogram_path("odd", "tuned", 1), STUDY, *single, *static]:
        content = site.get(path)
        assert content is not None
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content.body)
    return out


@pytest.fixture
def open_tab(chromium: Any, folder: Path) -> Iterator[Any]:  # noqa: F811
    tabs: list[Tab] = []

    def opened(address: str, **settings: Any) -> Any:
        path, _, fragment = address.partition("#")
        tabs.append(Tab(chromium, f"{(folder / path).as_uri()}#{fragment}", **settings))
        return tabs[-1].page

    yield opened
    for tab in tabs:
        # figures load when they come into view; their files are not in this folder
        tab.complaints = [text for text in tab.complaints if "ERR_FILE_NOT_FOUND" not in text]
        tab.complaints = [text for text in tab.complaints if "cannot be read" not in text]
        tab.check(folder.as_uri())
        tab.context.close()


def test_a_cut_has_as_many_rows_and_the_address_holds_it(open_tab: Any) -> None:
    page = open_tab(f"{TREE}#k=5")
    expect(page.locator("#tree .row")).to_have_count(5)
    expect(page.locator("#tree-count")).to_contain_text("5 of 5 clusters")
    page.get_by_role("slider", name="Clusters (K)").fill("3")
    expect(page.locator("#tree .row")).to_have_count(3)
    page.locator("#k").dispatch_event("change")
    assert "k=3" in page.url
    again = open_tab(f"{TREE}#{page.url.split('#')[1]}")
    expect(again.locator("#tree .row")).to_have_count(3)


def test_boxes_cover_the_rows_and_lead_down_and_back(open_tab: Any) -> None:
    page = open_tab(f"{TREE}#k=6")
    boxes = page.locator("#tree .node")
    expect(boxes).to_have_count(11)  # 6 clusters and the 5 nodes that open into them
    inner = page.locator('#tree .node[data-node="1"]')
    inner.click()
    assert "node=1" in page.url
    fewer = page.locator("#tree .row").count()
    assert fewer < 6
    expect(page.locator("#way")).to_contain_text("all words")
    page.locator("#tree .node").first.focus()
    page.keyboard.press("Backspace")
    expect(page.locator("#tree .row")).to_have_count(6)


def test_a_concept_that_is_asked_for_is_found_and_marked(open_tab: Any) -> None:
    page = open_tab(f"{TREE}#concept=7")
    marked = page.locator("#tree .row.here")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("concept 7")
    expect(page.locator("#tree .node.here")).to_have_count(1)
    expect(page.locator("#tree-here a")).to_have_attribute("href", "0007.html")
    page.locator('#tree .node[data-node="1"]').click()
    page.locator("#way button", has_text="all words").click()
    assert "concept=7" in page.url
    expect(marked).to_have_count(1)
    inside, outside = "#tree .row.here", "#tree-here button"
    for node in (1, 2):  # the two halves of the tree: it is in one of them
        again = open_tab(f"{TREE}#node={node}&concept=7")
        assert again.locator(inside).count() + again.locator(outside).count() == 1
        if again.locator(outside).count():
            again.locator(outside).click()
            expect(again.locator(inside)).to_have_count(1)


def test_classes_colour_the_tree_unless_it_is_asked_not_to(open_tab: Any) -> None:
    page = open_tab(TREE)
    expect(page.locator("#colour")).to_have_value("class")
    assert page.locator("#legend .key").count() == 2
    page.locator("#colour").select_option(label="none")
    assert page.locator("#legend .key").count() == 0
    again = open_tab(f"{TREE}#{page.url.split('#')[1]}")
    expect(again.locator("#colour")).to_have_value("")
    again.keyboard.press("ArrowLeft")
    again.wait_for_url("**/layer-01/dendrogram.html#colour=none")


def test_concepts_of_the_run_are_linked(open_tab: Any) -> None:
    page = open_tab(TREE)
    links = page.locator("#tree .row a")
    assert links.count() > 0
    assert links.first.get_attribute("href").endswith(".html")


def test_colours_have_a_legend(open_tab: Any) -> None:
    page = open_tab(f"{TREE}#colour=upos")
    assert page.locator("#legend .key").count() >= 2
    expect(page.locator("#colour")).to_have_value("upos")


def test_a_broken_address_shows_the_whole_tree(open_tab: Any) -> None:
    page = open_tab(f"{TREE}#k=x&node=-4&colour=none")
    expect(page.locator("#way")).to_have_text("all words")
    assert page.locator("#tree .row").count() > 1


def test_rankings_follow_the_choice_and_the_address(open_tab: Any) -> None:
    page = open_tab(STUDY)
    first = page.locator("#ranking tr").first.inner_text()
    page.locator("#tag").select_option(label="NOUN")
    expect(page.locator("#ranking tr")).to_have_count(20)
    page.locator("#method").select_option(label="probeless")
    assert "tag=NOUN" in page.url
    assert "method=probeless" in page.url
    expect(page.locator("#about")).to_contain_text("means of the tags")
    assert (
        page.locator("[data-keep]")
        .first.get_attribute("href")
        .endswith("#method=probeless&tag=NOUN")
    )
    again = open_tab(f"{STUDY}#{page.url.split('#')[1]}")
    assert again.locator("#ranking").inner_text() == page.locator("#ranking").inner_text()
    assert again.locator("#ranking tr").first.inner_text() != first


def test_a_neuron_is_one_click_away_and_keys_lead_on(open_tab: Any) -> None:
    page = open_tab(STUDY)
    page.locator("#ranking a").first.click()
    page.wait_for_selector(".side-by-side")
    title = page.locator("h1").inner_text()
    page.keyboard.press("j" if page.locator("a[rel=next]").count() else "k")
    expect(page.locator("h1")).not_to_have_text(title)


@pytest.mark.parametrize("path", [TREE, STUDY])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_no_clipped_page(open_tab: Any, path: str, scheme: str) -> None:
    page = open_tab(path, width=375, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
