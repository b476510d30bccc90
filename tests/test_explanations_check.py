"""Taking salient words out: a model that reads two words only is found to read them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bag import bag_head
from tunescope.errors import InputError
from tunescope.explanations import check
from tunescope.explanations.checked import ExplanationCheck
from tunescope.explanations.deletion import class_probabilities, without_words
from tunescope.explanations.inputs import read_text
from tunescope.explanations.words import split_text

FILLERS = ("the", "over", "said", "ideas", "green", "sleep", "costs", "stop")


@pytest.fixture
def bag(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check, "load_head", lambda *_, **__: bag_head())
    monkeypatch.setattr(check, "find_model", lambda _: SimpleNamespace(name="bag", hash="0"))


def texts(n: int = 40) -> list[list[str]]:
    rng = np.random.default_rng(0)
    made = []
    for number in range(n):
        words = list(rng.choice(FILLERS, 7))
        words[int(rng.integers(7))] = ("fox", "dog")[number % 2]
        made.append([str(word) for word in words])
    return made


@pytest.mark.parametrize("action", ["remove", "mask", "pad"])
def test_words_that_decide_matter_more_than_random_ones(bag, tmp_path: Path, action: str):
    found = check.check_explanations(
        "bag", texts(), tmp_path / "out", action=action, baseline="zero", steps=4, tolerance=None,
        output="log_odds",
    )  # fmt: skip
    effects = found.effects.set_index(["measure", "words"])
    assert found.manifest.facts["n_texts"] == 40
    deleted = effects.loc[("deleted", "difference")]
    assert deleted["drop_low"] > 0.1
    assert deleted["drop_p"] < 0.01
    assert deleted["flips_low"] > 0 or action == "pad"
    kept = effects.loc[("kept", "difference")]
    assert kept["drop_high"] < -0.1
    assert (found.texts["n_salient"] == 1).all()


def test_a_model_that_reads_all_words_alike_gives_no_difference(bag, tmp_path: Path):
    same = [["fox"] * 8 for _ in range(30)]
    found = check.check_explanations(
        "bag", same, tmp_path / "out", baseline="zero", steps=4, tolerance=None, mass=0.4
    )
    gap = found.effects.set_index(["measure", "words"]).loc[("deleted", "difference")]
    assert gap["drop"] == pytest.approx(0, abs=1e-9)
    assert max(abs(gap["drop_low"]), abs(gap["drop_high"])) < 1e-9


def test_probabilities_by_hand():
    head = bag_head()
    given = read_text(head, split_text(["fox", "the", "dog"]))
    no_fox = without_words(head, given, np.array([True, False, False]), "remove")
    assert len(no_fox["input_ids"]) == len(given.owner) - 1
    p = class_probabilities(head, [given.fields, no_fox], 4)[:, 1]
    assert p == pytest.approx([1 / (1 + np.exp(-x)) for x in (1.125, -1.875)])


def test_interrupted_and_whole_runs_end_the_same(bag, tmp_path: Path, monkeypatch):
    options = dict(baseline="zero", steps=4, tolerance=None)
    whole = check.check_explanations("bag", texts(60), tmp_path / "whole", **options)
    write, calls = check.write_frame, []

    def killed(path, frame):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write(path, frame)

    monkeypatch.setattr(check, "write_frame", killed)
    with pytest.raises(KeyboardInterrupt):
        check.check_explanations("bag", texts(60), tmp_path / "parts", **options)
    again = check.check_explanations("bag", texts(60), tmp_path / "parts", **options)
    assert again.effects.equals(whole.effects)
    assert again.texts.equals(whole.texts)
    assert ExplanationCheck.load(tmp_path / "parts").headline() == whole.headline()


def test_texts_without_a_choice_are_refused(bag, tmp_path: Path):
    with pytest.raises(InputError, match="fewer than two texts"):
        check.check_explanations("bag", [["fox"], ["dog"]], tmp_path / "out", baseline="zero")
    with pytest.raises(InputError, match="one text"):
        check.check_explanations("bag", "fox", tmp_path / "other")
