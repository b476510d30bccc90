"""Catch hidden states where they come about in a live model, and put others in their place.

A tap sits on the modules that look subwords up, or on what gives a layer its hidden states
(`models.stacks`). States are always (texts, positions, width) here, whatever axis order the model
runs them in.
"""

from __future__ import annotations

from typing import Any, Self

import torch

from tunescope.errors import InputError
from tunescope.models.stacks import STACKS, find_sites


class Tap:
    """Hooks on some modules, for as long as the context lasts.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Where the states come about.
    call : int, optional
        Which of a module's calls in one forward pass; all when not given.
    before : bool
        Whether the states are a module's input, not its output.
    text_axis : int
        Axis of the texts in the states as the model runs them.

    Attributes
    ----------
    given : list of torch.Tensor or None
        What the coming forward passes have in place of the states, in the order of the calls.
    caught : list of torch.Tensor
        The states of the last forward pass, those given included.
    arguments : list
        First argument of the module at each of them, as it was given; None for a named one.
    modules : list of torch.nn.Module
        The module at each of them.
    """

    def __init__(
        self, modules: list[Any], call: int | None = None, before: bool = False, text_axis: int = 0
    ):
        self._modules, self._call, self._before = modules, call, before
        self._turned = text_axis == 1
        self._handles: list[Any] = []
        self.given: list[torch.Tensor] | None = None
        self.start()

    @classmethod
    def at_embeddings(cls, model: Any) -> Tap:
        """Tap the input embeddings, wherever the model looks subwords up in them.

        Encoder and decoder of a model share them, often as two modules with the same weights.
        """
        weight = model.get_input_embeddings().weight
        modules = [
            module
            for module in model.modules()
            if isinstance(module, torch.nn.Embedding) and module.weight is weight
        ]
        row = STACKS.get(model.config.model_type)
        return cls(modules, text_axis=row.sentence_axis if row else 0)

    @classmethod
    def at_layer(cls, model: Any, layer: int) -> Tap:
        """Tap the hidden states of a layer; 0 is the embedding layer.

        Raises
        ------
        InputError
            If the architecture is not known (`models.stacks`), or there is no such layer.
        """
        sites = find_sites(model)
        if not 0 <= layer < len(sites.layers):
            raise InputError(f"no layer {layer}: the model has 0 to {len(sites.layers) - 1}")
        site = sites.layers[layer]
        return cls([site.module], site.call, site.before, sites.sentence_axis)

    def __enter__(self) -> Self:
        for module in self._modules:
            if self._before:
                hook = module.register_forward_pre_hook(self._on_input)
            else:
                # before transformers' own hook, which records what it is given
                hook = module.register_forward_hook(self._on_output, prepend=True)
            self._handles.append(hook)
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def start(self) -> None:
        """Forget the last forward pass: another begins."""
        self.caught: list[torch.Tensor] = []
        self.arguments: list[Any] = []
        self.modules: list[Any] = []
        self._calls = dict.fromkeys(self._modules, 0)

    def _on_input(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        states = self._exchange(module, inputs[0], inputs[0])
        return None if states is None else (states, *inputs[1:])

    def _on_output(self, module: Any, inputs: Any, output: Any) -> Any:
        whole = not isinstance(output, torch.Tensor)
        argument = inputs[0] if inputs else None
        states = self._exchange(module, output[0] if whole else output, argument)
        return (states, *output[1:]) if whole and states is not None else states

    def _exchange(self, module: Any, states: torch.Tensor, argument: Any) -> torch.Tensor | None:
        """Catch states; return those to use instead, None for the same ones."""
        number = self._calls[module]
        self._calls[module] = number + 1
        if self._call is not None and number != self._call:
            return None
        new = None if self.given is None else self.given[len(self.caught)]
        kept = states.transpose(0, 1) if self._turned else states
        self.caught.append(kept if new is None else new)
        self.arguments.append(argument)
        self.modules.append(module)
        if new is None:
            return None
        return new.transpose(0, 1) if self._turned else new
