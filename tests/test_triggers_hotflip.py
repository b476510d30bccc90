"""HotFlip finds what trying everything finds, by the gradient of the loss; its text is real."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from planted_classifier import GROUPS, WORDS, save_classifier, texts
from tiny import SENTENCES, save_tiny
from tunescope.models.heads import load_head
from tunescope.triggers.hotflip import HotFlip
from tunescope.triggers.placing import Place
from tunescope.triggers.victim import Victim, probabilities


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Victim:
    head = load_head(save_classifier(tmp_path_factory.mktemp("planted")), device="cpu")
    return Victim(head, texts(24).texts, probes=WORDS)


def loss_of(victim: Victim, rows: np.ndarray, towards: int, place: Place):
    def loss(trigger: str) -> float:
        found = probabilities(victim.logits(trigger, rows, place))
        return float(-np.log(found[:, towards]).mean())

    return loss


@pytest.mark.parametrize("towards", [0, 1])
@pytest.mark.parametrize("place", [Place("before"), Place("after"), Place("middle")])
def test_with_everything_tried_it_is_brute_force(victim: Victim, towards: int, place: Place):
    rows = np.flatnonzero(victim.plain().argmax(1) != towards)[:6]
    loss = loss_of(victim, rows, towards, place)
    n = len(WORDS)
    search = HotFlip(victim, rows, towards, place)
    tried = list(search.search(loss, n_tokens=2, n_candidates=n, beam=n))
    brute = {" ".join(two): loss(" ".join(two)) for two in product(WORDS, repeat=2)}
    assert min(attempt.loss for attempt in tried) == pytest.approx(min(brute.values()), abs=1e-6)
    assert {attempt.trigger for attempt in tried} == set(brute)  # each once, no special token
    assert len(tried) == len(brute)


@pytest.mark.parametrize("towards", [0, 1])
def test_few_candidates_by_gradient_are_enough_for_planted_words(victim: Victim, towards: int):
    rows = np.flatnonzero(victim.plain().argmax(1) != towards)
    loss = loss_of(victim, rows, towards, Place())
    found = list(HotFlip(victim, rows, towards, Place()).search(loss, n_tokens=1, n_candidates=6))
    best = min(found, key=lambda attempt: attempt.loss)
    assert best.trigger in GROUPS[f"strong {('bad', 'good')[towards]}"]
    assert len(found) < len(WORDS)


def test_the_budget_ends_the_search_but_not_its_first_round(victim: Victim):
    rows = np.flatnonzero(victim.plain().argmax(1) == 0)
    loss = loss_of(victim, rows, 1, Place())
    search = HotFlip(victim, rows, 1, Place())
    found = list(search.search(loss, n_tokens=3, n_candidates=4, budget=1))
    assert 3 * 4 - 3 <= len(found) <= 3 * 4 + 1


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama", "electra"])
def test_the_gradient_is_that_of_the_mean_loss(family: str, tmp_path: Path):
    save_tiny(family, tmp_path, head=hf.AutoModelForSequenceClassification)
    head = load_head(tmp_path, measure="task", device="cpu")
    own = [(" ".join(words),) for words in SENTENCES]
    victim = Victim(head, own, max_length=64, batch_tokens=100, probes=("the", "quick", "dog"))
    place, rows = Place("after"), np.arange(len(own))
    search = HotFlip(victim, rows, 1, place)
    ids = victim.splicer(place).ids("lazy dog")
    assert ids is not None
    found = search.gradient(ids)
    expected = torch.zeros_like(found)
    used = [row for row in rows if victim.splicer(place).gaps[row] is not None]
    for row in used:  # one text at a time, by the embeddings given as input
        gap = victim.splicer(place).gaps[row]
        assert gap is not None
        inputs = {name: torch.tensor([values]) for name, values in gap.filled(ids).items()}
        vectors = head.model.get_input_embeddings()(inputs.pop("input_ids")).detach()
        vectors.requires_grad_()
        logits = head.model(inputs_embeds=vectors, **inputs).logits
        (-logits.log_softmax(-1)[0, 1]).backward()
        expected += vectors.grad[0, gap.cut : gap.cut + len(ids)]  # type: ignore[index]
    torch.testing.assert_close(found, expected / len(used), atol=1e-6, rtol=1e-3)


def test_triggers_are_text_that_is_tokenised_into_them(tmp_path: Path):
    save_tiny("gpt2", tmp_path, seed=5, head=hf.AutoModelForSequenceClassification)
    head = load_head(tmp_path, measure="task", device="cpu")
    own = [(" ".join(words),) for words in SENTENCES]
    victim = Victim(head, own, max_length=64, probes=("the", "quick", "dog", "lazy"))
    place, rows = Place("before"), np.arange(len(own))
    loss = loss_of(victim, rows, 0, place)
    found = list(HotFlip(victim, rows, 0, place).search(loss, n_tokens=2, n_candidates=8))
    special = set(head.tokenizer.all_special_ids)
    assert len(found) > 8
    for attempt in found:
        ids = head.tokenizer(attempt.trigger)["input_ids"]
        assert len(ids) == 2 and not special & set(ids)
