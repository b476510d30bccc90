"""What study 1 found, as sentences computed from its numbers: how many neurons, and what for.

Each finding is a claim of Durrani et al. 2020 (arXiv 2010.02695), of its follow-up (arXiv
2206.13288) or of the work it led to, and holds or does not hold on our numbers. Where our result
contradicts the claim, the text says "Against". Claims on where neurons sit are in `neuron_claims`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunescope.report.figures.neurons import Frame, choose, over_seeds
from tunescope.report.finding import Finding
from tunescope.report.neurons.claims import agree, between, closed, layers_of
from tunescope.report.neurons.facts import (
    FOLLOW_UP,
    PAPER,
    REDUNDANCY,
    NeuronFacts,
    Tables,
    named,
    there,
    whole,
)
from tunescope.report.wording import percent, points

CLOSE = 0.03
"""Random neurons, retrained, come this near to the top ones in the follow-up."""
SMALL = 0.15
"""Largest share of all neurons that a minimal set has in the paper (CCG: 1,500 of 9,984)."""
FEW, LOSS = 0.1, 0.03
"""Share of the neurons that is left, and of accuracy that is lost, in the work on redundancy."""


def findings(tables: Tables, facts: NeuronFacts) -> list[Finding]:
    """Check the claims on one model and label column, as far as there are tables.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By name (`tunescope.report.neurons.facts.Tables`).
    facts : NeuronFacts
        Where they come from.

    Returns
    -------
    list of Finding
        A claim for which there are no rows is left out.
    """
    claims = (masked, small, random_close, selective, closed, layers_of, agree, redundant, used)
    found = (claim(tables, facts) for claim in claims)
    return [finding for finding in found if finding is not None]


def findings_across(studies: Sequence[tuple[NeuronFacts, Tables]]) -> list[Finding]:
    """Check the claims that compare label columns or models.

    Parameters
    ----------
    studies : sequence of (NeuronFacts, tables)
        All models and label columns of a run.

    Returns
    -------
    list of Finding
        Empty where there is nothing to compare.
    """
    return between(studies)


def verdict(found: Sequence[Finding]) -> str:
    """Say in one sentence how many of the claims hold, and name those that do not."""
    if not found:
        return "No claim of the literature is tested."
    failed = [finding.topic for finding in found if not finding.holds]
    if not failed:
        return (
            f"All {len(found)} claims tested hold here." if found[1:] else "The claim holds here."
        )
    if len(failed) == len(found):
        return f"None of the {len(found)} claims tested holds here."
    held = len(found) - len(failed)
    return f"{held} of {len(found)} claims tested hold here. Not: {'; '.join(failed)}."


def masked(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that a trained probe relies on its top neurons: top above random above bottom."""
    table = there(tables, "ablation")
    kept = [] if table is None else choose(choose(table, how="masked"), within="overall")["share"]
    shares = sorted({share for share in kept if share < 1})
    if table is None or not shares:
        return None
    share, said, holds = shares[-1], [], []
    for scaling, rows in facts.of_main(table).items():
        rows = choose(rows, how="masked", share=share)
        for within in ("overall", "layer"):
            levels = _levels(choose(rows, within=within))
            if "top" not in levels or len(levels) < 2:
                continue
            broken = _broken(levels)
            if not said:
                every = whole(tables, scaling)
                said.append(
                    f"With the top {percent(share)} of the neurons left in the trained probe "
                    f"({named(scaling)}), {_interval(levels['top'], facts)} of the words are "
                    f"labelled correctly; with {_listed(levels, share)}"
                    + (f"; with all, {percent(every)}." if every is not None else ".")
                )
            else:
                place = ", the same share of each layer" if within == "layer" else ""
                values = ", ".join(f"{o} {percent(r['accuracy'])}" for o, r in levels.items())
                end = " (not in this order)" if broken else ""
                said.append(f"{named(scaling).capitalize()}{place}: {values}{end}.")
            if not holds:
                said += [f"Against {PAPER}, {low} is not below {high}." for high, low in broken]
            holds.append(not broken)
    if not said:
        return None
    if all(holds):
        said.append(f"Beyond all intervals, as {PAPER} report.")
    # The paper's own setting decides: raw activations, neurons chosen overall.
    return Finding("top, random and bottom neurons, masked", " ".join(said), holds[0])


def small(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that a small set does as well as all neurons."""
    table = there(tables, "minimal")
    if table is None:
        return None
    said: list[str] = []
    holds, empty, delta = False, False, ""
    for scaling, rows in facts.of_main(table).items():
        rows = _records(rows.sort_values("delta"))
        if said:
            sizes = ", ".join(f"{row['n']:,}" if row["reached"] else "all" for row in rows)
            said.append(f"{named(scaling).capitalize()}: {sizes} neurons.")
            continue
        for row in rows:
            near = f"within {row['delta']:g} point{'s' * (row['delta'] != 1)}"
            if row["reached"]:
                said.append(
                    f"The top {row['n']:,} neurons ({percent(row['share'])}, "
                    f"{named(scaling)}) are {near} of all neurons on dev words and label "
                    f"{_interval(row, facts)} of the test words correctly."
                )
            else:
                said.append(f"No set is {near} of all neurons on dev words.")
        said.append(f"All neurons: {percent(rows[0]['oracle_accuracy'])}.")
        # What the test words say decides, and of these the end of the interval that is kinder.
        first = rows[0]
        delta = f"{first['delta']:g} point{'s' * (first['delta'] != 1)}"
        loss = first["oracle_accuracy"] - first["high"]
        holds = first["reached"] and first["share"] <= SMALL and loss <= first["delta"] / 100
        empty = first["oracle_accuracy"] <= (facts.majority or 0.0)
    if empty:
        said.append("That is no better than the most frequent label, so that nothing follows.")
    elif holds:
        said.append(f"{PAPER} need 4 to {percent(SMALL)} of the neurons.")
    else:
        said.append(
            f"Against {PAPER}, no set of at most {percent(SMALL)} of the neurons is within {delta}."
        )
    holds = bool(holds and not empty)
    return Finding("small sets do as well as all neurons", " ".join(said), holds)


def random_close(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that random neurons, retrained, come near to the top ones, as the follow-up says."""
    row = _tightest(tables, facts, "random_accuracy")
    if row is None:
        return None
    gap = row["accuracy"] - row["random_accuracy"]
    random = {key: row[f"random_{key}"] for key in ("accuracy", "low", "high")}
    text = (
        f"A probe trained on {row['n']:,} random neurons labels {_interval(random, facts)} of the "
        f"words correctly, one trained on the top {row['n']:,}, {_interval(row, facts)}: "
        f"{points(-gap)} points."
    )
    if row.get("bottom_accuracy", float("nan")) == row.get("bottom_accuracy"):
        text += f" The bottom ones: {percent(row['bottom_accuracy'])}."
    if random["low"] > row["high"]:
        text += " They do better than the top ones: what the ranking puts first is not what helps."
    elif gap <= CLOSE:
        text += f" Within {100 * CLOSE:g} points, as {FOLLOW_UP} report:"
        if random["high"] >= row["low"]:
            text += " the intervals overlap, so that a set’s doing as well as all says nothing of"
            text += " its neurons."
        else:
            text += " much of what the top neurons hold, any neurons hold."
    else:
        text += f" Against {FOLLOW_UP}, that is more than {100 * CLOSE:g} points:"
        text += " the top neurons hold what others do not."
    return Finding("random neurons, retrained, come near to the top ones", text, bool(gap <= CLOSE))


def selective(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that the minimal set is more selective than all neurons."""
    row = _tightest(tables, facts, "selectivity")
    if row is None:
        return None
    of_set = {key: row[f"selectivity_{key}"] for key in ("low", "high")}
    of_set["accuracy"] = row["selectivity"]
    above = row["selectivity"] > row["selectivity_all"]
    holds = bool(above and not of_set["low"] <= row["selectivity_all"])
    text = (
        f"Selectivity is {_interval(of_set, facts)} with {row['n']:,} neurons and "
        f"{percent(row['selectivity_all'])} with all."
    )
    if holds:
        text += f" As in {PAPER}, a probe of few neurons memorises less."
    elif above:
        text += " It is higher, but the interval holds that of all neurons."
    else:
        text += f" Against {PAPER}, the set is not more selective."
    return Finding("the set is more selective than all neurons", text, holds)


def redundant(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that few neurons of few layers are left when what is redundant goes."""
    table = there(tables, "redundancy")
    if table is None or len(table) < 2:
        return None
    first, last = _records(table)[0], _records(table)[-1]
    share, loss = last["neurons"] / first["neurons"], first["accuracy"] - last["accuracy"]
    holds = bool(share <= FEW and loss <= LOSS * first["accuracy"])
    text = (
        f"{last['neurons']:,} of {first['neurons']:,} neurons ({percent(share)}), from "
        f"{last['layers']} of {first['layers']} layers, label {_interval(last, facts)} of the "
        f"words correctly, all neurons {percent(first['accuracy'])} ({points(-loss)} points)."
    )
    if last.get("random_accuracy", float("nan")) == last.get("random_accuracy"):
        text += f" As many random neurons: {percent(last['random_accuracy'])}."
    text += (
        f" As {REDUNDANCY} report, a tenth of the neurons or less is left, at most "
        f"{percent(LOSS)} of the accuracy is lost."
        if holds
        else f" Against {REDUNDANCY}, more than a tenth is left, or more than {percent(LOSS)} lost."
    )
    return Finding("most neurons are redundant", text, holds)


def used(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that the model uses the neurons: its output changes more than by random ones."""
    table = there(tables, "effects")
    if table is None:
        return None
    measures = list(dict.fromkeys(table["measure"]))
    measure = "log_probability" if "log_probability" in measures else measures[0]
    rows = choose(table, measure=measure, ranking=facts.main(table))
    rows = rows[rows["neurons"].isin(["top", "random"])].assign(amount=rows["amount"].fillna(0.0))
    k = rows["k"].max()
    rows = choose(rows, k=k)
    pooled = over_seeds(rows, ["action", "amount", "neurons"], "change")
    said, more = [], []
    for (action, amount), part in pooled.groupby(["action", "amount"], sort=False):
        by = {row["neurons"]: row for row in _records(part)}
        if len(by) < 2:
            continue
        top, random = by["top"], by["random"]
        draws = _by_draw(rows, action, amount)
        # One more random set is the null: the mean of some draws is known far better than that.
        apart = top["low"] > random["high"] or top["high"] < random["low"]
        stronger = bool(apart and len(draws) and abs(top["change"]) > draws.max())
        more.append(stronger)
        what = action if action in ("zero", "mean") else f"{action} by {amount:g}"
        said.append(
            f"{what}: {_change(top)} by the first {k:,} neurons, {_change(random)} by random ones"
            + ("" if stronger else " (no more)")
        )
    if not said:
        return None
    text = f"Change of {measure.replace('_', ' ')}: {'; '.join(said)}. "
    if all(more):
        text += "More than by any draw of random neurons: the model uses these neurons."
    elif any(more):
        text += "More than by any draw of random neurons, by some of these edits only."
    else:
        text += (
            f"{facts.label} is encoded in these neurons; that the model uses them more than any "
            "others of the same layers does not show."
        )
    return Finding("the model uses the neurons", text, sum(more) > len(more) / 2)


def _by_draw(rows: Frame, action: Any, amount: Any) -> Any:
    """Return the sizes of the changes by every draw of random neurons, for one edit."""
    drawn = rows[(rows["neurons"] == "random") & (rows["action"] == action)]
    return drawn.loc[drawn["amount"] == amount, "change"].abs()


def _tightest(tables: Tables, facts: NeuronFacts, column: str) -> dict[str, Any] | None:
    """Return the row of the smallest delta that was reached, of the first scaling that has one."""
    table = there(tables, "minimal")
    if table is None or column not in table.columns:
        return None
    for rows in facts.of_main(table).values():
        rows = rows[rows["reached"].astype(bool)].dropna(subset=[column])
        if len(rows):
            return _records(rows.sort_values("delta"))[0]
    return None


def _levels(rows: Frame) -> dict[str, dict[str, Any]]:
    """Return accuracy and interval of top, random and bottom neurons, as far as they are there."""
    pooled = over_seeds(rows, ["order"], "accuracy")
    by = {row["order"]: row for row in _records(pooled)}
    return {order: by[order] for order in ("top", "random", "bottom") if order in by}


def _broken(levels: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the neighbours in top > random > bottom whose intervals are not in this order."""
    names = list(levels)
    pairs = zip(names, names[1:], strict=False)
    return [(a, b) for a, b in pairs if not levels[a]["low"] > levels[b]["high"]]


def _listed(levels: dict[str, dict[str, Any]], share: float) -> str:
    others = [(order, row) for order, row in levels.items() if order != "top"]
    return ", with ".join(
        f"{'the ' if order == 'bottom' else ''}{order} {percent(share)}, {percent(row['accuracy'])}"
        for order, row in others
    )


def _interval(row: dict[str, Any], facts: NeuronFacts) -> str:
    value, low, high = (percent(row[name]) for name in ("accuracy", "low", "high"))
    return f"{value} ({facts.level} CI {low} to {high})"


def _change(row: dict[str, Any]) -> str:
    ends = (
        f"{row[name]:+.3g}".replace("-", "\N{MINUS SIGN}") for name in ("change", "low", "high")
    )
    change, low, high = ends
    return f"{change} ({low} to {high})"


def _records(rows: Frame) -> list[dict[str, Any]]:
    return rows.to_dict("records")
