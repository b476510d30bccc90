"""WordNet's lexicographer files: noun.food, verb.motion, adj.all (Fellbaum 1998; lexnames(5WN))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from tunescope.concepts.human.kind import HumanConcept, split_by, types_of
from tunescope.concepts.human.wordnet_places import find_wordnet
from tunescope.concepts.human.wordnet_senses import Sense, Senses
from tunescope.concepts.human.wordnet_tags import FUNCTION_WORDS, NAME, TAGS, UNTAGGED
from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


@dataclass(frozen=True)
class WordNet(HumanConcept):
    """The lexicographer file of a word's most frequent sense, or those of all its senses.

    A word that WordNet does not have is one that nothing is known of.

    Parameters
    ----------
    wordnet
        Folder or zip with WordNet's database files; looked for when not given.
    senses
        Label the `first` sense, WordNet's most frequent one, or `all`.
    pos
        Label column with Universal Dependencies' or Penn Treebank's part of speech, by which only
        senses of that part of speech are taken, and of proper nouns only names. `auto` takes
        `upos` where the words have it. Without one (`none`), the most frequent sense of any part
        of speech counts, and English function words carry no label.
    """

    name: ClassVar[str] = "wordnet"
    argument: ClassVar[str | None] = "wordnet"
    complete: ClassVar[bool] = False
    wordnet: str | None = None
    senses: Literal["first", "all"] = "first"
    pos: str = "auto"

    @property
    def single(self) -> bool:
        """Whether only the first sense is labelled."""
        return self.senses == "first"

    def __call__(self, words: Corpus) -> LabelSets:
        """Look each pair of type and part of speech up once."""
        known = Senses.read(find_wordnet(self.wordnet))
        forms, codes = types_of(words)
        tags, tag_codes = self._tags(words)
        types, numbers_of_tags, numbers = split_by(codes, tag_codes)
        sets = [
            self._files(known, forms[number], tags[tag])
            for number, tag in zip(types, numbers_of_tags, strict=True)
        ]
        return LabelSets.of_sets(sets).take(numbers)

    def _tags(self, words: Corpus) -> tuple[list[str | None], np.ndarray]:
        """Return the different tags, and the number of each word's."""
        column = self.pos
        if column == "auto":
            column = "upos" if "upos" in words.labels else "none"
        if column == "none":
            return [None], np.zeros(words.n_words, np.int64)
        values = words.values(column)
        tags = [None, *sorted({tag for tag in values if tag is not None})]
        if len(tags) > 1 and not any(tag in TAGS for tag in tags):
            raise InputError(
                f"concept 'wordnet': column {column!r} holds {tags[1]!r}, and no part of speech as "
                "Universal Dependencies or the Penn Treebank have them; set pos = 'none'"
            )
        number = {tag: i for i, tag in enumerate(tags)}
        return tags, np.array([number[tag] for tag in values], np.int64)

    def _files(self, known: Senses, form: str, tag: str | None) -> set[str]:
        """Return the lexicographer files of a form."""
        if tag is None and form.lower() in FUNCTION_WORDS:
            return set()
        found: list[tuple[int, int, Sense]] = []
        for order, part in enumerate(UNTAGGED if tag is None else TAGS.get(tag, ())):
            senses = known.of(form, "n" if part == NAME else part, names=part == NAME)
            if self.senses == "all":
                found += [(0, 0, sense) for sense in senses]
            elif senses:  # the part of speech with more occurrences in tagged text, else in order
                found.append((-senses[0].met, order, senses[0]))
        if self.senses == "first":
            found = [min(found)] if found else []
        return {sense.file for _, _, sense in found}
