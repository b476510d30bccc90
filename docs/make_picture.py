"""Make the pictures in the readme and the docs from a site: `python docs/make_picture.py SITE`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

OUT = Path(__file__).with_name("_static")
WIDTH = 1180
MARGIN = 24
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


def browser_path() -> str:
    """Return the browser to use: `CHROME`, or the first Chromium or Chrome found."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROME") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit("no Chromium or Chrome found: install one, or name it in CHROME")
    return found


def make_pictures(site: Path, out: Path = OUT) -> None:
    """Photograph the front page, down to its table of layers, and the concepts that were born."""
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(QUIET))
        tab = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        tab.goto((site / "index.html").resolve().as_uri())
        first = tab.locator("figure").first.bounding_box()
        assert first is not None
        top = {"x": 0, "y": 0, "width": WIDTH, "height": first["y"] + first["height"] + MARGIN}
        tab.screenshot(path=out / "demo.png", full_page=True, clip=top)  # type: ignore[arg-type]
        tab.goto((site / "concepts" / "index.html").resolve().as_uri())
        tab.locator("a", has_text=" born").last.click()  # of the corpus with classes
        tab.wait_for_selector("#concepts tbody tr")
        tab.screenshot(path=out / "concepts.png")
        browser.close()


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]))
