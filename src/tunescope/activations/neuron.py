"""The address of a neuron: its layer and its place there, written `9:231`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunescope.errors import InputError

_FORM = re.compile(r"(\d+):(\d+)")


@dataclass(frozen=True, order=True)
class NeuronId:
    """One neuron of a model.

    Parameters
    ----------
    layer : int
        0 is the embedding layer.
    index : int
        Place in the layer's vector, from 0.
    """

    layer: int
    index: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> NeuronId:
        """Read `layer:index`, the form that `str` writes.

        Raises
        ------
        InputError
            If `text` is not of that form.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise InputError(f"{text!r} is no neuron: write layer:index, as in 9:231")
        return cls(int(found[1]), int(found[2]))
