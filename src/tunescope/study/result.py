"""All results of a run, read from its folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from tunescope.errors import InputError
from tunescope.files import read_json
from tunescope.latent.alignment import Alignment
from tunescope.latent.layer_concepts import LayerConcepts
from tunescope.manifest import Manifest
from tunescope.models.tuned import TunedModel
from tunescope.probes.compare import ProbeComparison
from tunescope.probes.result import LayerProbes
from tunescope.results import Result
from tunescope.study.file import Study


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
            If it is none.
        """
        path = Path(path)
        if not (path / "study.toml").exists():
            raise InputError(f"{path} is not a run's folder: it has no study.toml")
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
    def tuning(self) -> dict[str, TunedModel]:
        """Models tuned by this study, by name."""
        folders = (self.path / "models" / name for name in self.study.models)
        return {f.name: TunedModel.load(f) for f in folders if (f / "manifest.json").exists()}

    @cached_property
    def extraction(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What was counted during extraction, by (corpus, model)."""
        return {
            (folder.parent.name, folder.name): Manifest.load(folder).facts
            for folder in self._finished("activations/*/*")
        }

    @cached_property
    def probes(self) -> dict[tuple[str, str, str], LayerProbes]:
        """Layer-wise probes, by (corpus, label, model)."""
        return {
            (folder.parent.parent.name, unquote(folder.parent.name), folder.name): LayerProbes.load(
                folder
            )
            for folder in self._finished("probes/*/*/*")
        }

    @cached_property
    def comparisons(self) -> dict[tuple[str, str, str, str], ProbeComparison]:
        """Paired differences between probes, by (corpus, label, base, tuned)."""
        found = {}
        for corpus, label in dict.fromkeys(key[:2] for key in self.probes):
            for base, tuned in self.pairs:
                one, other = (self.probes.get((corpus, label, m)) for m in (base, tuned))
                if one is not None and other is not None:
                    path = one.path.parent / f"{base}--{tuned}"
                    if path.exists():
                        found[corpus, label, base, tuned] = ProbeComparison.load(path)
        return found

    @cached_property
    def concepts(self) -> dict[tuple[str, str], LayerConcepts]:
        """Latent concepts, by (corpus, model)."""
        return {
            (folder.parent.name, folder.name): LayerConcepts.load(folder)
            for folder in self._finished("concepts/*/*")
        }

    @cached_property
    def alignments(self) -> dict[tuple[str, str, str], Alignment]:
        """Alignments of concepts, by (corpus, base, tuned)."""
        found = {}
        for folder in self._finished("alignment/*/*"):
            alignment = Alignment.load(folder)
            base, tuned = (alignment.manifest.facts[role] for role in ("base", "tuned"))
            found[folder.parent.name, base, tuned] = alignment
        return found

    def _finished(self, pattern: str) -> Iterator[Path]:
        """Yield the folders of finished steps that the study still has, in its order."""
        order = {name: n for n, name in enumerate([*self.study.corpora, *self.study.models])}
        folders = [f for f in self.path.glob(pattern) if (f / "manifest.json").exists()]
        yield from sorted(
            folders, key=lambda f: [(order.get(part, 99), part) for part in f.parts[-3:]]
        )

    def headline(self) -> str:
        """Return the study's name and how well the tuned models do their task."""
        lines = [f"study {self.about['name']!r}, seed {self.about['seed']}: {self.path}"]
        return "\n".join([*lines, *(tuned.headline() for tuned in self.tuning.values())])

    def table(self) -> pd.DataFrame:
        """Return one row per pair of models and layer: the study in one table.

        Probe columns are named after corpus and label. Differences are tuned minus base;
        intervals and p values are in the tables of `comparisons` and `alignments`.
        """
        parts: dict[tuple[str, str], list[pd.DataFrame]] = {}
        for (corpus, label, base, tuned), comparison in self.comparisons.items():
            frame = comparison.table().set_index("layer")
            wanted = frame.loc[:, ["base_accuracy", "tuned_accuracy", "difference", "p_holm"]]
            names = [f"{label} base", f"{label} tuned", f"{label} change", f"{label} p"]
            if len({c for c, *_ in self.comparisons}) > 1:
                names = [f"{corpus} {name}" for name in names]
            parts.setdefault((base, tuned), []).append(wanted.set_axis(names, axis=1))
        for (corpus, base, tuned), alignment in self.alignments.items():
            columns = _concept_columns(alignment, base, tuned)
            if len({c for c, *_ in self.alignments}) > 1:
                columns = columns.add_prefix(f"{corpus} ")
            parts.setdefault((base, tuned), []).append(columns)
        tables = []
        for (base, tuned), frames in parts.items():
            joined = pd.concat(frames, axis=1).sort_index().reset_index(names="layer")
            joined.insert(0, "models", f"{base} -> {tuned}")
            tables.append(joined)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _concept_columns(alignment: Alignment, base: str, tuned: str) -> pd.DataFrame:
    """Shares of concepts retained, and polarised concepts of both models, by layer."""
    kept = alignment.retention.set_index("layer")
    columns = {
        "concepts kept": kept["retained_share"],
        "kept by chance": kept["null_mean"] / kept["n_base"].clip(lower=1),
    }
    polarity = alignment.polarity
    if len(polarity):
        for role, model in (("base", base), ("tuned", tuned)):
            of_model = polarity.loc[(polarity["class"] == "") & (polarity["model"] == model)]
            of_model = of_model.set_index("layer")
            columns[f"polar {role}"] = of_model["polarised"]
        columns["polar by chance"] = of_model["null_mean"]
    return pd.DataFrame(columns)
