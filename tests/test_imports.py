"""Light stays light: what must not load the science libraries (invariant 4)."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCIENCE = {
    "accelerate",
    "altair",
    "datasets",
    "numpy",
    "pandas",
    "peft",
    "pyarrow",
    "safetensors",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
    "vl_convert",
}
HELP = """
import sys
from tunescope.cli import main
sys.argv = ["tunescope", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after running `code`."""
    report = "\nimport sys; sys.stderr.write('\\nloaded: ' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in done.stderr.rsplit("loaded: ", 1)[1].split()}


def test_the_probe_sees_what_is_loaded():
    assert "numpy" in loaded_by("import numpy")


@pytest.mark.parametrize(
    "module",
    [
        "tunescope",
        "tunescope.errors",
        "tunescope.files",
        "tunescope.manifest",
        "tunescope.results",
        "tunescope.parameters",
        "tunescope.steps",
    ],
)
def test_foundation_loads_no_science_library(module: str):
    assert not loaded_by(f"import {module}") & SCIENCE


def test_help_loads_no_science_library():
    pytest.importorskip("tunescope.cli")
    assert not loaded_by(HELP) & SCIENCE


def test_a_store_is_read_without_model_libraries():
    loaded = loaded_by("import tunescope.activations.store")
    assert not loaded & {"torch", "transformers", "datasets", "peft"}


def test_reading_a_run_and_writing_its_page_loads_no_model_library():
    loaded = loaded_by("import tunescope.viewer.export, tunescope.activations.store")
    assert not loaded & {"torch", "transformers", "datasets", "accelerate", "peft"}
