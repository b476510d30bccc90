"""Models with the head that says something: a masked word, the next word, a sentence's class.

Which of the three a checkpoint can be measured by follows from the head it was saved with. A head
whose weights the checkpoint lacks would be made up anew, and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from tunescope.errors import InputError
from tunescope.models.adapters import adapter_config, adapter_kind, load_adapted
from tunescope.models.load import (
    dtype_of,
    find_device,
    load_config,
    load_tokenizer,
    options_of,
    quiet,
    readable,
    with_drawn_body,
)
from tunescope.models.reference import ModelRef, ModelSource, find_model

Measure = Literal["masked", "next", "task"]

LOADERS: dict[str, Any] = {
    "masked": AutoModelForMaskedLM,
    "next": AutoModelForCausalLM,
    "task": AutoModelForSequenceClassification,
}
WORDS = {"masked": "masked words", "next": "the next word", "task": "a sentence's class"}
"""What each head predicts, for messages."""

SAVED_AS: dict[str, Measure] = {
    "ForSequenceClassification": "task",
    "ForMaskedLM": "masked",
    "WithLMHeadModel": "masked",  # XLM and FlauBERT
    "BertForPreTraining": "masked",
    "AlbertForPreTraining": "masked",
    "ForCausalLM": "next",
    "LMHeadModel": "next",
}
"""Ends of the class names in a checkpoint's `architectures`, the first that fits counts."""

ADAPTED: dict[str, Measure] = {"SEQ_CLS": "task", "CAUSAL_LM": "next"}
"""What PEFT says an adapter is for."""

NOT_WEIGHTS = ("position_ids",)
"""Buffers that older checkpoints hold and newer ones do not."""


@dataclass(frozen=True, eq=False)
class Head:
    """A live model that predicts, and what it predicts.

    Parameters
    ----------
    name : str
        For tables and messages.
    model : transformers.PreTrainedModel
        In evaluation mode.
    tokenizer : transformers tokenizer
        Slow or fast.
    measure : {"masked", "next", "task"}
        What it predicts: a masked word, the next word, a sentence's class.
    classes : tuple of str
        Names of the classes by their number, for a `task`; else empty.
    """

    name: str
    model: Any
    tokenizer: Any
    measure: Measure
    classes: tuple[str, ...] = ()


def find_measure(model: str | Path | ModelSource | ModelRef) -> Measure:
    """Tell from a checkpoint's configuration what its head predicts.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        Which model.

    Raises
    ------
    InputError
        If it was saved without a head, or with one that is not measured here.
    """
    ref = find_model(model)
    if ref.adapter_base is not None:
        return _measure_of_adapter(ref)
    config = load_config(ref)
    saved = (config.architectures or [""])[0] or ""
    kind = config.model_type
    for end, measure in SAVED_AS.items():
        if saved.endswith(end):
            if measure == "task":
                _classes(ref, config)
            return measure
    reads_on = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    both_ways = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES or config.is_encoder_decoder
    bare = not saved or saved.endswith("Model")
    if bare and reads_on and not both_ways and config.tie_word_embeddings:
        return "next"  # the head of such a decoder is its embeddings
    raise InputError(
        f"model {ref.name!r} was saved as {saved or 'a bare model'}, which predicts none of: "
        f"{', '.join(WORDS.values())}; give a checkpoint with such a head (fine-tuning on a task "
        "makes one)"
    )


def load_head(
    model: str | Path | ModelSource | ModelRef,
    *,
    measure: Literal["auto", "masked", "next", "task"] = "auto",
    device: str = "auto",
    dtype: str = "float32",
) -> Head:
    """Load a model with its head.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        Which model.
    measure : {"auto", "masked", "next", "task"}
        Which head; `auto` is the one it was saved with.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    dtype : str
        Format of its weights; `auto` keeps the checkpoint's.

    Raises
    ------
    InputError
        If the checkpoint has no such head, or cannot be loaded.
    """
    ref = find_model(model)
    kind: Measure = find_measure(ref) if measure == "auto" else measure
    live = _load(ref, kind, dtype)
    if dtype != "auto":
        live = live.to(getattr(torch, dtype))
    live = live.to(find_device(device)).eval()
    for switch in ("use_cache", "use_mems_eval"):
        if getattr(live.config, switch, None):
            setattr(live.config, switch, False)
    tokenizer = load_tokenizer(ref)
    classes = ()
    if kind == "task":
        classes = _classes(ref, live.config)
        if tokenizer.pad_token_id is not None:  # by which a decoder finds a sentence's last word
            live.config.pad_token_id = tokenizer.pad_token_id
    elif kind == "masked" and tokenizer.mask_token_id is None:
        raise InputError(f"model {ref.name!r}: its tokenizer has no mask token to hide a word with")
    elif kind == "next":
        _check_reads_on(ref.name, live)
    return Head(ref.name, live, tokenizer, kind, classes)


def _load(ref: ModelRef, kind: Measure, dtype: str) -> Any:
    loader = LOADERS[kind]
    if ref.source.init == "random":
        config = load_config(ref)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(ref.source.seed)
            trusted = ref.source.trust_remote_code
            live = loader.from_config(config, trust_remote_code=trusted)
        return with_drawn_body(live, ref)
    if ref.adapter_base is not None:
        live, missing = load_adapted(ref, loader, dtype)
    else:
        with readable(ref, f"model that predicts {WORDS[kind]}"), quiet():
            live, info = loader.from_pretrained(
                ref.location, dtype=dtype_of(dtype), output_loading_info=True, **options_of(ref)
            )
        missing = info["missing_keys"]
    lacking = sorted(name for name in missing if not name.endswith(NOT_WEIGHTS))
    if lacking:
        raise InputError(
            f"model {ref.name!r} cannot predict {WORDS[kind]}: {ref.location} lacks {len(lacking)} "
            f"weights of {type(live).__name__}, {lacking[0]!r} among them"
        )
    return live


def _measure_of_adapter(ref: ModelRef) -> Measure:
    """Tell from an adapter's own record what the whole predicts."""
    kind = adapter_kind(ref)
    if kind not in ADAPTED:
        raise InputError(
            f"model {ref.name!r} is an adapter for {kind}, which predicts none of: "
            f"{', '.join(WORDS.values())}"
        )
    config = adapter_config(ref)
    if ADAPTED[kind] == "task" and config is not None:
        _classes(ref, config)
    return ADAPTED[kind]


@torch.inference_mode()
def _check_reads_on(name: str, model: Any) -> None:
    """Refuse a model whose prediction at a position has seen the words behind it."""
    ids = torch.arange(4, device=model.device).repeat(2, 1) + 1
    ids[1, -1] = 0
    first, other = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, 0]
    if not torch.allclose(first, other, rtol=1e-5, atol=1e-6):
        raise InputError(
            f"model {name!r} sees the words behind the one it is to predict: the next word can be "
            "measured for models that read from left to right only"
        )


def _classes(ref: ModelRef, config: Any) -> tuple[str, ...]:
    if config.num_labels < 2:
        raise InputError(f"model {ref.name!r} gives a number and no class: give a classifier")
    return tuple(str(config.id2label[n]) for n in range(config.num_labels))
