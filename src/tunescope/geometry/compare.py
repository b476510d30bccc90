"""The geometry step: base against tuned, layer by layer and layer against layer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore, common_words
from tunescope.errors import InputError
from tunescope.files import hash_json, read_frame, write_frame
from tunescope.geometry.cka import alignment
from tunescope.geometry.layers import LayerWords
from tunescope.geometry.matrix import Pair, pair_hsic, tiles
from tunescope.geometry.measure import COLUMNS, measure_layer
from tunescope.geometry.result import LayerGeometry
from tunescope.geometry.sample import WordSample, draw_words
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.steps import Geometry

MATRIX = ("base_layer", "tuned_layer", "cka")
WITHIN = ("role", "layer", "other_layer", "cka")
PARTS = "parts"
"""Folder of what is done of a run that is not finished."""


@step_function(Geometry)
def compare_geometry(
    base: ActivationStore | str | Path,
    tuned: ActivationStore | str | Path,
    out: str | Path,
    *,
    rows: np.ndarray | None = None,
    step: Geometry,
) -> LayerGeometry:
    """Measure how alike two models' activations are, without any label.

    Parameters
    ----------
    base, tuned : ActivationStore, str or Path
        Activations of both models over the same corpus, or the folders they are in. The models may
        differ in width, and in depth: layers of the same number are then compared as far as both
        have them, and the matrix has all.
    out : str or Path
        Folder to write; one that an interrupted call left is gone on with.
    rows : numpy.ndarray of int, optional
        Words to draw from; all that are valid in both stores when not given.
    step : Geometry
        Parameters.

    Returns
    -------
    LayerGeometry

    Raises
    ------
    InputError
        If a layer is not there, there are too few sentences or words, or activations are not
        finite.
    MismatchError
        If the stores are over different words.
    """
    base, tuned = (
        store if isinstance(store, ActivationStore) else ActivationStore.load(store)
        for store in (base, tuned)
    )
    out = Path(out)
    common = common_words(base, tuned)
    rows = common if rows is None else np.intersect1d(common, rows)
    inputs = {
        "base": base.key,
        "tuned": tuned.key,
        "base_model": base.model,
        "tuned_model": tuned.model,
        "corpus": base.corpus.name,
        "words": hash_json([base.corpus.word_hash, rows.tolist()]),
    }
    if begin(out, step, inputs) is None:
        sample = draw_words(
            base.corpus,
            rows,
            max_words=step.max_words,
            groups=step.groups,
            queries=step.queries,
            seed=step.seed,
        )
        _Work(base, tuned, sample, step, out).run()
        facts = {"n_words": len(sample.rows), "n_groups": len(sample.sizes)}
        finish(out, step, inputs, facts)
        shutil.rmtree(out / PARTS, ignore_errors=True)
    return LayerGeometry.load(out)


class _Work:
    """What there is to do: a unit for each layer, and one for each tile of the matrix."""

    def __init__(
        self,
        base: ActivationStore,
        tuned: ActivationStore,
        sample: WordSample,
        step: Geometry,
        out: Path,
    ):
        self.sample, self.step, self.out = sample, step, out
        of_base, of_tuned = (_layers(store, step) for store in (base, tuned))
        self.both = [layer for layer in of_base if layer in of_tuned]
        self.names = [("base", n) for n in of_base] + [("tuned", n) for n in of_tuned]
        stores = {"base": base, "tuned": tuned}
        self.layers = [LayerWords(stores[role], n, sample.rows) for role, n in self.names]
        self.pairs = list(self._pairs())
        self.tiles = tiles(self.pairs, [layer.shape[1] for layer in self.layers])
        self.title = f"geometry of {base.model} and {tuned.model} on {base.corpus.name}"

    def _pairs(self) -> Iterator[Pair]:
        if self.step.matrix == "none":
            return
        n_base = sum(role == "base" for role, _ in self.names)
        for i, j in combinations_with_replacement(range(len(self.names)), 2):
            if i == j or self.step.matrix == "all" or i < n_base <= j:
                yield i, j

    def run(self) -> None:
        """Do what is missing, then write the tables."""
        parts = self.out / PARTS
        measured = {layer: parts / f"layer_{layer:02d}.parquet" for layer in self.both}
        aligned = [parts / f"tile_{number:04d}.parquet" for number in range(len(self.tiles))]
        with tqdm(desc=self.title, total=len(measured) + len(self.pairs), unit="pair") as bar:
            for layer, path in measured.items():
                if not path.exists():
                    write_frame(path, self._measure(layer))
                bar.update()
            for tile, path in zip(self.tiles, aligned, strict=True):
                if not path.exists():
                    values = pair_hsic(self.layers, tile, self.step.estimator)
                    frame = pd.DataFrame(tile, columns=["left", "right"])
                    write_frame(path, frame.assign(hsic=values))
                bar.update(len(tile))
        frames = [read_frame(path) for path in measured.values()]
        empty = pd.DataFrame(columns=list(COLUMNS))
        write_frame(self.out / "layers.parquet", pd.concat(frames) if frames else empty)
        hsic: dict[Pair, float] = {}
        for path in aligned:
            frame = read_frame(path)
            found = zip(frame["left"].tolist(), frame["right"].tolist(), strict=True)
            hsic |= dict(zip(found, frame["hsic"].tolist(), strict=True))
        self._write_matrices(hsic)

    def _measure(self, layer: int) -> pd.DataFrame:
        base, tuned = (self.names.index((role, layer)) for role in ("base", "tuned"))
        rows = measure_layer(self.layers[base], self.layers[tuned], self.sample, self.step)
        return pd.DataFrame([{"layer": layer, **row} for row in rows], columns=list(COLUMNS))

    def _write_matrices(self, hsic: dict[Pair, float]) -> None:
        """Write CKA of base with tuned layers, and of each model's with its own."""
        between, within = [], []
        for (i, (role, layer)), (j, (other_role, other)) in product(
            enumerate(self.names), repeat=2
        ):
            value = hsic.get((min(i, j), max(i, j)))
            if value is None:
                continue
            cka = alignment(value, hsic[i, i], hsic[j, j])
            if role == other_role and self.step.matrix == "all":
                within.append((role, layer, other, cka))
            elif role == "base" and other_role == "tuned":
                between.append((layer, other, cka))
        write_frame(self.out / "matrix.parquet", pd.DataFrame(between, columns=list(MATRIX)))
        write_frame(self.out / "within.parquet", pd.DataFrame(within, columns=list(WITHIN)))


def _layers(store: ActivationStore, step: Geometry) -> list[int]:
    """Return the store's layers to measure."""
    if step.layers is None:
        return list(store.layers)
    for layer in step.layers:
        if layer not in store.layers:
            raise InputError(f"{store.path} has layers 0 to {len(store.layers) - 1}, not {layer}")
    return sorted(set(step.layers))
