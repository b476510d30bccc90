"""Parameters of naming concepts with a language model (Mousi et al. 2023, arXiv 2305.13386)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from tunescope.errors import InputError
from tunescope.steps.step import Step, bounded

Which = Literal["counted", "lost", "retained", "born", "survived", "polarised"]


@dataclass(frozen=True)
class Name(Step):
    """Ask a language model for a name of each concept.

    The model stands behind any OpenAI-compatible address (chat completions): a service, or a server
    of your own. Without an address nothing is ever asked.

    Parameters
    ----------
    address
        Base of the address, such as `http://127.0.0.1:8000/v1`; `/chat/completions` is added.
    model
        The model's name there.
    key_variable
        Environment variable that holds the API key. The key itself is no parameter, and is
        written nowhere.
    allow_http
        Allow plain http to another machine. Words, and the key, can then be read on the way.
    layers
        Layers whose concepts are named; all when not given.
    which
        Which concepts: all that count (`counted`: enough word types), or only those that an
        alignment says are `lost`, `retained`, `born`, `survived` or `polarised`.
    limit
        At most this many concepts of a layer, the largest; no limit when not given.
    n_words
        Word types shown, the most frequent of the concept.
    n_contexts
        Occurrences shown in their sentence; 0 shows none.
    prompt
        The prompt instead of the built-in one: its text, or `file:PATH`. `{words}` and `{contexts}`
        are filled in; what stands before a line `---` is the system message.
    temperature
        Of the sampling. With `default` none is sent, for models that refuse the field.
    max_tokens
        Longest answer.
    token_limit
        The field that `max_tokens` is sent in: newer models want `max_completion_tokens`.
    max_name
        Characters of the longest name; a longer answer is marked as too long.
    timeout
        Seconds that one request may take.
    retries
        Further attempts after a time-out, a broken connection, status 429 or 5xx.
    backoff
        Seconds before the first of them; doubled each time, at most 60. What the server asks for
        (`Retry-After`) is kept to up to 120.
    concurrency
        Requests at once.
    check
        Ask further whether a name fits unseen words of its concept better than words of another:
        one forced choice for each name, chance is 1/2.
    confidence
        Level of the interval of the check's accuracy.
    seed
        Seed of the contexts, and of the words and the other concept of the check.
    """

    name: ClassVar[str] = "name"
    address: str | None = None
    model: str | None = None
    key_variable: str | None = None
    allow_http: bool = False
    layers: tuple[int, ...] | None = bounded(None, 0)
    which: tuple[Which, ...] = ("counted",)
    limit: int | None = bounded(None, 1)
    n_words: int = bounded(30, 1)
    n_contexts: int = bounded(10, 0)
    prompt: str | None = None
    temperature: float | Literal["default"] = bounded(0.0, 0, 2)
    max_tokens: int = bounded(200, 1)
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    max_name: int = bounded(80, 10, 500)
    timeout: float = bounded(60.0, 0.01, 3600)
    retries: int = bounded(5, 0)
    backoff: float = bounded(1.0, 0, 60)
    concurrency: int = bounded(4, 1, 64)
    check: bool = False
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        where = f"step {self.name!r}"
        if self.address is not None:
            check_address(self.address, allow_http=self.allow_http, where=f"{where}: address")
            if not self.model:
                raise InputError(f"{where}: model is missing: name one that the address serves")
        # A key given in place of the variable's name must not be repeated by the error.
        variable = self.key_variable
        if variable is not None and not re.fullmatch("[A-Z_][A-Z0-9_]*", variable):
            raise InputError(
                f"{where}: key_variable must be the name of an environment variable in capital "
                "letters, such as NAMING_API_KEY, and never the key itself"
            )


def check_address(address: str, *, allow_http: bool, where: str) -> None:
    """Check that requests may be sent to an address.

    Parameters
    ----------
    address : str
        Base of an OpenAI-compatible interface.
    allow_http : bool
        Whether plain http may leave this machine.
    where : str
        Start of the error message.

    Raises
    ------
    InputError
        If it is no http(s) address, holds a password, a query or blanks, or is plain http to
        another machine. What might be secret is not repeated.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"{where} cannot be read as an address: write https://HOST/v1") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InputError(
            f"{where} may hold no user, password, query or fragment: put the API key into an "
            "environment variable and its name into key_variable"
        )
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch("[!-~]+", address):
        raise InputError(
            f"{where} = {address!r} must be https://HOST/v1, or http://HOST/v1 on this machine"
        )
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise InputError(
            f"{where} = {address!r} is plain http to another machine, where words and key can be "
            "read on the way: use https, or set allow_http"
        )


def is_loopback(host: str) -> bool:
    """Say whether a host's name or number is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
