"""The command line. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal  # noqa: F401 (named by inherited fields of CorpusFlags)

from cyclopts import App, Parameter

from tunescope import __version__
from tunescope.corpus.source import CorpusSource
from tunescope.errors import TunescopeError
from tunescope.steps import Align, Concepts, Extract, Finetune, Probe


def _by_key(kind: Any, tokens: Any) -> Any:
    """Turn `--path FILE`, or `--path.train FILE --path.dev FILE`, into a text or a dictionary."""
    if isinstance(tokens, dict):
        return {key: _by_key(kind, below) for key, below in tokens.items()}
    return tokens[-1].value


Flat = Parameter(name="*")
Files = Parameter(converter=_by_key)


@dataclass(frozen=True)
class CorpusFlags(CorpusSource):  # noqa: D101 (the docstring is that of the base)
    __doc__ = CorpusSource.__doc__

    path: Annotated[str | dict[str, str], Files]
    label_files: Annotated[dict[str, str | dict[str, str]] | None, Files] = None


app = App(
    name="tunescope",
    help="See what fine-tuning did to a language model.",
    version=__version__,
    default_parameter=Parameter(negative=(), consume_multiple=True),
    suppress_keyboard_interrupt=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of the user's are one line, an interrupt says how to go on."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # threads that spin while they wait cost a multiple of the time on a machine with other work
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app(arguments)
    except TunescopeError as error:
        sys.stderr.write(f"tunescope: error: {error}\n")
        sys.exit(2)
    except OSError as error:  # a folder that cannot be written to, a full disk
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"tunescope: error: {where}{error.strerror or error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; finished work is kept: the same command goes on from it\n")
        sys.exit(130)


def _show(result: Any, **options: Any) -> None:
    from tunescope.report.terminal import show

    show(result, **options)


@app.command
def run(study: Path, *, out: Path | None = None, device: str = "auto") -> None:
    """Run a whole study, or what is left of it; ends with a summary and a page.

    Parameters
    ----------
    study
        Study file (TOML).
    out
        Folder of the run; by default runs/NAME.
    device
        Where models run: auto, cpu, cuda:1, ...
    """
    from tunescope.files import atomic_directory
    from tunescope.report.findings import summary
    from tunescope.report.provenance import warnings
    from tunescope.report.site import export as write_pages
    from tunescope.study.run import run as run_study

    result = run_study(study, out, device=device)
    site = result.path / "site"
    with atomic_directory(site) as new:  # nothing stays of figures the study no longer has
        write_pages(result, new)
    _show(result)
    sys.stdout.write(f"\n{summary(result)}\n")
    for text in warnings(result):
        sys.stdout.write(f"warning: {text}\n")
    sys.stdout.write(f"\npage: {(site / 'index.html').resolve()}\n")


@app.command
def info(run: Path) -> None:
    """Say what is in a run's folder: what is done, partial, stale or missing, and how large.

    Parameters
    ----------
    run
        Folder of a run.
    """
    from tunescope.study.info import info as look

    _show(look(run), max_rows=None)


@app.command
def export(run: Path, out: Path) -> None:
    """Write a run's pages: self-contained files that need no server.

    Parameters
    ----------
    run
        Folder of a run.
    out
        Folder for the pages.
    """
    from tunescope.report.site import export as write_pages
    from tunescope.study.result import Run

    sys.stdout.write(f"page: {write_pages(Run.load(run), out).resolve()}\n")


@app.command
def finetune(
    model: str,
    out: Path,
    task: Annotated[CorpusFlags, Flat],
    *,
    step: Annotated[Finetune, Flat] = Finetune(),  # noqa: B008 (frozen)
    device: str = "auto",
) -> None:
    """Fine-tune a model to tell the classes of sentences.

    Parameters
    ----------
    model
        Hugging Face id or folder.
    out
        Folder for the checkpoint.
    device
        Where models run: auto, cpu, cuda:1, ...
    """
    from tunescope.corpus.read import read_source
    from tunescope.models.finetune import finetune as tune

    _show(tune(model, read_source(task), out, device=device, step=step))


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

    _show(do(read_source(corpus), model, out, device=device, step=step))


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

    _show(do(activations, label, out, step=step))


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
        Folder for the dendrograms.
    """
    from tunescope.latent.concepts import concepts as do

    _show(do(activations, out, step=step))


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
        The same for the tuned model.
    out
        Folder for the alignment.
    """
    from tunescope.latent.alignment import align as do

    _show(do(base, tuned, out, step=step))
