"""Claims of study 1 on where neurons sit, checked: tags, layers, rankings, label columns, models.

After Durrani et al. 2020 (arXiv 2010.02695). That z-scoring can turn claims on layers
round is from COLING 2022; how rankings agree, from Fan et al. 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import hypergeom

from tunescope.report.figures.neurons import Frame, choose
from tunescope.report.finding import ALPHA, Finding
from tunescope.report.neurons.facts import (
    AGREEMENT,
    PAPER,
    NeuronFacts,
    Tables,
    named,
    tag_kinds,
    there,
)
from tunescope.report.wording import layers, percent

NORMAL = 1.96
"""Half of a 95% interval in standard errors."""

Studies = Sequence[tuple[NeuronFacts, Tables]]


def closed(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that closed-class tags have fewer neurons than open-class tags (UPOS tags only).

    Where every tag has as many by construction, the share in the tag's largest layer is compared.
    """
    table = there(tables, "tags")
    kinds = tag_kinds(table) if table is not None else {}
    if table is None or not kinds:
        return None
    said, holds = [], []
    for scaling, rows in facts.of_main(table).items():
        sizes = rows.groupby("tag")["selected"].sum()
        sizes = sizes[sizes > 0]
        by_size = sizes.nunique() > 1
        if by_size:
            values, unit = sizes, "neurons"
        else:
            values, unit = (
                rows.groupby("tag")["selected"].max() / sizes,
                "of a tag’s neurons in its largest layer",
            )
        groups = {
            kind: values[[tag for tag in values.index if kinds[tag] == kind]].to_numpy(float)
            for kind in ("closed class", "open class")
        }
        few, many = groups["closed class"], groups["open class"]
        if not len(few) or not len(many):
            continue
        as_claimed = few.mean() < many.mean() if by_size else few.mean() > many.mean()
        p = _rank_test(few, many)
        mean = (f"{v.mean():.0f}" if by_size else percent(v.mean()) for v in (few, many))
        low, high = mean
        said.append(
            f"{named(scaling).capitalize()}: on average {low} {unit} for {len(few)} closed-class "
            f"tags, {high} for {len(many)} open-class tags (rank test over tags, p = {p:.3f})."
        )
        holds.append(bool(as_claimed and p < ALPHA))
        if not as_claimed:
            said.append(f"Against {PAPER}, closed-class tags are not the more localised.")
        elif not holds[-1]:
            said.append(f"The order of {PAPER}, but not beyond chance.")
    if not said:
        return None
    return Finding("closed-class tags are more localised", " ".join(said), holds[0])


def layers_of(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Say in which half of the layers the neurons sit, raw against z-scored.

    Morphology is claimed for the lower half and syntax for the upper. For other label columns the
    claim is that raw and z-scored activations agree; with one scaling there is none.
    """
    table = there(tables, "layers")
    if table is None or table["layer"].nunique() < 2:
        return None
    parts = facts.of_main(table)
    if facts.kind is None and len(parts) < 2:
        return None
    said: list[str] = []
    towards: dict[str, int] = {}
    for scaling, rows in parts.items():
        places = sorted(set(rows["layer"]))
        half = len(places) // 2
        low, high = places[:half], places[-half:]
        share, chance = (_share(rows, low, column) for column in ("selected", "chance"))
        top, by_chance = (_share(rows, high, column) for column in ("selected", "chance"))
        excess = (share - chance) - (top - by_chance)
        # Standard error of a difference of two shares of the same neurons.
        error = ((share + top - (share - top) ** 2) / max(rows["selected"].sum(), 1)) ** 0.5
        towards[scaling] = 0 if abs(excess) <= NORMAL * error else (1 if excess > 0 else -1)
        said.append(
            f"{named(scaling).capitalize()}: {percent(share)} of the selected neurons are in "
            f"{layers(low)} (by chance {percent(chance)}), {percent(top)} in {layers(high)} "
            f"(by chance {percent(by_chance)})."
        )
    same = len(set(towards.values())) == 1
    if {1, -1} <= set(towards.values()):
        said.append(
            "Z-scoring turns the picture round: what the raw result says of layers is in part the "
            "scale of their activations."
        )
    elif len(towards) > 1 and not same:
        said.append("Only one of raw and z-scored leans to a half, beyond chance.")
    elif len(towards) > 1:
        said.append("Raw and z-scored agree.")
    if facts.kind is None:
        return Finding("layers of the neurons, raw and z-scored", " ".join(said), same)
    expected, place = (1, "low") if facts.kind == "morphology" else (-1, "high")
    holds = all(leaning == expected for leaning in towards.values())
    if holds:
        said.append(f"{facts.kind.capitalize()} sits {place}, as {PAPER} report.")
    else:
        wrong = [named(s) for s, leaning in towards.items() if leaning != expected]
        where = f" ({' and '.join(wrong)})" if len(towards) > 1 else ""
        said.append(f"Against {PAPER}, {facts.kind} does not sit {place} beyond chance{where}.")
    return Finding(f"{facts.kind} sits in {place} layers", " ".join(said), holds)


def agree(tables: Tables, facts: NeuronFacts) -> Finding | None:
    """Check that rankings agree more than random ones do."""
    table = there(tables, "agreement_summary")
    if table is None:
        return None
    rows = choose(table, scaling=next(iter(dict.fromkeys(table["scaling"]))))
    s = max(rows["s"])
    rows = choose(rows, s=s).dropna(subset=["avg_overlap"])
    own = rows[rows["ranking"] != "random"].sort_values("avg_overlap")
    if len(own) < 2:
        return None
    if "chance" in rows.columns:
        chance = float(rows["chance"].iloc[0])
    else:
        chance = s / (2 * facts.n_neurons - s)
    drawn = choose(rows, ranking="random")["avg_overlap"]
    both = float(hypergeom(facts.n_neurons, s, s).ppf(0.975))
    floor = max([chance, both / (2 * s - both), *drawn])  # what two draws share at most, mostly
    low, high = own.iloc[0], own.iloc[-1]
    votes = own.dropna(subset=["neuron_vote"]).sort_values("neuron_vote")
    text = (
        f"Of their first {s} neurons, rankings share {percent(low['avg_overlap'])} "
        f"({low['ranking']}) to {percent(high['avg_overlap'])} ({high['ranking']}) with each other "
        f"ranking on average; two random sets, up to {percent(floor)}."
    )
    if len(votes):
        best = votes.iloc[-1]
        text += f" What the others elect is met best by {best['ranking']}"
        text += f" ({percent(best['neuron_vote'])})."
    below = list(own[own["avg_overlap"] <= floor]["ranking"])
    if below:
        text += f" Against {AGREEMENT}, {' and '.join(below)} agrees no more than by chance."
    elif high["avg_overlap"] < 0.5:
        text += " More than by chance, but none shares half with the others: which neurons are"
        text += " found depends on the ranking."
    return Finding("rankings agree more than by chance", text, not below)


def between(studies: Studies) -> list[Finding]:
    """Check the claims that compare label columns of a model, and models.

    Parameters
    ----------
    studies : sequence of (NeuronFacts, tables)
        All models and label columns of a run.

    Returns
    -------
    list of Finding
        For each model that has label columns of both kinds: morphology needs fewer neurons than
        syntax, and its neurons sit lower. Where there are XLNet and BERT: XLNet’s neurons are the
        more localised.
    """
    found = []
    for model in dict.fromkeys(facts.model for facts, _ in studies):
        own = [(facts, tables) for facts, tables in studies if facts.model == model]
        found += [_fewer(model, own), _lower(model, own)]
    return [finding for finding in [*found, _xlnet(studies)] if finding is not None]


def _fewer(model: str, own: Studies) -> Finding | None:
    sizes: dict[str, dict[str, tuple[float, float]]] = {"morphology": {}, "syntax": {}}
    near = ""
    for facts, tables in own:
        if facts.kind and (table := there(tables, "minimal")) is not None:
            row = next(iter(facts.of_main(table).values())).sort_values("delta").iloc[0]
            near = f"within {row['delta']:g} points of all"
            sizes[facts.kind][_named(facts)] = (float(row["n"]), 0.0)
    claim = "morphology needs fewer neurons than syntax"
    return _contrast(model, sizes, claim, f"Neurons {near}", ",.0f")


def _lower(model: str, own: Studies) -> Finding | None:
    means: dict[str, dict[str, tuple[float, float]]] = {"morphology": {}, "syntax": {}}
    for facts, tables in own:
        if facts.kind and (table := there(tables, "layers")) is not None:
            rows = next(iter(facts.of_main(table).values()))
            layer, count = rows["layer"].to_numpy(float), rows["selected"].to_numpy(float)
            if count.sum() > 1:
                mean = float(np.average(layer, weights=count))
                spread = float(np.average((layer - mean) ** 2, weights=count))
                means[facts.kind][_named(facts)] = (mean, NORMAL * (spread / count.sum()) ** 0.5)
    claim = "morphology sits in lower layers than syntax"
    return _contrast(model, means, claim, "Mean layer of the neurons, with its 95% interval", ".1f")


def _contrast(
    model: str, values: dict[str, dict[str, tuple[float, float]]], claim: str, what: str, form: str
) -> Finding | None:
    """Check that all label columns of morphology lie below all of syntax, beyond the intervals."""
    low, high = values["morphology"].values(), values["syntax"].values()
    if not low or not high:
        return None
    said = "; ".join(
        f"{label} ({kind}) {value:{form}}" + (f" ± {half:{form}}" if half else "")
        for kind, members in values.items()
        for label, (value, half) in members.items()
    )
    # Intervals of the difference of two means, as the halves of both are known.
    holds = all(b - a > np.hypot(half_a, half_b) for a, half_a in low for b, half_b in high)
    end = f"As {PAPER} report." if holds else f"Against {PAPER}, this order does not show."
    return Finding(f"{model}: {claim}", f"{what}: {said}. {end}", bool(holds))


def _xlnet(studies: Studies) -> Finding | None:
    """Compare localisation of XLNet and BERT on the label columns that both have."""
    found: dict[str, dict[tuple[str, str, str], dict[str, Any]]] = {"xlnet": {}, "bert": {}}
    for facts, tables in studies:
        name = facts.model.lower()
        family = "xlnet" if "xlnet" in name else "bert" if name.startswith("bert") else None
        table = there(tables, "localisation")
        if family is None or table is None:
            continue
        for row in next(iter(facts.of_main(table).values())).to_dict("records"):
            found[family].setdefault((row["index"], facts.corpus, facts.label), row)
    both = [key for key in found["xlnet"] if key in found["bert"]]
    if not both:
        return None
    said, count = [], 0
    for index in dict.fromkeys(key[0] for key in both):
        pairs = [(found["xlnet"][key], found["bert"][key]) for key in both if key[0] == index]
        ours, theirs = (np.mean([pair[side]["value"] for pair in pairs]) for side in (0, 1))
        higher = sum(x["low"] > b["high"] for x, b in pairs)
        lower = sum(x["high"] < b["low"] for x, b in pairs)
        count += higher
        said.append(
            f"{index.replace('_', ' ')} {ours:.2f} against {theirs:.2f}, higher beyond the "
            f"intervals on {higher} of {len(pairs)} label columns, lower on {lower}"
        )
    holds = count == len(both)
    end = f"As {PAPER} report." if holds else f"Against {PAPER}, this does not show throughout."
    text = f"XLNet against BERT, means over label columns: {'; '.join(said)}. {end}"
    return Finding("XLNet’s neurons are more localised than BERT’s", text, holds)


def _share(rows: Frame, places: list[int], column: str) -> float:
    """Return the share of a column's sum that some layers have."""
    total = rows[column].sum()
    return float(rows[rows["layer"].isin(places)][column].sum() / total) if total > 0 else 0.0


def _rank_test(a: np.ndarray, b: np.ndarray) -> float:
    """Return p of the two-sided Mann-Whitney test."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(a, b, alternative="two-sided").pvalue)


def _named(facts: NeuronFacts) -> str:
    return f"{facts.label} in {facts.corpus}"
