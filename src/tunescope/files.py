"""Files written whole or not at all, and hashes of what they hold.

Everything on disk goes through here: an artifact is written under a temporary name and renamed, so
that a killed run never leaves half a file under a final name (invariant 5 of the architecture).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

TEMPORARY = ".partial-"


def _temporary(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:8]}-{path.name}")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a temporary directory beside `path`; on success it takes the place of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and directories that a killed run left under `folder`."""
    for path in sorted(folder.rglob(f"{TEMPORARY}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as sorted, indented JSON, atomically."""
    with atomic_file(path) as temporary:
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    InputError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing: is this the folder of a finished step?") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid JSON ({error}): delete it and run again") from None


def write_table(path: Path, table: pa.Table) -> None:
    """Write an Arrow table as parquet, atomically."""
    import pyarrow.parquet as pq

    with atomic_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_table(path: Path) -> pa.Table:
    """Read a parquet file into an Arrow table.

    Raises
    ------
    InputError
        If the file is missing or is not parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read()
    except FileNotFoundError:
        raise InputError(f"{path} is missing: is this the folder of a finished step?") from None
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a parquet file ({error}): delete it, run again") from None


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a data frame as parquet, without its index, atomically."""
    import pyarrow as pa

    write_table(path, pa.Table.from_pandas(frame, preserve_index=False))


def read_frame(path: Path) -> pd.DataFrame:
    """Read a parquet file into a data frame.

    Raises
    ------
    InputError
        If the file is missing or is not parquet.
    """
    return read_table(path).to_pandas()


def kept_frames(
    folder: Path, make: Callable[[], dict[str, pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    """Return the data frames of one unit of work: what an earlier run left of it, or made now.

    Parameters
    ----------
    folder : Path
        The unit's own folder, written whole or not at all.
    make : callable
        Does the unit; called where the folder is not there.
    """
    if not folder.exists():
        with atomic_directory(folder) as temporary:
            for name, frame in make().items():
                write_frame(temporary / f"{name}.parquet", frame)
    return {path.stem: read_frame(path) for path in sorted(folder.glob("*.parquet"))}


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as .npy, atomically."""
    import numpy as np

    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Write arrays as safetensors, atomically."""
    import numpy as np
    from safetensors.numpy import save_file

    # safetensors writes memory as it lies: a transposed array would come back scrambled.
    ordered = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    with atomic_file(path) as temporary:
        save_file(ordered, temporary)


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read a safetensors file.

    Raises
    ------
    InputError
        If the file is missing.
    """
    from safetensors.numpy import load_file

    if not path.exists():
        raise InputError(f"{path} is missing: is this the folder of a finished step?")
    return load_file(path)


def hash_json(content: Any) -> str:
    """SHA-256 (hex) of the canonical JSON form of `content`."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_size(path: Path) -> int:
    """Bytes in all files under `path`."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
