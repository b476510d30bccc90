"""Dataclasses as parameters: made from dictionaries, checked against their annotations.

What a user wrote, in a study file, as flags or as keywords, becomes a frozen dataclass here, or one
error that names the key and the nearest valid one.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

from tunescope.errors import InputError, nearest

if TYPE_CHECKING:
    from tunescope.steps import Step

S = TypeVar("S")


@functools.cache
def field_types(kind: type) -> dict[str, Any]:
    """Resolve the annotations of a dataclass."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def make(kind: type[S], values: dict[str, Any], where: str) -> S:
    """Make a dataclass from a dictionary; unknown and missing keys are errors that name them.

    Raises
    ------
    InputError
        If a key is unknown (the nearest valid one is named), missing, or of the wrong type.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise InputError(f"{where}: unknown key {key!r}; {nearest(key, fields)}")
    for name, field in fields.items():
        no_default = field.default is dataclasses.MISSING
        if no_default and field.default_factory is dataclasses.MISSING and name not in values:
            raise InputError(f"{where}: key {name!r} is missing; add it")
    try:
        return kind(**values)
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(where) else f"{where}: {text}") from None


def check_types(instance: Any, where: str) -> None:
    """Check each field of a dataclass instance against its annotation.

    Integers are accepted for floats and stored as such. Raises InputError naming the field.
    """
    for name, expected in field_types(type(instance)).items():
        value = getattr(instance, name)
        if _is_int(value) and _accepts_float(expected):
            object.__setattr__(instance, name, float(value))
            continue
        if isinstance(value, list | tuple) and _item(expected) is float:
            value = tuple(float(entry) if _is_int(entry) else entry for entry in value)
            object.__setattr__(instance, name, value)
        if not _matches(value, expected):
            raise InputError(f"{where}: {name} = {value!r} must be {_describe(expected, value)}")


def _accepts_float(expected: Any) -> bool:
    options = get_args(expected) if _is_union(expected) else (expected,)
    return float in options and int not in options


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _item(expected: Any) -> Any:
    """Type of the entries of a list; None for what is no list."""
    return get_args(expected)[0] if get_origin(expected) in (list, tuple) else None


def _is_union(expected: Any) -> bool:
    return get_origin(expected) in (Union, types.UnionType)


def _matches(value: Any, expected: Any) -> bool:
    origin = get_origin(expected)
    if expected is Any:
        return True
    if _is_union(expected):
        return any(_matches(value, option) for option in get_args(expected))
    if origin is Literal:
        return value in get_args(expected)
    if origin in (list, tuple):
        item = get_args(expected)[0] if get_args(expected) else Any
        return isinstance(value, list | tuple) and all(_matches(entry, item) for entry in value)
    if origin is dict:
        key, item = get_args(expected)
        return isinstance(value, dict) and all(
            _matches(k, key) and _matches(v, item) for k, v in value.items()
        )
    if expected is type(None):
        return value is None
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, expected)


def _describe(expected: Any, value: Any) -> str:
    if _is_union(expected):
        options = [option for option in get_args(expected) if option is not type(None)]
        return " or ".join(_describe(option, value) for option in options)
    if get_origin(expected) is Literal:
        choices = [str(choice) for choice in get_args(expected)]
        listing = "one of " + ", ".join(choices)
        return f"{listing}; {nearest(value, choices)}" if isinstance(value, str) else listing
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if expected in names:
        return names[expected]
    origin = get_origin(expected)
    if origin in (list, tuple):
        item = get_args(expected)[0]
        entries = value if isinstance(value, list | tuple) else (value,)
        wrong = next((entry for entry in entries if not _matches(entry, item)), value)
        return "a list of " + _describe(item, wrong)
    return "a table" if origin is dict else str(expected)


def step_function(kind: type[Step]) -> Callable[[Callable[..., S]], Callable[..., S]]:
    """Let a function whose last parameter is `step` be called with the step's own keywords.

    `extract(corpus, model, out, pooling="mean")` then equals
    `extract(corpus, model, out, step=Extract(pooling="mean"))`, and `help` and notebooks show the
    step's parameters.
    """

    def decorate(function: Callable[..., S]) -> Callable[..., S]:
        own = inspect.signature(function)
        names = {field.name for field in dataclasses.fields(kind)}

        @functools.wraps(function)
        def wrapper(*args: Any, step: Any = None, **keywords: Any) -> S:
            given = {key: value for key, value in keywords.items() if key not in own.parameters}
            rest = {key: value for key, value in keywords.items() if key in own.parameters}
            if step is None and args and isinstance(args[-1], kind):
                args, step = args[:-1], args[-1]
            if step is not None and given:
                raise InputError(f"{function.__name__}: give step= or its parameters, not both")
            step = make(kind, given, f"{function.__name__}()") if step is None else step
            return function(*args, step=step, **rest)

        extra = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=getattr(kind(), name),
                annotation=field_types(kind)[name],
            )
            for name in names
            if name not in own.parameters
        ]
        shown = [p for name, p in own.parameters.items() if name != "step"]
        wrapper.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=[*shown, *sorted(extra, key=lambda p: list(field_types(kind)).index(p.name))]
        )
        wrapper.__doc__ = _with_parameters(inspect.getdoc(function) or "", kind)
        return wrapper

    return decorate


def _with_parameters(doc: str, kind: type) -> str:
    """Put the parameters of a step behind the entry `step` of a function's docstring."""
    listed = (inspect.getdoc(kind) or "").partition("Parameters\n----------\n")[2]
    for name, value in field_types(kind).items():
        shown = value.__name__ if isinstance(value, type) else str(value).replace("typing.", "")
        listed = re.sub(rf"^{name}$", f"{name} : {shown}", listed, flags=re.MULTILINE)
    entry = re.compile(r"^step : .*\n(?:    .*\n?)+", flags=re.MULTILINE)
    return entry.sub(lambda found: f"{found[0].rstrip()}\n{listed.rstrip()}\n", doc, count=1)
