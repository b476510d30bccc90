"""`tunescope finetune`: a task's flags and the step's have names of their own."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tiny import save_tiny
from tunescope.cli import app, main
from tunescope.files import read_json
from tunescope.parameters import make
from tunescope.tasks.source import TaskSource

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_tiny("bert", Path("base"))
    rows = [(f"{i}", "The fox", f"jumps {i}", str(i % 2), f"{i / 3:.2f}") for i in range(30)]
    Path("a.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    Path("RTE").mkdir()
    lines = [f"{i}\tThe fox\tjumps {i}\t{('not_' * (i % 2))}entailment\n" for i in range(30)]
    for name in ("train", "dev"):
        Path(f"RTE/{name}.tsv").write_text("index\tsentence1\tsentence2\tlabel\n" + "".join(lines))
    return tmp_path


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    status = 0
    try:
        main(list(arguments))
    except SystemExit as end:
        status = int(end.code or 0)
    out, errors = capsys.readouterr()
    return status, " ".join(out.split()), (errors.splitlines() or [""])[-1]


def test_a_folder_of_glue_and_what_is_tuned(place, capsys):
    flags = ("--path", "RTE", "--epochs", "1", "--max-sentences", "8", "--max-texts", "20",
             "--checkpoints", "0.5", "--method", "frozen")  # fmt: skip
    status, out, _ = call(capsys, "finetune", "base", "out", *flags)
    assert status == 0 and out.startswith("base tuned on 'rte': dev accuracy")
    facts = read_json(Path("out/manifest.json"))["facts"]
    assert (facts["n_train"], facts["n_dev"], facts["method"]) == (8, 20, "frozen")
    assert Path("out/checkpoints/0.5/model.safetensors").exists()


def test_columns_by_number_files_by_split_and_regression(place, capsys):
    files = ("--path.train", "a.tsv", "--path.dev", "a.tsv", "--sentence-column", "1", "2")
    flags = (*files, "--class-column", "4", "--kind", "regression", "--metric", "spearman")
    status, out, _ = call(capsys, "finetune", "base", "numbers", *flags, "--epochs", "1")
    assert status == 0 and "dev spearman" in out and "mean 0.000" in out
    flags = (*files[:4], "--sentence-column", "2", "--class-column", "3", "--metric", "f1")
    status, out, _ = call(capsys, "finetune", "base", "single", *flags, "--epochs", "1")
    assert status == 0 and "dev f1" in out
    status, _, error = call(capsys, "finetune", "base", "x", *files, "--class-column", "0",
                            "--kind", "regression", "--metric", "f1")  # fmt: skip
    assert status == 2 and error.startswith("tunescope: error: task: metric = 'f1' is none of a")


def test_no_flag_has_two_meanings():
    names = [
        n for flag in app["finetune"].assemble_argument_collection() for n in flag.names if n != "*"
    ]
    assert len(names) == len(set(names)) > 20


def test_a_study_reads_its_task_once(place):
    """The copy in the run is used until the files change."""
    from tunescope.study.read import read_task

    source = make(TaskSource, {"path": "RTE"}, "here")
    task = read_task(source, "rte", place, out=place / "kept")
    assert len(task.train) == 30 and task.name == "rte"
    before = (place / "kept" / "train.parquet").stat().st_mtime_ns
    assert read_task(source, "rte", place, out=place / "kept").hash == task.hash
    assert (place / "kept" / "train.parquet").stat().st_mtime_ns == before
    with Path("RTE/train.tsv").open("a") as file:
        file.write("30\tA\tB\tentailment\n")
    assert len(read_task(source, "rte", place, out=place / "kept").train) == 31


def test_tables_on_the_page_are_tasks():
    text = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    tables = "".join(re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S))
    found = tomllib.loads(tables)["tasks"]
    sources = {name: make(TaskSource, values, name) for name, values in found.items()}
    assert {name: source.glue_name for name, source in sources.items()} == {
        "rte": "rte", "mnli": "mnli", "sst2": "sst2", "qnli": "qnli"
    }  # fmt: skip
    assert json.dumps([source.given() for source in sources.values()])
