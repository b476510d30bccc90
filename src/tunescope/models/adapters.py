"""LoRA adapters (Hu et al. 2022, arXiv 2106.09685) through PEFT: made, saved, merged.

An adapter made here carries its head, and the configuration of the classifier with the names of the
classes, so that it can be loaded with no more than its base.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig
from transformers.pytorch_utils import Conv1D

from tunescope.errors import InputError, nearest
from tunescope.models.head_weights import head_modules
from tunescope.models.load import dtype_of, options_of, quiet, readable
from tunescope.models.reference import ModelRef
from tunescope.steps import Finetune

PREFIX = "base_model.model."
"""What PEFT puts before the name of a weight."""


def peft() -> Any:
    """Import PEFT.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import peft as library
    except ImportError:
        raise InputError(
            "LoRA adapters need the package peft: pip install 'tunescope[adapters]'"
        ) from None
    return library


def add_adapter(model: Any, step: Finetune) -> Any:
    """Put a LoRA adapter on a classifier; only it and the head can be trained then.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With a new head.
    step : Finetune
        Rank, scale, dropout and the modules that get an adapter.

    Raises
    ------
    InputError
        If PEFT is not installed, or no module has such a name.
    """
    library = peft()
    head = head_modules(model)
    names = [name for name, _ in model.named_modules()]
    for target in step.lora_targets or ():
        if not any(f".{name}".endswith(f".{target}") for name in names):
            known = {name.rpartition(".")[2] for name in _matrices(model, head)}
            raise InputError(f"lora_targets: no module {target!r}; {nearest(target, known)}")
    config = library.LoraConfig(
        task_type="SEQ_CLS",
        r=step.lora_rank,
        lora_alpha=step.lora_alpha,
        lora_dropout=step.lora_dropout,
        target_modules=list(step.lora_targets or _targets(model, head)),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
        modules_to_save=[name.rpartition(".")[2] for name in head],
    )
    with _calm():
        return library.get_peft_model(model, config)


def _targets(model: Any, head: tuple[str, ...]) -> list[str]:
    """Return PEFT's choice for the architecture, or else all matrices of the stack of layers."""
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    if model.config.model_type in KNOWN:
        return list(KNOWN[model.config.model_type])
    return _matrices(model, head)


def _matrices(model: Any, head: tuple[str, ...]) -> list[str]:
    """Return the names of all matrices of the stack of layers."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D))
        and not f"{name}.".startswith(tuple(f"{part}." for part in head))
    ]


def save_adapter(model: Any, folder: Path, base: ModelRef) -> None:
    """Write an adapter with its head, and the configuration of the whole.

    Parameters
    ----------
    model : peft.PeftModel
        Trained.
    folder : Path
        For `adapter_model.safetensors`, `adapter_config.json` and `config.json`.
    base : ModelRef
        What it adapts, by whose place it will be found again.
    """
    config = model.peft_config["default"]
    config.base_model_name_or_path = str(base.folder.resolve()) if base.folder else base.location
    config.revision = base.source.revision
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # an empty form to describe the model with
    model.get_base_model().config.save_pretrained(folder)


def adapter_kind(ref: ModelRef) -> str:
    """Return what an adapter was made for, as PEFT calls it: `SEQ_CLS`, `CAUSAL_LM`, ..."""
    with readable(ref, "adapter"):
        kind = peft().PeftConfig.from_pretrained(ref.location).task_type
    return str(getattr(kind, "value", kind))


def adapter_config(ref: ModelRef) -> Any:
    """Return the configuration of the whole model that an adapter carries; None without one."""
    if (Path(ref.location) / "config.json").exists():
        with readable(ref, "configuration"):
            return AutoConfig.from_pretrained(ref.location)
    return None


def load_adapted(ref: ModelRef, loader: Any, dtype: str) -> tuple[Any, list[str]]:
    """Merge an adapter into its base.

    Parameters
    ----------
    ref : ModelRef
        An adapter.
    loader : class
        One of transformers' auto classes, with the head that is wanted, or without.
    dtype : str
        Format of the weights; `auto` keeps the checkpoint's.

    Returns
    -------
    model : transformers.PreTrainedModel
        As if it had been tuned in full.
    lacking : list of str
        Weights that neither the base nor the adapter has: they were made up.

    Raises
    ------
    InputError
        If it cannot be loaded.
    """
    below = ref.adapter_base
    assert below is not None
    library = peft()
    shapes = _shapes(Path(ref.location))
    options = options_of(below)
    own = adapter_config(ref)
    if own is not None:
        options |= {"num_labels": own.num_labels}
        options |= {"id2label": own.id2label, "label2id": own.label2id}
    elif (size := _head_size(shapes)) is not None:
        options["num_labels"] = size
    # what the base lacks is drawn, and then replaced: the random state is put back
    drawn = torch.random.fork_rng(devices=range(torch.cuda.device_count()))
    with readable(ref, "adapter"), quiet(), _calm(), drawn:
        whole, info = loader.from_pretrained(
            below.location, dtype=dtype_of(dtype), output_loading_info=True, **options
        )
        merged = library.PeftModel.from_pretrained(whole, ref.location).merge_and_unload()
    lacking = sorted(name for name in info["missing_keys"] if PREFIX + name not in shapes)
    return merged, lacking


@contextmanager
def _calm() -> Iterator[None]:
    """Hide warnings that PEFT calls something of transformers which has a new name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an adapter's weights by name."""
    from safetensors import safe_open

    path = folder / "adapter_model.safetensors"
    if not path.exists():
        return {}
    with safe_open(path, "pt") as file:
        return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118


def _head_size(shapes: dict[str, tuple[int, ...]]) -> int | None:
    """Return the number of classes of an adapter with a head but without a configuration."""
    ends = ("classifier.weight", "score.weight", "out_proj.weight")
    return next((shape[0] for key, shape in shapes.items() if key.endswith(ends)), None)
