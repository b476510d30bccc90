"""What stands around every page: head, navigation, policy, scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tunescope.viewer.content import Content, Link

MOST_ROWS = 200
"""Rows of a table that stand on the page; its CSV has all."""


@dataclass(frozen=True)
class Frame:
    """Fills templates.

    Parameters
    ----------
    about : dict
        The run's manifest: name, description, versions.
    navigation : list of Link
        Where each kind of page is entered.
    live : bool
        Whether the pages are served; then the server sends the policy.
    """

    about: dict[str, Any]
    navigation: Sequence[Link]
    live: bool = False

    def render(
        self,
        path: str,
        template: str,
        *,
        title: str,
        crumbs: Iterable[Link] = (),
        scripts: Sequence[str] = (),
        styles: Sequence[str] = (),
        **values: Any,
    ) -> Content:
        """Fill a template that extends `frame.html.j2`.

        Parameters
        ----------
        path : str
            Address of the page, from the top of the site; links are made relative to it.
        template : str
            File name.
        title : str
            Heading of the page.
        crumbs : iterable of Link
            The way from the front page to this one, both left out.
        scripts, styles : sequence of str
            Names of files in `static`; scripts run in this order when the page is read.
        **values : object
            What the template asks for.
        """
        made = (
            environment()
            .get_template(template)
            .render(
                about=self.about,
                navigation=self.navigation,
                this=path,
                here=path.split("/", 1)[0] if "/" in path else path,
                root="../" * path.count("/"),
                title=title,
                crumbs=list(crumbs),
                scripts=["page.js", *scripts],
                styles=["page.css", "figures.css", *styles],
                policy=None if self.live else policy(),
                live=self.live,
                **values,
            )
        )
        return Content.of("page.html", made)


def fragment(template: str, **values: Any) -> Markup:
    """Fill a template of a piece of page; text in it is escaped.

    Parameters
    ----------
    template : str
        File name.
    **values : object
        What the template asks for.
    """
    return Markup(environment().get_template(template).render(**values))


def policy(*, live: bool = False) -> str:
    """Return the content security policy of all pages.

    Parameters
    ----------
    live : bool
        Of a served page, which may ask its own server for more and stand in no other page.
    """
    parts = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Vega writes style attributes
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(parts + (["connect-src 'self'", "frame-ancestors 'none'"] if live else []))


@cache
def environment() -> Environment:
    """Return the templates; every value is escaped unless it is Markup."""
    made = Environment(
        loader=PackageLoader("tunescope.viewer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"embedded_json": embedded_json, "most_rows": MOST_ROWS}
    return made


def embedded_json(content: Any) -> Markup:
    """Return `content` as JSON that cannot end the script element it stands in.

    Parameters
    ----------
    content : object
        Plain values; no NaN.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def script(call: str, *values: Any) -> str:
    """Return a script that hands values to one of our functions: data that pages load.

    Parameters
    ----------
    call : str
        Name of a function in `page.js`, on `tunescope`.
    *values : object
        Plain values; no NaN.
    """
    return f"tunescope.{call}({', '.join(map(embedded_json, values))});\n"
