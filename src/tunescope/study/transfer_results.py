"""Results of a run about transfer learning, read from its folder: base against what was tuned."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tunescope.files import read_json
from tunescope.geometry.result import LayerGeometry
from tunescope.models.tuned import TunedModel
from tunescope.neurons.shift_result import NeuronShift
from tunescope.probes.comparison import ProbeComparison
from tunescope.pruning.result import PrunedScores
from tunescope.study.shared import SOURCES, sources
from tunescope.study.variants import end_of_way

if TYPE_CHECKING:
    from tunescope.study.result import Run

Pair = tuple[str, str, str]
"""Corpus, base, tuned."""


class TransferResults:
    """What a run has about base and tuned models, as far as it is of the study as it is now.

    Parameters
    ----------
    run : Run
        The run.
    """

    def __init__(self, run: Run):
        self._run, self._path, self._study = run, run.path, run.study

    @cached_property
    def tuned(self) -> dict[str, list[TunedModel]]:
        """Models tuned by the study, by name: one for each seed of tuning, in its order."""
        found: dict[str, list[TunedModel]] = {}
        seeds = [v for v in self._study.variants if v.fraction == 1]
        for name, source in self._study.models.items():
            if source.task is not None:
                names = [name, *(v.name for v in seeds if v.model == name)]
                folders = [self._path / "models" / each for each in names]
                made = [TunedModel.load(f) for f in folders if (f / "manifest.json").exists()]
                if made:
                    found[name] = made
        return found

    @cached_property
    def comparisons(self) -> dict[tuple[str, str, str, str], ProbeComparison]:
        """Differences between probes over all seeds, by (corpus, label, base, tuned)."""
        return {
            (corpus, label, base, tuned): found
            for corpus, label in self._labels()
            for base, tuned in self._study.pairs
            for found in self._comparison(corpus, label, base, self._seeds(tuned), tuned)
        }

    @cached_property
    def probe_paths(self) -> dict[tuple[str, str, str, str], list[tuple[float, ProbeComparison]]]:
        """Differences between probes on the way of the first tuning run, its end included."""
        found = {}
        for corpus, label, base, tuned in self.comparisons:
            way = [
                (variant.fraction, comparison)
                for variant in self._checkpoints(tuned)
                for comparison in self._comparison(
                    corpus, label, base, [variant.name], variant.name
                )
            ]
            if way:
                end = self._comparison(corpus, label, base, [tuned], end_of_way(tuned))
                found[corpus, label, base, tuned] = [*way, *((1.0, each) for each in end)]
        return found

    @cached_property
    def geometry(self) -> dict[Pair, list[LayerGeometry]]:
        """Geometry of base and tuned: one for each seed of tuning, by (corpus, base, tuned)."""
        found: dict[Pair, list[LayerGeometry]] = {}
        for corpus in self._study.measured:
            for base, tuned in self._study.pairs:
                names = self._seeds(tuned)
                made = [one for name in names for one in self._geometry(corpus, base, name)]
                if made:
                    found[corpus, base, tuned] = made
        return found

    @cached_property
    def geometry_paths(self) -> dict[Pair, list[tuple[float, LayerGeometry]]]:
        """Geometry on the way of tuning, the end of the first seed included, by share of it."""
        found = {}
        for (corpus, base, tuned), ends in self.geometry.items():
            way = [
                (variant.fraction, made)
                for variant in self._checkpoints(tuned)
                for made in self._geometry(corpus, base, variant.name)
            ]
            if way:
                found[corpus, base, tuned] = [*way, (1.0, ends[0])]
        return found

    @cached_property
    def shifts(self) -> dict[tuple[str, str, str, str], NeuronShift]:
        """Shifts of the neurons that rankings select, by (corpus, label, base, tuned)."""
        found = {}
        rankings = self._run.neurons.rankings
        for corpus, label in dict.fromkeys(key[:2] for key in rankings):
            for base, tuned in self._study.pairs:
                pair = [rankings.get((corpus, label, model)) for model in (base, tuned)]
                folder = self._path / "neurons" / corpus / quote(label, safe="")
                for path in _of(folder / f"{base}--{tuned}", pair[0], pair[1:]):
                    found[corpus, label, base, tuned] = NeuronShift.load(path)
        return found

    @cached_property
    def pruning(self) -> dict[tuple[str, str], PrunedScores]:
        """Scores of pruned models, by (base, task)."""
        step, found = self._study.prune, {}
        if step is None:
            return found
        for base in self._study.prune_bases or self._study.bases:
            for task in self._study.prune_tasks or self._study.tasks:
                folder = self._path / "pruning" / base / task
                if self._run.is_of(folder, step):
                    found[base, task] = PrunedScores.load(folder)
        return found

    def _labels(self) -> Iterator[tuple[str, str]]:
        return iter(dict.fromkeys(key[:2] for key in self._run.probes))

    def _seeds(self, tuned: str) -> list[str]:
        seeds = [v for v in self._study.variants if v.model == tuned and v.fraction == 1]
        return [tuned, *(v.name for v in seeds)]

    def _checkpoints(self, tuned: str) -> list[Any]:
        return [v for v in self._study.variants if v.model == tuned and v.fraction < 1]

    def _comparison(
        self, corpus: str, label: str, base: str, runs: list[str], name: str
    ) -> list[ProbeComparison]:
        """Return a comparison of probes, as far as it is there and of the probes that are."""
        folder = self._path / "probes" / corpus / quote(label, safe="")
        probes = [self._run.all_probes.get((corpus, label, run)) for run in (base, *runs)]
        there = [each for each in probes[1:] if each is not None]
        return [ProbeComparison.load(p) for p in _of(folder / f"{base}--{name}", probes[0], there)]

    def _geometry(self, corpus: str, base: str, name: str) -> list[LayerGeometry]:
        folder = self._path / "geometry" / corpus / f"{base}--{name}"
        step = self._study.geometry
        return [LayerGeometry.load(folder)] if step and self._run.is_of(folder, step) else []


def _of(path: Path, base: Any, tuned: list[Any]) -> list[Path]:
    """Return the path of a comparison if it is there and made of these results."""
    if base is None or not tuned or None in tuned or not (path / SOURCES).exists():
        return []
    return [path] if read_json(path / SOURCES) == sources(base, tuned) else []
