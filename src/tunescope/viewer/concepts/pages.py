"""All pages about concepts, and the data that they load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from tunescope.report.figure import slug
from tunescope.viewer.concepts.dendrogram import dendrogram_page
from tunescope.viewer.concepts.entry import counts_csv, entry_page
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.listing import list_page
from tunescope.viewer.concepts.paths import (
    ENTRY,
    FOLDER,
    contexts_folder,
    corpus_folder,
    counts_path,
    layer_folder,
    words_path,
)
from tunescope.viewer.concepts.search import contexts_data, search_page, types_data
from tunescope.viewer.concepts.shelf import Shelf
from tunescope.viewer.concepts.single import concept_page
from tunescope.viewer.concepts.tables import list_csv, list_data, words_csv, words_data
from tunescope.viewer.content import Content, Link

if TYPE_CHECKING:
    from tunescope.viewer.site import Site

OF_LAYER = re.compile(r"layer-([0-9]{2,9})/(.+)")
OF_BLOCK = re.compile(r"(0|[1-9][0-9]{0,8})\.js")
OF_CONCEPT = re.compile(r"([0-9]{4,9})\.html")


class Concepts:
    """The entry, and for each layer of each model a list and a page for each concept.

    Parameters
    ----------
    site : Site
        The site they are in.
    """

    folder, title = FOLDER, "Concepts"

    def __init__(self, site: Site):
        self.site = site

    @cached_property
    def shelf(self) -> Shelf:
        """All layers with concepts."""
        return Shelf(self.site.run)

    def links(self) -> list[Link]:
        """Return the entry and the searches by word; nothing where the run has no concepts."""
        corpora = self.shelf.corpora
        searches = [Link(words_path(name), f"A word in {name}") for name in corpora]
        return [Link(ENTRY, "Concepts"), *searches] if corpora else []

    def paths(self) -> Iterator[str]:
        """Return every address."""
        shelf = self.shelf
        if shelf.corpora:
            yield ENTRY
        yield from (counts_path(key) for key in self.site.run.alignments if key[0] in shelf.corpora)
        for corpus in shelf.corpora:
            yield from (words_path(corpus), f"{corpus_folder(corpus)}types.js")
            for block in range(shelf.words(corpus).n_blocks):
                yield f"{contexts_folder(corpus)}{block}.js"
        for at in shelf.all():
            layer, above = shelf.layer(*at), layer_folder(*at)
            yield from (f"{above}{name}" for name in self._of_layer(layer))
            yield from map(layer.path_of, range(layer.n))

    @staticmethod
    def _of_layer(layer: ConceptLayer) -> list[str]:
        """Return the files of a layer but for those of its concepts."""
        names = ["index.html", "list.js", "words.js", "concepts.csv", "words.csv"]
        return names + ["dendrogram.html"] * layer.has_tree

    def get(self, path: str) -> Content | None:
        """Return what is at an address."""
        shelf = self.shelf
        if not shelf.corpora:
            return None
        if path == ENTRY:
            return entry_page(self.site, shelf)
        for key in self.site.run.alignments:
            if path == counts_path(key):
                return Content.of(path, counts_csv(self.site.run.alignments[key]))
        corpus, _, rest = path.removeprefix(f"{FOLDER}/").partition("/")
        name = next((name for name in shelf.corpora if slug(name) == corpus), None)
        return None if name is None else self._of_corpus(name, path, rest)

    def _of_corpus(self, corpus: str, path: str, rest: str) -> Content | None:
        words = self.shelf.words(corpus)
        if path == words_path(corpus):
            return search_page(self.site, self.shelf, corpus)
        if rest == "types.js":
            return Content.of(path, types_data(words))
        first, _, name = rest.partition("/")
        if first == "contexts":
            found = OF_BLOCK.fullmatch(name)
            if found is None or int(found[1]) >= words.n_blocks:
                return None
            return Content.of(path, contexts_data(words, int(found[1])))
        found = OF_LAYER.fullmatch(name)
        model = next((m for m in self.shelf.corpora[corpus] if slug(m) == first), None)
        if model is None or found is None:
            return None
        if not self.shelf.has(corpus, model, int(found[1])):
            return None
        layer = self.shelf.layer(corpus, model, int(found[1]))
        return self._page(layer, path, found[2]) if path.startswith(layer.folder) else None

    def _page(self, layer: ConceptLayer, path: str, name: str) -> Content | None:
        if (single := OF_CONCEPT.fullmatch(name)) and path == layer.path_of(int(single[1])):
            number = int(single[1])
            there = number < layer.n
            return concept_page(self.site, self.shelf, layer, number) if there else None
        if name not in self._of_layer(layer):
            return None
        if name == "index.html":
            return list_page(self.site, self.shelf, layer)
        if name == "dendrogram.html":
            return dendrogram_page(self.site, self.shelf, layer)
        if name == "list.js":
            return Content.of(name, list_data(self.shelf, layer))
        makers = {"words.js": words_data, "concepts.csv": list_csv, "words.csv": words_csv}
        return Content.of(name, makers[name](layer))
