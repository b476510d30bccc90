"""Untrusted text as one short plain line."""

from __future__ import annotations

import re
import unicodedata

UNSAFE = ("Cc", "Cf", "Cn", "Co", "Cs")
"""Unicode categories that are dropped: control, format (direction marks), unassigned, private."""


def plain_line(text: str) -> str:
    """Return text on one line: white space is one blank, control characters are gone.

    Nothing is escaped: what shows the line, such as a page, has to do that.

    Parameters
    ----------
    text : str
        Anything that a server said.
    """
    text = re.sub(r"\s", " ", text)
    text = "".join(mark for mark in text if unicodedata.category(mark) not in UNSAFE)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def shortened(text: str, length: int) -> str:
    """Return text of at most `length` characters; an ellipsis is the last one of what was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"
