"""How every result shows itself, and what all have in common that a step left in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tunescope.errors import InputError
from tunescope.manifest import Manifest
from tunescope.steps import Step

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 40
"""Rows of a table that are shown."""


def without_math(parts: Iterable[str]) -> str:
    """Join pieces of HTML so that a notebook takes no `$` in them for mathematics.

    Parameters
    ----------
    parts : iterable of str
        Escaped already. The classes are those by which MathJax, 2 and 3, passes over an element.
    """
    return f'<div class="tex2jax_ignore mathjax_ignore">{"".join(parts)}</div>'


class Result:
    """Base of all results: a subclass has `table()` and may have `headline()`.

    Subclasses are frozen dataclasses with `save(path)` and a class method `load(path)`. They hold
    ids and hashes, never live models.
    """

    def table(self) -> pd.DataFrame:
        """Return the result as a data frame, one row per fact."""
        raise NotImplementedError(f"{type(self).__name__} has no table")

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what to show, by title: `table` without a title, where there is no more."""
        return {"": self.table()}

    def headline(self) -> str:
        """Return one line that says what this is."""
        return type(self).__name__

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.__repr__ = Result.__repr__  # that of a dataclass lists every field, tables and all

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline()}>"

    def __str__(self) -> str:
        parts = [self.headline()]
        for title, frame in self.tables().items():
            parts.append(f"\n{title}" if title else "")
            parts.append(frame.to_string(index=False, max_rows=MAX_ROWS))
        return "\n".join(part for part in parts if part)

    def _repr_html_(self) -> str:
        from html import escape

        parts = [f"<p>{escape(self.headline())}</p>"]
        for title, frame in self.tables().items():
            parts += [f"<h4>{escape(title)}</h4>"] if title else []
            parts.append(frame.to_html(index=False, max_rows=MAX_ROWS, escape=True, border=0))
        return without_math(parts)


@dataclass(frozen=True, eq=False)
class StepResult(Result):
    """The folder of a finished step, and how it was made.

    Parameters
    ----------
    path : Path
        The step's folder.
    manifest : Manifest
        How it was made.
    """

    path: Path
    manifest: Manifest
    made_by: ClassVar[type[Step]]

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open the folder of a finished step.

        Raises
        ------
        InputError
            If the folder is none, or another step's.
        """
        manifest = Manifest.load(Path(path))
        if manifest.step != cls.made_by.name:
            raise InputError(
                f"{path} was written by step {manifest.step!r}; give a folder of "
                f"{cls.made_by.name!r}"
            )
        return cls(Path(path), manifest)

    @property
    def key(self) -> str:
        """Hash of all that made it: the step, its parameters and its inputs."""
        return self.manifest.key

    @property
    def step(self) -> Any:
        """The parameters it was made with, an instance of `made_by`.

        Raises
        ------
        InputError
            If they are those of another version of tunescope.
        """
        try:
            return self.made_by(**self.manifest.parameters)
        except TypeError:
            raise InputError(
                f"{self.path} was made by another version of tunescope, with other parameters of "
                f"step {self.made_by.name!r}: run it again"
            ) from None
