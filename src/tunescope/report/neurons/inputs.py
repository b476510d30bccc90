"""From results of the steps on neurons to the tables and facts of figures and findings."""

from __future__ import annotations

from collections.abc import Mapping

from tunescope.neurons.result import NeuronEffects, NeuronRankings, NeuronResult
from tunescope.report.figures.neurons import stacked
from tunescope.report.neurons.facts import NeuronFacts, Tables


def tables_of(ranked: NeuronRankings, *others: NeuronResult | None) -> Tables:
    """Gather the tables of one model and label column.

    Parameters
    ----------
    ranked : NeuronRankings
        What `rank` found.
    *others : NeuronResult or None
        What `select`, `reduce` and `intervene` found, as far as they were run.
    """
    results = [ranked, *(result for result in others if result is not None)]
    tables = {name: result.frame(name) for result in results for name in result.names}
    searches = [ranked.search(scaling).assign(scaling=scaling) for scaling in ranked.scalings]
    return {**tables, "search": stacked(searches)}


def facts_of(
    ranked: NeuronRankings,
    source: str,
    effects: NeuronEffects | None = None,
    tag_counts: Mapping[str, int] | None = None,
) -> NeuronFacts:
    """Say where the tables come from.

    Parameters
    ----------
    ranked : NeuronRankings
        What `rank` found.
    source : str
        Command and parameters behind the tables.
    effects : NeuronEffects, optional
        What `intervene` found.
    tag_counts : mapping of str to int, optional
        Training words of each label; of hundreds of labels, figures show the most frequent.
    """
    known, made = ranked.facts, ranked.manifest.parameters
    asked = effects.facts if effects is not None else {}
    units = {"masked": "hidden subwords", "next": "subwords", "task": "sentences"}
    return NeuronFacts(
        model=ranked.model,
        corpus=ranked.corpus,
        label=ranked.label,
        source=source,
        n_neurons=known["n_neurons"],
        n_layers=len(known["layers"]),
        n_train=known["words"]["train"],
        n_test=known["words"]["test"],
        n_labels=len(known["classes"]),
        majority=known["majority"],
        confidence=made["confidence"],
        resamples=made["resamples"],
        controls=made["control_seeds"],
        ranking="lca" if "lca" in ranked.rankings else ranked.rankings[0],
        selected=(
            f"the first {100 * made['selected']:g}% of a ranking"
            if made["selected"] < 1
            else f"the first {made['selected']:,.0f} neurons of a ranking"
        ),
        of_tag=f"its first {made['tag_neurons']:,} neurons",
        tag_counts=tag_counts or known.get("counts", {}),
        asked=(
            f"{asked['n_units']:,} {units[asked['kind']]} of {asked['n_sentences']:,} sentences"
            if asked
            else ""
        ),
        direction=tuple(asked.get("direction") or ()),
    )
