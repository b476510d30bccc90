"""The parameters of every step, defined once.

A step is a frozen dataclass. Its fields are the flags on the command line, the keys of the study
file, what the manifest records and what the documentation lists. Nothing heavy is imported here, so
that `tunescope --help` stays instant.
"""

from tunescope.steps.concepts import Align, Concepts
from tunescope.steps.explain import CheckExplanations, Explain, MapConcepts
from tunescope.steps.geometry import Geometry
from tunescope.steps.labels import TagWords
from tunescope.steps.models import Extract, Finetune
from tunescope.steps.naming import Name
from tunescope.steps.neurons import Intervene, Rank, Reduce, Select
from tunescope.steps.probes import Probe
from tunescope.steps.project import Project
from tunescope.steps.prune import Prune
from tunescope.steps.step import Step, bounded
from tunescope.steps.trajectory import Stability, Trace
from tunescope.steps.triggers import Triggers

__all__ = [
    "STEPS", "Align", "Concepts", "CheckExplanations", "Explain", "Extract", "Finetune", "Geometry",
    "Intervene", "MapConcepts", "Name", "Probe", "Project", "Prune", "Rank", "Reduce", "Select",
    "Stability", "Step", "TagWords", "Trace", "Triggers",
    "bounded",
]  # fmt: skip

STEPS: dict[str, type[Step]] = {
    step.name: step
    for step in (
        Finetune,
        Extract,
        Probe,
        Geometry,
        Rank,
        Select,
        Reduce,
        Intervene,
        Concepts,
        Align,
        Project,
        Trace,
        Stability,
        TagWords,
        MapConcepts,
        Explain,
        CheckExplanations,
        Name,
        Triggers,
        Prune,
    )
}
