"""The figures of study 1 on where neurons sit, with captions: layers, tags, models, rankings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from tunescope.report.figure import Figure, slug
from tunescope.report.figures import neurons_agreement as draw_agreement
from tunescope.report.figures import neurons_layers as draw_layers
from tunescope.report.figures.neurons import Frame, choose, rankings, scalings, stacked
from tunescope.report.neurons.facts import NeuronFacts, Tables, named, tag_kinds, there

MEASURES = {
    "layer_concentration": "the tags’ neurons lie in few layers",
    "tag_layer_concentration": "each tag’s neurons lie in few layers",
    "neuron_concentration": "few neurons hold a tag’s scores",
    "disjointness": "no neuron serves two tags",
}
"""What the value 1 of a measure of localisation means."""


def places(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    """Make the figures of where one model's neurons for a label column sit, and of the rankings.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By name (`tunescope.report.neurons.facts.Tables`).
    facts : NeuronFacts
        Where they come from.

    Returns
    -------
    list of Figure
    """
    return [
        *_layers(tables, facts),
        *_tags(tables, facts),
        *_sharing(tables, facts),
        *_localisation(tables, facts),
        *_agreement(tables, facts),
    ]


def compared(studies: Sequence[tuple[NeuronFacts, Tables]]) -> list[Figure]:
    """Make the figures that compare localisation: models for each label column, or label columns.

    Parameters
    ----------
    studies : sequence of (NeuronFacts, tables)
        Of several models, or of several label columns of one.

    Returns
    -------
    list of Figure
    """
    with_table = [pair for pair in studies if there(pair[1], "localisation") is not None]
    by_model = len({facts.model for facts, _ in with_table}) > 1
    groups: dict[tuple[str, str], list[tuple[NeuronFacts, Tables]]] = {}
    for facts, tables in with_table:
        key = (facts.corpus, facts.label) if by_model else (facts.model, "")
        groups.setdefault(key, []).append((facts, tables))
    made = []
    for key, members in groups.items():
        parts = [
            choose(t["localisation"], ranking=f.main(t["localisation"])).assign(
                row=f.model if by_model else f.label
            )
            for f, t in members
        ]
        if len(parts) < 2:
            continue
        rows = stacked(parts)
        title = f"neurons of {key[1]} in {key[0]}, by model" if by_model else f"{key[0]}, by label"
        first = members[0][0]
        made.append(
            Figure(
                f"localised-{slug(*filter(None, key))}",
                f"How localised neurons are: {title}",
                f"{_measures(rows)} {_tag_interval(first)} That models differ holds for tags like "
                "these where intervals are apart.",
                _by_measure(rows),
                rows.rename(columns={"row": "model" if by_model else "label"}),
                "\n".join(dict.fromkeys(f.source for f, _ in members)),
                beside=True,
            )
        )
    return made


def _layers(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "layers")
    if table is None:
        return []
    main = facts.main(table)
    own = choose(table, ranking=main)
    totals = own.groupby("scaling", sort=False)["selected"].sum()
    counted = " and ".join(f"{totals[s]:,} {named(s)}" for s in scalings(own))
    beside = ", raw beside z-scored activations" if len(totals) > 1 else ""
    made = [
        Figure(
            f"layers-{facts.name}",
            f"Layers of the neurons: {facts.what}",
            f"Share of the selected neurons in each layer{beside}: "
            f"{facts.selected} ({main}; {counted} neurons). Tick: as many as the layer has of all "
            f"{facts.n_neurons:,} neurons, which is what random neurons have. Raw, a layer with "
            "large activations needs small weights and seems to matter less.",
            {"neurons by layer": partial(draw_layers.by_layer, own)},
            own,
            facts.source,
        )
    ]
    if len(rankings(table)) > 1:
        made.append(
            Figure(
                f"layers-by-ranking-{facts.name}",
                f"Layers of the neurons that each ranking selects: {facts.what}",
                f"Share of {facts.selected} in each layer, in per cent, for every ranking. By "
                f"chance a layer has {_chance(table)}.",
                {
                    named(s): partial(draw_layers.rankings_by_layer, choose(table, scaling=s))
                    for s in scalings(table)
                },
                table,
                facts.source,
                beside=True,
            )
        )
    return made


def _tags(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "tags")
    if table is None:
        return []
    parts = facts.of_main(table)
    every = max(part["tag"].nunique() for part in parts.values())
    shown = {s: draw_layers.most_frequent(part, facts.tag_counts) for s, part in parts.items()}
    chosen = "most frequent tags" if facts.tag_counts else "tags with the most neurons, by name,"
    number = max(part["tag"].nunique() for part in shown.values())
    which = f"the {number} {chosen} of {every:,}" if number < every else f"all {every} tags"
    rows = stacked(shown.values())
    kinds = tag_kinds(table)
    totals = rows.groupby(["scaling", "tag"])["selected"].sum()
    made = [
        Figure(
            f"tags-{facts.name}",
            f"Layers of each tag’s neurons: {facts.what}",
            f"Of a tag’s neurons ({facts.of_tag}; ranking {facts.main(table)}), the share in each "
            f"layer, in per cent; below half a per cent nothing is written. For {which}, from tags "
            "whose neurons lie low to those whose neurons lie high. By chance a layer has "
            f"{100 / facts.n_layers:.1f}% where all layers have as many neurons.",
            {named(s): partial(draw_layers.by_tag_and_layer, part) for s, part in shown.items()},
            rows,
            facts.source,
            beside=True,
        )
    ]
    if totals.groupby("scaling").nunique().max() > 1:
        made.append(
            Figure(
                f"tag-sizes-{facts.name}",
                f"Neurons of each tag: {facts.what}",
                f"How many neurons a tag has ({facts.of_tag}; ranking {facts.main(table)}), of "
                f"{facts.n_neurons:,}. For {which}. Few neurons: the tag is localised."
                + (" Closed and open classes as in Universal Dependencies." if kinds else ""),
                {named(s): partial(draw_layers.by_tag, part, kinds) for s, part in shown.items()},
                totals.reset_index(),
                facts.source,
                beside=True,
            )
        )
    return made


def _sharing(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "sharing")
    if table is None:
        return []
    own = choose(table, ranking=facts.main(table))
    return [
        Figure(
            f"sharing-{facts.name}",
            f"Neurons that tags share: {facts.what}",
            f"How many neurons are among those of one tag only, of two, and so on ({facts.of_tag}; "
            f"ranking {facts.main(table)}), of {facts.n_labels:,} tags.",
            {"neurons by number of tags": partial(draw_layers.sharing, own)},
            own,
            facts.source,
        )
    ]


def _localisation(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "localisation")
    if table is None:
        return []
    return [
        Figure(
            f"localisation-{facts.name}",
            f"How localised neurons are: {facts.what}",
            f"{_measures(table)} {_tag_interval(facts)}",
            _by_measure(table.assign(row=table["ranking"])),
            table,
            facts.source,
            beside=True,
        )
    ]


def _agreement(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    pairs, made = there(tables, "agreement"), []
    if pairs is not None:
        sizes = sorted(set(pairs["s"]))
        chance = ", ".join(f"{_overlap(pairs, s, facts):.2%} at s = {s}" for s in sizes)
        made += [
            Figure(
                f"agreement-{scaling}-{facts.name}",
                f"Do rankings agree? {named(scaling).capitalize()} activations, {facts.what}",
                "Overlap of the first s neurons of every two rankings: those in both, of those in "
                f"either, in per cent. Two random rankings of {facts.n_neurons:,} neurons overlap "
                f"by about {chance}.",
                {
                    f"first {s} neurons": partial(draw_agreement.matrix, rows)
                    for s in sizes
                    if len(rows := choose(pairs, scaling=scaling, s=s))
                },
                choose(pairs, scaling=scaling),
                facts.source,
                beside=True,
            )
            for scaling in scalings(pairs)
        ]
    summary = there(tables, "agreement_summary")
    if summary is not None:
        made += [
            Figure(
                f"votes-{scaling}-{facts.name}",
                f"How far each ranking agrees with the others: {named(scaling)}, {facts.what}",
                "Mean overlap of a ranking’s first s neurons with those of each other ranking, and "
                "their overlap with the first s that the others elect (neuron vote: a Borda "
                "count). The ranking called random, where there is one, is the baseline.",
                {
                    title: partial(
                        draw_agreement.summary, choose(summary, scaling=scaling), measure
                    )
                    for measure, title in draw_agreement.MEASURES.items()
                    if choose(summary, scaling=scaling)[measure].notna().any()
                },
                choose(summary, scaling=scaling),
                facts.source,
                beside=True,
            )
            for scaling in scalings(summary)
        ]
    return made


def _by_measure(rows: Frame) -> dict[str, Any]:
    return {
        index.replace("_", " "): partial(draw_layers.localisation, choose(rows, index=index))
        for index in dict.fromkeys(rows["index"])
    }


def _measures(rows: Frame) -> str:
    known = [index for index in dict.fromkeys(rows["index"]) if index in MEASURES]
    meant = "; ".join(f"{index.replace('_', ' ')}, {MEASURES[index]}" for index in known)
    return f"Measures from 0 to 1, where 1 means: {meant}." if meant else "Measures from 0 to 1."


def _tag_interval(facts: NeuronFacts) -> str:
    return f"Bars: {facts.level} confidence intervals by resampling tags. Tick: random neurons."


def _overlap(pairs: Frame, s: int, facts: NeuronFacts) -> float:
    """Return the overlap of two random rankings, about."""
    if "chance" in pairs.columns:
        return float(choose(pairs, s=s)["chance"].iloc[0])
    return s / (2 * facts.n_neurons - s)


def _chance(table: Frame) -> str:
    low, high = table["chance"].min(), table["chance"].max()
    return f"{100 * low:.1f}%" if high - low < 0.001 else f"{100 * low:.1f} to {100 * high:.1f}%"
