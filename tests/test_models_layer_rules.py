"""Which blocks a rule drops: the examples of Sajjad et al. 2023 for 12 blocks, and errors."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.errors import InputError
from tunescope.models.layer_rules import which_layers
from tunescope.steps.prune import Prune


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("none", ()),
        ("top:4", (9, 10, 11, 12)),
        ("bottom:4", (1, 2, 3, 4)),
        ("alternate:4", (6, 8, 10, 12)),
        ("alternate-even:4", (6, 8, 10, 12)),
        ("alternate-odd:4", (5, 7, 9, 11)),
        ("symmetric:6", (4, 5, 6, 7, 8, 9)),
        ("top:half", (7, 8, 9, 10, 11, 12)),
        ("symmetric:5", (5, 6, 7, 8, 9)),
        ("alternate:half", (2, 4, 6, 8, 10, 12)),
        ("1,3,5", (1, 3, 5)),
        (" 12 , 7 ", (7, 12)),
    ],
)
def test_rules_of_the_paper(rule, dropped):
    assert which_layers(rule, 12) == dropped


def test_an_odd_number_of_blocks():
    assert which_layers("top:half", 5) == (4, 5)
    assert which_layers("alternate:3", 5) == (1, 3, 5)
    assert which_layers("alternate-even:2", 5) == (2, 4)
    assert which_layers("symmetric:3", 5) == (2, 3, 4)


def test_contribution_drops_blocks_that_change_least():
    alike = np.array([0.5, 0.99, 0.9, 0.99, 0.2])
    assert which_layers("contribution:1", 5, alike) == (4,), "the higher of two that are alike"
    assert which_layers("contribution:3", 5, alike) == (2, 3, 4)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("top:12", "at least one block must be kept"),
        ("top", "how many blocks to drop, as in 'top:2'"),
        ("top:0", "how many blocks to drop"),
        ("top:-1", "how many blocks to drop"),
        ("tpo:3", "did you mean 'top'"),
        ("alternate:7", "every other block makes 6 only, not 7"),
        ("13", "there is no block 13"),
        ("0,1", "give each block once, numbered from 1"),
        ("1,1", "give each block once"),
        ("1,,2", "give each block once"),
        ("1,2,3,4,5,6,7,8,9,10,11,12", "keep at least one"),
        ("contribution:2", "needs the similarity"),
        ("", "valid: "),
    ],
)
def test_what_is_no_rule_is_said(rule, said):
    with pytest.raises(InputError, match=said):
        which_layers(rule, 12)


def test_similarities_of_another_model():
    with pytest.raises(InputError, match="activations of this model"):
        which_layers("contribution:2", 12, [0.5] * 6)


def test_half_of_one_block_is_none():
    with pytest.raises(InputError, match="drop at least one"):
        which_layers("top:half", 1)


def test_a_step_checks_its_rules_when_it_is_made():
    assert Prune().drop == ("none", "top:half", "bottom:half")
    with pytest.raises(InputError, match="step 'prune': drop: rule 'tpo:3'"):
        Prune(drop=("none", "tpo:3"))
    with pytest.raises(InputError, match="drop has top:3 more than once"):
        Prune(drop=("top:3", "top:3"))
    with pytest.raises(InputError, match="seeds has 1 more than once"):
        Prune(seeds=(1, 1))
