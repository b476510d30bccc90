"""All units of a search for triggers, each a file, so that a killed run goes on with the next."""

from __future__ import annotations

from collections import Counter
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
from tunescope.triggers.candidates import n_different, n_triggers
from tunescope.triggers.groups import Group
from tunescope.triggers.mirroring import LEAST, mirrored, opposite
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
        self._counts = Counter(words.values("form").tolist())
        self._places = places(step.positions, step.parts, len(victim.texts[0]))
        self._plain = victim.plain()
        self.accuracy = float((self._plain.argmax(1) == gold).mean())
        self.left_out: dict[str, str] = {}
        self._plan = {name: self._planned(number, name) for number, name in enumerate(names)}

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
                    here = _together(list(self._tried(attack, name, stem, bar)), TRIED)
                    tried.append(here)
                    chosen = tables.choose(here)
                    said.append(self._unit(f"{stem}-said", lambda a=attack, c=chosen: a.say(c)))
        return _together(tried, TRIED), _together(said, SAID)

    def _unit(self, name: str, make: Callable[[], pd.DataFrame], bar: Any = None) -> pd.DataFrame:
        """Return what an earlier run left of a unit, or do it now."""
        file = self._out / f"{name}.parquet"
        if file.exists():
            frame = read_frame(file)
            if bar is not None:
                bar.initial += len(frame)  # took no time: does not count for the time that is left
                bar.update(len(frame))
            return frame
        write_frame(file, make())
        return read_frame(file)

    def _planned(self, number: int, name: str) -> dict[str, list[Group]]:
        """Return the groups to try towards a class: of each layer's concepts, of each baseline."""
        methods = self._step.methods
        own = [group for group in self._groups if group.towards == name]
        plan: dict[str, list[Group]] = {}
        if "concept" in methods:
            for group in own:
                plan.setdefault(f"concept-{group.layer:03d}", []).append(group)
            if not own:
                self.left_out[f"concept {name}"] = "no concept is polarised towards it"
        for method in BASELINES:
            if method in methods:
                plan[method] = self._baseline(method, name, number, own)
                if not plan[method]:
                    self.left_out[f"{method} {name}"] = "there are no such words"
        return {unit: groups for unit, groups in plan.items() if groups}

    def _expected(self, name: str) -> int:
        """Return how many triggers are tried towards a class at a place; of HotFlip, about."""
        groups = [group for unit in self._plan[name].values() for group in unit]
        found = sum(n_triggers(group, self._step) for group in groups)
        return found + self._of_hotflip(name) * ("hotflip" in self._step.methods)

    def _of_hotflip(self, name: str) -> int:
        step = self._step
        one_round = step.hotflip_candidates * (1 + step.beam * (step.n_words - 1))
        return max(self._budget(name) or 0, one_round)

    def _budget(self, name: str) -> int | None:
        """Return how many triggers HotFlip may try; None where it is held against nothing."""
        if set(self._step.methods) == {"hotflip"}:
            return None
        own = [group for group in self._groups if group.towards == name]
        return n_different(own, self._step) or LEAST * self._step.draws

    def _tried(self, attack: Attack, name: str, stem: str, bar: Any) -> Iterator[pd.DataFrame]:
        for unit, groups in self._plan[name].items():
            method = unit.partition("-")[0]
            yield self._unit(
                f"{stem}-{unit}",
                lambda method=method, groups=groups: attack.try_groups(method, groups, bar),
                bar,
            )
        if "hotflip" in self._step.methods:
            budget = self._budget(name)
            frame = self._unit(f"{stem}-hotflip", lambda: attack.hotflip(budget, bar), bar)
            bar.total += len(frame) - self._of_hotflip(name)  # it stops when it stops
            bar.refresh()
            if frame.empty:
                self.left_out[f"hotflip {name}"] = "no subword to start from, or no text"
            else:
                yield frame

    def _baseline(self, method: str, name: str, number: int, own: list[Group]) -> list[Group]:
        step, place = self._step, len(BASELINES) * number + BASELINES.index(method)
        if method == "opposite":
            return opposite(name, self._groups, own, step, place)
        if method == "random":
            return mirrored(name, own, list(self._counts), step, place, counts=self._counts)
        known = {form.casefold() for form in self._counts}
        listed = self._lexical.get(name, [])
        there = [word for word in listed if word.casefold() in known]
        enough = len(there) >= step.n_words
        return mirrored(name, own, there if enough else listed, step, place, in_order=True)


def _empty(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=columns)


def _together(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    there = [frame for frame in frames if len(frame)]
    return pd.concat(there, ignore_index=True) if there else _empty(columns)
