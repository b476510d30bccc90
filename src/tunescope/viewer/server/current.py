"""The site of a run as the run is now: made anew when the run has gained results."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from pathlib import Path

from tunescope.errors import TunescopeError
from tunescope.files import TEMPORARY, hash_json
from tunescope.study.result import Run
from tunescope.viewer.assets import Assets
from tunescope.viewer.content import Content
from tunescope.viewer.site import Served, Site

TOP = ("study.toml", "manifest.json", "jobs.json", "failed.json", "skipped.json", "timings.json")
"""Files of the run itself; every finished step has a `manifest.json` in its folder."""
PASSED_OVER = re.compile(rf"layer_\d+|shards|{re.escape(TEMPORARY)}.*")
"""Names of folders that hold no step's manifest."""
ASSETS = f"{Assets.folder}/"
INTERVAL = 1.0
"""Seconds between two looks at the run's folder."""
SHARE = 0.02
"""... and more where a look takes long: this share of the time at most."""


def stamp(run: Path) -> str:
    """Return what changes when a run gains, loses or replaces results.

    Parameters
    ----------
    run : Path
        The run's folder.
    """
    found: list[tuple[str, int, int]] = []

    def note(path: str) -> None:
        try:
            about = os.stat(path)
        except FileNotFoundError:
            return
        found.append((path, about.st_mtime_ns, about.st_size))

    def look(folder: str) -> None:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return  # a step begins anew
        for entry in entries:
            if entry.name == "manifest.json":
                note(entry.path)
            elif entry.is_dir() and not PASSED_OVER.fullmatch(entry.name):
                look(entry.path)

    for name in TOP:
        note(os.path.join(run, name))
    look(str(run))
    return hash_json(found)


class CurrentSite:
    """Serves pages, one after the other, from the run as it is now.

    Parameters
    ----------
    run : Path
        The run's folder.
    served : Served
        What is offered beside the pages.

    Raises
    ------
    InputError
        If it is no run's folder.
    """

    def __init__(self, run: Path, served: Served):
        self._path, self._served = run, served
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._process = secrets.token_hex(4)
        self._stamp = stamp(run)
        self._site = _opened(run, served)
        self._next_look = time.monotonic() + INTERVAL
        self._number = 0

    @property
    def site(self) -> Site:
        """The site, of the run as it was at most a moment ago."""
        self._look()
        return self._site

    @property
    def state(self) -> str:
        """What changes when any page may have."""
        site = self.site
        return hash_json([self._process, self._number, site.annotations.stamp])[:16]

    def get(self, path: str) -> Content | None:
        """Return what is at an address.

        Parameters
        ----------
        path : str
            From the top of the site.
        """
        if path.startswith(ASSETS):  # files that no run changes
            return self._site.get(path)
        with self._lock:
            site = self.site
            try:
                return site.get(path)
            except (TunescopeError, OSError):
                self._look(now=True)  # a step that begins anew takes its old results away
                if self._site is site:
                    raise
                return self._site.get(path)

    def warm(self) -> None:
        """Make what is entered first, so that no one waits for it; gives way to requests."""
        site = self._site
        for path in [link.path for pages in site.kinds for link in pages.links()]:
            with self._lock:
                if self._site is not site:
                    return
                try:
                    site.get(path)
                except Exception:  # who looks at the page is told
                    continue
            time.sleep(0.01)

    def _look(self, *, now: bool = False) -> None:
        """Make the site anew if the run has changed; one thread looks, now and then."""
        if not now and time.monotonic() < self._next_look:
            return
        if not self._looking.acquire(blocking=False):
            return
        try:
            began = time.monotonic()
            found = stamp(self._path)
            took = time.monotonic() - began
            self._next_look = time.monotonic() + max(INTERVAL, took / SHARE)
            if found == self._stamp:
                return
            try:
                made = _opened(self._path, self._served)
            except Exception:
                return  # it is being written: the old one is right until the next look
            self._site, self._stamp = made, found
            self._number += 1
        finally:
            self._looking.release()
        threading.Thread(target=self.warm, daemon=True).start()


def _opened(run: Path, served: Served) -> Site:
    """Return the site of a run that can be read: its navigation asks for all of it."""
    made = Site(Run.load(run), served)
    _ = made.frame
    return made
