"""Word lists from the user, such as those of LIWC (Pennebaker et al. 2015), which is not free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tunescope.concepts.human.affixes import fold
from tunescope.concepts.human.kind import HumanConcept, types_of
from tunescope.concepts.label_sets import LabelSets
from tunescope.corpus.build import FORBIDDEN
from tunescope.corpus.lines import read_lines
from tunescope.errors import InputError
from tunescope.paths import resolve_path

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus

Entry = tuple[str, str, str]
"""Category, word, and the place it stands at."""


@dataclass(frozen=True)
class WordLists(HumanConcept):
    """Every category that lists the word, upper or lower case.

    A trailing `*` stands for any ending, none included: `happ*` lists "happy" and "happen".

    Parameters
    ----------
    lists
        A file with `category<TAB>word` on each line; LIWC's own format (`.dic`: numbered categories
        between two lines of `%`, then `word<TAB>number<TAB>number...`); or a folder whose files
        `CATEGORY.txt` have a word on each line.
    """

    name: ClassVar[str] = "words"
    argument: ClassVar[str | None] = "lists"
    lists: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lists:
            raise InputError("concept 'words' needs word lists: write words:FILE or words:FOLDER")

    @property
    def single(self) -> bool:
        """Categories overlap."""
        return False

    def __call__(self, words: Corpus) -> LabelSets:
        """Look each different word up once."""
        whole, beginnings = read_lists(resolve_path(self.lists))
        longest = max(map(len, beginnings), default=0)
        forms, codes = types_of(words)
        sets = []
        for form in map(fold, forms):
            found = set(whole.get(form, ()))
            for size in range(1, min(longest, len(form)) + 1):
                found |= beginnings.get(form[:size], set())
            sets.append(found)
        return LabelSets.of_sets(sets, complete=True).take(codes)


def read_lists(path: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Read word lists.

    Parameters
    ----------
    path : Path
        File or folder, as in `WordLists`.

    Returns
    -------
    whole, beginnings : dict of str to set of str
        Case-folded words, and beginnings of words, to their categories.

    Raises
    ------
    InputError
        If a line is none of the format, there is no word, or two files of a folder are of one
        category.
    """
    tables: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for category, word, place in _entries(path):
        starred = word.endswith("*")
        text = fold(word.removesuffix("*"))
        if not text or "*" in text:
            raise InputError(f"{place}: {word!r} must be a word with at most one *, at its end")
        if not category or FORBIDDEN.search(category):
            raise InputError(f"{place}: {category!r} is no name of a category")
        tables[starred].setdefault(text, set()).add(category)
    if not any(tables):
        raise InputError(f"{path} lists no words; see WordLists for what a list looks like")
    return tables


def _entries(path: Path) -> Iterator[Entry]:
    if path.is_dir():
        for category, file in _categories(path).items():
            for number, line in read_lines(file):
                if line.strip():
                    yield category, line.strip(), f"{file}, line {number}"
    elif path.suffix.lower() == ".dic":
        yield from _liwc(path)
    else:
        for number, line in read_lines(path):
            if line.strip():
                category, tab, word = line.partition("\t")
                place = f"{path}, line {number}"
                if not tab or not word.strip():
                    raise InputError(f"{place}: {line[:60]!r} is not category<TAB>word")
                yield category.strip(), word.strip(), place


def _categories(folder: Path) -> dict[str, Path]:
    """Return the file of each category: its name without the ending."""
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            other = found.setdefault(file.stem, file)
            if other != file:
                raise InputError(
                    f"{folder}: {other.name} and {file.name} are both the list of category "
                    f"{file.stem!r}: join or rename them"
                )
    return found


def _liwc(path: Path) -> Iterator[Entry]:
    """Read the format of LIWC's dictionaries."""
    names: dict[str, str] = {}
    marks = 0
    for number, line in read_lines(path):
        place = f"{path}, line {number}"
        if line.strip() == "%":
            marks += 1
        elif line.strip() and marks == 1:
            code, *name = line.split()
            names[code] = " ".join(name)
        elif line.strip():
            word, *codes = [part for part in line.split("\t") if part.strip()]
            for code in codes:
                if code.strip() not in names:
                    raise InputError(f"{place}: there is no category {code.strip()!r} above")
                yield names[code.strip()], word.strip(), place
