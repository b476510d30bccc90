"""Which files of a folder are clusters of which layer, and which holds the sentences.

ConceptX writes `clusters-600.txt`, and its follow-up `clusters-kmeans-600.txt`, into a folder per
layer, which the user names. Only `layer12`, `layer-12` or `layer_12` as a word of its own is taken
for the layer: a `12-layer` model has twelve.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tunescope.errors import InputError
from tunescope.files import hash_file

CLUSTERS = re.compile(
    r"(clusters(?:-layer[-_ ]?\d+|-[a-z_]+)*)-(\d+)(?:-[\d.]+)?\.txt", re.IGNORECASE
)
LAYER = re.compile(r"(?<![a-z0-9])layer[-_ ]?([0-9]{1,4})(?![a-z0-9])", re.IGNORECASE)
COUNT = re.compile(r"(?<![a-z0-9])[0-9]+[-_ ]?layer", re.IGNORECASE)
"""A number of layers, which may look like a layer: 12-layer-768."""


def find_clusters(
    given: Path | str | Mapping[int, Path | str], layer: int | None, k: int | None
) -> dict[int, Path]:
    """Find one clusters file for each layer.

    Parameters
    ----------
    given : path, or mapping of int to path
        Files by layer, one file, or a folder that holds them, at any depth.
    layer : int, optional
        The layer, where no folder or file name says it, or not clearly.
    k : int, optional
        Which file to take where a layer has several: the number in its name.

    Raises
    ------
    InputError
        If there is none, a layer is not known or is not the one given, or a layer has several.
    """
    if isinstance(given, Mapping):
        return {number: Path(given[number]) for number in sorted(given)}
    given = Path(given)
    if given.is_file():
        return {_layer_of(given, [given.absolute().parent.name, given.name], layer): given}
    files = [path for path in sorted(given.rglob("*.txt")) if CLUSTERS.fullmatch(path.name)]
    if not files:
        raise InputError(f"{given} holds no clusters-K.txt: give ConceptX's folder, or the file")
    by_layer: dict[int, list[Path]] = {}
    for path in files:
        below = path.relative_to(given).parts
        parts = below if _named(below) else (given.absolute().name, *below)
        by_layer.setdefault(_layer_of(path, parts, layer), []).append(path)
    return {number: _one(by_layer[number], number, k) for number in sorted(by_layer)}


def find_sentences(given: Path | str | Mapping[int, Path | str]) -> Path:
    """Find the sentence file of a folder, or beside or above a file.

    Raises
    ------
    InputError
        If there is none, or there are several that differ.
    """
    if isinstance(given, Mapping):
        raise InputError("give the sentence file: sentences=")
    given = Path(given)
    if given.is_dir():
        places = [sorted(given.rglob("*sentences.json"))]
    else:
        places = [sorted(folder.glob("*sentences.json")) for folder in given.absolute().parents[:3]]
    for found in places:
        if len({hash_file(path) for path in found}) > 1:
            listing = ", ".join(str(path) for path in found[:4])
            raise InputError(f"several sentence files ({listing}): say which, sentences=")
        if found:
            return found[0]
    raise InputError(f"{given} has no ...sentences.json: give the sentence file, sentences=")


def _layer_of(path: Path, parts: Iterable[str], layer: int | None) -> int:
    """Return the layer given, or else the one that names of folders and file agree on."""
    named = _named(parts)
    if layer is None and len(named) != 1:
        listing = " and ".join(map(str, named))
        said = f"its path names layers {listing}" if named else "its folder does not name a layer"
        raise InputError(f"{path}: {said} (as layer12 does): say which, layer=")
    if layer is not None and len(named) == 1 and named != [layer]:
        raise InputError(
            f"{path}: its path names layer {named[0]}, but layer = {layer} was given: leave it "
            "out, rename the folder, or give files by layer"
        )
    return named[0] if layer is None else layer


def _named(parts: Iterable[str]) -> list[int]:
    """Return the layers that names of folders and of a file say."""
    words = [found[1] if (found := CLUSTERS.fullmatch(part)) else part for part in parts]
    return sorted({int(n) for word in words for n in LAYER.findall(COUNT.sub("", word))})


def _one(files: list[Path], layer: int, k: int | None) -> Path:
    if k is not None:
        files = [path for path in files if int(CLUSTERS.fullmatch(path.name)[2]) == k]  # type: ignore[index]
        if not files:
            raise InputError(f"layer {layer} has no clusters file of k = {k}")
    if len(files) > 1:
        listing = ", ".join(str(path) for path in files[:4])
        raise InputError(f"layer {layer} has several clusters files ({listing}): say which, k=")
    return files[0]
