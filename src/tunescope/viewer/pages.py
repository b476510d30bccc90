"""All kinds of pages, in the order of the navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunescope.viewer.alignment import Alignments
from tunescope.viewer.annotations.pages import AnnotationPages
from tunescope.viewer.concepts.pages import Concepts
from tunescope.viewer.content import Pages
from tunescope.viewer.layers import Layers
from tunescope.viewer.maps.pages import Maps
from tunescope.viewer.neurons.pages import Neurons
from tunescope.viewer.overview import Overview
from tunescope.viewer.triggers import Triggers

if TYPE_CHECKING:
    from tunescope.viewer.site import Site


def page_kinds(site: Site) -> list[Pages]:
    """Return what makes each kind of page.

    Parameters
    ----------
    site : Site
        The site they are in.
    """
    kinds = (Overview, Layers, Alignments, Concepts, Maps, Neurons, Triggers, AnnotationPages)
    return [kind(site) for kind in kinds]
