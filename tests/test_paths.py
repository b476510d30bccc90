"""Paths as users write them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tunescope.errors import InputError
from tunescope.paths import resolve_path


def test_relative_paths_start_at_the_study_file(tmp_path: Path):
    assert resolve_path("a/b.txt", tmp_path) == tmp_path / "a" / "b.txt"
    assert resolve_path("a/b.txt") == Path("a/b.txt")
    assert resolve_path("/a/b.txt", tmp_path) == Path("/a/b.txt")
    assert resolve_path("~/b.txt", tmp_path) == Path.home() / "b.txt"


def test_a_package_is_found_without_being_imported(tmp_path: Path, monkeypatch):
    data = tmp_path / "some_package" / "data" / "a.txt"
    data.parent.mkdir(parents=True)
    data.write_text("a\n")
    (tmp_path / "some_package" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolve_path("package:some_package/data/a.txt", Path("/elsewhere")) == data
    assert "some_package" not in sys.modules
    with pytest.raises(InputError, match="'some_package' holds no data/b.txt"):
        resolve_path("package:some_package/data/b.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package:not_installed/a.txt", "no package 'not_installed' is installed"),
        ("package:tunescope", "must be written package:PACKAGE/path"),
        ("package:os.path/a", "must be written package:PACKAGE/path"),
        ("package:this/a", "no package 'this' is installed"),
    ],
)
def test_unusable_package_paths(text: str, message: str):
    with pytest.raises(InputError, match=message):
        resolve_path(text)
