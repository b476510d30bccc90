"""What stands at an address of a site, and who puts it there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

HTML = "text/html; charset=utf-8"
KINDS = {
    "html": HTML,
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class Content(NamedTuple):
    """A file of a site.

    Parameters
    ----------
    body : bytes
        What is in it.
    kind : str
        Its media type.
    """

    body: bytes
    kind: str

    @classmethod
    def of(cls, path: str, body: str | bytes) -> Content:
        """Return content of the type that the ending of its path says."""
        body = body.encode("utf-8") if isinstance(body, str) else body
        return cls(body, KINDS[path.rsplit(".", 1)[-1]])


class Link(NamedTuple):
    """An address within the site, and what to call it.

    Parameters
    ----------
    path : str
        From the top of the site: `layers/base-tuned/index.html`.
    text : str
        Untrusted: escaped where it is shown.
    """

    path: str
    text: str


class Pages(Protocol):
    """All pages of one kind, which lie in one folder of the site.

    Parameters
    ----------
    folder : str
        First part of their addresses; "" for the front page.
    title : str
        What the navigation calls them; "" where it does not list them.
    """

    folder: str
    title: str

    def links(self) -> list[Link]:
        """Return where to enter; the first is what the navigation leads to."""
        ...

    def paths(self) -> Iterator[str]:
        """Return every address, from the top of the site: what an export writes."""
        ...

    def get(self, path: str) -> Content | None:
        """Return what is at an address, or None where there is nothing."""
        ...
