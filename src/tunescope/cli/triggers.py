"""Command that finds adversarial triggers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import Flat, TaskFlags, app, show
from tunescope.steps import Triggers


@app.command
def triggers(
    model: str,
    concepts: Path,
    out: Path,
    *,
    texts: TaskFlags,  # not flat: both have max_texts or the like
    words: Path | None = None,
    activations: Path | None = None,
    lexicon: str | None = None,
    classes: tuple[str, ...] | None = None,
    step: Annotated[Triggers, Flat] = Triggers(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Put words of polarity concepts into texts of other classes and count flipped predictions.

    Parameters
    ----------
    model
        Hugging Face id or folder of a classifier.
    concepts
        Folder written by `tunescope concepts` for it.
    out
        Folder for the tables.
    texts
        Texts with classes: a task, of which the dev texts are used.
    words
        Folder of the clustered words with other or predicted classes (`Corpus.save`).
    activations
        Folder written by `tunescope extract`, of what was clustered.
    lexicon
        File with word<TAB>score or word<TAB>class, or vader.
    classes
        The texts' names of the model's classes, in the order of its outputs.
    device
        Where the model runs: auto, cpu, cuda:1, ...
    """
    import sys

    from tunescope.corpus.table import Corpus
    from tunescope.tasks.read import read_task
    from tunescope.triggers.find import find_triggers as do

    found = do(
        model, concepts, read_task(texts), out, words=None if words is None else Corpus.load(words),
        activations=activations, lexicon=lexicon, classes=classes, device=device, step=step,
    )  # fmt: skip
    show(found)
    sys.stdout.write("\n" + "\n".join(found.findings()) + "\n")
