"""The labels of one kind of human-defined concept, by name and options."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.concepts.human.kind import HumanConcept
from tunescope.concepts.human.kinds import HUMAN
from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError, nearest
from tunescope.parameters import make

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


NAME = re.compile(r"(?P<kind>\w+)(?P<options>\{.*?\})?(?::(?P<argument>.*))?", re.DOTALL)
"""A kind, perhaps options as TOML has them in an inline table, perhaps an argument."""


def human_labels(words: Corpus, name: str, **options: Any) -> LabelSets:
    """Label words with a human-defined concept that is computed from them.

    Parameters
    ----------
    words : Corpus
        The words, a selection or all of a corpus.
    name : str
        `casing`, `first_word`, `last_word`, `suffix`, `prefix`, `ngram`, `subword:MODEL`,
        `wordnet` (or `wordnet:FOLDER`) or `words:LISTS`. Options may stand behind the kind in
        braces, as in a study file: `suffix{min_stem = 2}`, `wordnet{senses = "all"}:FOLDER`.
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
    """Make the concept of a name, with what is written behind the kind and further options.

    Parameters
    ----------
    name : str
        As for `human_labels`.
    options : dict, optional
        Fields of the kind's class; those in the name win.

    Raises
    ------
    InputError
        If name or options are unknown.
    """
    kind, inside = parse(name)
    return make(kind, {**(options or {}), **inside}, f"concept {kind.name!r}")


def parse(name: str) -> tuple[type[HumanConcept], dict[str, Any]]:
    """Return the class of a name, and the options written in it.

    Raises
    ------
    InputError
        If there is no such kind, it takes no argument, or its options are no TOML.
    """
    found = NAME.fullmatch(name)
    kind = HUMAN.get(found["kind"]) if found else None
    if found is None or kind is None:
        head = found["kind"] if found else name
        raise InputError(f"there is no human-defined concept {head!r}; {nearest(head, HUMAN)}")
    try:
        options = tomllib.loads(f"options = {found['options'] or '{}'}")["options"]
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"concept {name!r}: options are written as in {kind.name}{{min_types = 3}} ({error})"
        ) from None
    if found["argument"] is not None:
        if kind.argument is None:
            raise InputError(f"concept {name!r}: {kind.name!r} takes nothing behind a colon")
        options[kind.argument] = found["argument"]
    return kind, options


def column_of(name: str) -> str:
    """Return a short name for tables: of word lists their file's, else the kind with its options.

    Parameters
    ----------
    name : str
        As for `human_labels`.
    """
    kind, options = parse(name)
    if kind.name == "words" and options.get("lists"):
        return Path(options["lists"]).stem or kind.name
    found = NAME.fullmatch(name)
    return kind.name if found is None else f"{kind.name}{found['options'] or ''}"


def options_of(name: str) -> tuple[str, ...]:
    """Return the options that a kind has."""
    return tuple(field.name for field in dataclasses.fields(parse(name)[0]))
