"""Drop blocks of a live model (arXiv 2105.15179, section 4.3; Sajjad et al. 2023).

What is left is an ordinary model of the same architecture with fewer blocks: embeddings, a norm
behind the last block, and a head stay. Its configuration says so, so that it is saved and loaded
like any other. Where an architecture treats its first block in a way of its own:

* T5: the first block holds the position bias that all blocks use; it moves to the first block kept.
* DeBERTa-v2 with a convolution: that runs behind the first block, is part of layer 1, and is
  dropped with it.
* ModernBERT: the first block has no norm before its attention, and others have. Another block in
  its place cannot be written down in a checkpoint.
* GPT-2 with `scale_attn_by_inverse_layer_idx`: a block that changes its place would scale its
  attention in another way once it is loaded.

ALBERT runs one block many times. Dropping repetition i means running one fewer; as all
repetitions are the same block, which of them are dropped makes no difference. With several groups,
each is run as often as it has repetitions left, if a configuration can say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Literal

from tunescope.errors import InputError
from tunescope.models.layer_rules import which_layers
from tunescope.models.stacks import STACKS, find_sites

__all__ = ["count_layers", "drop_layers", "layers_kept", "which_layers"]

StackName = Literal["auto", "encoder", "decoder"]

LISTS = ("layer_types", "mlp_layer_types", "no_rope_layers", "attention_layers")
"""Settings of a configuration with one entry for each block."""

COUNTS = ("n_layer", "n_layers", "num_layers", "num_hidden_layers")
"""Attributes of modules that hold the number of blocks."""

PLACES = ("layer_idx", "layer_id")
"""Attributes of modules that hold a block's place from 0, by which a cache is filled."""


def count_layers(model: Any, stack: StackName = "auto") -> int:
    """Return the number of blocks; for ALBERT, how often its blocks are run.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With or without a head.
    stack : {"auto", "encoder", "decoder"}
        Which stack of an encoder-decoder model; `auto` is the encoder.

    Raises
    ------
    InputError
        If nothing is known of the architecture.
    """
    body, _, blocks = _find_blocks(model, stack)
    shared = STACKS[model.config.model_type].shared
    return body.config.num_hidden_layers if shared else len(blocks)


def drop_layers(
    model: Any, layers: Iterable[int], *, stack: StackName = "auto", savable: bool = True
) -> Any:
    """Drop blocks of a model, in place.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With or without a head.
    layers : iterable of int
        Numbers of the blocks to drop; the first block is 1, as its output is layer 1 of a store.
    stack : {"auto", "encoder", "decoder"}
        Which stack of an encoder-decoder model; `auto` is the encoder.
    savable : bool
        Refuse what an ordinary checkpoint cannot hold. Without it, such a model can be trained and
        run, and must not be saved.

    Returns
    -------
    transformers.PreTrainedModel
        The model given.

    Raises
    ------
    InputError
        If a block is not there, none would be left, nothing is known of the architecture, or the
        result could not be saved or has no meaning (ALBERT with several groups).
    """
    kept = layers_kept(model, layers, stack=stack, savable=savable)
    n = count_layers(model, stack)
    if len(kept) == n:
        return model
    body, parent, blocks = _find_blocks(model, stack)
    row = STACKS[model.config.model_type]
    name = row.blocks.rpartition(".")[2]
    if row.shared:
        groups = _groups_left(kept, n, len(blocks))
        setattr(parent, name, type(blocks)(blocks[g] for g in groups))
        for config in _configs(model, body):
            config.num_hidden_groups = len(groups)
    else:
        _keep_position_bias(blocks, kept)
        if 0 not in kept and row.second:
            _drop_convolution(model, parent, row.second.rpartition(".")[2])
        setattr(parent, name, type(blocks)(blocks[i] for i in kept))
        _renumber(blocks, kept)
    _resize(model, body, parent, n, kept, stack)
    return model


def layers_kept(
    model: Any, layers: Iterable[int], *, stack: StackName = "auto", savable: bool = True
) -> list[int]:
    """Check what `drop_layers` would do, and return the places of the blocks it keeps, from 0.

    Parameters
    ----------
    model, layers, stack, savable
        As in `drop_layers`; the model is not changed.

    Raises
    ------
    InputError
        As `drop_layers`.
    """
    n = count_layers(model, stack)
    dropped = set(layers)
    if unknown := sorted(dropped - set(range(1, n + 1))):
        raise InputError(f"there is no block {unknown[0]} to drop: the model has blocks 1 to {n}")
    if len(dropped) == n:
        raise InputError(f"all {n} blocks would be dropped: keep at least one")
    kept = [i for i in range(n) if i + 1 not in dropped]
    if STACKS[model.config.model_type].shared:
        _groups_left(kept, n, len(_find_blocks(model, stack)[2]))
    elif savable:
        _check_savable(model, kept)
    return kept


def _find_blocks(model: Any, stack: StackName) -> tuple[Any, Any, Any]:
    """Return the body that runs the blocks, the module that holds their list, and the list."""
    body = find_sites(model, stack).body
    path = STACKS[model.config.model_type].blocks
    parent = attrgetter(path.rpartition(".")[0])(body) if "." in path else body
    return body, parent, attrgetter(path)(body)


def _groups_left(kept: list[int], n: int, n_groups: int) -> list[int]:
    """Return the groups of ALBERT that are run at least once, if they share the runs as it does."""
    runs = [int(i / (n / n_groups)) for i in kept]
    groups = sorted(set(runs))
    shared = [groups[int(i / (len(kept) / len(groups)))] for i in range(len(kept))]
    if shared != runs:
        left = ", ".join(f"{runs.count(g)} of group {g + 1}" for g in groups)
        raise InputError(
            f"this ALBERT has {n_groups} groups of blocks that are run equally often; {left} runs "
            "would be left, which no ALBERT does: drop equally many of each group"
        )
    return groups


def _check_savable(model: Any, kept: list[int]) -> None:
    kind, config = model.config.model_type, model.config
    if kind == "modernbert" and kept[0] != 0:
        raise InputError(
            "block 1 of a ModernBERT cannot be dropped from a checkpoint: the first block has no "
            "norm before its attention, so another in its place would be loaded without its own; "
            "keep block 1, or do not keep weights"
        )
    moved = kept != list(range(len(kept)))
    if getattr(config, "scale_attn_by_inverse_layer_idx", False) and moved:
        raise InputError(
            "this model scales the attention of a block by its place "
            "(scale_attn_by_inverse_layer_idx), so a block in another place would be loaded as "
            "another one: drop blocks at the top only, or do not keep weights"
        )


def _keep_position_bias(blocks: Any, kept: list[int]) -> None:
    """Hand T5's position bias, which the first block holds for all, to the first block kept."""
    owner, heir = (
        next((m for m in blocks[i].modules() if hasattr(m, "has_relative_attention_bias")), None)
        for i in (0, kept[0])
    )
    if kept[0] == 0 or owner is None or heir is None or not owner.has_relative_attention_bias:
        return
    heir.relative_attention_bias = owner.relative_attention_bias
    heir.has_relative_attention_bias = True


def _drop_convolution(model: Any, parent: Any, name: str) -> None:
    if getattr(parent, name, None) is not None:
        setattr(parent, name, None)
        model.config.conv_kernel_size = 0


def _renumber(blocks: Any, kept: list[int]) -> None:
    for new, old in enumerate(kept):
        for module in blocks[old].modules():
            for place in PLACES:
                if getattr(module, place, None) == old:
                    setattr(module, place, new)


def _configs(model: Any, body: Any) -> list[Any]:
    """Return the configurations that speak of the stack; those of T5's stacks are copies."""
    found = {id(c): c for c in (model.config, model.base_model.config, body.config)}
    return list(found.values())


def _resize(model: Any, body: Any, parent: Any, n: int, kept: list[int], stack: StackName) -> None:
    """Write the new number of blocks wherever the old one stands."""
    for owner in (body, parent):
        for count in COUNTS:
            if vars(owner).get(count) == n:
                setattr(owner, count, len(kept))
    for config in _configs(model, body):
        if stack == "decoder" and config is not body.config:
            names = [s for s in ("num_decoder_layers", "decoder_layers") if hasattr(config, s)]
        elif stack == "decoder":  # shared by BART's stacks, a copy in T5's
            names = ["decoder_layers"] if hasattr(config, "decoder_layers") else ["num_layers"]
        else:
            names = ["num_hidden_layers"]
            names += [s for s in ("encoder_layers",) if hasattr(config, s)]
        for name in names:
            setattr(config, name, len(kept))
        if stack == "decoder":
            continue
        for name in LISTS:
            entries = getattr(config, name, None)
            if isinstance(entries, list | tuple) and len(entries) >= n:
                setattr(config, name, [entries[i] for i in kept])
        if hasattr(config, "attention_types") and hasattr(config, "attention_layers"):
            config.attention_types = [[list(config.attention_layers), 1]]  # GPT-Neo's short form
