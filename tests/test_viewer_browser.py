"""Overview, layers, alignment in a real browser, from disk: drawn, linked, narrow, dark, keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import Tab, chromium  # noqa: F401  (a fixture)
from runs import CLASSES, HOSTILE
from tunescope.report.figure import CELL
from tunescope.study.result import Run
from tunescope.viewer.site import Site

expect = pytest.importorskip("playwright.sync_api").expect
LAYERS = "layers/base-tuned/index.html"
ALIGNMENT = "alignment/odd-base-tuned/index.html"
PAGES = (
    "index.html", LAYERS, ALIGNMENT, "triggers/odd-base-tuned/index.html", "neurons/index.html",
    "neurons/odd-upos-tuned/index.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the site, but for nearly all images."""
    site, out = Site(tiny_run), tmp_path_factory.mktemp("site")
    for path in site.paths():
        image = path.endswith((".svg", ".png"))
        if not image or path.startswith(f"{LAYERS.removesuffix('index.html')}difference-base"):
            content = site.get(path)
            assert content is not None
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content.body)
    return out


@pytest.fixture
def open_tab(chromium: Any, folder: Path) -> Iterator[Any]:  # noqa: F811
    tabs: list[Tab] = []

    def opened(address: str, **settings: Any) -> Tab:
        path, _, fragment = address.partition("#")
        at = (folder / path).as_uri() + (f"#{fragment}" if fragment else "")
        tabs.append(Tab(chromium, at, **settings))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.check(folder.as_uri())
        tab.context.close()


def draw(page: Any) -> None:
    page.evaluate("tunescope.drawAll()")
    page.wait_for_selector("html[data-charts=drawn]", state="attached")


@pytest.mark.parametrize("address", PAGES)
def test_every_chart_is_drawn_and_has_marks(open_tab: Any, address: str) -> None:
    page = open_tab(address).page
    draw(page)
    charts = page.locator(".chart")
    assert charts.count() >= 3 or address in ("index.html", "neurons/index.html")
    for chart in charts.all():
        label = chart.get_attribute("aria-label")
        assert chart.get_attribute("data-drawn") == "yes", label
        marks = chart.locator("svg .role-mark path, svg .role-mark line, svg .role-mark rect")
        assert marks.count() > 0, label
        box = chart.locator("svg").bounding_box()
        assert box["width"] > 250 and box["height"] > 100, label
        assert "NaN" not in chart.inner_html(), label


def test_charts_are_drawn_when_they_come_into_view(open_tab: Any) -> None:
    page = open_tab(ALIGNMENT).page
    last = page.locator(".chart").last
    assert last.get_attribute("data-drawn") is None
    last.scroll_into_view_if_needed()
    expect(last.locator("svg")).to_have_count(1)
    drawn = page.locator(".chart[data-drawn]").count()
    assert 0 < drawn < page.locator(".chart").count()
    # A figure with two charts loads its numbers once, whenever either is drawn.
    two = page.locator("figure.beside .chart")
    draw(page)
    assert two.count() == page.locator("figure.beside .chart[data-drawn=yes]").count() > 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", PAGES)
def test_a_phone_sees_no_clipped_page(open_tab: Any, address: str, scheme: str) -> None:
    page = open_tab(address, width=375, color_scheme=scheme).page
    draw(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    for svg in page.locator(".chart svg").all():
        assert svg.bounding_box()["width"] <= 345
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 29)")
    for label in page.locator("svg .role-axis-label text").all()[:3]:
        colour = label.evaluate("e => getComputedStyle(e).fill")
        assert colour != paper


def test_evidence_is_one_click_away(open_tab: Any) -> None:
    page = open_tab("index.html").page
    expect(page.locator("h1")).to_have_text("tiny")
    card = page.locator(".findings li", has_text="concepts in odd").first
    card.get_by_role("link", name="See the figure").click()
    expect(page.locator("h1")).to_have_text("Alignment of concepts in odd: base → tuned")
    assert page.evaluate("location.hash") == "#retained-base-tuned-odd"
    figure = page.locator("#retained-base-tuned-odd")
    expect(figure.locator("svg.marks")).to_have_count(1)
    expect(figure).to_be_in_viewport()
    page.locator("nav.site a", has_text="tunescope · tiny").click()
    expect(page.locator("h1")).to_have_text("tiny")


def test_a_cell_of_a_matrix_leads_to_the_concepts_of_its_tuned_layer(open_tab: Any) -> None:
    page = open_tab(f"{LAYERS}#matrix-base-tuned-odd").page
    figure = page.locator("#matrix-base-tuned-odd")
    expect(figure.locator("svg.marks")).to_have_count(1)
    cells = figure.locator("svg .mark-rect.role-mark path")
    assert cells.count() == 9
    assert CELL in figure.locator("figcaption").inner_text()
    cells.nth(4).click()
    page.wait_for_url("**/concepts/odd/tuned/layer-01/index.html")
    page.go_back()
    links = figure.locator("nav.opens a")
    assert links.count() == 6
    links.nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/concepts/odd/tuned/layer-02/index.html")


def test_a_phone_shows_whole_legends_and_the_link_button_beside_the_name(open_tab: Any) -> None:
    page = open_tab("triggers/odd-base-tuned/index.html", width=375).page
    figure = page.locator("#triggers figure").first
    figure.scroll_into_view_if_needed()
    expect(figure.locator("svg.marks")).to_have_count(1)
    labels = figure.locator(".role-legend-label text")
    assert "HotFlip" in labels.all_text_contents()
    edge = figure.bounding_box()
    for n in range(labels.count()):
        box = labels.nth(n).bounding_box()
        assert box["x"] + box["width"] <= edge["x"] + edge["width"]
    tops = page.eval_on_selector_all("nav.site > *", "all => all.map(e => e.offsetTop)")
    brand, first, button = tops[0], tops[1], tops[-1]
    assert abs(brand - button) < 20 < first - brand


def test_what_tuning_created_leads_to_its_concepts(open_tab: Any) -> None:
    page = open_tab("index.html").page
    table = page.locator("#created-odd-base-tuned table")
    number = table.locator("tbody th").first.inner_text()
    table.locator("tbody th a").first.click()
    page.wait_for_url(f"**/concepts/odd/tuned/layer-02/{int(number):04d}.html")
    page.go_back()
    page.locator("#created-odd-base-tuned nav.opens a").click()
    page.wait_for_url("**/concepts/odd/tuned/layer-02/index.html#fate=born&sort=flips")


def test_places_on_a_page_and_the_state_of_a_view_are_kept_together(open_tab: Any) -> None:
    page = open_tab(f"{ALIGNMENT}#polarised-base-tuned-odd&k=7").page
    figure = page.locator("#polarised-base-tuned-odd")
    expect(figure).to_be_in_viewport()
    assert page.evaluate("tunescope.state.read()") == {"k": "7"}
    page.evaluate("tunescope.state.write({k: 8, word: 'a&b=c#'})")
    assert page.evaluate("location.hash").startswith("#polarised-base-tuned-odd&k=8")
    page.locator('nav.page a[href="#kept"]').click()
    expect(page.locator("#kept h2")).to_be_in_viewport()
    assert page.evaluate("location.hash").startswith("#kept&k=8")
    assert page.evaluate("tunescope.state.read()") == {"k": "8", "word": "a&b=c#"}
    page.go_back()
    expect(figure).to_be_in_viewport()


def test_a_link_to_a_figure_stays_with_it_while_charts_above_are_drawn(open_tab: Any) -> None:
    page = open_tab(f"{LAYERS}#polarised-base-tuned-more").page
    draw(page)
    top = page.locator("#polarised-base-tuned-more").evaluate("e => e.getBoundingClientRect().top")
    assert -5 <= top <= 60


def test_the_address_of_the_view_is_copied(open_tab: Any) -> None:
    tab = open_tab(f"{LAYERS}#difference-base-tuned-odd-upos")
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.page.locator("#copy-link").click()
    expect(tab.page.locator("#copy-link")).to_have_text("Copied")
    assert tab.page.evaluate("navigator.clipboard.readText()") == tab.page.url
    expect(tab.page.locator("#copy-link")).to_have_text("Copy link")


def test_numbers_files_and_command_are_beside_every_figure(open_tab: Any, folder: Path) -> None:
    page = open_tab(LAYERS).page
    page.evaluate("tunescope.drawAll()")  # charts grow, and what is below them moves
    figure = page.locator("#difference-base-tuned-odd-upos")
    with page.expect_download() as download:
        figure.locator(".files a", has_text="CSV").click()
    assert Path(download.value.path()).read_text().startswith("corpus,label,base,tuned,")
    for kind, first in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):  # from disk, Chromium shows these
        name = figure.locator(".files a", has_text=kind).get_attribute("href")
        assert (folder / LAYERS).with_name(name).read_bytes().startswith(first)
    table = figure.locator("details.numbers table")
    assert not table.is_visible()
    figure.locator("summary").focus()
    page.keyboard.press("Enter")
    assert table.is_visible() and "tunescope" in figure.locator("pre").inner_text()
    for figure in page.locator("figure").all():
        assert figure.locator(".files a", has_text="CSV").count() == 1


def test_the_page_is_used_by_keyboard(open_tab: Any) -> None:
    page = open_tab(LAYERS).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    current = page.locator("nav.site [aria-current]")
    assert current.all_inner_texts() == ["Layers"]
    crumbs = page.locator("nav.crumbs")
    assert crumbs.inner_text().split() == ["tiny", "›", "Layers:", "base", "→", "tuned"]
    for name in page.locator("section h2, figure h3").all_inner_texts():
        assert name.strip()


def test_hostile_words_are_shown_and_do_nothing(open_tab: Any) -> None:
    page = open_tab("index.html").page
    shown = page.locator("main").inner_text()
    assert CLASSES[0] in shown and any(word in shown for word in HOSTILE if "<" in word)
    assert page.locator("main :is(script, img, i, b, em)").count() == 0


def test_print_draws_every_chart(open_tab: Any) -> None:
    page = open_tab(LAYERS).page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_selector("html[data-charts=drawn]", state="attached")
    page.emulate_media(media="print")
    assert not page.locator("nav.site").is_visible()
    assert page.locator(".chart svg").first.is_visible()
