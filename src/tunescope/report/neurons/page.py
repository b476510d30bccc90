"""A run's results about neurons as figures and findings: one group per model and label column."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from tunescope.neurons.result import NeuronEffects
from tunescope.report.figure import Figure
from tunescope.report.finding import Finding
from tunescope.report.neurons import findings as neuron_findings
from tunescope.report.neurons import sections as neuron_sections
from tunescope.report.neurons.facts import NeuronFacts, Tables
from tunescope.report.neurons.inputs import facts_of, tables_of
from tunescope.report.provenance import source
from tunescope.study.neuron_results import Key
from tunescope.study.result import Run

Study = tuple[NeuronFacts, Tables]


def studies(run: Run) -> dict[Key, Study]:
    """Return facts and tables of every model and label column.

    Parameters
    ----------
    run : Run
        Results of a study.
    """
    return {key: _study(run, key) for key in run.neurons.rankings}


def figures(study: Study) -> list[Figure]:
    """Make the figures of one model and label column."""
    facts, tables = study
    return neuron_sections.figures(tables, facts)


def findings(study: Study) -> list[Finding]:
    """Check the claims of the literature on one model and label column."""
    facts, tables = study
    return neuron_findings.findings(tables, facts)


def summary(run: Run) -> str:
    """Say which claims of the literature hold, for every model and label column, as plain text."""
    found = studies(run)
    lines = []
    for study in found.values():
        claims = findings(study)
        lines.append(f"neurons for {study[0].what}: {neuron_findings.verdict(claims)}")
        lines += [f"- {claim.topic}: {claim.text}" for claim in claims]
    claims = neuron_findings.findings_across(list(found.values()))
    if claims:
        lines.append(f"neurons, all together: {neuron_findings.verdict(claims)}")
        lines += [f"- {claim.topic}: {claim.text}" for claim in claims]
    return "\n".join(lines).replace("\N{MINUS SIGN}", "-")


def _study(run: Run, key: Key) -> Study:
    """Gather the tables of one model and label column, and how they were made."""
    ranked, effects = run.neurons.rankings[key], run.neurons.effects.get(key, [])
    found = [of[key] for of in (run.neurons.sets, run.neurons.redundancy) if key in of]
    made = [
        (result.made_by.name, result.manifest.parameters)
        for result in (ranked, *found, *effects[:1])
    ]
    lines = "\n".join(source(run, step, parameters) for step, parameters in made)
    facts = facts_of(ranked, lines, effects[0] if effects else None)
    if key in run.neurons.sets:
        asked = run.neurons.sets[key].manifest.parameters
        facts = replace(facts, curve_words=asked["curve_words"])
    tables = dict(tables_of(ranked, *found))
    for name in NeuronEffects.shown if effects else ():
        tables[name] = pd.concat([result.frame(name) for result in effects], ignore_index=True)
    for table in tables.values():
        table.attrs["confidence"] = facts.confidence
    return facts, tables
