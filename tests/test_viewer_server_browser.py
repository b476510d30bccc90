"""A served site in a real browser: annotations that last, texts tried, all that triggers do."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from browsing import Tab, chromium  # noqa: F401  (a fixture)
from runs import CLASSES, HOSTILE
from tunescope.study.result import Run
from tunescope.viewer.concepts.paths import concept_path, list_path
from tunescope.viewer.paths import triggers_path
from tunescope.viewer.server.app import make_app
from tunescope.viewer.server.current import CurrentSite
from tunescope.viewer.server.security import Rules
from tunescope.viewer.server.serve import bind
from tunescope.viewer.site import Served, Site
from tunescope.viewer.triggers import concept_triggers_path
from tunescope.viewer.tryout.bench import Bench

expect = pytest.importorskip("playwright.sync_api").expect
KEY = ("odd", "base", "tuned")
TRIGGERS = triggers_path(KEY)
CONCEPT = concept_path("odd", "tuned", 2, 0)
EVIL = '<img src=x onerror="window.pwned=1">'


@pytest.fixture(scope="module")
def run_folder(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run's folder of its own, as tests annotate it."""
    folder = tmp_path_factory.mktemp("served") / "run"
    shutil.copytree(tiny_run.path, folder)
    return folder


@contextmanager
def serving(folder: Path, *, annotate: bool = False, token: str | None = None) -> Iterator[str]:
    """Serve a run until the end of the block; yields its address."""
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        rules = Rules("0.0.0.0" if token else "127.0.0.1", port, token)
        app = make_app(
            CurrentSite(folder, Served(live=True, annotate=annotate)), rules, Bench("cpu")
        )
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def address(run_folder: Path) -> Iterator[str]:
    with serving(run_folder, annotate=True) as found:
        yield found


@pytest.fixture
def open_tab(chromium: Any) -> Iterator[Callable[..., Tab]]:  # noqa: F811
    tabs: list[tuple[Tab, str]] = []

    def opened(root: str, path: str = "", **settings: Any) -> Tab:
        tab = Tab(chromium, f"{root}/{path}", **settings)
        tabs.append((tab, root))
        return tab

    yield opened
    for tab, root in tabs:
        tab.check(root)
        tab.context.close()


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_served_pages_fit_a_phone_and_ask_for_nothing_else(
    open_tab: Any, address: str, scheme: str
) -> None:
    for path in ("", TRIGGERS, CONCEPT, list_path("odd", "tuned", 2), "annotations/index.html"):
        page = open_tab(address, path, width=375, color_scheme=scheme).page
        page.evaluate("tunescope.drawAll()")
        page.wait_for_selector("html[data-charts=drawn]", state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") == 375, path


def test_a_page_is_asked_for_again_only_when_it_may_have_changed(
    open_tab: Any, address: str
) -> None:
    page = open_tab(address, CONCEPT).page
    with page.expect_response(f"{address}/{CONCEPT}") as answer:
        page.goto(f"{address}/index.html")
        page.goto(f"{address}/{CONCEPT}")
    assert answer.value.status in (200, 304)
    etag = answer.value.headers["etag"]
    found = page.evaluate(
        """async (etag) => (await fetch(location.href, {
          cache: "no-store", headers: {"If-None-Match": etag}})).status""",
        etag,
    )
    assert found == 304


def test_bound_elsewhere_the_token_is_exchanged_for_a_cookie(
    chromium: Any,  # noqa: F811
    open_tab: Any,
    run_folder: Path,
) -> None:
    with serving(run_folder, token="s3cret") as root:
        page = open_tab(root, f"{TRIGGERS}?token=s3cret").page
        expect(page.locator("h1")).to_have_text("Triggers in odd: base → tuned")
        assert page.url == f"{root}/{TRIGGERS}"
        assert page.evaluate("document.cookie") == ""  # no script can read it
        page.locator("nav.site a", has_text="tunescope · tiny").click()
        expect(page.locator("h1")).to_have_text("tiny")
        stranger = Tab(chromium, root)
        assert "token" in stranger.page.inner_text("body")
        assert "tiny" not in stranger.page.content()
        stranger.context.close()


# --- annotations ---------------------------------------------------------------------------------


def test_an_annotation_survives_a_restart(open_tab: Any, run_folder: Path) -> None:
    with serving(run_folder, annotate=True) as root:
        page = open_tab(root, CONCEPT).page
        page.get_by_label("Partly").check()
        page.get_by_label("Name").fill(EVIL)
        page.get_by_label("Merge with concept").fill("1")
        page.get_by_label("Note").fill("two\nlines")
        expect(page.locator("#annotate-said")).to_have_text("Not saved yet")
        page.get_by_label("Name").press("Enter")
        expect(page.locator("#annotate-said")).to_contain_text("Saved 20")
    with serving(run_folder, annotate=True) as root:
        page = open_tab(root, CONCEPT).page
        expect(page.get_by_label("Partly")).to_be_checked()
        expect(page.get_by_label("Name")).to_have_value(EVIL)
        expect(page.get_by_label("Note")).to_have_value("two\nlines")
        page.get_by_label("Name").fill("x")  # what was read can be changed and saved again
        page.get_by_label("Name").fill(EVIL)
        page.locator("button", has_text="Save and show the next").click()
        expect(page).to_have_url(f"{root}/{concept_path('odd', 'tuned', 2, 1)}")
        page.goto(f"{root}/annotations/index.html")
        expect(page.locator("main")).to_contain_text(EVIL)
        page.goto(f"{root}/{list_path('odd', 'tuned', 2)}")
        expect(page.locator("main")).to_contain_text(EVIL)
    with serving(run_folder) as root:  # read-only: shown, and no form
        page = open_tab(root, CONCEPT).page
        expect(page.locator("#annotation")).to_contain_text(EVIL)
        expect(page.locator("#annotation form")).to_have_count(0)
        page.locator("#annotation a").click()
        expect(page).to_have_url(f"{root}/{concept_path('odd', 'tuned', 2, 1)}")
    (run_folder / "annotations.json").unlink()


def test_two_who_annotate_one_concept_do_not_overwrite_each_other(
    chromium: Any,  # noqa: F811
    address: str,
    run_folder: Path,
) -> None:
    one, other = (Tab(chromium, f"{address}/{CONCEPT}") for _ in range(2))
    for tab in (one, other):
        tab.page.get_by_label("Yes").check()
        tab.page.locator("button", has_text="Save").first.click()
        expect(tab.page.locator("#annotate-said")).not_to_contain_text("Sav" + "ing")
    expect(one.page.locator("#annotate-said")).to_contain_text("Saved")
    expect(other.page.locator("#annotate-said")).to_contain_text("annotated elsewhere meanwhile")
    assert one.complaints == []
    for tab in (one, other):
        tab.context.close()
    (run_folder / "annotations.json").unlink()


# --- triggers ------------------------------------------------------------------------------------


def rows(page: Any) -> Any:
    return page.locator("#tried tbody tr")


def test_triggers_are_sorted_filtered_and_linked(open_tab: Any, address: str) -> None:
    page = open_tab(address, TRIGGERS).page
    count = page.locator("#tried-count")
    expect(count).to_contain_text("triggers")
    of_concepts = rows(page).count()
    assert of_concepts > 0
    page.select_option("[name=method]", "any")
    expect(count).not_to_have_text(f"{of_concepts} of")
    assert rows(page).count() > of_concepts
    page.locator("#tried th button", has_text="Trigger").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#tried th[data-name=trigger]")).to_have_attribute("aria-sort", "ascending")
    shown = page.locator("#tried td.trigger").all_inner_texts()
    again = open_tab(address, page.url.removeprefix(f"{address}/")).page
    expect(again.locator("#tried th[data-name=trigger]")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert again.locator("#tried td.trigger").all_inner_texts() == shown
    assert again.locator("[name=method]").input_value() == "any"
    page.fill("[name=word]", "no such word")
    expect(rows(page)).to_have_count(0)
    expect(count).to_contain_text("0 of")


def test_triggers_of_a_concept_are_reached_from_it_and_lead_back(
    open_tab: Any, address: str, tiny_run: Run
) -> None:
    tried = tiny_run.latent.triggers[KEY].tried
    own = tried[tried["method"] == "concept"].iloc[0]
    layer, concept = int(own["layer"]), int(own["concept"])
    page = open_tab(address, concept_path("odd", "tuned", layer, concept)).page
    page.locator("a", has_text="All triggers").click()
    expect(page.locator("#tried-concept")).to_contain_text(f"of concept {concept} at layer {layer}")
    assert page.url.endswith(concept_triggers_path(KEY, layer, concept))
    same = (tried["layer"] == layer) & (tried["concept"] == concept)
    expect(rows(page)).to_have_count(int((same & (tried["method"] == "concept")).sum()))
    page.locator("#tried-concept").click()
    expect(page.locator("#tried-concept")).to_be_hidden()
    page.go_back()
    expect(page.locator("#tried-concept")).to_be_visible()
    rows(page).first.locator("a").click()
    expect(page).to_have_url(f"{address}/{concept_path('odd', 'tuned', layer, concept)}")


def test_from_disk_the_table_works_and_nothing_can_be_tried(
    chromium: Any,  # noqa: F811
    tiny_run: Run,
    tmp_path: Path,
) -> None:
    site = Site(tiny_run)
    pages = site.kind("triggers")
    assert pages is not None
    files = (path for path in pages.paths() if not path.endswith((".svg", ".png")))
    for path in (*files, *site.kinds[-1].paths()):
        content = site.get(path)
        assert content is not None
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content.body)
    tab = Tab(chromium, (tmp_path / TRIGGERS).as_uri() + "#all&method=any&sort=trigger&way=down")
    page = tab.page
    expect(rows(page).first).to_be_visible()
    expect(page.locator("#tried th[data-name=trigger]")).to_have_attribute(
        "aria-sort", "descending"
    )
    shown = page.locator("#tried td.trigger").all_inner_texts()
    assert {word for text in shown for word in text.split()} & set(HOSTILE)
    expect(page.locator("#try form, #tried td button")).to_have_count(0)
    expect(page.locator("#try")).to_contain_text("Served by tunescope view")
    tab.check(tmp_path.as_uri())
    tab.context.close()


def test_ones_own_text_is_tried_and_explained(open_tab: Any, address: str) -> None:
    page = open_tab(address, TRIGGERS).page
    text = f"the fox {HOSTILE[0]} jumps {EVIL}"
    page.locator("#try textarea").fill(text)
    page.get_by_label("Trigger", exact=True).fill(HOSTILE[2])
    page.select_option("#try [name=position]", "after")
    page.locator("button", has_text="Ask the model").click()
    expect(page.locator("#try-answer table")).to_be_visible(timeout=60_000)
    assert page.locator("#try-answer tbody th").all_inner_texts() == list(CLASSES)
    expect(page.locator("#try-answer mark")).to_have_text(HOSTILE[2])
    expect(page.locator("#try-answer .context")).to_have_text(f"{text} {HOSTILE[2]}")
    page.locator("button", has_text="Explain the prediction").click()
    expect(page.locator("#explain-answer table")).to_be_visible(timeout=60_000)
    expect(page.locator("#explain-answer .tokens")).to_contain_text(HOSTILE[0])
    assert page.locator("#try :is(img, i, b b, script:not([type]))").count() == 0
    again = open_tab(address, page.url.removeprefix(f"{address}/")).page
    expect(again.locator("#try textarea")).to_have_value(text)
    expect(again.get_by_label("Trigger", exact=True)).to_have_value(HOSTILE[2])
    expect(again.locator("#try [name=position]")).to_have_value("after")
    page.locator("#explain-answer tbody a").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert page.url.startswith(f"{address}/concepts/odd/tuned/layer-02/")


def test_a_trigger_of_the_table_is_tried_by_a_click(open_tab: Any, address: str) -> None:
    page = open_tab(address, TRIGGERS).page
    first = rows(page).first
    trigger = first.locator(".trigger").inner_text()
    first.locator("button").click()
    expect(page.get_by_label("Trigger", exact=True)).to_have_value(trigger)
    expect(page.locator("#try-answer table")).to_be_visible(timeout=60_000)


def test_what_cannot_be_asked_is_said_on_the_page(chromium: Any, address: str) -> None:  # noqa: F811
    tab = Tab(chromium, f"{address}/{TRIGGERS}")
    tab.page.locator("#try textarea").fill(" ")
    tab.page.locator("button", has_text="Ask the model").click()
    expect(tab.page.locator("#try-said")).to_have_text("the text is empty: write one")
    expect(tab.page.locator("button", has_text="Ask the model")).to_be_enabled()
    tab.context.close()


def test_a_server_that_has_ended_is_said_to(chromium: Any, run_folder: Path) -> None:  # noqa: F811
    with serving(run_folder, annotate=True) as root:
        tab = Tab(chromium, f"{root}/{CONCEPT}")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(root.rsplit(":", 1)[1]))):
                break
    tab.page.get_by_label("Yes").check()
    tab.page.locator("button", has_text="Save").first.click()
    expect(tab.page.locator("#annotate-said")).to_contain_text("Not saved: the server does not")
    tab.context.close()
