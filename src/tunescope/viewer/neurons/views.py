"""What each neuron answers to: kept by the run for those a ranking put first, else read anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from tunescope.activations.neuron import NeuronId
from tunescope.activations.store import ActivationStore
from tunescope.errors import TunescopeError
from tunescope.neurons.look import look_at
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.view import NeuronView
from tunescope.study.neuron_results import Key
from tunescope.study.result import Run

Place = tuple[str, str]
"""Corpus and model."""
MOST_RANKS = 20
"""A neuron counts as chosen for a tag up to this place of its ranking."""


class Chosen(NamedTuple):
    """Where a ranking put a neuron.

    Parameters
    ----------
    label, tag : str
        Label column and tag; "" is the ranking over all tags.
    ranking, scaling : str
        The method, and what it was given.
    rank : int
        From 1.
    """

    label: str
    tag: str
    ranking: str
    scaling: str
    rank: int


class NeuronViews:
    """The neurons of a run that have a page.

    Parameters
    ----------
    run : Run
        Results of a study.
    """

    def __init__(self, run: Run):
        self.run = run
        self.ranking = lru_cache(64)(self._ranking)
        self._store = lru_cache(64)(self._load)
        self._read: dict[Place, dict[NeuronId, NeuronView]] = {}

    @cached_property
    def kept(self) -> dict[Place, dict[NeuronId, NeuronView]]:
        """Neurons whose words and contexts are kept, with their values for all label columns."""
        found: dict[Place, dict[NeuronId, NeuronView]] = {}
        for (corpus, _, model), ranked in self.run.neurons.rankings.items():
            here = found.setdefault((corpus, model), {})
            for view in ranked.views():
                before = here.get(view.neuron)
                if before is not None:
                    values = pd.concat([before.values, view.values], ignore_index=True)
                    view = replace(before, values=values)
                here[view.neuron] = view
        return found

    @cached_property
    def partners(self) -> dict[str, list[str]]:
        """For each model, those it was tuned from or into."""
        found: dict[str, list[str]] = {}
        for base, tuned in self.run.pairs:
            found.setdefault(base, []).append(tuned)
            found.setdefault(tuned, []).append(base)
        return found

    @cached_property
    def listed(self) -> dict[Place, list[NeuronId]]:
        """Neurons that have a page: kept ones, and the same places in the model beside it."""
        found = {}
        for (corpus, model), here in self.kept.items():
            all_of = set(here)
            for other in self.partners.get(model, []):
                beside = self.kept.get((corpus, other), {})
                all_of |= {n for n in beside if self.exists(corpus, model, n)}
            found[corpus, model] = sorted(all_of)
        return found

    def chosen(self, corpus: str, model: str, neuron: NeuronId) -> list[Chosen]:
        """Return where rankings, but random ones, put a neuron among their first, best first."""
        found = []
        for (of, label, name), ranked in self.run.neurons.rankings.items():
            if (of, name) != (corpus, model):
                continue
            column = column_of(ranked.facts["widths"], ranked.facts["layers"], neuron)
            if column is None:
                continue
            for scaling in ranked.scalings:
                for method in ranked.rankings:
                    if method == "random":
                        continue
                    ranking = self.ranking((of, label, name), method, scaling)
                    for tag, rank in _places(ranking, ranked.facts["classes"], column):
                        found.append(Chosen(label, tag, method, scaling, rank))
        return sorted(found, key=lambda one: one.rank)

    def view(self, corpus: str, model: str, neuron: NeuronId) -> NeuronView | None:
        """Return what a neuron answers to; None where there is no such neuron to look at."""
        kept, place = self.kept.get((corpus, model), {}), (corpus, model)
        if neuron in kept:
            return kept[neuron]
        if neuron not in self._read.get(place, {}):
            if place not in self.listed or not self.exists(corpus, model, neuron):
                return None
            # All of a layer at once: a layer is read as a whole, however few neurons it is for.
            wanted = [n for n in self.listed[place] if n.layer == neuron.layer and n not in kept]
            wanted = wanted if neuron in wanted else [neuron]
            self._read.setdefault(place, {}).update(self._look(corpus, model, wanted))
        return self._read[place][neuron]

    def _ranking(self, key: Key, method: str, scaling: str) -> Ranking:
        return self.run.neurons.rankings[key].ranking(method, scaling)

    def _load(self, corpus: str, model: str) -> ActivationStore | None:
        try:
            return ActivationStore.load(self.run.path / "activations" / corpus / model)
        except TunescopeError:
            return None

    def exists(self, corpus: str, model: str, neuron: NeuronId) -> bool:
        """Whether activations are at hand that have a neuron of this address."""
        store = self._store(corpus, model)
        if store is None or neuron.layer not in store.layers:
            return False
        return neuron.index < store[neuron.layer].shape[1]

    def _look(
        self, corpus: str, model: str, neurons: list[NeuronId]
    ) -> Iterator[tuple[NeuronId, NeuronView]]:
        store = self._store(corpus, model)
        assert store is not None
        labels = [key[1] for key in self.run.neurons.rankings if key[::2] == (corpus, model)]
        for view in look_at(store, neurons, labels, min_count=3):
            yield view.neuron, view


def column_of(widths: list[int], layers: list[int], neuron: NeuronId) -> int | None:
    """Return the column of a neuron in a ranking; None where its layer was not ranked."""
    if neuron.layer not in layers:
        return None
    at = layers.index(neuron.layer)
    return int(sum(widths[:at])) + neuron.index if neuron.index < widths[at] else None


def neurons_of(widths: list[int], layers: list[int], columns: np.ndarray) -> list[NeuronId]:
    """Return the neurons of columns of a ranking."""
    starts = np.concatenate([[0], np.cumsum(widths)])
    at = np.searchsorted(starts, columns, side="right") - 1
    return [
        NeuronId(layers[i], int(c - starts[i])) for i, c in zip(at, columns.tolist(), strict=True)
    ]


def _places(ranking: Ranking, tags: list[str], column: int) -> Iterator[tuple[str, int]]:
    first = np.vstack([ranking.order[None, :MOST_RANKS], ranking.tag_orders[:, :MOST_RANKS]])
    for row, place in zip(*np.nonzero(first == column), strict=True):
        yield ("" if row == 0 else tags[row - 1]), int(place) + 1
