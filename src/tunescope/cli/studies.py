"""Commands on whole studies: run, look, export."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tunescope.cli.app import app, show


@app.command
def run(study: Path, *, out: Path | None = None, device: str = "auto") -> None:
    """Run a whole study, or what is left of it; ends with a summary and the pages.

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
    from tunescope.report.neurons.page import summary as neuron_summary
    from tunescope.report.provenance import warnings
    from tunescope.report.transfer.findings import summary as transfer_summary
    from tunescope.study.run import run as run_study
    from tunescope.viewer.export import export as write_pages

    result = run_study(study, out, device=device)
    site = result.path / "site"
    with atomic_directory(site) as new:  # nothing stays of figures the study no longer has
        write_pages(result, new)
    show(result)
    for said in (transfer_summary(result), summary(result), neuron_summary(result)):
        sys.stdout.write(f"\n{said}\n" if said else "")
    for text in warnings(result):
        sys.stdout.write(f"warning: {text}\n")
    sys.stdout.write(f"\npage: {(site / 'index.html').resolve()}\n")
    sys.stdout.write(f"served by: tunescope view {shlex.quote(str(result.path))}\n")
    if result.failed:  # the page and all else are there; a script must see that not all is
        for job, said in result.failed.items():
            sys.stderr.write(f"failed: {job}: {said}\n")
        sys.exit(1)


@app.command
def info(run: Path) -> None:
    """Say what is in a run's folder: what is done, partial, stale or missing, and how large.

    Parameters
    ----------
    run
        Folder of a run.
    """
    from tunescope.study.info import info as look

    show(look(run), max_rows=None)


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
    from tunescope.study.result import Run
    from tunescope.viewer.export import export as write_pages

    sys.stdout.write(f"page: {write_pages(Run.load(run), out).resolve()}\n")


@app.command
def view(
    run: Path,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    annotate: bool = False,
    open_browser: Annotated[bool | None, Parameter(name="--open", negative="--no-open")] = None,
    device: str = "auto",
) -> None:
    """Serve a run's pages, also of one that is still going on; Ctrl-C ends.

    Parameters
    ----------
    run
        Folder of a run.
    host
        Address or name to bind to. Elsewhere than on this machine, the address that is printed has
        a token in it, without which nothing is shown.
    port
        8765, or another one where that is taken.
    annotate
        Let concepts be annotated; what is said of them is kept in the run's folder.
    open_browser
        Open the first page in a browser; by default where there is a screen.
    device
        Where a tuned model runs when texts are tried on it: auto, cpu, cuda:1, ...
    """
    from tunescope.viewer.server.serve import view as serve

    serve(run, host=host, port=port, annotate=annotate, open_browser=open_browser, device=device)
    sys.stdout.flush()
    # Not by way of the interpreter's end: libraries wait there for ever for threads that it stopped
    # amid their calls. All that is kept was written whole.
    os._exit(0)
