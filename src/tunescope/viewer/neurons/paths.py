"""Addresses of the pages about neurons, from the top of the site."""

from __future__ import annotations

import re

from tunescope.activations.neuron import NeuronId
from tunescope.report.figure import slug
from tunescope.study.neuron_results import Key

FOLDER = "neurons"
ENTRY = f"{FOLDER}/index.html"
_NEURON = re.compile(r"neurons/([^/]+)/layer-([0-9]{1,9})/([0-9]{1,9})\.html")


def study_path(key: Key) -> str:
    """Return the address of the page about one corpus, label column and model."""
    return f"{FOLDER}/{slug(*key)}/index.html"


def ranking_path(key: Key) -> str:
    """Return the address of the rankings of that page as CSV."""
    return f"{FOLDER}/{slug(*key)}/ranking.csv"


def neuron_path(corpus: str, model: str, neuron: NeuronId) -> str:
    """Return the address of the page about one neuron."""
    place = f"layer-{neuron.layer:02d}/{neuron.index:04d}.html"
    return f"{FOLDER}/{slug(corpus, model)}/{place}"


def read_neuron_path(path: str) -> tuple[str, NeuronId] | None:
    """Return the folder of corpus and model, and the neuron, of an address of that form."""
    found = _NEURON.fullmatch(path)
    return None if found is None else (found[1], NeuronId(int(found[2]), int(found[3])))
