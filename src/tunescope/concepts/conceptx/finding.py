"""Which files of a folder are clusters of which layer, and which holds the sentences.

ConceptX writes `clusters-600.txt`, and its follow-up `clusters-kmeans-600.txt`, into a folder per
layer; the folder's name says the layer (`layer12`, `layer_12`), and nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tunescope.errors import InputError
from tunescope.files import hash_file

CLUSTERS = re.compile(r"clusters(?:-[a-z_]+)*-(\d+)(?:-[\d.]+)?\.txt", re.IGNORECASE)
LAYER = re.compile(r"layer[-_ ]?(\d+)", re.IGNORECASE)


def find_clusters(
    given: Path | str | Mapping[int, Path | str], layer: int | None, k: int | None
) -> dict[int, Path]:
    """Find one clusters file for each layer.

    Parameters
    ----------
    given : path, or mapping of int to path
        Files by layer, one file, or a folder that holds them, at any depth.
    layer : int, optional
        The layer of files whose folder names none.
    k : int, optional
        Which file to take where a layer has several: the number in its name.

    Raises
    ------
    InputError
        If there is none, a layer is not known, or a layer has several.
    """
    if isinstance(given, Mapping):
        return {number: Path(given[number]) for number in sorted(given)}
    given = Path(given)
    if given.is_file():
        return {_layer_of(Path(given.absolute()), layer): given}
    files = [path for path in sorted(given.rglob("*.txt")) if CLUSTERS.fullmatch(path.name)]
    if not files:
        raise InputError(f"{given} holds no clusters-K.txt: give ConceptX's folder, or the file")
    by_layer: dict[int, list[Path]] = {}
    for path in files:
        by_layer.setdefault(_layer_of(path.relative_to(given), layer, path), []).append(path)
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


def _layer_of(path: Path, layer: int | None, shown: Path | None = None) -> int:
    named = [int(found[1]) for part in path.parts if (found := LAYER.search(part))]
    if named:
        return named[-1]
    if layer is None:
        raise InputError(f"{shown or path}: its folder does not name a layer: say which, layer=")
    return layer


def _one(files: list[Path], layer: int, k: int | None) -> Path:
    if k is not None:
        files = [path for path in files if int(CLUSTERS.fullmatch(path.name)[1]) == k]  # type: ignore[index]
        if not files:
            raise InputError(f"layer {layer} has no clusters file of k = {k}")
    if len(files) > 1:
        listing = ", ".join(str(path) for path in files[:4])
        raise InputError(f"layer {layer} has several clusters files ({listing}): say which, k=")
    return files[0]
