"""All results of a run, read from its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.errors import InputError
from tunescope.files import read_json
from tunescope.manifest import Manifest
from tunescope.models.tuned import TunedModel
from tunescope.probes.comparison import ProbeComparison
from tunescope.probes.result import LayerProbes
from tunescope.results import Result
from tunescope.steps import Step
from tunescope.study.concept_results import ConceptResults
from tunescope.study.file import Study
from tunescope.study.jobs import Job, kept_jobs
from tunescope.study.neuron_results import NeuronResults
from tunescope.study.summary import accuracy_table, concept_table, sets_table, single_table
from tunescope.study.transfer_results import TransferResults

FROM_CORPUS = ("labels", "computed", "prompt")
"""Parameters that are filled in for each corpus, or from the study's folder."""


@dataclass(frozen=True, eq=False)
class Run(Result):
    """Results of a study; each table is read when first asked for.

    Parameters
    ----------
    path : Path
        The run's folder.
    about : dict
        Name, description, seed, command and versions.
    """

    path: Path
    about: dict[str, Any]

    @classmethod
    def load(cls, path: Path | str) -> Run:
        """Open a run's folder.

        Raises
        ------
        InputError
            If it is none, or its run was ended before it did anything.
        """
        path = Path(path)
        if not (path / "study.toml").exists():
            raise InputError(f"{path} is not a run's folder: it has no study.toml")
        if not (path / "manifest.json").exists():
            raise InputError(f"{path} has no results: the run was ended as it began; run it again")
        return cls(path, read_json(path / "manifest.json"))

    @cached_property
    def study(self) -> Study:
        """The study file the run was made with."""
        text = (self.path / "study.toml").read_text(encoding="utf-8")
        return Study.parse(text, Path(self.about["folder"]), str(self.path / "study.toml"))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(base, tuned) for every tuned model."""
        return self.study.pairs

    @cached_property
    def failed(self) -> dict[str, str]:
        """What was tried in the last run and ended with an error: job and message."""
        path = self.path / "failed.json"
        return read_json(path) if path.exists() else {}

    @cached_property
    def not_done(self) -> set[str]:
        """Jobs that failed or were passed over in the last run: what they left before is old."""
        return {*self.failed, *self.skipped}

    @property
    def jobs(self) -> list[Job]:
        """All steps and how far each has come, as the last run left them."""
        return kept_jobs(self.path)

    @cached_property
    def skipped(self) -> dict[str, str]:
        """What could not be done in the last run: job and reason."""
        path = self.path / "skipped.json"
        return read_json(path) if path.exists() else {}

    @property
    def tuning(self) -> dict[str, TunedModel]:
        """Models tuned by this study, by name; of several seeds, the first."""
        return {name: made[0] for name, made in self.transfer.tuned.items()}

    @cached_property
    def extraction(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What was counted during extraction, by (corpus, model)."""
        return {
            (folder.parent.name, folder.name): Manifest.load(folder).facts
            for folder in self._finished(
                "activations/*/*",
                self.study.extract,
                corpora=self.study.used,
            )
        }

    @property
    def probes(self) -> dict[tuple[str, str, str], LayerProbes]:
        """Layer-wise probes of the study's models, by (corpus, label, model)."""
        return {k: found for k, found in self.all_probes.items() if k[2] in self.study.models}

    @cached_property
    def all_probes(self) -> dict[tuple[str, str, str], LayerProbes]:
        """Those of further seeds and of checkpoints too."""
        folders = self._finished("probes/*/*/*", self.study.probe, corpora=self.study.probed)
        return {
            (f.parent.parent.name, unquote(f.parent.name), f.name): LayerProbes.load(f)
            for f in folders
        }

    @cached_property
    def transfer(self) -> TransferResults:
        """Base against tuned: over seeds, over checkpoints, geometry, neurons, pruning."""
        return TransferResults(self)

    @property
    def comparisons(self) -> dict[tuple[str, str, str, str], ProbeComparison]:
        """Paired differences between probes, by (corpus, label, base, tuned)."""
        return self.transfer.comparisons

    @cached_property
    def neurons(self) -> NeuronResults:
        """Rankings of neurons, minimal sets, redundancy and interventions."""
        return NeuronResults(self.path, self.study, self._label_columns, _same)

    @cached_property
    def latent(self) -> ConceptResults:
        """All about latent concepts: alignments, trajectories, triggers, explanations, names."""
        return ConceptResults(self)

    @property
    def concepts(self) -> dict[tuple[str, str], LayerConcepts]:
        """Latent concepts of the study's models, by (corpus, model)."""
        return {k: found for k, found in self.latent.clustered.items() if k[1] in self.study.models}

    @property
    def alignments(self) -> dict[tuple[str, str, str], Alignment]:
        """Alignments of concepts, by (corpus, base, tuned)."""
        return self.latent.alignments

    def _finished(self, pattern: str, step: Step | None, *, corpora: Iterable[str]) -> list[Path]:
        """Return the folders of finished steps that are of the study as it is now, in its order.

        A run's folder may hold more: what the study had before a corpus, a model or a label column
        was taken out of it, and results of other parameters that are still to be replaced.
        """
        if step is None:
            return []
        variants = [variant.name for variant in self.study.variants]
        models = {
            *self.study.models,
            *variants,
            *(f"{base}--{tuned}" for base, tuned in self.pairs),
        }
        known = [*self.study.corpora, *self.study.models, *variants]
        order = {name: n for n, name in enumerate(known)}
        folders = []
        for folder in self.path.glob(pattern):
            corpus, *label, model = folder.relative_to(self.path).parts[1:]
            if corpus not in corpora or model not in models:
                continue
            if label and unquote(label[0]) not in self._labels(corpus):
                continue
            if self.is_of(folder, step):
                folders.append(folder)
        return sorted(folders, key=lambda f: [(order.get(part, 99), part) for part in f.parts[-3:]])

    def has(self, model: str) -> bool:
        """Whether there is any result about a model."""
        found = (self.all_probes, self.neurons.rankings, self.concepts)
        there = any(model in key for results in found for key in results)
        return there or any(model in key for key in self.transfer.geometry)

    @staticmethod
    def is_of(folder: Path, step: Step) -> bool:
        """Whether a folder holds finished results of these parameters."""
        return (folder / "manifest.json").exists() and _same(Manifest.load(folder), step)

    def _labels(self, corpus: str) -> Iterable[str]:
        """Label columns of a corpus that are probed."""
        return self.study.probe_labels or self._label_columns(corpus)

    def _label_columns(self, corpus: str) -> list[str]:
        """Label columns that a corpus has; none if it was not read yet."""
        read = self.path / "corpora" / corpus
        there = (read / "manifest.json").exists()
        return Manifest.load(read).facts["labels"] if there else []

    def headline(self) -> str:
        """Return the study's name and how well the tuned models do their task."""
        lines = [f"study {self.about['name']!r}, seed {self.about['seed']}: {self.path}"]
        return "\n".join([*lines, *(tuned.headline() for tuned in self.tuning.values())])

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the study in small tables, one row per layer, by title.

        Differences are tuned minus base on the same words, `p` is Holm's over the layers, `low` and
        `high` are the ends of the confidence interval.
        """
        found = {}
        for (corpus, label, base, tuned), comparison in self.comparisons.items():
            control = self.probes[corpus, label, tuned].table()
            found[f"{label} in {corpus}: {base} -> {tuned}"] = accuracy_table(comparison, control)
        paired = {name for pair in self.pairs for name in pair}
        for (corpus, label, model), probes in self.probes.items():
            if model not in paired:
                found[f"{label} in {corpus}: {model}"] = single_table(probes)
        for (corpus, label, model), sets in self.neurons.sets.items():
            found[f"neurons for {label} in {corpus}: {model}"] = sets_table(sets)
        for (corpus, base, tuned), alignment in self.alignments.items():
            title = f"concepts in {corpus}: {base} -> {tuned}"
            found[title] = concept_table(alignment, base, tuned)
        return found

    def table(self) -> pd.DataFrame:
        """Return all of `tables` below each other, the title in the first column."""
        parts = self.tables()
        if not parts:
            return pd.DataFrame()
        return pd.concat(parts, names=["table"]).reset_index(level=0).reset_index(drop=True)


def _same(manifest: Manifest, step: Step) -> bool:
    """Whether results were made with these parameters; labels and places are each corpus's own."""
    wanted, made = json.loads(json.dumps(step.parameters())), manifest.parameters
    return all(made.get(name) == value for name, value in wanted.items() if name not in FROM_CORPUS)
