"""The step `prune`: contributions of blocks, scores by rule, tests against the whole model."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import transformers as hf
from sklearn.metrics.pairwise import cosine_similarity

import tunescope as ts
from stores import store_from_arrays
from tiny import FAMILIES, save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_file
from tunescope.pruning.contributions import block_similarities
from tunescope.pruning.result import PrunedScores, unit_folder
from tunescope.pruning.runs import against, over_seeds
from tunescope.report.figures.pruning import pruned_frame, pruned_scores
from tunescope.report.figures.style import specification
from tunescope.steps import Finetune
from tunescope.tasks.data import TaskData
from tunescope.tasks.table import Task

FAST = Finetune(epochs=8, learning_rate=3e-3, batch_size=8, max_length=16)
HASTY = Finetune(epochs=0.3, learning_rate=1e-3, batch_size=8, max_length=16)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    monkey = pytest.MonkeyPatch()
    kind, settings, tokenizer = FAMILIES["bert"]
    monkey.setitem(FAMILIES, "bert", (kind, {**settings, "num_hidden_layers": 4}, tokenizer))
    folder = save_tiny("bert", tmp_path_factory.mktemp("models") / "tiny-bert")
    monkey.undo()
    return folder


def texts(n, seed):
    rng = np.random.default_rng(seed)
    fill = ["The", "quick", "brown", "fox", "jumps", "over", "the", "dog"]
    good = rng.integers(2, size=n).astype(bool)
    made = [
        (" ".join([*rng.choice(fill, 3), "quick" if g else "lazy", *rng.choice(fill[2:5], 2)]),)
        for g in good
    ]
    return tuple(made), good


def made_task(n=64, kind: Any = "classification"):
    data = []
    for size, seed in ((n, 0), (40, 1)):
        said, good = texts(size, seed)
        targets = ["good" if g else "bad" for g in good]
        if kind == "regression":
            noise = np.random.default_rng(seed).normal(size=size)
            targets = [float(g + 0.1 * e) for g, e in zip(good, noise, strict=True)]
        data.append(TaskData(said, tuple(targets)))  # type: ignore[arg-type]
    metric: Any = "accuracy" if kind == "classification" else "pearson"
    return Task("made", kind, metric, *data)


def test_contributions_are_mean_cosines_and_read_no_word_without_activations(tmp_path):
    rng = np.random.default_rng(0)
    corpus = Corpus.from_sentences([["a", "b"], ["c"], ["d", "e", "f"]] * 5)
    layers = [rng.normal(size=(corpus.n_words, 7)) for _ in range(4)]
    layers[2] = layers[1] * 3  # a block that changes lengths alone
    for layer in layers:
        layer[4] = np.nan
    table = block_similarities(store_from_arrays(tmp_path / "store", corpus, layers)).to_pandas()
    valid = np.arange(corpus.n_words) != 4
    expected = [
        cosine_similarity(layers[n][valid], layers[n + 1][valid]).diagonal().mean()
        for n in range(3)
    ]
    np.testing.assert_allclose(table["similarity"], expected, atol=1e-6)
    assert table["similarity"][1] == pytest.approx(1, abs=1e-6)
    assert table["block"].tolist() == [1, 2, 3] and set(table["n_words"]) == {valid.sum()}
    assert ((table["low"] <= table["similarity"]) & (table["similarity"] <= table["high"])).all()


def test_whole_model_is_the_one_that_finetune_makes(bert, tmp_path):
    """`none` is fine-tuning, bit for bit; a model tuned already is taken for it."""
    task = made_task()
    tuned = ts.finetune(bert, task, tmp_path / "tuned", device="cpu", step=FAST)
    scores = ts.prune(
        bert, task, tmp_path / "a", finetune=FAST, device="cpu", drop=("none", "top:3", "1,2")
    )
    pd.testing.assert_frame_equal(scores.predictions("none", 0), tuned.predictions())
    table = scores.table().set_index("rule")
    facts = tuned.manifest.facts
    assert table.loc["none", "score"] == tuned.dev_score
    assert table.loc["none", "baseline"] == facts["dev_baseline"]
    assert tuned.dev_score > facts["dev_baseline"], "nothing was learnt"
    assert table["blocks"].tolist() == [4, 1, 2]
    assert table["dropped"].tolist() == ["", "2,3,4", "1,2"]
    model = hf.AutoModel.from_pretrained(bert)
    block = sum(p.numel() for p in model.encoder.layer[0].parameters())
    left = sum(p.numel() for p in model.parameters())
    left -= sum(p.numel() for p in model.pooler.parameters())
    assert table["parameters"].tolist() == [left, left - 3 * block, left - 2 * block]

    again = ts.prune(
        bert, task, tmp_path / "b", finetune=FAST, device="cpu", drop=("none", "top:3", "1,2"),
        tuned=[tuned],
    )  # fmt: skip
    assert again.manifest.key == scores.manifest.key
    for name in ("scores.parquet", "summary.parquet", "none/seed-0/predictions.parquet"):
        assert hash_file(again.path / name) == hash_file(scores.path / name)


def test_an_interrupted_run_goes_on_with_the_units_it_lacks(bert, tmp_path, monkeypatch):
    from tunescope.pruning import prune as module

    task, options = made_task(), dict(finetune=HASTY, device="cpu", seeds=(0, 1))
    whole = ts.prune(bert, task, tmp_path / "whole", **options)
    train, calls = module.train, []

    def dies(*arguments, **keywords):
        calls.append(keywords["title"])
        if len(calls) == 4:
            raise KeyboardInterrupt
        return train(*arguments, **keywords)

    monkeypatch.setattr(module, "train", dies)
    with pytest.raises(KeyboardInterrupt):
        ts.prune(bert, task, tmp_path / "cut", **options)
    with pytest.raises(InputError):
        PrunedScores.load(tmp_path / "cut")
    cut = ts.prune(bert, task, tmp_path / "cut", **options)
    assert len(calls) == 4 + 3, "finished units were done again"
    for rule in ("none", "top:half", "bottom:half"):
        for seed in (0, 1):
            pd.testing.assert_frame_equal(
                cut.predictions(rule, seed), whole.predictions(rule, seed)
            )
    assert hash_file(cut.path / "summary.parquet") == hash_file(whole.path / "summary.parquet")
    monkeypatch.setattr(module, "train", lambda *a, **k: pytest.fail("ran again"))
    ts.prune(bert, task, tmp_path / "cut", **options)


def test_kept_weights_are_ordinary_checkpoints_that_say_what_was_said(bert, tmp_path):
    scores = ts.prune(
        bert, made_task(), tmp_path / "a", finetune=HASTY, device="cpu", drop=("1,3",),
        keep_weights=True,
    )  # fmt: skip
    folder = scores.unit("1,3", 0) / "model"
    model = hf.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    assert model.config.num_hidden_layers == 2
    said = scores.predictions("1,3", 0)
    task = made_task()
    assert task.dev is not None
    with torch.inference_mode():
        batch = tokenizer([t[0] for t in task.dev.texts], padding=True, return_tensors="pt")
        logits = model(**batch).logits.numpy()
    np.testing.assert_allclose(logits, said[["logit_bad", "logit_good"]], atol=1e-5)
    assert not (scores.path / "none").exists()


def test_contribution_rule_reads_the_store_of_the_base_model(bert, tmp_path):
    task = made_task()
    corpus = Corpus.from_sentences([text[0].split() for text in task.train.texts[:20]])
    store = ts.extract(corpus, bert, tmp_path / "store", device="cpu")
    options = dict(finetune=HASTY, device="cpu", drop=("contribution:2",))
    scores = ts.prune(bert, task, tmp_path / "a", store=store, **options)
    alike = scores.similarities()
    assert alike is not None
    most = alike.sort_values("similarity", ascending=False)["block"][:2]
    assert scores.table()["dropped"].tolist() == [",".join(str(b) for b in sorted(most))]
    assert "p" not in scores.summary() and "best without blocks" in scores.headline()
    with pytest.raises(InputError, match="need activations of the base model"):
        ts.prune(bert, task, tmp_path / "b", **options)
    other = save_tiny("bert", tmp_path / "other", seed=5)
    with pytest.raises(MismatchError, match="holds activations of another model"):
        ts.prune(other, task, tmp_path / "c", store=store, **options)


def test_a_rule_that_cannot_be_done_is_refused_before_anything_is_trained(bert, tmp_path):
    with pytest.raises(InputError, match="rule 'top:4', of 4 blocks: .* must be kept"):
        ts.prune(bert, made_task(), tmp_path / "a", finetune=HASTY, drop=("none", "top:4"))
    assert not list((tmp_path / "a").glob("none*"))


@pytest.mark.parametrize("method", ["frozen", "lora"])
def test_other_ways_of_tuning(bert, tmp_path, method):
    if method == "lora":
        pytest.importorskip("peft")
    recipe = Finetune(epochs=0.3, learning_rate=1e-3, method=method)
    scores = ts.prune(
        bert, made_task(), tmp_path / "a", finetune=recipe, device="cpu", drop=("top:2",),
        keep_weights=True,
    )  # fmt: skip
    model = hf.AutoModelForSequenceClassification.from_pretrained(scores.unit("top:2", 0) / "model")
    assert model.config.num_hidden_layers == 2
    base = hf.AutoModel.from_pretrained(bert).encoder.layer[1].attention.self.query.weight
    same = torch.equal(model.bert.encoder.layer[1].attention.self.query.weight, base)
    assert same == (method == "frozen")


@pytest.mark.parametrize("family", ["gpt2", "albert", "t5"])
def test_other_families_and_regression(family, tmp_path):
    folder = save_tiny(family, tmp_path / family)
    task = made_task(24, "regression")
    scores = ts.prune(folder, task, tmp_path / "a", finetune=HASTY, device="cpu", resamples=50)
    table = scores.summary().set_index("rule")
    assert table["blocks"].tolist() == [2, 1, 1] and set(table["metric"]) == {"pearson"}
    assert table["p_holm"].isna().tolist() == [True, False, False]
    if family == "albert":  # the block is the same one, whichever repetition is dropped
        assert table.loc["top:half", "score"] == table.loc["bottom:half", "score"]
        assert table.loc["top:half", "parameters"] == table.loc["none", "parameters"]


def test_scores_over_seeds_are_means_and_tests_swap_whole_texts():
    rng = np.random.default_rng(0)
    n, names = 200, np.array(["a", "b"])
    targets = names[rng.integers(2, size=n)]
    other = np.where(targets == "a", "b", "a")

    def runs(share):
        return np.stack([np.where(rng.random(n) < share, targets, other) for _ in range(3)])

    good, bad = runs(0.9), runs(0.7)
    options = {"resamples": 500, "confidence": 0.95}
    mean, low, high = over_seeds("accuracy", targets, good, **options)
    assert mean == pytest.approx((good == targets).mean()) and low < mean < high
    found = against("accuracy", targets, good, bad, **options)
    assert found["difference"] == pytest.approx((bad == targets).mean() - (good == targets).mean())
    assert found["difference_low"] < found["difference"] < found["difference_high"]
    assert found["p"] < 0.01
    same = against("accuracy", targets, good, good, **options)
    assert (same["difference"], same["p"]) == (0, 1)
    for metric in ("f1", "matthews"):
        assert against(metric, targets, good, bad, resamples=49, confidence=0.9)["p"] < 0.05
    numbers = rng.normal(size=n)
    near, far = (numbers + s * rng.normal(size=(2, n)) for s in (0.3, 2.0))
    assert against("spearman", numbers, near, far, resamples=49, confidence=0.9)["p"] < 0.05
    # a correlation is blind to the scale of what is said, and so is the test
    scaled = against("pearson", numbers, near, near * 9 + 4, resamples=49, confidence=0.9)
    assert scaled["difference"] == pytest.approx(0) and scaled["p"] == 1


def test_folders_of_rules():
    assert unit_folder("top:half", 3) == "top-half/seed-3"
    assert unit_folder(" 3,1 ", 0) == "layers-1-3/seed-0"


def test_figure_draws_the_numbers_and_hollows_what_is_not_significant():
    summary = pd.DataFrame(
        {
            "task": ["one"] * 3, "metric": ["accuracy"] * 3, "rule": ["none", "top:2", "1,2"],
            "dropped": ["", "3,4", "1,2"], "blocks": [4, 2, 2], "seeds": [1] * 3,
            "score": [0.9, 0.8, 0.7], "low": [0.8, 0.7, 0.6], "high": [1.0, 0.9, 0.8],
            "baseline": [0.5] * 3, "p_holm": [np.nan, 0.3, 0.01],
        }
    )  # fmt: skip
    frame = pruned_frame(summary)
    assert frame["rule"].tolist() == ["whole model", "top:2", "1,2"]
    assert frame["certain"].tolist() == [True, False, True]
    spec = specification(pruned_scores(summary))
    drawn = next(iter(spec["datasets"].values()))
    assert [row["score"] for row in drawn] == [0.9, 0.8, 0.7]
    assert pruned_frame(summary.drop(columns="p_holm"))["certain"].tolist() == [True, False, False]


def test_scores_are_read_without_torch(bert, tmp_path):
    scores = ts.prune(bert, made_task(), tmp_path / "a", finetune=HASTY, device="cpu")
    code = (
        "import sys, tunescope as ts\n"
        f"print(ts.PrunedScores.load({str(scores.path)!r}))\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "top:half" in done.stdout and "baseline" in done.stdout
