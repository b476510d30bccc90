"""The result of projecting words, read back from disk.

A folder written by `project` has `manifest.json`, `points.parquet`, `layers.parquet` and, as a
corpus, the words drawn in any layer with their sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Project, Step

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Projection(StepResult):
    """Words of every layer in two dimensions, of a base and a tuned model or of one model.

    Parameters
    ----------
    path : Path
        Folder written by `project`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Project

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.manifest.facts["corpus"]

    @property
    def models(self) -> dict[str, str]:
        """Display name of the model of each role: "base" and, where there is one, "tuned"."""
        return self.manifest.facts["models"]

    @property
    def layer_numbers(self) -> tuple[int, ...]:
        """Layers that are drawn; 0 is the embedding layer."""
        return tuple(self.manifest.facts["layers"])

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row per layer: how many words, and how far the picture is to be believed.

        Columns layer, n_words (drawn), trustworthiness (of all points), random (the same of the
        picture with its points exchanged at random), trustworthiness_base and
        trustworthiness_tuned (of the points of one model among themselves; NaN without the model),
        explained (share of the variance, of `pca`).
        """
        return read_frame(self.path / "layers.parquet")

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row per layer, role and word drawn.

        Columns layer, role, row (of the word in the stores), concept (its number at this layer of
        this model; -1 without concepts), x and y.
        """
        return read_frame(self.path / "points.parquet")

    @cached_property
    def words(self) -> Corpus:
        """The words drawn in any layer, in the order of `rows`, with the sentences they are in."""
        return Corpus.load(self.path)

    @cached_property
    def rows(self) -> np.ndarray:
        """Row of each of `words` in the stores, ascending, shape (n_words,)."""
        return np.unique(self.points["row"].to_numpy())

    def layer(self, number: int) -> pd.DataFrame:
        """Return the points of one layer with their words.

        Parameters
        ----------
        number : int
            The layer.

        Returns
        -------
        pandas.DataFrame
            Columns of `points`, then form, sentence (text), a column for each label of the words,
            and `class` and `predicted` of the sentences where they have them.

        Raises
        ------
        InputError
            If the layer is not drawn.
        """
        if number not in self.layer_numbers:
            listed = ", ".join(map(str, self.layer_numbers))
            raise InputError(f"{self.path} has layers {listed}, not {number!r}")
        import pandas as pd

        points = self.points
        found = pd.DataFrame(points[points["layer"] == number]).reset_index(drop=True)
        words, place = self.words, np.searchsorted(self.rows, found["row"])
        sentence = words.words["sentence"].to_numpy()[place]
        texts = np.array([" ".join(w) for w in words.sentences["words"].to_pylist()], object)
        found["form"] = words.values("form")[place]
        found["sentence"] = texts[sentence]
        for label in words.labels:
            found[label] = words.values(label)[place]
        for column in ("class", "predicted"):
            if column in words.sentences.column_names and column not in found:
                found[column] = words.of_sentence(column)[sentence]
        return found

    def headline(self) -> str:
        """Return models, corpus, method, and the layer whose picture is to be believed least."""
        frame, names = self.layers, " and ".join(self.models.values())
        least = frame.loc[frame["trustworthiness"].idxmin()]
        return (
            f"Map of {names} on {self.corpus!r} ({self.step.method}): {len(frame)} layers; "
            f"trustworthiness {least['trustworthiness']:.3f} or more (at random "
            f"{least['random']:.3f})"
        )

    def table(self) -> pd.DataFrame:
        """Return `layers` without the columns that have no value."""
        frame = self.layers
        known = frame.notna().any().to_numpy()
        return frame.loc[:, known]
