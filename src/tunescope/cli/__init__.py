"""The command line. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tunescope.cli import (  # noqa: F401 (they add commands)
    concepts,
    conceptx,
    explain,
    geometry,
    labels,
    maps,
    models,
    naming,
    neurons,
    probes,
    pruning,
    studies,
    trajectory,
    triggers,
)
from tunescope.cli.app import app
from tunescope.errors import TunescopeError

__all__ = ["app", "main"]


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
