"""The command line: every command does what the documentation says, every error is one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from runs import STUDY
from tunescope.cli import main
from tunescope.report.provenance import warnings
from tunescope.report.terminal import as_text, blocks
from tunescope.study.info import info
from tunescope.study.result import Run
from tunescope.study.run import run

PLAIN = '[corpora.plain]\npath = "plain.txt"\nformat = "text"\n'
TASK = '\n[models.new]\nbase = "base"\ntask = "odd"\n[tasks.odd]\npath = "odd.jsonl"\n'


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command in this process: exit status, output, last error."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        status = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        out, errors = capsys.readouterr()
        return status, out, (errors.splitlines() or [""])[-1]

    return call


@pytest.fixture(scope="module")
def place(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tiny study and its run, free to be changed."""
    return Path(shutil.copytree(tiny_run.path.parent, tmp_path_factory.mktemp("cli") / "tiny"))


def write(place: Path, text: str) -> Path:
    path = place / "changed.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_steps_one_by_one(cli, place, monkeypatch):
    monkeypatch.chdir(place)
    for model in ("base", "tuned"):
        flags = ("--path", "odd.jsonl", "--labels", "upos", "--max-length", "48")
        status, out, _ = cli("extract", model, f"vectors-{model}", *flags, "--pooling", "mean")
        assert status == 0 and f"Activations of {model} on 'odd'" in out
        flags = ("--n-clusters", "12", "--min-count", "2", "--min-types", "2")
        status, out, _ = cli("concepts", f"vectors-{model}", f"concepts-{model}", *flags)
        assert status == 0 and "12 concepts" in out
    flags = ("--control-seeds", "1", "--resamples", "20", "--standardize")
    status, out, _ = cli("probe", "vectors-base", "upos", "probes", *flags)
    assert status == 0 and "Probes of 'upos' on base" in out
    flags = ("--permutations", "3", "--labels", "upos")
    status, out, _ = cli("align", "concepts-base", "concepts-tuned", "aligned", *flags)
    assert status == 0 and "Alignment of base with tuned on 'odd'" in out
    flags = ("--path", "odd.jsonl", "--epochs", "1", "--max-sentences", "8")
    status, out, _ = cli("finetune", "base", "checkpoint", *flags)
    assert status == 0 and out.startswith("base tuned on 'odd': dev accuracy")


def test_flags_with_keys(cli, place, monkeypatch):
    """A table of the study file is flags with a dot: files by split, columns, label files."""
    monkeypatch.chdir(place)
    Path("words.txt").write_text("Time flies\nGo\n" * 3)
    Path("tags.txt").write_text("NOUN VERB\nVERB\n" * 3)
    Path("columns.txt").write_text("Time x NOUN\nflies x VERB\n\n" * 3)
    files = ("--path.train", "words.txt", "--path.dev", "words.txt")
    tags = ("--label-files.upos.train", "tags.txt", "--label-files.upos.dev", "tags.txt")
    assert cli("extract", "base", "by-split", *files, *tags)[0] == 0
    assert cli("probe", "by-split", "xpos", "p")[2].endswith("did you mean 'upos'? Valid: upos")
    status, out, _ = cli("extract", "base", "x", "--path.training", "words.txt")
    assert status == 2
    one_file = ("--path", "words.txt", "--label-files.upos", "tags.txt")
    assert cli("extract", "base", "one-file", *one_file)[0] == 0
    columns = ("--path", "columns.txt", "--columns.form", "0", "--columns.upos", "-1")
    assert cli("extract", "base", "columns", *columns)[0] == 0
    table = Path("table.tsv")
    table.write_text("a\t0\tTime flies\nb\t1\tGo\n")
    numbered = ("--path", table, "--sentence-column", "2", "--class-column", "1")
    assert cli("extract", "base", "table", *numbered)[0] == 0
    wrong = cli("extract", "base", "wrong", "--path", "words.txt", "--format", "text", *tags[:2])
    assert wrong[0] == 2


def test_info_and_export(cli, place):
    status, out, _ = cli("info", place / "run")
    assert status == 0 and "16 of 16 steps done" in out
    status, out, _ = cli("export", place / "run", place / "pages")
    assert status == 0 and out == f"page: {place / 'pages/index.html'}\n"
    assert (place / "pages" / "index.html").exists()


def test_what_was_taken_out_of_the_study_is_not_shown(cli, place):
    """Results of earlier corpora, models and parameters stay on disk, and nowhere else."""
    out = place / "run"
    text = STUDY.replace('[corpora.more]\npath = "more.jsonl"', "").replace("tuned]", "other]")
    status, shown, _ = cli("run", write(place, text), "--out", out)
    assert status == 0 and shown.splitlines()[-1] == f"page: {out / 'site/index.html'}"
    now = Run.load(out)
    assert set(now.probes) == {("odd", "upos", "base"), ("odd", "upos", "other")}
    assert set(now.concepts) == set(now.extraction) == {("odd", "base"), ("odd", "other")}
    assert set(now.alignments) == {("odd", "base", "other")}
    assert (out / "concepts" / "more" / "base").exists()
    names = [path.name for path in (out / "site").rglob("*")]
    assert names and not [name for name in names if "more" in name or "tuned" in name]
    assert "more.jsonl" not in (page := (out / "site" / "index.html").read_text())
    assert "more/" not in page and "“more”" not in page
    # other parameters, before they are run: what is there is not theirs
    (out / "study.toml").write_text(text.replace("n_clusters = 12", "n_clusters = 10"))
    changed = Run.load(out)
    assert changed.probes and not changed.concepts and not changed.alignments


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[probe]", '[probe]\nlabels = ["upos", "xpos"]', "[probe] labels: no column 'xpos'"),
        ("[align]", '[align]\nlabels = ["upso"]', "did you mean 'upos'?"),
        ("n_clusters = 12", "n_clusters = 5000", "n_clusters = 5000 but only"),
        ('path = "tuned"', 'path = "./nowhere"', "is not a folder"),
        ('path = "tuned"', 'path = "more.jsonl"', "is not a folder"),
        ('path = "more.jsonl"', 'path = "no.jsonl"', "No such file or directory"),
        ('path = "more.jsonl"', 'path = "."\nformat = "text"', "Is a directory"),
        ("[extract]", PLAIN + "[extract]", "corpus 'plain' cannot be probed"),
    ],
)  # fmt: skip
def test_errors_come_first_and_in_one_line(cli, place, tmp_path, old, new, message):
    """Before anything is tuned or extracted, even where other models are to be tuned."""
    (place / "plain.txt").write_text("the dog sleeps\n" * 20)
    assert old in STUDY
    study = write(place, STUDY.replace(old, new, 1) + TASK)
    status, out, error = cli("run", study, "--out", tmp_path / "run")
    assert (status, out) == (2, "")
    assert error.startswith("tunescope: error: ") and message in error
    assert not (tmp_path / "run" / "models").exists()
    assert not (tmp_path / "run" / "activations").exists()


def test_align_takes_the_labels_that_a_corpus_has(cli, place, tmp_path):
    (place / "plain.txt").write_text("the dog sleeps\n" * 20)
    text = STUDY.replace("[extract]", PLAIN + "[extract]")
    text = text.replace("[probe]", '[probe]\ncorpora = ["odd"]')
    text = text.replace("[align]", '[align]\nlabels = ["upos"]')
    alignments = run(write(place, text), tmp_path / "run", device="cpu").alignments
    labels = {corpus: set(found.labels["label"]) for (corpus, *_), found in alignments.items()}
    assert labels == {"odd": {"upos"}, "more": {"upos"}, "plain": set()}


def test_folders_that_are_none_or_of_others(cli, place, tmp_path):
    study, file = place / "study.toml", tmp_path / "file"
    file.write_text("mine")
    assert "is a file: give the folder" in cli("run", study, "--out", file)[2]
    assert "Not a directory" in cli("run", study, "--out", file / "below")[2]
    status, _, error = cli("run", study, "--out", place / "base")
    assert status == 2 and "holds other files (config.json)" in error
    assert not (place / "base" / "study.toml").exists()
    assert "Not a directory" in cli("export", place / "run", file)[2]
    assert "is not a run's folder" in cli("info", tmp_path)[2]
    assert "is not a run's folder" in cli("export", tmp_path, tmp_path / "page")[2]
    assert (
        "base holds other files"
        in cli("extract", place / "base", place / "base", "--path", place / "odd.jsonl")[2]
    )


def test_interrupt(cli, tiny_run, tmp_path, monkeypatch):
    """Ctrl-C says that the same command goes on; what was finished is there."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tunescope.study.run.align", stop)
    out = tmp_path / "run"
    status, _, error = cli("run", tiny_run.path.parent / "study.toml", "--out", out)
    assert status == 130 and error.startswith("interrupted; finished work is kept")
    monkeypatch.undo()
    jobs = info(out).jobs
    assert [job.state for job in jobs if job.what == "odd/tuned"] == ["done", "done"]
    assert [job.state for job in jobs if job.what == "odd/base--tuned"] == ["missing"]


def test_wide_tables_are_cut_into_some_that_fit():
    frame = pd.DataFrame({"name": ["a"], "layer": [0]} | {f"column {n}": [0.123] for n in range(9)})
    cut = blocks(frame, width=40)
    assert all(block.columns[0] == "layer" for block in cut) and len(cut) > 1
    shown = [name for block in cut for name in block.columns if name != "layer"]
    assert shown == [name for name in frame.columns if name != "layer"]
    assert len(blocks(frame, width=200)) == 1 and blocks(frame.head(0), 80) == []
    assert as_text(float("nan")) == "" and as_text(0.12345) == "0.123"


def test_warnings_name_all_models_once(tiny_run):
    """What is the same in all models is said once, on the page and in the terminal."""
    found = warnings(tiny_run)
    assert len(found) == len(set(found)) and any("in base, tuned" in text for text in found)
    assert "in base, tuned: " in "\n".join(found) and "beyond the length limit" in found[0]
