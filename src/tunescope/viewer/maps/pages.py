"""A page for each layer of each map, what it loads, and its pictures as files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from tunescope.concepts.projection.result import Projection
from tunescope.report.concepts import maps
from tunescope.report.figure import Figure
from tunescope.report.wording import percent
from tunescope.viewer.assets import VEGA
from tunescope.viewer.concepts.shelf import Shelf
from tunescope.viewer.content import Content, Link
from tunescope.viewer.frame import script
from tunescope.viewer.maps.layer import GRID, Key, fates_of, layer_data, words_data
from tunescope.viewer.maps.paths import FOLDER, map_folder, map_path

if TYPE_CHECKING:
    from tunescope.viewer.site import Site

KEPT = 8
"""Figures that are kept, for the files of one that are asked for one by one."""


class Maps:
    """All maps of words of a run.

    Parameters
    ----------
    site : Site
        The site they are in.
    """

    folder, title = FOLDER, "Map"

    def __init__(self, site: Site):
        self.site = site
        self._picture = lru_cache(KEPT)(self._draw)

    @cached_property
    def maps(self) -> dict[Key, Projection]:
        """What there are maps of."""
        return {Key(*key): found for key, found in self.site.run.latent.projections.items()}

    @cached_property
    def shelf(self) -> Shelf:
        """All layers with concepts: those of the pages about them."""
        concepts = self.site.kind("concepts")
        return getattr(concepts, "shelf", None) or Shelf(self.site.run)

    def links(self) -> list[Link]:
        """Return the last layer of each map, where most has changed."""
        return [
            Link(map_path(*key, found.layer_numbers[-1]), f"Map of {_said(key)}")
            for key, found in self.maps.items()
        ]

    def paths(self) -> Iterator[str]:
        """Return every address."""
        for key, found in self.maps.items():
            above = map_folder(*key)
            yield f"{above}words.js"
            yield from (f"{above}trust.{kind}" for kind in ("csv", "js", "svg", "png"))
            for layer in found.layer_numbers:
                yield map_path(*key, layer)
                yield from (f"{above}layer-{layer:02d}.{kind}" for kind in ("js", "csv"))
                for name in self._picture(key, layer).image_names:
                    yield from (f"{above}{name}.{kind}" for kind in ("svg", "png"))

    def get(self, path: str) -> Content | None:
        """Return what is at an address."""
        above, _, name = path.rpartition("/")
        key = next((key for key in self.maps if map_folder(*key) == f"{above}/"), None)
        if key is None:
            return None
        stem, _, kind = name.rpartition(".")
        found = self.maps[key]
        if name == "words.js":
            return Content.of(name, script("data", words_data(found)))
        if stem == "trust":
            return _file(maps.trust(self.site.run, found), stem, kind)
        for layer in found.layer_numbers:
            at = f"layer-{layer:02d}"
            if stem == at and kind == "html":
                return self._page(path, key, layer)
            if stem == at and kind == "js":
                return Content.of(name, script("data", layer_data(found, self.shelf, key, layer)))
            if stem == at or stem.startswith(f"{at}-"):
                return _file(self._picture(key, layer), stem, kind)
        return None

    def _draw(self, key: Key, layer: int) -> Figure:
        return maps.picture(self.site.run, self.maps[key], layer, fates_of(self.shelf, key, layer))

    def _page(self, path: str, key: Key, layer: int) -> Content:
        run, found = self.site.run, self.maps[key]
        alignment = run.alignments.get((key.corpus, key.base, key.tuned or ""))
        trusted = found.layers.set_index("layer").loc[layer]
        layers = found.layer_numbers
        at = layers.index(layer)
        around = [layers[n] if 0 <= n < len(layers) else None for n in (at - 1, at + 1)]
        others = {
            _said(other): map_path(*other, layer if layer in of.layer_numbers else at_end(of))
            for other, of in self.maps.items()
        }
        return self.site.frame.render(
            path,
            "map.html.j2",
            title=f"Map of {_said(key)}, layer {layer}",
            scripts=(VEGA, "map_panel.js", "map.js", "steps.js"),
            styles=("concepts.css", "map.css"),
            key=key,
            layer=layer,
            layers=[(n, f"layer-{n:02d}.html") for n in layers],
            lower=around[0],
            higher=around[1],
            others=others if len(others) > 1 else {},
            chosen=_said(key),
            sampling=maps.sampling(found, layer),
            method=maps.method(found),
            step=found.step,
            trusted=trusted,
            explained=percent(float(trusted["explained"])),
            align=None if alignment is None else alignment.step,
            concepts=None if alignment is None else run.concepts[key.corpus, key.base].step,
            aligned=bool(fates_of(self.shelf, key, layer)),
            width=self._width(key, layer),
            picture=self._picture(key, layer),
            trust=maps.trust(self.site.run, found),
            grid=GRID,
        )

    def _width(self, key: Key, layer: int) -> int | None:
        """Return how many neurons a layer has, where the run kept it."""
        facts: dict[str, Any] = self.site.run.extraction.get((key.corpus, key.base), {})
        return facts.get("width")


def at_end(found: Projection) -> int:
    """Return the last layer of a map."""
    return found.layer_numbers[-1]


def _said(key: Key) -> str:
    """Name what a map is of."""
    return f"{key.corpus}: {key.base}" + (f" → {key.tuned}" if key.tuned else "")


def _file(figure: Figure, stem: str, kind: str) -> Content | None:
    name = f"{stem}.{kind}"
    if stem == figure.name and kind == "csv":
        return Content.of(name, figure.csv())
    if stem == figure.name and kind == "js":
        return Content.of(name, script("data", figure.specifications()))
    if kind in ("svg", "png") and stem in figure.image_names:
        return Content.of(name, figure.image(stem, kind))
    return None
