"""How a run was made: versions, parameters, timings, and what a reader should be warned of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunescope.files import read_json
from tunescope.study.result import Run


def facts(run: Run) -> list[tuple[str, str]]:
    """Return name and value of what is known about the run and the page.

    Parameters
    ----------
    run : Run
        Results of a study.
    """
    about = run.about
    rows = [("Command", about["command"]), ("Seed", str(about["seed"]))]
    rows += [(name, str(number)) for name, number in sorted(about["versions"].items())]
    for name, tuned in run.tuning.items():
        known = tuned.manifest.facts
        kept = tuned.manifest.parameters.items()
        parameters = ", ".join(f"{k} = {v}" for k, v in kept if v is not None)
        rows.append((f"Tuning of {name}", f"{known['n_train']:,} texts; {parameters}"))
    for (corpus, model), known in run.extraction.items():
        rows.append((f"Vectors of {model} on {corpus}", f"{known['n_words']:,} words"))
    return rows


def source(run: Run, step: str, parameters: dict[str, Any]) -> str:
    """Return the command and a step's parameters, as in the study file."""
    shown = [f"{key} = {value!r}" for key, value in parameters.items() if value is not None]
    return f"{run.about['command']}   # [{step}] {', '.join(shown)}"


def timings(run: Run) -> list[tuple[str, float]]:
    """Return step and seconds, as far as they were kept."""
    path = run.path / "timings.json"
    return sorted(read_json(path).items(), key=lambda item: -item[1]) if path.exists() else []


def warnings(run: Run) -> list[str]:
    """Say what went wrong: what failed and was skipped, then what distorts figures.

    Parameters
    ----------
    run : Run
        Results of a study.

    Returns
    -------
    list of str
        One sentence each; empty when there is nothing to say.
    """
    found = [f"Failed: {job}: {reason}" for job, reason in run.failed.items()]
    found += [f"Skipped: {job}: {reason}" for job, reason in run.skipped.items()]
    return found + cautions(run)


def cautions(run: Run) -> list[str]:
    """Say what may distort figures: words without vectors, probes that did not converge.

    Parameters
    ----------
    run : Run
        Results of a study.
    """
    found: list[str] = []
    same: dict[tuple[str, str], list[str]] = {}
    for (corpus, model), known in run.extraction.items():
        for text in _extraction(known, run.study.extract.long):
            same.setdefault((corpus, text), []).append(model)
    found += [f"{corpus}, in {', '.join(names)}: {text}" for (corpus, text), names in same.items()]
    same = {}
    for (corpus, label, model), probes in run.probes.items():
        for text in _probes(probes.facts):
            same.setdefault((f"{label} in {corpus}", text), []).append(model)
    found += [f"Probes of {of}, {', '.join(names)}: {text}" for (of, text), names in same.items()]
    return found


def _probes(facts: Sequence[dict[str, Any]]) -> list[str]:
    found = []
    failed = [layer["layer"] for layer in facts if not layer["converged"]]
    if failed:
        listed = ", ".join(map(str, failed))
        found.append(
            f"{len(failed)} of {len(facts)} layers did not converge (layers {listed}); raise "
            "max_iterations."
        )
    unseen = max(layer["n_unseen"] for layer in facts)
    if unseen:
        found.append(
            f"{unseen:,} test words have a label that no training word has; they count as wrong."
        )
    return found


def _extraction(known: dict[str, Any], long: str) -> list[str]:
    found = []
    if known["words_cut_off"]:
        how = (
            "have more subwords than the model takes and are left out."
            if long == "windows"
            else 'lie beyond the length limit and are left out; long = "windows" keeps them.'
        )
        found.append(
            f"{known['words_cut_off']:,} of {known['n_words']:,} words, in "
            f"{known['sentences_cut_off']:,} sentences, {how}"
        )
    empty = known["words_without_subwords"]
    if empty:
        shown = ", ".join(f"“{word}”" for word in list(empty)[:5])
        shown += ", …" if len(empty) > 5 else ""
        found.append(
            f"the tokenizer has no subwords for {len(empty):,} word types "
            f"({sum(empty.values()):,} words: {shown}); it was given its unknown token for them."
        )
    return found
