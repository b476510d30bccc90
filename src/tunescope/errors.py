"""Errors that users see: each says what is wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TunescopeError(Exception):
    """Base of every error the package raises on purpose."""


class InputError(TunescopeError, ValueError):
    """Something the user gave (a file, a key, a parameter) cannot be used as it is."""


class NotApplicable(InputError):
    """What was asked for has no meaning for this model or corpus; others may still have it."""


class MismatchError(TunescopeError):
    """Two artifacts that must belong together were made from different inputs."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return the end of an error message: the nearest valid word, and all of them.

    Parameters
    ----------
    word : str
        What the user wrote.
    valid : iterable of str
        What could have been written.
    """
    valid = sorted(valid)
    close = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
    listing = ", ".join(valid)
    return f"did you mean {close[0]!r}? Valid: {listing}" if close else f"valid: {listing}"
