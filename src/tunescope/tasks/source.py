"""Where a task comes from and how to read it: a study file's `[tasks.NAME]` table.

The same fields are the command line's flags of `finetune` and the options of `read_task`. This
module imports nothing heavy, so that `tunescope --help` stays instant.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tunescope.errors import InputError, nearest
from tunescope.parameters import check_types
from tunescope.paths import resolve_path
from tunescope.tasks.glue import GLUE, GlueName, GlueTask, glue_files, glue_of_folder
from tunescope.tasks.kinds import METRICS_OF, Kind, MetricName

SPLITS = ("train", "dev")
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".tsv": "tsv", ".csv": "tsv"}


@dataclass(frozen=True)
class TaskSource:
    """Texts with targets on disk or on the Hugging Face hub, and how to read them.

    An option that the format does not use is an error, never ignored.

    Parameters
    ----------
    path
        One file, or a table from split (`train`, `dev`) to file; or a folder of GLUE's, such as
        `glue/RTE`; or, for `datasets`, an id on the hub or a local folder. Relative paths start at
        the study file; `package:PACKAGE/inside/path` is a file inside an installed package.
        Without a dev split, a share of the training texts is held out.
    glue
        A task of GLUE, whose columns, metric and kind are then known: `cola`, `sst2`, `mrpc`,
        `qqp`, `stsb`, `mnli`, `qnli`, `rte` or `wnli`. When not given: as the folder is called.
    glue_dev
        For MNLI, whose dev set there are two of: `matched` or `mismatched`.
    kind
        `classification` or `regression` (targets are numbers). When not given: GLUE's, or else
        classification.
    metric
        What the task is scored by: `accuracy`, `f1` or `matthews`; `pearson` or `spearman` for a
        regression. When not given: GLUE's, or else the first of these.
    positive
        The class that `f1` counts where there are two. When not given: GLUE's, or else the second,
        sorted.
    format
        `tsv` (CSV too), `jsonl` or `datasets`; `auto` decides by what path names: a file by its
        suffix, a folder of GLUE's; with `glue`, what is not there is an id on the hub.
    encoding
        Text encoding of the files; a byte-order mark is skipped.
    sentence_column
        Where the text is: a name, or for `tsv` a number counted from 0. A list of two is a pair.
        When not given: sentence1 and sentence2, premise and hypothesis, question and sentence,
        question1 and question2, sentence_A and sentence_B; else words, tokens, sentence, text or
        content.
    class_column
        Where the class or number is. When not given: class, label or score (for a regression score
        first).
    where
        Keep only rows with these values, column to value.
    header
        For `tsv`: whether the first line names the columns. When not given: no when a column of the
        text is a number, else yes.
    delimiter
        For `tsv`: the character between columns. When not given: a comma in a `.csv` file, else a
        tab.
    quotes
        For `tsv`: whether a field in double quotes may hold delimiters and line ends, as in CSV.
        When not given: not where the delimiter is a tab, where quotes are ordinary characters.
    extra_columns
        For `tsv`: whether a row may have more columns than the first, which are then not read (the
        files of the STS benchmark have some).
    control_characters
        What to do with control characters in a text: `keep` it as it stands, or read each as a
        `space`.
    max_texts
        Read only this many texts, the first of each file.
    dataset_config
        For `datasets`: the configuration's name. When not given: that of the task of GLUE.
    dataset_revision
        For `datasets`: commit or tag on the hub.

    Raises
    ------
    InputError
        If a value has the wrong type, or values do not go together.
    """

    path: str | dict[str, str]
    glue: GlueName | None = None
    glue_dev: Literal["matched", "mismatched"] = "matched"
    kind: Kind | None = None
    metric: MetricName | None = None
    positive: str | None = None
    format: Literal["auto", "tsv", "jsonl", "datasets"] = "auto"
    encoding: str = "utf-8"
    sentence_column: int | str | list[int | str] | None = None
    class_column: int | str | None = None
    where: dict[str, str] | None = None
    header: bool | None = None
    delimiter: str | None = None
    quotes: bool | None = None
    extra_columns: bool = False
    control_characters: Literal["keep", "space"] = "keep"
    max_texts: int | None = None
    dataset_config: str | None = None
    dataset_revision: str | None = None

    def __post_init__(self) -> None:
        check_types(self, "task")
        if not self.path:
            raise InputError("task: path is empty; give a file, or a table from split to file")
        for split in self.path if isinstance(self.path, dict) else ():
            if split not in SPLITS:
                raise InputError(
                    f"task: unknown split {split!r}; {nearest(split, SPLITS)} (test texts are "
                    "never looked at)"
                )
        if isinstance(self.path, dict) and "train" not in self.path:
            raise InputError("task: path has no train file; add it")
        if self.max_texts is not None and self.max_texts < 1:
            raise InputError(f"task: max_texts = {self.max_texts} must be at least 1")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise InputError(f"task: delimiter = {self.delimiter!r} must be one character")
        if isinstance(self.sentence_column, list) and len(self.sentence_column) not in (1, 2):
            raise InputError(
                f"task: sentence_column = {self.sentence_column!r} must be one column, or two"
            )
        if self.metric is not None and self.metric not in METRICS_OF[self.resolved_kind()]:
            kind = self.resolved_kind()
            hint = nearest(self.metric, METRICS_OF[kind])
            raise InputError(f"task: metric = {self.metric!r} is none of a {kind}; {hint}")

    @property
    def glue_name(self) -> str | None:
        """The task of GLUE: as given, or else as the folder at `path` is called."""
        if self.glue is not None or isinstance(self.path, dict):
            return self.glue
        return glue_of_folder(Path(self.path)) if self.format in ("auto", "tsv") else None

    @property
    def preset(self) -> GlueTask | None:
        """What GLUE says of the task."""
        name = self.glue_name
        return None if name is None else GLUE[name]

    def resolved_kind(self) -> Kind:
        """Return what is predicted."""
        return self.kind or (self.preset.kind if self.preset else "classification")

    def resolved_metric(self) -> MetricName:
        """Return what the task is scored by."""
        kind = self.resolved_kind()
        fits = self.preset is not None and self.preset.kind == kind
        return self.metric or (self.preset.metric if self.preset and fits else METRICS_OF[kind][0])

    def columns(self) -> tuple[int | str, ...] | None:
        """Return the columns of the texts that were asked for."""
        chosen = self.sentence_column
        return None if chosen is None else tuple(chosen if isinstance(chosen, list) else [chosen])

    def given(self) -> dict[str, Any]:
        """Options that differ from their defaults, `path` and `format` apart."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("path", "format") and getattr(self, field.name) != field.default
        }

    def files(self, relative_to: Path | None = None) -> dict[str, Path] | None:
        """Return the file of each split (one file is `train`), or None for `datasets`.

        Parameters
        ----------
        relative_to : pathlib.Path, optional
            Folder that relative paths start from.

        Raises
        ------
        InputError
            If it cannot be told what `path` names.
        """
        if self.format == "datasets":
            return None
        if isinstance(self.path, dict):
            return {split: resolve_path(file, relative_to) for split, file in self.path.items()}
        path = resolve_path(self.path, relative_to)
        if path.is_dir() and self.glue_name is not None:
            found = glue_files(path, self.glue_name, self.glue_dev)
            if found is not None:
                return found
        if path.suffix.lower() in SUFFIXES or (self.format != "auto" and not path.is_dir()):
            return {"train": path}
        if self.glue is not None and (path.is_dir() or not path.exists()):
            return None
        what = "holds no train.tsv of GLUE's" if path.is_dir() else "does not say what it is"
        raise InputError(
            f"task: {path} {what}; give files, such as {{train = ..., dev = ...}}, or set format "
            "to tsv, jsonl or datasets"
        )

    def file_format(self, path: Path) -> str:
        """Return the format of one file: as given, or else by its suffix.

        Raises
        ------
        InputError
            If the suffix does not say.
        """
        known = self.format if self.format != "auto" else SUFFIXES.get(path.suffix.lower())
        if known is None and self.preset is not None:
            known = "tsv"
        if known is None:
            raise InputError(
                f"task: {path}: the suffix {path.suffix!r} does not say what is in the file; set "
                "format to tsv, jsonl or datasets"
            )
        return known
