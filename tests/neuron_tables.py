"""Make tables of study 1 in the shape of the paper's results, to draw and to judge."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from tunescope.report.neurons.facts import NeuronFacts

LAYERS, WIDTH = 13, 768
NEURONS = LAYERS * WIDTH
RANKINGS = (
    "lca", "linear", "probeless", "mean_select", "iou", "average_precision", "gaussian", "random",
)  # fmt: skip
UPOS = {
    "NOUN": 34000, "PUNCT": 23000, "VERB": 22000, "PRON": 18000, "ADP": 17000, "DET": 16000,
    "ADJ": 13000, "PROPN": 13000, "AUX": 12000, "ADV": 10000, "CCONJ": 6700, "PART": 5700,
    "NUM": 4100, "SCONJ": 3800, "X": 700, "SYM": 690, "INTJ": 690,
}  # fmt: skip
CLOSED = {"PRON", "ADP", "DET", "AUX", "CCONJ", "PART", "NUM", "SCONJ"}


FACTS = NeuronFacts(
    model="bert", corpus="news", label="upos", source="tunescope run x   # [neurons]",
    n_neurons=NEURONS, n_layers=LAYERS, n_train=200000, n_test=25000, n_labels=len(UPOS),
    majority=0.17, controls=3, tag_counts=UPOS,
)  # fmt: skip


def made_tables(
    seed: int = 0,
    *,
    scalings: tuple[str, ...] = ("raw", "zscored"),
    rankings: tuple[str, ...] = RANKINGS,
    tags: dict[str, int] = UPOS,
    layers: int = LAYERS,
) -> dict[str, pd.DataFrame]:
    """Make all tables of study 1 in the shape of the paper's results."""
    rng = np.random.default_rng(seed)
    neurons = layers * WIDTH
    both = list(itertools.product(scalings, rankings))
    made = {
        "search": _search(),
        "curve": pd.DataFrame([row for pair in both for row in _curve(*pair, neurons, rng)]),
        "minimal": pd.DataFrame([row for pair in both for row in _minimal(*pair, neurons)]),
        "ablation": pd.DataFrame([row for pair in both for row in _ablation(*pair, neurons, rng)]),
        "layers": pd.concat([_layers(*pair, layers, rng) for pair in both]),
        "tags": pd.concat([_tags(*pair, tags, layers, rng) for pair in both]),
        "redundancy": _redundancy(neurons),
        "effects": _effects(rng),
    }
    tag_numbers = np.arange(1, min(len(tags), 30) + 1)
    made["sharing"] = pd.concat(
        [
            pd.DataFrame({"scaling": s, "ranking": r, "n_tags": tag_numbers,
                          "neurons": (900 / tag_numbers**1.3).astype(int)})
            for s, r in both
        ]
    )  # fmt: skip
    indices = {"layer_concentration": 0.18, "tag_layer_concentration": 0.31,
               "neuron_concentration": 0.62, "disjointness": 0.87}  # fmt: skip
    made["localisation"] = pd.DataFrame(
        [
            {"scaling": s, "ranking": r, "index": name, "value": v, "low": v - 0.04,
             "high": v + 0.05, "chance": v * 0.6}
            for s, r in both for name, base in indices.items()
            for v in [base + 0.05 * (s == "zscored") + rng.normal(0, 0.02)]
        ]
    )  # fmt: skip
    pairs = [(a, b) for a, b in itertools.combinations(rankings, 2)]
    made["agreement"] = pd.DataFrame(
        [
            {"scaling": s, "a": a, "b": b, "s": size,
             "overlap": 0.002 if "random" in (a, b) else rng.uniform(0.1, 0.5)}
            for s in scalings for size in (10, 30, 50) for a, b in pairs
        ],
        columns=["scaling", "a", "b", "s", "overlap"],
    )  # fmt: skip
    made["agreement_summary"] = pd.DataFrame(
        [
            {"scaling": s, "ranking": r, "s": size,
             "avg_overlap": 0.002 if r == "random" else rng.uniform(0.2, 0.3),
             "neuron_vote": 0.01 if r == "random" else rng.uniform(0.4, 0.55)}
            for s in scalings for r in rankings for size in (10, 30, 50)
        ]
    )  # fmt: skip
    return made


def one_ranking(**changes: Any) -> dict[str, pd.DataFrame]:
    """Make tables of one scaling and one ranking."""
    return made_tables(**{"scalings": ("raw",), "rankings": ("lca",), **changes})


def nothing_reached(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    same = {f"{who}_accuracy": 0.96 for who in ("random", "bottom")}
    return {"minimal": made["minimal"].assign(reached=False, n=NEURONS, share=1.0, **same)}


def _search() -> pd.DataFrame:
    grid = [0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    rows = []
    for l1, l2 in itertools.product(grid, grid):
        size = np.log10(l1 + 1e-7) + 4
        top, bottom = 0.9 - 0.02 * size**2, 0.2 + 0.01 * size**2
        lost = max(0.0, 0.1 * (np.log10(l1 + l2 + 1e-7) + 2.5))
        rows.append(
            {"l1": l1, "l2": l2, "score": 0.5 * (top - bottom - lost), "accuracy": 0.96 - lost,
             "top": top, "bottom": bottom, "unregularised": 0.95, "zeros": 0.5, "objective": 0.2,
             "gap": 1e-4}
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.assign(chosen=np.arange(len(frame)) == frame["score"].idxmax())


def _curve(scaling: str, ranking: str, neurons: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    sizes = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, neurons]
    at = {"top": 12, "random": 40, "bottom": 90}
    for classifier, order in itertools.product(("linear", "gaussian"), at):
        for draw in range(3 if order == "random" else 1):
            for n in sizes:
                half = at[order] * (2 if classifier == "gaussian" else 1) + 2 * len(ranking)
                value = 0.12 + 0.84 * n / (n + half) + rng.normal(0, 0.004)
                control = 0.15 + 0.65 * n / (n + 800)
                rows.append(
                    {"scaling": scaling, "ranking": ranking, "classifier": classifier,
                     "order": order, "seed": draw, "n": n, "share": n / neurons,
                     "dev_accuracy": value, "test_accuracy": value, "low": value - 0.01,
                     "high": value + 0.01, "control_accuracy": control,
                     "selectivity": value - control}
                )  # fmt: skip
    return rows


def _minimal(scaling: str, ranking: str, neurons: int) -> list[dict]:
    rows = []
    for delta, n in ((0.5, 400), (1.0, 300), (2.0, 150)):
        n = n + 60 * (scaling == "zscored") + 10 * len(ranking)
        value = 0.960 - 0.9 * delta / 100
        rows.append(
            {"scaling": scaling, "ranking": ranking, "delta": delta, "n": n, "share": n / neurons,
             "oracle_dev": 0.965, "dev_accuracy": 0.965 - delta / 100, "oracle_accuracy": 0.9604,
             "accuracy": value, "low": value - 0.004, "high": value + 0.004,
             "random_accuracy": value - 0.018, "random_low": value - 0.024,
             "random_high": value - 0.012, "bottom_accuracy": value - 0.027,
             "bottom_low": value - 0.032, "bottom_high": value - 0.022, "selectivity_all": 0.1445,
             "selectivity": 0.3168 - 0.02 * delta, "selectivity_low": 0.30 - 0.02 * delta,
             "selectivity_high": 0.33 - 0.02 * delta, "reached": True}
        )  # fmt: skip
    return rows


def _ablation(scaling: str, ranking: str, neurons: int, rng: np.random.Generator) -> list[dict]:
    start = {"scaling": scaling, "ranking": ranking}
    rows: list[dict] = [
        {**start, "share": 1.0, "within": "overall", "order": "all", "how": "masked", "seed": 0,
         "n": neurons, "accuracy": 0.9604, "low": 0.957, "high": 0.964}
    ]  # fmt: skip
    masked = {"top": 0.9016, "random": 0.2845, "bottom": 0.1686}
    again = {"top": 0.958, "random": 0.951, "bottom": 0.940}
    for share, within, how in itertools.product(
        (0.1, 0.15, 0.2), ("overall", "layer"), ("masked", "retrained")
    ):
        for order, level in (masked if how == "masked" else again).items():
            for draw in range(3 if order == "random" else 1):
                value = level - 0.4 * (0.2 - share) + 0.03 * (within == "layer") * (how == "masked")
                value += rng.normal(0, 0.005) if order == "random" else 0
                rows.append(
                    {**start, "share": share, "within": within, "order": order, "how": how,
                     "seed": draw, "n": int(share * neurons), "accuracy": value,
                     "low": value - 0.006, "high": value + 0.006}
                )  # fmt: skip
    return rows


def _layers(scaling: str, ranking: str, layers: int, rng: np.random.Generator) -> pd.DataFrame:
    place = np.arange(layers)
    peak = 0.25 if scaling == "raw" else 0.65
    weight = np.exp(-((place / layers - peak) ** 2) / 0.08) + 0.1 + 0.05 * rng.random(layers)
    selected = np.round(400 * weight / weight.sum()).astype(int)
    return pd.DataFrame(
        {"scaling": scaling, "ranking": ranking, "layer": place, "selected": selected,
         "share": selected / selected.sum(), "chance": 1 / layers}
    )  # fmt: skip


def _tags(
    scaling: str, ranking: str, tags: dict[str, int], layers: int, rng: np.random.Generator
) -> pd.DataFrame:
    parts = []
    for number, tag in enumerate(tags):
        peak = (number + 1) / (len(tags) + 1)
        weight = np.exp(-((np.arange(layers) / layers - peak) ** 2) / 0.05) + 0.05
        total = 40 if tag in CLOSED else 110
        selected = rng.multinomial(total + number % 5, weight / weight.sum())
        parts.append(pd.DataFrame({"scaling": scaling, "ranking": ranking, "tag": tag,
                                   "layer": np.arange(layers), "selected": selected}))  # fmt: skip
    return pd.concat(parts)


def _redundancy(neurons: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"stage": ["oracle", "layers", "clusters", "features"], "layers": [13, 2, 2, 2],
         "neurons": [neurons, 1536, 1210, 300], "dev_accuracy": [0.955, 0.945, 0.944, 0.942],
         "accuracy": [0.952, 0.944, 0.943, 0.940], "low": [0.948, 0.939, 0.938, 0.935],
         "high": [0.956, 0.949, 0.948, 0.945], "random_accuracy": [0.952, 0.941, 0.938, 0.905],
         "random_low": [0.948, 0.936, 0.932, 0.895], "random_high": [0.956, 0.946, 0.944, 0.915]}
    )  # fmt: skip


def _effects(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    actions = {"zero": [np.nan], "scale": [0.5, 2.0], "translate": [8.0]}
    for measure, slope in {"log_probability": 0.008, "accuracy": 0.0008}.items():
        start = {"kind": "masked", "ranking": "lca", "measure": measure}
        rows.append(
            {**start, "neurons": "none", "k": 0, "action": "none", "amount": np.nan, "seed": -1,
             "value": 0.45, "change": 0.0, "low": 0.0, "high": 0.0}
        )  # fmt: skip
        for (action, amounts), k, who in itertools.product(
            actions.items(), (1, 10, 50, 100, 200, 400), ("top", "random")
        ):
            for amount, draw in itertools.product(amounts, range(3) if who == "random" else [-1]):
                change = slope * (-k if who == "top" else -k / 4) + 4 * slope * rng.normal()
                rows.append(
                    {**start, "neurons": who, "k": k, "action": action, "amount": amount,
                     "seed": draw, "value": 0.45 + change, "change": change,
                     "low": change - 12 * slope, "high": change + 12 * slope}
                )  # fmt: skip
    return pd.DataFrame(rows)
