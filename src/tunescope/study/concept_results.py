"""Results of a run about latent concepts, read from its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.result import ConceptNames
from tunescope.concepts.projection.result import Projection
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
OF_PAIRS = ("stability", "trace")
FOLDERS = {
    "stability": "stability",
    "trace": "trace",
    "triggers": "triggers",
    "map_concepts": "mappers",
    "explain": "explanations",
}
"""Of each step: its folder in a run."""


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

        def current(made: ConceptStability, key: Pair) -> bool:
            return made.manifest.inputs["concepts"] == self._key(key[0], key[1])

        return self._each(ConceptStability.load, "stability", self._study.stability, current)

    @cached_property
    def traces(self) -> dict[Pair, ConceptTrace]:
        """Concepts over checkpoints, by (corpus, base, tuned)."""

        def current(made: ConceptTrace, key: Pair) -> bool:
            way = [v for v in self._study.variants if v.model == key[2] and v.fraction < 1]
            way = sorted(way, key=lambda variant: variant.fraction)
            names = [key[1], *(variant.name for variant in way), key[2]]
            return made.manifest.inputs["concepts"] == [self._key(key[0], n) for n in names]

        return self._each(ConceptTrace.load, "trace", self._study.trace, current)

    @cached_property
    def projections(self) -> dict[tuple[str, str, str | None], Projection]:
        """Words in two dimensions, by (corpus, base, tuned); tuned is None of a model alone."""
        alone = [(c, model, None) for c in self._study.clustered for model in self._study.alone]
        found = {}
        for corpus, base, tuned in [*self._pairs(), *alone]:
            models = {"base": base} | ({"tuned": tuned} if tuned else {})
            what = "--".join(models.values())
            if f"project {corpus}/{what}" in self._run.not_done:
                continue
            folder = self._path / "projection" / corpus / what
            for made in self._load(Projection.load, folder, self._study.project):
                now = {role: self._key(corpus, model) for role, model in models.items()}
                if made.manifest.inputs["concepts"] == now:
                    found[corpus, base, tuned] = made
        return found

    @cached_property
    def triggers(self) -> dict[Pair, TriggerTable]:
        """Triggers, by (corpus, base, tuned)."""
        return self._each(TriggerTable.load, "triggers", self._study.triggers, self._of_concepts)

    @cached_property
    def mappers(self) -> dict[Pair, ConceptMapper]:
        """Concept mappers, by (corpus, base, tuned)."""
        step = self._study.map_concepts
        return self._each(ConceptMapper.load, "map_concepts", step, self._of_concepts)

    @cached_property
    def explanations(self) -> dict[Pair, Explanations]:
        """Predictions explained, by (corpus, base, tuned)."""

        def load(folder: Path) -> tuple[Manifest, Explanations]:
            return Manifest.load(folder), Explanations.load(folder / "examples.json")

        def current(made: tuple[Manifest, Explanations], key: Pair) -> bool:
            mapper = self.mappers.get(key)
            return mapper is not None and made[0].inputs["mapper"] == mapper.key

        found = self._each(load, "explain", self._study.explain, current)
        return {key: explained for key, (_, explained) in found.items()}

    @cached_property
    def checks(self) -> dict[str, ExplanationCheck]:
        """Whether salient words matter more than random ones, by tuned model."""
        step, found = self._study.check_explanations, {}
        for _, tuned in self._study.pairs:
            folder = self._path / "explanation_checks" / tuned
            if f"check_explanations {tuned}" not in self._run.not_done:
                for made in self._load(ExplanationCheck.load, folder, step):
                    found[tuned] = made
        return found

    @cached_property
    def names(self) -> dict[tuple[str, str], ConceptNames]:
        """Names of concepts, by (corpus, model), also where some requests had failed."""
        found = {}
        for key, concepts in self.clustered.items():
            if f"name {key[0]}/{key[1]}" in self._run.not_done:
                continue
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

    def _key(self, corpus: str, model: str) -> str | None:
        """Key of the concepts of a model as they are now."""
        made = self.clustered.get((corpus, model))
        return None if made is None else made.key

    def _of_concepts(self, made: Any, key: Pair) -> bool:
        """Whether a result was made with the tuned model's concepts as they are now."""
        return made.manifest.inputs["concepts"] == self._key(key[0], key[2])

    def _each(
        self, load: Callable[[Path], Any], step: str, parameters: Step | None,
        current: Callable[[Any, Pair], bool],
    ) -> dict[Pair, Any]:  # fmt: skip
        """Return a step's results for all pairs, as far as they are there and of what is now."""
        found = {}
        for key in self._pairs():
            corpus, base, tuned = key
            name = f"{base}--{tuned}" if step in OF_PAIRS else tuned
            if f"{step} {corpus}/{name}" in self._run.not_done:
                continue
            for made in self._load(load, self._path / FOLDERS[step] / corpus / name, parameters):
                if current(made, key):
                    found[key] = made
        return found

    def _load(self, load: Callable[[Path], Any], folder: Path, step: Step | None) -> list[Any]:
        """Return what is in a folder, if it was made with the study's parameters."""
        return [load(folder)] if step is not None and self._run.is_of(folder, step) else []
