"""The names of a model's concepts, read back from disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import pandas as pd

from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.errors import MismatchError
from tunescope.files import hash_json, read_frame
from tunescope.results import StepResult
from tunescope.steps import Name, Step

NAMES = (
    "layer", "concept", "name", "description", "status", "reason", "words", "n_contexts", "prompt",
    "model", "seconds",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ConceptNames(StepResult):
    """Names of concepts, and how each was got.

    Names come from a language model that was shown untrusted words: they are one plain line, but
    have to be escaped like any other text where they are shown.

    Parameters
    ----------
    path : Path
        Folder written by `name_concepts`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Name

    @cached_property
    def names(self) -> pd.DataFrame:
        """One row per concept that was asked about.

        Columns `layer`, `concept`, `name` ("" without one), `description` ("" where none was
        given), `status` (ok, refused, failed, empty, too_long), `reason` (why there is no name),
        `words` (those shown, joined by blanks), `n_contexts` (shown), `prompt` (hash of the
        conversation), `model` (that was asked), `seconds` (until its answer).
        """
        return read_frame(self.path / "names.parquet")

    @cached_property
    def checks(self) -> pd.DataFrame:
        """One row per forced choice (see `naming.check`); empty without `check`."""
        return read_frame(self.path / "checks.parquet")

    @cached_property
    def accuracy(self) -> pd.DataFrame:
        """Accuracy of the forced choices by layer, -1 being all; chance is 0.5."""
        return read_frame(self.path / "accuracy.parquet")

    def lookup(self) -> dict[tuple[int, int], str]:
        """Return the names there are, by (layer, concept)."""
        named = self.names.query("status == 'ok'")
        keys = zip(named["layer"].tolist(), named["concept"].tolist(), strict=True)
        return dict(zip(keys, named["name"].tolist(), strict=True))

    @property
    def hash(self) -> str:
        """Hash of the names there are: they grow where the key stays, as failures are made up."""
        return hash_json([[*key, name] for key, name in self.lookup().items()])

    def check_of(self, concepts: LayerConcepts) -> None:
        """Check that these are names of the concepts given.

        Parameters
        ----------
        concepts : LayerConcepts
            Concepts of one model.

        Raises
        ------
        MismatchError
            If they are of other concepts: of another model or corpus, or clustered otherwise.
        """
        if self.manifest.inputs["concepts"] == concepts.key:
            return
        facts, theirs = self.manifest.facts, (concepts.model, concepts.words.name)
        if (facts["concepts"], facts["corpus"]) == theirs:
            what = "another clustering of these (other words, vectors or parameters)"
        else:
            what = f"those of {facts['concepts']} on {facts['corpus']!r}"
        raise MismatchError(
            f"{self.path} names other concepts than those of {theirs[0]} on {theirs[1]!r} in "
            f"{concepts.path}: {what}. Give the names of these, or let them be named "
            "(tunescope name)"
        )

    def headline(self) -> str:
        """Return whose concepts, by which model, and how many were named."""
        facts = self.manifest.facts
        counts = facts["status"]
        rest = ", ".join(f"{n:,} {status}" for status, n in counts.items() if status != "ok" and n)
        text = (
            f"Names of concepts of {facts['concepts']} on {facts['corpus']!r} "
            f"by {self.step.model}: "
            f"{counts['ok']:,} of {sum(counts.values()):,} named" + (f" ({rest})" if rest else "")
        )
        if self.step.check and len(self.accuracy):
            total = self.accuracy.iloc[-1]
            if total["n_checked"]:
                text += (
                    f"; right in {total['accuracy']:.0%} [{total['low']:.0%}, {total['high']:.0%}] "
                    f"of {int(total['n_checked']):,} forced choices (chance 50%)"
                )
        return text

    def table(self) -> pd.DataFrame:
        """Return one row per concept: layer, concept, name, status, words."""
        return self.names.loc[:, ["layer", "concept", "name", "status", "words"]]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the names, and the accuracy of the check where there is one."""
        more = {"Forced choice (chance is 0.5)": self.accuracy} if self.step.check else {}
        return {"": self.table(), **more}
