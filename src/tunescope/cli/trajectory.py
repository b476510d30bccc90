"""Commands on concepts over checkpoints, and on their stability."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, app, show
from tunescope.steps import Stability, Trace


@app.command
def trace(
    concepts: list[Path],
    *,
    out: Path,
    fractions: list[float] | None = None,
    tuning: Path | None = None,
    step: Annotated[Trace, Flat] = Trace(),  # noqa: B008
) -> None:
    """Follow concepts from a base model over checkpoints to the tuned model.

    Parameters
    ----------
    concepts
        Folders written by `tunescope concepts`: of the base model, of each checkpoint in order, of
        the tuned model last.
    out
        Folder for the result.
    fractions
        Share of the training done at each, from 0 to 1; those of `tuning` when not given.
    tuning
        Folder written by `tunescope finetune`: says how many texts each checkpoint had seen.
    """
    from tunescope.concepts.trajectory.step import trace_concepts as do

    show(do(concepts, out, fractions=fractions, tuning=tuning, step=step))


@app.command
def stability(
    concepts: Path,
    activations: Path,
    out: Path,
    *,
    tuned: Path | None = None,
    step: Annotated[Stability, Flat] = Stability(),  # noqa: B008
) -> None:
    """Measure how much of what is lost between base and tuned would be lost without tuning.

    Parameters
    ----------
    concepts
        Folder written by `tunescope concepts` for the base model.
    activations
        Folder written by `tunescope extract` that they were made from.
    out
        Folder for the result.
    tuned
        The tuned model's activations, over the same corpus.
    """
    from tunescope.concepts.stability.step import concept_stability as do

    show(do(concepts, activations, out, tuned=tuned, step=step))
