"""Read a task as a study file, a command line or a caller names it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tunescope.corpus.datasets import is_dataset
from tunescope.errors import InputError
from tunescope.parameters import make
from tunescope.tasks.glue import positive_class
from tunescope.tasks.rows import Rows
from tunescope.tasks.source import TaskSource
from tunescope.tasks.table import Task


def read_task(
    path: Any,
    name: str | None = None,
    relative_to: Path | None = None,
    **options: Any,
) -> Task:
    r"""Read a task.

    Parameters
    ----------
    path : TaskSource, str, pathlib.Path, dict or datasets.DatasetDict
        Where the task is; with a `TaskSource`, that says all. Else one file, a dictionary from
        split (`train`, `dev`) to file, a folder of GLUE's, or a data set of Hugging Face.
    name : str, optional
        For messages and pages; when not given that of the task of GLUE, the file or its folder.
    relative_to : pathlib.Path, optional
        Folder that relative paths start from: the study file's.
    **options
        The other fields of `tunescope.tasks.source.TaskSource`.

    Raises
    ------
    InputError
        If an option is unknown or not for this format, or the input is malformed; the message
        names file and line.

    Examples
    --------
    >>> rows = "premise\thypothesis\tlabel\nA\tB\tyes\nC\tD\tno\n"
    >>> _ = Path("rte.tsv").write_text(rows)
    >>> task = read_task("rte.tsv")
    >>> task.train.texts, task.train.targets
    ((('A', 'B'), ('C', 'D')), ('yes', 'no'))
    """
    where = "read_task()"
    found = path if is_dataset(path) else None
    if isinstance(path, TaskSource):
        if options:
            raise InputError(f"{where}: give a TaskSource or options, not both")
        source = path
    elif found is not None:
        source = make(
            TaskSource, {"path": name or "dataset", "format": "datasets", **options}, where
        )
    else:
        files = (
            {split: os.fspath(file) for split, file in path.items()}
            if isinstance(path, dict)
            else os.fspath(path)
        )
        source = make(TaskSource, {"path": files, **options}, where)
    name = name or _default_name(source)
    rows = Rows(source, f"task {name!r}")
    files = None if found is not None else source.files(relative_to)
    if files is None:
        splits = rows.of_dataset(found, relative_to)
    else:
        splits = {split: rows.of_file(file) for split, file in files.items()}
    classes = splits["train"].classes
    return Task(
        name,
        source.resolved_kind(),
        source.resolved_metric(),
        splits["train"],
        splits.get("dev"),
        source.positive or _positive(source, classes),
        rows.n_skipped,
    )


def _positive(source: TaskSource, classes: tuple[str, ...]) -> str | None:
    if source.resolved_kind() == "regression":
        return None
    return positive_class(source.glue_name, classes)


def _default_name(source: TaskSource) -> str:
    if source.glue_name is not None:
        return source.glue_name
    if isinstance(source.path, str):
        return Path(source.path).stem
    return Path(source.path["train"]).parent.name or "task"
