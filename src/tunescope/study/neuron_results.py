"""Results of a run about individual neurons, read from its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from tunescope.manifest import Manifest
from tunescope.neurons.result import (
    NeuronEffects,
    NeuronRankings,
    NeuronRedundancy,
    NeuronResult,
    NeuronSets,
)
from tunescope.steps import Step
from tunescope.study.file import Study

Key = tuple[str, str, str]
"""Corpus, label column, model."""


class NeuronResults:
    """What a run has about neurons, as far as it is of the study as it is now.

    Parameters
    ----------
    path : Path
        The run's folder.
    study : Study
        The study file the run was made with.
    labels_of : callable
        From the name of a corpus to the label columns it has.
    same : callable
        Whether a manifest was made with the parameters of a step.

    Attributes
    ----------
    rankings : dict of (corpus, label, model) to NeuronRankings
    sets : dict of (corpus, label, model) to NeuronSets
    redundancy : dict of (corpus, label, model) to NeuronRedundancy
    effects : dict of (corpus, label, model) to list of NeuronEffects
        One for each corpus whose sentences the model was measured on.
    """

    def __init__(
        self,
        path: Path,
        study: Study,
        labels_of: Callable[[str], Iterable[str]],
        same: Callable[[Manifest, Step], bool],
    ):
        self._path, self._study, self._labels_of, self._same = path, study, labels_of, same
        self.rankings: dict[Key, NeuronRankings] = {}
        self.sets: dict[Key, NeuronSets] = {}
        self.redundancy: dict[Key, NeuronRedundancy] = {}
        self.effects: dict[Key, list[NeuronEffects]] = {}
        for key, folder in self._folders():
            for ranked in self._open(folder / "rank", NeuronRankings, study.rank):
                self.rankings[key] = ranked
                for kind, step, found in (
                    (NeuronSets, study.select, self.sets),
                    (NeuronRedundancy, study.reduce, self.redundancy),
                ):
                    for result in self._open(folder / kind.made_by.name, kind, step, ranked):
                        found[key] = result
                places = [folder / "intervene" / name for name in ("", *study.intervene_sentences)]
                effects = [
                    result
                    for place in places
                    for result in self._open(place, NeuronEffects, study.intervene, ranked)
                ]
                if effects:
                    self.effects[key] = effects

    def __bool__(self) -> bool:
        return bool(self.rankings)

    def _folders(self) -> Iterator[tuple[Key, Path]]:
        """Yield every corpus, label column and model of the study, in its order."""
        for corpus in self._study.ranked:
            for label in self._study.rank_labels or self._labels_of(corpus):
                for model in self._study.models:
                    folder = self._path / "neurons" / corpus / quote(label, safe="") / model
                    yield (corpus, label, model), folder

    def _open(
        self,
        folder: Path,
        kind: type[NeuronResult],
        step: Step | None,
        ranked: NeuronRankings | None = None,
    ) -> Iterator:
        """Yield the result in a folder, if it is finished and belongs to the ranking."""
        if step is None or not (folder / "manifest.json").exists():
            return
        manifest = Manifest.load(folder)
        if self._same(manifest, step):
            result = kind.load(folder)
            if ranked is None or result.manifest.inputs["rankings"] == ranked.key:
                yield result
