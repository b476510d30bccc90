"""A site written as plain files, which open from disk and need no server."""

from __future__ import annotations

from pathlib import Path

from tqdm.auto import tqdm

from tunescope.errors import InputError
from tunescope.files import atomic_file
from tunescope.study.result import Run
from tunescope.viewer.site import Site


def export(run: Run | Path | str, out: Path | str) -> Path:
    """Write all pages of a run.

    Parameters
    ----------
    run : Run, Path or str
        Results of a study, or the run's folder.
    out : Path or str
        Folder for the pages. Links between them are relative: it can be moved, zipped and sent.

    Returns
    -------
    Path
        The front page.

    Raises
    ------
    InputError
        If `run` is no run's folder.
    """
    run = run if isinstance(run, Run) else Run.load(run)
    out, site = Path(out), Site(run)
    for path in tqdm(list(site.paths()), desc="pages", unit="file", mininterval=0.5):
        content = site.get(path)
        if content is None:
            raise InputError(f"{path}: the site names this page but does not have it")
        with atomic_file(out / path) as temporary:
            temporary.write_bytes(content.body)
    return out / "index.html"
