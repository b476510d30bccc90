"""Spliced ids are those of the whole text, for tokenizers of every kind; so are the logits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers as hf

from tiny import FAMILIES, SENTENCES, make_tokenizer, save_tiny
from tunescope.errors import InputError
from tunescope.models.heads import Head, load_head
from tunescope.models.predicting import predict
from tunescope.triggers.placing import Place, places
from tunescope.triggers.splicing import Splicer
from tunescope.triggers.victim import Victim

SINGLE = [*((" ".join(words),) for words in SENTENCES), ("  one  ",), ("e\u0301t \u0301x done",)]
PAIRS = [(text[0], SINGLE[-i - 1][0]) for i, text in enumerate(SINGLE)]
PROBES = ("the", "quick", "dog", "lazy", "ideas", "!")
TRIGGERS = ("fox", "lazy dog", "! !", "naïve don't", "\u0301x y", "brown\u00a0fox", "1,000")


@pytest.fixture(scope="module", params=["bert", "roberta", "gpt2", "llama", "xlnet", "t5", "bart"])
def head(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Head:
    folder = tmp_path_factory.mktemp(request.param)
    save_tiny(request.param, folder, head=hf.AutoModelForSequenceClassification)
    return load_head(folder, measure="task", device="cpu")


@pytest.mark.parametrize("texts", [SINGLE, PAIRS], ids=["single", "pairs"])
@pytest.mark.parametrize("position", ["before", "after", "middle"])
def test_the_model_says_what_it_says_of_the_whole_text(head: Head, texts: list, position: Any):
    victim = Victim(head, texts, max_length=60, batch_tokens=200, probes=PROBES)
    rows = np.arange(len(texts))
    for place in places((position,), None, len(texts[0])):
        spliced = 0
        for trigger in TRIGGERS:
            whole = [place.put(text, trigger) for text in texts]
            expected = predict(head.model, head.tokenizer, whole, max_length=60, batch_size=1)
            np.testing.assert_allclose(victim.logits(trigger, rows, place), expected, atol=5e-5)
            splicer = victim.splicer(place)
            for gap, encoding in zip(splicer.gaps, splicer.encode(whole), strict=True):
                if gap is not None and (ids := splicer.ids(trigger)) is not None:
                    spliced += 1
                    full = gap.filled(ids)
                    assert full == encoding or len(full["input_ids"]) > splicer.limit
        assert spliced > len(TRIGGERS)  # or nothing was tested


def test_a_plain_pass_is_prediction(head: Head):
    victim = Victim(head, SINGLE, max_length=60)
    expected = predict(head.model, head.tokenizer, SINGLE, max_length=60, batch_size=1)
    np.testing.assert_allclose(victim.plain(), expected, atol=5e-5)


def test_texts_that_the_tokenizer_would_cut_are_cut(tmp_path: Path):
    save_tiny("bert", tmp_path, head=hf.AutoModelForSequenceClassification)
    head = load_head(tmp_path, measure="task", device="cpu")
    texts = [("fox " * n,) for n in (1, 5, 12, 15, 30)]
    victim = Victim(head, texts, max_length=16, probes=PROBES)
    for position in ("before", "after", "middle"):
        place = Place(position)
        whole = [place.put(text, "lazy dog") for text in texts]
        expected = predict(head.model, head.tokenizer, whole, max_length=16, batch_size=1)
        found = victim.logits("lazy dog", np.arange(len(texts)), place)
        np.testing.assert_allclose(found, expected, atol=5e-5)


def test_a_tokenizer_that_joins_words_is_not_spliced():
    """One whose subwords span blanks gives a text with a trigger other ids than its parts."""
    from tokenizers import Tokenizer, models, trainers

    made = Tokenizer(models.BPE())
    made.train_from_iterator(["a b a b a b c d"] * 9, trainers.BpeTrainer(vocab_size=40))  # type: ignore[arg-type]
    joins = hf.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>")
    config = hf.BertConfig(vocab_size=50, max_position_embeddings=64)
    texts = [("b a",), ("a b c d",), ("d c",), ("b c d",)]
    for position in ("before", "after", "middle"):
        splicer = Splicer(joins, config, texts, Place(position), 40, ["a", "b", "c", "d"])
        for trigger in ("a", "b", "d", "a b", "d c"):
            ids = splicer.ids(trigger)
            whole = splicer.encode_with(range(len(texts)), trigger)
            for gap, encoding in zip(splicer.gaps, whole, strict=True):
                assert ids is None or gap is None or gap.filled(ids) == encoding


@pytest.mark.parametrize(
    ("position", "part", "text", "expected"),
    [
        ("before", "first", ("a b c",), ("T a b c",)),
        ("after", "first", ("a b c",), ("a b c T",)),
        ("middle", "first", ("a b c d",), ("a b T c d",)),
        ("middle", "first", ("a  b  c",), ("a T b  c",)),
        ("middle", "first", ("a",), ("T a",)),
        ("before", "first", ("",), ("T",)),
        ("after", "second", ("a", "b"), ("a", "b T")),
        ("middle", "second", ("a", "b c"), ("a", "b T c")),
    ],
)
def test_where_a_trigger_is_put(position: Any, part: Any, text: Any, expected: Any):
    assert Place(position, part).put(text, "T") == expected


def test_single_texts_have_no_second_part():
    with pytest.raises(InputError, match="no second part"):
        places(("before",), ("second",), 1)
    assert [place.part for place in places(("before",), None, 2)] == ["first", "second"]


def test_every_family_has_been_made():
    assert {"bert", "gpt2", "llama", "xlnet"} <= set(FAMILIES)
    assert make_tokenizer("bytes")("a b")["input_ids"]
