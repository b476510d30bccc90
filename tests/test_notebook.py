"""Figures and results in a notebook: all text is text, nothing runs, nothing is fetched."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest
from markupsafe import Markup

from runs import HOSTILE
from tunescope.errors import InputError
from tunescope.report.figure import Figure
from tunescope.report.figures.style import styled
from tunescope.results import Result
from tunescope.study.result import Run
from tunescope.viewer.figure_pages import FigurePages
from tunescope.viewer.figures import Figures, figures
from tunescope.viewer.site import Site

MATH = "tex2jax_ignore mathjax_ignore"
INERT = {
    "div", "h4", "p", "img", "table", "thead", "tbody", "tr", "th", "td", "small", "details",
    "summary", "pre", "b", "br", "code",
}  # fmt: skip
TEXT = " ".join(HOSTILE)


class Parsed(HTMLParser):
    """Elements, their attributes, and all text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def draw(word: str) -> alt.Chart:
    rows = pd.DataFrame({"word": [word], "share": [0.5]})
    return styled(alt.Chart(rows).mark_bar().encode(alt.X("share:Q"), alt.Y("word:N")))


@pytest.fixture
def hostile() -> Figure:
    table = pd.DataFrame({f"column {TEXT}": [f"cell {TEXT}"]})
    charts = {f"{n} {TEXT}": partial(draw, word) for n, word in enumerate(HOSTILE[:3])}
    return Figure("hostile", f"title {TEXT}", f"caption {TEXT}", charts, table, f"source {TEXT}",
                  shown=table)  # fmt: skip


def drawn(html: str) -> list[str]:
    """Images in a figure, as SVG."""
    found = Parsed(html).all("src")
    assert all(source.startswith("data:image/svg+xml;base64,") for source in found)
    return [b64decode(source.partition(",")[2]).decode("utf-8") for source in found]


def test_a_figure_shows_all_it_has_and_all_text_is_text(hostile: Figure):
    bundle = hostile._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == repr(hostile) == f"<Figure 'hostile': title {TEXT}>"
    parsed = Parsed(bundle["text/html"])
    assert set(parsed.tags) <= INERT
    assert {name for name, _ in parsed.attributes} <= {"style", "class", "src", "alt"}
    for part in ("title", "caption", "source", "column", "cell", "0", "1", "2"):
        assert f"{part} {TEXT}" in parsed.text
    assert parsed.all("alt") == [f"title {TEXT}: {name}" for name in hostile.charts]


def test_charts_are_images_in_which_nothing_runs_or_is_fetched(hostile: Figure):
    images = drawn(hostile._repr_mimebundle_()["text/html"])
    assert len(images) == 3
    for image, word in zip(images, HOSTILE, strict=False):
        root = ElementTree.fromstring(image)
        assert word[:12] in "".join(root.itertext())  # axes cut long labels
        assert not [node.tag for node in root.iter() if node.tag.endswith(("script", "image"))]
        values = [value for node in root.iter() for value in node.attrib.values()]
        assert not [value for value in values if re.search(r"https?:|//|javascript:", value)]
        assert 'fill="white"' in image  # letters are dark, whatever stands around them


def test_what_is_markup_already_stays(hostile: Figure):
    written = Markup('<b>bold</b> <a href="../a.html" title="&gt;">here</a>')
    plain = Figure("a", "A", "c", {}, hostile.table, "s", written=written)
    html = plain._repr_mimebundle_()["text/html"]
    assert "<b>bold</b> here" in html and "<img" not in html and "<table" not in html
    assert "href" not in html  # there are no pages beside a notebook


class Prices(Result):
    """A result with words that a notebook would take for mathematics."""

    def headline(self) -> str:
        return "$5 or $10"

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({"word": ["$x$"]})


def test_no_word_becomes_mathematics(hostile: Figure, tiny_run: Run):
    view = next(iter(tiny_run.neurons.rankings.values())).views()[0]
    explained = next(iter(tiny_run.latent.explanations.values()))
    shown = [found._repr_html_() for found in (Prices(), view, explained, Figures(tiny_run))]
    for html in [*shown, hostile._repr_mimebundle_()["text/html"]]:
        assert html.startswith(f'<div class="{MATH}">') and html.endswith("</div>")


def test_figures_are_those_of_the_pages(tiny_run: Run):
    found = figures(tiny_run)
    on_pages: dict[str, Figure] = {}
    for kind in Site(tiny_run).kinds:
        if isinstance(kind, FigurePages):
            for link in kind.links():
                page = kind.page(link.path)
                assert page is not None
                on_pages = on_pages | page.figures
    assert set(found) == set(on_pages) and len(found) == len(on_pages) > 50
    assert list(figures(tiny_run.path)) == list(found) == found._ipython_key_completions_()
    kinds = {name.split("-")[0] for name in found}
    assert {"accuracy", "retained", "triggers", "minimal"} <= kinds
    for name, figure in found.items():
        assert figure.name == name and figure.csv() == on_pages[name].csv()


def test_figures_are_listed_as_on_the_pages_and_not_drawn(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing is drawn for a list")

    monkeypatch.setattr(alt.Chart, "__init__", refuse)
    found = figures(tiny_run)
    text, parsed = repr(found), Parsed(found._repr_html_())
    assert set(parsed.tags) <= INERT
    for shown in (text, parsed.text):
        assert f"{len(found)} figures of 'tiny'" in shown
        for _, page in found.pages():
            assert page.title in shown
            for group in page.groups:
                assert not group.figures or group.heading in shown
        for name, figure in found.items():
            assert name in shown and figure.title in shown


def test_an_unknown_figure_names_the_nearest(tiny_run: Run):
    found = figures(tiny_run)
    with pytest.raises(InputError, match="no figure 'acuracy-base.*did you mean 'accuracy-base-"):
        found["acuracy-base-tuned-odd-upos"]
    assert "nothing" not in found and found.get("nothing") is None
    assert "accuracy-base-tuned-odd-upos" in found
    with pytest.raises(InputError, match="is not a run's folder"):
        figures(tiny_run.path / "corpora")


def test_nothing_is_said_of_clicks_where_nothing_can_be_clicked(tiny_run: Run):
    matrix = figures(tiny_run)["matrix-base-tuned-odd"]
    assert matrix.clicked
    assert matrix.clicked not in matrix._repr_mimebundle_()["text/html"]


def test_a_figure_of_a_run_is_a_picture(tiny_run: Run):
    html = figures(tiny_run)["accuracy-base-tuned-odd-upos"]._repr_mimebundle_()["text/html"]
    (image,) = drawn(html)
    assert "Layer (0 = embeddings)" in image


def test_figures_of_a_run_whose_alignment_failed_are_those_that_are_left(
    tiny_run: Run, tmp_path: Path
):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "alignment")
    kinds = {name.split("-")[0] for name in figures(tmp_path / "run")}
    assert {"accuracy", "triggers", "minimal"} <= kinds and "retained" not in kinds
