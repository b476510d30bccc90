"""The application: pages as they are asked for, and what may be sent to it.

A page depends on nothing but the run and its annotations. So one tag stands for the state of both:
a browser that has a page keeps it, asks whether the tag still holds, and mostly gets the short
answer, for which nothing is made.
"""

from __future__ import annotations

import traceback

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tunescope.errors import TunescopeError
from tunescope.viewer.content import Content
from tunescope.viewer.server.api import api_routes
from tunescope.viewer.server.current import CurrentSite
from tunescope.viewer.server.security import Guard, Rules
from tunescope.viewer.tryout.bench import Bench

COMPRESSION = 4
"""Of gzip: the higher levels take longer than a local network does."""


def make_app(current: CurrentSite, rules: Rules, bench: Bench) -> ASGIApp:
    """Return what answers the requests to a served site.

    Parameters
    ----------
    current : CurrentSite
        The site.
    rules : Rules
        Who may ask.
    bench : Bench
        Where texts are tried.
    """

    def page(request: Request) -> Response:
        path = request.url.path.removeprefix("/")
        headers = {"Cache-Control": "private, no-cache", "ETag": f'W/"{current.state}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        status, found = _found(current, path)
        if status != 200:
            headers = {"Cache-Control": "no-store"}
        return Response(found.body, status, headers, media_type=found.kind)

    app = Starlette(
        routes=[
            *api_routes(current, bench),
            Route("/{path:path}", page, methods=["GET"]),
        ],
        middleware=[Middleware(GZipMiddleware, compresslevel=COMPRESSION)],
    )
    return Guard(app, rules)


def _found(current: CurrentSite, path: str) -> tuple[int, Content]:
    """Return a page with its status, or one that says what is wrong."""
    try:
        found = current.get(path)
        status, title, text = 404, "There is no such page", "It may be one of an earlier run."
    except TunescopeError as error:
        found, status, title, text = None, 500, "This page cannot be made", str(error)
    except Exception as error:  # the others still can
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
        found, status, title, text = None, 500, "This page cannot be made", said
    if found is not None:
        return 200, found
    frame = current.site.frame
    return status, frame.render(path, "message.html.j2", title=title, text=text)
