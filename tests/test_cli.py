"""The command line: every command does what the documentation says, every error is one line."""

from __future__ import annotations

import dataclasses
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from runs import HOSTILE, LABELS, NEURONS, STUDY, without
from tunescope.cli import app, main
from tunescope.files import read_json, write_json
from tunescope.report.figure import Figure
from tunescope.report.neurons.page import findings, studies, summary
from tunescope.report.provenance import warnings
from tunescope.report.terminal import as_text, blocks, show, without_zeros
from tunescope.results import Result
from tunescope.steps import STEPS
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


@pytest.fixture
def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes most of the time of an export."""
    monkeypatch.setattr(Figure, "image", lambda *_: b"")


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


def test_no_flag_of_a_command_on_neurons_has_two_meanings():
    for command in (*NEURONS, "neuron"):
        flags = app[command].assemble_argument_collection()
        names = [name for flag in flags for name in flag.names]
        assert len(names) == len(set(names)) > 3


def test_info_and_export(cli, place, no_images):
    status, out, _ = cli("info", place / "run")
    assert status == 0 and "38 of 38 steps done" in out
    for step, number in (("rank", 2), ("select", 2), ("reduce", 2), ("intervene", 2)):
        assert len([line for line in out.splitlines() if line.startswith(f"{step} ")]) == number
    status, out, _ = cli("export", place / "run", place / "pages")
    assert status == 0 and out == f"page: {place / 'pages/index.html'}\n"
    folders = {path.name for path in (place / "pages").iterdir() if path.is_dir()}
    assert folders >= {"layers", "alignment", "concepts", "neurons", "static"}


def test_what_was_taken_out_of_the_study_is_not_shown(cli, place):
    """Results of earlier corpora, models and parameters stay on disk, and nowhere else."""
    out = place / "run"
    text = without(STUDY, "corpora.more", *NEURONS).replace("tuned]", "other]")
    status, shown, _ = cli("run", write(place, text), "--out", out)
    assert status == 0
    said = [f"page: {out / 'site/index.html'}", f"served by: tunescope view {out}"]
    assert shown.splitlines()[-2:] == said
    now = Run.load(out)
    assert set(now.probes) == {("odd", "upos", "base"), ("odd", "upos", "other")}
    assert set(now.concepts) == set(now.extraction) == {("odd", "base"), ("odd", "other")}
    assert set(now.alignments) == {("odd", "base", "other")}
    assert not now.neurons and now.neurons.sets == now.neurons.effects == {}
    assert (out / "concepts" / "more" / "base").exists()
    assert (out / "neurons" / "odd" / "upos" / "base" / "rank" / "manifest.json").exists()
    names = [path.name for path in (out / "site").rglob("*")]
    assert names and not [name for name in names if "more" in name or "tuned" in name]
    assert not (out / "site" / "neurons").exists()
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
        ("[rank]", '[rank]\nlabels = ["upso"]', "[rank] labels: no column 'upso' in corpora odd;"),
        ('sentences = ["more"]', 'sentences = ["mor"]', "[intervene] sentences: no corpus 'mor';"),
        ("[select]", '[select]\nrankings = ["iou"]', "[select] rankings: 'iou' is not made by"),
        ("grid = [0.0, 0.01]", "grid = [-1.0]", "grid = (-1.0,) must be at least 0"),
        ("n_clusters = 12", "n_clusters = 5000", "n_clusters = 5000 but only"),
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


@pytest.mark.parametrize("path", ["./nowhere", "more.jsonl"])
def test_a_model_that_is_not_there_is_said_and_the_rest_is_done(
    cli, place, tmp_path, path, no_images
):
    text = without(STUDY, "corpora.more", *NEURONS).replace('path = "tuned"', f'path = "{path}"')
    status, out, error = cli("run", write(place, text), "--out", tmp_path / "run")
    assert status == 1 and "page: " in out
    assert error.startswith("failed: model tuned: ") and "is not a folder" in error
    made = Run.load(tmp_path / "run")
    assert set(made.probes) == {("odd", "upos", "base")} and not made.comparisons
    states = {(job.step, job.what): job.state for job in info(tmp_path / "run").jobs}
    assert states["model", "tuned"] == "failed" and states["align", "odd/base--tuned"] == "waiting"


def test_a_corpus_without_labels_cannot_be_ranked_for(cli, place, tmp_path):
    (place / "plain.txt").write_text("the dog sleeps\n" * 20)
    text = without(STUDY, "probe").replace("[extract]", PLAIN + "[extract]")
    study = write(place, text.replace('corpora = ["odd"]', 'corpora = ["plain"]'))
    status, out, error = cli("run", study, "--out", tmp_path / "run")
    assert (status, out) == (2, "")
    assert "corpus 'plain' cannot be ranked for: it has no label columns; set corpora" in error
    assert not (tmp_path / "run" / "activations").exists()


def test_a_model_that_cannot_be_asked_is_skipped_and_the_reason_is_told(place, tmp_path):
    """The tuned model tells classes, and no corpus is named whose sentences have some."""
    text = without(STUDY, "probe", "concepts", "align", "select", "reduce")
    text = text.replace('sentences = ["more"]\n', "").replace("max_corr", "iou")
    made = run(write(place, text), tmp_path / "run", device="cpu")
    assert set(made.neurons.effects) == {("odd", "upos", "base")}
    assert any("set sentences in [intervene]" in text for text in warnings(made))
    jobs = [(job.what, job.state) for job in info(made.path).jobs if job.step == "intervene"]
    assert jobs == [("odd/upos/base", "done"), ("odd/upos/tuned", "skipped")]


def test_results_on_neurons_that_are_not_of_the_study_are_dropped(tiny_run, tmp_path):
    """What the study no longer says, or what was made from other rankings, is not shown."""
    out = Path(shutil.copytree(tiny_run.path, tmp_path / "run"))
    base, tuned = (("odd", "upos", model) for model in ("base", "tuned"))

    def found(*changes: tuple[str, str]):
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (out / "study.toml").write_text(text)
        return Run.load(out).neurons

    now = found()
    assert now and set(now.rankings) == set(now.sets) == set(now.redundancy) == {base, tuned}
    assert [effect.facts["kind"] for effect in now.effects[base]] == ["masked"]
    assert [effect.facts["corpus"] for effect in now.effects[tuned]] == ["more"]
    now = found(("deltas = [1.0, 5.0]", "deltas = [2.0]"))
    assert set(now.rankings) == set(now.redundancy) == {base, tuned} and now.sets == {}
    now = found(("[reduce]\nincrement = 0.2\nseeds = 1\n", ""))
    assert now.redundancy == {} and set(now.sets) == {base, tuned}
    assert set(found(('sentences = ["more"]', 'sentences = ["odd"]')).effects) == {base}
    for change in (
        ("grid = [0.0, 0.01]", "grid = [0.0]"),
        ('corpora = ["odd"]', 'corpora = ["more"]'),
        ("[rank]", '[rank]\nlabels = ["class"]'),
    ):
        now = found(change)
        assert not now and now.sets == now.redundancy == now.effects == {}
    manifest = out / "neurons" / "odd" / "upos" / "base" / "rank" / "manifest.json"
    content = read_json(manifest)
    write_json(manifest, {**content, "key": "another"})
    now = found()
    assert set(now.rankings) == {base, tuned}
    assert set(now.sets) == set(now.redundancy) == set(now.effects) == {tuned}


def test_the_summary_tells_what_was_found_about_neurons(tiny_run):
    text = summary(tiny_run)
    assert text.count("neurons for ") == 2
    assert "neurons for upos in odd, base" in text.replace("“", "").replace("”", "")
    for study in studies(tiny_run).values():
        for claim in findings(study):
            assert f"- {claim.topic}: {claim.text}".replace("\N{MINUS SIGN}", "-") in text


# --- individual neurons --------------------------------------------------------------------------

FEW = ("--rankings", "lca", "random", "--scalings", "raw", "--grid", "0", "0.01",
       "--resamples", "20", "--control-seeds", "1", "--views", "1")  # fmt: skip


def test_neurons_one_by_one(cli, place, monkeypatch):
    monkeypatch.chdir(place)
    store = "run/activations/odd/base"
    status, out, _ = cli("rank", store, "upos", "n/rank", *FEW, "--device", "cpu")
    assert status == 0 and "Rankings of 96 neurons for 'upos' in 'odd', base (2 methods; raw" in out
    assert "agreement_summary" in out and "localisation" in out
    few = ("--seeds", "1", "--increment", "0.2")
    flags = ("--deltas", "5", "--shares", "0.2", "--sizes", "8", *few)
    status, out, _ = cli("select", "n/rank", store, "n/select", *flags)
    assert status == 0 and " of 96 by lca come within 5 of all" in out and "ablation" in out
    status, out, _ = cli("reduce", "n/rank", store, "n/reduce", *few)
    assert status == 0 and "Redundancy for 'upos' in 'odd', base: " in out and "clusters" in out
    flags = ("--neurons", "4", "--actions", "zero", "scale:2", "--draws", "2", "--resamples", "20",
             "--max-sentences", "5")  # fmt: skip
    status, out, _ = cli("intervene", "n/rank", store, "base", "n/effects", *flags)
    assert status == 0 and "the model predicts masked words" in " ".join(out.split())
    asked = ("--sentences.path", "more.jsonl", "--sentences.max-sentences", "9")
    status, out, _ = cli("intervene", "n/rank", store, "tuned", "n/classes", *flags, *asked)
    assert status == 0 and "the model predicts a sentence's class" in " ".join(out.split())
    across = ("--rankings", "max_corr", "--others", "run/activations/odd/tuned", *FEW[3:])
    assert cli("rank", store, "upos", "n/across", *across)[0] == 0


def test_a_neuron_is_shown_with_its_words_as_they_are(cli, place):
    store = place / "run" / "activations" / "odd" / "base"
    status, out, _ = cli("neuron", store, "1:3", "--min-count", "1", "--words", "60")
    assert status == 0 and "1:3" in out and "Values by upos" in out
    for word in (*HOSTILE[:3], *LABELS):
        assert word in out
    status, both, _ = cli("neuron", store, "1:3", "2:0", "--labels", "upos", "--contexts", "1")
    assert status == 0 and "1:3" in both and "2:0" in both


@pytest.mark.parametrize("command", [*NEURONS, "neuron"])
def test_help_of_the_commands_on_neurons(cli, command):
    status, out, _ = cli(command, "--help")
    assert status == 0 and f"tunescope {command}" in out
    step = STEPS.get(command)
    for field in dataclasses.fields(step) if step else ():
        assert f"--{field.name.replace('_', '-')}" in out, field.name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rank", "STORE", "upso", "x"), "did you mean 'upos'"),
        (("rank", "STORE", "upos", "x", "--rankings", "max_corr"), "give others=[...] stores"),
        (("rank", "STORE", "upos", "x", "--grid", "-1"), "must be at least 0"),
        (("rank", "nowhere", "upos", "x"), "nowhere/manifest.json is missing"),
        (("rank", "RANK", "upos", "x"), "was written by step 'rank'; give a folder of 'extract'"),
        (("select", "STORE", "STORE", "x"), "give a folder of 'rank'"),
        (("select", "RANK", "OTHER", "x"), "give the store that was ranked"),
        (("select", "RANK", "STORE", "x", "--rankings", "iou"), "ranking 'iou' was not made"),
        (("reduce", "RANK", "OTHER", "x"), "give the store that was ranked"),
        (("intervene", "RANK", "STORE", "base", "x", "--actions", "zap"), "no action 'zap'"),
        (("intervene", "RANK", "STORE", "base", "x", "--target", "nuon"), "label 'nuon'"),
        (("intervene", "RANK", "STORE", "study.toml", "x"), "study.toml is not a folder"),
        (("intervene", "RANK", "STORE", "tuned", "x", "--sentences.path", "no.txt"), "no.txt"),
        (("neuron", "STORE", "9-1"), "write layer:index"),
        (("neuron", "STORE", "1:999"), "1:999"),
        (("neuron", "STORE", "1:1", "--labels", "upso"), "upos"),
    ],
)  # fmt: skip
def test_errors_on_neurons_are_one_line(cli, place, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(place)
    folders = {"STORE": "run/activations/odd/base", "OTHER": "run/activations/odd/tuned",
               "RANK": "run/neurons/odd/upos/base/rank", "x": str(tmp_path / "out")}  # fmt: skip
    status, out, error = cli(*(folders.get(part, part) for part in arguments))
    assert (status, out) == (2, "")
    assert error.startswith("tunescope: error: ") and message in error
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_align_takes_the_labels_that_a_corpus_has(cli, place, tmp_path):
    (place / "plain.txt").write_text("the dog sleeps\n" * 20)
    text = without(STUDY, *NEURONS).replace("[extract]", PLAIN + "[extract]")
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
    assert f"{file}: File exists" in cli("export", place / "run", file)[2]
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

    monkeypatch.setattr("tunescope.study.concepts.align", stop)
    out = tmp_path / "run"
    status, _, error = cli("run", tiny_run.path.parent / "study.toml", "--out", out)
    assert status == 130 and error.startswith("interrupted; finished work is kept")
    monkeypatch.undo()
    jobs = info(out).jobs
    made = {job.step: job.state for job in jobs if job.what == "odd/tuned"}
    assert made["extract"] == made["concepts"] == "done"
    assert {job.state for job in jobs if job.what == "odd/base--tuned"} == {"missing"}


def test_wide_tables_are_cut_into_some_that_fit():
    frame = pd.DataFrame({"name": ["a"], "layer": [0]} | {f"column {n}": [0.123] for n in range(9)})
    cut = blocks(frame, width=40)
    assert all(block.columns[0] == "layer" for block in cut) and len(cut) > 1
    shown = [name for block in cut for name in block.columns if name != "layer"]
    assert shown == [name for name in frame.columns if name != "layer"]
    assert len(blocks(frame, width=200)) == 1 and blocks(frame.head(0), 80) == []
    alike = {f"{name} {n}": [0.123] for name in ("apple", "pear", "plum") for n in range(3)}
    cut = blocks(pd.DataFrame({"layer": [0]} | alike), width=40)
    assert [len({name.split()[0] for name in block.columns[1:]}) for block in cut] == [1, 1, 1]
    zero = pd.DataFrame({"layer": [0]} | alike | {"pear 0": [0], "pear 1": [0], "pear 2": [0.0]})
    left, named = without_zeros(zero, width=40)
    assert named == ["pear"] and len(left.columns) == 7 and "layer" in left
    assert without_zeros(zero, width=200)[1] == []
    assert [as_text(value) for value in (float("nan"), None, pd.NA)] == ["", "", ""]
    assert as_text(0.12345) == "0.123"


def test_zeros_are_said_of_all_rows_though_few_are_printed():
    class Wide(Result):
        def headline(self) -> str:
            return "wide"

        def table(self) -> pd.DataFrame:
            shown = {f"shown {n}": [1, 1] for n in range(3)}
            late = {"late base": [0, 1], "late tuned": [0, 0]}
            zero = {"zero base": [0, 0], "zero tuned": [0, 0]}
            return pd.DataFrame({"layer": [0, 1]} | shown | late | zero)

    text = io.StringIO()
    show(Wide(), Console(file=text, width=30), max_rows=1)
    assert "0 in all rows: zero\n" in text.getvalue() and "late" in text.getvalue()


def test_warnings_name_all_models_once(tiny_run):
    """What is the same in all models is said once, on the page and in the terminal."""
    found = warnings(tiny_run)
    assert len(found) == len(set(found)) and any("in base, tuned" in text for text in found)
    assert "in base, tuned: " in "\n".join(found) and "beyond the length limit" in found[0]
