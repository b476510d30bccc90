"""The API key: read from the environment, sent, and never written anywhere."""

from __future__ import annotations

import os
import re

from tunescope.errors import InputError

HIDDEN = "[key]"
SHORTEST = 4
"""Keys with fewer characters are no secrets: hiding them would mangle ordinary text."""


class Secret:
    """An API key that does not show itself: its `repr` and `str` hide it.

    Parameters
    ----------
    value : str
        The key; "" for a server that asks for none.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str = ""):
        self._value = value

    def __repr__(self) -> str:
        return "Secret()"

    @classmethod
    def from_environment(cls, variable: str | None) -> Secret:
        """Read the key from an environment variable; without one there is no key.

        Raises
        ------
        InputError
            If the variable is not set, or holds what cannot be sent in a header.
        """
        if variable is None:
            return cls()
        value = os.environ.get(variable, "").strip()
        if not value:
            raise InputError(f"the environment variable {variable} (key_variable) is not set")
        if not re.fullmatch("[!-~]+", value):  # http.client would show the header in its error
            raise InputError(
                f"the environment variable {variable} (key_variable) holds blanks or characters "
                "beyond ASCII, so it is no API key"
            )
        return cls(value)

    def headers(self) -> dict[str, str]:
        """Return the header that carries the key, if there is one."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def scrub(self, text: str) -> str:
        """Return `text` without the key, which servers repeat in their error messages."""
        if len(self._value) < SHORTEST:
            return text
        return text.replace(self._value, HIDDEN)
