"""What a served page may ask its server for beside pages: annotations, texts tried."""

from __future__ import annotations

import json
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tunescope.errors import InputError, MismatchError, TunescopeError
from tunescope.viewer.server.current import CurrentSite
from tunescope.viewer.tryout.bench import Bench, Busy
from tunescope.viewer.tryout.question import Question

READ_ONLY = "This site is read-only: serve it with --annotate to annotate concepts."


class NotAllowed(TunescopeError):
    """What was asked for is switched off."""


STATUS: dict[type[Exception], int] = {
    NotAllowed: 403,
    MismatchError: 409,
    Busy: 503,
    TunescopeError: 422,
}
"""How each error is answered: the first that fits."""


def api_routes(current: CurrentSite, bench: Bench) -> list[Route]:
    """Return what answers below `api/`.

    Parameters
    ----------
    current : CurrentSite
        The site.
    bench : Bench
        Where texts are tried.
    """

    async def annotate(given: dict[str, Any]) -> Any:
        annotations = current.site.annotations
        if not annotations.editable:
            raise NotAllowed(READ_ONLY)
        seen = given.get("seen")
        saved = await to_thread.run_sync(
            annotations.save, given.get("annotation"), seen if isinstance(seen, str) else ""
        )
        return {"time": saved.time if saved else ""}

    async def try_text(given: dict[str, Any]) -> Any:
        return await bench.ask(Question.read(given, current.site.run))

    async def explain(given: dict[str, Any]) -> Any:
        return await bench.ask(Question.read(given, current.site.run, explain=True))

    async def bench_state(_: Request) -> JSONResponse:
        return JSONResponse(bench.state, headers={"Cache-Control": "no-store"})

    return [
        Route("/api/annotate", _answering(annotate), methods=["POST"]),
        Route("/api/try", _answering(try_text), methods=["POST"]),
        Route("/api/explain", _answering(explain), methods=["POST"]),
        Route("/api/bench", bench_state, methods=["GET"]),
        Route("/api/{rest:path}", _unknown, methods=["GET", "POST"]),
    ]


async def _unknown(_: Request) -> JSONResponse:
    return JSONResponse({"error": "There is nothing at this address."}, 404)


def _answering(do: Callable[[dict[str, Any]], Awaitable[Any]]) -> Callable[..., Any]:
    """Read JSON, answer in JSON, and say in words what went wrong."""

    async def answer(request: Request) -> JSONResponse:
        try:
            return JSONResponse(await do(_read(await request.body())))
        except TunescopeError as error:
            status, said = next(s for kind, s in STATUS.items() if isinstance(error, kind)), error
        except OSError as error:  # a folder that cannot be written to, a full disk
            status, said = 500, f"{error.filename or 'the run'}: {error.strerror or error}"
        except Exception as error:  # of a model or its tokenizer
            traceback.print_exc()
            status, said = 500, f"{type(error).__name__}: {error}"
        return JSONResponse({"error": str(said)}, status, {"Cache-Control": "no-store"})

    return answer


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("what was sent is not JSON") from None
    if not isinstance(found, dict):
        raise InputError("what was sent is no JSON object")
    return found
