"""The figures of study 1 on what neurons are good for, with captions: redundancy, use, lambda."""

from __future__ import annotations

from functools import partial

from tunescope.report.figure import Figure, slug
from tunescope.report.figures import neurons_use as draw_use
from tunescope.report.figures.neurons import MOST_CELLS, Frame, choose, scalings
from tunescope.report.neurons.facts import MOST_CHARTS, NeuronFacts, Tables, draws, named, there

EFFECTS = {
    "log_probability": "the mean logarithm of the probability that the model gives to what stands "
    "in the text",
    "accuracy": "the share of the model’s own predictions that are right",
    "changed": "the share of the model’s predictions that are not what it predicts unedited",
    "perplexity": "the model’s perplexity",
}
"""What each measure of the model's own output is."""

ACTIONS = {
    "zero": "set to 0",
    "mean": "set to their mean over the training words",
    "scale": "multiplied",
    "translate": "moved from the mean of {} towards that of {}",
}


def uses(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    """Make the figures of redundancy, of interventions, and of the search for lambda.

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
    return [*_redundancy(tables, facts), *_effects(tables, facts), *_search(tables, facts)]


def _redundancy(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "redundancy")
    if table is None:
        return []
    beside = ""
    if "random_accuracy" in table.columns:
        beside = " Beside each stage: as many neurons drawn at random from all."
    return [
        Figure(
            f"redundancy-{facts.name}",
            f"How much is redundant: {facts.what}",
            "Neurons left, and accuracy of a probe trained on them, after each stage: the lowest "
            "layers that suffice, of these one neuron per cluster of correlated ones, of these the "
            "features that suffice. Dashed: all neurons, "
            f"{facts.n_neurons:,} in {facts.n_layers} layers. The axis of accuracy does not start "
            f"at 0.{beside} Bars: {facts.interval}. {facts.size}.",
            {
                "neurons kept": partial(draw_use.redundancy_kept, table),
                "accuracy": partial(draw_use.redundancy_accuracy, table),
            },
            table,
            facts.source,
            beside=True,
        )
    ]


def _effects(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "effects")
    if table is None:
        return []
    made = []
    table = table[table["neurons"] != "none"].assign(amount=table["amount"].fillna(0.0))
    for measure in dict.fromkeys(table["measure"]):
        rows = choose(table, measure=measure)
        main = facts.main(rows)
        name, meant = words(measure), EFFECTS.get(measure, "")
        charts = {}
        for (ranking, action), part in rows.groupby(["ranking", "action"], sort=False):
            for amount, several in draw_use.by_amount(part):
                title = words(str(action)) if amount is None else f"{action} by {amount:g}"
                title += "" if ranking == main else f", ranking {ranking}"
                charts[title] = partial(
                    draw_use.effects, several, shares=draw_use.is_share(measure)
                )
        kept = dict(list(charts.items())[:MOST_CHARTS])
        asked = f" {facts.asked}." if facts.asked else ""
        left = "" if len(kept) == len(charts) else " More conditions are in the table."
        made.append(
            Figure(
                f"effects-{slug(measure)}-{facts.name}",
                f"Does the model use them? {name.capitalize()} when neurons of {facts.label} are "
                f"changed ({facts.corpus}, {facts.model})",
                f"Change of {meant or name} when the first k neurons of the "
                f"ranking {main} are changed while it runs, beside k random neurons of the same "
                f"layers. {_actions(rows, facts)}Grey line: no change. A change no larger than "
                f"that of random neurons means that the label is encoded there and not used. "
                f"Bands: {facts.level} confidence intervals{draws(rows, 'neurons')}.{asked}{left}",
                kept,
                rows,
                facts.source,
                beside=True,
            )
        )
    return made


def _search(tables: Tables, facts: NeuronFacts) -> list[Figure]:
    table = there(tables, "search")
    if table is None or not (table["l1"].nunique() > 1 or table["l2"].nunique() > 1):
        return []
    several = scalings(table) if "scaling" in table.columns else []
    charts = {named(s): partial(draw_use.search, choose(table, scaling=s)) for s in several}
    charts = charts or {"score by l1 and l2": partial(draw_use.search, table)}
    chosen = "; ".join(
        (f"{named(row['scaling'])} " if several else "") + f"l1 = {row['l1']:g}, l2 = {row['l2']:g}"
        for row in choose(table, chosen=True).to_dict("records")
    )
    numbers = " Rounded scores in the cells." if len(table) <= MOST_CELLS else ""
    return [
        Figure(
            f"search-{facts.name}",
            f"The search for lambda: {facts.what}",
            "Score of each pair of penalties on the dev words: half of (accuracy with the top "
            "neurons kept minus that with the bottom ones) minus half of what the penalty costs "
            f"in accuracy. Framed: the pair chosen ({chosen}).{numbers} {facts.size}.",
            charts,
            table,
            facts.source,
            beside=len(charts) > 1,
        )
    ]


def _actions(rows: Frame, facts: NeuronFacts) -> str:
    """Say what is done to the neurons, for a caption."""
    ends = facts.direction or ("one label", "another")
    known = [name for name in dict.fromkeys(rows["action"]) if name in ACTIONS]
    done = [f"{name}, {ACTIONS[name].format(*ends)}" for name in known]
    return f"Edits: {'; '.join(done)}. " if done else ""


def words(name: str) -> str:
    """Write a name from a table as words."""
    return name.replace("_", " ")
