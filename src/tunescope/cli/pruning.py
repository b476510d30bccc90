"""The command for pruned models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tunescope.cli.app import Flat, TaskFlags, app, show
from tunescope.steps import Finetune, Prune


@app.command
def prune(
    model: str,
    out: Path,
    task: Annotated[TaskFlags, Flat],
    *,
    step: Annotated[Prune, Flat] = Prune(),  # noqa: B008
    finetune: Annotated[Finetune, Parameter(name="finetune")] = Finetune(),  # noqa: B008
    store: Path | None = None,
    device: str = "auto",
) -> None:
    """Fine-tune a base model without some of its blocks, for every rule and seed.

    Parameters
    ----------
    model
        Hugging Face id or folder of the base model.
    out
        Folder for the scores.
    finetune
        How each is fine-tuned, as in `tunescope finetune`.
    store
        Folder written by `tunescope extract` for the base model; the rules contribution:K need it.
    device
        Where models run: auto, cpu, cuda:1, ...
    """
    from tunescope.pruning.prune import prune as do
    from tunescope.tasks.read import read_task

    result = do(
        model, read_task(task), out, store=store, finetune=finetune, device=device, step=step
    )
    show(result)
