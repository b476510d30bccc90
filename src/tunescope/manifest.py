"""What a folder holds, from which inputs it was made, and whether it is finished.

A step writes `started.json` when it begins and `manifest.json` when it is done. Both carry a key:
the hash of the step, its parameters and its inputs. The same key means the same results, so a
finished step is not run again and an interrupted one goes on with the units it has.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tunescope import __version__
from tunescope.errors import InputError, TunescopeError
from tunescope.files import hash_json, read_json, remove_leftovers, write_json
from tunescope.steps import Step

State = Literal["missing", "partial", "stale", "done"]

_looking: ContextVar[bool] = ContextVar("looking", default=False)


class NotDone(TunescopeError):
    """Raised instead of running a step while one only looks at what is there.

    Parameters
    ----------
    state : {"missing", "partial", "stale"}
        What the folder holds.
    """

    def __init__(self, state: State):
        super().__init__(f"the step's results are {state}: run it")
        self.state: State = state


@contextmanager
def only_look() -> Iterator[None]:
    """Let steps return results that are there and raise `NotDone` for all others."""
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)


def only_looking() -> bool:
    """Say whether steps may only look, and must change nothing and ask nothing."""
    return _looking.get()


@dataclass(frozen=True)
class Manifest:
    """The record of one finished step.

    Parameters
    ----------
    step : str
        Name of the step.
    key : str
        Hash of the step's version, parameters and inputs.
    parameters : dict
        All parameters of the step.
    inputs : dict
        What it was made from: hashes and names.
    facts : dict
        What came out, as plain values (counts, warnings, shapes).
    tunescope : str
        Version of the package that wrote it.
    """

    step: str
    key: str
    parameters: dict[str, Any]
    inputs: dict[str, Any]
    facts: dict[str, Any]
    tunescope: str = __version__

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a finished step.

        Raises
        ------
        InputError
            If the folder has none, or it is not a manifest.
        """
        content = read_json(Path(folder) / "manifest.json")
        try:
            return cls(**content)
        except TypeError:
            raise InputError(f"{folder}/manifest.json is not one of tunescope's") from None


def step_key(step: Step, inputs: dict[str, Any]) -> str:
    """Hash of a step's version, parameters and inputs."""
    return hash_json([step.name, step.version, step.parameters(), inputs])


def state(folder: Path, key: str) -> State:
    """Say whether `folder` holds results for `key`: missing, partial, stale or done."""
    for name, same in (("manifest.json", "done"), ("started.json", "partial")):
        if (folder / name).exists():
            return same if read_json(folder / name).get("key") == key else "stale"  # type: ignore[return-value]
    return "missing"


def begin(folder: Path, step: Step, inputs: dict[str, Any]) -> Manifest | None:
    """Prepare `folder` for a step; return the manifest if the step is already done.

    With the same key, units finished by an interrupted run stay in place. With another key the
    folder is emptied, as what it holds belongs to other inputs or parameters.

    Raises
    ------
    InputError
        If `folder` holds files that no step has written.
    NotDone
        Within `only_look`, if the step is not done.
    """
    key = step_key(step, inputs)
    current = state(folder, key)
    if current == "done":
        if not _looking.get():  # a kill may have come between the two files
            (folder / "started.json").unlink(missing_ok=True)
        return Manifest.load(folder)
    if _looking.get():
        raise NotDone(current)
    if current == "missing" and folder.is_dir():
        remove_leftovers(folder)
        if any(folder.iterdir()):
            raise InputError(f"{folder} holds other files: give a new or an empty folder")
    if current == "stale":
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    write_json(folder / "started.json", {"key": key, "step": step.name})
    return None


def finish(folder: Path, step: Step, inputs: dict[str, Any], facts: dict[str, Any]) -> Manifest:
    """Write the manifest: from now on the step counts as done."""
    manifest = Manifest(
        step.name, step_key(step, inputs), step.parameters(), inputs, facts, __version__
    )
    write_json(folder / "manifest.json", vars(manifest))
    (folder / "started.json").unlink(missing_ok=True)
    return manifest
