"""The command for the geometry of base against tuned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, app, show
from tunescope.steps import Geometry


@app.command
def geometry(
    base: Path,
    tuned: Path,
    out: Path,
    *,
    step: Annotated[Geometry, Flat] = Geometry(),  # noqa: B008
) -> None:
    """Measure how alike base and tuned activations are: CKA, Procrustes distance, neighbours.

    Parameters
    ----------
    base
        Folder written by `tunescope extract`, of the base model.
    tuned
        The same of the tuned model, over the same corpus.
    out
        Folder for the result.
    """
    from tunescope.geometry.compare import compare_geometry as do

    show(do(base, tuned, out, step=step))
