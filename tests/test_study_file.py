"""The study file: what it says is checked before anything runs, and errors name the key."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

import tunescope
from runs import NEURONS, without
from tunescope.errors import InputError
from tunescope.parameters import make
from tunescope.steps import STEPS, Extract, Finetune
from tunescope.study.file import Study

GOOD = """
name = "good"
seed = 5
[models.base]
path = "bert-base-cased"
[models.tuned]
base = "base"
task = "sst2"
finetune = {epochs = 1}
[models.elsewhere]
base = "base"
path = "some/checkpoint"
[tasks.sst2]
path = {train = "train.tsv", dev = "dev.tsv"}
[corpora.ewt]
path = "ewt.conllu"
[corpora.news]
path = "news.txt"
format = "text"
[finetune]
learning_rate = 1e-4
[probe]
corpora = ["ewt"]
labels = ["upos"]
l1 = 1
[concepts]
n_clusters = 100
seed = 9
[align]
[rank]
corpora = ["ewt"]
labels = ["upos"]
rankings = ["lca", "random"]
grid = [0, 1e-3]
[select]
deltas = [1, 2]
[reduce]
distance = 0.4
[intervene]
sentences = ["news"]
seed = 7
"""


def parse(text: str) -> Study:
    return Study.parse(text, Path("/folder"), "study.toml")


def test_good():
    study = parse(GOOD)
    assert study.pairs == [("base", "tuned"), ("base", "elsewhere")]
    assert study.probed == ("ewt",) and study.clustered == ("ewt", "news")
    assert study.probe is not None and study.probe.l1 == 1.0 and study.probe.seed == 5
    assert study.concepts is not None and study.concepts.seed == 9
    assert study.finetune_step("tuned") == Finetune(epochs=1, learning_rate=1e-4, seed=5)
    assert study.extract == Extract()


def test_good_neurons():
    study = parse(GOOD)
    assert study.ranked == ("ewt",) and study.rank_labels == ("upos",)
    assert study.rank is not None and study.rank.rankings == ["lca", "random"]
    assert study.rank.grid == (0.0, 0.001) and study.rank.seed == 5
    assert study.select is not None and study.select.deltas == (1.0, 2.0)
    assert study.reduce is not None and study.reduce.distance == 0.4
    assert study.intervene is not None and study.intervene.seed == 7
    assert study.intervene_sentences == ("news",)
    everything = parse(GOOD.replace('[rank]\ncorpora = ["ewt"]', "[rank]"))
    assert everything.ranked == ("ewt", "news")
    assert parse(without(GOOD, *NEURONS)).ranked == ()


def test_demo_is_good():
    path = Path(__file__).parents[1] / "studies" / "demo.toml"
    assert Study.load(path).pairs == [("minilm", "sentiment")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[probe]", "[prob]", "unknown key 'prob'; did you mean 'probe'"),
        ("l1 = 1", "los = 1", r"\[probe\]: unknown key 'los'; did you mean 'loss'"),
        ("l1 = 1", "l1 = 'x'", r"\[probe\].* l1 = 'x' must be a number"),
        ("l1 = 1", "l1 = -1", r"\[probe\].*l1 = -1.0 must be at least 0"),
        ("l1 = 1", "l1 = true", "l1 = True must be a number"),
        ("n_clusters = 100", "n_clusters = 1.5", "n_clusters = 1.5 must be a whole number"),
        ("n_clusters = 100", "method = 'wart'", "one of ward.*did you mean 'ward'"),
        ("n_clusters = 100", "corpora = 'ewt'", r"corpora = 'ewt' must be a list of names"),
        ('corpora = ["ewt"]', 'corpora = ["etw"]', "no corpus 'etw'; did you mean 'ewt'"),
        ('base = "base"\ntask', 'base = "bse"\ntask', "no model 'bse'; did you mean 'base'"),
        ('task = "sst2"', 'task = "sst"', "no task 'sst'; did you mean 'sst2'"),
        ('base = "base"\ntask', "task", "task needs base"),
        ('task = "sst2"', 'task = "sst2"\npath = "x"', "give either path or, with base, task"),
        ("{epochs = 1}", "{epoch = 1}", "unknown key 'epoch'; did you mean 'epochs'"),
        ("[corpora.ewt]", '[corpora."e/t"]', "use letters, digits"),
        ('path = "ewt.conllu"', 'pth = "x"', "unknown key 'pth'; did you mean 'path'"),
        ('path = "ewt.conllu"', "", "key 'path' is missing"),
        ('name = "good"', "", 'set name = "..."'),
        ("seed = 5", "seed = -5", "seed = -5 must be a whole number"),
        ("seed = 5", "extract = 3", r"\[extract\] must be a table"),
        ('name = "good"', "name = good", "is not valid TOML.*line 2"),
        ("[rank]", "[rnk]", "unknown key 'rnk'; did you mean 'rank'"),
        ("grid = [", "gird = [", r"\[rank\]: unknown key 'gird'; did you mean 'grid'"),
        ('"random"]', '"randon"]', r"\[rank\].*rankings = .*did you mean 'random'"),
        ("grid = [0,", "grid = [-1,", r"\[rank\].*grid = \(-1.0, 0.001\) must be at least 0"),
        ("grid = [0, 1e-3]", "grid = []", r"\[rank\].*grid is empty"),
        ("grid = [0,", "grid = ['x',", r"\[rank\].*grid = .* must be a list of a number"),
        ("deltas = [1,", "delta = [1,", r"\[select\]: unknown key 'delta'; did you mean 'deltas'"),
        ("distance = 0.4", "distance = 2", r"\[reduce\].*at least 0 and at most 1"),
        ("distance = 0.4", "corpora = ['ewt']", r"\[reduce\]: unknown key 'corpora'"),
        ("deltas = [1, 2]", 'rankings = ["iou"]', r"\[select\] rankings: 'iou' is not made by"),
        ("seed = 7", 'ranking = "linear"', r"\[intervene\] ranking: 'linear' is not made by"),
        ("grid = [0, 1e-3]", "scalings = ['zscored']", r"\[intervene\] scaling: 'raw' is not made"),
        (
            'sentences = ["news"]',
            'sentences = ["new"]',
            r"\[intervene\] sentences: no corpus 'new'; did you mean 'news'",
        ),
        ('sentences = ["news"]', 'sentences = "news"', "must be a list of names"),
        ("sentences =", "sentence =", r"\[intervene\]: unknown key 'sentence'; did you mean"),
    ],
)
def test_errors_name_the_key(old, new, message):
    assert old in GOOD
    with pytest.raises(InputError, match=r"(?s)study.toml.*" + message):
        parse(GOOD.replace(old, new, 1))


def test_nothing_to_do():
    text = '[models.a]\npath="x"\n[corpora.c]\npath="y.conllu"\n'
    with pytest.raises(InputError, match="nothing to do"):
        parse('name = "n"\n' + text)
    with pytest.raises(InputError, match=r"\[align\] needs the table \[concepts\]"):
        parse('name = "n"\n' + text + "[probe]\n[align]\n")
    for table in ("select", "reduce", "intervene"):
        with pytest.raises(InputError, match=rf"\[{table}\] needs the table \[rank\]"):
            parse('name = "n"\n' + text + f"[probe]\n[{table}]\n")
    with pytest.raises(InputError, match="study file nowhere.toml is missing"):
        Study.load("nowhere.toml")


@pytest.mark.parametrize("step", STEPS.values(), ids=str)
def test_every_parameter_is_documented(step):
    """The dataclass is the documentation of flags and keys: no parameter without a text."""
    for field in dataclasses.fields(step):
        name = field.name
        assert f"\n    {name}\n        " in step.__doc__, f"{step.__name__}.{name}"


def test_make_checks_missing_keys():
    with pytest.raises(InputError, match="here: unknown key 'x'"):
        make(Extract, {"x": 1}, "here")


@pytest.mark.parametrize("step", STEPS.values(), ids=str)
def test_help_of_a_step_lists_its_parameters(step):
    """`help(ts.extract)` tells what the signature shows."""
    names = {  # where the function is called otherwise than the step
        "geometry": "compare_geometry",
        "concepts": "discover_concepts",
        "trace": "trace_concepts",
        "stability": "concept_stability",
        "triggers": "find_triggers",
        "name": "name_concepts",
    }
    function = getattr(tunescope, names.get(step.name, step.name))
    text = inspect.getdoc(function)
    for name in inspect.signature(function).parameters:
        assert re.search(rf"^(\w+, )*\*?{name}(, \w+)* : ", text, re.M), name
