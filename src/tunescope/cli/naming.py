"""Commands that name concepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, app, show
from tunescope.steps import Name


@app.command
def name(
    concepts: Path,
    out: Path,
    *,
    alignment: Path | None = None,
    step: Annotated[Name, Flat] = Name(),  # noqa: B008
) -> None:
    """Ask a language model for a name of each concept; its address has to be given.

    Parameters
    ----------
    concepts
        Folder written by `tunescope concepts`.
    out
        Folder for the names, and for the answers got so far.
    alignment
        Folder written by `tunescope align`, to name only concepts that were lost, born, ...
    """
    from tunescope.concepts.naming.name import name_concepts as do

    show(do(concepts, out, alignment=alignment, step=step))
