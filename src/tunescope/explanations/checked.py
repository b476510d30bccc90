"""What was found when salient words were taken out of texts: read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import pandas as pd

from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import CheckExplanations, Step


@dataclass(frozen=True, eq=False)
class ExplanationCheck(StepResult):
    """Effects of taking out salient words beside those of random ones.

    Parameters
    ----------
    path : Path
        Folder written by `check_explanations`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = CheckExplanations

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What is lost with words, in the mean over texts.

        Columns `model`; `measure` ("deleted": without the words, "kept": with nothing but them);
        `words` ("salient", "random": as many, or "difference": salient less random); `n` texts;
        `drop`, the probability that the predicted class loses, and `flips`, the share of texts
        whose predicted class changes, each with `_low` and `_high`, its confidence interval over
        texts, and of the difference `_p`, by flipping signs. Faithful are salient words whose
        difference is above 0 when they are deleted and below 0 when they are kept.
        """
        return read_frame(self.path / "effects.parquet")

    @cached_property
    def texts(self) -> pd.DataFrame:
        """One row per text, measure and set of words.

        Columns `text` (number among those given), `n_words`, `n_salient`, `p` (of the predicted
        class), `measure`, `words` ("salient" or "random"), and over the draws the means `p_after`
        (of that class) and `flipped`.
        """
        paths = sorted((self.path / "texts").glob("*.parquet"))
        return pd.concat([read_frame(path) for path in paths], ignore_index=True)

    def headline(self) -> str:
        """Return the model, on how many texts, and what deletion did."""
        facts, effects = self.manifest.facts, self.effects.set_index(["measure", "words"])
        drops = {name: effects.loc[("deleted", name)] for name in ("salient", "random")}
        gap = effects.loc[("deleted", "difference")]
        return (
            f"Explanations of {facts['model']} on {facts['n_texts']:,} of {facts['texts']!r}: "
            f"without its salient words the class predicted loses {drops['salient']['drop']:.3f} "
            f"of its probability, without random ones {drops['random']['drop']:.3f} (difference "
            f"{gap['drop']:.3f} [{gap['drop_low']:.3f}, {gap['drop_high']:.3f}])"
        )

    def table(self) -> pd.DataFrame:
        """Return the effects without the model."""
        return self.effects.drop(columns="model")
