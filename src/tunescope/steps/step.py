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
            if value is None or isinstance(value, str):
                continue
            if (low is not None and value < low) or (high is not None and value > high):
                bounds = f"at least {low}" + (f" and at most {high}" if high is not None else "")
                raise InputError(f"step {self.name!r}: {field.name} = {value!r} must be {bounds}")

    def parameters(self) -> dict[str, Any]:
        """All parameters as plain values, for a manifest."""
        return dataclasses.asdict(self)


def bounded(default: Any, low: float, high: float | None = None) -> Any:
    """Make a dataclass field that must lie in [low, high]."""
    return dataclasses.field(default=default, metadata={"at_least": low, "at_most": high})
