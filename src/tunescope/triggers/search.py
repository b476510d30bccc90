"""All units of a search for triggers, each a file, so that a killed run goes on with the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from tunescope.corpus.table import Corpus
from tunescope.files import read_frame, write_frame
from tunescope.steps import Triggers
from tunescope.triggers import tables
from tunescope.triggers.attack import SAID, TRIED, Attack
from tunescope.triggers.candidates import LEAST, mirrored, n_triggers, opposite
from tunescope.triggers.groups import Group
from tunescope.triggers.placing import places
from tunescope.triggers.victim import Victim

BASELINES = ("random", "opposite", "lexicon")


class Search:
    """Units: for each class and place, each layer of concepts, each baseline, and what was said.

    Parameters
    ----------
    out : Path
        The step's folder; units are in `units` there.
    victim : Victim
        The classifier and its texts.
    names : tuple of str
        Its classes as the data calls them.
    gold : numpy.ndarray of int, shape (n_texts,)
        Class of each text.
    choosing : numpy.ndarray of bool, shape (n_texts,)
        The half that triggers are chosen on.
    groups : list of Group
        The polarity concepts.
    lexical : dict of str to list of str
        Words of a lexicon, by class.
    words : Corpus
        Words to draw random ones from.
    step : Triggers
        The parameters.

    Attributes
    ----------
    accuracy : float
        Of the classifier on all texts.
    left_out : dict of str to str
        Methods and classes that nothing could be tried of, and why.
    """

    def __init__(
        self, out: Path, victim: Victim, names: tuple[str, ...], gold: np.ndarray,
        choosing: np.ndarray, groups: list[Group], lexical: dict[str, list[str]], words: Corpus,
        step: Triggers,
    ):  # fmt: skip
        self._out, self._victim, self._names, self._step = out / "units", victim, names, step
        self._out.mkdir(exist_ok=True)
        self._gold, self._choosing = gold, choosing
        self._groups, self._lexical = groups, lexical
        self._forms = list(dict.fromkeys(words.values("form").tolist()))
        self._places = places(step.positions, step.parts, len(victim.texts[0]))
        self._plain = victim.plain()
        self.accuracy = float((self._plain.argmax(1) == gold).mean())
        self.left_out: dict[str, str] = {}

    def run(self, title: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Do every unit that is not there yet; return what was tried and what was said."""
        tried, said = [], []
        total = len(self._places) * sum(self._expected(name) for name in self._names)
        title = f"triggers {title}"
        with tqdm(desc=title, unit="trigger", total=total, mininterval=0.5) as bar:
            for number, name in enumerate(self._names):
                for place in self._places:
                    attack = Attack(
                        self._victim, self._names, self._gold, self._plain, self._choosing,
                        number, place, self._step,
                    )  # fmt: skip
                    stem = f"{number:03d}-{place.position}-{place.part}"
                    here = _together(list(self._tried(attack, name, number, stem, bar)), TRIED)
                    tried.append(here)
                    chosen = tables.choose(here)
                    said.append(self._unit(f"{stem}-said", lambda a=attack, c=chosen: a.say(c)))
            bar.total = bar.n  # HotFlip stops when it stops
        return _together(tried, TRIED), _together(said, SAID)

    def _unit(self, name: str, make: Callable[[], pd.DataFrame], bar: Any = None) -> pd.DataFrame:
        """Return what an earlier run left of a unit, or do it now."""
        file = self._out / f"{name}.parquet"
        if file.exists():
            frame = read_frame(file)
            if bar is not None:
                bar.update(len(frame))
            return frame
        write_frame(file, make())
        return read_frame(file)

    def _expected(self, name: str) -> int:
        """Return about how many triggers are tried towards a class at a place."""
        step = self._step
        own = sum(n_triggers(group, step) for group in self._groups if group.towards == name)
        per_method = own or LEAST * step.draws
        baselines = sum(method in step.methods for method in BASELINES)
        found = own * ("concept" in step.methods) + per_method * baselines
        one_round = step.hotflip_candidates * (1 + step.beam * (step.n_words - 1))
        return found + max(own, one_round) * ("hotflip" in step.methods)

    def _tried(
        self, attack: Attack, name: str, number: int, stem: str, bar: Any
    ) -> Iterator[pd.DataFrame]:
        own = [group for group in self._groups if group.towards == name]
        methods, budget = self._step.methods, 0
        if "concept" in methods:
            for layer in sorted({group.layer for group in own}):
                there = [group for group in own if group.layer == layer]
                frame = self._unit(
                    f"{stem}-concept-{layer:03d}",
                    lambda groups=there: attack.try_groups("concept", groups, bar),
                    bar,
                )
                budget += len(frame)
                yield frame
            if not own:
                self.left_out[f"concept {name}"] = "no concept is polarised towards it"
        for method in BASELINES:
            if method not in methods:
                continue
            groups = self._baseline(method, name, number, own)
            if not groups:
                self.left_out[f"{method} {name}"] = "there are no such words"
                continue
            yield self._unit(
                f"{stem}-{method}",
                lambda method=method, groups=groups: attack.try_groups(method, groups, bar),
                bar,
            )
        if "hotflip" in methods:
            frame = self._unit(f"{stem}-hotflip", lambda: attack.hotflip(budget, bar), bar)
            if frame.empty:
                self.left_out[f"hotflip {name}"] = "no subword to start from, or no text"
            else:
                yield frame

    def _baseline(self, method: str, name: str, number: int, own: list[Group]) -> list[Group]:
        step, place = self._step, len(BASELINES) * number + BASELINES.index(method)
        if method == "opposite":
            return opposite(name, self._groups, own, step, place)
        if method == "random":
            return mirrored(name, own, self._forms, step, place)
        known = {form.casefold() for form in self._forms}
        listed = self._lexical.get(name, [])
        there = [word for word in listed if word.casefold() in known]
        enough = len(there) >= step.n_words
        return mirrored(name, own, there if enough else listed, step, place, in_order=True)


def _empty(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=columns)


def _together(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    there = [frame for frame in frames if len(frame)]
    return pd.concat(there, ignore_index=True) if there else _empty(columns)
