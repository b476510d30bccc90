"""What parts of a study share: label columns of a corpus, words of all models, comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunescope.activations.store import common_words
from tunescope.files import read_json, write_json
from tunescope.study.jobs import ABSENT


def labels_of(corpus: Any, asked: tuple[str, ...]) -> list[str]:
    """Return the label columns that were asked for, or else all, as far as a corpus has them."""
    return [label for label in asked or corpus.labels if label in corpus.labels]


def common_rows(stores: dict[str, Any]) -> Any:
    """Words that every model has an activation of, as far as models are there."""
    there = [store for store in stores.values() if store is not ABSENT]
    return common_words(*there) if there else ABSENT


SOURCES = "sources.json"
"""File beside a comparison: keys of the results it was made of."""


def compare_once(
    folder: Path, compare: Callable[[Any, Sequence[Any]], Any], base: Any, tuned: Sequence[Any]
) -> None:
    """Compare results and save what comes out, unless the same ones were compared before.

    Parameters
    ----------
    folder : Path
        Where the comparison is kept.
    compare : callable
        From a base's result, and those of the tuned runs, to something that can be saved.
    base : Result
        With a key.
    tuned : sequence of Result
        The same.
    """
    keys = sources(base, tuned)
    kept = folder / SOURCES
    if not kept.exists() or read_json(kept) != keys:
        compare(base, tuned).save(folder)
        write_json(kept, keys)


def sources(base: Any, tuned: Sequence[Any]) -> dict[str, Any]:
    """Return the keys of what a comparison is made of."""
    return {"base": base.key, "tuned": [result.key for result in tuned]}
