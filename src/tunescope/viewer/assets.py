"""Style sheets and scripts that all pages share."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import vl_convert

from tunescope.viewer.content import Content, Link

STATIC = Path(__file__).with_name("static")
VEGA = "vega.js"
SNIPPET = "".join(f"window.{name}={name};" for name in ("vegaEmbed", "vega", "vegaLite"))
BUNDLE = "import sys, vl_convert as v; sys.stdout.write(v.javascript_bundle(sys.argv[1]))"
_made: list[str] = []
_making = threading.Lock()


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


def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, made once."""
    with _making:
        if not _made:
            _made.append(vl_convert.javascript_bundle(SNIPPET))
        return _made[0]


def vega_apart() -> None:
    """Make it in another process: while it is made, no thread of its process does anything else."""
    with _making:
        if not _made:
            command = [sys.executable, "-X", "utf8", "-c", BUNDLE, SNIPPET]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
            if done.returncode == 0:  # else it is made here when it is asked for
                _made.append(done.stdout)
