"""Integrated gradients: exact where they can be known, complete everywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from bag import WEIGHTS, bag_head
from tiny import FAMILIES, save_tiny
from tunescope.errors import InputError
from tunescope.explanations.gradients import attribute, points_and_weights
from tunescope.explanations.inputs import Input, read_text
from tunescope.explanations.words import split_text
from tunescope.models.encoding import encode
from tunescope.models.heads import Head, load_head

TEXTS = ("The quick  brown fox, (extraordinarily) naïve!", ("don't stop", "she said so."))


@cache
def head_of(family: str) -> Head:
    folder = Path(mkdtemp())
    save_tiny(family, folder, head=AutoModelForSequenceClassification)
    head = load_head(folder, device="cpu")
    with torch.no_grad():  # random heads hardly tell texts apart, and pad with zeros
        head.model.get_input_embeddings().weight[head.tokenizer.pad_token_id] = 0.02
        for name, weight in head.model.named_parameters():
            if "norm" not in name.lower() and "embed" not in name.lower():
                weight.mul_(2)
    return head


def given(head: Head, text: object = TEXTS[0], limit: int | None = None) -> Input:
    return read_text(head, split_text(text), limit)  # type: ignore[arg-type]


def test_of_a_linear_model_the_attribution_is_weight_times_input_less_baseline():
    head = bag_head()
    text = given(head, "quick lazy fox dog")
    for options in ({"steps": 2}, {"steps": 7, "rule": "trapezoid"}, {"tolerance": 0.5}):
        found = attribute(head, text, target=1, **options)
        expected = [WEIGHTS[word] - WEIGHTS["[PAD]"] for word in ("quick", "lazy", "fox", "dog")]
        assert found.words == pytest.approx(expected, abs=1e-6)
        assert found.error == pytest.approx(0, abs=1e-5)
    zero = attribute(head, text, target=1, steps=2, baseline="zero")
    assert zero.words == pytest.approx([0.5, 1, 3, -2], abs=1e-6)
    assert zero.text == pytest.approx(2.5 + WEIGHTS["[CLS]"])


def test_subwords_are_summed_to_words():
    head = bag_head()
    text = given(head, "lazydog fox")
    assert [text.text.words[owner] for owner in text.owner if owner >= 0].count("lazydog") > 1
    found = attribute(head, text, target=1, steps=2)
    for word in range(2):
        assert found.words[word] == pytest.approx(found.subwords[text.owner == word].sum())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", TEXTS, ids=("single", "pair"))
def test_subwords_are_those_the_model_predicts_from(family: str, text: object):
    head = head_of(family)
    found = given(head, text)
    [fields] = encode(head.tokenizer, head.model.config, [found.text.parts], 64)
    assert found.fields == fields
    assert found.seen.all()
    tokens = head.tokenizer.convert_ids_to_tokens(found.ids.tolist())
    specials = set(head.tokenizer.all_special_tokens)
    between = {"Ċ", "<0x0A>"}
    for token, owner in zip(tokens, found.owner, strict=True):
        assert owner < 0 if token in specials - {head.tokenizer.unk_token} else True
        assert owner >= 0 or token in specials | between
    inside = found.owner[found.owner >= 0]
    assert (np.diff(inside) >= 0).all()
    assert (np.diff(inside) <= 1).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_attributions_add_up_to_the_difference_of_outputs(family: str):
    head = head_of(family)
    before = {name: weight.requires_grad for name, weight in head.model.named_parameters()}
    for text in TEXTS:
        one = given(head, text)
        found = attribute(head, one, tolerance=0.02, batch_tokens=2048)
        assert found.converged, (found.steps, found.relative_error)
        assert found.relative_error <= 0.02
        assert found.subwords.sum() == pytest.approx(found.text - found.baseline, abs=abs(
            0.02 * np.abs(found.subwords).sum()) + 1e-9)  # fmt: skip
        if not head.model.config.is_encoder_decoder:
            assert (found.subwords[one.owner < 0] == 0).all()
    assert before == {name: weight.requires_grad for name, weight in head.model.named_parameters()}
    assert not any(module._forward_hooks for module in head.model.modules())


@pytest.mark.parametrize("family", ("bert", "albert", "xlnet", "gpt2", "llama", "bart", "t5"))
def test_a_layers_states_have_attributions_too(family: str):
    head = head_of(family)
    one = given(head)
    for layer in (0, 1, 2):
        found = attribute(head, one, layer=layer, tolerance=0.02)
        assert found.relative_error <= 0.02, layer
        whole = attribute(head, one, steps=2)
        if not head.model.config.is_encoder_decoder:  # the decoder's reading is left as it is
            assert found.text == pytest.approx(whole.text, abs=1e-5)
            assert found.baseline == pytest.approx(whole.baseline, abs=1e-5)


def test_agrees_with_a_plain_loop_over_input_embeddings():
    head = head_of("bert")
    one = given(head)
    found = attribute(head, one, target=1, steps=40, output="probability")
    fields = one.tensors(1, "cpu")
    ids = fields.pop("input_ids")
    table = head.model.get_input_embeddings()
    words = torch.from_numpy(one.owner >= 0)
    x = table(ids).detach()
    base = table(torch.where(words, head.tokenizer.pad_token_id, ids)).detach()
    total, n = torch.zeros_like(x), 100
    for k in range(n):
        point = (base + (k + 0.5) / n * (x - base)).requires_grad_()
        p = head.model(inputs_embeds=point, **fields).logits.softmax(1)[0, 1]
        total += torch.autograd.grad(p, point)[0] / n
    expected = ((x - base) * total).sum(-1)[0].numpy()
    assert found.subwords == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_batches_make_no_difference():
    head = head_of("bert")
    one = given(head)
    found = [attribute(head, one, steps=33, batch_tokens=n).words for n in (1, 100, 10**6)]
    assert found[0] == pytest.approx(found[1], rel=1e-4, abs=1e-7)
    assert found[0] == pytest.approx(found[2], rel=1e-4, abs=1e-7)


def test_a_shared_shift_of_all_logits_changes_log_odds_not_at_all():
    head = head_of("bert")
    one = given(head)
    plain = attribute(head, one, target=0, steps=30, output="log_odds").words
    weight = head.model.classifier.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight += torch.linspace(-1, 1, weight.shape[1])
        shifted = attribute(head, one, target=0, steps=30, output="log_odds").words
        logit = attribute(head, one, target=0, steps=30).words
        weight.copy_(kept)
    assert shifted == pytest.approx(plain, rel=1e-3, abs=1e-6)
    assert np.abs(logit - attribute(head, one, target=0, steps=30).words).max() > 1e-4


def test_what_is_cut_off_has_no_attribution():
    head = head_of("bert")
    one = given(head, "The quick brown fox jumps over the lazy dog", 7)
    assert len(one.owner) == 7
    assert one.seen.tolist() == [True] * 5 + [False] * 4
    found = attribute(head, one, steps=8)
    assert (found.words[5:] == 0).all()


def test_rules_are_exact_for_the_polynomials_they_should_be():
    for n in (2, 5, 16):
        x, w = points_and_weights("gauss_legendre", n)
        for degree in (0, 1, 2 * n - 1):
            assert w @ x**degree == pytest.approx(1 / (degree + 1))
        x, w = points_and_weights("trapezoid", n)
        assert w @ x == pytest.approx(0.5)
        assert (x[0], x[-1]) == (0, 1)


def test_without_a_mask_token_mask_is_refused():
    head = head_of("gpt2")
    head.tokenizer.mask_token = None
    with pytest.raises(InputError, match="no mask token"):
        attribute(head, given(head), steps=2, baseline="mask")


def test_a_slow_tokenizer_finds_the_same_owners(monkeypatch: pytest.MonkeyPatch):
    for family in ("bert", "roberta", "gpt2", "deberta-v2"):
        head = head_of(family)
        fast = given(head).owner
        monkeypatch.setattr(type(head.tokenizer), "is_fast", property(lambda _: False))
        assert given(head).owner.tolist() == fast.tolist(), family
        monkeypatch.undo()
