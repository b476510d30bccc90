"""All layers with concepts of a run; those looked at lately are kept."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from tunescope.concepts.alignment.annotation import Codes
from tunescope.files import read_frame
from tunescope.report.concepts.page import Key
from tunescope.report.figure import slug
from tunescope.study.predictions import FILE
from tunescope.study.result import Run
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.shares import codes_of
from tunescope.viewer.concepts.words import CorpusWords

KEPT_LAYERS = 64


class At(NamedTuple):
    """A layer of a model, on the words of a corpus.

    Parameters
    ----------
    corpus, model : str
        Names in the study.
    layer : int
        Number of the layer.
    """

    corpus: str
    model: str
    layer: int


class Shelf:
    """The layers with concepts of a run.

    Parameters
    ----------
    run : Run
        The run.
    """

    def __init__(self, run: Run):
        self.run = run
        self._layer = lru_cache(KEPT_LAYERS)(lambda at: ConceptLayer(self, *at))
        self.words = lru_cache(None)(self._words)
        self.predicted = lru_cache(None)(self._predicted)

    @cached_property
    def corpora(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Models and their layers, by corpus.

        All models of a corpus cluster the same words; one that does not is of an earlier run, and
        is left out.
        """
        found: dict[str, dict[str, tuple[int, ...]]] = {}
        words: dict[str, str] = {}
        for (corpus, model), concepts in self.run.concepts.items():
            if words.setdefault(corpus, concepts.words.word_hash) == concepts.words.word_hash:
                found.setdefault(corpus, {})[model] = concepts.layers
        return found

    @cached_property
    def folders(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Corpus and model, by how they are written in addresses."""
        return {
            (slug(corpus), slug(model)): (corpus, model)
            for corpus, models in self.corpora.items()
            for model in models
        }

    def all(self) -> Iterator[At]:
        """Return every layer; of a corpus, the same layer of all models together."""
        for corpus, models in self.corpora.items():
            for layer in sorted({layer for layers in models.values() for layer in layers}):
                yield from (At(corpus, m, layer) for m, layers in models.items() if layer in layers)

    def has(self, corpus: str, model: str, layer: int) -> bool:
        """Tell whether a layer is there."""
        return layer in self.corpora.get(corpus, {}).get(model, ())

    def layer(self, corpus: str, model: str, layer: int) -> ConceptLayer:
        """Return a layer that is there."""
        return self._layer(At(corpus, model, layer))

    def _words(self, corpus: str) -> CorpusWords:
        model = next(iter(self.corpora[corpus]))
        return CorpusWords(self.run.concepts[corpus, model].words)

    def _predicted(self, key: Key) -> Codes | None:
        """Return the class that a tuned model predicts for every sentence, where it was asked."""
        corpus, _, tuned = key
        path = self.run.path / "predictions" / corpus / tuned / FILE
        alignment = self.run.alignments.get(key)
        if alignment is None or not alignment.manifest.facts["predicted"] or not path.exists():
            return None
        words, values = self.words(corpus), read_frame(path).iloc[:, 0].to_numpy(object)
        if len(values) != words.corpus.n_sentences:
            return None
        others = sorted({value for value in values if isinstance(value, str)} - {*words.classes})
        return codes_of(values, [*words.classes, *others])
