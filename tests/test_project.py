"""What is said in more than one place is the same everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import tunescope
from tunescope.steps import STEPS

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_citation_has_the_version_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [tunescope.__version__]


def test_every_public_name_is_in_the_reference():
    documented = set(re.findall(r"auto(?:class|function):: tunescope\.(\w+)$", REFERENCE, re.M))
    assert documented == set(tunescope.__all__) - {"__version__"}


def test_every_step_is_in_the_reference():
    documented = set(re.findall(r"autoclass:: tunescope\.steps\.(\w+)$", REFERENCE, re.M))
    assert documented == {step.__name__ for step in STEPS.values()}


def test_every_public_name_is_found():
    for name in tunescope.__all__:
        assert getattr(tunescope, name) is not None
