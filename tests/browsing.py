"""Pages opened in a real browser, and all that they say and ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

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
            "THE PAGES WERE NOT TESTED: no Chromium or Chrome found "
            f"({', '.join(NAMES)}); install one or name it in CHROME"
        )
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=path, args=list(QUIET))
        yield found
        found.close()


class Tab:
    """A page opened, and what it complained of and asked for."""

    def __init__(self, browser: Any, address: str, width: int = 1280, **settings: Any):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(address)

    def check(self, root: str) -> None:
        """Check that nothing went wrong, and that nothing outside of `root` was asked for."""
        assert self.complaints == []
        outside = [u for u in self.requests if not u.startswith((f"{root}/", "data:"))]
        assert outside == []
        assert self.page.evaluate("window.pwned") is None
