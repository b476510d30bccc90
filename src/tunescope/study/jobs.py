"""One job after the other: do it, time it, or only look whether it is done.

A job that fails does not stop the others: what it was to give counts as not there, its message is
kept for the page and said at the end. Which jobs there are and how far each has come is kept in
`jobs.json`, which is read without the libraries that do the work.
"""

from __future__ import annotations

import fcntl
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunescope.errors import InputError, TunescopeError
from tunescope.files import folder_size, read_json, remove_leftovers, write_json
from tunescope.manifest import NotDone, only_look


class _Absent:
    """A result that is not there, because its step or one before it was not run."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True)
class Job:
    """One step on one thing.

    Parameters
    ----------
    step : str
        Name of the step.
    what : str
        What it works on.
    folder : Path
        Where its results are.
    state : {"done", "missing", "partial", "stale", "waiting", "skipped", "failed"}
        `waiting` is said of a job whose inputs are not there, `skipped` of one that cannot be done
        and that the others do not need, `failed` of one that was tried and ended with an error.
    size : int
        Bytes on disk.
    seconds : float or None
        How long it took, where known.
    """

    step: str
    what: str
    folder: Path
    state: str
    size: int
    seconds: float | None


KEPT = "jobs.json"


def kept_jobs(path: Path) -> list[Job]:
    """Return all jobs of a run as the last `run` left them, in their order.

    One in which a run was killed is `partial`: it has begun to write.

    Parameters
    ----------
    path : Path
        The run's folder. Of a run that keeps no list, none are known.
    """
    rows = read_json(path / KEPT) if (path / KEPT).exists() else []
    jobs = [Job(**{**row, "folder": path / row["folder"]}) for row in rows]
    begun = [job.state == "missing" and (job.folder / "started.json").exists() for job in jobs]
    return [
        replace(job, state="partial") if partial else job
        for job, partial in zip(jobs, begun, strict=True)
    ]


class Jobs:
    """Does jobs (`working`) or looks at them (`looking`), and keeps a list.

    Parameters
    ----------
    out : Path
        The run's folder.
    does : bool
        Whether jobs are done.
    """

    def __init__(self, out: Path, does: bool):
        self.does = does
        self.list: list[Job] = []
        self._out = out
        self._planned: dict[tuple[str, str], Job] = {}
        self._skipped: dict[str, str] = {}
        self._reasons = out / "skipped.json"
        self.failed: dict[str, str] = {}
        self._known_skipped: dict[str, str] = {}
        if not does and self._reasons.exists():
            self._known_skipped = read_json(self._reasons)
        self._failures = out / "failed.json"
        if not does and self._failures.exists():
            self.failed = read_json(self._failures)
        self._timings = out / "timings.json"
        self._seconds = read_json(self._timings) if self._timings.exists() else {}

    @classmethod
    @contextmanager
    def working(cls, out: Path) -> Iterator[Jobs]:
        """Do jobs, as the only process that works in `out`.

        Raises
        ------
        InputError
            If another process is at work there, or the folder holds other files than a run's.
        """
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file: give the folder for the run")
        out.mkdir(parents=True, exist_ok=True)
        if not (out / "study.toml").exists():
            others = [path.name for path in out.iterdir() if not path.name.startswith(".")]
            if others:
                raise InputError(
                    f"{out} is no run's folder and holds other files ({min(others)}): give a new "
                    "or an empty folder"
                )
        with (out / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"another process works in {out}: wait, or use --out") from None
            remove_leftovers(out)
            jobs = cls(out, does=True)
            try:
                yield jobs
            finally:
                write_json(jobs._failures, jobs.failed)
            jobs._forget_others()

    @classmethod
    @contextmanager
    def looking(cls, out: Path) -> Iterator[Jobs]:
        """Only look at what is in `out`."""
        with only_look():
            yield cls(out, does=False)

    def do(
        self, name: str, what: str, folder: Path, function: Callable[..., Any], /,
        *inputs: Any, needed: bool = False, optional: type[InputError] | None = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        """Call `function(*inputs, out=folder, **options)`; return its result or ABSENT.

        Parameters
        ----------
        name, what : str
            The step and what it works on, for the list.
        folder : Path
            Where the step writes.
        function : callable
            A step function: it returns at once what is done already.
        needed : bool
            Whether an error of this job ends the run.
        optional : type of InputError, optional
            Errors of this kind only mean that the job is passed over (`skip`).
        *inputs, **options
            Its arguments. If one is ABSENT, so is the result.
        """
        began, before = time.monotonic(), _stamp(folder)
        result: Any = ABSENT
        state, key = "waiting", f"{name} {what}"
        if not any(value is ABSENT for value in (*inputs, *options.values())):
            try:
                result, state = function(*inputs, out=folder, **options), "done"
            except NotDone as error:
                state = "failed" if key in self.failed else error.state
                if key in self._known_skipped:
                    self.skip(name, what, folder, self._known_skipped[key])
                    return ABSENT
            except Exception as error:
                if needed:
                    raise
                if optional is not None and isinstance(error, optional):
                    self.skip(name, what, folder, str(error))
                    return ABSENT
                state = "failed"
                self.fail(name, what, error)
        if self.does and state == "done" and _stamp(folder) != before:
            self._seconds[key] = round(time.monotonic() - began, 2)
            write_json(self._timings, self._seconds)
        size = folder_size(folder) if folder.exists() else 0
        self._add(Job(name, what, folder, state, size, self._seconds.get(key)))
        return result

    def together(
        self, jobs: Sequence[tuple[str, str, Path]], function: Callable[..., Any], /,
        *inputs: Any, **options: Any,
    ) -> None:  # fmt: skip
        """Do several jobs in one call; each is then listed by `do`, where it is done already.

        A call that fails does nothing: each job meets its own error.

        Parameters
        ----------
        jobs : sequence of (str, str, Path)
            Step, what it works on, and folder of each; those that are made share the time.
        function : callable
            Takes the inputs and options, which are there.
        """
        began, before = time.monotonic(), [_stamp(folder) for *_, folder in jobs]
        try:
            function(*inputs, **options)
        except Exception:
            return
        made = [job for job, stamp in zip(jobs, before, strict=True) if _stamp(job[2]) != stamp]
        for name, what, _ in made:
            self._seconds[f"{name} {what}"] = round((time.monotonic() - began) / len(made), 2)
        if made:
            write_json(self._timings, self._seconds)

    def attempt(
        self, name: str, what: str, function: Callable[..., Any], /, *inputs: Any, **options: Any
    ) -> Any:
        """Call a function that writes nothing; return its result, or ABSENT where it fails.

        Parameters
        ----------
        name, what : str
            As for `do`; only a failure is listed.
        function : callable
            Takes the inputs and options.
        """
        try:
            return function(*inputs, **options)
        except Exception as error:
            self.fail(name, what, error)
            self._add(Job(name, what, self._out, "failed", 0, None))
            return ABSENT

    def fail(self, name: str, what: str, error: Exception) -> None:
        """Keep what a job ended with, and say it at once.

        Parameters
        ----------
        name, what : str
            As for `do`.
        error : Exception
            One of the user's is said in a line; of any other the traceback is shown too.
        """
        if not self.does:
            return
        said = str(error)
        if not isinstance(error, TunescopeError):
            traceback.print_exc()
            said = f"{type(error).__name__}: {error}"
        self.failed[f"{name} {what}"] = said
        sys.stderr.write(f"failed: {name} {what}: {said}\n")

    def skip(self, name: str, what: str, folder: Path, reason: str) -> None:
        """Pass over a job that cannot be done, and keep the reason for the page.

        Parameters
        ----------
        name, what, folder
            As for `do`.
        reason : str
            Why, and what to do about it.
        """
        self._skipped[f"{name} {what}"] = reason
        self._add(Job(name, what, folder, "skipped", 0, None))

    def plan(self, jobs: Sequence[Job]) -> None:
        """Keep what is to be done, as it was found before: of a run that is killed, all is known.

        Parameters
        ----------
        jobs : sequence of Job
            All jobs, in their order.
        """
        self._planned = {(job.step, job.what): job for job in jobs}
        self._keep()

    def _add(self, job: Job) -> None:
        self.list.append(job)
        self._planned[job.step, job.what] = job
        self._keep()

    def _keep(self) -> None:
        """Write down all jobs and how far each has come."""
        if self.does:
            rows = [
                vars(job) | {"folder": job.folder.relative_to(self._out).as_posix()}
                for job in self._planned.values()
            ]
            write_json(self._out / KEPT, rows)

    def _forget_others(self) -> None:
        """Keep no timings of jobs that the study no longer has; write down what was skipped."""
        write_json(self._reasons, self._skipped)
        self.plan(self.list)
        names = {f"{job.step} {job.what}" for job in self.list}
        if self._seconds.keys() - names:
            self._seconds = {key: self._seconds[key] for key in self._seconds.keys() & names}
            write_json(self._timings, self._seconds)


def _stamp(folder: Path) -> int | None:
    """Return when a step was last finished."""
    path = folder / "manifest.json"
    return path.stat().st_mtime_ns if path.exists() else None
