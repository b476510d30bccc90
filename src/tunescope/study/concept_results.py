"""Results of a run about latent concepts, read from its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.result import ConceptNames
from tunescope.concepts.stability.result import ConceptStability
from tunescope.concepts.trajectory.result import ConceptTrace
from tunescope.explanations.checked import ExplanationCheck
from tunescope.explanations.explanation import Explanations
from tunescope.explanations.mapper import ConceptMapper
from tunescope.manifest import Manifest
from tunescope.steps import Step
from tunescope.triggers.result import TriggerTable

if TYPE_CHECKING:
    from tunescope.study.result import Run

Pair = tuple[str, str, str]
"""Corpus, base, tuned."""


class ConceptResults:
    """What a run has about concepts, as far as it is of the study as it is now.

    Parameters
    ----------
    run : Run
        The run.
    """

    def __init__(self, run: Run):
        self._run, self._path, self._study = run, run.path, run.study

    @cached_property
    def clustered(self) -> dict[tuple[str, str], LayerConcepts]:
        """Concepts of all models, further seeds and checkpoints too, by (corpus, model)."""
        names = [*self._study.models, *(v.name for v in self._study.variants)]
        found = {}
        for corpus in self._study.clustered:
            for model in names:
                folder = self._path / "concepts" / corpus / model
                for made in self._load(LayerConcepts.load, folder, self._study.concepts):
                    found[corpus, model] = made
        return found

    @cached_property
    def alignments(self) -> dict[Pair, Alignment]:
        """Alignments of the study's pairs of models, by (corpus, base, tuned)."""
        return {key: runs[0] for key, runs in self.seeds.items() if runs[0] is not None}

    @cached_property
    def seeds(self) -> dict[Pair, list[Alignment]]:
        """The same over all seeds of tuning, that of the model itself first."""
        found: dict[Pair, list[Alignment]] = {}
        for corpus, base, tuned in self._pairs():
            others = [v for v in self._study.variants if v.model == tuned and v.fraction == 1]
            first = self._alignment(corpus, base, tuned)
            if first is not None:
                made = (self._alignment(corpus, base, v.name) for v in others)
                found[corpus, base, tuned] = [first, *(a for a in made if a is not None)]
        return found

    @cached_property
    def stability(self) -> dict[Pair, ConceptStability]:
        """How much two clusterings of one model share, by (corpus, base, tuned)."""
        return self._of_pairs(ConceptStability.load, "stability", self._study.stability)

    @cached_property
    def traces(self) -> dict[Pair, ConceptTrace]:
        """Concepts over checkpoints, by (corpus, base, tuned)."""
        return self._of_pairs(ConceptTrace.load, "trace", self._study.trace)

    @cached_property
    def triggers(self) -> dict[Pair, TriggerTable]:
        """Triggers, by (corpus, base, tuned)."""
        return self._of_tuned(TriggerTable.load, "triggers", self._study.triggers)

    @cached_property
    def mappers(self) -> dict[Pair, ConceptMapper]:
        """Concept mappers, by (corpus, base, tuned)."""
        return self._of_tuned(ConceptMapper.load, "mappers", self._study.map_concepts)

    @cached_property
    def explanations(self) -> dict[Pair, Explanations]:
        """Predictions explained, by (corpus, base, tuned)."""

        def load(folder: Path) -> Explanations:
            return Explanations.load(folder / "examples.json")

        return self._of_tuned(load, "explanations", self._study.explain)

    @cached_property
    def checks(self) -> dict[str, ExplanationCheck]:
        """Whether salient words matter more than random ones, by tuned model."""
        step, found = self._study.check_explanations, {}
        for _, tuned in self._study.pairs:
            folder = self._path / "explanation_checks" / tuned
            for made in self._load(ExplanationCheck.load, folder, step):
                found[tuned] = made
        return found

    @cached_property
    def names(self) -> dict[tuple[str, str], ConceptNames]:
        """Names of concepts, by (corpus, model)."""
        found = {}
        for key, concepts in self.clustered.items():
            folder = self._path / "names" / key[0] / key[1]
            for made in self._load(ConceptNames.load, folder, self._study.names):
                if made.manifest.inputs["concepts"] == concepts.key:
                    found[key] = made
        return found

    def predicted(self, corpus: str, tuned: str) -> dict[str, Any] | None:
        """How many sentences of a corpus a model gives their class, `right` of `of`; or None."""
        folder = self._path / "predictions" / corpus / tuned
        return Manifest.load(folder).facts if (folder / "manifest.json").exists() else None

    def _pairs(self) -> Iterator[Pair]:
        for corpus in self._study.clustered:
            for base, tuned in self._study.pairs:
                yield corpus, base, tuned

    def _alignment(self, corpus: str, base: str, tuned: str) -> Alignment | None:
        folder = self._path / "alignment" / corpus / f"{base}--{tuned}"
        for made in self._load(Alignment.load, folder, self._study.align):
            of = {"base": (corpus, base), "tuned": (corpus, tuned)}
            ends = {role: self.clustered.get(key) for role, key in of.items()}
            inputs = made.manifest.inputs
            if all(end is not None and end.key == inputs[role] for role, end in ends.items()):
                return made
        return None

    def _of_pairs(
        self, load: Callable[[Path], Any], folder: str, step: Step | None
    ) -> dict[Pair, Any]:
        return {
            key: made
            for key in self._pairs()
            for made in self._load(load, self._path / folder / key[0] / f"{key[1]}--{key[2]}", step)
        }

    def _of_tuned(
        self, load: Callable[[Path], Any], folder: str, step: Step | None
    ) -> dict[Pair, Any]:
        return {
            key: made
            for key in self._pairs()
            for made in self._load(load, self._path / folder / key[0] / key[2], step)
        }

    def _load(self, load: Callable[[Path], Any], folder: Path, step: Step | None) -> list[Any]:
        """Return what is in a folder, if it was made with the study's parameters."""
        return [load(folder)] if step is not None and self._run.is_of(folder, step) else []
