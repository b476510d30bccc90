"""Where in a model's code each layer's hidden states come about: one row per architecture.

Layer 0 is what enters the first block, layer i what leaves block i, as in transformers'
`hidden_states` and in an activation store. Where a norm follows the last block, the last layer is
what leaves the norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tunescope.errors import InputError


@dataclass(frozen=True)
class Stack:
    """Names of modules, seen from the model without its head.

    Parameters
    ----------
    blocks : str
        The list of blocks.
    embedding : tuple of str
        The last of these that exists gives layer 0; without any, layer 0 is the first block's
        input.
    last : tuple of str
        The last of these that exists gives the last layer; without any, the last block does.
    second : str
        Where it exists, it and not the first block gives layer 1.
    shared : str
        Each entry of `blocks` is a group with this list of blocks, and is run several times.
    sentence_axis : int
        Axis of the sentences in the states as they run through the blocks.
    """

    blocks: str
    embedding: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    second: str = ""
    shared: str = ""
    sentence_axis: int = 0


_BERT = Stack("encoder.layer", ("embeddings",))
_LLAMA = Stack("layers", last=("norm",))
_GPT = Stack("h", ("drop",), ("ln_f",))
_T5 = Stack(
    "block", ("dropout",), ("final_layer_norm",)
)  # whose dropout runs once more, at the end
_DEBERTA = Stack("encoder.layer", ("embeddings",), second="encoder.conv")

STACKS: dict[str, Stack] = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
    "ernie": _BERT,
    "mpnet": _BERT,
    "electra": Stack("encoder.layer", ("embeddings", "embeddings_project")),
    "roberta-prelayernorm": Stack("encoder.layer", ("embeddings",), ("LayerNorm",)),
    "distilbert": Stack("transformer.layer", ("embeddings",)),
    "deberta": _DEBERTA,
    "deberta-v2": _DEBERTA,
    "albert": Stack(
        "encoder.albert_layer_groups",
        ("encoder.embedding_hidden_mapping_in",),
        shared="albert_layers",
    ),
    "modernbert": Stack("layers", ("embeddings",), ("final_norm",)),
    "xlnet": Stack("layer", ("word_embedding",), sentence_axis=1),
    "gpt2": _GPT,
    "gpt_neo": _GPT,
    "gpt_neox": Stack("layers", last=("final_layer_norm",)),
    "bloom": Stack("h", ("word_embeddings_layernorm",), ("ln_f",)),
    "opt": Stack("decoder.layers", last=("decoder.final_layer_norm", "decoder.project_out")),
    "phi": Stack("layers", last=("final_layernorm",)),
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text")
        + ("phi3", "olmo", "olmo2", "granite", "smollm3"),
        _LLAMA,
    ),
    "t5": _T5,
    "mt5": _T5,
    "bart": Stack("layers", ("layernorm_embedding",)),
    "mbart": Stack("layers", ("layernorm_embedding",), ("layer_norm",)),
    "pegasus": Stack("layers", last=("layer_norm",)),
    "marian": Stack("layers"),
}
"""By `config.model_type`. Of an encoder-decoder model, names are seen from one of its stacks."""


@dataclass(frozen=True)
class Site:
    """Where one layer's states can be caught.

    Parameters
    ----------
    module : torch.nn.Module
        Whose input or output they are.
    call : int
        Which of its calls in one forward pass, from 0.
    before : bool
        Whether they are its input.
    """

    module: Any
    call: int = 0
    before: bool = False


@dataclass(frozen=True)
class Sites:
    """All layers of a live model.

    Parameters
    ----------
    body : torch.nn.Module
        What runs once in a forward pass, and all layers in it.
    layers : tuple of Site
        By layer number.
    sentence_axis : int
        As in `Stack`.
    """

    body: Any
    layers: tuple[Site, ...]
    sentence_axis: int


def find_sites(model: Any, stack: Literal["auto", "encoder", "decoder"] = "auto") -> Sites:
    """Find where the hidden states of each layer come about.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With or without a head.
    stack : {"auto", "encoder", "decoder"}
        Whose layers are meant in an encoder-decoder model; `auto` is the encoder.

    Raises
    ------
    InputError
        If nothing is known of the architecture, or the model has no such stack.
    """
    kind = model.config.model_type
    row = STACKS.get(kind)
    if row is None:
        raise InputError(
            f"layers of a {kind!r} model cannot be edited: where its blocks are is not known "
            f"(tunescope/models/stacks.py); known are: {', '.join(sorted(STACKS))}"
        )
    body = model.base_model
    if model.config.is_encoder_decoder:
        body = getattr(body, "encoder" if stack == "auto" else stack, None)
    elif stack != "auto":
        raise InputError(f"stack = {stack!r}, but a {kind!r} model has one stack only")
    blocks = _find(body, row.blocks)
    if blocks is None:
        raise InputError(
            f"{type(model).__name__} has no {row.blocks!r}, where the blocks of a {kind!r} model "
            "are; give a model as transformers loads it"
        )
    called = _call_order(blocks, row, model.config)
    layers = [Site(module, called[:n].count(module)) for n, module in enumerate(called)]
    start = _last_existing(body, row.embedding)
    end, second = _last_existing(body, row.last), _find(body, row.second)
    if second is not None:
        layers[0] = Site(second)
    if end is not None:
        layers[-1] = Site(end)
    first = Site(called[0], before=True) if start is None else Site(start)
    return Sites(body, (first, *layers), row.sentence_axis)


def _call_order(blocks: Any, row: Stack, config: Any) -> list[Any]:
    """Return the blocks in the order they are run, each as often as it is."""
    if not row.shared:
        return list(blocks)
    n = config.num_hidden_layers
    groups = [blocks[int(i / (n / len(blocks)))] for i in range(n)]
    return [block for group in groups for block in getattr(group, row.shared)]


def _find(body: Any, path: str) -> Any:
    for name in path.split(".") if path else [""]:
        body = getattr(body, name, None) if name else None
    return body


def _last_existing(body: Any, paths: tuple[str, ...]) -> Any:
    found = [module for path in paths if (module := _find(body, path)) is not None]
    return found[-1] if found else None
