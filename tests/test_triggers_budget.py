"""Every method tries as many different triggers, of words as frequent, and says how many."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planted_classifier import GROUPS, concepts, save_classifier, texts
from tunescope import find_triggers
from tunescope.steps import Triggers
from tunescope.triggers.attack import Attack
from tunescope.triggers.candidates import chunks, n_different, words_of
from tunescope.triggers.groups import GROUPS as COLUMNS
from tunescope.triggers.groups import Group
from tunescope.triggers.mirroring import LEAST, mirrored, opposite

WORDS = [f"w{n}" for n in range(50)]


def triggers(groups: list[Group], step: Triggers) -> list[str]:
    parts = (chunks(words_of(group.words, step), step.n_words, step.draws) for group in groups)
    return [trigger for part in parts for trigger in part]


def no_word_twice(groups: list[Group]) -> bool:
    return all(len({w.casefold() for w in g.words}) == len(g.words) for g in groups)


def test_a_baseline_mirrors_the_concepts_with_the_words_they_share():
    step = Triggers(n_words=2, draws=2)
    own = [Group("x", 1, 0, tuple("abcdef")), Group("x", 2, 1, ("a", "b", "c"))]
    made = mirrored("x", own, WORDS, step, 0)
    assert [len(group.words) for group in made] == [4, 2]
    assert [group.mirrors for group in made] == [1, 2]
    assert made[0].words[:2] == made[1].words  # as "a" and "b" are in both
    assert len(set(triggers(made, step))) == len(set(triggers(own, step))) == 2
    assert made == mirrored("x", own, WORDS, step, 0)
    assert made != mirrored("x", own, WORDS, step, 1)
    own[1] = Group("x", 2, 1, ("g", "h"))
    in_order = mirrored("x", own, list("pqrstuv"), step, 0, in_order=True)
    assert [word for group in in_order for word in group.words] == list("pqrstu")


@pytest.mark.parametrize("in_order", [True, False])
def test_a_short_list_gives_each_group_all_its_words_once(in_order: bool):
    step = Triggers(n_words=3, draws=3)
    own = [Group("x", 0, n, tuple(f"{n}-{m}" for m in range(9))) for n in range(20)]
    short = ["Good", "good", *"bcdef"]
    made = mirrored("x", own, short, step, 0, in_order=in_order)
    assert no_word_twice(made)
    assert all({w.casefold() for w in group.words} == {"good", *"bcdef"} for group in made)
    six = mirrored("x", [Group("x", 0, n, g.words[:6]) for n, g in enumerate(own)], WORDS[:10],
                   step, 0, in_order=in_order)  # fmt: skip
    assert no_word_twice(six)
    assert [len(group.words) for group in six] == [6] * 20  # redrawn until there are six


def test_one_opposite_concept_does_not_become_copies_of_itself():
    step = Triggers(n_words=2, draws=2)
    own = [Group("x", 1, n, tuple(f"x{n}{m}" for m in range(4))) for n in range(5)]
    other = Group("y", 1, 9, tuple(f"y{m}" for m in range(30)))
    made = opposite("x", [*own, other], own, step, 0)
    assert len(made) == 5
    assert len(set(triggers(made, step))) == len(set(triggers(own, step))) == 10
    words = [word for group in made for word in group.words]
    assert len(set(words)) == 20
    assert set(words[:4]) == set(words_of(other.words, step))  # what its own triggers are made of
    assert set(words) <= set(other.words)
    assert opposite("x", own, own, step, 0) == []


def test_random_words_are_as_frequent_and_never_of_the_concept():
    rng = np.random.default_rng(0)
    counts = Counter({f"w{n}": int(c) for n, c in enumerate(2 ** rng.uniform(0, 6, 600))})
    frequent = [word for word, count in counts.items() if count >= 8][:60]
    own = [Group("x", 0, n, tuple(frequent[6 * n : 6 * n + 6])) for n in range(10)]
    step = Triggers(n_words=3, draws=2)
    made = mirrored("x", own, list(counts), step, 0, counts=counts)
    for group, theirs in zip(own, made, strict=True):
        assert not set(group.words) & set(theirs.words)
        for a, b in zip(group.words, theirs.words, strict=True):
            assert counts[a].bit_length() == counts[b].bit_length()
    several = [Group("x", 0, 0, tuple("abc")), Group("x", 1, 0, tuple("ade"))]
    few = Counter(dict.fromkeys("abcdefgh", 4))
    for seed in range(20):  # "a" is in both, so nothing of either stands for it
        found = mirrored("x", several, list(few), step, seed, counts=few)
        assert found[0].words[0] in "fgh"
        assert not set(found[1].words) & set("ade")


def test_where_a_class_has_no_concepts_words_are_drawn_all_the_same():
    step = Triggers(n_words=2, draws=2)
    made = mirrored("x", [], WORDS, step, 0, counts=Counter(WORDS))
    assert [len(group.words) for group in made] == [4] * LEAST
    assert no_word_twice(made)
    assert len(set(triggers(made, step))) == 2 * LEAST


def test_the_budget_counts_different_triggers():
    step = Triggers(n_words=2, draws=2)
    assert n_different([Group("x", n, 0, tuple("abcd")) for n in range(3)], step) == 2


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    save_classifier(folder / "model")
    concepts(folder)
    rows = [f"{word}\t{name}" for name in ("good", "bad") for word in GROUPS[f"strong {name}"]]
    (folder / "lexicon.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.parametrize(
    ("methods", "polarised", "expected"),
    [
        (("concept", "random", "hotflip"), True, 4),
        (("random", "hotflip"), True, 4),
        (("random", "hotflip"), False, 30),
        (("hotflip",), True, None),
    ],
)
def test_hotflip_has_the_budget_of_the_others(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: Any, polarised: bool,
    expected: int | None,
):  # fmt: skip
    budgets = []

    def hotflip(self, budget, bar):
        budgets.append(budget)
        return self.try_groups("hotflip", [Group(self.names[self.towards], -1, -1, ("film",))], bar)

    monkeypatch.setattr(Attack, "hotflip", hotflip)
    if not polarised:
        none = ([], pd.DataFrame(columns=COLUMNS))
        monkeypatch.setattr("tunescope.triggers.find.polarity_groups", lambda *_: none)
    find_triggers(
        planted / "model", planted / "concepts", texts(), tmp_path / "out", methods=methods,
        device="cpu", resamples=20, n_words=3,
    )  # fmt: skip
    assert budgets == [expected] * 2


def test_the_bar_knows_what_is_to_come(planted: Path, tmp_path: Path, monkeypatch):
    bars = []

    def bar(**options: Any):
        made = SimpleNamespace(n=0, initial=0, first=options["total"], total=options["total"])
        made.update = lambda n=1: setattr(made, "n", made.n + n)
        made.refresh = lambda: None
        bars.append(made)
        return Context(made)

    class Context:
        def __init__(self, made):
            self.made = made

        def __enter__(self):
            return self.made

        def __exit__(self, *_):
            return None

        @staticmethod
        def stop(*_):
            raise KeyboardInterrupt

    monkeypatch.setattr("tunescope.triggers.search.tqdm", bar)
    options = {"device": "cpu", "resamples": 20, "lexicon": planted / "lexicon.tsv"}
    where = planted / "model", planted / "concepts", texts()
    four = ("concept", "random", "opposite", "lexicon")
    for choice in ("frequent", "greedy"):
        made = find_triggers(
            *where, tmp_path / choice, methods=four, choice=choice, positions=("before", "after"),
            **options,
        )  # fmt: skip
        assert bars[-1].first == bars[-1].total == bars[-1].n == len(made.tried)
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr("tunescope.triggers.find._frames", Context.stop)
        find_triggers(*where, tmp_path / "all", **options)
    assert bars[-1].initial == 0 < bars[-1].n
    made = find_triggers(*where, tmp_path / "all", **options)  # the units are there
    assert bars[-1].total == bars[-1].n == len(made.tried)
    assert bars[-1].first > bars[-1].total / 2
    assert bars[-1].initial == bars[-1].n == bars[-2].n
