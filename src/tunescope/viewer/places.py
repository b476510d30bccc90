"""Where things stand in a site: evidence of findings, concepts of a layer; None where nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunescope.report.figure import Opens
from tunescope.report.finding import Evidence
from tunescope.viewer.concepts.paths import concept_path, list_path
from tunescope.viewer.neurons.paths import study_path
from tunescope.viewer.paths import ALL_LAYERS, alignment_path, layers_path, triggers_path

if TYPE_CHECKING:
    from tunescope.viewer.site import Site


class Places:
    """Addresses of what pages of other kinds show.

    Parameters
    ----------
    site : Site
        The site they are in.
    """

    def __init__(self, site: Site):
        self._site = site

    def evidence(self, evidence: Evidence | None) -> str | None:
        """Return where the figure stands that a finding was read off."""
        if evidence is None:
            return None
        key = evidence.key
        if evidence.page == "layers":
            path = layers_path(key[0], key[1]) if key else ALL_LAYERS
        elif evidence.page == "neurons":
            path = study_path((key[0], key[1], key[2]))
        else:
            of = {"alignment": alignment_path, "triggers": triggers_path}[evidence.page]
            path = of((key[0], key[1], key[2]))
        anchor = f"#{evidence.figure}" if evidence.figure else ""
        return f"{path}{anchor}" if self.there(path) else None

    def opens(self, path: str) -> Opens:
        """Return how a page leads to the concepts of a layer.

        Parameters
        ----------
        path : str
            Address of the page.
        """
        root = "../" * path.count("/")

        def opened(corpus: str, model: str, layer: int) -> str | None:
            found = self.layer(corpus, model, layer)
            return None if found is None else root + found

        return opened

    def layer(self, corpus: str, model: str, layer: int) -> str | None:
        """Return where the concepts of a layer are listed."""
        there = self._has_concepts(corpus, model, layer)
        return list_path(corpus, model, layer) if there else None

    def concept(self, corpus: str, model: str, layer: int, concept: int) -> str | None:
        """Return the page of one concept."""
        there = self._has_concepts(corpus, model, layer)
        return concept_path(corpus, model, layer, concept) if there else None

    def there(self, path: str) -> bool:
        """Tell whether a page is one of those that its kind is entered by."""
        kind = self._site.kind(path.split("/", 1)[0])
        return kind is not None and any(link.path == path for link in kind.links())

    def _has_concepts(self, corpus: str, model: str, layer: int) -> bool:
        found = self._site.run.concepts.get((corpus, model))
        return self._site.kind("concepts") is not None and found is not None and (
            layer in found.layers
        )  # fmt: skip
