"""Requests to an OpenAI-compatible server, with the standard library alone.

Certificates are checked as Python does by default. Redirects are not followed: they would carry
words and key to a place that nobody named.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http.client import HTTPException, IncompleteRead
from random import Random
from threading import Event
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from tunescope import __version__
from tunescope.concepts.naming.reply import Reply, read_error, read_reply, said
from tunescope.concepts.naming.secret import Secret
from tunescope.steps import Name
from tunescope.steps.naming import is_loopback

AGAIN = (408, 425, 429, 500, 502, 503, 504, 529)
"""Statuses after which the same request may succeed."""
LONGEST_WAIT, LONGEST_ASKED = 60.0, 120.0
"""Seconds waited at most by our own rule, and because the server asks for it."""
LARGEST = 2_000_000
"""Bytes read of an answer; one name needs a few hundred."""
PIECE = 65_536
PATH = "/chat/completions"


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_keywords: Any) -> None:
        return None  # the redirect is then an HTTPError with its status


class _Stopped(Exception):
    pass


class Client:
    """Asks one server, and asks again where that may help. Used by several threads at once.

    Parameters
    ----------
    step : Name
        Address and model, time-out, retries and backoff.
    secret : Secret
        The API key.
    stop : threading.Event
        When set, waiting ends and nothing further is asked.
    """

    def __init__(self, step: Name, secret: Secret, stop: Event):
        self.step, self.secret, self.stop = step, secret, stop
        self._random = Random()  # of waiting times only, which no result depends on
        base = (step.address or "").rstrip("/")
        self.url = base if base.endswith(PATH) else base + PATH
        host = urlsplit(self.url).hostname or ""
        # A proxy cannot reach a server on this machine, and should not see what is sent to it.
        proxies = (ProxyHandler({}),) if is_loopback(host) else ()
        self._opener = build_opener(_NoRedirects, *proxies)

    def body(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        """Return the request for a conversation, without the key."""
        body: dict[str, Any] = {
            "model": self.step.model,
            "messages": messages,
            self.step.token_limit: self.step.max_tokens,
        }
        if self.step.temperature != "default":
            body["temperature"] = self.step.temperature
        return body

    def ask(self, body: Mapping[str, Any]) -> Reply:
        """Send one request, and again after time-outs, broken connections, status 429 and 5xx.

        Parameters
        ----------
        body : mapping
            What `body` returned.

        Returns
        -------
        Reply
            With a `failure` that says why, when all attempts failed. No error is raised.
        """
        started = time.monotonic()
        data = json.dumps(body, ensure_ascii=True).encode("ascii")
        reply = Reply()
        for attempt in range(self.step.retries + 1):
            reply, wait = self._attempt(data, started)
            if wait is None or self.stop.is_set():
                return reply
            if attempt < self.step.retries:
                # spread, so that threads do not all come back at once
                ours = min(self.step.backoff * 2**attempt, LONGEST_WAIT)
                ours *= self._random.uniform(0.75, 1.25)
                self.stop.wait(max(ours, min(wait, LONGEST_ASKED)))
        attempts = self.step.retries + 1
        again = f" ({attempts} attempts)" if attempts > 1 else ""
        return Reply(failure=reply.failure + again, seconds=time.monotonic() - started)

    def _attempt(self, data: bytes, started: float) -> tuple[Reply, float | None]:
        """Send once; the second value is the least wait before another try, None if it is vain."""
        if self.stop.is_set():
            return Reply(failure="interrupted"), None
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= {"User-Agent": f"tunescope/{__version__}", **self.secret.headers()}
        request = Request(self.url, data, headers, method="POST")
        deadline = time.monotonic() + self.step.timeout
        try:
            try:
                with self._opener.open(request, timeout=self.step.timeout) as response:
                    body = self._read(response, deadline)
            except HTTPError as error:
                return self._refused(error, deadline, started)
        except _Stopped:
            return Reply(failure="interrupted"), None
        except TimeoutError:
            return Reply(failure=f"no answer within {self.step.timeout:g} s"), 0.0
        except (OSError, HTTPException, ValueError) as error:
            return self._broken(error)
        if body is None:
            return Reply(failure=f"the answer has more than {LARGEST:,} bytes"), None
        return read_reply(body, self.secret, time.monotonic() - started), None

    def _read(self, response: Any, deadline: float) -> bytes | None:
        """Read a body; None when it is too large, TimeoutError when it comes too slowly."""
        read, size = [], 0
        while piece := response.read1(PIECE):
            read.append(piece)
            size += len(piece)
            if size > LARGEST:
                return None
            if self.stop.is_set():
                raise _Stopped
            if time.monotonic() > deadline:
                raise TimeoutError
        if getattr(response, "length", None):  # the connection ended before the body did
            raise IncompleteRead(b"", response.length)
        return b"".join(read)

    def _refused(
        self, error: HTTPError, deadline: float, started: float
    ) -> tuple[Reply, float | None]:
        with error:
            if 300 <= error.code < 400:
                text = f"HTTP {error.code}: the address redirects; give the one it redirects to"
                return Reply(failure=text), None
            body = self._read(error, deadline) or b""
            wait = _seconds(error.headers.get("Retry-After"))
        reply = read_error(error.code, body, self.secret, time.monotonic() - started)
        return reply, wait if error.code in AGAIN else None

    def _broken(self, error: Exception) -> tuple[Reply, float | None]:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            return Reply(failure=f"no answer within {self.step.timeout:g} s"), 0.0
        text = f"no connection: {said(str(reason), self.secret) or type(reason).__name__}"
        vain = "certificate" in text.lower() or isinstance(reason, ValueError)
        return Reply(failure=text), None if vain else 0.0


def _seconds(header: str | None) -> float:
    """Seconds of a `Retry-After` header; 0 for none, and for a date."""
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        return 0.0
