"""Answers outlive the result they were asked for: a changed parameter does not ask again.

A step's folder is emptied when its parameters change. Answers cost time and money, and each is
named by all that it depends on, so they are set aside and put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunescope.manifest import NotDone, begin, only_looking, state, step_key
from tunescope.steps import Name

ANSWERS = "answers"


@contextmanager
def keeping_answers(out: Path, step: Name, inputs: dict[str, Any]) -> Iterator[bool]:
    """Begin the step; yield whether there is something to do.

    There is when the step is not done, or when it is but requests of it had failed.

    Parameters
    ----------
    out : Path
        The step's folder.
    step : Name
        The parameters.
    inputs : dict
        The step's inputs.

    Raises
    ------
    NotDone
        Within `only_look`, also of a finished step whose requests had failed in part.
    """
    aside = out.with_name(f".{out.name}.{ANSWERS}")  # also there when a kill came in between
    here = out / ANSWERS
    if only_looking():  # nothing may change, and nothing be asked
        manifest = begin(out, step, inputs)
        if manifest is not None and manifest.facts["failed"]:
            raise NotDone("partial")
        yield False
        return
    if state(out, step_key(step, inputs)) == "stale" and here.exists() and not aside.exists():
        here.rename(aside)
    manifest = begin(out, step, inputs)
    if aside.exists() and not here.exists():
        aside.rename(here)
    yield manifest is None or bool(manifest.facts["failed"])
