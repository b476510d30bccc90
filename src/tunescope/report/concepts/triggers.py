"""Figures of triggers: beside baselines, over layers, which concepts make strong ones, examples."""

from __future__ import annotations

from functools import partial

import pandas as pd

from tunescope.report.figure import Figure, slug
from tunescope.report.figures import triggers as draw
from tunescope.report.finding import Finding
from tunescope.report.provenance import source as producer
from tunescope.report.wording import percent, spread
from tunescope.study.result import Run
from tunescope.triggers.findings import LEVEL, main_rows
from tunescope.triggers.result import TriggerTable

PLACE = ["position", "part"]
SPOTS = {"before": "before", "after": "after", "middle": "in the middle of"}


def figures(run: Run, corpus: str, found: TriggerTable) -> list[Figure]:
    """Make the figures of the triggers against one model.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus its concepts come from.
    found : TriggerTable
        The triggers.
    """
    made = []
    places = found.tried[PLACE].drop_duplicates().itertuples(index=False)
    for position, part in places:
        made += _place(run, corpus, found, str(position), str(part))
    return made


def finding(found: TriggerTable, corpus: str) -> Finding | None:
    """Say whether words of concepts flip more predictions than random ones do.

    Parameters
    ----------
    found : TriggerTable
        The triggers.
    corpus : str
        For the topic.
    """
    said = found.findings()
    if not said:
        return None
    rows = main_rows(found.comparisons)
    beats = (rows["p_holm"] < LEVEL) & (rows["difference"] > 0)
    return Finding(f"triggers in {corpus}", " ".join(said), bool(len(rows) and beats.all()))


def _place(run: Run, corpus: str, found: TriggerTable, position: str, part: str) -> list[Figure]:
    step, facts = found.manifest.parameters, found.facts
    best, tried, concepts, correlations, examples = (
        _at(frame, position, part)
        for frame in (
            found.best, found.tried, found.concepts, found.correlations, found.examples
        )
    )  # fmt: skip
    pairs = facts["n_parts"] == 2
    where = f"{SPOTS[position]} the {part} text" if pairs else f"{SPOTS[position]} the text"
    name = slug(facts["model"], corpus, position, part)
    source = producer(run, "triggers", step)
    words = "word" if step["n_words"] == 1 else "words"
    rule = (
        f"Triggers of {step['n_words']} {words} are put {where}. Chosen on "
        f"{facts['n_choosing']:,} texts, reported on {facts['n_held_out']:,} others, of these on "
        "those predicted to be of another class."
    )
    interval = f"{percent(step['confidence'])} intervals (Wilson)"
    lacking = "".join(
        f" Left out: {_left_out(key)} ({why})." for key, why in facts.get("left_out", {}).items()
    )
    table = pd.DataFrame(best[(best["scope"] == "all") & (best["by"] == "predicted")])
    columns = ["towards", "method", "trigger", "layer", "concept", "tried", "choosing_rate", "n"]
    columns += ["flip_rate", "flip_low", "flip_high", "drop", "drop_low", "drop_high"]
    made = [
        Figure(
            f"triggers-{name}",
            f"Words that flip predictions of {facts['model']} ({corpus})",
            f"The best trigger of each kind. {rule} {_kinds(table)}Tick: mean of all triggers "
            f"tried on the choosing texts. {interval}. All kinds had the same budget; they tried "
            f"{spread(table['tried'])} different triggers (see the table), fewer where words are "
            "few, more where HotFlip needs them for one round (best of). Accuracy: that of the "
            f"predictions that could flip, as annotated.{lacking}",
            {"flips by class": partial(draw.flips, best, tried)},
            pd.DataFrame(table[columns]),
            source,
            shown=_readable(table),
        )
    ]
    layers = draw.by_layer(best)
    if "concept" in set(layers["method"]):
        made.append(
            Figure(
                f"trigger-layers-{name}",
                f"Which layers' concepts make triggers ({corpus})",
                f"The best trigger from those concepts of each layer that follow the class. {rule} "
                "Dashed: the best of the random triggers that stand for those of the same layer; "
                f"the table has how many were tried. {interval}.",
                {"flips by layer": partial(draw.layers, best)},
                layers,
                source,
            )
        )
    if len(concepts) > 2:
        charts = {"share of its class": partial(draw.strength, concepts, tried, "class_share")}
        if bool(
            correlations["rho"].notna().to_numpy().any()
        ):  # of rates that are all alike there is none
            charts["traits"] = partial(draw.correlations, correlations)
        made.append(
            Figure(
                f"trigger-traits-{name}",
                f"Which concepts make strong triggers ({corpus})",
                "Each point is a concept that follows a class: how much of it comes from "
                "sentences of its class, and how many predictions its triggers flip on average, on "
                "the choosing texts. Dashed: the mean of random words. "
                + (
                    f"Below: Spearman’s rank correlation of traits with that rate over "
                    f"{len(concepts):,} concepts, with bootstrap intervals; concepts whose "
                    "triggers share words are drawn together."
                    if "traits" in charts
                    else "No trait can be correlated with a rate that is the same for all."
                ),
                charts,
                concepts,
                source,
            )
        )
    if len(examples):
        made.append(
            Figure(
                f"trigger-examples-{name}",
                f"Texts before and with the best triggers ({corpus})",
                "Not a sample: of the texts that the trigger was not chosen on, those that flip "
                "come first, and of these the ones where the probability rises most. It is that "
                "of the class the trigger is for.",
                {},
                examples,
                source,
                shown=_texts(examples),
            )
        )
    return made


KINDS = {
    "concept": "words of one concept that follows the class",
    "random": "words as frequent as those",
    "opposite": "words of a concept that follows another class",
    "lexicon": "the strongest words of a list",
    "hotflip": "subwords found by the model’s gradient (Wallace et al. 2019)",
}
"""What words each kind of trigger is made of."""


def _kinds(table: pd.DataFrame) -> str:
    """Say what the kinds of triggers in a table are."""
    met = [name for name in KINDS if name in set(table["method"])]
    said = "; ".join(f"{draw.METHODS[name][0]}: {KINDS[name]}" for name in met)
    return f"{said[:1].upper()}{said[1:]}. "


def _left_out(key: str) -> str:
    """Write a method and a class as on the page: "HotFlip towards positive"."""
    method, _, towards = key.partition(" ")
    return f"{draw.METHODS[method][0]} towards {towards}"


def _at(frame: pd.DataFrame, position: str, part: str) -> pd.DataFrame:
    here = (frame["position"] == position) & (frame["part"] == part)
    return pd.DataFrame(frame[here]).reset_index(drop=True)


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """Write the best triggers for reading."""
    rows = table.sort_values(["towards", "flip_rate"], ascending=[True, False], kind="stable")
    concepts = zip(rows["layer"], rows["concept"], strict=True)
    rates = zip(rows["flip_rate"], rows["flip_low"], rows["flip_high"], strict=True)
    return pd.DataFrame(
        {
            "towards": rows["towards"],
            "words from": [draw.METHODS[name][0] for name in rows["method"]],
            "trigger": rows["trigger"],
            "concept": [f"{n} at layer {at}" if n >= 0 else "" for at, n in concepts],
            "flips": [f"{percent(a)} ({percent(b)} to {percent(c)})" for a, b, c in rates],
            "accuracy lost": [percent(value) for value in rows["drop"]],
        }
    )


def _texts(examples: pd.DataFrame) -> pd.DataFrame:
    """Write examples for reading."""
    pairs = zip(examples["probability"], examples["probability_with"], strict=True)
    return pd.DataFrame(
        {
            "towards": examples["towards"],
            "with the trigger": examples["with_trigger"],
            "true class": examples["gold"],
            "predicted before": examples["predicted"],
            "predicted with it": examples["predicted_with"],
            "probability": [f"{a:.2f} → {b:.2f}" for a, b in pairs],
        }
    )
