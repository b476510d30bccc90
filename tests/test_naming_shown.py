"""Names of concepts where users look: on the page, beside predictions, and what is still to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tunescope as ts
from naming_server import Server, serve
from runs import LATENT, NEURONS, STUDY, make_tiny_run, without
from tunescope.cli import app
from tunescope.errors import MismatchError
from tunescope.report.concepts import names as part
from tunescope.report.concepts import page as concept_page
from tunescope.study.info import info
from tunescope.study.result import Run
from tunescope.study.run import run

KEY = ("odd", "base", "tuned")
TABLE = "names-base-tuned-odd"
SAID = (
    "<script>window.pwned=1</script>\n<img src=x onerror=window.pwned=1>",
    "\"><b>quoted</b> 'single' &amp;\nהכל {{7*7}}",
    "שלום \u202eevil مرحبا\n</td></table><h1>",
    "I'm sorry, but I can't help with <i>that</i>.",
)
"""Answers, one after the other; what comes behind them is an error."""
NAMES = """
[names]
address = "ADDRESS"
model = "<u>some</u>-model"
layers = [2]
limit = 3
check = true
retries = 0
concurrency = 1
"""
TABLES = ("probe", "corpora.more", "stability", "triggers", "check_explanations", *NEURONS)


def is_check(request: dict[str, Any]) -> bool:
    return "Which list" in request["messages"][-1]["content"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    said, broken = iter(SAID), (500, {"error": {"message": "<s>no</s>"}}, {})
    with serve(lambda request, _: "A" if is_check(request) else next(said, broken)) as there:
        yield there


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three concepts each of two models; the last two requests fail."""
    text = without(STUDY + LATENT + NAMES.replace("ADDRESS", server.address), *TABLES)
    return make_tiny_run(tmp_path_factory.mktemp("named"), text)


@pytest.fixture(scope="module")
def site(made: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ts.export(made.path, tmp_path_factory.mktemp("site")).parent


class Tables(HTMLParser):
    """Tags, and the cells of the tables to be read, as a browser would have them."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self._open = tag == "td"
        if self._open:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] += data


def test_the_page_has_names_and_how_many_there_are(made: Run, server: Server) -> None:
    by_name = {one.name: one for one in concept_page.parts(made, KEY)}
    counts, names = by_name["names"].figures
    assert counts.shown is not None and names.shown is not None
    assert (counts.table["model"].tolist(), counts.table["layer"].tolist()) == (
        ["base", "tuned"], [2, 2],
    )  # fmt: skip
    assert counts.table[["concepts", "named", "refused", "failed"]].to_numpy().tolist() == [
        [3, 3, 0, 0], [3, 0, 1, 2],
    ]  # fmt: skip
    host = server.address.removeprefix("http://").removesuffix("/v1")
    assert f"<u>some</u>-model at {host}," in counts.caption
    assert "3 of 6 concepts" in counts.caption
    assert "2 requests failed: running the study again" in counts.caption
    assert "chance is 50%" in counts.caption and "right choices" in counts.shown
    assert "no answer" not in counts.shown and "no answer" in counts.table
    assert len(names.table) == len(names.shown) == 6 and "CSV" not in names.caption
    assert names.table["concept"].tolist() == [0, 1, 2] * 2
    assert names.shown["status"].tolist()[:3] == ["named"] * 3
    assert names.shown["status"].tolist()[3].startswith("refused: I'm sorry")
    assert names.shown["status"].tolist()[4:] == ["failed: HTTP 500: <s>no</s>"] * 2


def test_hostile_names_are_text(site: Path) -> None:
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    [text] = [text for text in pages if f'<figure id="{TABLE}"' in text]
    [section] = re.findall(r'<section id="names".*?</section>', text, re.S)
    parsed = Tables(section)
    assert not parsed.tags & {"script", "img", "b", "u", "i", "h1", "s"}
    for said in (
        "<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>",
        '><b>quoted</b> \'single\' &amp;', "הכל {{7*7}}", "שלום evil مرحبا", "</td></table><h1>",
    ):  # fmt: skip
        assert said in parsed.cells, said
    assert "\u202e" not in text
    [path] = site.rglob(f"{TABLE}.csv")
    table = pd.read_csv(path)
    assert table["name"].tolist()[0] == "<script>window.pwned=1</script>"


def test_without_names_there_is_no_part(made: Run) -> None:
    assert part.figures(made, "odd", {}) == []
    kept = made.path / "study.toml"
    text = kept.read_text(encoding="utf-8")
    try:
        kept.write_text(without(text, "names"), encoding="utf-8")
        assert "names" not in {one.name for one in concept_page.parts(Run.load(made.path), KEY)}
    finally:
        kept.write_text(text, encoding="utf-8")


def test_of_very_many_the_largest_are_shown(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "MOST_ROWS", 4)
    _, names = part.figures(made, "odd", {m: made.latent.names["odd", m] for m in KEY[1:]})
    assert names.shown is not None
    assert names.shown["concept"].tolist() == [0, 1, 0, 1]
    assert len(names.table) == 6 and "the CSV has all" in names.caption


def test_what_failed_is_still_to_do_and_comes_to_explanations(made: Run, server: Server) -> None:
    folder = made.path.parent
    states = {(job.step, job.what): job.state for job in info(made.path).jobs}
    assert states["name", "odd/base"] == "done"
    assert states["name", "odd/tuned"] == "partial"
    assert states["explain", "odd/tuned"] == "waiting"
    assert made.latent.names["odd", "tuned"].lookup() == {}  # shown as they are until then
    assert {card.name for card in made.latent.explanations[KEY].cards} == {""}
    before = len(server.requests)
    server.answer = lambda request, number: "A" if is_check(request) else f"Number {number}"
    again = run(folder / "study.toml", made.path, device="cpu")
    assert sum(not is_check(request) for request in server.requests[before:]) == 2
    named = again.latent.names["odd", "tuned"]
    assert sorted(named.names["status"]) == ["ok", "ok", "refused"]
    shown = {(c.layer, c.concept): c.name for c in again.latent.explanations[KEY].cards}
    assert any(shown.values())
    assert all(name == named.lookup().get(key, "") for key, name in shown.items())
    assert {job.state for job in info(made.path).jobs} == {"done"}


def test_names_of_a_job_that_failed_since_are_not_shown(made: Run) -> None:
    failed = made.path / "failed.json"
    kept = failed.read_text(encoding="utf-8")
    try:
        failed.write_text(json.dumps({"name odd/tuned": "since then"}), encoding="utf-8")
        assert set(Run.load(made.path).latent.names) == {("odd", "base")}
    finally:
        failed.write_text(kept, encoding="utf-8")


def test_a_run_explains_with_its_names(
    made: Run, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(made.path.parent / "study.toml", made.path, device="cpu")
    given = ["explain", str(made.path), "the foxs jumper dogs", "--steps", "4", "--accept", "0"]
    given += ["--mass", "1", "--device", "cpu"]
    capsys.readouterr()
    app([*given, "--save", str(tmp_path / "found.json")], result_action="return_value")
    cards = ts.Explanations.load(tmp_path / "found.json").cards
    names = Run.load(made.path).latent.names["odd", "tuned"].lookup()
    mine = [card for card in cards if (card.layer, card.concept) in names]
    assert mine and all(card.name == names[card.layer, card.concept] for card in mine)
    assert mine[0].name in capsys.readouterr().out
    other = made.path / "names" / "odd" / "base"
    with pytest.raises(MismatchError, match=r"those of base on 'odd'.*Give the names of these"):
        app([*given, "--names", str(other)], result_action="return_value")
