"""One progress bar for a tuning run, in place of the Trainer's log lines."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm
from transformers import TrainerCallback


def progress_bar(title: str) -> TrainerCallback:
    """Return a callback that shows the updates done.

    Parameters
    ----------
    title : str
        What is tuned on what.
    """
    return _Bar(title)


class _Bar(TrainerCallback):
    def __init__(self, title: str):
        self._title = title
        self._bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._bar = tqdm(total=state.max_steps, desc=self._title, unit="update")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._bar.update(state.global_step - self._bar.n)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._bar.close()
