"""The senses of a word in WordNet's database files (wndb(5WN), senseidx(5WN), morphy(7WN)).

`index.sense` has a line for each sense, `lemma%type:file:...  offset  number  count`: its part of
speech, its lexicographer file, its synset, its rank by frequency, and how often it was met in
tagged text. `lexnames` names the files. `*.exc` lists irregular forms. `data.noun` spells names
with their capitals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tunescope.concepts.human.wordnet_places import Database
from tunescope.errors import InputError

TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
"""Number of a sense's type, to its part of speech; 5 is a satellite adjective."""

EXCEPTIONS = {"n": "noun.exc", "v": "verb.exc", "a": "adj.exc", "r": "adv.exc"}

ENDINGS = {
    "n": ("s ", "ses s", "xes x", "zes z", "ches ch", "shes sh", "men man", "ies y"),
    "v": ("s ", "ies y", "es e", "es ", "ed e", "ed ", "ing e", "ing "),
    "a": ("er ", "est ", "er e", "est e"),
    "r": (),
}
"""Rules of detachment: an ending, and what stands for it in the lemma."""


class Sense(NamedTuple):
    """One sense of a lemma in one part of speech."""

    number: int
    met: int
    file: str
    offset: str


@dataclass(frozen=True, eq=False)
class Senses:
    """What WordNet knows of words.

    Parameters
    ----------
    senses : dict of (str, str) to list of Sense
        By lemma and part of speech (n, v, a, r), the most frequent first.
    irregular : dict of (str, str) to list of str
        Lemmas by form and part of speech.
    names : set of (str, str)
        Lemma and synset of the nouns written with a capital.
    """

    senses: dict[tuple[str, str], list[Sense]]
    irregular: dict[tuple[str, str], list[str]]
    names: set[tuple[str, str]]

    @classmethod
    def read(cls, database: Database) -> Senses:
        """Read the files.

        Raises
        ------
        InputError
            If a line is not as WordNet's are.
        """
        files: dict[str, str] = {}
        senses: dict[tuple[str, str], list[Sense]] = {}
        name, number = "lexnames", 0
        try:
            for number, line in enumerate(database.lines(name), 1):  # noqa: B007 (for the message)
                code, file = line.split()[:2]
                files[f"{int(code):02d}"] = file
            name = "index.sense"
            for number, line in enumerate(database.lines(name), 1):  # noqa: B007
                key, offset, rank, met = line.split()
                lemma, _, rest = key.rpartition("%")
                kind, code = rest.split(":", 2)[:2]
                sense = Sense(int(rank), int(met), files[code], offset)
                senses.setdefault((lemma, TYPES[kind]), []).append(sense)
        except (ValueError, KeyError):
            raise InputError(
                f"{database.place}: line {number} of {name} is not one of WordNet's"
            ) from None
        if not senses:
            raise InputError(f"{database.place}: index.sense of WordNet is empty")
        for found in senses.values():
            found.sort()
        irregular: dict[tuple[str, str], list[str]] = {}
        for part, file in EXCEPTIONS.items():
            for line in database.lines(file):
                form, *lemmas = line.split()
                irregular[form, part] = lemmas
        return cls(senses, irregular, set(_names(database)))

    def of(self, form: str, part: str, *, names: bool = False) -> list[Sense]:
        """Return the senses of a word form in one part of speech, the most frequent first.

        The lemma is the first that WordNet has: of an irregular form, the form itself, and what is
        left without an inflectional ending. Blanks are written `_`, and a hyphenated word is also
        looked up as several words and as one.

        Parameters
        ----------
        form : str
            In any case.
        part : {"n", "v", "a", "r"}
            Noun, verb, adjective or adverb.
        names : bool
            Only senses that are written with a capital.
        """
        lower = form.lower().replace(" ", "_")
        spellings = [lower]
        if "-" in lower.strip("-"):
            spellings += [lower.replace("-", "_"), lower.replace("-", "")]
        for spelling in spellings:
            for lemma in self._lemmas(spelling, part):
                found = self.senses.get((lemma, part), [])
                if names:
                    found = [sense for sense in found if (lemma, sense.offset) in self.names]
                if found:
                    return found
        return []

    def _lemmas(self, form: str, part: str) -> Iterator[str]:
        yield from self.irregular.get((form, part), [])
        yield form
        if part == "n" and (form.endswith("ss") or len(form) <= 2):
            return
        for rule in ENDINGS[part]:
            ending, _, instead = rule.partition(" ")
            if form.endswith(ending) and len(form) > len(ending):
                yield form.removesuffix(ending) + instead


def _names(database: Database) -> Iterator[tuple[str, str]]:
    """Yield lemma and synset of the nouns that are written with a capital."""
    for line in database.lines("data.noun"):
        if line.startswith(" "):  # the licence
            continue
        offset, _, _, size, *rest = line.split(" ")
        for word in rest[: 2 * int(size, 16) : 2]:
            if (lower := word.lower()) != word:
                yield lower, offset
