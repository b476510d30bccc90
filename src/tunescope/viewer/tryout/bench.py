"""A queue before one worker: models are loaded when first asked, and asked one question at a time.

Nothing of torch is loaded before the first question.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from tunescope.errors import TunescopeError
from tunescope.viewer.tryout.question import Question

MOST = 20
"""Questions that may wait."""


TICK = 0.2
"""Seconds until who waits notices that the server is ending."""


class Busy(TunescopeError):
    """A question cannot be answered now."""


class Trial(Protocol):
    """A model at hand."""

    def answer(self, question: Question) -> dict[str, Any]:
        """Return what a page shows, as plain values."""
        ...


class Bench:
    """Asks models, in a thread of its own; it keeps the last one.

    Parameters
    ----------
    device : str
        Where models run: `auto`, `cpu`, `cuda:1`, ...
    open_trial : callable, optional
        From a question to the model it is about; by default the run's model is loaded.
    """

    def __init__(self, device: str = "auto", open_trial: Callable[[Question], Trial] | None = None):
        self._device, self._open = device, open_trial or self._load
        self._queue: queue.Queue[tuple[Question, Future[dict[str, Any]]]] = queue.Queue()
        self._worker: threading.Thread | None = None
        self._trial: tuple[Any, Trial] | None = None
        self._doing, self._closed = "", False

    @property
    def state(self) -> dict[str, Any]:
        """What is being done ("" for nothing), and how many questions wait behind it."""
        return {"doing": self._doing, "waiting": self._waiting}

    async def ask(self, question: Question) -> dict[str, Any]:
        """Queue a question and wait for its answer.

        Parameters
        ----------
        question : Question
            Who gives up waiting before its turn takes it out of the queue.

        Raises
        ------
        Busy
            If too many wait already, or the server is ending.
        """
        if self._waiting >= MOST:
            raise Busy(f"{MOST} texts wait already: try again in a moment")
        future: Future[dict[str, Any]] = Future()
        self._queue.put((question, future))
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, daemon=True)
            self._worker.start()
        answer = asyncio.wrap_future(future)
        try:
            while not answer.done():
                if self._closed:
                    raise Busy("the server is ending")
                await asyncio.wait([answer], timeout=TICK)
            return answer.result()
        finally:
            answer.cancel()

    def close(self) -> None:
        """Let no one wait any longer: the server is ending."""
        self._closed = True

    @property
    def _waiting(self) -> int:
        """Questions in the queue whose answer is still waited for."""
        return sum(not future.cancelled() for _, future in list(self._queue.queue))

    def _work(self) -> None:
        while True:
            question, future = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                answer, error = self._answer(question), None
            except BaseException as raised:  # who asked is told; the next is answered
                answer, error = {}, raised
            self._doing = ""
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)

    def _answer(self, question: Question) -> dict[str, Any]:
        name, what = question.key[2], _identity(question)
        if self._trial is None or self._trial[0] != what:
            self._doing = f"Loading {name}"
            self._trial = None  # before the next one takes memory
            self._trial = what, self._open(question)
        self._doing = f"{'Explaining a prediction of' if question.explain else 'Asking'} {name}"
        return self._trial[1].answer(question)

    def _load(self, question: Question) -> Trial:
        from tunescope.viewer.tryout.live import LiveTrial

        return LiveTrial(question.run, question.key, self._device)


def _identity(question: Question) -> Any:
    """Return what a loaded model can be kept for: results of the run as they are now."""
    found, key = question.run.latent, question.key
    mapper, names = found.mappers.get(key), found.names.get((key[0], key[2]))
    return (
        question.run.path, key, found.triggers[key].key, None if mapper is None else mapper.key,
        None if names is None else names.hash,
    )  # fmt: skip
