"""Commands that run a model: tune it, store its activations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import CorpusFlags, Flat, TaskFlags, app, show
from tunescope.steps import Extract, Finetune


@app.command
def finetune(
    model: str,
    out: Path,
    task: Annotated[TaskFlags, Flat],
    *,
    step: Annotated[Finetune, Flat] = Finetune(),  # noqa: B008 (frozen)
    device: str = "auto",
) -> None:
    """Fine-tune a model on a task: to tell classes of texts or pairs, or to give a number.

    Parameters
    ----------
    model
        Hugging Face id or folder.
    out
        Folder for the checkpoint or adapter.
    device
        Where models run: auto, cpu, cuda:1, ...
    """
    from tunescope.models.finetune import finetune as tune
    from tunescope.tasks.read import read_task

    show(tune(model, read_task(task), out, device=device, step=step))


@app.command
def extract(
    model: str,
    out: Path,
    corpus: Annotated[CorpusFlags, Flat],
    *,
    step: Annotated[Extract, Flat] = Extract(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Store the activation of every word of a corpus at every layer of a model.

    Parameters
    ----------
    model
        Hugging Face id or folder.
    out
        Folder for the activations.
    device
        Where models run: auto, cpu, cuda:1, ...
    """
    from tunescope.activations.extract import extract as do
    from tunescope.corpus.read import read_source

    show(do(read_source(corpus), model, out, device=device, step=step))
