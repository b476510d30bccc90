"""Edited layers are those of `hidden_states`: edits show there, and act on what follows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as hf

import tunescope as ts
from tiny import FAMILIES, SENTENCES, SMALL, save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.models.hooks import Edit, editing
from tunescope.models.stacks import STACKS, find_sites

VOCABULARY = {"vocab_size": 120, "pad_token_id": 1}
DEEP = {**SMALL, **VOCABULARY, "num_hidden_layers": 3}
OWN_NAMES = ("xlnet", "gpt_neo")  # all their sizes are in OWN
RELATIVE = dict(relative_attention=True, pos_att_type=["p2c", "c2p"])
ENCODER_DECODER = dict(
    vocab_size=120, d_model=32, encoder_layers=3, decoder_layers=2, encoder_attention_heads=2,
    decoder_attention_heads=2, encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=64,
    pad_token_id=1, decoder_start_token_id=2,
)  # fmt: skip
OWN = {  # settings of architectures that name things in their own way
    "electra": dict(embedding_size=16),
    "albert": dict(embedding_size=16),
    "distilbert": dict(dim=32, n_layers=3, n_heads=2, hidden_dim=48),
    "deberta": RELATIVE,
    "deberta-v2": RELATIVE,
    "xlnet": dict(d_model=32, n_layer=3, n_head=2, d_inner=48),
    "gpt2": dict(n_embd=32, n_layer=3, n_head=2),
    "gpt_neo": dict(
        hidden_size=32, num_layers=4, num_heads=2, attention_types=[[["global", "local"], 2]]
    ),
    "bloom": dict(n_layer=3, n_head=2),
    "opt": dict(ffn_dim=48, word_embed_proj_dim=32),
    "gemma": dict(num_key_value_heads=1, head_dim=16),
    "gemma2": dict(num_key_value_heads=1, head_dim=16),
    "gemma3_text": dict(num_key_value_heads=1, head_dim=16),
    "qwen3": dict(num_key_value_heads=1, head_dim=16),
    "t5": dict(d_model=32, num_layers=3, num_heads=2, d_ff=48, d_kv=16),
    "mt5": dict(d_model=32, num_layers=3, num_heads=2, d_ff=48, d_kv=16),
    **{name: dict(num_key_value_heads=1) for name in ("mistral", "qwen2", "smollm3")},
    **dict.fromkeys(("bart", "mbart", "pegasus", "marian"), ENCODER_DECODER),
}
VARIANTS = {
    "deberta-v2 with a convolution": ("deberta-v2", {**RELATIVE, "conv_kernel_size": 3}),
    "albert in two groups": ("albert", dict(embedding_size=16, num_hidden_groups=2)),
    "electra as wide as its embeddings": ("electra", dict(embedding_size=32)),
    "opt without a last norm": ("opt", {**OWN["opt"], "do_layer_norm_before": False}),
}  # fmt: skip


def tiny(kind: str, settings: dict, head=hf.AutoModel):
    base = VOCABULARY if kind in OWN_NAMES else DEEP
    config = hf.AutoConfig.for_model(kind, **{**base, **settings})
    torch.manual_seed(0)
    return head.from_config(config).eval()


def batch() -> dict[str, torch.Tensor]:
    ids = torch.randint(5, 100, (3, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[2, 6:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def run(model, inputs):
    """All states of the stack that a store holds."""
    with torch.inference_mode():
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        return model(**inputs, output_hidden_states=True).hidden_states


MODELS = {kind: (kind, OWN.get(kind, {})) for kind in STACKS} | VARIANTS


@pytest.mark.parametrize("name", MODELS)
def test_a_neuron_set_to_zero_is_zero_there_and_changes_only_what_follows(name):
    model, inputs = tiny(*MODELS[name]), batch()
    plain = run(model, inputs)
    assert len(find_sites(model).layers) == len(plain)
    for layer in range(len(plain)):
        with editing(model, [Edit(layer, [3, 7])]):
            edited = run(model, inputs)
        for below in range(layer):
            assert torch.equal(edited[below], plain[below])
        assert (edited[layer][..., [3, 7]] == 0).all()
        rest = [j for j in range(32) if j not in (3, 7)]
        assert torch.equal(edited[layer][..., rest], plain[layer][..., rest])
        for above in range(layer + 1, len(plain)):
            assert (edited[above] - plain[above]).abs().max() > 1e-7
    again = run(model, inputs)
    assert all(torch.equal(a, b) for a, b in zip(again, plain, strict=True)), "hooks are left"


@pytest.mark.parametrize("name", MODELS)
def test_an_edit_that_changes_nothing_changes_no_bit(name):
    model, inputs = tiny(*MODELS[name]), batch()
    plain = run(model, inputs)
    for edits in ([], [Edit(layer, range(32), 1.0, 0.0) for layer in range(len(plain))]):
        with editing(model, edits):
            same = run(model, inputs)
        assert all(torch.equal(a, b) for a, b in zip(same, plain, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_are_those_of_the_store(family, tmp_path):
    """Neurons pinned to the value they have in a store: only the pinned word's own value fits."""
    words = SENTENCES[0]
    folder = save_tiny(family, tmp_path / "model")
    store = ts.extract(Corpus.from_sentences([words]), folder, tmp_path / "out", device="cpu")
    model = hf.AutoModel.from_pretrained(folder).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    inputs = dict(tokenizer(" ".join(words), return_tensors="pt"))
    plain = run(model, inputs)
    for layer in store.layers:
        vector = np.asarray(store[layer])[4]
        at = int((plain[layer][0] - torch.from_numpy(vector)).abs().sum(-1).argmin())
        with editing(model, [Edit(layer, range(32), 0.0, vector)]) as editor:
            editor.where = torch.arange(plain[0].shape[1])[None] == at
            pinned = run(model, inputs)
        for one, other in zip(pinned, plain, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_a_decoder_is_what_a_hand_written_run_makes_of_edited_states():
    model, inputs = tiny("gpt2", OWN["gpt2"], hf.AutoModelForCausalLM), batch()
    body, scale, shift = model.transformer, torch.tensor([2.0, 0.0]), torch.tensor([0.5, -1.0])
    with torch.inference_mode():
        mask = torch.ones(9, 9).tril().log()[None, None].expand(2, 1, 9, 9)
        states = body.wte(inputs["input_ids"][:2]) + body.wpe(torch.arange(9))
        for n, block in enumerate(body.h):
            if n == 1:  # layer 1 is the output of the first block
                states[..., [4, 9]] = states[..., [4, 9]] * scale + shift
            states = block(states, attention_mask=mask)
            states = states if isinstance(states, torch.Tensor) else states[0]
        expected = model.lm_head(body.ln_f(states))
        with editing(model, [Edit(1, [4, 9], scale.numpy(), shift.numpy())]):
            found = model(inputs["input_ids"][:2]).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_last_layer_is_what_the_head_reads():
    for kind, head in (("llama", "lm_head"), ("distilbert", None), ("bert", None)):
        loader = hf.AutoModelForCausalLM if head else hf.AutoModelForSequenceClassification
        model = tiny(kind, OWN.get(kind, {}), loader)
        with torch.inference_mode(), editing(model, [Edit(3, range(32), 0.0, 1.0)]):
            logits = model(**batch()).logits
        assert (logits - logits[:1]).abs().max() < 1e-6, "the head saw something else"


@pytest.mark.parametrize("kind", ["bert", "xlnet", "llama"])
def test_edits_can_be_kept_to_some_positions(kind):
    model, inputs = tiny(kind, OWN.get(kind, {})), batch()
    plain = run(model, inputs)
    where = torch.zeros(3, 9, dtype=torch.bool)
    where[1, 4] = where[0, 2] = True
    with editing(model, [Edit(1, [5], 1.0, 3.0)]) as editor:
        editor.where = where
        edited = run(model, inputs)
    expected = plain[1].clone()
    expected[..., 5] += 3.0 * where
    torch.testing.assert_close(edited[1], expected, atol=0, rtol=0)
    assert torch.equal(edited[2][2], plain[2][2]), "a sentence without edits has changed"
    if kind == "llama":
        assert torch.equal(edited[2][1, :4], plain[2][1, :4]), "an edit acts on words before it"


def test_edits_of_one_layer_are_applied_in_order():
    model, inputs = tiny("bert", {}), batch()
    plain = run(model, inputs)
    with editing(model, [Edit(1, [2], 1.0, 1.0), Edit(1, [2, 3], 2.0)]):
        edited = run(model, inputs)
    torch.testing.assert_close(edited[1][..., 2], 2 * (plain[1][..., 2] + 1))
    torch.testing.assert_close(edited[1][..., 3], 2 * plain[1][..., 3])


def test_a_run_that_failed_does_not_shift_the_layers_of_the_next():
    """ALBERT's one block runs three times; a pass that dies after one must not count on."""
    model, inputs = tiny("albert", OWN["albert"]), batch()
    block = model.encoder.albert_layer_groups[0].albert_layers[0]
    plain = run(model, inputs)
    with editing(model, [Edit(2, [3])]):
        calls = []

        def die(*_):
            calls.append(1)
            if len(calls) == 2:
                raise RuntimeError("out of memory")

        handle = block.register_forward_pre_hook(die)
        with pytest.raises(RuntimeError):
            run(model, inputs)
        handle.remove()
        edited = run(model, inputs)
    assert torch.equal(edited[1], plain[1])
    assert (edited[2][..., 3] == 0).all()


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_the_decoder_of_an_encoder_decoder_model(kind):
    model, inputs = tiny(kind, OWN[kind]), batch()

    def decode():
        with torch.inference_mode():
            output = model(
                **inputs, decoder_input_ids=inputs["input_ids"], output_hidden_states=True
            )
        return output.encoder_hidden_states, output.decoder_hidden_states

    encoder, decoder = decode()
    for layer in range(len(decoder)):
        with editing(model, [Edit(layer, [3])], "decoder"):
            same, edited = decode()
        assert all(torch.equal(a, b) for a, b in zip(same, encoder, strict=True))
        assert all(torch.equal(edited[n], decoder[n]) for n in range(layer))
        assert (edited[layer][..., 3] == 0).all()


def test_what_does_not_exist_is_said():
    model = tiny("bert", {})
    for edit, said in (
        (Edit(4, [0]), "no layer 4: the model has layers 0 to 3"),
        (Edit(1, [32]), "no neuron 1:32: a layer has neurons 0 to 31"),
        (Edit(1, [0], 1.0, np.nan), "no number"),
    ):
        with pytest.raises(InputError, match=said), editing(model, [edit]):
            pass
    with pytest.raises(InputError, match="one stack only"):
        find_sites(model, "decoder")
    unknown = hf.AutoModel.from_config(
        hf.AutoConfig.for_model("fnet", hidden_size=32, num_hidden_layers=1, vocab_size=50)
    )
    with pytest.raises(InputError, match="'fnet' model cannot be edited.*known are: albert"):
        find_sites(unknown)
