"""The figures of study 1, with captions: all of them, and those on how many neurons are needed.

Where they sit is in `neuron_places`, what they are good for in `neuron_uses`. A figure appears only
where its table is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tunescope.report.figure import Figure
from tunescope.report.figures import neurons_sets as draw_sets
from tunescope.report.figures.neurons import Frame, choose, scalings, stacked
from tunescope.report.neurons.facts import (
    MOST_CHARTS,
    NeuronFacts,
    Tables,
    draws,
    named,
    there,
    whole,
)
from tunescope.report.neurons.places import compared, places
from tunescope.report.neurons.uses import uses


def figures(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    """Make the figures of one model and label column, as far as there are tables.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By name (`tunescope.report.neurons.facts.Tables`). Rows may be missing: a scaling, all
        rankings but one, an order, the control tasks.
    facts : NeuronFacts
        Where they come from.

    Returns
    -------
    list of Figure
    """
    made = [
        *_curves(tables, facts),
        *_ablation(tables, facts),
        *_minimal(tables, facts),
        *_selectivity(tables, facts),
        *places(tables, facts),
        *uses(tables, facts),
    ]
    return [figure for figure in made if figure.charts]


def across(studies: Sequence[tuple[NeuronFacts, Tables]]) -> list[Figure]:
    """Make the figures that compare models and label columns.

    Parameters
    ----------
    studies : sequence of (NeuronFacts, tables)
        At least two; one of them makes no figure.

    Returns
    -------
    list of Figure
        Sizes of minimal sets by label column, and localisation by model (by label column where
        there is one model).
    """
    if len(studies) < 2:
        return []
    return [*_sizes(studies), *compared(studies)]


def _curves(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "curve")
    if table is None:
        return []
    main = facts.main(table)
    shown = draw_sets.curve_rows(table, main)
    charts = {
        f"{named(scaling)}, {classifier} classifier": partial(
            draw_sets.curve,
            rows,
            oracle=whole(tables, scaling) if classifier == "linear" else None,
            majority=facts.majority,
            total=facts.n_neurons,
        )
        for scaling in scalings(shown)
        for classifier in dict.fromkeys(shown["classifier"])
        if len(rows := choose(shown, scaling=scaling, classifier=classifier))
    }
    made = [
        Figure(
            f"curve-{facts.name}",
            f"Accuracy with N neurons: {facts.what}",
            f"A classifier trained on the first N neurons of the ranking {main} (top), on its last "
            f"N (bottom), and on N random neurons. Dashed: the linear probe of all neurons, beside "
            f"the linear classifier. "
            f"{facts.dotted}Bands: {facts.interval}{draws(shown)}. "
            f"{facts.curve}{facts.size}.",
            charts,
            shown,
            facts.source,
            beside=True,
        )
    ]
    top = choose(table, order="top", classifier="linear")
    if top["ranking"].nunique() > 1:
        linear = choose(table, classifier="linear")
        several = {
            named(scaling): partial(
                draw_sets.ranking_curves, choose(linear, scaling=scaling), facts.n_neurons
            )
            for scaling in scalings(linear)
        }
        made.append(
            Figure(
                f"rankings-{facts.name}",
                f"Which ranking finds the neurons: {facts.what}",
                "Accuracy of a linear probe trained on the first N neurons of each ranking. Dotted "
                "grey: N random neurons, which every ranking has to beat. The axis does not start "
                f"at 0; intervals are in the table. {facts.curve}{facts.size}.",
                several,
                top,
                facts.source,
                beside=True,
            )
        )
    return made


def _ablation(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "ablation")
    if table is None:
        return []
    made = []
    for scaling, rows in facts.of_main(table).items():
        charts = {}
        for how in ("masked", "retrained"):
            for within in ("overall", "layer"):
                part = choose(rows, within=within, how=how)
                part = part[part["order"] != "all"]
                if len(part):
                    title = "of all neurons" if within == "overall" else "of each layer"
                    charts[f"{how}, top {title}"] = partial(
                        draw_sets.ablation,
                        part,
                        oracle=whole(tables, scaling),
                        majority=facts.majority if how == "masked" else None,
                    )
        made.append(
            Figure(
                f"ablation-{scaling}-{facts.name}",
                f"Keeping some neurons, {named(scaling)} activations: {facts.what}",
                f"Accuracy with a share of the neurons kept: the top, random or bottom ones of the "
                f"ranking {facts.main(table)}. Masked: in the trained probe, all other activations "
                "are 0, which is just a value where they are raw and the mean where "
                "z-scored. Retrained: a new probe is trained on the kept ones, with an axis that "
                "does not start at 0. Of each layer: the same share of every layer, since bottom "
                f"neurons are mostly those of a few layers. Dashed: all neurons. {facts.dotted}"
                f"Bars: {facts.interval}{draws(rows)}. {facts.size}.",
                charts,
                rows,
                facts.source,
                beside=True,
            )
        )
    return made


def _minimal(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "minimal")
    if table is None:
        return []
    parts = facts.of_main(table)
    rows = stacked(parts.values())
    charts = {"neurons needed": partial(draw_sets.sizes, rows, "delta", "scaling")}
    for scaling, part in parts.items():
        charts[f"accuracy, {named(scaling)}"] = partial(draw_sets.minimal_accuracy, part)
    return [
        Figure(
            f"minimal-{facts.name}",
            f"The smallest set that does as well as all neurons: {facts.what}",
            f"The first N neurons of the ranking {facts.main(table)}, N growing until a probe "
            f"trained on them alone is within {_deltas(rows)} of all neurons on the dev words; "
            "then its accuracy on the test words, beside N random and the bottom N neurons "
            "trained alike. That a set does as well as all does not make it special: random "
            f"neurons must do worse. The axis does not start at 0. Bars: {facts.interval}, for "
            f"random neurons over the draws too. {facts.size}.",
            charts,
            rows,
            facts.source,
            beside=True,
        )
    ]


def _selectivity(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    charts, shown = {}, []
    minimal, curve = there(tables, "minimal"), there(tables, "curve")
    if minimal is not None:
        for scaling, part in facts.of_main(minimal).items():
            if part["selectivity"].notna().any():
                charts[f"minimal sets, {named(scaling)}"] = partial(draw_sets.selectivity, part)
                columns = ["scaling", "ranking", "delta", "n", "selectivity_all", "selectivity"]
                shown.append(part[[*columns, "selectivity_low", "selectivity_high"]])
    if curve is not None:
        linear = choose(draw_sets.curve_rows(curve, facts.main(curve)), classifier="linear")
        for scaling in scalings(linear):
            part = choose(linear, scaling=scaling).dropna(subset=["selectivity"])
            if len(part):
                charts[f"by number of neurons, {named(scaling)}"] = partial(
                    draw_sets.curve,
                    part,
                    value="selectivity",
                    oracle=_selectivity_of_all(minimal, scaling),
                    total=facts.n_neurons,
                )
                columns = ["scaling", "ranking", "order", "seed", "n", "test_accuracy"]
                shown.append(part[[*columns, "control_accuracy", "selectivity"]])
    if not charts:
        return []
    number = f"mean of {facts.controls}" if facts.controls else "mean of several"
    return [
        Figure(
            f"neuron-selectivity-{facts.name}",
            f"Selectivity of all and of few neurons: {facts.what}",
            "Accuracy minus that of the same probe on a control task, where each word type has a "
            f"random label ({number}): what a probe reads off the neurons and did not memorise "
            f"by word. Bars: {facts.interval}. Dashed: all neurons. {facts.size}.",
            charts,
            stacked(shown),
            facts.source,
            beside=True,
        )
    ]


def _sizes(studies: Sequence[tuple[NeuronFacts, Tables]]) -> list[Figure]:
    parts = []
    for facts, tables in studies:
        if (table := there(tables, "minimal")) is not None:
            own = choose(table, ranking=facts.main(table))
            parts.append(own.assign(model=facts.model, corpus=facts.corpus, label=facts.label))
    if len(parts) < 2:
        return []
    rows = stacked(parts)
    charts = {}
    for model in dict.fromkeys(rows["model"]):
        of_model = choose(rows, model=model)
        for scaling in scalings(of_model):
            part = choose(of_model, scaling=scaling)
            charts[f"{model}, {named(scaling)}"] = partial(draw_sets.sizes, part, "label", "delta")
    columns = ["model", "corpus", "label", "scaling", "ranking", "delta", "n", "share", "reached"]
    return [
        Figure(
            "minimal-by-label",
            "How many neurons each label column needs",
            f"Size of the smallest set of top neurons within {_deltas(rows)} of all neurons on the "
            "dev words, and its share of all neurons. Not reached: all neurons are needed. "
            "The same classifier and steps of N for every label column; label columns of "
            "different corpora have different words.",
            dict(list(charts.items())[:MOST_CHARTS]),
            rows[[*columns, "accuracy", "low", "high", "oracle_accuracy"]],
            "\n".join(dict.fromkeys(facts.source for facts, _ in studies)),
            beside=True,
        )
    ]


def _selectivity_of_all(minimal: Frame | None, scaling: str) -> float | None:
    rows = choose(minimal, scaling=scaling) if minimal is not None else None
    return None if rows is None or not len(rows) else float(rows["selectivity_all"].iloc[0])


def _deltas(rows: Frame) -> str:
    """Write the deltas of a table: "0.5, 1 or 2 points"."""
    *most, last = (f"{delta:g}" for delta in sorted(set(rows["delta"])))
    return (f"{', '.join(most)} or {last}" if most else last) + " points"
