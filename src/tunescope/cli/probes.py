"""The command for layer-wise probes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, app, show
from tunescope.steps import Probe


@app.command
def probe(
    activations: Path,
    label: str,
    out: Path,
    *,
    step: Annotated[Probe, Flat] = Probe(),  # noqa: B008
) -> None:
    """Fit an elastic-net probe on every layer for one label column.

    Parameters
    ----------
    activations
        Folder written by `tunescope extract`.
    label
        Label column.
    out
        Folder for the probes.
    """
    from tunescope.probes.layerwise import probe as do

    show(do(activations, label, out, step=step))
