"""The page's section of neurons: its data, and the section in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuron_page import ARABIC, HEBREW, SENTENCES, hostile_store, section
from runs import HOSTILE, LABELS
from test_page_browser import NAMES, QUIET, find_browser
from tunescope.neurons.look import NeuronView, look_at
from tunescope.report.neurons.browser import neuron_data
from tunescope.report.site import STATIC

CHOSEN = {("<b>odd</b>", "<i>base</i>", "1:0"): [("upos", "NOUN", 1), ("gone", "x", 2)]}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[NeuronView]:
    folder = tmp_path_factory.mktemp("neurons")
    base, tuned = hostile_store(folder / "a"), hostile_store(folder / "b", "tuned", 1)
    return [*look_at(base, ["0:0", "0:4", "1:0"]), *look_at(tuned, ["0:0", "1:0"])]


# --- data ----------------------------------------------------------------------------------------


def test_data_gives_back_words_contexts_and_values(views: list[NeuronView]) -> None:
    data = json.loads(json.dumps(neuron_data(views), allow_nan=False))
    assert [group["model"] for group in data["groups"]] == ["<i>base</i>", "tuned"]
    assert [corpus["name"] for corpus in data["corpora"]] == ["<b>odd</b>"]
    sentences, rtl = data["corpora"][0]["sentences"], data["corpora"][0]["rtl"]
    assert sorted(sentences) == sorted(SENTENCES)
    assert rtl == [int(words in (HEBREW, ARABIC)) for words in sentences]
    group = data["groups"][0]
    for view, neuron in zip(views, group["neurons"], strict=False):
        assert f"{neuron['layer']}:{neuron['index']}" == str(view.neuron)
        assert [word for word, *_ in neuron["words"]] == view.words["word"].tolist()[:40]
        for side, contexts in zip(("highest", "lowest"), neuron["contexts"], strict=True):
            for context, row in zip(contexts, view.side(side).to_dict("records"), strict=False):
                sentence, place, deviations = context
                assert sentences[sentence][place] == row["word"]
                found = [neuron["mean"] + z / 100 * neuron["sd"] for z in deviations]
                assert found == pytest.approx(row["activations"], abs=0.006 * neuron["sd"])
        for label, rows in enumerate(neuron["values"]):
            table = view.of_label(group["labels"][label])
            assert [group["tags"][label][row[0]] for row in rows] == table["tag"].tolist()
            assert [row[7] / 1000 for row in rows] == pytest.approx(table["auc"], abs=0.0006)


def test_neurons_are_listed_under_what_they_tell_apart(views: list[NeuronView]) -> None:
    group = neuron_data(views)["groups"][0]
    told = [[(group["labels"][a], group["tags"][a][b], rank) for a, b, rank in neuron["for"]]
            for neuron in group["neurons"]]  # fmt: skip
    assert ("upos", "NOUN", 0) in told[2]
    assert told[1] == []
    chosen = neuron_data(views, CHOSEN)["groups"][0]
    assert [neuron["for"] for neuron in chosen["neurons"]][:2] == [[], []]
    (label, tag, rank), *others = chosen["neurons"][2]["for"]
    assert (chosen["tags"][label][tag], rank, others) == ("NOUN", 1, [])


def test_without_neurons_there_is_no_section() -> None:
    made = section([])
    assert 'id="neurons"' not in made
    assert 'id="neuron-data"' not in made


def test_text_from_data_is_escaped(views: list[NeuronView]) -> None:
    made = section(views, CHOSEN)
    assert made.count("<script") == made.count("</script>") == 2
    for hostile in (*HOSTILE[:1], HOSTILE[2], LABELS[2], "<i>base</i>", "<b>odd</b>", "<b>x"):
        assert hostile not in made


def test_markup_is_never_made_from_data_and_addresses_do_not_collide() -> None:
    script = (STATIC / "neurons.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)
    template = (STATIC.with_name("templates") / "neurons.html.j2").read_text(encoding="utf-8")
    concepts = (STATIC.with_name("templates") / "concepts.html.j2").read_text(encoding="utf-8")
    ids = set(re.findall(r' id="([^"]+)"', template))
    assert not ids & set(re.findall(r' id="([^"]+)"', concepts))
    keys = set(re.findall(r'given\.(?:has|get)\(["`]([^"`]+)["`]\)', script))
    assert keys == {"nview", "neuron", "nlabel", "n${name}", "nsort"}


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        pytest.skip(f"THE SECTION WAS NOT TESTED: no Chromium or Chrome found ({', '.join(NAMES)})")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=path, args=list(QUIET))
        yield found
        found.close()


@pytest.fixture
def open_page(chromium: Any, views: list[NeuronView], tmp_path: Path) -> Iterator[Any]:
    file = tmp_path / "page.html"
    file.write_text(section(views), encoding="utf-8")
    opened: list[Any] = []
    complaints: list[str] = []

    def open_(fragment: str = "", width: int = 1280, scheme: str = "light") -> Any:
        size = {"width": width, "height": 900}
        page = chromium.new_context(viewport=size, color_scheme=scheme).new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: opened.append(request.url))
        page.goto(file.as_uri() + fragment)
        pages.append(page)
        return page

    pages: list[Any] = []
    yield open_
    for page in pages:
        assert page.evaluate("window.pwned") is None
        page.context.close()
    assert complaints == []
    assert {url.split("#")[0] for url in opened} == {file.as_uri()}


def title(page: Any) -> str:
    return page.locator("#neuron-detail h3").inner_text()


def test_hostile_words_are_shown_and_do_nothing(open_page: Any) -> None:
    page = open_page()
    shown = ""
    for button in page.locator("#neuron-list button").all():
        button.click()
        shown += page.locator("#neuron-detail").inner_text()
    for text in (*HOSTILE, *LABELS, "<i>base</i>", "never changes"):
        assert text in shown
    assert page.locator("#neurons :is(script, img, i, b)").count() == 0


def test_right_to_left_sentences_run_from_the_right(open_page: Any) -> None:
    page = open_page("#nview=0&neuron=1:0")
    for words in (HEBREW, ARABIC):
        context = page.locator("#neuron-detail .context", has_text=words[1]).first
        assert context.get_attribute("dir") == "rtl"
        boxes = [box.bounding_box() for box in context.locator(".filled").all()]
        end = context.bounding_box()["x"] + context.bounding_box()["width"]
        assert boxes[0]["x"] + boxes[0]["width"] == pytest.approx(end, abs=3), "starts right"
        assert boxes[1]["x"] < boxes[0]["x"]
        if words is HEBREW:  # an English name inside reads to the right
            john, smith = (boxes[HEBREW.index(word)] for word in ("John", "Smith"))
            assert john["x"] < smith["x"] < boxes[HEBREW.index("כתב")]["x"]
    context = page.locator("#neuron-detail .context", has_text="${window").first
    assert context.get_attribute("dir") == "ltr"


def test_words_are_coloured_by_side_and_show_values_when_asked(open_page: Any) -> None:
    page = open_page("#nview=0&neuron=1:0")
    marked = page.locator("#neuron-detail .context .here").first
    assert marked.evaluate("e => e.style.background").startswith("rgba(230, 159, 0")
    assert re.fullmatch(r"\S+ \(\+\d\.\d sd\)", marked.get_attribute("title"))
    assert page.locator("#neuron-detail .value").count() == 0
    page.check("#neuron-numbers")
    words = page.locator("#neuron-detail .context .filled").count()
    assert page.locator("#neuron-detail .value").count() == words


def test_neurons_filter_sort_and_keep_their_address(open_page: Any) -> None:
    page = open_page()
    buttons = page.locator("#neuron-list button")
    assert page.locator("#neuron-count").inner_text() == "3 of 3 neurons"
    page.select_option("#neuron-tag", label="upos: NOUN")
    assert buttons.count() == 1
    buttons.first.click()
    assert title(page).startswith("Neuron 1:0")
    assert page.locator(".boxes tbody th").first.inner_text() == "NOUN"
    page.select_option("#neuron-label", label="<b>x")
    fragment = page.evaluate("location.hash")
    again = open_page(fragment)
    assert title(again) == title(page)
    assert again.locator("#neuron-label option:checked").inner_text() == "<b>x"
    assert again.locator("#neuron-tag option:checked").inner_text() == "upos: NOUN"
    page.select_option("#neuron-tag", "")
    page.fill("#neuron-search", "constructor")
    assert buttons.count() == 2
    page.fill("#neuron-search", "")
    page.select_option("#neuron-layer", "1")
    assert buttons.count() == 1


def test_the_same_place_in_the_other_model_is_one_click_away(open_page: Any) -> None:
    page = open_page("#nview=0&neuron=1:0")
    page.locator("#neuron-detail a").click()
    page.wait_for_function(
        "document.querySelector('#neuron-detail h3').textContent.endsWith('tuned')"
    )
    assert title(page) == "Neuron 1:0 · tuned"
    page.go_back()
    page.wait_for_function(
        "!document.querySelector('#neuron-detail h3').textContent.endsWith('tuned')"
    )


@pytest.mark.parametrize("fragment", ["#nview=9&neuron=7:7&ntag=x&nsort=y&nlayer=z", "#view=0"])
def test_a_broken_or_foreign_address_still_shows_neurons(open_page: Any, fragment: str) -> None:
    page = open_page(fragment)
    assert page.locator("#neuron-list button").count() == 3
    assert page.evaluate("location.hash") == fragment


def test_arrow_keys_walk_through_neurons(open_page: Any) -> None:
    page = open_page("#nview=0")
    page.locator('#neuron-list button[tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert title(page).startswith("Neuron 0:4")
    assert page.locator("#neuron-list [aria-current]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_no_clipped_section(open_page: Any, scheme: str) -> None:
    page = open_page(width=375, scheme=scheme)
    page.locator("#neuron-list button").nth(2).click()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.evaluate("document.activeElement.id") == "neuron-detail"
