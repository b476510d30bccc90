"""Fixtures shared by all tests."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; as the command does
if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may reach for the hub

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest_plugins = ["neuron_steps"]  # planted neurons, ranked once

if TYPE_CHECKING:
    from tunescope.study.result import Run

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return a function from a name like `ewt/dev.conllu` to a path; skips when it is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"needs the real corpus {name}, which is not in {SHARED}")
        return path

    return find


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of a small study over hostile words (see `runs`)."""
    from runs import make_tiny_run

    return make_tiny_run(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_site(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of that run's pages; not to be changed."""
    from tunescope.viewer.export import export

    return export(tiny_run, tmp_path_factory.mktemp("site")).parent
