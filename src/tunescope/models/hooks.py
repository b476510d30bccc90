"""Edit hidden states while a model runs, so that what it says shows whether it uses them.

Every edit is an affine map of single neurons: zero is scale 0, ablation to the mean is scale 0 and
shift by the mean, translation (Antverg and Belinkov 2022, arXiv 2110.07483, section 5) is scale 1
and a shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.models.stacks import Sites, find_sites


@dataclass(frozen=True, eq=False)
class Edit:
    """New values of some neurons of one layer: old value x `scale` + `shift`.

    Parameters
    ----------
    layer : int
        0 is the embedding layer; numbers are those of `hidden_states` and of activation stores.
    index : array-like of int, shape (n,)
        Neurons of the layer, each once.
    scale, shift : float or array-like, shape (n,)
        Where the scale is 0, the old value does not matter at all.
    """

    layer: int
    index: Any
    scale: Any = 0.0
    shift: Any = 0.0


class Editor:
    """What `editing` gives: says at which positions the coming forward passes are edited.

    Attributes
    ----------
    where : torch.Tensor of bool, shape (sentences, positions), or None
        Positions to edit in the next forward passes; None is all of them.
    """

    def __init__(self, sites: Sites):
        self.where: torch.Tensor | None = None
        self._axis = sites.sentence_axis
        self._calls: dict[Any, int] = {}

    def start(self) -> None:
        """Count the calls of each module anew: a forward pass begins."""
        self._calls.clear()

    def next_call(self, module: Any) -> int:
        """Return how often a module has run in this forward pass before now."""
        number = self._calls.get(module, 0)
        self._calls[module] = number + 1
        return number

    def apply(self, hidden: torch.Tensor, edits: Sequence[_Prepared]) -> torch.Tensor:
        """Return edited states; those given are left as they are."""
        hidden = hidden.clone()
        for edit in edits:
            old = hidden[..., edit.index]
            new = torch.where(edit.scale == 0, edit.shift, old * edit.scale + edit.shift)
            if self.where is not None:
                where = self.where if self._axis == 0 else self.where.T
                new = torch.where(where.to(hidden.device)[..., None], new, old)
            hidden[..., edit.index] = new
        return hidden


@contextmanager
def editing(
    model: Any, edits: Sequence[Edit], stack: Literal["auto", "encoder", "decoder"] = "auto"
) -> Iterator[Editor]:
    """Edit the hidden states of every forward pass made inside the context.

    Later layers and the head are computed from the edited states, and `hidden_states` shows them.
    Several edits of one layer are applied in order. Without edits the model is not touched.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With or without a head, in evaluation mode (dropout would act on edited states).
    edits : sequence of Edit
        What to do.
    stack : {"auto", "encoder", "decoder"}
        Whose layers, in an encoder-decoder model; `auto` is the encoder.

    Yields
    ------
    Editor
        Set its `where` to edit at some positions only.

    Raises
    ------
    InputError
        If the architecture is not known, or a layer or neuron does not exist.
    """
    sites = find_sites(model, stack)
    prepared: dict[int, list[_Prepared]] = {}
    for edit in edits:
        prepared.setdefault(edit.layer, []).append(_prepare(edit, model, len(sites.layers)))
    editor = Editor(sites)
    handles = []
    try:
        if prepared:
            handles = _install(sites, prepared, editor)
        yield editor
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True, eq=False)
class _Prepared:
    index: torch.Tensor
    scale: torch.Tensor
    shift: torch.Tensor


def _prepare(edit: Edit, model: Any, n_layers: int) -> _Prepared:
    if not 0 <= edit.layer < n_layers:
        raise InputError(f"no layer {edit.layer}: the model has layers 0 to {n_layers - 1}")
    index = np.atleast_1d(np.asarray(edit.index, dtype=np.int64))
    width = model.config.get_text_config().hidden_size
    if len(index) and not (index.min() >= 0 and index.max() < width):
        wrong = index[(index < 0) | (index >= width)][0]
        raise InputError(f"no neuron {edit.layer}:{wrong}: a layer has neurons 0 to {width - 1}")
    values = [
        torch.tensor(np.broadcast_to(np.asarray(value, np.float32), index.shape).copy())
        for value in (edit.scale, edit.shift)
    ]
    if not all(bool(value.isfinite().all()) for value in values):
        raise InputError(f"an edit of layer {edit.layer} has a scale or shift that is no number")
    scale, shift = (value.to(model.device, model.dtype) for value in values)
    return _Prepared(torch.from_numpy(index).to(model.device), scale, shift)


def _install(sites: Sites, prepared: dict[int, list[_Prepared]], editor: Editor) -> list[Any]:
    """Put hooks on what makes the edited layers, and on the body that all of it runs in."""
    by_module: dict[Any, dict[int, list[_Prepared]]] = {}
    handles = [sites.body.register_forward_pre_hook(lambda *_: editor.start())]
    for layer, edits in prepared.items():
        site = sites.layers[layer]
        if site.before:
            handles.append(_hook_input(site.module, edits, editor))
        else:
            by_module.setdefault(site.module, {})[site.call] = edits
    for module, by_call in by_module.items():
        handles.append(_hook_output(module, by_call, editor))
    return handles


def _hook_input(module: Any, edits: list[_Prepared], editor: Editor) -> Any:
    def hook(_: Any, inputs: tuple[Any, ...]) -> Any:
        return editor.apply(inputs[0], edits), *inputs[1:]

    return module.register_forward_pre_hook(hook)


def _hook_output(module: Any, by_call: dict[int, list[_Prepared]], editor: Editor) -> Any:
    def hook(_: Any, inputs: Any, output: Any) -> Any:
        edits = by_call.get(editor.next_call(module))
        if edits is None:
            return None
        if isinstance(output, torch.Tensor):
            return editor.apply(output, edits)
        return editor.apply(output[0], edits), *output[1:]

    # Before transformers' own hook on the same module, which records what it is given.
    return module.register_forward_hook(hook, prepend=True)
