"""Addresses of the maps, from the top of the site."""

from __future__ import annotations

from tunescope.report.figure import slug

FOLDER = "map"


def map_folder(corpus: str, base: str, tuned: str | None) -> str:
    """Return the folder of all layers of a pair of models, or of one, with a slash behind."""
    return f"{FOLDER}/{slug(corpus, base, *([tuned] if tuned else []))}/"


def map_path(corpus: str, base: str, tuned: str | None, layer: int) -> str:
    """Return the address of the map of one layer."""
    return f"{map_folder(corpus, base, tuned)}layer-{layer:02d}.html"
