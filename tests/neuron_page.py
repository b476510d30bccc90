"""Neurons over hostile words and right-to-left sentences, and their section as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from runs import HOSTILE, LABELS
from stores import store_from_arrays
from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus
from tunescope.report.neurons.browser import neuron_data
from tunescope.report.site import STATIC, embedded_json, script_hash

HEBREW = ["BERT", "הוא", "מודל", "שפה", ",", "כתב", "John", "Smith", "בשנת", "2020", "."]
ARABIC = ["قال", "محمد", "إن", "اللغة", "العربية", "جميلة", "!"]
SENTENCES = [HEBREW, ARABIC, list(HOSTILE), ["The", "dog", "sees", "the", "other", "dog", "."]]


def hostile_store(folder: Path, model: str = "<i>base</i>", seed: int = 0) -> ActivationStore:
    """Two layers of five neurons; neuron 0:4 never changes, 1:0 follows the label."""
    labels = [[LABELS[k % 3] for k in range(len(words))] for words in SENTENCES]
    other = [[word[:1] for word in words] for words in SENTENCES]
    corpus = Corpus.from_sentences(SENTENCES, {"upos": labels, "<b>x": other}, name="<b>odd</b>")
    rng = np.random.default_rng(seed)
    layers = [rng.normal(size=(corpus.n_words, 5)) for _ in range(2)]
    layers[0][:, 4] = 0.3
    layers[1][:, 0] += 5 * (corpus.values("upos") == "NOUN")
    return store_from_arrays(folder, corpus, layers, model)


def section(views: Any, chosen: Any = None) -> str:
    """Render the section as the page does, with the page's style and policy."""
    environment = Environment(
        loader=PackageLoader("tunescope.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
    )
    data = neuron_data(views, chosen)
    made = environment.get_template("neurons.html.j2").render(
        neurons=data, neurons_json=embedded_json(data)
    )
    script = (STATIC / "neurons.js").read_text(encoding="utf-8")
    style = Markup("".join((STATIC / f"{n}.css").read_text() for n in ("page", "neurons")))
    policy = f"default-src 'none'; script-src {script_hash(script)}; style-src 'unsafe-inline'"
    policy += "; img-src data:"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>t</title>'
        f'<link rel="icon" href="data:,"><style>{style}</style></head>'
        f'<body><main id="main">{made}</main><script>{script}</script></body></html>'
    )
