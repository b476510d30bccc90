"""Who may ask a served site for what: checked before anything else looks at a request.

- The host that a request names is this machine, or the one it is bound to: a page elsewhere cannot
  have its own name point here (DNS rebinding).
- Bound elsewhere than to this machine alone, a token is needed. It stands in the address that is
  printed, and is exchanged for a cookie, so that it stays in no history and no copied link.
- Pages are read; only addresses below `api/` take a POST, of JSON, from a page of the site itself.
- An address is one that a site can have: it is looked up among its pages, and leads to no file.

Every answer carries the headers that keep a browser from doing more with it.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunescope.viewer.frame import policy

LOOPBACK = ("localhost", "127.0.0.1", "::1")
LARGEST_POST = 64 * 1024
"""Bytes of a request."""
ADDRESS = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*(?:[A-Za-z0-9_-][A-Za-z0-9._-]*)?")
API = "/api/"


@dataclass(frozen=True)
class Rules:
    """Where a site is served, and to whom.

    Parameters
    ----------
    host : str
        The address it is bound to, as given.
    port : int
        Names the cookie: a machine's servers share them.
    token : str or None
        What has to be known; None where none is needed.
    """

    host: str
    port: int
    token: str | None = None

    @classmethod
    def of(cls, host: str, port: int) -> Rules:
        """Return the rules for an address: a token, unless only this machine can reach it."""
        return cls(host, port, None if is_loopback(host) else secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"tunescope-{self.port}"

    def names(self, host: str) -> bool:
        """Whether a request's host is this machine by one of the names it may be called by."""
        name = _without_port(host)
        if name in LOOPBACK or name == self.host.lower():
            return True
        if not _is_any(self.host):
            return False
        own = socket.gethostname().lower()
        return _as_ip(name) is not None or name in (own, f"{own}.local", socket.getfqdn().lower())

    def knows(self, given: str | None) -> bool:
        """Whether this is the token, compared in constant time."""
        if self.token is None:
            return True
        return secrets.compare_digest((given or "").encode(), self.token.encode())


class Guard:
    """Checks a request before the application sees it, and adds headers to every answer.

    Parameters
    ----------
    app : ASGI application
        What answers.
    rules : Rules
        Where it is served, and to whom.
    """

    def __init__(self, app: ASGIApp, rules: Rules):
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if is_loopback(self._rules.host):  # browsers complain where they do not trust
                    headers["Cross-Origin-Opener-Policy"] = "same-origin"
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        return await answer(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        """Return what to answer instead of what was asked for; None where nothing is wrong."""
        rules, path = self._rules, request.url.path
        if not rules.names(request.headers.get("host", "")):
            return _refuse(request, 403, "This site is not served under that name.")
        if not rules.knows(request.cookies.get(rules.cookie)):
            return self._without_cookie(request)
        if request.method == "POST" and path.startswith(API):
            return _refused_post(request)
        if request.method not in ("GET", "HEAD"):
            refused = _refuse(request, 405, "Pages can only be read.")
            refused.headers["Allow"] = "GET, HEAD"
            return refused
        if not ADDRESS.fullmatch(path):
            return _refuse(request, 404, "There is no such page.")
        return None

    def _without_cookie(self, request: Request) -> Response:
        """Exchange a token for a cookie, or refuse."""
        given, path = request.query_params.get("token"), request.url.path
        here = f"./{path.rsplit('/', 1)[-1]}"
        if given is None or not self._rules.knows(given) or not ADDRESS.fullmatch(path):
            return _refuse(
                request, 403, "This site is shown to those who open the address with the token "
                "that tunescope view printed, or have done so before.", here,
            )  # fmt: skip
        # not a redirect: after one from another site the browser would not send the cookie
        page = _page("One moment …", "The site is being opened.", here, refresh=True)
        answer = HTMLResponse(page, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            self._rules.cookie, self._rules.token or "", httponly=True, samesite="strict"
        )
        return answer


HEADERS = {
    "Content-Security-Policy": policy(live=True),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    found = _as_ip(host)
    return host.lower() == "localhost" or (found is not None and found.is_loopback)


def _refused_post(request: Request) -> Response | None:
    headers = request.headers
    if not _same_origin(headers):
        return _refuse(request, 403, "Only pages of this site may send anything to it.")
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return _refuse(request, 415, "Send application/json.")
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return _refuse(request, 411, "Say how long it is.")
    if int(length) > LARGEST_POST:
        return _refuse(request, 413, f"That is too much: at most {LARGEST_POST:,} bytes.")
    return None


def _same_origin(headers: Headers) -> bool:
    """Whether a browser says that a page of this very site asks."""
    origin, fetched = headers.get("origin"), headers.get("sec-fetch-site")
    if fetched not in (None, "same-origin"):
        return False
    if origin is None:
        return fetched == "same-origin"
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _refuse(request: Request, status: int, text: str, again: str = "") -> Response:
    headers = {"Cache-Control": "no-store"}
    if request.url.path.startswith(API):
        return JSONResponse({"error": text}, status, headers)
    return HTMLResponse(_page(f"{status}", text, again), status, headers)


def _page(title: str, text: str, link: str = "", *, refresh: bool = False) -> str:
    """Return a page that tells nothing about the run."""
    again = f'<p><a href="{escape(link)}">Open the page</a></p>' if link else ""
    soon = f'<meta http-equiv="refresh" content="0; url={escape(link)}">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" '
        f'content="light dark"><link rel="icon" href="data:,">{soon}<title>{escape(title)} · '
        f"tunescope</title><h1>{escape(title)}</h1><p>{escape(text)}</p>{again}</html>"
    )


def _without_port(host: str) -> str:
    """Return the name in a Host header, in small letters, an IPv6 address without brackets."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]/@\\\s]+))(?::\d*)?", host.lower())
    return "" if found is None else (found[1] or found[2]).removesuffix(".")


def _as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_any(host: str) -> bool:
    found = _as_ip(host)
    return found is not None and found.is_unspecified
