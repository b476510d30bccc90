"""Step `select`: minimal sets, ablation, selectivity, and accuracy against the number of neurons.

Units of work are files: each of the four tables, for each scaling of the activations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError, nearest
from tunescope.files import read_frame, write_frame
from tunescope.manifest import begin, finish
from tunescope.neurons.ablation import ablation
from tunescope.neurons.classifiers import (
    Classifier,
    LinearClassifier,
    LinearFit,
    PlainClassifier,
)
from tunescope.neurons.curves import accuracy_curves
from tunescope.neurons.minimal import minimal_sets
from tunescope.neurons.rankings.gaussian_model import GaussianClassifier
from tunescope.neurons.result import NeuronRankings, NeuronSets
from tunescope.neurons.selectivity import Bootstrap, selectivity_table
from tunescope.neurons.words import LabelledWords, sample_sentences
from tunescope.parameters import step_function
from tunescope.steps import Select


@step_function(Select)
def select(
    ranked: NeuronRankings | str | Path,
    store: ActivationStore | str | Path,
    out: str | Path,
    *,
    device: str = "cpu",
    step: Select,
) -> NeuronSets:
    """Find how few of the ranked neurons suffice, beside random and bottom neurons.

    Parameters
    ----------
    ranked : NeuronRankings, str or Path
        What `rank` found, or its folder.
    store : ActivationStore, str or Path
        The activations that were ranked.
    out : str or Path
        Folder to write; one that an interrupted call left is gone on with.
    device : str
        Where probes are fitted, in torch's words.
    step : Select
        Parameters.

    Returns
    -------
    NeuronSets

    Raises
    ------
    InputError
        If a ranking was not made.
    MismatchError
        If the store is not the one that was ranked.
    """
    ranked = ranked if isinstance(ranked, NeuronRankings) else NeuronRankings.load(ranked)
    store = store if isinstance(store, ActivationStore) else ActivationStore.load(store)
    out = Path(out)
    ranked.check_store(store)
    for name in step.rankings:
        if name not in ranked.rankings:
            raise InputError(
                f"ranking {name!r} was not made; {nearest(name, ranked.rankings)} "
                "(rankings of step 'rank')"
            )
    inputs = {
        "rankings": ranked.key, "corpus": ranked.corpus, "model": ranked.model,
        "label": ranked.label,
    }  # fmt: skip
    if begin(out, step, inputs) is not None:
        return NeuronSets.load(out)
    words = ranked.words(store)
    units = [(scaling, name) for scaling in ranked.scalings for name in TABLES]
    title = f"select neurons for {ranked.label} of {ranked.corpus} in {ranked.model}"
    with tqdm(desc=title, total=len(units), unit="table") as bar:
        for scaling in ranked.scalings:
            scaled = words.zscored() if scaling == "zscored" else words
            work = _Work(scaled, ranked, step, device, out / scaling)
            for name, make in work.tables().items():
                bar.set_postfix_str(f"{scaling}: {name}")
                if not (out / scaling / f"{name}.parquet").exists():
                    write_frame(out / scaling / f"{name}.parquet", make())
                bar.update()
    for name in TABLES:
        parts = [read_frame(out / scaling / f"{name}.parquet") for scaling in ranked.scalings]
        write_frame(out / f"{name}.parquet", pd.concat(parts, ignore_index=True))
    facts = {name: ranked.facts[name] for name in ("n_neurons", "words", "majority", "probe")}
    finish(out, step, inputs, facts | {"n_classes": words.n_classes})
    return NeuronSets.load(out)


TABLES = ("minimal", "selectivity", "ablation", "curve")


class _Work:
    """The tables for one scaling of the activations."""

    def __init__(
        self, words: LabelledWords, ranked: NeuronRankings, step: Select, device: str, out: Path
    ):
        self.words, self.step, self.out = words, step, out
        made = ranked.manifest.parameters
        self.bootstrap = Bootstrap(made["resamples"], made["confidence"], made["seed"])
        self.seeds = [made["seed"] + number for number in range(step.seeds)]
        penalties = ranked.facts["probe"][words.scaling]
        self.linear = LinearClassifier(
            penalties["l1"], penalties["l2"], penalty=made["penalty"], solver=made["solver"],
            tolerance=made["tolerance"], max_iterations=made["max_iterations"],
            seed=made["seed"], device=device,
        )  # fmt: skip
        coefficients, intercepts = ranked.probe(words.scaling)
        self.oracle = LinearFit(np.arange(words.n_neurons), coefficients, intercepts)
        self.rankings = {name: ranked.ranking(name, words.scaling) for name in ranked.rankings}
        self.chosen = [self.rankings[name] for name in dict.fromkeys(step.rankings)]

    def tables(self) -> dict[str, Callable[[], pd.DataFrame]]:
        """Return what makes each table, in the order they have to be made."""
        return {
            "minimal": self._minimal,
            "selectivity": self._selectivity,
            "ablation": self._ablation,
            "curve": self._curve,
        }

    def _minimal(self) -> pd.DataFrame:
        return minimal_sets(
            self.words, self.chosen, self.linear, oracle=self.oracle.judge(self.words),
            deltas=self.step.deltas, relative=self.step.relative, increment=self.step.increment,
            seeds=self.seeds, bootstrap=self.bootstrap,
        )  # fmt: skip

    def _selectivity(self) -> pd.DataFrame:
        """Compare all neurons with each minimal set, and with random ones of the same number."""
        minimal = read_frame(self.out / "minimal.parquet")
        parts = []
        for ranking in self.chosen:
            own = minimal[(minimal["ranking"] == ranking.name) & minimal["reached"]]
            sets: dict[str, np.ndarray] = {"all": np.arange(self.words.n_neurons)}
            for delta, n in zip(own["delta"], own["n"], strict=True):
                sets[f"top, delta {delta:g}"] = ranking.top(n)
                for seed in self.seeds:
                    draw = np.random.default_rng(seed).permutation(self.words.n_neurons)
                    sets[f"random, delta {delta:g}, seed {seed}"] = draw[:n]
            table = selectivity_table(self.words, sets, self.linear, bootstrap=self.bootstrap)
            table.insert(0, "ranking", ranking.name)
            parts.append(table)
        return pd.concat(parts, ignore_index=True)

    def _ablation(self) -> pd.DataFrame:
        task = replace(
            self.oracle,
            coefficients=self.oracle.coefficients[:1],
            intercepts=self.oracle.intercepts[:1],
        )
        return ablation(
            self.words, self.chosen, self.linear, oracle=task, shares=self.step.shares,
            seeds=self.seeds, bootstrap=self.bootstrap,
        )  # fmt: skip

    def _curve(self) -> pd.DataFrame:
        kinds: dict[str, Any] = {
            "linear": self.linear,
            "gaussian": PlainClassifier(lambda: GaussianClassifier(), "gaussian"),
        }
        classifiers: list[Classifier] = [
            kinds[name] for name in dict.fromkeys(self.step.classifiers)
        ]
        most, seed = self.step.curve_words, self.bootstrap.seed
        train, dev, test = (
            sample_sentences(part, most, seed)
            for part in (self.words.train, self.words.dev, self.words.test)
        )
        sampled = replace(self.words, train=train, dev=dev, test=test)
        return accuracy_curves(
            sampled, list(self.rankings.values()), classifiers, sizes=self.step.sizes,
            seeds=self.seeds, bootstrap=self.bootstrap,
        )  # fmt: skip
