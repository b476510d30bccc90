"""What every step is: a frozen dataclass whose fields are its parameters, checked when made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from tunescope.errors import InputError
from tunescope.parameters import check_types


@dataclass(frozen=True)
class Step:
    """Base of the parameter classes; checks values when made."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when the step's results change for the same parameters, so that old ones go stale."""

    def __post_init__(self) -> None:
        check_types(self, f"step {self.name!r}")
        for field in dataclasses.fields(self):
            low = field.metadata.get("at_least")
            high = field.metadata.get("at_most")
            value = getattr(self, field.name)
            where = f"step {self.name!r}: {field.name}"
            if isinstance(field.default, tuple) and not len(value):
                raise InputError(f"{where} is empty: give at least one, or leave it out")
            for entry in value if isinstance(value, list | tuple) else (value,):
                if entry is None or isinstance(entry, str):
                    continue
                if (low is not None and entry < low) or (high is not None and entry > high):
                    bounds = f"at least {low}"
                    bounds += f" and at most {high}" if high is not None else ""
                    raise InputError(f"{where} = {value!r} must be {bounds}")

    def parameters(self) -> dict[str, Any]:
        """All parameters as plain values, for a manifest."""
        return dataclasses.asdict(self)


def bounded(default: Any, low: float, high: float | None = None) -> Any:
    """Make a dataclass field that must lie in [low, high]; of a list, every entry."""
    return dataclasses.field(default=default, metadata={"at_least": low, "at_most": high})
