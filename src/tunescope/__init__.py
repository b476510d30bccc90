"""See what fine-tuning did to a language model.

Everything users call is reachable from here and loaded only when asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Corpus": "tunescope.corpus.table",
    "read_corpus": "tunescope.corpus.read",
    "Task": "tunescope.tasks.table",
    "TaskData": "tunescope.tasks.data",
    "read_task": "tunescope.tasks.read",
    "find_model": "tunescope.models.reference",
    "ModelSource": "tunescope.models.reference",
    "ModelRef": "tunescope.models.reference",
    "with_predictions": "tunescope.models.predictions",
    "finetune": "tunescope.models.finetune",
    "TunedModel": "tunescope.models.tuned",
    "extract": "tunescope.activations.extract",
    "ActivationStore": "tunescope.activations.store",
    "common_words": "tunescope.activations.store",
    "probe": "tunescope.probes.layerwise",
    "probe_columns": "tunescope.probes.layerwise",
    "LayerProbes": "tunescope.probes.result",
    "compare_probes": "tunescope.probes.compare",
    "ProbeComparison": "tunescope.probes.comparison",
    "ElasticNetProbe": "tunescope.probes.estimator",
    "LinearRegressionProbe": "tunescope.probes.regression",
    "compare_geometry": "tunescope.geometry.compare",
    "LayerGeometry": "tunescope.geometry.result",
    "linear_cka": "tunescope.geometry.cka",
    "procrustes_distance": "tunescope.geometry.procrustes",
    "prune": "tunescope.pruning.prune",
    "PrunedScores": "tunescope.pruning.result",
    "drop_layers": "tunescope.models.pruning",
    "which_layers": "tunescope.models.layer_rules",
    "block_similarities": "tunescope.pruning.contributions",
    "NeuronId": "tunescope.activations.neuron",
    "LabelledWords": "tunescope.neurons.words",
    "label_words": "tunescope.neurons.words",
    "Evidence": "tunescope.neurons.ranking",
    "Ranking": "tunescope.neurons.ranking",
    "rank": "tunescope.neurons.rank",
    "NeuronRankings": "tunescope.neurons.result",
    "compare_neurons": "tunescope.neurons.shift",
    "NeuronShift": "tunescope.neurons.shift_result",
    "select": "tunescope.neurons.select",
    "NeuronSets": "tunescope.neurons.result",
    "reduce": "tunescope.neurons.reduce",
    "NeuronRedundancy": "tunescope.neurons.result",
    "intervene": "tunescope.neurons.intervene",
    "NeuronEffects": "tunescope.neurons.result",
    "look_at": "tunescope.neurons.look",
    "NeuronView": "tunescope.neurons.view",
    "find_triggers": "tunescope.triggers.find",
    "TriggerTable": "tunescope.triggers.result",
    "Study": "tunescope.study.file",
    "run": "tunescope.study.run",
    "Run": "tunescope.study.result",
    "info": "tunescope.study.info",
    "export": "tunescope.viewer.export",
    "figures": "tunescope.viewer.figures",
    "select_words": "tunescope.concepts.selection",
    "discover_concepts": "tunescope.concepts.discover",
    "LayerConcepts": "tunescope.concepts.layer_concepts",
    "human_labels": "tunescope.concepts.human.labels",
    "annotate": "tunescope.concepts.human.annotate",
    "tag_words": "tunescope.concepts.human.tag",
    "ward": "tunescope.concepts.linkage.ward",
    "WardClustering": "tunescope.concepts.linkage.estimator",
    "cluster": "tunescope.concepts.cluster",
    "LeadersWard": "tunescope.concepts.leaders_ward",
    "align": "tunescope.concepts.alignment.align",
    "Alignment": "tunescope.concepts.alignment.result",
    "project": "tunescope.concepts.projection.step",
    "Projection": "tunescope.concepts.projection.result",
    "map_concepts": "tunescope.explanations.mapping",
    "ConceptMapper": "tunescope.explanations.mapper",
    "explain": "tunescope.explanations.explain",
    "Explainer": "tunescope.explanations.explain",
    "Explanations": "tunescope.explanations.explanation",
    "check_explanations": "tunescope.explanations.check",
    "ExplanationCheck": "tunescope.explanations.checked",
    "trace_concepts": "tunescope.concepts.trajectory.step",
    "ConceptTrace": "tunescope.concepts.trajectory.result",
    "concept_stability": "tunescope.concepts.stability.step",
    "ConceptStability": "tunescope.concepts.stability.result",
    "name_concepts": "tunescope.concepts.naming.name",
    "ConceptNames": "tunescope.concepts.naming.result",
    "export_conceptx": "tunescope.concepts.conceptx.exporting",
    "import_conceptx": "tunescope.concepts.conceptx.importing",
}

__all__ = ["__version__", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tunescope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
