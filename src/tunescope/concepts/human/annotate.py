"""Label columns of human-defined concepts, so that they can be probed as others are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunescope.concepts.human.columns import with_labels
from tunescope.concepts.human.kinds import HUMAN
from tunescope.concepts.human.labels import column_of, concept_of, options_of
from tunescope.errors import InputError, nearest

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


def annotate(
    corpus: Corpus, names: Sequence[str], *, absent: str | None = "none", **options: Any
) -> Corpus:
    """Add label columns of human-defined concepts to a corpus.

    Only kinds that give a word one label at most fit into a column: casing, first_word, last_word,
    suffix, prefix, and wordnet by its first senses. Activations stay valid: a column does not
    change the words.

    Parameters
    ----------
    corpus : Corpus
        The words.
    names : sequence of str
        As for `human_labels`; each becomes the column of that name.
    absent : str or None
        What words carry that are known to have no label, so that a share of a column is one of all
        words; None leaves them without. Words that WordNet does not have are left without in any
        case.
    **options
        Options of the kinds, each for all that have it.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        If a name or an option is unknown, a kind fits into no column, or a column is there already.

    Examples
    --------
    >>> from tunescope.corpus.table import Corpus
    >>> corpus = annotate(Corpus.from_sentences([["Time", "flies", "."]]), ["casing", "last_word"])
    >>> corpus.values("casing").tolist()
    ['Title', 'lower', 'none']
    >>> corpus.values("last_word").tolist()
    ['none', 'none', 'last']
    """
    if isinstance(names, str):
        names = (names,)
    _check_options(names, options)
    for name in names:
        mine = {key: value for key, value in options.items() if key in options_of(name)}
        concept = concept_of(name, mine)
        if not concept.single:
            fitting = ", ".join(kind for kind in HUMAN if kind not in ("ngram", "subword", "words"))
            raise InputError(
                f"concept {name!r} may give a word several labels, which fit into no column; one "
                f"label have {fitting}"
            )
        found = concept(corpus)
        column = found.values()
        if found.complete and absent is not None:
            if absent in found.names:
                raise InputError(f"concept {name!r} has a label {absent!r}: choose another absent")
            column[~found.table.sum(axis=1).astype(bool)] = absent
        corpus = with_labels(corpus, column_of(name), column)
    return corpus


def _check_options(names: Sequence[str], options: dict[str, Any]) -> None:
    """Check that each option belongs to a kind that was asked for: none is silently ignored."""
    known = {option for name in names for option in options_of(name)}
    for option in options:
        if option not in known:
            kinds = ", ".join(names)
            raise InputError(f"annotate(): {kinds}: no option {option!r}; {nearest(option, known)}")
