"""The tasks of GLUE (Wang et al. 2019, arXiv 1804.07461): files, columns, fields and metrics.

Its download holds a folder for each task, with tab-separated files in which quotes are ordinary
characters; the Hugging Face data set `glue` has the same texts under other names. Metrics are the
one of table 1 of the paper, or the first where it has two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunescope.tasks.kinds import Kind, MetricName

GlueName = Literal["cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"]
Dev = Literal["matched", "mismatched"]


@dataclass(frozen=True)
class GlueTask:
    """One task as GLUE lays it out.

    Parameters
    ----------
    folder : str
        Of its files.
    texts : tuple of str
        Columns of the text or texts, where the file has a header.
    label : str
        Column of the class or number.
    fields : tuple of str
        Fields of the texts in the Hugging Face data set; the target is its `label`.
    metric : str
        What it is scored by.
    kind : {"classification", "regression"}
        What is predicted.
    numbers : tuple of int
        The columns by number, texts first, where files may be without a header.
    positive : tuple of str
        What F1 counts is called in the files, and in the data set.
    broken_rows : bool
        Whether the files have rows that are cut short or without a text, to be passed over.
    """

    folder: str
    texts: tuple[str, ...]
    label: str
    fields: tuple[str, ...]
    metric: MetricName = "accuracy"
    kind: Kind = "classification"
    numbers: tuple[int, ...] = ()
    positive: tuple[str, ...] = ()
    broken_rows: bool = False


_PAIR = ("sentence1", "sentence2")

GLUE: dict[str, GlueTask] = {
    "cola": GlueTask(
        "CoLA", ("sentence",), "label", ("sentence",), "matthews",
        numbers=(3, 1), positive=("1", "acceptable"),
    ),
    "sst2": GlueTask("SST-2", ("sentence",), "label", ("sentence",)),
    "mrpc": GlueTask(
        "MRPC", ("#1 String", "#2 String"), "Quality", _PAIR, "f1",
        numbers=(3, 4, 0), positive=("1", "equivalent"),
    ),
    "qqp": GlueTask(
        "QQP", ("question1", "question2"), "is_duplicate", ("question1", "question2"),
        "f1", positive=("1", "duplicate"), broken_rows=True,
    ),
    "stsb": GlueTask("STS-B", _PAIR, "score", _PAIR, "pearson", "regression"),
    "mnli": GlueTask("MNLI", _PAIR, "gold_label", ("premise", "hypothesis")),
    "qnli": GlueTask("QNLI", ("question", "sentence"), "label", ("question", "sentence")),
    "rte": GlueTask("RTE", _PAIR, "label", _PAIR),
    "wnli": GlueTask("WNLI", _PAIR, "label", _PAIR, positive=("1", "entailment")),
}  # fmt: skip


def glue_of_folder(path: Path) -> str | None:
    """Return the task whose folder is called so, whether it is there or not.

    Parameters
    ----------
    path : pathlib.Path
        Such as `glue/SST-2` or `glue/sst2`.
    """
    name = path.name.lower().replace("-", "")
    return name if name in GLUE else None


def glue_files(folder: Path, name: str, dev: Dev) -> dict[str, Path] | None:
    """Return the train and the dev file in a folder of GLUE, or None if it holds no train file.

    Parameters
    ----------
    folder : pathlib.Path
        Of one task.
    name : str
        The task.
    dev : {"matched", "mismatched"}
        Which dev file of MNLI.
    """
    dev_file = f"dev_{dev}.tsv" if name == "mnli" else "dev.tsv"
    found = {"train": folder / "train.tsv", "dev": folder / dev_file}
    return found if found["train"].is_file() else None


def dataset_splits(name: str | None, dev: Dev) -> dict[str, str]:
    """Return which splits of a Hugging Face data set are read, and as what."""
    if name == "mnli":
        return {"train": "train", f"validation_{dev}": "dev"}
    return {"train": "train", **dict.fromkeys(("dev", "validation", "valid", "val"), "dev")}


def positive_class(name: str | None, classes: Iterable[str]) -> str | None:
    """Return the class that GLUE's F1 counts, if one of these is it."""
    wanted = GLUE[name].positive if name is not None else ()
    return next((known for known in wanted if known in set(classes)), None)
