"""Figures of study 2 for one base and one tuned model: geometry, checkpoints, neurons."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from tunescope.geometry.trajectory import trajectory
from tunescope.neurons.side_by_side import transfer_ablation
from tunescope.report.figure import CELL, Figure, Opens, layers_of, slug
from tunescope.report.figures import forgetting as draw_forgetting
from tunescope.report.figures import geometry as draw_geometry
from tunescope.report.figures import neuron_shift as draw_shift
from tunescope.report.figures import training as draw_training
from tunescope.report.figures import transfer as draw_transfer
from tunescope.report.provenance import source
from tunescope.report.transfer import inputs
from tunescope.report.transfer.sections import HOLM
from tunescope.study.result import Run


def parts(run: Run, base: str, tuned: str, opens: Opens | None = None) -> dict[str, list[Figure]]:
    """Make the figures of one base and one tuned model.

    Parameters
    ----------
    run : Run
        Results of a study.
    base, tuned : str
        A pair of its models.
    opens : callable, optional
        Where the concepts of a layer are.

    Returns
    -------
    dict of str to list of Figure
        `geometry`, `way` (over checkpoints), `neurons`; empty lists where there is nothing.
    """
    geometry, neurons = [], []
    for (corpus, *pair), runs in run.transfer.geometry.items():
        if pair == [base, tuned]:
            geometry += _geometry(run, corpus, base, tuned, runs, opens)
    for corpus, label, *pair in run.transfer.shifts:
        if pair == [base, tuned]:
            neurons += shift_figures(run, corpus, label, base, tuned)
    return {"geometry": geometry, "way": _on_the_way(run, base, tuned), "neurons": neurons}


def _geometry(
    run: Run, corpus: str, base: str, tuned: str, runs: list[Any], opens: Opens | None
) -> list[Figure]:
    layers, name = inputs.over_runs([made.layers for made in runs]), slug(base, tuned, corpus)
    step = source(run, "geometry", runs[0].manifest.parameters)
    words = f"{runs[0].manifest.facts['n_words']:,} words of corpus “{corpus}”"
    several = f" Mean over {len(runs)} tuning runs." if len(runs) > 1 else ""
    first = " Of the first tuning run." if several else ""
    made = [
        Figure(
            f"geometry-{name}",
            f"How alike the layers of base and tuned are ({corpus})",
            f"{_measures(runs[0].manifest.parameters)}. Bands: jackknife over groups of "
            f"sentences. Dotted: words paired at random. {words}.{several}",
            {"alike by layer": partial(draw_geometry.similarity, layers)},
            layers,
            step,
        )
    ]
    matrix = runs[0].matrix
    if len(matrix):
        led = layers_of(opens, corpus, tuned, sorted(set(matrix["tuned_layer"])))
        addresses = {int(layer): address for layer, address in led}
        made.append(
            Figure(
                f"cka-{name}",
                f"Layers of the base model beside layers of the tuned one ({corpus})",
                "Linear CKA of every pair of layers: 1 is the same up to rotation and scale, words "
                f"paired at random give about 0. On the diagonal: the same layer. {words}.{first}",
                {
                    "CKA by base and tuned layer": partial(
                        draw_geometry.cka_matrix, matrix, addresses
                    )
                },
                matrix,
                step,
                opens={f"Concepts of {tuned}, layer": led} if led else {},
                clicked=CELL if led else "",
            )
        )
    return made


def _measures(parameters: dict[str, Any]) -> str:
    """Say what was measured."""
    said = {
        "cka": f"linear CKA ({parameters['estimator']} estimator)",
        "procrustes": "cosine after the best rotation (1 − Procrustes distance / 2)",
        "neighbours": f"share of the {parameters['k']} nearest neighbours that a word has in both",
    }
    listed = "; ".join(said[name] for name in parameters["measures"])
    return listed[0].upper() + listed[1:]


def _on_the_way(run: Run, base: str, tuned: str) -> list[Figure]:
    """Make the figures over checkpoints: when each layer changes."""
    made = []
    first = " Of the first tuning run." if len(run.transfer.tuned.get(tuned, ())) > 1 else ""
    for (corpus, label, *pair), points in run.transfer.probe_paths.items():
        if pair != [base, tuned]:
            continue
        table = pd.concat(
            [
                found.table().assign(row=draw_training.share(at), fraction=at)
                for at, found in points
            ],
            ignore_index=True,
        )
        made.append(
            Figure(
                f"probes-on-the-way-{slug(base, tuned, corpus, label)}",
                f"When tuning changed {label} ({corpus})",
                f"Probing accuracy after each share of the tuning, minus the base model’s; {HOLM}."
                f"{first}",
                {"change by share of the tuning": partial(draw_transfer.matrix, table)},
                table,
                source(run, "probe", run.study.probe.parameters() if run.study.probe else {}),
            )
        )
    for (corpus, *pair), points in run.transfer.geometry_paths.items():
        if pair != [base, tuned]:
            continue
        table, halves = trajectory([(at, found.layers) for at, found in points])
        rows = [draw_training.share(at) for at in table["fraction"]]
        made.append(
            Figure(
                f"geometry-on-the-way-{slug(base, tuned, corpus)}",
                f"When each layer changed ({corpus})",
                "Above: linear CKA with the same layer of the base model after each share of the "
                "tuning. Below: by when each layer had changed half as much as at the end "
                "(1 − CKA, between checkpoints by a straight line; layers that change by less than "
                f".01 are left out).{first}",
                {
                    "CKA with the base model": partial(
                        draw_training.alike, table.assign(row=rows), "Share of the tuning"
                    ),
                    "half of the change": partial(draw_training.half_way, halves),
                },
                table.merge(halves, on="layer"),
                source(
                    run, "geometry", run.study.geometry.parameters() if run.study.geometry else {}
                ),
            )
        )
    return made


def shift_figures(run: Run, corpus: str, label: str, base: str, tuned: str) -> list[Figure]:
    """Make the figures of how the neurons for one label column changed; none where none changed.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus, label, base, tuned : str
        A label column of a corpus, and a pair of models.
    """
    found = run.transfer.shifts.get((corpus, label, base, tuned))
    if found is None:
        return []
    name = slug(base, tuned, corpus, label)
    assert run.study.rank is not None
    step = source(run, "rank", run.study.rank.parameters())
    layers, overlap = (inputs.first_ranking(t) for t in (found.layers, found.tables()["overlap"]))
    first = layers.iloc[0]
    alone = " Of the first tuning run." if len(run.transfer.tuned.get(tuned, ())) > 1 else ""
    runs = f" Mean over {first['n_seeds']} tuning runs." if first["n_seeds"] > 1 else alone
    about = f"top neurons by {first['ranking']} ({first['scaling']})"
    made = [
        Figure(
            f"neuron-layers-{name}",
            f"Layers of the neurons for {label}, before and after tuning ({corpus})",
            f"Numbers of {about} in each layer. Dotted: neurons drawn at random.{runs}",
            {"neurons by layer": partial(draw_shift.by_layer, layers)},
            layers,
            step,
        ),
        Figure(
            f"neuron-overlap-{name}",
            f"Are they the same neurons for {label}? ({corpus})",
            f"Overlap of the {about} of base and tuned model, by how many are taken. Grey: what "
            f"neurons drawn at random, from any layer or from the same layers, would share.{runs}",
            {"overlap by size": partial(draw_shift.overlap, overlap)},
            overlap,
            step,
        ),
    ]
    sets = [run.neurons.sets.get((corpus, label, model)) for model in (base, tuned)]
    if sets[0] is not None and sets[1] is not None:
        table: Any = inputs.first_ranking(transfer_ablation(sets[0], sets[1]))
        table = table[table["how"] == "retrained"]
        share = table["share"].max()
        shown = table[(table["share"] == share) | (table["order"] == "all")]
        shown = shown.assign(base=base, tuned=tuned)
        assert run.study.select is not None
        made.append(
            Figure(
                f"neuron-sets-{name}",
                f"How well some of the neurons do for {label} ({corpus})",
                f"Accuracy of probes trained on {100 * share:g}% of the neurons alone: top, random "
                "and bottom ones of all layers, and as many of every layer, so that bottom neurons "
                f"are not merely those of the last layer.{alone}",
                {"accuracy of some of the neurons": partial(draw_forgetting.kept_neurons, shown)},
                shown,
                step + "\n" + source(run, "select", run.study.select.parameters()),
            )
        )
    return made
