"""Dropped blocks: what is left computes what the blocks kept compute one after the other."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
import torch
import transformers as hf
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS,
)

from test_models_hooks import MODELS, batch, run, tiny
from tunescope.errors import InputError
from tunescope.models.pruning import count_layers, drop_layers
from tunescope.models.stacks import STACKS

N = 6
COUNTS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
DEEP = {
    name: (kind, {"num_hidden_layers": N, **settings, **{c: N for c in COUNTS if c in settings}})
    for name, (kind, settings) in MODELS.items()
}
for own in ("xlnet", "gpt_neo"):
    del DEEP[own][1]["num_hidden_layers"]
DEEP["gpt_neo"][1]["attention_types"] = [[["global", "local"], 3]]
DEEP["t5"][1].update(decoder_start_token_id=1)
DEEP["modernbert"][1].update(local_attention=4, global_attn_every_n_layers=2)
for name in ("gemma2", "gemma3_text"):
    DEEP[name] = (name, {**DEEP[name][1], "sliding_window": 3})
DEEP["smollm3"][1].update(use_sliding_window=True, sliding_window=3, no_rope_layer_interval=3)
DEEP["qwen2"][1].update(use_sliding_window=True, sliding_window=3, max_window_layers=3)
GROUPS = "albert in two groups"
SETS = {"top": (4, 5, 6), "bottom": (1, 2, 3), "alternate": (2, 4, 6), "first and fourth": (1, 4)}
LAST = {  # what follows the last block
    "gpt2": "ln_f", "gpt_neo": "ln_f", "bloom": "ln_f", "gpt_neox": "final_layer_norm",
    "phi": "final_layernorm", "opt": "decoder.final_layer_norm", "modernbert": "final_norm",
    "roberta-prelayernorm": "LayerNorm", "t5": "final_layer_norm",
    "mt5": "final_layer_norm", "mbart": "layer_norm", "pegasus": "layer_norm",
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "olmo")
        + ("olmo2", "granite", "smollm3"),
        "norm",
    ),
}  # fmt: skip


def deep(name, head: Any = hf.AutoModel):
    model = tiny(*DEEP[name], head)
    model.config.use_cache = False
    return model


def stack_of(model):
    return model.get_encoder() if model.config.is_encoder_decoder else model.base_model


def by_hand(model, inputs, dropped):
    """States of the full model's blocks, called one after the other, without those dropped.

    Each block is called with the masks, positions and biases that it got in a run of the full
    model.
    """
    kind, body = model.config.model_type, stack_of(model)
    blocks, conv = attrgetter(STACKS[kind].blocks)(body), None
    calls, handles, seen = [], [], []

    def note(module, args, keywords):
        calls.append((module, list(args), dict(keywords)))

    for block in blocks:
        handles.append(block.register_forward_pre_hook(note, with_kwargs=True))
    if getattr(getattr(body, "encoder", None), "conv", None) is not None:
        conv = body.encoder.conv
        handles.append(conv.register_forward_pre_hook(lambda _, args: seen.append(args)))
    run(model, inputs)
    for handle in handles:
        handle.remove()
    assert len(calls) == N
    with torch.inference_mode():
        state = calls[0][1][0] if calls[0][1] else calls[0][2]["hidden_states"]
        states = [state]
        for place, (block, args, keywords) in enumerate(calls):
            if place + 1 in dropped:
                continue
            before = state
            if args:
                state = block(state, *args[1:], **keywords)
            else:
                state = block(**{**keywords, "hidden_states": state})
            state = state if isinstance(state, torch.Tensor) else state[0]
            if conv is not None and place == 0:
                state = conv(before, state, seen[0][2])
            states.append(state)
        last = attrgetter(LAST[kind])(body) if kind in LAST else None
        if last is not None:
            states[-1] = last(states[-1])
    return [s.transpose(0, 1) for s in states] if kind == "xlnet" else states


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("name", DEEP)
def test_states_are_those_of_the_blocks_kept(name, which, tmp_path):
    dropped = SETS[which]
    if (name, which) == (GROUPS, "first and fourth"):
        dropped = (3, 6)
    model, inputs = deep(name), batch()
    plain = run(model, inputs)
    assert count_layers(model) == N
    expected = by_hand(model, inputs, dropped)
    savable = name != "modernbert" or 1 not in dropped
    assert drop_layers(model, dropped, savable=savable) is model
    found = run(model, inputs)
    assert count_layers(model) == model.config.num_hidden_layers == N - len(dropped)
    assert_same(found, expected)
    if which == "top":
        assert all(torch.equal(a, b) for a, b in zip(found[:-1], plain[:3], strict=True))
    else:
        assert (found[-1] - plain[-1]).abs().max() > 1e-4, "nothing was dropped"
    if savable:
        model.save_pretrained(tmp_path)
        again = hf.AutoModel.from_pretrained(tmp_path).eval()
        assert again.num_parameters() == model.num_parameters()
        assert_same(run(again, inputs), found)


@pytest.mark.parametrize("which", ["top", "bottom"])
@pytest.mark.parametrize("name", [n for n, (kind, _) in DEEP.items() if kind in CLASSIFIERS])
def test_with_a_head_it_is_saved_and_loaded(name, which, tmp_path):
    if (name, which) == ("modernbert", "bottom"):
        which = "alternate"
    model, inputs = deep(name, hf.AutoModelForSequenceClassification), batch()
    model.config.pad_token_id = 1
    if model.config.is_encoder_decoder:  # whose heads read the last end of a sentence
        inputs["input_ids"][:, 5] = model.config.eos_token_id
        inputs["input_ids"][:, 6:] = 50
    drop_layers(model, SETS[which])
    with torch.inference_mode():
        logits = model(**inputs).logits
    model.save_pretrained(tmp_path)
    again = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        torch.testing.assert_close(again(**inputs).logits, logits, atol=1e-5, rtol=1e-5)
    bare = hf.AutoModel.from_pretrained(tmp_path).eval()
    assert_same(run(bare, inputs), run(model.base_model, inputs))


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neo", "llama", "qwen3", "opt", "bloom", "gemma2"])
def test_a_pruned_decoder_writes_the_same_text_with_a_cache_as_without(kind):
    model = deep(kind, hf.AutoModelForCausalLM)
    drop_layers(model, (1, 4))
    given = {"input_ids": batch()["input_ids"][:2], "max_new_tokens": 6, "do_sample": False}
    given |= {"eos_token_id": None, "pad_token_id": 1}
    with_cache = model.generate(**given, use_cache=True)
    assert torch.equal(with_cache, model.generate(**given, use_cache=False))


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_the_decoder_of_an_encoder_decoder_model(kind, tmp_path):
    config = {"t5": {"num_decoder_layers": 4}, "bart": {"decoder_layers": 4}}[kind]
    name, settings = DEEP[kind]
    model, inputs = tiny(name, {**settings, **config}), batch()
    inputs["decoder_input_ids"] = inputs["input_ids"]
    assert (count_layers(model), count_layers(model, "decoder")) == (6, 4)

    def decoded(live):
        with torch.inference_mode():
            return live(**inputs, output_hidden_states=True).decoder_hidden_states

    plain = decoded(model)
    drop_layers(model, (3, 4), stack="decoder")
    assert_same(decoded(model)[:-1], plain[:2])
    drop_layers(model, (1,), stack="decoder")
    assert (count_layers(model), count_layers(model, "decoder")) == (6, 1)
    model.save_pretrained(tmp_path)
    assert_same(decoded(hf.AutoModel.from_pretrained(tmp_path).eval()), decoded(model))


def test_albert_runs_fewer_times_whichever_repetitions_are_dropped():
    states = []
    for dropped in ((5, 6), (1, 2), (2, 5)):
        model = deep("albert")
        drop_layers(model, dropped)
        states.append(run(model, batch()))
    assert all(torch.equal(a, b) for one in states[1:] for a, b in zip(one, states[0], strict=True))
    grouped = deep(GROUPS)
    with pytest.raises(InputError, match="2 groups.*2 of group 1, 3 of group 2 runs would be left"):
        drop_layers(grouped, (1,))
    drop_layers(grouped, (1, 2, 3))
    assert grouped.config.num_hidden_groups == 1


def test_what_cannot_be_dropped_is_said():
    model = deep("bert")
    for dropped, said in (
        ((7,), "no block 7 to drop: the model has blocks 1 to 6"),
        ((0,), "no block 0"),
        (range(1, 7), "all 6 blocks would be dropped"),
    ):
        with pytest.raises(InputError, match=said):
            drop_layers(model, dropped)
    assert drop_layers(model, ()) is model and count_layers(model) == N
    with pytest.raises(InputError, match="block 1 of a ModernBERT cannot be dropped"):
        drop_layers(deep("modernbert"), (1, 2))
    scaled = tiny("gpt2", {**DEEP["gpt2"][1], "scale_attn_by_inverse_layer_idx": True})
    with pytest.raises(InputError, match="drop blocks at the top only"):
        drop_layers(scaled, (1,))
    assert count_layers(drop_layers(scaled, (6,))) == 5
    unknown = hf.AutoModel.from_config(
        hf.AutoConfig.for_model("fnet", hidden_size=32, num_hidden_layers=2, vocab_size=50)
    )
    with pytest.raises(InputError, match="where its blocks are is not known"):
        drop_layers(unknown, (1,))
