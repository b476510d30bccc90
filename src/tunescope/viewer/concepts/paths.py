"""Addresses of the pages about concepts, from the top of the site."""

from __future__ import annotations

from tunescope.report.figure import slug

FOLDER = "concepts"
ENTRY = f"{FOLDER}/index.html"


def corpus_folder(corpus: str) -> str:
    """Return the folder of all models of a corpus, with a slash behind."""
    return f"{FOLDER}/{slug(corpus)}/"


def layer_folder(corpus: str, model: str, layer: int) -> str:
    """Return the folder of one layer of one model, with a slash behind."""
    return f"{corpus_folder(corpus)}{slug(model)}/layer-{layer:02d}/"


def list_path(corpus: str, model: str, layer: int) -> str:
    """Return the address of the list of concepts of one layer."""
    return f"{layer_folder(corpus, model, layer)}index.html"


def concept_path(corpus: str, model: str, layer: int, concept: int) -> str:
    """Return the address of the page about one concept, of the numbers of the run."""
    return f"{layer_folder(corpus, model, layer)}{concept:04d}.html"


def dendrogram_path(corpus: str, model: str, layer: int) -> str:
    """Return the address of the dendrogram of one layer."""
    return f"{layer_folder(corpus, model, layer)}dendrogram.html"


def contexts_folder(corpus: str) -> str:
    """Return the folder of the contexts of all words of a corpus, with a slash behind."""
    return f"{corpus_folder(corpus)}contexts/"


def words_path(corpus: str) -> str:
    """Return the address of the search by word, over all layers and models of a corpus."""
    return f"{corpus_folder(corpus)}words.html"


def counts_path(key: tuple[str, str, str]) -> str:
    """Return the address of the counts by layer of (corpus, base, tuned), a CSV file."""
    return f"{FOLDER}/{slug(*key)}.csv"
