"""Maps in a real browser, from disk: points drawn, encircled, clicked, followed, by keys too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import Tab, chromium  # noqa: F401  (a fixture)
from runs import CLASSES, HOSTILE
from tunescope.study.result import Run
from tunescope.viewer.site import Site

expect = pytest.importorskip("playwright.sync_api").expect
MAP = "map/odd-base-tuned/layer-{:02d}.html"
WHOLE = "0,0_1,0_1,1_0,1"


@pytest.fixture(scope="module")
def folder(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the maps, and the pages about concepts of the last layer."""
    site, out = Site(tiny_run), tmp_path_factory.mktemp("site")
    for path in site.paths():
        of_map = path.startswith(("map/odd", "static/")) and not path.endswith((".svg", ".png"))
        if of_map or ("/layer-02/" in path and path.endswith(".html")):
            content = site.get(path)
            assert content is not None
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content.body)
    return out


@pytest.fixture
def open_map(chromium: Any, folder: Path) -> Iterator[Any]:  # noqa: F811
    tabs: list[Tab] = []

    def opened(fragment: str = "", layer: int = 2, **settings: Any) -> Any:
        address = (folder / MAP.format(layer)).as_uri() + (f"#{fragment}" if fragment else "")
        tabs.append(Tab(chromium, address, **settings))
        tabs[-1].page.wait_for_selector("html[data-map=drawn]", state="attached")
        return tabs[-1].page

    yield opened
    for tab in tabs:
        tab.check(folder.as_uri())
        tab.context.close()


def data(folder: Path, name: str = "layer-02") -> dict[str, Any]:
    script = (folder / f"map/odd-base-tuned/{name}.js").read_text(encoding="utf-8")
    return json.loads(script.removeprefix("tunescope.data(").removesuffix(");\n"))


def hash_of(page: Any) -> dict[str, str]:
    return page.evaluate("tunescope.state.read()")


def title(page: Any) -> str:
    return page.locator("#chosen-title").inner_text()


def ink(canvas: Any) -> int:
    """How many pixels of a canvas are painted."""
    return canvas.evaluate(
        """canvas => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, n) => n % 4 === 3 && value > 60).length;
        }"""
    )


def on_screen(page: Any, folder: Path, role: str, i: int) -> tuple[float, float]:
    """Where a point is on the page, the whole map being shown."""
    model = next(m for m in data(folder)["models"] if m["role"] == role)
    canvas = page.locator("canvas").nth(["base", "tuned"].index(role))
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    size = min(box["width"], box["height"]) - 2
    x, y = model["x"][i] / 10_000, model["y"][i] / 10_000
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + (x - 0.5) * size, middle[1] - (y - 0.5) * size


def test_both_models_are_drawn_and_the_legend_filters(open_map: Any) -> None:
    page = open_map()
    canvases = page.locator("canvas")
    expect(canvases).to_have_count(2)
    before = ink(canvases.nth(0))
    assert before > 200 and ink(canvases.nth(1)) > 200
    buttons = page.locator("#legend button")
    counts = [int(n) for n in page.locator("#legend i").all_inner_texts()]
    n = int(title(page).split()[1])
    assert sum(counts) == 2 * n and title(page) == f"All {n} words drawn"
    for number in range(buttons.count()):
        buttons.nth(number).click()
        assert buttons.nth(number).get_attribute("aria-pressed") == "false"
    assert ink(canvases.nth(0)) == 0 and page.locator("#concepts-of li").count() == 0
    assert hash_of(page)["off"].count(".") == buttons.count() - 1


def test_a_lasso_chooses_words_and_lists_their_concepts_in_both_models(
    open_map: Any, folder: Path
) -> None:
    page = open_map()
    made = data(folder)
    order = sorted(range(len(made["word"])), key=made["models"][1]["x"].__getitem__)
    middle = on_screen(page, folder, "tuned", order[len(order) // 2])[0]
    box = page.locator("canvas").nth(1).bounding_box()
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = middle + 2, top + box["height"] - 6
    page.mouse.move(left, top)
    page.mouse.down()
    for at in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(*at, steps=8)
    page.mouse.up()
    expect(page).to_have_url(re.compile("lasso="))
    role, line = hash_of(page)["lasso"].split("!")
    edge = max(float(pair.split(",")[0]) for pair in line.split("_"))
    inside = [i for i, x in enumerate(made["models"][1]["x"]) if x / 10_000 < edge]
    assert role == "tuned" and 0 < len(inside) < len(made["word"])
    assert title(page).startswith(f"{len(inside)} word")
    for m, section in enumerate(page.locator("#concepts-of section").all()):
        held = {made["models"][m]["concept"][i] for i in inside}
        listed = {int(text) for text in section.locator("li a i").all_inner_texts()}
        assert listed == held
    shown = page.locator("#words-of .words bdi").all_inner_texts()
    contexts = data(folder, "words")["contexts"]
    assert set(shown) == {contexts[made["word"][i]][1] for i in inside}
    again = open_map(page.evaluate("location.hash").removeprefix("#"))
    expect(again.locator("#chosen-title")).to_have_text(title(page))
    page.locator("canvas").nth(0).focus()
    page.keyboard.press("Escape")
    assert title(page).startswith("All ") and "lasso" not in hash_of(page)


def test_a_click_chooses_a_concept_and_its_page_opens(open_map: Any, folder: Path) -> None:
    page = open_map()
    made = data(folder)
    at = on_screen(page, folder, "tuned", 3)
    page.mouse.move(*at)
    expect(page.locator("#tip")).to_be_visible()
    page.mouse.click(*at)
    role, concept = hash_of(page)["concept"].split(":")
    model = made["models"][1]
    near = [(model["x"][i], model["y"][i], model["concept"][i]) for i in range(len(model["x"]))]
    x, y, _ = near[3]
    assert role == "tuned"
    assert int(concept) in {c for a, b, c in near if abs(a - x) + abs(b - y) < 400}
    assert page.locator("[name=concept]").input_value() == f"tuned:{concept}"
    assert title(page).startswith(f"{model['concept'].count(int(concept))} word")
    first = page.locator("#concepts-of section").first
    assert first.locator("h3").inner_text() == "In tuned: 1 concept"
    first.locator("a").click()
    page.wait_for_url(f"**/concepts/odd/tuned/layer-02/{int(concept):04d}.html")
    page.get_by_role("link", name="On the map").click()
    page.wait_for_selector("html[data-map=drawn]", state="attached")
    assert hash_of(page) == {"concept": f"tuned:{concept}"}


def test_without_a_mouse_a_concept_is_chosen_and_the_map_moved(open_map: Any) -> None:
    page = open_map()
    select = page.locator("[name=concept]")
    select.focus()
    page.keyboard.press("ArrowDown")
    assert hash_of(page)["concept"].startswith("base:")
    canvas = page.locator("canvas").nth(0)
    assert "Map of" in canvas.get_attribute("aria-label")
    canvas.focus()
    for key in ("+", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"look=0\.\d{2,}(%2C|,)0\.\d{2,}"))
    x, y, k = (float(n) for n in hash_of(page)["look"].split(","))
    assert x > 0.5 and y > 0.5 and k == 1.5
    page.keyboard.press("0")
    assert "look" not in hash_of(page)


def test_the_whole_view_is_in_the_address(open_map: Any) -> None:
    given = {
        "colour": "label:upos", "panels": "over", "word": "fox", "off": "0",
        "lasso": f"over!{WHOLE}", "look": "0.4,0.6,2",
    }  # fmt: skip
    fragment = "&".join(f"{name}={value}" for name, value in given.items())
    page = open_map(fragment)
    expect(page.locator("canvas")).to_have_count(1)
    assert page.locator("[name=colour]").input_value() == "label:upos"
    assert page.locator("#legend button").nth(0).get_attribute("aria-pressed") == "false"
    assert set(page.locator("#words-of .words bdi").all_inner_texts()) <= {"fox", "foxs", "foxer"}
    page.locator("#legend button").nth(1).click()
    assert hash_of(page) == {**given, "off": "0.1"}
    page.get_by_role("button", name="Clear all").click()
    assert hash_of(page) == {}


def test_words_stay_chosen_from_layer_to_layer(open_map: Any, folder: Path) -> None:
    made = data(folder)
    concept = made["models"][0]["concept"][0]
    page = open_map(f"concept=base:{concept}&panels=over")
    words = [made["word"][i] for i, c in enumerate(made["models"][0]["concept"]) if c == concept]
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/layer-01.html#*")
    page.wait_for_selector("html[data-map=drawn]", state="attached")
    below = data(folder, "layer-01")
    kept = [word for word in words if word in below["word"]]
    assert kept and title(page).startswith(f"{len(kept)} word")
    assert hash_of(page)["panels"] == "over"


@pytest.mark.parametrize(
    "fragment",
    ["colour=nothing&panels=x&concept=base:999&look=a,b,c&lasso=q!1_2&off=99&these=!",
     "concept=tuned:-1&lasso=base!0,0_1,1"],
)  # fmt: skip
def test_a_broken_address_still_shows_the_map(open_map: Any, fragment: str) -> None:
    page = open_map(fragment)
    assert ink(page.locator("canvas").nth(0)) > 200


def test_hostile_words_are_shown_and_do_nothing(open_map: Any) -> None:
    page = open_map(f"panels=over&lasso=over!{WHOLE}")
    for more in ("#words-of .more", "#concepts-of .more"):
        while page.locator(more).count():
            page.locator(more).first.click()
    shown = page.locator("#chosen").inner_text()
    assert sum(word in shown for word in HOSTILE) > 10
    page.select_option("[name=colour]", "class")
    assert CLASSES[0] in page.locator("#legend").inner_text()
    assert page.locator("main :is(script:not([type]), img, b script)").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_sees_the_whole_page(open_map: Any, scheme: str) -> None:
    page = open_map(width=375, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    for canvas in page.locator("canvas").all():
        assert 300 < canvas.bounding_box()["width"] <= 375 and ink(canvas) > 200


def test_the_view_is_saved_as_an_image(open_map: Any) -> None:
    page = open_map()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save view").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
