"""Addresses of the pages of figures, from the top of the site."""

from __future__ import annotations

from tunescope.report.concepts.page import Key
from tunescope.report.figure import slug

FRONT = "index.html"
ALL_LAYERS = "layers/index.html"


def layers_path(base: str, tuned: str | None) -> str:
    """Return the address of the page about one pair of models, or one model."""
    return f"layers/{slug(base, *([tuned] if tuned else []))}/index.html"


def alignment_path(key: Key) -> str:
    """Return the address of the page about the concepts of two models in one corpus."""
    return f"alignment/{slug(*key)}/index.html"


def triggers_path(key: Key) -> str:
    """Return the address of the page about the triggers against one tuned model."""
    return f"triggers/{slug(*key)}/index.html"
