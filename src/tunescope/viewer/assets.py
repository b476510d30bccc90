"""Style sheets and scripts that all pages share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import vl_convert

from tunescope.viewer.content import Content, Link

STATIC = Path(__file__).with_name("static")
VEGA = "vega.js"


class Assets:
    """The folder `static`: our own files, and Vega, Vega-Lite and Vega-Embed as one script."""

    folder, title = "static", ""

    def links(self) -> list[Link]:
        """Return nothing: these are no pages."""
        return []

    def paths(self) -> Iterator[str]:
        """Return the address of each file."""
        for name in sorted(path.name for path in STATIC.iterdir()):
            yield f"static/{name}"
        yield f"static/{VEGA}"

    def get(self, path: str) -> Content | None:
        """Return a file."""
        if path not in set(self.paths()):
            return None
        name = path.removeprefix("static/")
        return Content.of(path, vega() if name == VEGA else (STATIC / name).read_bytes())


@cache
def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    names = ("vegaEmbed", "vega", "vegaLite")
    return vl_convert.javascript_bundle("".join(f"window.{name}={name};" for name in names))
