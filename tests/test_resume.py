"""A run that is killed at any moment and started again ends with the same bytes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from unittest.mock import Mock

import pytest

from runs import NEURONS, make_tiny_run
from tunescope.cli import main
from tunescope.errors import InputError
from tunescope.files import hash_file, write_json
from tunescope.study.info import info
from tunescope.study.jobs import Job, Jobs, kept_jobs
from tunescope.study.result import Run
from tunescope.study.run import run

TUNING = """
[tasks.odd]
path = "odd.jsonl"

[models.tuned_here]
base = "base"
task = "odd"

[finetune]
epochs = 1
"""
NOT_NUMBERS = {"timings.json", "jobs.json", ".lock", "manifest.json", "study.toml"}


def results(folder: Path) -> dict[str, str]:
    """Hash every file of a run but the run's own record of times and command."""
    return {
        str(path.relative_to(folder)): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (path.parent == folder and path.name in NOT_NUMBERS)
    }


def _run_and_die(study: Path, out: Path, renames: int) -> None:
    """Run in a child process that kills itself at its n-th rename."""
    real, seen = Path.replace, 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal seen
        seen += 1
        if seen == renames:
            if renames % 2:  # after half of the kills the file has its final name, else not
                real(self, target)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, target)

    Path.replace = replace  # type: ignore[method-assign]
    run(study, out, device="cpu")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    from runs import STUDY

    folder = tmp_path_factory.mktemp("killed")
    make_tiny_run(folder, STUDY.replace("[extract]", TUNING + "\n[extract]"))
    return folder


def test_ten_kills(finished):
    whole, out = finished / "run", finished / "again"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tunescope.study.run", "sklearn.linear_model"])
    kills, previous = 0, -1
    for renames in (3, 8, 13, 22, 31, 42, 9, 16, 27, 40, 52):
        child = context.Process(target=_run_and_die, args=(finished / "study.toml", out, renames))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        kills += 1
        found = info(out).jobs
        done = sum(job.state == "done" for job in found)
        assert done >= previous  # nothing finished is lost
        if kept := {(job.step, job.what) for job in kept_jobs(out)}:
            # Which models tell classes is known when they are there.
            assert kept >= {(job.step, job.what) for job in found if job.step != "predict"}
        previous = done
    assert kills >= 10
    run(finished / "study.toml", out, device="cpu")
    assert results(out) == results(whole)
    assert [job.state for job in kept_jobs(out)] == ["done"] * len(info(out).jobs)
    assert not list(out.rglob(".partial-*"))


def test_a_run_that_was_killed_as_it_began_says_so(finished, tmp_path, capsys):
    """The study file has its name, what was run and from where has not."""
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("tunescope.study.run.write_json", Mock(side_effect=KeyboardInterrupt))
        run(finished / "study.toml", tmp_path / "run", device="cpu")
    with pytest.raises(SystemExit, match="2"):
        main(["info", str(tmp_path / "run")])
    said = capsys.readouterr().err
    assert "has no results: the run was ended as it began; run it again" in " ".join(said.split())
    with pytest.raises(InputError, match="run it again"):
        Run.load(tmp_path / "run")


def test_second_run_changes_nothing(finished):
    out = finished / "run"

    def written() -> dict[Path, int]:
        kinds = (".npy", ".parquet", ".safetensors")
        files = (path for path in out.rglob("*") if path.suffix in kinds)
        again = "comparison.parquet"  # made of two results each time, and the same each time
        return {path: path.stat().st_mtime_ns for path in files if path.name != again}

    before = written()
    run(finished / "study.toml", out, device="cpu")
    assert written() == before
    found = info(out).jobs
    assert {job.state for job in found} == {"done"}
    assert tuple(Run.load(out).jobs) == found


def test_changed_parameter_makes_only_what_needs_it_stale(finished):
    out = shutil.copytree(finished / "run", finished / "changed")
    text = (finished / "study.toml").read_text()
    (out / "study.toml").write_text(text.replace("l1 = 0.01", "l1 = 0.02"))
    states = {(job.step, job.state) for job in info(out).jobs}
    assert ("probe", "stale") in states and ("probe", "done") not in states
    assert states - {("probe", "stale")} == {
        (step, "done")
        for step in (
            "corpus", "task", "finetune", "extract", "predict", "concepts", "align", *NEURONS
        )
    }  # fmt: skip


def test_the_kept_list_says_what_is_old_and_what_was_begun(finished, monkeypatch):
    out = shutil.copytree(finished / "run", finished / "listed")
    text = (finished / "study.toml").read_text()
    study = finished / "other.toml"
    study.write_text(text.replace("l1 = 0.01", "l1 = 0.02"))
    real = Jobs.do

    def do(self, name, *given, **options):
        if self.does and name == "extract":
            raise KeyboardInterrupt
        return real(self, name, *given, **options)

    monkeypatch.setattr(Jobs, "do", do)
    with pytest.raises(KeyboardInterrupt):
        run(study, out, device="cpu")
    states = [job.state for job in kept_jobs(out) if job.step == "probe"]
    assert states == ["stale"] * 6
    missing = Job("probe", "more", out / "probes" / "new", "missing", 0, None)
    write_json(out / "jobs.json", [vars(missing) | {"folder": "probes/new"}])
    assert kept_jobs(out) == [missing]
    write_json(out / "probes" / "new" / "started.json", {})
    assert [job.state for job in kept_jobs(out)] == ["partial"]


def test_two_processes_in_one_folder(finished):
    import fcntl

    from tunescope.errors import InputError

    with (finished / "run" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process works in"):
            run(finished / "study.toml", finished / "run")
