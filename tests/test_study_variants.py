"""Bases x tasks x seeds x checkpoints: which models a study tunes, and what it calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunescope.errors import InputError
from tunescope.study.file import Study

STUDY = """
name = "s"
[models.one]
path = "one"
[models.two]
path = "two"
[models.mine]
base = "one"
path = "mine"
[tasks.rte]
path = "rte.tsv"
[tasks.sst2]
path = "sst2.tsv"
[corpora.c]
path = "c.conllu"
[probe]
"""


def parse(more: str) -> Study:
    return Study.parse(STUDY + more, Path())


def test_every_base_is_tuned_on_every_task():
    study = parse('[finetune]\ntasks = ["rte", "sst2"]\n')
    made = ["one", "one-rte", "one-sst2", "two", "two-rte", "two-sst2", "mine"]
    assert list(study.models) == made
    assert study.pairs == [
        ("one", "one-rte"), ("one", "one-sst2"), ("two", "two-rte"), ("two", "two-sst2"),
        ("one", "mine"),
    ]  # fmt: skip
    assert study.bases == ("one", "two")
    few = parse('[finetune]\nbases = ["two"]\ntasks = ["rte"]\n')
    assert list(few.models) == ["one", "two", "two-rte", "mine"]
    assert list(parse('[finetune]\nbases = ["two"]\n').models)[2:4] == ["two-rte", "two-sst2"]
    assert list(parse("").models) == ["one", "two", "mine"]  # nothing is tuned unasked


def test_seeds_and_checkpoints_are_variants_of_the_tuned_model():
    study = parse(
        '[finetune]\ntasks = ["rte"]\nbases = ["one"]\nseeds = [4, 7]\ncheckpoints = [0.5]\n'
    )
    assert [v.name for v in study.variants] == ["one-rte@0.5", "one-rte.seed7"]
    assert study.finetune_step("one-rte").seed == 4
    assert study.family("one") == ["one", "one-rte", "mine", "one-rte@0.5", "one-rte.seed7"]
    assert study.family("two") == ["two"]
    assert parse("seed = 3\n".join(["", ""])).variants == []


def test_a_study_s_seed_is_that_of_tuning_where_no_other_is_given():
    text = STUDY.replace('name = "s"', 'name = "s"\nseed = 5') + '[finetune]\ntasks = ["rte"]\n'
    study = Study.parse(text, Path())
    assert study.finetune_seeds == (5,) and study.finetune_step("one-rte").seed == 5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[finetune]\ntasks = ["rtee"]', r"\[finetune\] tasks: no task 'rtee'; did you mean 'rte'"),
        ('[finetune]\nbases = ["mine"]', r"\[finetune\] bases: no base 'mine'"),
        ('[finetune]\nseeds = [1, 1]', "seeds = .* must be different whole numbers"),
        ('[finetune]\nseeds = []', "must be different whole numbers"),
        ('[finetune]\nseed = 1\nseeds = [1]', "give seed or seeds, not both"),
        ('[models.one-rte]\npath = "x"\n[finetune]\ntasks = ["rte"]', "makes a model 'one-rte'"),
        (
            '[models.m]\nbase = "one"\ntask = "rte"\nfinetune.seed = 3\n[finetune]\nseeds = [0, 1]',
            "finetune has a seed, and seeds of",
        ),
        ('[prune]\ntasks = ["sst3"]', r"\[prune\] tasks: no task 'sst3'; did you mean 'sst2'"),
        ('[prune]\nbases = ["mine"]', r"\[prune\] bases: no base 'mine'"),
        ('[geometry]\ncorpora = ["d"]', r"\[geometry\] corpora: no corpus 'd'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(more, message):
    with pytest.raises(InputError, match=message):
        parse(more)


def test_geometry_needs_a_pair_and_pruning_a_task():
    alone = '[models.one]\npath = "one"\n[corpora.c]\npath = "c.conllu"\n'
    with pytest.raises(InputError, match=r"\[geometry\] compares a tuned model with its base"):
        Study.parse(f'name = "s"\n{alone}[geometry]\n', Path())
    with pytest.raises(InputError, match=r"\[prune\] needs a task"):
        Study.parse(f'name = "s"\n{alone}[prune]\n', Path())
    only = 'name = "s"\n[models.one]\npath = "one"\n[tasks.rte]\npath = "rte.tsv"\n[prune]\n'
    assert Study.parse(only, Path()).used == ()  # pruning alone needs no words
    with pytest.raises(InputError, match="define a corpus"):
        Study.parse(only + 'drop = ["contribution:1"]\n', Path())
