"""What every ranking is: a frozen dataclass of options, called with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.parameters import check_types


@dataclass(frozen=True)
class RankingMethod:
    """Base of the rankings; checks the types of the options when made.

    Attributes
    ----------
    name : str
        As in `RANKINGS`.
    needs_probe : bool
        Whether it reads `Evidence.coefficients`.
    needs_others : bool
        Whether it reads `Evidence.others`, the same words in other models.
    scale_free : bool
        Whether it ranks the same however each neuron is shifted and scaled.
    """

    name: ClassVar[str]
    needs_probe: ClassVar[bool] = False
    needs_others: ClassVar[bool] = False
    scale_free: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_types(self, f"ranking {self.name!r}")

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank all neurons, overall and for each label."""
        raise NotImplementedError(f"ranking {self.name!r} cannot be called")
