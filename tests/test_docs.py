"""Every example in the documentation and in docstrings does what it shows."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def with_examples(paths: list[Path]) -> list[Path]:
    return [path for path in paths if ">>> " in path.read_text(encoding="utf-8")]


PAGES = with_examples([ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
MODULES = with_examples(sorted((ROOT / "src").rglob("*.py")))


def run(test: doctest.DocTest) -> None:
    lines: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=lines.append)
    assert not result.failed, "".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_examples_on_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    # Without its fence, a block's last output would run on into the closing backticks.
    blocks = [b for b in FENCE.findall(page.read_text(encoding="utf-8")) if ">>> " in b]
    assert blocks, f"{page} has an example outside a fenced block"
    source = "\n".join(blocks)
    run(doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_in_docstrings(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    module = importlib.import_module(name.removesuffix(".__init__"))
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        run(test)


def test_a_wrong_example_is_found():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    with pytest.raises(AssertionError, match="Expected"):
        run(wrong)
