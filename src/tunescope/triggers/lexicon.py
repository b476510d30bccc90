"""Words with a sentiment, from a file: the baseline that needs no model to find its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunescope.errors import InputError, nearest
from tunescope.paths import resolve_path

VADER = "package:vaderSentiment/vader_lexicon.txt"
"""The lexicon of Hutto and Gilbert 2014, where the package is installed."""


def find_lexicon(lexicon: Path | str | None) -> Path | None:
    """Return the file of a lexicon.

    Parameters
    ----------
    lexicon : path, "vader" or None
        A file; VADER's; or VADER's if the package `vaderSentiment` is installed.

    Raises
    ------
    InputError
        If there is no such file, or VADER is asked for and not installed.
    """
    if lexicon is None:
        try:
            return resolve_path(VADER)
        except InputError:
            return None
    path = resolve_path(VADER if lexicon == "vader" else lexicon)
    if not path.is_file():
        raise InputError(f"lexicon {path} is not a file: give one with word<TAB>score or class")
    return path


def read_lexicon(
    path: Path, classes: Sequence[str], positive: str | None = None
) -> dict[str, list[str]]:
    """Read the words of each class, those with the strongest scores first.

    Parameters
    ----------
    path : Path
        A word, a tab, and its score or class in each line; what follows another tab is not read.
    classes : sequence of str
        The classes. Scores need two.
    positive : str, optional
        The class of scores above 0; the last one, sorted, when not given.

    Returns
    -------
    dict of str to list of str
        By class; ties keep the order of the file. Each word once.

    Raises
    ------
    InputError
        If a line is malformed, a class unknown, or there are scores and not two classes.
    """
    rows = _rows(path)
    scored = all(_number(value) is not None for _, value, _ in rows)
    if not scored or {value for _, value, _ in rows} <= set(classes):
        return _by_class(path, rows, classes)
    if len(classes) != 2:
        raise InputError(
            f"lexicon {path} has scores, which tell two classes apart, and the model has "
            f"{len(classes)}: give a lexicon with the class of each word"
        )
    last = sorted(classes)[-1] if positive is None else positive
    if last not in classes:
        raise InputError(f"positive_class = {last!r}; {nearest(last, classes)}")
    other = next(name for name in classes if name != last)
    found: dict[str, list[tuple[float, str]]] = {last: [], other: []}
    for word, value, _ in rows:
        score = _number(value) or 0.0
        if score != 0:
            found[last if score > 0 else other].append((-abs(score), word))
    return {
        name: list(dict.fromkeys(word for _, word in sorted(pairs, key=lambda pair: pair[0])))
        for name, pairs in found.items()
    }


def _rows(path: Path) -> list[tuple[str, str, int]]:
    rows = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"lexicon {path} is not UTF-8 ({error})") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        word, tab, rest = line.partition("\t")
        value = rest.split("\t")[0].strip()
        if not tab or not word.strip() or not value:
            raise InputError(f"{path}, line {number}: need word<TAB>score or word<TAB>class")
        rows.append((word.strip(), value, number))
    if not rows:
        raise InputError(f"lexicon {path} has no words")
    return rows


def _by_class(
    path: Path, rows: list[tuple[str, str, int]], classes: Sequence[str]
) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {name: {} for name in classes}
    for word, value, number in rows:
        if value not in found:
            raise InputError(
                f"{path}, line {number}: no class {value!r}; {nearest(value, classes)}"
            )
        found[value][word] = None
    return {name: list(words) for name, words in found.items()}


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
