"""Lines of a text file, with the encoding, byte-order marks and line ends taken care of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tunescope.errors import InputError

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    r"""Yield line numbers (from 1) and lines without their ends (`\n` or `\r\n`).

    Raises
    ------
    InputError
        If the file is missing, is a directory, cannot be read or is in another encoding.
    """
    try:
        # Only \n ends a line: U+2028, U+0085 and the like are ordinary characters in a corpus.
        with path.open(encoding=_with_mark(encoding), newline="\n") as file:
            for number, line in enumerate(file, 1):
                yield number, line.removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the path") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a directory: give the files in it") from None
    except LookupError:
        raise InputError(f"{path}: encoding = {encoding!r} is unknown to Python") from None
    except UnicodeError:
        raise InputError(_undecodable(path, encoding)) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def split_words(text: str, control_characters: str = "error") -> list[str]:
    """Split text at white space; with `"space"` control characters are white space too."""
    if control_characters == "space":
        text = CONTROL.sub(" ", text)
    return text.split()


def split_tokens(line: str) -> list[str]:
    """Split a line at blanks and tabs only, so that a token may hold any other character."""
    return [token for token in line.replace("\t", " ").split(" ") if token]


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _undecodable(path: Path, encoding: str) -> str:
    """Say where the file stops being text; decoding in pieces has lost the position."""
    content = path.read_bytes()
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding).count("\n") + 1
        found = f"byte 0x{content[error.start]:02x} is not {encoding}"
        utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        guess = '"utf-16"' if utf_16 else '"cp1252" or "latin-1"'
        return f"{path}, line {line}: {found}; set encoding to the file's own, such as {guess}"
    except UnicodeError as error:
        return f"{path}, line 1: {error}; set encoding to the file's own"
    return f"{path} changed while it was read: try again"
