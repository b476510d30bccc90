"""The search by word: the concepts it is in, at every layer of every model of a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunescope.report.provenance import source
from tunescope.viewer.concepts.paths import ENTRY, corpus_folder, layer_folder, words_path
from tunescope.viewer.concepts.words import CorpusWords
from tunescope.viewer.content import Content, Link
from tunescope.viewer.frame import script

if TYPE_CHECKING:
    from tunescope.viewer.concepts.shelf import Shelf
    from tunescope.viewer.site import Site


def search_page(site: Site, shelf: Shelf, corpus: str) -> Content:
    """Make the page.

    Parameters
    ----------
    site : Site
        The site it is in.
    shelf : Shelf
        Where the layers are.
    corpus : str
        Name of the corpus.
    """
    models, start = shelf.corpora[corpus], len(corpus_folder(corpus))
    layers = sorted({layer for known in models.values() for layer in known})
    tuned = {key[2] for key in site.run.alignments if key[0] == corpus}
    data = {
        "layers": layers,
        "models": [
            {
                "name": model,
                "role": "tuned" if model in tuned else "base",
                "folders": [
                    layer_folder(corpus, model, n)[start:] if n in known else None for n in layers
                ],
            }
            for model, known in models.items()
        ],
    }
    made = (found for key, found in site.run.concepts.items() if key[0] == corpus)
    step = next(made).manifest.parameters
    return site.frame.render(
        words_path(corpus),
        "word_search.html.j2",
        title=f"A word through the layers ({corpus})",
        crumbs=[Link(ENTRY, "Concepts")],
        scripts=("word_search.js",),
        styles=("concepts.css",),
        data=data,
        corpus=corpus,
        n_types=len(shelf.words(corpus).forms),
        n_words=len(shelf.words(corpus).types),
        source=source(site.run, "concepts", step),
    )


def types_data(words: CorpusWords) -> str:
    """Return, as a script, every word type and how many words are of it."""
    return script("data", words.forms, words.counts.tolist())


def contexts_data(words: CorpusWords, block: int) -> str:
    """Return, as a script, the contexts of the words at one block of places, and all classes."""
    return script("data", words.block(block), words.classes)
