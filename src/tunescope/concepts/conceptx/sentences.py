"""ConceptX's sentence files: a JSON list of sentences, or one sentence a line; words at blanks."""

from __future__ import annotations

import json
from pathlib import Path

from tunescope.corpus.build import build_corpus
from tunescope.corpus.lines import read_lines
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError


def read_sentences(path: Path, name: str = "corpus") -> Corpus:
    """Read a sentence file as a corpus of all its words.

    Parameters
    ----------
    path : Path
        A JSON list of texts (`...-sentences.json`), or a text file with one sentence a line. Words
        are what stands between single blanks, as ConceptX takes them.
    name : str
        The corpus's name.

    Raises
    ------
    InputError
        If the file is neither, or a sentence has no words.
    """
    if path.suffix == ".json":
        texts, unit = _json_list(path), "sentence"
        numbers = list(range(len(texts)))
    else:
        numbered = list(read_lines(path))
        texts, unit = [text for _, text in numbered], "line"
        numbers = [number for number, _ in numbered]

    def where(sentence: int, word: int | None) -> str:
        place = f"{path}, {unit} {numbers[sentence]}"
        return place if word is None else f"{place}, word {word}"

    if not texts:
        raise InputError(f"{path} holds no sentences")
    # Blanks around a sentence are not part of it; "" would be one blank word, not none.
    split = [text.strip(" ").split(" ") if text.strip(" ") else [] for text in texts]
    return build_corpus(split, {}, name=name, where=where)


def _json_list(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the path") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON ({error})") from None
    if not isinstance(content, list):
        raise InputError(f"{path} is not a JSON list of sentences")
    for number, text in enumerate(content):
        if not isinstance(text, str):
            raise InputError(f"{path}, sentence {number}: {text!r} is not text")
    return content
