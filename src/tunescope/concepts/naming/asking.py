"""Many requests at once, answers kept as they come, and an end when the server is of no use.

An answer is one file, named by the hash of address and request, so that a run that was killed, or
comes again with other parameters, asks only what it has not asked before. Failures are not kept.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tqdm.auto import tqdm

from tunescope.concepts.naming.client import Client
from tunescope.concepts.naming.reply import Reply
from tunescope.files import hash_json, read_json, write_json

GIVE_UP = 10
"""Requests in a row that fail, all attempts included, before nothing further is asked."""


class Asker:
    """Asks a server, or remembers.

    Parameters
    ----------
    client : Client
        The server.
    folder : Path
        Where answers are kept.
    stop : threading.Event
        Set on an interrupt, so that waiting threads end.

    Attributes
    ----------
    failed : int
        Requests that failed so far, all attempts included.
    """

    def __init__(self, client: Client, folder: Path, stop: Event):
        self.client, self.folder, self.stop = client, folder, stop
        self.failed = 0
        self._failing = 0
        self._last = ""

    def ask(self, conversations: Sequence[list[dict[str, str]]], title: str) -> list[Reply]:
        """Return one reply for each conversation, in their order.

        Parameters
        ----------
        conversations : sequence of lists of messages
            What is said to the model; equal ones are asked once.
        title : str
            For the progress bar.
        """
        bodies = [self.client.body(messages) for messages in conversations]
        keys = [hash_json([self.client.url, body]) for body in bodies]
        replies: dict[str, Reply] = {}
        missing: dict[str, Mapping[str, Any]] = {}
        for key, body in zip(keys, bodies, strict=True):
            if (known := self._known(key)) is not None:
                replies[key] = known
            else:
                missing[key] = body
        with tqdm(desc=title, total=len(replies) + len(missing), unit="concept") as bar:
            bar.update(len(replies))

            def keep(key: str, reply: Reply) -> None:
                replies[key] = reply
                if not reply.failure:
                    write_json(self._path(key), asdict(reply))
                bar.update()

            self._ask_missing(missing, keep)
        return [replies[key] for key in keys]

    def _known(self, key: str) -> Reply | None:
        path = self._path(key)
        return Reply(**read_json(path)) if path.exists() else None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _ask_missing(
        self, missing: Mapping[str, Mapping[str, Any]], keep: Callable[[str, Reply], None]
    ) -> None:
        """Ask from several threads; this one alone writes.

        The threads are daemons: an interrupt does not wait for a request that is under way.
        """
        todo: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[str, Reply]] = queue.SimpleQueue()
        for entry in missing.items():
            todo.put(entry)

        def work() -> None:
            while not self.stop.is_set():
                try:
                    key, body = todo.get_nowait()
                except queue.Empty:
                    return
                done.put((key, self._one(body)))

        n_threads = min(self.client.step.concurrency, len(missing))
        threads = [Thread(target=work, daemon=True) for _ in range(n_threads)]
        try:
            for thread in threads:
                thread.start()
            for _ in range(len(missing)):
                key, reply = done.get()
                keep(key, reply)
                self._count(reply)
        except BaseException:
            self.stop.set()
            raise

    def _one(self, body: Mapping[str, Any]) -> Reply:
        if self._failing >= GIVE_UP:
            return Reply(failure=f"not asked after {GIVE_UP} failures in a row: {self._last}")
        try:
            return self.client.ask(body)
        except Exception as error:  # a thread that dies would leave the others' loop waiting
            return Reply(failure=f"{type(error).__name__} in the client")

    def _count(self, reply: Reply) -> None:
        """Count failures, and those in a row: once there are enough, nothing more is asked."""
        self.failed += bool(reply.failure)
        if self._failing < GIVE_UP:
            self._failing = self._failing + 1 if reply.failure else 0
            self._last = reply.failure
