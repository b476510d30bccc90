"""Commands on latent concepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, app, show
from tunescope.steps import Align, Concepts


@app.command
def concepts(
    activations: Path,
    out: Path,
    *,
    step: Annotated[Concepts, Flat] = Concepts(),  # noqa: B008
) -> None:
    """Choose words by frequency and cluster their activations at every layer.

    Parameters
    ----------
    activations
        Folder written by `tunescope extract`.
    out
        Folder for the clusterings.
    """
    from tunescope.concepts.discover import discover_concepts as do

    show(do(activations, out, step=step))


@app.command
def align(
    base: Path,
    tuned: Path,
    out: Path,
    *,
    step: Annotated[Align, Flat] = Align(),  # noqa: B008
) -> None:
    """Align a base model's concepts with a tuned one's, with labels and with classes.

    Parameters
    ----------
    base
        Folder written by `tunescope concepts` for the base model.
    tuned
        The same for the tuned model; `none` to align a single model with labels and classes.
    out
        Folder for the alignment.
    """
    from tunescope.concepts.alignment.align import align as do

    show(do(base, None if str(tuned) == "none" else tuned, out, step=step))
