"""The exported site, without a browser: links, policy, escaping, figures, what pages say."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from posixpath import join, normpath
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

from runs import CLASSES, HOSTILE, LABELS, NEURONS, STUDY, make_tiny_run, without
from tunescope.errors import InputError
from tunescope.report.concepts import labels
from tunescope.report.concepts import page as concept_page
from tunescope.report.figure import Figure, slug
from tunescope.report.figures.style import specification
from tunescope.report.finding import Evidence, Finding, headlines
from tunescope.report.findings import findings
from tunescope.report.sections import figures, pairs
from tunescope.report.transfer.findings import findings as transfer_findings
from tunescope.report.wording import percent
from tunescope.study.result import Run
from tunescope.viewer.assets import vega
from tunescope.viewer.concepts.effects import effects
from tunescope.viewer.export import export
from tunescope.viewer.figure_pages import FigurePage, FigurePages
from tunescope.viewer.frame import embedded_json, environment, policy
from tunescope.viewer.places import Places
from tunescope.viewer.site import Site

PAIR = ("base", "tuned")
IMAGES = (".svg", ".png")
DRAWN = (*IMAGES, ".js")
"""Files that are made by drawing a chart, which takes its time."""


class Page(HTMLParser):
    """What a page refers to, which names it has, and which elements."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.elements: set[str] = set()
        self.handlers: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            if name in ("href", "src", "data-source"):
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")
            elif name.startswith("on"):
                self.handlers.append(name)
        if tag == "script":
            self.scripts.append(dict(attrs))


@pytest.fixture(scope="module")
def site(tiny_run: Run) -> Site:
    return Site(tiny_run)


@pytest.fixture(scope="module")
def texts(site: Site) -> dict[str, str]:
    """Every page by its address."""
    paths = [path for path in site.paths() if path.endswith(".html")]
    found = {path: site.get(path) for path in paths}
    return {path: content.body.decode() for path, content in found.items() if content is not None}


@pytest.fixture(scope="module")
def pages(texts: dict[str, str]) -> dict[str, Page]:
    return {path: Page(text) for path, text in texts.items()}


def figure_pages(site: Site) -> Iterator[tuple[str, FigurePage]]:
    for kind in site.kinds:
        if isinstance(kind, FigurePages):
            for link in kind.links():
                page = kind.page(link.path)
                assert page is not None
                yield link.path, page


def values(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart."""
    return [row for rows in specification(chart)["datasets"].values() for row in rows]


def test_every_address_has_content_and_no_two_are_the_same(site: Site) -> None:
    paths = list(site.paths())
    assert len(paths) == len(set(paths))
    assert {path.split("/")[0] for path in paths} >= {
        "index.html", "layers", "alignment", "concepts", "neurons", "triggers", "static",
    }  # fmt: skip
    for path in paths:
        if path.startswith("static/") or not path.endswith(DRAWN):  # others are drawn below
            content = site.get(path)
            assert content is not None and content.body, path
    for path in ("nothing.html", "layers/nothing/index.html", "../study.toml", "static/../x"):
        assert site.get(path) is None


def test_every_link_leads_to_a_page_and_to_a_place_on_it(
    site: Site, pages: dict[str, Page]
) -> None:
    known = set(site.paths())
    reached = set()
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            assert not parts.scheme and not parts.netloc, (path, link)
            above = path.rpartition("/")[0]
            target = normpath(join(above, unquote(parts.path))) if parts.path else path
            assert target in known, (path, link)
            reached.add(target)
            name = unquote(parts.fragment)
            if name and "=" not in name and target.endswith(".html"):
                assert name in pages[target].ids, (path, link)
    assert {path for path in pages if path not in reached} == set(), "every page is linked"


def test_pages_allow_their_own_scripts_alone(pages: dict[str, Page], texts: dict[str, str]) -> None:
    for path, page in pages.items():
        said = re.search(r'Content-Security-Policy" content="([^"]*)"', texts[path])
        assert said is not None and html.unescape(said[1]) == policy(), path
        assert page.handlers == []
        for script in page.scripts:
            assert script.get("type") == "application/json" or script.get("src"), path
            assert "static/" in (script.get("src") or "static/"), path
    assert "unsafe-eval" not in policy() and "script-src 'self'" in policy()
    assert "connect-src" not in policy(), "default-src 'none': a page from disk asks for nothing"


def test_text_from_data_is_escaped_on_every_page(
    texts: dict[str, str], pages: dict[str, Page]
) -> None:
    hostile = [text for text in (*HOSTILE, *LABELS, *CLASSES) if "<" in text]
    assert len(hostile) > 4
    seen = set()
    for path, text in texts.items():
        for word in hostile:
            assert word == "</script>" or word not in text, (path, word)
            seen |= {word} & {html.unescape(text)[i : i + len(word)] for i in _at(text, word)}
        assert text.count("<script") == text.count("</script>") == len(pages[path].scripts), path
        assert "em" not in pages[path].elements, path
    assert seen, "hostile words are shown"
    assert "A study of &lt;em&gt;nothing&lt;/em&gt; &amp; everything." in texts["index.html"]


def _at(text: str, word: str) -> Iterator[int]:
    """Where a word stands once markup is undone."""
    return (found.start() for found in re.finditer(re.escape(word), html.unescape(text)))


def test_embedded_json_cannot_end_its_element() -> None:
    made = str(embedded_json({"<!--": ["</script><script>alert(1)</script>", "&amp;"]}))
    assert "<" not in made
    assert json.loads(made) == {"<!--": ["</script><script>alert(1)</script>", "&amp;"]}
    assert "</script" not in vega()


def test_same_run_same_pages(site: Site, tiny_run: Run) -> None:
    again = Site(Run.load(tiny_run.path))
    paths = [path for path in site.paths() if not path.endswith(DRAWN)]
    assert paths == [path for path in again.paths() if not path.endswith(DRAWN)]
    for path in paths:
        assert again.get(path) == site.get(path), path


def test_export_writes_every_address_and_refuses_what_is_no_run(
    tiny_site: Path, site: Site, tmp_path: Path
) -> None:
    there = {path.relative_to(tiny_site).as_posix() for path in tiny_site.rglob("*.*")}
    assert there == set(site.paths())
    sizes = [path.stat().st_size for path in tiny_site.rglob("*") if path.suffix in IMAGES]
    assert min(sizes) > 1000
    with pytest.raises(InputError, match=r"no study\.toml"):
        export(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_figure_has_caption_source_numbers_and_files(site: Site, tiny_run: Run) -> None:
    names, known = set(), set(site.paths())
    for path, page in figure_pages(site):
        above = path.rpartition("/")[0]
        for name, figure in page.figures.items():
            names.add(name)
            assert len(figure.caption) > 60, name
            assert tiny_run.about["command"] in figure.source, name
            assert len(figure.table) == len(figure.rows()) > 0, name
            assert figure.csv().count("\n") > len(figure.table), name
            stems = [join(above, image) for image in figure.image_names]
            assert {f"{stem}{kind}" for stem in stems for kind in IMAGES} <= known
            assert join(above, f"{name}.csv") in known
            assert (join(above, f"{name}.js") in known) == bool(figure.charts)
            for draw in figure.charts.values():
                assert values(draw()), name
    kinds = {name.split("-")[0] for name in names}
    assert kinds >= OF_ALIGNMENTS | {
        "accuracy", "difference", "selectivity", "stability", "triggers", "mapper", "explained",
        "faithful", "created", "by", "models", "corpora", "tasks", "steps", "curve", "minimal",
    }  # fmt: skip


def test_images_are_white_and_have_no_links(site: Site) -> None:
    page = "alignment/odd-base-tuned/matrix-base-tuned-odd"
    svg, png, script = (site.get(f"{page}.{kind}") for kind in ("svg", "png", "js"))
    assert svg is not None and png is not None and script is not None
    assert b"layer-01" in script.body and b"href" not in svg.body
    assert png.body.startswith(b"\x89PNG") and b"white" in svg.body


def test_cells_of_matrices_lead_to_the_concepts_of_their_tuned_layer(site: Site) -> None:
    script = site.get("layers/base-tuned/matrix-base-tuned-odd.js")
    assert script is not None
    found = re.fullmatch(r"tunescope\.data\((.*)\);\n", script.body.decode(), re.S)
    assert found is not None
    [spec] = json.loads(found[1])
    rows = [row for rows in spec["datasets"].values() for row in rows]
    cells, numbers = spec["layer"]
    assert cells["encoding"]["href"]["field"] == "href" and "href" not in numbers["encoding"]
    rows = [row for row in rows if "href" in row]
    assert len(rows) == 9
    for row in rows:
        expected = f"../../concepts/odd/tuned/layer-{row['tuned_layer']:02d}/index.html"
        assert row["href"] == expected
        assert site.get(normpath(join("layers/base-tuned", row["href"]))) is not None


def test_evidence_is_where_findings_say(site: Site, tiny_run: Run, pages: dict[str, Page]) -> None:
    found = findings(tiny_run, *PAIR) + transfer_findings(tiny_run)
    places = Places(site)
    assert len(found) > 8
    for finding in found:
        at = places.evidence(finding.evidence)
        assert at is not None, finding.topic
        path, _, name = at.partition("#")
        assert name in pages[path].ids, at
    nowhere = Evidence("triggers", ("more", "base", "none"), "x")
    assert places.evidence(nowhere) is None is places.evidence(None)


def test_headlines_take_each_kind_once_before_any_twice() -> None:
    def finding(figure: str) -> Finding:
        return Finding("t", figure, True, Evidence("layers", (), figure))

    names = ("difference-a", "difference-b", "retained-a", "polarised-a", "new-a", "retained-b")
    found = [finding(name) for name in names]
    chosen = [finding.text for finding in headlines(found, 5)]
    assert chosen == ["difference-a", "difference-b", "polarised-a", "retained-a", "new-a"]
    assert [f.text for f in headlines(found, 2)] == ["difference-a", "polarised-a"]
    assert headlines([]) == []


def test_overview_says_what_tuning_did_with_intervals(texts: dict[str, str], tiny_run: Run) -> None:
    said = html.unescape(texts["index.html"])
    for finding in headlines(findings(tiny_run, *PAIR)):
        assert finding.text in said
    kept = tiny_run.alignments["odd", *PAIR].retention.sort_values("layer").to_dict("records")
    for row in kept:
        low, high = (percent(row[f"retained_{end}"]) for end in ("low", "high"))
        assert f"[{low}, {high}]" in said
    for name in ("odd.jsonl", "more.jsonl", "said.tsv", "upos", "3 × 32"):
        assert name in said


def test_created_concepts_are_those_of_the_alignment(site: Site, tiny_run: Run) -> None:
    content = site.get("created-odd-base-tuned.csv")
    assert content is not None
    rows: Any = pd.read_csv(BytesIO(content.body))
    frame = tiny_run.alignments["odd", *PAIR].concepts
    born = frame[(frame["role"] == "tuned") & (frame["fate"] == "born") & (frame["layer"] == 2)]
    assert len(rows) == min(8, len(born)) > 2
    assert set(rows["concept"]) <= set(born["concept"])
    tried = rows["flips"].notna()
    assert 0 < tried.sum() < len(rows)
    assert tried.is_monotonic_decreasing
    assert rows.loc[tried, "flips"].is_monotonic_decreasing
    assert rows.loc[~tried, "polarised"].is_monotonic_decreasing
    found = effects(tiny_run.latent.triggers["odd", *PAIR], 2)
    for row in rows[tried].to_dict("records"):
        first = found[row["concept"]][0]
        said = (row["towards"], row["flips"], row["flips_random"], row["n_triggers"])
        assert said == (first.towards, first.mean, first.random, first.n_triggers)
    concepts = tiny_run.concepts["odd", "tuned"]
    labels, forms = concepts.labels(2), concepts.words.values("form")
    for row in rows.to_dict("records"):
        words = forms[labels == row["concept"]].tolist()
        assert len(words) == row["size"]
        most = max(map(words.count, words))
        first = row["words"].split(", ")[0]
        assert words.count(first) == most or first not in words  # a word may have a comma


def test_what_is_not_done_comes_first(tiny_run: Run, tmp_path: Path) -> None:
    rows = json.loads((tiny_run.path / "jobs.json").read_text())
    states = {3: "missing", 5: "stale", 7: "failed", 9: "skipped"}
    for number, state in states.items():
        rows[number]["state"] = state
    folder = tmp_path / "run"
    folder.mkdir()
    for path in tiny_run.path.iterdir():
        (folder / path.name).symlink_to(path)
    reasons = {"failed.json": 7, "skipped.json": 9, "jobs.json": None}
    for name, number in reasons.items():
        (folder / name).unlink()
        job = "" if number is None else f"{rows[number]['step']} {rows[number]['what']}"
        made = rows if number is None else {job: f"because of <{number}>"}
        (folder / name).write_text(json.dumps(made))
    site = Site(Run.load(folder))
    content, table = site.get("index.html"), site.get("not-done.csv")
    assert content is not None and table is not None
    said = html.unescape(content.body.decode())
    assert "3 steps are left: 1 failed, 1 missing, 1 stale." in " ".join(said.split())
    assert "because of <7>" in said and "the next run makes it again" in said
    listed = pd.read_csv(BytesIO(table.body))
    assert listed["state"].tolist() == ["failed", "stale", "missing", "skipped"]
    assert f"Steps: {len(rows) - 4} of {len(rows)} done" in said


OF_ALIGNMENTS = {
    "retained", "fates", "matrix", "sweep", "labels", "aligned", "composition", "polarised",
    "classes", "predicted",
}  # fmt: skip


@pytest.mark.parametrize(
    ("left_out", "figures_there", "browses"),
    [
        (("concepts", "align"), {"accuracy", "difference", "selectivity"}, False),
        (("probe", "align"), set(), True),
        (("probe",), OF_ALIGNMENTS, True),
    ],
)
def test_partial_runs_have_the_pages_they_have(
    tmp_path: Path, left_out: tuple[str, ...], figures_there: set[str], browses: bool
) -> None:
    study = without(STUDY, *left_out, *NEURONS, "corpora.more")
    site = Site(make_tiny_run(tmp_path, study))
    texts = {path: site.get(path) for path in site.paths() if path.endswith(".html")}
    text = "".join(made.body.decode() for made in texts.values() if made is not None)
    found = {name.split("-")[0] for name in re.findall(r'<figure id="([^"]+)"', text)}
    assert found - {"models", "corpora", "steps", "by", "created"} == figures_there
    assert any(path.startswith("concepts/odd/") for path in texts) == browses


def test_a_model_alone_and_two_tuned_ones_each_have_a_place() -> None:
    models = dict.fromkeys(("b", "t", "u", "alone"))
    study = SimpleNamespace(models=models)
    run: Any = SimpleNamespace(pairs=[("b", "t"), ("b", "u")], study=study)
    assert pairs(run) == [("b", "t"), ("b", "u"), ("alone", None)]


def test_file_names_stay_different_and_harmless() -> None:
    assert slug("base", "upos") == "base-upos"
    assert slug("a/b") != slug("a:b")
    assert re.fullmatch(r"[\w.-]+", slug("../x", '"<>', "חיים"), re.ASCII)


def test_figures_of_layers_are_in_the_order_of_the_method(site: Site, tiny_run: Run) -> None:
    kind = site.kind("layers")
    assert isinstance(kind, FigurePages)
    page = kind.page("layers/base-tuned/index.html")
    assert page is not None
    names = ["found", "knowledge", "concepts-odd", "concepts-more", "neurons"]
    assert [group.name for group in page.groups] == names
    kinds = [figure.name.split("-")[0] for figure in figures(tiny_run, PAIR)]
    assert kinds == ["difference", "accuracy", "selectivity"] * 2
    parts = [part.name for part in concept_page.parts(tiny_run, ("odd", *PAIR))]
    assert parts == ["kept", "labels", "classes", "triggers", "explanations"]


def test_making_every_page_loads_no_model_library(tiny_run: Run) -> None:
    code = (
        "import sys\n"
        "from tunescope.study.result import Run\n"
        "from tunescope.viewer.site import Site\n"
        f"site = Site(Run.load({str(tiny_run.path)!r}))\n"
        "for path in site.paths():\n"
        "    if path.endswith(('.html', '.csv')): assert site.get(path)\n"
        "loaded = {'torch', 'transformers', 'datasets', 'peft'} & sys.modules.keys()\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_long_table_is_cut_on_the_page_and_whole_in_its_file() -> None:
    table = pd.DataFrame({"n": range(450)})
    figure = Figure("long", "A table", "What it shows.", {}, table, "made by hand")
    shown = environment().from_string(
        '{% from "figure.html.j2" import show with context %}{{ show(figure) }}'
    )
    text = shown.render(figure=figure)
    assert "The first 200 of 450 rows" in text and text.count("<td>") == 200
    assert figure.csv().count("\n") == 451 and len(figure.rows()) == 450


def test_columns_made_from_the_words_themselves_are_explained(tiny_run: Run) -> None:
    made = tiny_run.alignments["odd", *PAIR]
    (glance,) = (f for f in labels.figures(made, "odd", "x", "") if f.name == "labels-x")
    assert {"casing", "ngram"} <= set(made.labels["label"])
    assert "casing (upper or lower case), ngram (letters in a row)." in glance.caption
    assert "upos (" not in glance.caption
