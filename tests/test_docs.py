"""Every example in the documentation and in docstrings does what it shows.

Python examples are run, study files are checked, commands are parsed.
"""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest

from tunescope.cli import app
from tunescope.study.file import Study

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str, mark: str) -> list:
    """Fenced blocks of a language that hold a mark, as parameters named after their page."""
    return [
        pytest.param(block, id=f"{path.stem}-{number}")
        for path in DOCUMENTS
        for number, (found, block) in enumerate(FENCE.findall(path.read_text(encoding="utf-8")))
        if found.strip() == language and mark in block
    ]


def with_examples(paths: list[Path]) -> list[Path]:
    return [path for path in paths if ">>> " in path.read_text(encoding="utf-8")]


def run(test: doctest.DocTest) -> None:
    lines: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=lines.append)
    assert not result.failed, "".join(lines)


@pytest.mark.parametrize("page", with_examples(DOCUMENTS), ids=lambda path: path.name)
def test_examples_on_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    # Without its fence, a block's last output would run on into the closing backticks.
    source = "\n".join(block for _, block in FENCE.findall(text) if ">>> " in block)
    assert source.count(">>> ") == text.count(">>> "), "an example outside a fenced block"
    run(doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0))


@pytest.mark.parametrize(
    "path", with_examples(sorted((ROOT / "src").rglob("*.py"))), ids=lambda path: path.stem
)
def test_examples_in_docstrings(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    module = importlib.import_module(name.removesuffix(".__init__"))
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        run(test)


@pytest.mark.parametrize("text", blocks("toml", "[models."))
def test_study_files_on_pages(text: str):
    assert Study.parse(text, ROOT).models


@pytest.mark.parametrize("text", blocks("sh", "tunescope "))
def test_commands_on_pages(text: str):
    for line in text.splitlines():
        if line.startswith("tunescope "):
            tokens = shlex.split(line, comments=True)[1:]
            app.parse_args(tokens, exit_on_error=False, print_error=False)


def test_a_wrong_example_is_found():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    with pytest.raises(AssertionError, match="Expected"):
        run(wrong)
