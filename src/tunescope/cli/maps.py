"""The command that draws words in two dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, app, show
from tunescope.steps import Project


@app.command
def project(
    base: Path,
    tuned: Path | None = None,
    *,
    out: Path,
    base_concepts: Path | None = None,
    tuned_concepts: Path | None = None,
    step: Annotated[Project, Flat] = Project(),  # noqa: B008
) -> None:
    """Put words of every layer into two dimensions, those of both models in one picture.

    Parameters
    ----------
    base
        Folder written by `tunescope extract`, of the base model.
    tuned
        The same of the tuned model, over the same corpus; without it, `base` is drawn alone.
    out
        Folder for the result.
    base_concepts
        Folder written by `tunescope concepts` for the base model: words are drawn of every concept.
    tuned_concepts
        The same of the tuned model.
    """
    from tunescope.concepts.projection.step import project as do

    show(
        do(base, tuned, out, base_concepts=base_concepts, tuned_concepts=tuned_concepts, step=step)
    )
