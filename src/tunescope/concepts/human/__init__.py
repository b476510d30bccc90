"""Human-defined concepts that are computed from words (Durrani et al. 2022, arXiv 2210.12696)."""

from tunescope.concepts.human.kinds import HUMAN
from tunescope.concepts.human.labels import column_of, human_labels

__all__ = ["HUMAN", "column_of", "human_labels"]
