"""How every result shows itself: as text in a terminal, as a table in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


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
            parts.append(frame.to_string(index=False, max_rows=40))
        return "\n".join(part for part in parts if part)

    def _repr_html_(self) -> str:
        from html import escape

        parts = [f"<p>{escape(self.headline())}</p>"]
        for title, frame in self.tables().items():
            parts += [f"<h4>{escape(title)}</h4>"] if title else []
            parts.append(frame.to_html(index=False, max_rows=40, escape=True, border=0))
        return "".join(parts)
