"""What all commands share: the app, flags of a corpus, how a result is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal  # noqa: F401 (named by inherited fields of CorpusFlags)

from cyclopts import App, Parameter

from tunescope import __version__
from tunescope.corpus.source import CorpusSource
from tunescope.tasks.glue import GlueName  # noqa: F401 (as above)
from tunescope.tasks.kinds import Kind, MetricName  # noqa: F401
from tunescope.tasks.source import TaskSource


def _by_key(kind: Any, tokens: Any) -> Any:
    """Turn `--path FILE`, or `--path.train FILE --path.dev FILE`, into a text or a dictionary."""
    if isinstance(tokens, dict):
        return {key: _by_key(kind, below) for key, below in tokens.items()}
    return tokens[-1].value


Flat = Parameter(name="*")
Files = Parameter(converter=_by_key)


@dataclass(frozen=True)
class CorpusFlags(CorpusSource):  # noqa: D101 (the docstring is that of the base)
    __doc__ = CorpusSource.__doc__

    path: Annotated[str | dict[str, str], Files]
    label_files: Annotated[dict[str, str | dict[str, str]] | None, Files] = None


@dataclass(frozen=True)
class TaskFlags(TaskSource):  # noqa: D101 (the docstring is that of the base)
    __doc__ = TaskSource.__doc__

    path: Annotated[str | dict[str, str], Files]
    sentence_column: list[int | str] | None = None


app = App(
    name="tunescope",
    help="See what fine-tuning did to a language model.",
    version=__version__,
    default_parameter=Parameter(negative=(), consume_multiple=True),
    suppress_keyboard_interrupt=False,
)


def show(result: Any, **options: Any) -> None:
    """Print a result."""
    from tunescope.report.terminal import show as do

    do(result, **options)
