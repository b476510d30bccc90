"""The concept browser in a real browser, from disk: filters, keys, words and links work."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import Tab, chromium  # noqa: F401  (a fixture)
from runs import CLASSES, HOSTILE
from tunescope.study.result import Run
from tunescope.viewer.concepts.pages import Concepts
from tunescope.viewer.concepts.paths import ENTRY, concept_path, list_path, words_path
from tunescope.viewer.site import Site

expect = pytest.importorskip("playwright.sync_api").expect
LIST = list_path("odd", "tuned", 2)


@pytest.fixture(scope="module")
def folder(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pages about concepts and what all pages load."""
    site, out = Site(tiny_run), tmp_path_factory.mktemp("concepts")
    pages = next(pages for pages in site.kinds if isinstance(pages, Concepts))
    for path in [*pages.paths(), *site.kinds[-1].paths()]:
        content = site.get(path)
        assert content is not None
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content.body)
    return out


@pytest.fixture
def open_tab(chromium: Any, folder: Path) -> Iterator[Any]:  # noqa: F811
    tabs: list[Tab] = []

    def opened(address: str, **settings: Any) -> Tab:
        path, _, hash_ = address.partition("#")
        tabs.append(
            Tab(chromium, (folder / path).as_uri() + (f"#{hash_}" if hash_ else ""), **settings)
        )
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.check(folder.as_uri())
        tab.context.close()


def shown(tab: Tab) -> list[int]:
    return [
        int(n)
        for n in tab.page.eval_on_selector_all(
            "#concepts tbody tr", "rows => rows.map(r => r.dataset.n)"
        )
    ]


def test_what_tuning_created_is_one_click_away_and_stepped_through(open_tab: Any) -> None:
    tab = open_tab(ENTRY)
    link = tab.page.locator("a", has_text=re.compile(r"^All \d+ born$")).first
    n = int(re.findall(r"\d+", link.inner_text())[0])
    link.click()
    expect(tab.page.locator("select[name=fate]")).to_have_value("born")
    assert tab.page.locator("#count").inner_text() == f"{n} of 12 concepts"
    assert set(tab.page.locator("#concepts .fate").all_inner_texts()) == {"born"}
    order = shown(tab)
    assert len(order) == n >= 3
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("k")
    tab.page.keyboard.press("Enter")
    for number in order[:3]:  # the next is that of the list, not of the numbers
        tab.page.wait_for_url(f"**/{number:04d}.html**")
        tab.page.wait_for_selector("#step-said:not(:empty)")
        tab.page.keyboard.press("ArrowRight")
    tab.page.wait_for_selector("#step-said:not(:empty)")
    tab.page.keyboard.press("u")
    expect(tab.page.locator("select[name=fate]")).to_have_value("born")
    assert shown(tab) == order


def test_the_list_is_filtered_sorted_and_searched_and_its_hash_says_how(open_tab: Any) -> None:
    tab = open_tab(LIST)
    assert shown(tab) == list(range(12))
    tab.page.fill("[name=word]", "Constructor")
    expect(tab.page.locator("#count")).to_contain_text(" of ")
    found = shown(tab)
    assert 0 < len(found) < 12
    tab.page.select_option("[name=sort]", "-size")
    assert shown(tab) == found[::-1] or len(found) == 1
    tab.page.fill("[name=min]", "5")
    tab.page.select_option("[name=label]", "casing")
    expect(tab.page.locator("#label-name")).to_have_text("casing")
    again = open_tab(f"{LIST}#{tab.page.evaluate('location.hash')[1:]}")
    expect(again.page.locator("#label-name")).to_have_text("casing")
    assert shown(again) == shown(tab)
    assert again.page.input_value("[name=word]") == "Constructor"
    again.page.click("button[type=reset]")
    expect(again.page.locator("#count")).to_have_text("12 concepts")
    options = again.page.locator("[name=follows] option")
    classes = options.evaluate_all("all => all.map(o => o.value).filter(v => /^class:/.test(v))")
    assert classes and {name.removeprefix("class:") for name in classes} <= set(CLASSES)
    again.page.select_option("[name=follows]", classes[0])
    named = again.page.locator("#concepts td.value b bdi").all_inner_texts()
    assert named and {f"class:{name}" for name in named} == {classes[0]}


@pytest.mark.parametrize(
    "hash_", ["fate=x&follows=y&sort=z&label=q", "min=-1", "%E0%A4%A", "word=%22%3E"]
)
def test_a_broken_hash_breaks_nothing(open_tab: Any, hash_: str) -> None:
    tab = open_tab(f"{LIST}#{hash_}")
    tab.page.wait_for_timeout(100)
    assert "concepts" in tab.page.locator("#count").inner_text()
    assert (
        open_tab(f"{concept_path('odd', 'tuned', 2, 0)}#{hash_}&in=x.y")
        .page.locator("#contexts li")
        .count()
    )


def test_model_and_layer_are_switched_with_the_filters_kept(open_tab: Any) -> None:
    tab = open_tab(f"{LIST}#word=the&min=2")
    expect(tab.page.locator("#lower")).to_have_attribute("href", re.compile("#"))
    tab.page.keyboard.press("ArrowLeft")
    tab.page.wait_for_url("**/tuned/layer-01/index.html#**")
    tab.page.locator(".switch a", has_text="base").click()
    tab.page.wait_for_url("**/base/layer-01/index.html#**")
    assert (tab.page.input_value("[name=word]"), tab.page.input_value("[name=min]")) == ("the", "2")


def test_a_word_shows_its_sentences_and_the_hash_keeps_it(open_tab: Any) -> None:
    tab = open_tab(concept_path("odd", "tuned", 2, 0))
    button = tab.page.locator("#words [data-at]").first
    word, n = button.locator("bdi").inner_text(), int(button.locator("i").inner_text())
    button.click()
    expect(tab.page.locator("#contexts-count")).to_contain_text("“")
    expect(tab.page.locator("#contexts li")).to_have_count(n)
    assert set(tab.page.locator("#contexts mark").all_inner_texts()) == {word}
    assert button.get_attribute("aria-pressed") == "true"
    again = open_tab(concept_path("odd", "tuned", 2, 0) + tab.page.evaluate("location.hash"))
    expect(again.page.locator("#contexts li")).to_have_count(n)
    again.page.click("#as-list")
    assert again.page.locator("#words.cloud").count() == 0
    again.page.click("#all")
    again.page.click("#all")
    total = int(re.findall(r"of (\d+)", again.page.locator("#contexts-count").inner_text())[0])
    expect(again.page.locator("#contexts li")).to_have_count(total)


def test_a_word_is_followed_through_the_layers(open_tab: Any, tiny_run: Run) -> None:
    tab = open_tab(words_path("odd"))
    expect(tab.page.locator("#count")).to_have_text("The most frequent:")
    counts = [int(n) for n in tab.page.locator("#found i").all_inner_texts()]
    assert len(counts) > 5
    assert counts == sorted(counts, reverse=True)
    tab.page.fill("[name=word]", "__proto__")
    tab.page.wait_for_selector("#grid tbody tr:nth-child(3) td:nth-child(3) a")
    assert tab.page.locator("#grid tbody th").all_inner_texts() == ["2", "1", "0"]
    assert tab.page.locator("#grid thead th").all_inner_texts() == ["Layer", "base", "tuned"]
    concepts = tiny_run.concepts["odd", "tuned"]
    labels = concepts.labels(2)[concepts.words.values("form") == "__proto__"]
    cell = tab.page.locator("#grid tbody tr").first.locator("td").nth(1)
    assert {int(n) for n in cell.locator("a i").all_inner_texts()} <= set(labels.tolist())
    cell.locator("a").first.click()
    expect(tab.page.locator("#words [aria-pressed=true] bdi")).to_have_text("__proto__")


def test_hostile_words_are_shown_and_do_nothing(open_tab: Any, folder: Path) -> None:
    seen = ""
    tab = open_tab(concept_path("odd", "tuned", 0, 0))
    for number in range(12):
        tab.page.goto((folder / concept_path("odd", "tuned", 0, number)).as_uri())
        for button in tab.page.locator("#words [data-at]").all()[:4]:
            button.click()
        tab.page.click("#all") if tab.page.locator("#all:visible").count() else None
        seen += tab.page.locator("main").inner_text()
        assert tab.page.locator("main :is(img, script:not([type]))").count() == 0
    for word in (*HOSTILE, *CLASSES):
        assert word in seen
    tab.page.goto((folder / words_path("odd")).as_uri())
    tab.page.fill("[name=word]", html.unescape("&lt;"))
    tab.page.locator("#found button").first.click()
    tab.page.wait_for_selector("#grid tbody a")
    assert tab.page.locator("main :is(img, script:not([type]))").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_no_clipped_page(open_tab: Any, scheme: str) -> None:
    for path in (ENTRY, LIST, concept_path("odd", "tuned", 2, 0), words_path("odd")):
        tab = open_tab(path, width=375, color_scheme=scheme)
        assert tab.page.evaluate("document.documentElement.scrollWidth") == 375, path
