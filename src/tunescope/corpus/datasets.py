"""Hugging Face datasets: objects, ids on the hub and local folders (extra `datasets`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def load(
    path: Any,
    relative_to: Path | None = None,
    *,
    config: str | None = None,
    revision: str | None = None,
) -> Any:
    """Load a dataset by id or from a local folder.

    Parameters
    ----------
    path : str
        Id or folder.
    relative_to : pathlib.Path, optional
        Folder that a relative path starts from.
    config, revision : str, optional
        Which of its configurations, at which commit or tag of the hub.

    Raises
    ------
    InputError
        If the library is not installed, or does not find or cannot load the dataset.
    """
    if not isinstance(path, str):
        raise InputError("path: a dataset has one path; its own splits are read")
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{path}: reading Hugging Face datasets needs the package datasets; "
            'run pip install "tunescope[datasets]"'
        ) from None
    folder = resolve_path(path, relative_to)
    try:
        if is_saved(folder):
            return datasets.load_from_disk(str(folder))
        return datasets.load_dataset(
            str(folder) if folder.exists() else path, config, revision=revision
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"dataset {path}: {error}") from None


def is_saved(folder: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return any((folder / name).is_file() for name in ("dataset_dict.json", "dataset_info.json"))


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
    for split, origin, records in dataset_records(found, str(source.path), source.dataset_split):
        yield Part(split, origin, read_records(records, source, origin))


def dataset_records(
    found: Any, name: str, chosen: str | None = None, names: Mapping[str, str] = SPLITS
) -> Iterator[tuple[str | None, str, Iterator[tuple[int, Record]]]]:
    """Yield split, origin for messages, and the rows with their numbers.

    Parameters
    ----------
    found : datasets.Dataset, datasets.DatasetDict or dict
        The dataset.
    name : str
        For messages.
    chosen : str, optional
        Take only this one of its splits.
    names : mapping of str to str
        Its splits that are taken, and what they are called here.

    Raises
    ------
    InputError
        If there is no such split, or several and none of these names.
    """
    for split, data in _splits(found, name, chosen, names).items():
        origin = f"dataset {name}" + (f", split {split}" if split else "") + ", row"
        yield split, origin, _records(data)


def _splits(
    found: Any, name: str, chosen: str | None, names: Mapping[str, str]
) -> dict[str | None, Any]:
    if not isinstance(found, dict):
        if chosen is not None:
            raise InputError("corpus: dataset_split was given, but the dataset has no splits")
        return {None: found}
    if chosen is not None:
        if chosen not in found:
            hint = nearest(chosen, found)
            raise InputError(f"dataset {name}: there is no split {chosen!r}; {hint}")
        return {None: found[chosen]}
    if len(found) == 1:
        return {None: next(iter(found.values()))}
    usual = {names[split]: data for split, data in found.items() if split in names}
    if not usual:
        raise InputError(
            f"dataset {name}: set dataset_split to one of {', '.join(map(str, found))}"
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
