"""What is in a run's folder: which steps are done, partial, stale or missing, and how large."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunescope.results import Result
from tunescope.study.jobs import Job, Jobs
from tunescope.study.result import Run
from tunescope.study.run import follow

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunInfo(Result):
    """The state of a run.

    Parameters
    ----------
    path : Path
        The run's folder.
    jobs : tuple of Job
        All steps, in order.
    """

    path: Path
    jobs: tuple[Job, ...]

    def headline(self) -> str:
        """Return how many steps are done and the size of all."""
        done = sum(job.state == "done" for job in self.jobs)
        size = sum(job.size for job in self.jobs) / 1e6
        return f"{self.path}: {done} of {len(self.jobs)} steps done, {size:,.0f} MB"

    def table(self) -> pd.DataFrame:
        """Return one row per step."""
        import pandas as pd

        rows = [
            (job.step, job.what, job.state, round(job.size / 1e6, 1), job.seconds)
            for job in self.jobs
        ]
        return pd.DataFrame(rows, columns=["step", "what", "state", "MB", "seconds"])


def info(path: Path | str) -> RunInfo:
    """Look at a run without changing it.

    A step is `stale` when its results were made from other inputs or parameters than the study
    file and the data now say; the next run replaces them.

    Parameters
    ----------
    path : Path or str
        A run's folder.

    Raises
    ------
    InputError
        If the folder is no run, or its run was ended before it did anything.
    """
    run = Run.load(path)
    with Jobs.looking(run.path) as jobs:
        follow(run.study, run.path, jobs)
    return RunInfo(run.path, tuple(jobs.list))
