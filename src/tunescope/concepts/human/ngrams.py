"""Character n-grams that a word contains (Dalvi et al. 2022, arXiv 2205.07237)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tunescope.concepts.human.affixes import fold
from tunescope.concepts.human.kind import HumanConcept, frequent, types_of
from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


@dataclass(frozen=True)
class Ngram(HumanConcept):
    """Every character n-gram within the word, upper and lower case alike.

    Parameters
    ----------
    ngram_range
        Shortest and longest n-gram, in characters.
    min_types
        An n-gram counts when at least this many different words contain it: a concept needs more
        than 5 word types anyway.
    """

    name: ClassVar[str] = "ngram"
    ngram_range: tuple[int, int] = (3, 4)
    min_types: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least("min_types", 1)
        if len(self.ngram_range) != 2 or not 1 <= self.ngram_range[0] <= self.ngram_range[1]:
            raise InputError(
                f"concept 'ngram': ngram_range = {self.ngram_range!r} must be the shortest and "
                "the longest n-gram, such as (3, 4)"
            )

    @property
    def single(self) -> bool:
        """Words hold several."""
        return False

    def __call__(self, words: Corpus) -> LabelSets:
        """Cut up each different word once."""
        forms, codes = types_of(words)
        folded = [fold(form) for form in forms]
        grams = {form: ngrams(form, *self.ngram_range) for form in folded}
        kept = frequent(grams, self.min_types)
        sets = LabelSets.of_sets([grams[form] & kept for form in folded], complete=True)
        return sets.take(codes)


def ngrams(form: str, low: int, high: int) -> set[str]:
    """Return the different n-grams of `low` to `high` characters in a form."""
    return {
        form[start : start + n] for n in range(low, high + 1) for start in range(len(form) - n + 1)
    }
