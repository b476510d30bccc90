"""Turn a model reference into a live model and its tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTextEncoding,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from tunescope.errors import InputError, MismatchError
from tunescope.models.reference import ModelRef

UNUSED = ("pooler", "classifier", "score", "lm_head", "position_ids", "summary")
"""Weights outside the stack of layers; a checkpoint may lack them."""

TOKENIZER_FILES = ("tokenizer*", "vocab*", "merges.txt", "*.model", "*.gguf", "*.bpe*")


@dataclass(frozen=True)
class Shape:
    """What makes layers of two models comparable.

    Parameters
    ----------
    n_layers : int
        Layers, the embedding layer included.
    width : int
        Neurons of a layer.
    """

    n_layers: int
    width: int


def load_config(ref: ModelRef) -> PretrainedConfig:
    """Load the configuration; for an adapter, that of the model below it.

    Raises
    ------
    InputError
        If there is none that transformers can read.
    """
    below = ref.adapter_base or ref
    with readable(below, "configuration"):
        return AutoConfig.from_pretrained(below.location, **options_of(below))


def layer_shape(ref: ModelRef, stack: str = "auto") -> Shape:
    """Read the number of layers and their width from the configuration alone."""
    config = load_config(ref)
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    n_layers = getattr(config, "num_hidden_layers", None)
    if config.is_encoder_decoder and stack == "decoder":
        for name in ("num_decoder_layers", "decoder_layers"):
            n_layers = getattr(config, name, None) or n_layers
    width = getattr(config, "hidden_size", None)
    if n_layers is None or width is None:
        raise InputError(f"model {ref.name!r} ({config.model_type}) does not say how many layers")
    return Shape(n_layers + 1, width)


def check_comparable(base: ModelRef, tuned: ModelRef, stack: str = "auto") -> None:
    """Check that layer i of one model is to be compared with layer i of the other.

    Raises
    ------
    MismatchError
        If the models differ in number of layers or in width.
    """
    one, other = layer_shape(base, stack), layer_shape(tuned, stack)
    if one != other:
        raise MismatchError(
            f"models {base.name!r} ({one.n_layers} layers x {one.width}) and {tuned.name!r} "
            f"({other.n_layers} x {other.width}) have no comparable layers: a tuned model must "
            "come from its base model"
        )


def load_tokenizer(ref: ModelRef) -> Any:
    """Load the tokenizer, slow or fast.

    Raises
    ------
    InputError
        If the checkpoint carries none.
    """
    folder = Path(ref.tokenizer)
    if folder.is_dir() and not any(any(folder.glob(name)) for name in TOKENIZER_FILES):
        # transformers would make an empty one, to which every word is unknown
        raise InputError(
            f"model {ref.name!r}: {folder} holds no tokenizer; set tokenizer to the base model's "
            "id or folder"
        )
    options = {key: value for key, value in options_of(ref).items() if key != "gguf_file"}
    if ref.source.gguf_file and ref.tokenizer == ref.location:
        options["gguf_file"] = ref.source.gguf_file
    with readable(ref, "tokenizer", "; set tokenizer to the base model's id or folder"):
        return AutoTokenizer.from_pretrained(ref.tokenizer, **options)


def load_model(ref: ModelRef, device: torch.device, dtype: str = "float32") -> PreTrainedModel:
    """Load the stack of layers without any head, in evaluation mode.

    Parameters
    ----------
    ref : ModelRef
        Which model.
    device : torch.device
        Where to put it.
    dtype : str
        Format of its weights; `auto` keeps the checkpoint's.

    Raises
    ------
    InputError
        If it cannot be loaded, or the checkpoint lacks weights of the layers.
    """
    if ref.source.init == "random":
        model = _drawn(ref)
    elif ref.adapter_base is not None:
        model = _load_adapted(ref, dtype)
    else:
        # a T5 saved without its decoder is loaded without one
        kind = (load_config(ref).architectures or [""])[0]
        loader = AutoModelForTextEncoding if kind.endswith("EncoderModel") else AutoModel
        with readable(ref, "model"), quiet():
            model, info = loader.from_pretrained(
                ref.location, dtype=dtype_of(dtype), output_loading_info=True, **options_of(ref)
            )
        lacking = [key for key in info["missing_keys"] if not any(u in key for u in UNUSED)]
        if lacking:
            raise InputError(
                f"model {ref.name!r}: {ref.location} lacks {len(lacking)} weights of "
                f"{type(model).__name__}, {sorted(lacking)[0]!r} among them; is it a checkpoint "
                "of another architecture, or cut short?"
            )
    if dtype != "auto":
        model = model.to(getattr(torch, dtype))
    return model.to(device).eval()  # type: ignore[arg-type]


def _drawn(ref: ModelRef) -> PreTrainedModel:
    """Draw the stack of layers by the seed of the model's source."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(ref.source.seed)
        trusted = ref.source.trust_remote_code
        return AutoModel.from_config(load_config(ref), trust_remote_code=trusted)


def with_drawn_body(live: Any, ref: ModelRef) -> Any:
    """Give a model with a head the layers that `load_model` draws for the same random model.

    A head changes the order in which weights are drawn; without this, a model tuned from a random
    one would come from other layers than those it is compared with.
    """
    live.base_model.load_state_dict(_drawn(ref).state_dict(), strict=False)
    return live


def load_classifier(ref: ModelRef, classes: tuple[str, ...]) -> PreTrainedModel:
    """Load the model with a new head for sentence classification, or for a number.

    The head is drawn from torch's current random state: fork and seed it first.

    Parameters
    ----------
    ref : ModelRef
        Which model.
    classes : tuple of str
        Their names; without any, the head gives one number.

    Raises
    ------
    InputError
        If it cannot be loaded, or is an adapter.
    """
    if ref.adapter_base is not None:
        raise InputError(f"model {ref.name!r} is an adapter: merge it into its base to tune it on")
    names: dict[str, Any] = {"num_labels": 1, "problem_type": "regression"}
    if classes:
        names = {
            "num_labels": len(classes),
            "problem_type": "single_label_classification",
            "id2label": dict(enumerate(classes)),
            "label2id": {name: number for number, name in enumerate(classes)},
        }
    if ref.source.init == "random":
        config = load_config(ref)
        config.update(names)
        return with_drawn_body(AutoModelForSequenceClassification.from_config(config), ref)
    with readable(ref, "model"), quiet():
        return AutoModelForSequenceClassification.from_pretrained(
            ref.location,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            **names,
            **options_of(ref),
        )


def find_device(device: str) -> torch.device:
    """Return the device; `auto` is the first GPU if there is one.

    Raises
    ------
    InputError
        If torch knows no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {device!r} cannot be used ({reason}); try 'cpu'") from None
    return torch.device(device)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide transformers' loading bars and its notes about heads that are not used."""
    level, bars = (
        transformers_logging.get_verbosity(),
        transformers_logging.is_progress_bar_enabled(),
    )
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()


def _load_adapted(ref: ModelRef, dtype: str) -> Any:
    """Merge a PEFT adapter into its base and return the stack of layers."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    from tunescope.models.adapters import adapter_kind, load_adapted

    loaders = {
        "SEQ_CLS": AutoModelForSequenceClassification,
        "CAUSAL_LM": AutoModelForCausalLM,
        "SEQ_2_SEQ_LM": AutoModelForSeq2SeqLM,
    }
    loader = loaders.get(adapter_kind(ref), AutoModel)
    merged, _ = load_adapted(ref, loader, dtype)
    return merged.base_model if loader is not AutoModel else merged


def dtype_of(name: str) -> Any:
    """Return torch's number format of a name; `auto` stays, for transformers to understand."""
    return name if name == "auto" else getattr(torch, name)


def options_of(ref: ModelRef) -> dict[str, Any]:
    """Return the options with which transformers loads a model, as its source says."""
    source = ref.source
    options: dict[str, Any] = {"trust_remote_code": source.trust_remote_code}
    if source.revision is not None:
        options["revision"] = source.revision
    if source.gguf_file is not None:
        options["gguf_file"] = source.gguf_file
    return options


@contextmanager
def readable(ref: ModelRef, what: str, remedy: str = "") -> Iterator[None]:
    """Turn what goes wrong in loading a model into an InputError.

    Parameters
    ----------
    ref : ModelRef
        Which model.
    what : str
        Which part of it is loaded.
    remedy : str
        What to do about it.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"model {ref.name!r}: no {what} could be loaded from {ref.location}: {reason}{remedy}"
        ) from error
