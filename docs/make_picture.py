"""Make the picture in the readme from an exported page: `python docs/make_picture.py PAGE`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("_static") / "demo.png"
SIZE = {"width": 1180, "height": 1240}
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


def browser_path() -> str:
    """Return the browser to use: `CHROME`, or the first Chromium or Chrome found."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROME") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit("no Chromium or Chrome found: install one, or name it in CHROME")
    return found


def make_picture(page: Path, picture: Path = PICTURE) -> None:
    """Photograph the top of a page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(QUIET))
        tab = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        tab.goto(page.resolve().as_uri())
        tab.wait_for_selector("html[data-charts=drawn]")
        picture.parent.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    make_picture(Path(sys.argv[1]))
