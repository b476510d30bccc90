"""Texts and pairs of texts as a classifier of any family takes them.

Encoders put a token between the texts of a pair and mark the second where they have segments.
Decoders have neither: the texts of a pair are separated by a line end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunescope.errors import InputError
from tunescope.models.limits import length_limit


def set_padding(tokenizer: Any, model: Any) -> None:
    """Give tokenizer and model the same padding token; decoders often come without one.

    By it, a decoder finds the last token of a text, which its head reads. XLNet's head reads the
    last position, whatever stands there: its texts are padded on the left.

    Raises
    ------
    InputError
        If the tokenizer has no token that could serve.
    """
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token_id is None:
        raise InputError("the tokenizer has no token to pad shorter texts with; set its pad_token")
    model.config.pad_token_id = tokenizer.pad_token_id
    if model.config.model_type == "xlnet":
        tokenizer.padding_side = "left"


def encode(
    tokenizer: Any, config: Any, texts: Sequence[tuple[str, ...]], max_length: int
) -> list[dict[str, list[int]]]:
    """Return the inputs of a model, one dictionary for each text, without padding.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        Slow or fast.
    config : transformers configuration
        Of the model: its number of positions and whether it has segments.
    texts : sequence of tuples of str
        Single texts, or pairs; of a pair, the longer text is cut first.
    max_length : int
        Longest input in subwords, special tokens included; fewer where the model has fewer.
    """
    limit = min(max_length, length_limit(tokenizer, config, None))
    parts = [list(part) for part in zip(*texts, strict=True)]
    if len(parts) == 2 and not _separates(tokenizer):
        parts = [[f"{first}\n{second}" for first, second in texts]]
    segments = _has_segments(config)
    encoded = tokenizer(
        *parts, truncation=True, max_length=limit, return_token_type_ids=segments,
        return_attention_mask=True,
    )  # fmt: skip
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if segments else [])]
    return [{name: encoded[name][row] for name in names} for row in range(len(texts))]


def _separates(tokenizer: Any) -> bool:
    """Whether a pair gets a token that a single text does not."""
    one, two = (tokenizer.num_special_tokens_to_add(pair=pair) for pair in (False, True))
    return two > one


def _has_segments(config: Any) -> bool:
    return config.model_type == "xlnet" or (getattr(config, "type_vocab_size", None) or 0) >= 2
