"""Paths as users write them: relative to a study file, in the home folder, inside a package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tunescope.errors import InputError

IN_PACKAGE = "package:"


def resolve_path(text: str | Path, relative_to: Path | None = None) -> Path:
    """Turn a path as written into a path that can be opened.

    Parameters
    ----------
    text : str or pathlib.Path
        A path; `~` is the home folder. `package:PACKAGE/inside/path` is a file or folder inside an
        installed Python package, which is found without being imported.
    relative_to : pathlib.Path, optional
        Folder that a relative path starts from: that of the study file. By default the current
        folder.

    Returns
    -------
    pathlib.Path
        The path; only for `package:` is it certain to exist.

    Raises
    ------
    InputError
        If the package is not installed or does not contain the path.
    """
    if isinstance(text, str) and text.startswith(IN_PACKAGE):
        return _inside_package(text)
    path = Path(text).expanduser()
    return path if relative_to is None else relative_to / path


def _inside_package(text: str) -> Path:
    package, _, inside = text.removeprefix(IN_PACKAGE).partition("/")
    if not package.isidentifier() or not inside:
        raise InputError(f"{text!r} must be written package:PACKAGE/path/inside/it")
    spec = find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    if not folders:
        raise InputError(
            f"{text!r}: no package {package!r} is installed in this Python; install it "
            "(its name on PyPI may have - for _)"
        )
    for folder in folders:
        path = Path(folder) / inside
        if path.exists():
            return path
    raise InputError(f"{text!r}: the installed package {package!r} holds no {inside}")
