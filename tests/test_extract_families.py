"""Invariant 2: what is stored equals Hugging Face's own hidden states, for every family."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as hf

import tunescope as ts
from tiny import FAMILIES, SENTENCES, save_tiny
from tunescope.corpus.table import Corpus


def reference(model, tokenizer, words, pooling, pick=lambda output: output.hidden_states):
    """Pool words of one sentence by character offsets of the plain text, one sentence a pass."""
    text = " ".join(words)
    encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    special = tokenizer.get_special_tokens_mask(
        encoded["input_ids"][0].tolist(), already_has_special_tokens=True
    )
    with torch.no_grad():
        layers = pick(model(**encoded, output_hidden_states=True))
    vectors, start = [], 0
    for word in words:
        stop = start + len(word)
        # a bare space before the word (SentencePiece's "\u2581") is the word's first subword
        inside = [
            i for i, (a, b) in enumerate(offsets)
            if not special[i] and b > a and b > start - (b == start) and a < stop
        ]  # fmt: skip
        chosen = {"last": inside[-1:], "first": inside[:1], "mean": inside}[pooling]
        vectors.append([layer[0, chosen].mean(0).numpy() for layer in layers])
        start = stop + 1
    return np.array(vectors)  # (n_words, n_layers, d)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_equals_hidden_states(family, pooling, tmp_path):
    folder = save_tiny(family, tmp_path / "model")
    store = ts.extract(
        Corpus.from_sentences(SENTENCES), folder, tmp_path / "out", pooling=pooling,
        batch_tokens=64, shard_words=20, device="cpu",
    )  # fmt: skip
    model = hf.AutoModel.from_pretrained(folder).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    expected = np.concatenate([reference(model, tokenizer, s, pooling) for s in SENTENCES])
    assert len(store.layers) == expected.shape[1] == 3
    assert store.valid.all()
    for layer in store.layers:
        np.testing.assert_allclose(np.asarray(store[layer]), expected[:, layer], atol=1e-5)


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_decoder_stack(family, tmp_path):
    folder = save_tiny(family, tmp_path / "model")
    store = ts.extract(
        Corpus.from_sentences(SENTENCES), folder, tmp_path / "out", stack="decoder", device="cpu"
    )
    model = hf.AutoModel.from_pretrained(folder).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)

    def decode(**encoded):
        return model(**encoded, decoder_input_ids=encoded["input_ids"])

    expected = np.concatenate(
        [
            reference(decode, tokenizer, s, "last", lambda o: o.decoder_hidden_states)
            for s in SENTENCES
        ]
    )
    for layer in store.layers:
        np.testing.assert_allclose(np.asarray(store[layer]), expected[:, layer], atol=1e-5)


def test_slow_tokenizer(tmp_path):
    """ByT5's tokenizer is slow (no offsets, no word ids): bytes of each word are known anyway."""
    config = hf.T5Config(vocab_size=384, d_model=32, num_layers=2, num_heads=2, d_ff=48, d_kv=16)
    model = hf.T5EncoderModel(config).eval()
    model.save_pretrained(tmp_path / "model")
    hf.ByT5Tokenizer().save_pretrained(tmp_path / "model")
    words = ["Straße", "and", "café"]
    store = ts.extract(Corpus.from_sentences([words]), tmp_path / "model", tmp_path / "out")
    ids = torch.tensor([[b + 3 for b in " ".join(words).encode()] + [1]])
    with torch.no_grad():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
    ends = np.cumsum([len(word.encode()) + 1 for word in words]) - 2
    for layer in store.layers:
        np.testing.assert_allclose(np.asarray(store[layer]), states[layer][0, ends], atol=1e-5)
