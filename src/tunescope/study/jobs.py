"""One job after the other: do it, time it, or only look whether it is done."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunescope.errors import InputError
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
    state : {"done", "missing", "partial", "stale", "waiting", "skipped"}
        `waiting` is said of a job whose inputs are not there, `skipped` of one that cannot be done
        and that the others do not need.
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
        self._skipped: dict[str, str] = {}
        self._reasons = out / "skipped.json"
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
            yield jobs
            jobs._forget_others()

    @classmethod
    @contextmanager
    def looking(cls, out: Path) -> Iterator[Jobs]:
        """Only look at what is in `out`."""
        with only_look():
            yield cls(out, does=False)

    def do(
        self, name: str, what: str, folder: Path, function: Callable[..., Any], /,
        *inputs: Any, **options: Any,
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
        *inputs, **options
            Its arguments. If one is ABSENT, so is the result.
        """
        began, before = time.monotonic(), _stamp(folder)
        result: Any = ABSENT
        state = "waiting"
        if not any(value is ABSENT for value in (*inputs, *options.values())):
            try:
                result, state = function(*inputs, out=folder, **options), "done"
            except NotDone as error:
                state = error.state
        key = f"{name} {what}"
        if self.does and state == "done" and _stamp(folder) != before:
            self._seconds[key] = round(time.monotonic() - began, 2)
            write_json(self._timings, self._seconds)
        size = folder_size(folder) if folder.exists() else 0
        self.list.append(Job(name, what, folder, state, size, self._seconds.get(key)))
        return result

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
        self.list.append(Job(name, what, folder, "skipped", 0, None))

    def _forget_others(self) -> None:
        """Keep no timings of jobs that the study no longer has; write down what was skipped."""
        write_json(self._reasons, self._skipped)
        names = {f"{job.step} {job.what}" for job in self.list}
        if self._seconds.keys() - names:
            self._seconds = {key: self._seconds[key] for key in self._seconds.keys() & names}
            write_json(self._timings, self._seconds)


def _stamp(folder: Path) -> int | None:
    """Return when a step was last finished."""
    path = folder / "manifest.json"
    return path.stat().st_mtime_ns if path.exists() else None
