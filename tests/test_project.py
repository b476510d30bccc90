"""What is said in more than one place is the same everywhere."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import tunescope
from tunescope.corpus.source import CorpusSource
from tunescope.models.reference import ModelSource
from tunescope.steps import STEPS
from tunescope.study.file import NAMED_TABLES, STEP_TABLES

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


def documented_parameters(thing: Any) -> set[str]:
    """Names in the Parameters section of a NumPy-style docstring."""
    text = inspect.getdoc(thing) or ""
    section = re.search(r"^Parameters\n-{10}\n(.*?)(?=\n\n\w+\n---|\Z)", text, re.M | re.S)
    heads = re.findall(r"^\S.*$", section.group(1), re.M) if section else []
    return {name.strip(" *") for head in heads for name in head.split(" : ")[0].split(",")}


def own_parameters(thing: Any) -> set[str]:
    """Parameters of a callable; a step function takes `step` and each of the step's own."""
    function = inspect.unwrap(thing) if inspect.isfunction(thing) else thing
    return {*inspect.signature(function).parameters, *inspect.signature(thing).parameters}


@pytest.mark.parametrize("name", [name for name in tunescope.__all__ if name != "__version__"])
def test_public_names_document_every_parameter(name: str):
    thing = getattr(tunescope, name)
    assert own_parameters(thing) == documented_parameters(thing)


@pytest.mark.parametrize("kind", [*STEPS.values(), CorpusSource, ModelSource])
def test_every_key_of_a_study_file_is_documented(kind: type):
    """Their docstrings are what `--help` and the reference say about them."""
    assert {field.name for field in dataclasses.fields(kind)} == documented_parameters(kind)


def test_every_table_of_a_study_file_is_documented():
    page = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    for table in (*NAMED_TABLES, *STEP_TABLES):
        assert f"`[{table}" in page
