"""What the steps on neurons found, and where on disk it is: tables as parquet, each with a name.

A folder of `rank` has, for each scaling of the activations, `search.parquet`, `probe.safetensors`
and one file per ranking; and the tables over all rankings beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tunescope.errors import InputError, MismatchError, nearest
from tunescope.files import read_frame, read_tensors
from tunescope.neurons.ranking import Ranking
from tunescope.results import StepResult
from tunescope.steps import Intervene, Rank, Reduce, Select, Step

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tunescope.activations.store import ActivationStore
    from tunescope.neurons.view import NeuronView
    from tunescope.neurons.words import LabelledWords


PREDICTS = {"masked": "masked words", "next": "the next word", "task": "a sentence's class"}


@dataclass(frozen=True, eq=False)
class NeuronResult(StepResult):
    """Tables that a step wrote about the neurons of one model and one label column.

    Parameters
    ----------
    path : Path
        The step's folder.
    manifest : Manifest
        How it was made.
    """

    shown: ClassVar[tuple[str, ...]]
    """Tables that are printed, in order; others are there to be asked for."""

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.manifest.inputs["corpus"]

    @property
    def label(self) -> str:
        """The label column."""
        return self.manifest.inputs["label"]

    @property
    def model(self) -> str:
        """The model's display name."""
        return self.manifest.inputs["model"]

    @property
    def facts(self) -> dict[str, Any]:
        """What came out, as plain values."""
        return self.manifest.facts

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables there are, those that are printed first."""
        there = sorted(file.stem for file in self.path.glob("*.parquet"))
        return tuple(sorted(there, key=lambda n: (n not in self.shown, n)))

    def frame(self, name: str) -> pd.DataFrame:
        """Return one table.

        Raises
        ------
        InputError
            If there is none of that name; the nearest one is named.
        """
        if name not in self.names:
            raise InputError(f"{self.path} has no table {name!r}; {nearest(name, self.names)}")
        return read_frame(self.path / f"{name}.parquet")

    def table(self) -> pd.DataFrame:
        """Return the first table."""
        return self.frame(next(name for name in (*self.shown, *self.names) if name in self.names))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that are printed, by name."""
        return {name: self.frame(name) for name in self.shown if name in self.names}

    def _about(self) -> str:
        return f"{self.label!r} in {self.corpus!r}, {self.model}"


class NeuronRankings(NeuronResult):
    """Rankings of all neurons of a model by what they say about one label column.

    Tables: `layers` (selected neurons by layer), `tags` (top neurons of each label by layer),
    `sharing` (how many labels share a neuron), `localisation`, `agreement` and `agreement_summary`
    (of rankings with each other).

    Parameters
    ----------
    path : Path
        The step's folder.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Rank
    shown: ClassVar[tuple[str, ...]] = ("layers", "agreement_summary", "localisation", "sharing")

    @property
    def scalings(self) -> tuple[str, ...]:
        """Scalings of the activations there are rankings for."""
        return tuple(self.manifest.parameters["scalings"])

    @property
    def rankings(self) -> tuple[str, ...]:
        """Names of the rankings."""
        return tuple(dict.fromkeys(self.manifest.parameters["rankings"]))

    def ranking(self, name: str, scaling: str = "raw") -> Ranking:
        """Read one ranking.

        Raises
        ------
        InputError
            If there is none of that name or scaling.
        """
        folder = self._of_scaling(scaling)
        if name not in self.rankings:
            raise InputError(f"{self.path}: no ranking {name!r}; {nearest(name, self.rankings)}")
        return self.read_ranking(folder, name)

    def search(self, scaling: str = "raw") -> pd.DataFrame:
        """Return the points of the search for penalties, with their scores."""
        return self.read_search(self._of_scaling(scaling))

    def probe(self, scaling: str = "raw") -> tuple[np.ndarray, np.ndarray]:
        """Read the probe of all neurons and those of its control tasks.

        Returns
        -------
        coefficients : numpy.ndarray, shape (1 + n_controls, K, d)
        intercepts : numpy.ndarray, shape (1 + n_controls, K)
        """
        return self.read_probe(self._of_scaling(scaling))

    def _of_scaling(self, scaling: str) -> Path:
        if scaling not in self.scalings:
            hint = nearest(scaling, self.scalings)
            raise InputError(f"{self.path}: no rankings of scaling {scaling!r}; {hint}")
        return self.path / scaling

    def check_store(self, store: ActivationStore) -> None:
        """Check that a store is the one that was ranked.

        Raises
        ------
        MismatchError
            If it is another one.
        """
        if store.key != self.manifest.inputs["store"]:
            raise MismatchError(
                f"{store.path} holds other activations than those that {self.path} ranks: give "
                "the store that was ranked"
            )

    def words(self, store: ActivationStore) -> LabelledWords:
        """Return the words that were ranked, with their activations.

        Parameters
        ----------
        store : ActivationStore
            That was ranked.

        Raises
        ------
        MismatchError
            If it is another one.
        """
        import numpy as np

        from tunescope.neurons.words import label_words

        self.check_store(store)
        made = self.manifest.parameters
        split = {n: made[n] for n in ("dev_share", "test_share", "control_seeds", "seed")}
        rows = np.load(self.path / "rows.npy", allow_pickle=False)
        words = label_words(store, self.label, rows=rows, **split)
        if words.hash() != self.manifest.inputs["words"]:
            raise MismatchError(f"the labels of {store.path} have changed since: rank again")
        return words

    def views(self) -> list[NeuronView]:
        """Read the words and contexts of the top neurons of every label."""
        from tunescope.neurons.view import load_views

        folder = self.path / "views"
        return load_views(folder) if folder.exists() else []

    @staticmethod
    def read_ranking(folder: Path, name: str) -> Ranking:
        """Read a ranking from a scaling's folder."""
        return Ranking(name, **read_tensors(folder / f"{name}.safetensors"))

    @staticmethod
    def read_search(folder: Path) -> pd.DataFrame:
        """Read the search from a scaling's folder."""
        return read_frame(folder / "search.parquet")

    @staticmethod
    def read_probe(folder: Path) -> tuple[np.ndarray, np.ndarray]:
        """Read the probe from a scaling's folder."""
        tensors = read_tensors(folder / "probe.safetensors")
        return tensors["coefficients"], tensors["intercepts"]

    def headline(self) -> str:
        """Return what was ranked, and the penalties found."""
        found = [
            f"{scaling}: l1 = {probe['l1']:g}, l2 = {probe['l2']:g}"
            for scaling, probe in self.facts["probe"].items()
        ]
        return (
            f"Rankings of {self.facts['n_neurons']:,} neurons for {self._about()} "
            f"({len(self.rankings)} methods; {'; '.join(found)})"
        )


class NeuronSets(NeuronResult):
    """How few neurons suffice.

    Tables: `minimal` (smallest sets), `ablation`, `selectivity` (of all neurons and of the sets)
    and `curve` (accuracy against the number of neurons, for every classifier and order).

    Parameters
    ----------
    path : Path
        The step's folder.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Select
    shown: ClassVar[tuple[str, ...]] = ("minimal", "ablation", "selectivity")

    def headline(self) -> str:
        """Return the smallest set for the smallest delta."""
        rows = self.frame("minimal").sort_values("delta").to_dict("records")
        first = rows[0]
        return (
            f"Neurons for {self._about()}: {first['n']:,} ({100 * first['share']:.1f} %) of "
            f"{self.facts['n_neurons']:,} by {first['ranking']} come within {first['delta']:g} "
            f"of all (test accuracy {first['accuracy']:.3f} against {first['oracle_accuracy']:.3f})"
        )


class NeuronRedundancy(NeuronResult):
    """What is left when redundant layers and neurons are taken away.

    Table: `redundancy`, one row per stage.

    Parameters
    ----------
    path : Path
        The step's folder.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Reduce
    shown: ClassVar[tuple[str, ...]] = ("redundancy",)

    def headline(self) -> str:
        """Return what is kept at the end."""
        last = self.frame("redundancy").to_dict("records")[-1]
        return (
            f"Redundancy for {self._about()}: {last['layers']} layers and {last['neurons']:,} "
            f"neurons keep an accuracy of {last['accuracy']:.3f}"
        )


class NeuronEffects(NeuronResult):
    """What changes in the model's own output when neurons are changed while it runs.

    Table: `effects`, the top neurons and random ones of the same layers; `against_random`, their
    paired difference.

    Parameters
    ----------
    path : Path
        The step's folder.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Intervene
    shown: ClassVar[tuple[str, ...]] = ("against_random", "effects")

    def headline(self) -> str:
        """Return what was measured."""
        said = PREDICTS[self.facts["kind"]]
        return f"Interventions on neurons for {self._about()}: the model predicts {said}"
