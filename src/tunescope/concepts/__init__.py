"""Latent concepts: word selection, clustering, alignment, polarity (arXiv 2210.12696)."""

from __future__ import annotations

from typing import Any

__all__ = ["ward"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name == "ward":
        from tunescope.concepts.linkage.ward import ward

        return ward
    raise AttributeError(f"module 'tunescope.concepts' has no attribute {name!r}")
