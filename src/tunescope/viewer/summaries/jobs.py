"""What was run: steps that are done, and those that are not, with what to do about each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tunescope.report.figure import Figure
from tunescope.study.jobs import Job
from tunescope.study.result import Run
from tunescope.viewer.summaries.grid import Cell, Column, grid

MOST_NAMES = 4
ORDER = ("failed", "stale", "partial", "missing", "waiting", "skipped")
ADVICE = {
    "failed": "ended with an error; the next run tries it again",
    "stale": "made from other inputs or parameters than the study file and the data now say; the "
    "next run makes it again",
    "partial": "begun and not finished; the next run goes on from there",
    "missing": "not run yet",
    "waiting": "what it needs is not there",
    "skipped": "cannot be done, and nothing else needs it",
}


def open_jobs(jobs: Sequence[Job]) -> list[Job]:
    """Return the steps that are not done, what failed and what is stale first."""
    known = [job for job in jobs if job.state in ORDER]
    return sorted(known, key=lambda job: ORDER.index(job.state))


def jobs_figures(run: Run) -> list[Figure]:
    """Make the tables of steps that are not done, if there are any, and of all steps by kind.

    Parameters
    ----------
    run : Run
        Results of a study.
    """
    jobs = run.jobs
    if not jobs:
        return []
    left = open_jobs(jobs)
    return [*([_open(run, left)] if left else []), _steps(run, jobs)]


def _open(run: Run, jobs: Sequence[Job]) -> Figure:
    rows = [
        {"state": job.state, "step": job.step, "of": job.what, "why": _why(run, job)}
        for job in jobs
    ]
    alike: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        alike.setdefault((row["state"], row["step"], row["why"]), []).append(row["of"])
    cells = [
        [
            Cell(state, tone="" if state == "skipped" else "no"),
            Cell(step),
            Cell(", ".join(names[:MOST_NAMES]), note=_more(len(names) - MOST_NAMES)),
            Cell(why),
        ]
        for (state, step, why), names in alike.items()
    ]
    command = run.about["command"]
    return Figure(
        "not-done",
        "What is not done",
        f"As the last run left it. To do it: {command}. Whether files have changed since says "
        f"tunescope info {run.path.name}.",
        {},
        pd.DataFrame(rows),
        command,
        written=grid("Steps that are not done", [*map(Column, rows[0])], cells),
    )


def _more(number: int) -> str:
    return f"and {number} more" if number > 0 else ""


def _why(run: Run, job: Job) -> str:
    key = f"{job.step} {job.what}"
    reason = run.failed.get(key) or run.skipped.get(key)
    return f"{ADVICE[job.state]}: {reason}" if reason else ADVICE[job.state]


def _steps(run: Run, jobs: Sequence[Job]) -> Figure:
    rows, cells = [], []
    for step in dict.fromkeys(job.step for job in jobs):
        of = [job for job in jobs if job.step == step]
        done = sum(job.state == "done" for job in of)
        seconds = sum(job.seconds or 0.0 for job in of)
        size = sum(job.size for job in of) / 1e6
        others = ", ".join(
            f"{n} {state}" for state in ORDER if (n := sum(job.state == state for job in of))
        )
        rows.append(
            {"step": step, "done": done, "not done": others, "seconds": seconds, "MB": size}
        )
        cells.append(
            [
                Cell(step),
                Cell(f"{done} of {len(of)}", tone="no" if others else ""),
                Cell(others),
                Cell(f"{seconds:,.1f}"),
                Cell(f"{size:,.1f}"),
            ]
        )
    columns = [
        Column("step"), Column("done"), Column("not done"),
        Column("seconds", numbers=True), Column("MB", numbers=True),
    ]  # fmt: skip
    table = pd.DataFrame(
        [(job.step, job.what, job.state, job.seconds, job.size) for job in jobs],
        columns=["step", "of", "state", "seconds", "bytes"],
    )
    done = sum(job.state == "done" for job in jobs)
    return Figure(
        "steps",
        f"Steps: {done} of {len(jobs)} done",
        f"In their order; {sum(row['seconds'] for row in rows):,.0f} seconds in all. The CSV has "
        "each step on each thing it works on.",
        {},
        table,
        run.about["command"],
        written=grid("Steps", columns, cells),
    )
