"""The labels of one kind of human-defined concept, by name and options."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.concepts.human import HUMAN
from tunescope.concepts.human.kind import HumanConcept
from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError, nearest
from tunescope.parameters import make

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


def human_labels(words: Corpus, name: str, **options: Any) -> LabelSets:
    """Label words with a human-defined concept that is computed from them.

    Parameters
    ----------
    words : Corpus
        The words, a selection or all of a corpus.
    name : str
        `casing`, `first_word`, `last_word`, `suffix`, `prefix`, `ngram`, `subword:MODEL`,
        `wordnet` (or `wordnet:FOLDER`) or `words:LISTS`.
    **options
        Fields of the kind's class, such as `min_stem` for suffixes.

    Returns
    -------
    LabelSets
        Of all words, in their order. A word without a label is known to carry none
        (`LabelSets.complete`); only of words that WordNet does not have, nothing is known.

    Raises
    ------
    InputError
        If name or options are unknown, or what they need is not there.

    Examples
    --------
    >>> from tunescope.corpus.table import Corpus
    >>> words = Corpus.from_sentences([["NATO", "welcomes", "nationalization", "."]])
    >>> human_labels(words, "casing").values().tolist()
    ['UPPER', 'lower', 'lower', None]
    >>> human_labels(words, "suffix").names
    ('ization',)
    """
    return concept_of(name, options)(words)


def concept_of(name: str, options: dict[str, Any] | None = None) -> HumanConcept:
    """Make the concept of a name, which may have its argument behind a colon.

    Parameters
    ----------
    name : str
        As for `human_labels`.
    options : dict, optional
        Fields of the kind's class.

    Raises
    ------
    InputError
        If name or options are unknown.
    """
    kind, given = kind_of(name)
    values = dict(options or {})
    if given is not None:
        assert kind.argument is not None
        values[kind.argument] = given
    return make(kind, values, f"concept {kind.name!r}")


def kind_of(name: str) -> tuple[type[HumanConcept], str | None]:
    """Return the class of a name, and what is written behind its colon.

    Raises
    ------
    InputError
        If there is no such kind, or it takes nothing behind its name.
    """
    head, colon, rest = name.partition(":")
    if head not in HUMAN:
        raise InputError(f"there is no human-defined concept {head!r}; {nearest(head, HUMAN)}")
    kind = HUMAN[head]
    if colon and kind.argument is None:
        raise InputError(f"concept {name!r}: {head!r} takes nothing behind its name")
    return kind, rest if colon else None


def column_of(name: str) -> str:
    """Return a short name for tables: of word lists their file's, else the kind's.

    Parameters
    ----------
    name : str
        As for `human_labels`.
    """
    kind, given = kind_of(name)
    if kind.name == "words" and given:
        return Path(given).stem or kind.name
    return kind.name


def options_of(name: str) -> tuple[str, ...]:
    """Return the options that a kind has."""
    return tuple(field.name for field in dataclasses.fields(kind_of(name)[0]))
