"""Hugging Face datasets: objects, ids on the hub and local folders (extra `datasets`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunescope.corpus.records import Record, read_records
from tunescope.corpus.sentence import Part
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError, nearest
from tunescope.paths import resolve_path

SPLITS = {
    "train": "train",
    "dev": "dev",
    "validation": "dev",
    "valid": "dev",
    "val": "dev",
    "test": "test",
}


def is_dataset(found: Any) -> bool:
    """Whether this is a `Dataset`, a `DatasetDict` or a dictionary of datasets."""
    if isinstance(found, dict):
        return bool(found) and all(hasattr(data, "features") for data in found.values())
    return hasattr(found, "features")


def load(source: CorpusSource, relative_to: Path | None = None) -> Any:
    """Load a dataset by id or from a local folder.

    Raises
    ------
    InputError
        If the library is not installed, or does not find or cannot load the dataset.
    """
    if not isinstance(source.path, str):
        raise InputError("corpus: a dataset has one path; its own splits are read")
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{source.path}: reading Hugging Face datasets needs the package datasets; "
            'run pip install "tunescope[datasets]"'
        ) from None
    folder = resolve_path(source.path, relative_to)
    saved = any((folder / name).is_file() for name in ("dataset_dict.json", "dataset_info.json"))
    try:
        if saved:
            return datasets.load_from_disk(str(folder))
        return datasets.load_dataset(
            str(folder) if folder.exists() else source.path,
            source.dataset_config,
            revision=source.dataset_revision,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"dataset {source.path}: {error}") from None


def dataset_parts(found: Any, source: CorpusSource) -> Iterator[Part]:
    """Yield the splits of a dataset; class ids become class names, -1 no class.

    Parameters
    ----------
    found : datasets.Dataset, datasets.DatasetDict or dict
        Splits train, dev (or validation) and test are taken; others only by `dataset_split`.
    source : CorpusSource
        Which fields hold what.

    Raises
    ------
    InputError
        If there is no such split, or several and none with a usual name.
    """
    for split, data in _splits(found, source).items():
        origin = f"dataset {source.path}" + (f", split {split}" if split else "") + ", row"
        yield Part(split, origin, read_records(_records(data), source, origin))


def _splits(found: Any, source: CorpusSource) -> dict[str | None, Any]:
    if not isinstance(found, dict):
        if source.dataset_split is not None:
            raise InputError("corpus: dataset_split was given, but the dataset has no splits")
        return {None: found}
    if source.dataset_split is not None:
        if source.dataset_split not in found:
            hint = nearest(source.dataset_split, found)
            raise InputError(
                f"dataset {source.path}: there is no split {source.dataset_split!r}; {hint}"
            )
        return {None: found[source.dataset_split]}
    if len(found) == 1:
        return {None: next(iter(found.values()))}
    usual = {SPLITS[name]: data for name, data in found.items() if name in SPLITS}
    if not usual:
        raise InputError(
            f"dataset {source.path}: set dataset_split to one of {', '.join(map(str, found))}"
        )
    return {**usual}


def _records(data: Any) -> Iterator[tuple[int, Record]]:
    names = {field: _class_names(feature) for field, feature in (data.features or {}).items()}
    for row, record in enumerate(data.with_format(None)):
        yield row, {field: _named(value, names.get(field)) for field, value in record.items()}


def _class_names(feature: Any) -> list[str] | None:
    """Names of a ClassLabel, or of a list of them."""
    if isinstance(feature, list):
        feature = feature[0]
    return getattr(getattr(feature, "feature", feature), "names", None)


def _named(value: Any, names: list[str] | None) -> Any:
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_named(entry, names) for entry in value]
    return names[value] if value >= 0 else None
