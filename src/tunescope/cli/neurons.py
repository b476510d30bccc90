"""Commands on individual neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tunescope.cli.app import CorpusFlags, Flat, app, show
from tunescope.steps import Intervene, Rank, Reduce, Select


@app.command
def rank(
    activations: Path,
    label: str,
    out: Path,
    *,
    others: tuple[Path, ...] = (),
    step: Annotated[Rank, Flat] = Rank(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Rank the neurons of all layers by what they say about a label column.

    Parameters
    ----------
    activations
        Folder written by `tunescope extract`.
    label
        Label column.
    out
        Folder for the rankings.
    others
        Folders of other models' activations of the same words, for rankings across models.
    device
        Where probes are fitted: auto, cpu, cuda:1, ...
    """
    from tunescope.models.load import find_device
    from tunescope.neurons.rank import rank as do

    show(do(activations, label, out, others=others, device=str(find_device(device)), step=step))


@app.command
def select(
    ranked: Path,
    activations: Path,
    out: Path,
    *,
    step: Annotated[Select, Flat] = Select(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Find how few of the ranked neurons suffice: minimal sets, ablation, selectivity.

    Parameters
    ----------
    ranked
        Folder written by `tunescope rank`.
    activations
        The activations that were ranked.
    out
        Folder for the tables.
    device
        Where probes are fitted: auto, cpu, cuda:1, ...
    """
    from tunescope.models.load import find_device
    from tunescope.neurons.select import select as do

    show(do(ranked, activations, out, device=str(find_device(device)), step=step))


@app.command
def reduce(
    ranked: Path,
    activations: Path,
    out: Path,
    *,
    step: Annotated[Reduce, Flat] = Reduce(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Find what is redundant for a label: layers, correlated neurons, features.

    Parameters
    ----------
    ranked
        Folder written by `tunescope rank`: it says which words are used.
    activations
        The activations that were ranked.
    out
        Folder for the table.
    device
        Where probes are fitted: auto, cpu, cuda:1, ...
    """
    from tunescope.models.load import find_device
    from tunescope.neurons.reduce import reduce as do

    show(do(ranked, activations, out, device=str(find_device(device)), step=step))


@app.command
def intervene(
    ranked: Path,
    activations: Path,
    model: str,
    out: Path,
    *,
    sentences: CorpusFlags | None = None,  # not flat: both have max_sentences
    step: Annotated[Intervene, Flat] = Intervene(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Change the top neurons while the model runs; measure its own output beside random ones.

    Parameters
    ----------
    ranked
        Folder written by `tunescope rank`.
    activations
        The activations that were ranked.
    model
        Hugging Face id or folder, with the head it was saved with.
    out
        Folder for the tables.
    sentences
        Sentences to measure on, with classes for a classifier; the ranked words' when not given.
    device
        Where the model runs: auto, cpu, cuda:1, ...
    """
    from tunescope.corpus.read import read_source
    from tunescope.neurons.intervene import intervene as do

    corpus = None if sentences is None else read_source(sentences)
    show(do(ranked, activations, model, out, sentences=corpus, device=device, step=step))


@app.command
def neuron(
    activations: Path,
    neurons: Annotated[tuple[str, ...], Parameter(consume_multiple=False)],
    *,
    labels: tuple[str, ...] | None = None,
    words: int = 24,
    contexts: int = 5,
    min_count: int = 3,
) -> None:
    """Look at neurons: their top words, contexts coloured by activation, values of each label.

    Parameters
    ----------
    activations
        Folder written by `tunescope extract`.
    neurons
        Which, as layer:index, for instance 9:231; several stand side by side.
    labels
        Label columns; the first of the corpus when not given.
    words
        Top words shown.
    contexts
        Contexts shown on each side.
    min_count
        A word counts among the top words from this many occurrences on.
    """
    from tunescope.report.neurons.text import show_neurons

    show_neurons(
        activations, neurons, labels=labels, n_words=words, n_contexts=contexts,
        min_count=min_count,
    )  # fmt: skip
