"""Serve a run until it is interrupted."""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from types import FrameType

import uvicorn

from tunescope.errors import InputError
from tunescope.viewer.assets import vega_apart
from tunescope.viewer.server.app import make_app
from tunescope.viewer.server.current import CurrentSite
from tunescope.viewer.server.security import Rules, is_loopback
from tunescope.viewer.site import Served
from tunescope.viewer.tryout.bench import Bench

PORT = 8765
PATIENCE = 1
"""Seconds that unfinished answers are waited for at the end."""


class Server(uvicorn.Server):
    """Ends at once when interrupted, also while a model is asked.

    Parameters
    ----------
    bench : Bench
        Where models are asked.
    config : uvicorn.Config
        What is served, and how.
    """

    def __init__(self, bench: Bench, config: uvicorn.Config):
        super().__init__(config)
        self._bench = bench

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._bench.close()
        super().handle_exit(sig, frame)


def view(
    run: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    annotate: bool = False,
    open_browser: bool | None = None,
    device: str = "auto",
) -> None:
    """Serve the pages of a run until interrupted (Ctrl-C).

    Parameters
    ----------
    run : Path or str
        Folder of a run. One that is still going on is shown as it grows.
    host : str
        Address or name to bind to. Elsewhere than on this machine the address that is printed has
        a token in it, without which nothing is shown.
    port : int, optional
        8765 when not given, or another one where that is taken.
    annotate : bool
        Whether concepts may be annotated; kept in `annotations.json` in the run's folder.
    open_browser : bool, optional
        Whether to open the first page; by default where there is a screen.
    device : str
        Where a tuned model runs when texts are tried on it: `auto`, `cpu`, `cuda:1`, ...

    Raises
    ------
    InputError
        If it is no run's folder, or the address cannot be used.
    """
    threading.Thread(target=vega_apart, daemon=True).start()
    current = CurrentSite(Path(run), Served(live=True, annotate=annotate))
    name = current.site.run.about["name"]
    with bind(host, port) as listening:
        rules = Rules.of(host, listening.getsockname()[1])
        bench = Bench(device)
        app = make_app(current, rules, bench)
        server = Server(
            bench,
            uvicorn.Config(
                app, log_level="warning", access_log=False, server_header=False, ws="none",
                lifespan="off", timeout_graceful_shutdown=PATIENCE,
            ),
        )  # fmt: skip
        address = address_of(rules)
        said = "annotations are kept in the run" if annotate else "read-only without --annotate"
        sys.stdout.write(f"{name}: {address}   ({said}; Ctrl-C ends)\n")
        sys.stdout.flush()
        threading.Thread(target=_prepare, args=[current], daemon=True).start()
        if _has_screen(host) if open_browser is None else open_browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:  # uvicorn ends in order, then raises it again
            sys.stdout.write("\n")


def _prepare(current: CurrentSite) -> None:
    """Make pages ahead of requests; leave what stays out of every later collection of garbage.

    Such a collection goes through all objects there are; a page waits a tenth of a second for it.
    """
    current.warm()
    gc.freeze()


def bind(host: str, port: int | None) -> socket.socket:
    """Return a listening socket: at the port asked for, else at 8765, else at any that is free.

    Parameters
    ----------
    host : str
        Address or name.
    port : int or None
        None where any will do.

    Raises
    ------
    InputError
        If the name is unknown, the address is not this machine's, or the port cannot be used.
    """
    try:
        family, *_, found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise InputError(f"host {host!r} is no address or name of this machine") from None
    reason = ""
    for tried in (PORT, 0) if port is None else (port,):
        made = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # a port that was used a moment ago; on Windows it would be shared
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((found[0], tried))
            made.listen(128)
            return made
        except (OSError, OverflowError) as error:
            made.close()
            reason = getattr(error, "strerror", None) or str(error)
    raise InputError(
        f"cannot serve at {host}" + (f", port {port}" if port is not None else "")
        + f": {reason}; give another --host or --port"
    )  # fmt: skip


def address_of(rules: Rules) -> str:
    """Return the address to open, with the token where there is one."""
    host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(rules.host, rules.host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{rules.port}/" + (f"?token={rules.token}" if rules.token else "")


def _has_screen(host: str) -> bool:
    """Whether somebody sits before this machine: else a browser might open in the terminal."""
    if not (is_loopback(host) and sys.stdout.isatty()) or "SSH_CONNECTION" in os.environ:
        return False
    shown = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(name in os.environ for name in shown)
