"""The longest input a model takes."""

from __future__ import annotations

from typing import Any

from tunescope.errors import InputError

NO_LIMIT = 1_000_000
OFFSET_POSITIONS = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm"}
    | {"longformer", "data2vec-text", "xmod", "ibert", "mpnet", "esm"}
)
"""Model types whose position embeddings start behind the padding index."""


def length_limit(tokenizer: Any, config: Any, asked: int | None) -> int:
    """Return the longest input in subwords, special tokens included.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        Its `model_max_length` counts where the model sets no limit of its own.
    config : transformers configuration
        Its position embeddings are the hard limit.
    asked : int or None
        `Extract.max_length`.

    Raises
    ------
    InputError
        If more is asked for than the model has positions.
    """
    positions = getattr(config, "max_position_embeddings", None) or NO_LIMIT
    if getattr(config, "model_type", "") in OFFSET_POSITIONS:
        positions -= 1 + (getattr(config, "pad_token_id", None) or 0)
    hard = positions if positions > 0 else NO_LIMIT
    if asked is not None:
        if asked > hard:
            raise InputError(f"max_length = {asked}, but the model has only {hard} positions")
        return asked
    return min(hard, tokenizer.model_max_length or NO_LIMIT, NO_LIMIT)
