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
from pathlib import Path
from typing import Any

from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError, nearest
from tunescope.models.reference import ModelSource
from tunescope.parameters import check_types, make
from tunescope.steps import (
    Align,
    Concepts,
    Extract,
    Finetune,
    Intervene,
    Probe,
    Rank,
    Reduce,
    Select,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
STEP_TABLES = {
    "finetune": Finetune,
    "extract": Extract,
    "probe": Probe,
    "rank": Rank,
    "select": Select,
    "reduce": Reduce,
    "intervene": Intervene,
    "concepts": Concepts,
    "align": Align,
}
NAMED_TABLES = {"models": ModelSource, "corpora": CorpusSource, "tasks": CorpusSource}
ON_CORPORA = {
    "probe": ("corpora", "labels"),
    "rank": ("corpora", "labels"),
    "intervene": ("sentences",),
    "concepts": ("corpora",),
}
"""Keys of step tables that say what a step works on; the others are its parameters."""

NEEDS = {"select": "rank", "reduce": "rank", "intervene": "rank", "align": "concepts"}
"""Step tables that are of no use without another."""


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
    probe, rank, select, reduce, intervene, concepts, align
        Parameters, or None where the step is not to run.
    probe_corpora, rank_corpora, concepts_corpora
        Corpora the steps work on; all when not given.
    probe_labels, rank_labels
        Label columns to probe, or to rank neurons for; all a corpus has when not given.
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
    tasks: dict[str, CorpusSource] = field(default_factory=dict)
    finetune: Finetune = Finetune()
    extract: Extract = Extract()
    probe: Probe | None = None
    rank: Rank | None = None
    select: Select | None = None
    reduce: Reduce | None = None
    intervene: Intervene | None = None
    concepts: Concepts | None = None
    align: Align | None = None
    probe_corpora: tuple[str, ...] = ()
    probe_labels: tuple[str, ...] = ()
    rank_corpora: tuple[str, ...] = ()
    rank_labels: tuple[str, ...] = ()
    intervene_sentences: tuple[str, ...] = ()
    concepts_corpora: tuple[str, ...] = ()
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
                for key in ON_CORPORA.get(table, ()):
                    if key in keys:
                        fields[f"{table}_{key}"] = _names(
                            keys.pop(key), f"{where}: [{table}] {key}"
                        )
                parameters = {field.name for field in dataclasses.fields(kind)}
                if "seed" in parameters:
                    keys.setdefault("seed", seed)
                others = parameters | set(ON_CORPORA.get(table, ()))
                if unknown := keys.keys() - others:
                    key = min(unknown)
                    raise InputError(
                        f"{where}: [{table}]: unknown key {key!r}; {nearest(key, others)}"
                    )
                fields[table] = make(kind, keys, f"{where}: [{table}]")
        if "finetune" not in content:
            fields["finetune"] = Finetune(seed=seed)
        for key in ("name", "description"):
            if key in content:
                if not isinstance(content[key], str):
                    raise InputError(f"{where}: {key} = {content[key]!r} must be text")
                fields[key] = content[key]
        if not NAME.fullmatch(fields.get("name", "")):
            raise InputError(f'{where}: set name = "..." (letters, digits, ".", "_" and "-")')
        study = cls(**fields)
        study.check(where)
        return study

    def check(self, where: str) -> None:
        """Check that the parts fit together.

        Raises
        ------
        InputError
            If a name refers to nothing, or nothing is to be done.
        """
        check_types(self, where)
        if not self.models:
            raise InputError(f"{where}: define a model: [models.NAME] with path = ...")
        if not self.corpora:
            raise InputError(f"{where}: define a corpus: [corpora.NAME] with path = ...")
        if self.probe is None and self.rank is None and self.concepts is None:
            raise InputError(f"{where}: nothing to do; add a table [probe], [rank] or [concepts]")
        for table, needed in NEEDS.items():
            if getattr(self, table) is not None and getattr(self, needed) is None:
                raise InputError(f"{where}: [{table}] needs the table [{needed}]")
        self._check_rankings(where)
        if len(self.intervene_sentences) > 1:
            raise InputError(
                f"{where}: [intervene] sentences: name one corpus, not "
                f"{len(self.intervene_sentences)}; changes on several cannot be averaged"
            )
        for name, model in self.models.items():
            self._check_model(name, model, f"{where}: [models.{name}]")
        for table, keys in ON_CORPORA.items():
            for key in set(keys) - {"labels"}:
                for name in getattr(self, f"{table}_{key}"):
                    if name not in self.corpora:
                        raise InputError(
                            f"{where}: [{table}] {key}: no corpus {name!r}; "
                            f"{nearest(name, self.corpora)}"
                        )

    def _check_rankings(self, where: str) -> None:
        """Check that what follows on rankings asks for some that are made."""
        if self.rank is None:
            return
        from tunescope.neurons.interventions import Action

        for action in self.intervene.actions if self.intervene is not None else ():
            Action.parse(action)
        asked = []
        if self.select is not None:
            asked.append(("select", "rankings", self.select.rankings, self.rank.rankings))
        if self.intervene is not None:
            step = self.intervene
            asked.append(("intervene", "ranking", (step.ranking,), self.rank.rankings))
            asked.append(("intervene", "scaling", (step.scaling,), self.rank.scalings))
        for table, key, names, made in asked:
            for name in names:
                if name not in made:
                    raise InputError(
                        f"{where}: [{table}] {key}: {name!r} is not made by [rank]; "
                        f"{nearest(name, made)}"
                    )

    def _check_model(self, name: str, model: ModelSource, where: str) -> None:
        check_types(model, where)
        if (model.path is None) == (model.task is None):
            raise InputError(f"{where}: give either path or, with base, task")
        if model.task is not None and model.base is None:
            raise InputError(f"{where}: task needs base, the model to tune")
        if model.base is not None:
            if model.base not in self.models or model.base == name:
                others = [other for other in self.models if other != name]
                hint = nearest(model.base, others) if others else "define it"
                raise InputError(f"{where}: base: no model {model.base!r}; {hint}")
            if self.models[model.base].base is not None:
                raise InputError(f"{where}: base {model.base!r} is itself tuned; name its base")
        if model.task is not None and model.task not in self.tasks:
            hint = nearest(model.task, self.tasks) if self.tasks else "define [tasks.NAME]"
            raise InputError(f"{where}: no task {model.task!r}; {hint}")
        if model.finetune and model.task is None:
            raise InputError(f"{where}: finetune is of no use without task")
        self.finetune_step(name, where)

    def finetune_step(self, model: str, where: str = "study") -> Finetune:
        """Return the parameters with which one model is tuned."""
        own = self.models[model].finetune
        values = {**self.finetune.parameters(), **own}
        return make(Finetune, values, f"{where} finetune")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(base, tuned) for every tuned model."""
        return [(model.base, name) for name, model in self.models.items() if model.base]

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


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f'{where} = {value!r} must be a list of names, as in ["ewt"]')
    return tuple(value)
