"""What a server answered: a completion, or the reason why there is none."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tunescope.concepts.naming.plain import plain_line, shortened
from tunescope.concepts.naming.refusals import REFUSING
from tunescope.concepts.naming.secret import Secret

REASON = 200
"""Characters kept of what a server said about an error."""
CONTENT = 20_000
"""Characters kept of an answer, far beyond any name."""


@dataclass(frozen=True)
class Reply:
    """One answer.

    Parameters
    ----------
    content : str
        What the model wrote, in plain lines; "" for nothing.
    finish : str
        Why it stopped (`finish_reason`): "stop", "length", "content_filter", ...
    refusal : str
        What it, or the server, said instead of answering.
    failure : str
        Why there is no answer; "" when there is one.
    seconds : float
        From the first attempt to the answer.
    """

    content: str = ""
    finish: str = ""
    refusal: str = ""
    failure: str = ""
    seconds: float = 0.0


def said(text: str, secret: Secret) -> str:
    """Return what a server said, as one short plain line without the key."""
    return shortened(secret.scrub(plain_line(secret.scrub(text))), REASON)


def read_reply(body: bytes, secret: Secret, seconds: float) -> Reply:
    """Read a chat completion.

    Parameters
    ----------
    body : bytes
        What the server sent with status 200.
    secret : Secret
        The key, taken out of everything that is kept.
    seconds : float
        How long it took.

    Returns
    -------
    Reply
        With a `failure` where the body is no chat completion.
    """
    try:
        content = json.loads(body)
        choice = content["choices"][0]
        message = choice["message"]
        text, refusal = _text(message.get("content")), message.get("refusal")
        finish = choice.get("finish_reason")
    except (ValueError, RecursionError):
        return Reply(failure="the answer is not JSON", seconds=seconds)
    except (KeyError, IndexError, TypeError, AttributeError):
        return Reply(failure="the answer is no chat completion", seconds=seconds)
    lines = secret.scrub(text)[:CONTENT].split("\n")
    return Reply(
        content="\n".join(secret.scrub(plain_line(line)) for line in lines),
        finish=said(finish, secret) if isinstance(finish, str) else "",
        refusal=said(refusal, secret) if isinstance(refusal, str) else "",
        seconds=seconds,
    )


def read_error(status: int, body: bytes, secret: Secret, seconds: float) -> Reply:
    """Read what a server sent with an error: a refusal if a filter says so, else a failure."""
    error: Any = body.decode("utf-8", "replace")
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        error = json.loads(body)["error"]
    text = error.get("message") if isinstance(error, dict) else error
    words = said(text, secret) if isinstance(text, str) else ""
    if isinstance(error, dict) and error.get("code") in REFUSING:
        return Reply(finish="content_filter", refusal=words or "filtered", seconds=seconds)
    return Reply(failure=f"HTTP {status}" + (f": {words}" if words else ""), seconds=seconds)


def _text(content: Any) -> str:
    """Text of a message: a string, or parts of which some are text."""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
