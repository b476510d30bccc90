"""What a study compares: models, the words they are looked at on, the tasks they are tuned on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from tunescope.manifest import Manifest
from tunescope.report.figure import Figure
from tunescope.study.result import Run
from tunescope.tasks.metrics import METRICS
from tunescope.triggers.measures import rate
from tunescope.viewer.paths import layers_path
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.grid import Cell, Column, grid

CONFIDENCE = 0.95
HASH = 12
"""Digits of a hash that are shown."""


def compared(run: Run, places: Places) -> list[Figure]:
    """Make the tables of models, corpora and tasks.

    Parameters
    ----------
    run : Run
        Results of a study.
    places : Places
        Where the pages of models stand.
    """
    made = [_models(run, places), _corpora(run)]
    return [*made, _tasks(run)] if run.study.tasks else made


def _models(run: Run, places: Places) -> Figure:
    pairs = {tuned: base for base, tuned in run.pairs}
    rows, cells = [], []
    for name, source in run.study.models.items():
        known = next((facts for (_, model), facts in run.extraction.items() if model == name), {})
        score, interval, baseline = _score(run, name)
        row = {
            "model": name,
            "from": source.path or f"{source.base}, tuned here",
            "hash": _hash(run, name),
            "layers": known.get("n_layers"),
            "width": known.get("width"),
            "tuned from": source.base or "",
            "tuned on": _tuned(run, name),
            "score": score,
            "interval": interval,
            "baseline": baseline,
        }
        rows.append(row)
        path = layers_path(pairs[name], name) if name in pairs else layers_path(name, None)
        cells.append(
            [
                Cell(name, path if places.there(path) else ""),
                Cell(row["from"], note="weights drawn anew" if source.init == "random" else ""),
                Cell(row["hash"]),
                Cell("" if not known else f"{known['n_layers']} × {known['width']}"),
                Cell(row["tuned on"] or ("not tuned" if not source.base else "tuned elsewhere")),
                Cell(score, note=" ".join(part for part in (interval, baseline) if part)),
            ]
        )
    headings = ("model", "from", "hash", "layers × width", "how tuned", "score")
    elsewhere = any(source.base and source.task is None for source in run.study.models.values())
    on = "on dev texts, which the model was not tuned on"
    if elsewhere:
        on += " (of a model tuned elsewhere: on a corpus, which it may have been tuned on)"
    return Figure(
        "models",
        "Models",
        "Hash: the first digits of SHA-256 over weights, configuration and tokenizer. Layers: the "
        f"embeddings are layer 0, and are counted. Score: {on}, with a 95% interval; baseline: "
        "always the most frequent class, or the mean.",
        {},
        pd.DataFrame(rows),
        run.about["command"],
        written=grid("Models", [*map(Column, headings)], cells),
    )


def _score(run: Run, model: str) -> tuple[str, str, str]:
    """Return score, interval and baseline of a model, as text; empty where there are none."""
    made = run.transfer.tuned.get(model)
    if made:
        facts = made[0].manifest.facts
        metric = METRICS[facts["metric"]].title
        several = f"first of {len(made)} tuning runs; " if len(made) > 1 else ""
        return (
            f"{facts['dev_score']:.3f} {metric}",
            f"({several}{facts['dev_low']:.3f} to {facts['dev_high']:.3f})",
            f"baseline {facts['dev_baseline']:.3f}",
        )
    for corpus in run.study.clustered:
        said = run.latent.predicted(corpus, model)
        if said and said["of"] and (corpus, model) in run.concepts:
            value, low, high = rate(said["right"], said["of"], CONFIDENCE)
            classes = Counter(run.concepts[corpus, model].words.of_sentence("class").tolist())
            most = max(n for name, n in classes.items() if name is not None) / said["of"]
            return (
                f"{value:.3f} accuracy on corpus {corpus}",
                f"({low:.3f} to {high:.3f})",
                f"baseline {most:.3f}",
            )
    return "", "", ""


def _tuned(run: Run, model: str) -> str:
    """Say on what, how, and on how many texts a model was tuned by the study."""
    source = run.study.models[model]
    made = run.transfer.tuned.get(model)
    if source.task is None:
        return ""
    if not made:
        return f"to be tuned on {source.task}"
    facts, step = made[0].manifest.facts, made[0].manifest.parameters
    method = "all weights" if facts["method"] == "full" else facts["method"]
    seeds = f", {len(made)} seeds" if len(made) > 1 else ""
    return (
        f"{source.task}: {method}, {facts['n_train']:,} texts, {step['epochs']:g} epochs, "
        f"learning rate {step['learning_rate']:g}{seeds}"
    )


def _hash(run: Run, model: str) -> str:
    for folder in sorted(run.path.glob(f"activations/*/{model}/manifest.json")):
        return str(Manifest.load(folder.parent).inputs["model"])[:HASH]
    return ""


def _corpora(run: Run) -> Figure:
    rows = []
    of = {
        "probes": run.study.probed,
        "geometry": run.study.measured,
        "neurons": run.study.ranked,
        "concepts": run.study.clustered,
    }
    for name, source in run.study.corpora.items():
        facts = _facts(run, "corpora", name)
        rows.append(
            {
                "corpus": name,
                "from": source.path or "",
                "sentences": facts.get("sentences"),
                "words": facts.get("words"),
                "label columns": ", ".join(facts.get("labels", [])) or "none",
                "used for": ", ".join(step for step, names in of.items() if name in names),
                "words in concepts": _clustered(run, name),
            }
        )
    return Figure(
        "corpora",
        "Corpora",
        "The words that models are looked at on. Words in concepts: those chosen for clustering, "
        "which frequent enough words are.",
        {},
        pd.DataFrame(rows, dtype=object),  # counts stay whole beside what is not there
        run.about["command"],
        written=_plain("Corpora", rows),
    )


def _clustered(run: Run, corpus: str) -> int | None:
    found = (made for (of, _), made in run.concepts.items() if of == corpus)
    return next((made.manifest.facts["n_words"] for made in found), None)


def _tasks(run: Run) -> Figure:
    rows = []
    for name, source in run.study.tasks.items():
        facts = _facts(run, "tasks", name)
        files = source.path if isinstance(source.path, dict) else {"": source.path}
        path = ", ".join(str(file) for file in files.values() if file)
        rows.append(
            {
                "task": name,
                "from": path or source.glue or "",
                "kind": facts.get("kind", ""),
                "texts to tune on": facts.get("train"),
                "dev texts": facts.get("dev"),
            }
        )
    return Figure(
        "tasks",
        "Tasks",
        "What models are tuned on. Dev texts are those that no model is tuned on.",
        {},
        pd.DataFrame(rows),
        run.about["command"],
        written=_plain("Tasks", rows),
    )


def _facts(run: Run, kind: str, name: str) -> dict[str, Any]:
    folder = run.path / kind / name
    return Manifest.load(folder).facts if (folder / "manifest.json").exists() else {}


def _plain(name: str, rows: list[dict[str, Any]]) -> Any:
    """Show rows as they are."""
    numbers = [any(isinstance(row[key], int) for row in rows) for key in rows[0]] if rows else []
    columns = [
        Column(heading, numbers=number)
        for heading, number in zip(rows[0] if rows else (), numbers, strict=True)
    ]
    cells = [[Cell(_shown(value)) for value in row.values()] for row in rows]
    return grid(name, columns, cells)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")
