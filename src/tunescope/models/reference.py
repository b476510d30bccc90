"""Which model is meant: an id or a folder, and a hash that changes when its weights do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tunescope.errors import InputError
from tunescope.files import hash_file, hash_json, read_json
from tunescope.paths import resolve_path

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.safetensors.index.json")
DESCRIPTION = ("config.json", "adapter_config.json", "vocab*", "merges.txt", "*.model", "token*")


@dataclass(frozen=True)
class ModelSource:
    """A model as a study file or a command line names it.

    Parameters
    ----------
    path
        Hugging Face id, a folder (a checkpoint or a PEFT adapter), or
        `package:PACKAGE/folder` for one inside an installed Python package.
    base
        Name of the model in this study that this one was, or is to be, tuned from.
    task
        Name of the task in this study to tune it on; instead of `path`.
    finetune
        Parameters of step `finetune` that differ for this model.
    classes
        Of a classifier: what its outputs are called in corpora and tasks, in their order (or a
        table from its own name of a class to that), where the checkpoint calls them otherwise.
    init
        `random` keeps the configuration and draws new weights: a control.
    seed
        Seed of a random initialisation.
    revision
        Branch, tag or commit of a Hugging Face id.
    tokenizer
        Id or folder of the tokenizer, where the checkpoint does not carry one.
    adapter_base
        Id or folder of the model below an adapter, where the adapter's own record is of no use.
    gguf_file
        Name of the weight file in a folder with GGUF weights.
    trust_remote_code
        Allow the checkpoint to run code of its own.
    """

    path: str | None = None
    base: str | None = None
    task: str | None = None
    finetune: dict[str, object] = field(default_factory=dict)
    classes: list[str] | dict[str, str] | None = None
    init: Literal["pretrained", "random"] = "pretrained"
    seed: int = 0
    revision: str | None = None
    tokenizer: str | None = None
    adapter_base: str | None = None
    gguf_file: str | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True)
class ModelRef:
    """A model found on disk or on the hub; never the live model.

    Parameters
    ----------
    name : str
        For tables and pages.
    location : str
        Folder or Hugging Face id.
    hash : str
        SHA-256 over weights, configuration and tokenizer (for an id: over id and commit).
    source : ModelSource
        How it was asked for.
    adapter_base : ModelRef or None
        The model below a PEFT adapter.
    tokenizer : str
        Folder or id the tokenizer is loaded from.
    """

    name: str
    location: str
    hash: str
    source: ModelSource
    tokenizer: str
    adapter_base: ModelRef | None = None

    @property
    def folder(self) -> Path | None:
        """The folder, or None for a Hugging Face id."""
        path = Path(self.location)
        return path if path.is_dir() else None


def find_model(
    model: str | Path | ModelSource | ModelRef,
    *,
    name: str | None = None,
    relative_to: Path | None = None,
) -> ModelRef:
    """Find a model and hash what it is made of.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        Hugging Face id, folder, `package:PACKAGE/folder`, or one of these with options.
    name : str, optional
        For tables and pages; the last part of the path when not given.
    relative_to : Path, optional
        Folder that relative paths start from.

    Raises
    ------
    InputError
        If there is no such folder or id, or the folder holds no model.
    """
    if isinstance(model, ModelRef):
        return model
    source = model if isinstance(model, ModelSource) else ModelSource(path=str(model))
    if source.path is None:
        raise InputError(f"model {name or source!r} has no path: give an id or a folder")
    folder = _folder(source.path, relative_to)
    tokenizer = source.path
    if source.tokenizer is not None:
        tokenizer = str(_folder(source.tokenizer, relative_to) or source.tokenizer)
    elif folder is not None:
        tokenizer = str(folder)
    adapter_base = _adapter_base(source, folder, relative_to)
    if adapter_base is not None and source.tokenizer is None:
        assert folder is not None
        own = (folder / "tokenizer_config.json").exists()
        tokenizer = str(folder) if own else adapter_base.tokenizer
    content = _hash_folder(folder) if folder else _hub_commit(source.path, source.revision)
    parts = [content, source.init, source.seed if source.init == "random" else None]
    parts += [adapter_base.hash if adapter_base else None, source.tokenizer, source.gguf_file]
    location = str(folder) if folder else source.path
    return ModelRef(
        name or _display_name(Path(location), source),
        location,
        hash_json(parts),
        source,
        tokenizer,
        adapter_base,
    )


def _display_name(path: Path, source: ModelSource) -> str:
    """Return the last part of a path, with its parent where that says nothing, and the control."""
    generic = path.name in ("model", "checkpoint", "final", "best") or "checkpoint-" in path.name
    name = f"{path.parent.name}/{path.name}" if generic else path.name
    return f"{name} (random {source.seed})" if source.init == "random" else name


def _folder(path: str, relative_to: Path | None) -> Path | None:
    """Return the folder that `path` names, or None when it must be a Hugging Face id."""
    folder = resolve_path(path, relative_to)
    if folder.is_dir():
        return folder
    looks_local = path.startswith((".", "/", "~", "package:")) or path.count("/") > 1
    if looks_local or folder.exists():
        raise InputError(f"model {path!r}: {folder} is not a folder; give a checkpoint's folder")
    return None


def _adapter_base(
    source: ModelSource, folder: Path | None, relative_to: Path | None
) -> ModelRef | None:
    if folder is None or not (folder / "adapter_config.json").exists():
        return None
    below = source.adapter_base
    below = below or read_json(folder / "adapter_config.json").get("base_model_name_or_path")
    if not below:
        raise InputError(f"{folder} does not say which model it adapts; set adapter_base")
    return find_model(below, relative_to=relative_to)


def _hash_folder(folder: Path) -> str:
    patterns = (*WEIGHTS, *DESCRIPTION)
    files = {path.name: path for pattern in patterns for path in folder.glob(pattern)}
    if not {"config.json", "adapter_config.json"} & files.keys():
        raise InputError(f"{folder} holds neither config.json nor adapter_config.json: no model")
    return hash_json({name: hash_file(path) for name, path in sorted(files.items())})


def _hub_commit(model_id: str, revision: str | None) -> str:
    """Return id and commit; weights under one commit never change."""
    from transformers.utils.hub import cached_file, extract_commit_hash

    try:
        found = cached_file(model_id, "config.json", revision=revision)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"model {model_id!r} is neither a folder here nor to be had from the hub: {reason}"
        ) from None
    return f"{model_id}@{extract_commit_hash(found, None) or revision or 'main'}"
