"""The study file: what is compared, on which text, with which steps. TOML, checked on reading.

```
name = "sst2"
seed = 0

[models.bert]
path = "bert-base-cased"

[models.bert-sst2]          # tuned here; or give path = "my/checkpoint" for one tuned elsewhere
base = "bert"
task = "sst2"

[tasks.sst2]
path = {train = "train.tsv", dev = "dev.tsv"}

[finetune]                  # or: every base on every task, as bert-sst2, bert-rte, ...
tasks = ["sst2", "rte"]
seeds = [0, 1, 2]

[corpora.ewt]
path = "en_ewt.conllu"

[probe]                     # a step runs when its table is there, even if it is empty
corpora = ["ewt"]
labels = ["upos"]
```
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError, nearest
from tunescope.models.reference import ModelSource
from tunescope.parameters import make
from tunescope.steps import (
    Align,
    CheckExplanations,
    Concepts,
    Explain,
    Extract,
    Finetune,
    Geometry,
    Intervene,
    MapConcepts,
    Name,
    Probe,
    Project,
    Prune,
    Rank,
    Reduce,
    Select,
    Stability,
    Trace,
    Triggers,
)
from tunescope.study.check import check
from tunescope.study.variants import Variant, matrix, variants
from tunescope.tasks.source import TaskSource

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
STEP_TABLES = {
    "finetune": Finetune,
    "extract": Extract,
    "probe": Probe,
    "geometry": Geometry,
    "rank": Rank,
    "select": Select,
    "reduce": Reduce,
    "intervene": Intervene,
    "prune": Prune,
    "concepts": Concepts,
    "align": Align,
    "project": Project,
    "stability": Stability,
    "trace": Trace,
    "triggers": Triggers,
    "map_concepts": MapConcepts,
    "explain": Explain,
    "check_explanations": CheckExplanations,
    "names": Name,
}
NAMED_TABLES = {"models": ModelSource, "corpora": CorpusSource, "tasks": TaskSource}
WORKS_ON = {
    "finetune": ("bases", "tasks"),
    "probe": ("corpora", "labels"),
    "geometry": ("corpora",),
    "prune": ("bases", "tasks", "corpora"),
    "rank": ("corpora", "labels"),
    "intervene": ("sentences",),
    "concepts": ("corpora",),
    "triggers": ("tasks",),
    "explain": ("tasks",),
    "check_explanations": ("tasks",),
}
"""Keys of step tables that say what a step works on; the others are its parameters."""


@dataclass(frozen=True)
class Study:
    """A checked study file.

    Parameters
    ----------
    name
        Names the run's folder and the page.
    models, corpora, tasks
        What the tables of the same names define.
    finetune, extract
        Parameters; these steps run as far as others need them.
    probe, geometry, rank, select, reduce, intervene, prune
        Parameters, or None where the step is not to run.
    concepts, align, project, stability, trace
        The same for latent concepts.
    triggers, map_concepts, explain, check_explanations, names
        The same for what is done with them.
    finetune_bases, finetune_tasks
        Models and tasks of which each is tuned on each; `models` has what is made of them.
    finetune_seeds
        Seeds of tuning; the model of the first is the one that everything is done with, those of
        the others are probed and measured beside it.
    probe_corpora, geometry_corpora, rank_corpora, concepts_corpora
        Corpora the steps work on; all when not given.
    prune_bases, prune_tasks
        Models that are pruned, and tasks they are then tuned on; all when not given.
    prune_corpora
        The first is the corpus that contributions of blocks are measured on; the first of all when
        not given.
    probe_labels, rank_labels
        Label columns to probe, or to rank neurons for; all a corpus has when not given.
    triggers_tasks, explain_tasks, check_explanations_tasks
        The task whose dev texts are used for tuned models that the study does not tune itself.
    triggers_lexicon
        File with words and their score or class; "vader" for that of the package vaderSentiment.
    intervene_sentences
        Corpora whose sentences have classes, for models that predict these; models that predict
        words are measured on the corpus whose labels their neurons are ranked for.
    description
        One or two sentences for the page.
    seed
        Seed of every step that does not set its own.
    folder
        Where relative paths start.
    text
        The file as written.
    """

    name: str
    models: dict[str, ModelSource]
    corpora: dict[str, CorpusSource]
    tasks: dict[str, TaskSource] = field(default_factory=dict)
    finetune: Finetune = Finetune()
    extract: Extract = Extract()
    probe: Probe | None = None
    geometry: Geometry | None = None
    rank: Rank | None = None
    select: Select | None = None
    reduce: Reduce | None = None
    intervene: Intervene | None = None
    prune: Prune | None = None
    concepts: Concepts | None = None
    align: Align | None = None
    project: Project | None = None
    stability: Stability | None = None
    trace: Trace | None = None
    triggers: Triggers | None = None
    map_concepts: MapConcepts | None = None
    explain: Explain | None = None
    check_explanations: CheckExplanations | None = None
    names: Name | None = None
    finetune_bases: tuple[str, ...] = ()
    finetune_tasks: tuple[str, ...] = ()
    finetune_seeds: tuple[int, ...] = ()
    probe_corpora: tuple[str, ...] = ()
    probe_labels: tuple[str, ...] = ()
    geometry_corpora: tuple[str, ...] = ()
    prune_bases: tuple[str, ...] = ()
    prune_tasks: tuple[str, ...] = ()
    prune_corpora: tuple[str, ...] = ()
    rank_corpora: tuple[str, ...] = ()
    rank_labels: tuple[str, ...] = ()
    intervene_sentences: tuple[str, ...] = ()
    concepts_corpora: tuple[str, ...] = ()
    triggers_tasks: tuple[str, ...] = ()
    triggers_lexicon: str | None = None
    explain_tasks: tuple[str, ...] = ()
    check_explanations_tasks: tuple[str, ...] = ()
    description: str = ""
    seed: int = 0
    folder: Path = Path()
    text: str = ""

    @classmethod
    def load(cls, path: Path | str) -> Study:
        """Read a study file.

        Raises
        ------
        InputError
            If it is missing or not TOML, a key is unknown (the nearest valid one is named), a
            value has the wrong type, or a name refers to nothing.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise InputError(f"study file {path} is missing") from None
        except (IsADirectoryError, UnicodeDecodeError) as error:
            raise InputError(f"study file {path} cannot be read: {error}") from None
        return cls.parse(text, path.parent, str(path))

    @classmethod
    def parse(cls, text: str, folder: Path, where: str = "study") -> Study:
        """Check the text of a study file whose relative paths start at `folder`."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{where} is not valid TOML: {error}") from None
        valid = {"name", "description", "seed", *NAMED_TABLES, *STEP_TABLES}
        for key, value in content.items():
            if key not in valid:
                raise InputError(f"{where}: unknown key {key!r}; {nearest(key, valid)}")
            if key in NAMED_TABLES or key in STEP_TABLES:
                _need_table(value, f"{where}: [{key}]")
        named = {
            table: _named(content.get(table, {}), kind, f"{where}: {table}")
            for table, kind in NAMED_TABLES.items()
        }
        seed = content.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise InputError(f"{where}: seed = {seed!r} must be a whole number from 0")
        fields: dict[str, Any] = {"seed": seed, "folder": folder, "text": text, **named}
        for table, kind in STEP_TABLES.items():
            if table in content:
                keys = dict(content[table])
                if table == "finetune" and "seeds" in keys:
                    fields["finetune_seeds"] = _seeds(keys, f"{where}: [finetune]")
                if table == "triggers" and "lexicon" in keys:
                    fields["triggers_lexicon"] = keys.pop("lexicon")
                for key in WORKS_ON.get(table, ()):
                    if key in keys:
                        fields[f"{table}_{key}"] = _names(
                            keys.pop(key), f"{where}: [{table}] {key}"
                        )
                parameters = {field.name for field in dataclasses.fields(kind)}
                if "seed" in parameters:
                    keys.setdefault("seed", seed)
                others = parameters | set(WORKS_ON.get(table, ()))
                others |= {"finetune": {"seeds"}, "triggers": {"lexicon"}}.get(table, set())
                if unknown := keys.keys() - others:
                    key = min(unknown)
                    raise InputError(
                        f"{where}: [{table}]: unknown key {key!r}; {nearest(key, others)}"
                    )
                fields[table] = make(kind, keys, f"{where}: [{table}]")
        if "finetune" not in content:
            fields["finetune"] = Finetune(seed=seed)
        fields.setdefault("finetune_seeds", (fields["finetune"].seed,))
        fields["models"] = matrix(
            named["models"], fields.get("finetune_bases", ()), fields.get("finetune_tasks", ()),
            tuple(named["tasks"]), where,
        )  # fmt: skip
        for key in ("name", "description"):
            if key in content:
                if not isinstance(content[key], str):
                    raise InputError(f"{where}: {key} = {content[key]!r} must be text")
                fields[key] = content[key]
        if not NAME.fullmatch(fields.get("name", "")):
            raise InputError(f'{where}: set name = "..." (letters, digits, ".", "_" and "-")')
        study = cls(**fields)
        check(study, where)
        return study

    def finetune_step(self, model: str, where: str = "study") -> Finetune:
        """Return the parameters with which one model is tuned."""
        own = self.models[model].finetune
        values = {**self.finetune.parameters(), "seed": self.finetune_seeds[0], **own}
        return make(Finetune, values, f"{where} finetune")

    @cached_property
    def variants(self) -> list[Variant]:
        """Further seeds and checkpoints of the models that are tuned here."""
        tuned = (name for name, model in self.models.items() if model.task is not None)
        fractions = {name: self.finetune_step(name).checkpoints or () for name in tuned}
        return variants(self.models, self.finetune_seeds, fractions)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(base, tuned) for every tuned model."""
        return [(model.base, name) for name, model in self.models.items() if model.base]

    @property
    def alone(self) -> tuple[str, ...]:
        """Models that were not tuned, and that no other was tuned from."""
        paired = {name for pair in self.pairs for name in pair}
        return tuple(name for name in self.models if name not in paired)

    @property
    def bases(self) -> tuple[str, ...]:
        """Models that nothing is said to have been tuned to."""
        return tuple(name for name, model in self.models.items() if model.base is None)

    def family(self, base: str) -> list[str]:
        """Return a base, all that was tuned from it, then their further seeds and checkpoints."""
        tuned = [name for of, name in self.pairs if of == base]
        return [base, *tuned, *(v.name for v in self.variants if v.base == base)]

    @property
    def measured(self) -> tuple[str, ...]:
        """Corpora that the geometry of models is measured on."""
        return () if self.geometry is None else self.geometry_corpora or tuple(self.corpora)

    @property
    def used(self) -> tuple[str, ...]:
        """Corpora that activations are extracted on."""
        works = (self.probed, self.measured, self.ranked, self.contributing, self.clustered)
        return tuple(name for name in self.corpora if any(name in names for names in works))

    @property
    def contributing(self) -> tuple[str, ...]:
        """The corpus that contributions of blocks are measured on, where a rule needs them."""
        rules = () if self.prune is None else self.prune.drop
        needed = any(rule.startswith("contribution") for rule in rules)
        return (self.prune_corpora or tuple(self.corpora))[:1] if needed else ()

    @property
    def probed(self) -> tuple[str, ...]:
        """Corpora that probes are fitted on."""
        return () if self.probe is None else self.probe_corpora or tuple(self.corpora)

    @property
    def ranked(self) -> tuple[str, ...]:
        """Corpora with labels that neurons are ranked for."""
        return () if self.rank is None else self.rank_corpora or tuple(self.corpora)

    @property
    def clustered(self) -> tuple[str, ...]:
        """Corpora that concepts are discovered in."""
        return () if self.concepts is None else self.concepts_corpora or tuple(self.corpora)


def _need_table(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a table, not {value!r}")


def _named(content: dict[str, Any], kind: type, where: str) -> dict[str, Any]:
    made = {}
    for name, values in content.items():
        if not NAME.fullmatch(name):
            raise InputError(f'{where}.{name}: use letters, digits, ".", "_" and "-" for names')
        _need_table(values, f"{where}.{name}")
        made[name] = make(kind, values, f"{where}.{name}")
    return made


def _seeds(keys: dict[str, Any], where: str) -> tuple[int, ...]:
    """Take the seeds of tuning out of the keys of [finetune]."""
    seeds = keys.pop("seeds")
    whole = isinstance(seeds, list) and all(type(seed) is int and seed >= 0 for seed in seeds)
    if not whole or not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"{where} seeds = {seeds!r} must be different whole numbers, as [0, 1, 2]")
    if "seed" in keys:
        raise InputError(f"{where}: give seed or seeds, not both")
    return tuple(seeds)


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f'{where} = {value!r} must be a list of names, as in ["ewt"]')
    return tuple(value)
