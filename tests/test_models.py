"""Finding, loading and comparing models; clear errors when they cannot be used."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import safetensors.torch as st
import torch
import transformers as hf

import tunescope as ts
from tiny import SENTENCES, make_tokenizer, save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.models.heads import load_head
from tunescope.models.load import (
    check_comparable,
    find_device,
    layer_shape,
    load_classifier,
    load_model,
)
from tunescope.models.reference import ModelSource, find_model

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_tiny("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


def test_hash_follows_weights(bert, tmp_path):
    same = shutil.copytree(bert, tmp_path / "same")
    assert find_model(bert).hash == find_model(same).hash
    weights = st.load_file(same / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][5, 5] += 1e-3
    st.save_file(weights, same / "model.safetensors", {"format": "pt"})
    assert find_model(bert).hash != find_model(same).hash


def test_random_initialisation_is_seeded(bert):
    refs = [find_model(ModelSource(str(bert), init="random", seed=s)) for s in (1, 1, 2)]
    one, again, other = (
        load_model(ref, CPU).state_dict()["encoder.layer.0.output.dense.weight"] for ref in refs
    )
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert refs[0].hash == refs[1].hash != refs[2].hash
    state = torch.random.get_rng_state()
    load_model(refs[0], CPU)
    assert torch.equal(state, torch.random.get_rng_state())  # no global random state is touched


def test_display_names(bert, tmp_path):
    folder = shutil.copytree(bert, tmp_path / "bert-sst2" / "checkpoint-500")
    assert find_model(bert).name == "tiny-bert"
    assert find_model(folder).name == "bert-sst2/checkpoint-500"
    assert find_model(bert, name="mine").name == "mine"
    control = ModelSource(str(bert), init="random", seed=4)
    assert find_model(control).name == "tiny-bert (random 4)"


def test_comparable_layers(bert, tmp_path):
    config = hf.BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip
    hf.BertModel(config).save_pretrained(tmp_path / "deeper")
    check_comparable(find_model(bert), find_model(bert))
    with pytest.raises(MismatchError, match=r"3 layers x 32.*4 x 32.*no comparable layers"):
        check_comparable(find_model(bert), find_model(tmp_path / "deeper"))


@pytest.mark.parametrize("family", ["distilbert", "gpt2", "xlnet", "albert", "t5", "bart"])
def test_shape_from_configuration_alone(family, tmp_path):
    shape = layer_shape(find_model(save_tiny(family, tmp_path / "m")))
    assert (shape.n_layers, shape.width) == (3, 32)


def test_incomplete_checkpoint_is_refused(bert, tmp_path):
    """A checkpoint of which layers are missing must not be filled up with random weights."""
    folder = shutil.copytree(bert, tmp_path / "cut")
    weights = st.load_file(folder / "model.safetensors")
    kept = {key: value for key, value in weights.items() if "layer.1" not in key}
    st.save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"lacks 16 weights of BertModel, 'encoder.layer.1"):
        load_model(find_model(folder), CPU)


def test_classifier_checkpoint_gives_its_encoder(bert, tmp_path):
    model = hf.AutoModelForSequenceClassification.from_pretrained(bert, num_labels=5)
    model.save_pretrained(tmp_path / "tuned")
    make_tokenizer("wordpiece", "[CLS] $ [SEP]").save_pretrained(tmp_path / "tuned")
    corpus = Corpus.from_sentences(SENTENCES)
    one = ts.extract(corpus, bert, tmp_path / "a")
    other = ts.extract(corpus, tmp_path / "tuned", tmp_path / "b")
    np.testing.assert_array_equal(np.asarray(one[2]), np.asarray(other[2]))


def test_missing_tokenizer_says_what_to_set(bert, tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(bert / name, folder / name)
    corpus = Corpus.from_sentences(SENTENCES)
    with pytest.raises(InputError, match="holds no tokenizer; set tokenizer to"):
        ts.extract(corpus, folder, tmp_path / "a")
    source = ModelSource(str(folder), tokenizer=str(bert))
    assert ts.extract(corpus, find_model(source), tmp_path / "b").valid.all()


def test_foreign_tokenizer(bert, tmp_path):
    """Ids beyond the embedding matrix are an error, not a crash."""
    save_tiny("gpt2", tmp_path / "gpt2")
    source = ModelSource(str(bert), tokenizer=str(tmp_path / "gpt2"))
    with pytest.raises(InputError, match="subwords beyond the .* embeddings"):
        ts.extract(Corpus.from_sentences(SENTENCES), find_model(source), tmp_path / "a")


def test_adapter(bert, tmp_path):
    """A LoRA adapter is its base with the adapter's update merged in."""
    peft = pytest.importorskip("peft", reason="needs the extra tunescope[adapters]")
    base = hf.AutoModelForSequenceClassification.from_pretrained(bert, num_labels=3)
    config = peft.LoraConfig(
        task_type="SEQ_CLS", r=2, target_modules=["query"], init_lora_weights=False
    )
    adapted = peft.get_peft_model(base, config)
    adapted.save_pretrained(tmp_path / "lora")
    corpus = Corpus.from_sentences(SENTENCES)
    plain = ts.extract(corpus, bert, tmp_path / "a")
    lora = ts.extract(corpus, tmp_path / "lora", tmp_path / "b")
    assert not np.allclose(np.asarray(plain[1]), np.asarray(lora[1]), atol=1e-3)
    tokenizer = make_tokenizer("wordpiece", "[CLS] $ [SEP]")
    encoded = tokenizer(" ".join(SENTENCES[3]), return_tensors="pt")
    with torch.no_grad():
        states = adapted.eval()(**encoded, output_hidden_states=True).hidden_states
    row = int(np.flatnonzero(corpus.words["sentence"].to_numpy() == 3)[0])
    last = encoded["input_ids"].shape[1] - 2
    np.testing.assert_allclose(lora[2][row], states[2][0, last], atol=1e-5)


def test_unknown_adapter_base(bert, tmp_path):
    folder = tmp_path / "lora"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": None}))
    with pytest.raises(InputError, match="set adapter_base"):
        find_model(folder)


def test_hub_id_that_cannot_be_had(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match="'no-such/model' is neither a folder here nor"):
        find_model("no-such/model")


def test_device():
    assert find_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="try 'cpu'"):
        find_device("nonsense")


@pytest.mark.parametrize("family", ["bert", "albert", "gpt2", "xlnet"])
def test_a_random_model_with_a_head_has_the_layers_of_the_one_without(tmp_path, family):
    source = ModelSource(path=str(save_tiny(family, tmp_path / "m")), init="random", seed=3)
    ref = find_model(source)
    body = load_model(ref, torch.device("cpu")).state_dict()
    torch.manual_seed(0)
    heads = [load_classifier(ref, ("a", "b")), load_classifier(ref, ("a", "b"))]
    for live in (*heads, load_head(ref, measure="task", device="cpu").model):
        own = live.base_model.state_dict()
        assert own.keys() & body.keys()
        assert all(torch.equal(own[name], body[name]) for name in own.keys() & body.keys())
    one, other = ({k: v for k, v in h.state_dict().items() if "score" in k or "classifier" in k
                   or "logits_proj" in k} for h in heads)  # fmt: skip
    assert one and any(not torch.equal(one[name], other[name]) for name in one)


def test_weights_that_are_cut_short_are_said_in_a_line(tmp_path):
    folder = save_tiny("bert", tmp_path / "m")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(InputError, match="model 'm': no model could be loaded from"):
        load_model(find_model(folder), torch.device("cpu"))
    with pytest.raises(InputError, match="no model could be loaded from"):
        load_classifier(find_model(folder), ("a", "b"))
