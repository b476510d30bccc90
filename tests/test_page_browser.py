"""The page in a real browser: drawn, usable by keyboard and on a phone, and harmless."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs import CLASSES, HOSTILE, LABELS

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    return os.environ.get("CHROME") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        pytest.skip(
            "THE PAGE WAS NOT TESTED: no Chromium or Chrome found "
            f"({', '.join(NAMES)}); install one or name it in CHROME"
        )
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=path, args=list(QUIET))
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(tiny_site: Path) -> str:
    return tiny_site.resolve().as_uri()


NEURONS = "neurons-odd-upos-tuned.html"
"""The page of one model's neurons, beside the front page."""


CONCEPTS = "concepts-odd-base-tuned.html"
"""The page about concepts in one corpus."""


class Tab:
    """A page opened, and all that it said and asked for."""

    def __init__(self, browser: Any, address: str, width: int = 1280, **settings: Any):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.followed: set[str] = set()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(address)
        self.page.wait_for_selector("html[data-charts=drawn]", state="attached")


@pytest.fixture
def open_tab(chromium: Any, address: str) -> Iterator[Any]:
    tabs: list[Tab] = []

    def opened(fragment: str = "", page: str = "index.html", **settings: Any) -> Tab:
        place = address.replace("index.html", page)
        tabs.append(Tab(chromium, place + fragment, **settings))
        expected[tabs[-1]] = {place}
        return tabs[-1]

    expected: dict[Tab, set[str]] = {}

    yield opened
    for tab in tabs:
        assert tab.complaints == []
        pages = {url.split("#")[0] for url in tab.requests}
        assert pages == expected[tab] | (tab.followed & pages), "it asked for something else"
        assert tab.page.evaluate("window.pwned") is None
        tab.context.close()


def buttons(tab: Tab) -> Any:
    return tab.page.locator("#list button")


def test_every_chart_is_drawn_and_has_marks(open_tab: Any) -> None:
    page = open_tab().page
    charts = page.locator(".chart")
    known = page.evaluate("JSON.parse(document.getElementById('chart-data').textContent).length")
    assert charts.count() == known > 15
    for chart in charts.all():
        assert chart.locator("svg").count() == 1
        marks = chart.locator("svg .role-mark path, svg .role-mark line, svg .role-mark rect")
        assert marks.count() > 0
        box = chart.locator("svg").bounding_box()
        assert box["width"] > 300
        assert box["height"] > 100
        assert "NaN" not in chart.inner_html()


def test_every_chart_of_neurons_is_drawn_and_has_marks(open_tab: Any) -> None:
    page = open_tab(page=NEURONS).page
    charts = page.locator(".chart")
    assert charts.count() > 25
    for chart in charts.all():
        assert chart.locator("svg").count() == 1
        marks = chart.locator("svg .role-mark path, svg .role-mark line, svg .role-mark rect")
        assert marks.count() > 0, chart.get_attribute("aria-label")
        assert "NaN" not in chart.inner_html(), chart.get_attribute("aria-label")


def test_pages_of_neurons_are_reached_from_the_front_page_and_lead_back(open_tab: Any) -> None:
    tab = open_tab()
    page, front = tab.page, tab.page.url
    links = page.locator("#neurons-across .links a")
    assert links.all_inner_texts() == [f"Neurons for {text}" for text in _studies()]
    tab.followed = {front.replace("index.html", NEURONS)}
    links.last.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-charts=drawn]", state="attached")
    assert page.url == front.replace("index.html", NEURONS)
    assert page.locator("h1").inner_text() == f"Neurons for {_studies()[-1]}"
    page.locator("header a", has_text="tiny").click()
    page.wait_for_selector("#neurons-across", state="attached")
    assert page.url == front


def _studies() -> list[str]:
    return [f"upos in odd, {model}" for model in ("base", "tuned")]


def neuron_buttons(tab: Tab) -> Any:
    return tab.page.locator("#neuron-list button")


def test_neurons_are_browsed_by_keyboard(open_tab: Any) -> None:
    tab = open_tab(page=NEURONS)
    page = tab.page
    count = neuron_buttons(tab).count()
    assert count >= 2
    assert page.locator("#neuron-count").inner_text() == f"{count} of {count} neurons"
    page.locator('#neuron-list button[tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = neuron_buttons(tab).nth(1)
    assert second.get_attribute("aria-current") == "true"
    title = page.locator("#neuron-detail h3").inner_text()
    assert title.endswith("· tuned")
    fragment = page.evaluate("location.hash")
    again = open_tab(fragment, page=NEURONS).page
    assert again.locator("#neuron-detail h3").inner_text() == title
    page.locator("#neuron-tag").focus()
    page.keyboard.press("End")  # the last of the tags
    chosen = page.locator("#neuron-tag option:checked").inner_text()
    assert chosen.startswith("upos: ")
    assert 0 < neuron_buttons(tab).count() <= count


def test_hostile_words_and_labels_of_neurons_do_nothing(open_tab: Any) -> None:
    tab = open_tab(page=NEURONS)
    shown = ""
    for button in neuron_buttons(tab).all():
        button.click()
        shown += tab.page.locator("#neuron-detail").inner_text()
    assert sum(word in shown for word in HOSTILE) > 8
    for label in LABELS:
        assert label in shown
        assert label in tab.page.locator("#neuron-tag").inner_text()
    assert tab.page.locator("#neurons :is(script, img, i, b)").count() == 0
    assert tab.page.locator("main figure :is(script, img, i, b)").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_no_clipped_page_of_neurons(open_tab: Any, scheme: str) -> None:
    tab = open_tab(page=NEURONS, width=375, color_scheme=scheme)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 375
    for svg in tab.page.locator(".chart svg").all():
        assert svg.bounding_box()["width"] <= 345


def test_tables_and_csv_are_there_without_asking(open_tab: Any) -> None:
    page = open_tab().page
    details = page.locator("figure details").first
    assert not details.locator("table").is_visible()
    details.locator("summary").click()
    assert details.locator("table").is_visible()
    with page.expect_download() as download:
        details.locator("a[download]").click()
    assert Path(download.value.path()).read_text().startswith("corpus,label,model,layer")


def test_concepts_filter_sort_and_open(open_tab: Any) -> None:
    tab = open_tab()
    page, count = tab.page, buttons(tab).count()
    assert page.locator("#count").inner_text() == f"{count} of {count} concepts"
    page.fill("#search", "constructor")
    assert 0 < buttons(tab).count() < count
    buttons(tab).first.click()
    words = page.locator("#detail .words").inner_text()
    assert "constructor" in words
    assert page.locator("#detail mark").count() > 0
    page.fill("#search", "")
    page.select_option("#fate", "born")
    fates = page.locator("#list .fate").all_inner_texts()
    assert fates
    assert set(fates) <= {"born", "too few types to count"}
    page.select_option("#fate", "")
    page.select_option("#sort", "class")
    shares = [int(text.split("%")[0]) for text in page.locator("#list .share").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)


def test_following_a_class_leaves_that_class(open_tab: Any) -> None:
    page = open_tab().page
    page.select_option("#follows", label=f"class {CLASSES[1]}")
    named = page.locator("#list .share bdi").all_inner_texts()
    assert named
    assert set(named) == {CLASSES[1]}


def test_a_concept_has_a_link(open_tab: Any) -> None:
    first = open_tab("#view=0&layer=1&concept=2")
    assert first.page.locator("#detail h3").inner_text() == "Concept 2 · base, layer 1"
    first.page.locator("#detail .partner").click()
    first.page.wait_for_function(
        "document.querySelector('#detail h3').textContent.includes('tuned')"
    )
    title = first.page.locator("#detail h3").inner_text()
    assert title.endswith("tuned, layer 1")
    fragment = first.page.evaluate("location.hash")
    assert open_tab(fragment).page.locator("#detail h3").inner_text() == title
    first.page.go_back()
    first.page.wait_for_function(
        "document.querySelector('#detail h3').textContent.includes('base')"
    )


@pytest.mark.parametrize("fragment", ["#view=99&layer=x&concept=-3", "#view=0&sort=y&follows=z"])
def test_a_broken_link_still_shows_concepts(open_tab: Any, fragment: str) -> None:
    assert buttons(open_tab(fragment)).count() > 0


def test_arrow_keys_walk_through_concepts(open_tab: Any) -> None:
    tab = open_tab("#view=0&layer=0")
    tab.page.locator('#list button[tabindex="0"]').focus()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    second = buttons(tab).nth(1)
    assert second.get_attribute("aria-current") == "true"
    number = second.locator(".number").inner_text()
    assert tab.page.locator("#detail h3").inner_text().startswith(f"Concept {number} ")


def test_hostile_words_are_shown_and_do_nothing(open_tab: Any) -> None:
    tab = open_tab("#view=0&layer=0")
    shown = ""
    for button in buttons(tab).all():
        button.click()
        shown += tab.page.locator("#detail").inner_text()
    for word in HOSTILE:
        assert word in shown
    for name in CLASSES:
        assert name in shown
    assert tab.page.locator("#detail script, #detail img, #detail i, #detail b").count() == 0
    right = tab.page.locator("#detail .context").first
    assert right.get_attribute("dir") == "auto"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_no_clipped_page(open_tab: Any, scheme: str) -> None:
    tab = open_tab(width=375, color_scheme=scheme)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 375
    for svg in tab.page.locator(".chart svg").all():
        assert svg.bounding_box()["width"] <= 345
    buttons(tab).nth(1).click()
    assert tab.page.evaluate("document.activeElement.id") == "detail"


def test_the_page_about_concepts_is_drawn_and_hostile_words_do_nothing(
    open_tab: Any,
) -> None:
    page = open_tab(page=CONCEPTS).page
    charts = page.locator(".chart")
    known = page.evaluate("JSON.parse(document.getElementById('chart-data').textContent).length")
    assert charts.count() == page.locator(".chart svg.marks").count() == known > 15
    shown = page.locator("#main").inner_text()
    for name in ("flip predictions", "explained through concepts", "without tuning"):
        assert name in shown
    assert page.locator("#main script, #main img").count() == 0
    assert CLASSES[0] in shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_no_clipped_page_of_concepts(open_tab: Any, scheme: str) -> None:
    page = open_tab(page=CONCEPTS, width=360, color_scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
