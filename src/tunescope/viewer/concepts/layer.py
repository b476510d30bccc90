"""All that pages say about the concepts of one layer of one model, each thing made when asked for.

Whoever makes one page of a layer mostly makes others: what is read or counted is kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.alignment.polarity import SentenceClasses
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.upper_tree import upper_tree
from tunescope.steps.concepts import TREELESS
from tunescope.viewer.concepts.effects import Effect, effects
from tunescope.viewer.concepts.history import LayerHistory
from tunescope.viewer.concepts.index import ConceptIndex
from tunescope.viewer.concepts.neighbours import Neighbours
from tunescope.viewer.concepts.paths import concept_path, corpus_folder, layer_folder, list_path
from tunescope.viewer.concepts.shares import Shares, class_shares, label_shares
from tunescope.viewer.concepts.sides import Side
from tunescope.viewer.concepts.words import CorpusWords
from tunescope.viewer.maps.paths import map_path

if TYPE_CHECKING:
    from tunescope.viewer.concepts.shelf import Shelf


class Name(NamedTuple):
    """What a language model called a concept.

    Parameters
    ----------
    text, description : str
        Untrusted; the description may be empty.
    """

    text: str
    description: str


class ConceptLayer:
    """The concepts of one layer of one model.

    Parameters
    ----------
    shelf : Shelf
        Where the other layers are.
    corpus, model : str
        Names in the study.
    layer : int
        Number of the layer.
    """

    def __init__(self, shelf: Shelf, corpus: str, model: str, layer: int):
        self._shelf, self._run = shelf, shelf.run
        self.corpus, self.model, self.layer = corpus, model, layer

    @property
    def concepts(self) -> LayerConcepts:
        """All layers of the model."""
        return self._run.concepts[self.corpus, self.model]

    @property
    def words(self) -> CorpusWords:
        """The words that were clustered."""
        return self._shelf.words(self.corpus)

    @cached_property
    def index(self) -> ConceptIndex:
        """The words of each concept."""
        return ConceptIndex(self.concepts.labels(self.layer), self.words)

    @property
    def n(self) -> int:
        """Number of concepts."""
        return self.index.n

    @cached_property
    def counts(self) -> list[bool]:
        """Which concepts have enough word types to count."""
        return (self.index.n_types >= self.concepts.step.min_types).tolist()

    @cached_property
    def sides(self) -> list[Side]:
        """Each alignment that this layer is in."""
        found = []
        for key, alignment in self._run.alignments.items():
            if key[0] != self.corpus or self.model not in key[1:]:
                continue
            role, other = ("base", key[2]) if key[1] == self.model else ("tuned", key[1])
            if self._shelf.has(self.corpus, other, self.layer):
                there = self._shelf.layer(self.corpus, other, self.layer).index
                found.append(Side(key, role, alignment, self.layer, self.index, there))
        return found

    @property
    def role(self) -> str:
        """Base or tuned, in lower case; "" of a model that is aligned with none."""
        return self.sides[0].role if self.sides else ""

    @cached_property
    def _here(self) -> Clustering:
        step, types = self.concepts.step, self.words.types
        role = self.role or "base"
        return Clustering(
            self.model, role, self.layer, self.index.labels, types, step.min_types
        )  # fmt: skip

    @cached_property
    def labels(self) -> list[Shares]:
        """Which labels the words of each concept carry, by column or computed kind."""
        alignment = self.sides[0].alignment if self.sides else None
        return label_shares(self._here, self.words.corpus, alignment)

    @cached_property
    def gold(self) -> Shares | None:
        """From sentences of which class the words come; None where these have none."""
        if not self.words.classes:
            return None
        return self._classes("gold", self.words.gold, self.sides[0] if self.sides else None)

    @cached_property
    def predicted(self) -> list[Shares | None]:
        """The same by the class that the tuned model of each side predicts, where it does."""
        found = []
        for side in self.sides:
            codes = self._shelf.predicted(side.key)
            found.append(None if codes is None else self._classes("predicted", codes, side))
        return found

    def _classes(self, by: str, codes: Codes, side: Side | None) -> Shares:
        classes = SentenceClasses(by, codes.names, codes.codes, self.words.sentences)
        return class_shares(self._here, classes, side.polarised(by) if side else None)

    @cached_property
    def names(self) -> dict[int, Name]:
        """Names by number of the concept, as far as a language model was asked and gave them."""
        made = self._run.latent.names.get((self.corpus, self.model))
        if made is None:
            return {}
        rows = made.names
        rows = rows[(rows["layer"] == self.layer) & (rows["status"] == "ok")]
        columns = (rows[c].tolist() for c in ("concept", "name", "description"))
        return {number: Name(*said) for number, *said in zip(*columns, strict=True)}

    @cached_property
    def effects(self) -> dict[int, list[Effect]]:
        """What triggers made of each concept do to predictions, as far as there are any."""
        for (corpus, _, tuned), found in self._run.latent.triggers.items():
            if (corpus, tuned) == (self.corpus, self.model):
                return effects(found, self.layer)
        return {}

    @property
    def has_tree(self) -> bool:
        """Whether the method left a dendrogram."""
        return self.concepts.step.method not in TREELESS

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """The concepts' place in the dendrogram; None where the method leaves none."""
        if not self.has_tree:
            return None
        labels = self.index.labels
        return Neighbours(upper_tree(self.concepts.dendrogram(self.layer), self.n), labels)

    @cached_property
    def histories(self) -> list[LayerHistory | None]:
        """The concepts over checkpoints, for each side that was traced."""
        traces = self._run.latent.traces
        return [
            LayerHistory(traces[side.key], self.layer, side.role) if side.key in traces else None
            for side in self.sides
        ]

    @cached_property
    def map(self) -> tuple[str, str] | None:
        """Address of the layer's map and the model's role on it, where there is one."""
        for (corpus, base, tuned), found in self._run.latent.projections.items():
            if corpus == self.corpus and self.model in (base, tuned):
                role = "base" if self.model == base else "tuned"
                if self.layer in found.layer_numbers:
                    return map_path(corpus, base, tuned, self.layer), role
        return None

    def title(self, concept: int) -> str:
        """Return what a concept is called: its name, or its most frequent words."""
        name = self.names.get(concept)
        return name.text if name else " ".join(self.index.top(concept))

    @property
    def folder(self) -> str:
        """Folder of its pages, with a slash behind."""
        return layer_folder(self.corpus, self.model, self.layer)

    def near(self, other: ConceptLayer) -> str:
        """Return the way from the folder of another layer of the corpus to that of this one."""
        above = corpus_folder(self.corpus)
        return "" if self is other else f"../../{self.folder.removeprefix(above)}"

    @property
    def path(self) -> str:
        """Address of the list of its concepts."""
        return list_path(self.corpus, self.model, self.layer)

    def path_of(self, concept: int) -> str:
        """Return the address of the page about a concept."""
        return concept_path(self.corpus, self.model, self.layer, concept)
