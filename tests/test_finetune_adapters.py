"""LoRA: only the adapter and the head are trained, and both come back when it is loaded."""

from __future__ import annotations

import builtins
import json
import shutil

import numpy as np
import pytest
import safetensors.torch as st
import torch
import transformers as hf

import tunescope as ts
from test_finetune import FAST, made_corpus, made_numbers, made_pairs, made_task
from tiny import save_tiny
from tunescope.errors import InputError
from tunescope.files import hash_file
from tunescope.models.heads import find_measure, load_head
from tunescope.models.load import load_model
from tunescope.models.predicting import predict
from tunescope.models.reference import ModelSource, find_model

peft = pytest.importorskip("peft", reason="needs the extra tunescope[adapters]")
LORA = {**FAST, "method": "lora", "learning_rate": 1e-2}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_tiny("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="module")
def tuned(bert, tmp_path_factory):
    out = tmp_path_factory.mktemp("lora") / "a"
    return ts.finetune(bert, made_task(), out, checkpoints=(0.1,), **LORA)


def test_learns_and_repeats(bert, tuned, tmp_path):
    assert tuned.dev_score > tuned.manifest.facts["dev_baseline"]
    again = ts.finetune(bert, made_task(), tmp_path / "b", **LORA)
    weights = "adapter_model.safetensors"
    assert hash_file(tuned.path / weights) == hash_file(again.path / weights)
    assert not (tuned.path / "model.safetensors").exists()


def test_an_adapter_comes_back_with_its_head(tuned):
    """Merged, it says of the dev texts what was kept; checkpoints are adapters as well."""
    dev = made_task().held_out(0.1, 0).dev
    assert dev is not None and find_measure(tuned.path) == "task"
    head = load_head(tuned.path, device="cpu")
    assert head.classes == ("bad", "good")
    logits = predict(head.model, head.tokenizer, dev.texts, max_length=16)
    kept = tuned.predictions()[["logit_bad", "logit_good"]].to_numpy()
    np.testing.assert_allclose(logits, kept, atol=1e-5)
    on_the_way = load_head(tuned.checkpoints[0][1], device="cpu")
    early = predict(on_the_way.model, on_the_way.tokenizer, dev.texts, max_length=16)
    assert not np.allclose(early, logits, atol=1e-2)
    other = hf.AutoModelForSequenceClassification.from_pretrained(
        head.model.config._name_or_path, num_labels=2
    )
    adapted = peft.PeftModel.from_pretrained(other, tuned.path).eval()
    theirs = predict(adapted, head.tokenizer, dev.texts, max_length=16)
    np.testing.assert_allclose(theirs, kept, atol=1e-5)


def test_only_the_layers_chosen_differ_from_the_base(bert, tuned, tmp_path):
    before = load_model(find_model(bert), torch.device("cpu")).state_dict()
    after = load_model(find_model(tuned.path), torch.device("cpu")).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {f"encoder.layer.{n}.attention.self.{which}.weight"
                       for n in (0, 1) for which in ("query", "value")} | {
        "pooler.dense.weight", "pooler.dense.bias"}  # fmt: skip
    chosen = ts.finetune(bert, made_task(), tmp_path / "a", **LORA, lora_targets=["key"])
    after = load_model(find_model(chosen.path), torch.device("cpu")).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name for name in changed if "encoder" in name} == {
        f"encoder.layer.{n}.attention.self.key.weight" for n in (0, 1)
    }
    store = ts.extract(made_corpus(4), chosen.path, tmp_path / "store")
    base = ts.extract(made_corpus(4), bert, tmp_path / "base")
    np.testing.assert_array_equal(np.asarray(store[0]), np.asarray(base[0]))
    assert not np.allclose(np.asarray(store[1]), np.asarray(base[1]), atol=1e-3)


FAMILIES = ["albert", "xlnet", "roberta", "distilbert", "deberta-v2", "gpt2", "llama", "t5"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(family, tmp_path):
    """Also those whose head has a module more, and those PEFT has no choice of modules for."""
    folder = save_tiny(family, tmp_path / family)
    tuned = ts.finetune(folder, made_pairs(24), tmp_path / "a", **{**LORA, "epochs": 1})
    dev = made_pairs(24).held_out(0.1, 0).dev
    head = load_head(tuned.path, device="cpu")
    logits = predict(head.model, head.tokenizer, dev.texts, max_length=16)  # type: ignore
    kept = tuned.predictions().iloc[:, 2:].to_numpy()
    np.testing.assert_allclose(logits, kept, atol=1e-5)
    assert ts.extract(made_corpus(4), tuned.path, tmp_path / "store").valid.all()


def test_regression(bert, tmp_path):
    tuned = ts.finetune(bert, made_numbers(), tmp_path / "a", **LORA)
    with pytest.raises(InputError, match="gives a number and no class"):
        find_measure(tuned.path)
    assert tuned.dev_score > 0.5


def test_a_head_that_is_not_in_the_adapter_is_not_made_up(bert, tuned, tmp_path):
    folder = shutil.copytree(tuned.path, tmp_path / "cut")
    path = folder / "adapter_model.safetensors"
    kept = {k: v for k, v in st.load_file(path).items() if "classifier" not in k}
    st.save_file(kept, path, {"format": "pt"})
    with pytest.raises(InputError, match="no adapter could be loaded .*classifier.weight"):
        load_head(folder, device="cpu")
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"task_type": "TOKEN_CLS"}))
    with pytest.raises(InputError, match="adapter for TOKEN_CLS, which predicts none of"):
        find_measure(folder)


def test_errors(bert, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="lora_targets: no module 'qurey'; did you mean 'query'"):
        ts.finetune(bert, made_task(), tmp_path / "a", **LORA, lora_targets=["qurey"])
    control = find_model(ModelSource(str(bert), init="random"))
    with pytest.raises(InputError, match='drawn at random, .* tune it with method = "full"'):
        ts.finetune(control, made_task(), tmp_path / "a", **LORA)
    real = builtins.__import__

    def refuse(name, *rest, **options):
        if name == "peft":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match=r"need the package peft: pip install 'tunescope\[adap"):
        ts.finetune(bert, made_task(), tmp_path / "a", **LORA)
