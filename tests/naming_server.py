"""A small OpenAI-compatible server on this machine, that does what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def completion(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """Return the body of a chat completion."""
    message = {"role": "assistant", "content": content, **message}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


@dataclass
class Server:
    """What was asked, and what is answered: `answer(request, number)`.

    An answer is a text (the model's), a dictionary (the body), bytes (sent as they are), or a tuple
    of status, body and headers; a callable is given the handler and does everything itself.
    """

    address: str
    answer: Callable[[dict[str, Any], int], Any]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def serve(answer: Callable[[dict[str, Any], int], Any]) -> Iterator[Server]:
    """Run a server while the block runs."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(server.requests)
                server.requests.append(body)
                server.headers.append(dict(self.headers.items()))
                server.paths.append(self.path)
            said = server.answer(body, number)
            if callable(said):
                said(self)
                return
            status, headers = 200, {}
            if isinstance(said, tuple):
                status, said, headers = said
            said = completion(said) if isinstance(said, str) else said
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that went away, as tests want it to

    http = Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_port}/v1", answer)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.daemon = True
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
