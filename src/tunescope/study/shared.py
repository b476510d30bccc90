"""What several parts of a study ask: which label columns a corpus has, which words all models."""

from __future__ import annotations

from typing import Any

from tunescope.activations.store import common_words
from tunescope.study.jobs import ABSENT


def labels_of(corpus: Any, asked: tuple[str, ...]) -> list[str]:
    """Return the label columns that were asked for, or else all, as far as a corpus has them."""
    return [label for label in asked or corpus.labels if label in corpus.labels]


def common_rows(stores: dict[str, Any]) -> Any:
    """Words that every model has an activation of: all models are compared on the same."""
    if ABSENT in stores.values():
        return ABSENT
    return common_words(*stores.values())
