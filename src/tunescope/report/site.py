"""A run as one page that needs nothing else: no server, no network, no other file.

What the page holds is decided here; how it looks, in `templates` and `static`. Text from data only
enters through Jinja's escaping or, in the browser, as text nodes. The page's policy allows exactly
the scripts it was written with, by their hashes, and no request.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from tunescope.files import atomic_file
from tunescope.report import provenance
from tunescope.report.browser import browser_data
from tunescope.report.figure import slug
from tunescope.report.figures.style import specification
from tunescope.report.findings import findings, verdict
from tunescope.report.sections import figures, pairs
from tunescope.study.result import Run

STATIC = Path(__file__).with_name("static")


def export(run: Run | Path | str, out: Path | str) -> Path:
    """Write the page of a run.

    Parameters
    ----------
    run : Run, Path or str
        Results of a study, or the run's folder.
    out : Path or str
        Folder for the page. Beside `index.html`, which needs no other file, it receives every
        chart as SVG and PNG (`figures`) and its numbers as CSV (`tables`).

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If `run` is no run's folder.
    """
    run = run if isinstance(run, Run) else Run.load(run)
    out = Path(out)
    groups, charts = [], []
    for base, tuned in pairs(run):
        made = figures(run, (base, tuned))
        shown = []
        for figure in made:
            figure.save(out)
            numbered = list(enumerate(figure.charts, start=len(charts)))
            shown.append((figure, numbered))
            charts += [specification(chart) for chart in figure.charts.values()]
        found = findings(run, base, tuned) if tuned else []
        groups.append(
            {
                "id": slug("pair", base, *([tuned] if tuned else [])),
                "base": base,
                "tuned": tuned,
                "tuning": run.tuning.get(tuned) if tuned else None,
                "findings": found,
                "verdict": verdict(found),
                "figures": shown,
            }
        )
    text = render(run, groups, charts, browser_data(run))
    with atomic_file(out / "index.html") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return out / "index.html"


def render(run: Run, groups: list[Any], charts: list[Any], browser: dict[str, Any]) -> str:
    """Fill the template.

    Parameters
    ----------
    run : Run
        Results of a study.
    groups : list of dict
        For each pair of models: names, findings and figures.
    charts : list of dict
        Vega-Lite specifications, in the order of the page.
    browser : dict
        `browser_data(run)`.

    Returns
    -------
    str
        The page.
    """
    environment = Environment(
        loader=PackageLoader("tunescope.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [vega(), _static("charts.js"), _static("concepts.js")]
    return environment.get_template("index.html.j2").render(
        about=run.about,
        study=run.study,
        groups=groups,
        browser=browser,
        charts_json=embedded_json(charts),
        browser_json=embedded_json(browser),
        warnings=provenance.warnings(run),
        facts=provenance.facts(run),
        timings=provenance.timings(run),
        style=Markup(_static("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy="; ".join(
            [
                "default-src 'none'",
                "script-src " + " ".join(map(script_hash, scripts)),
                "style-src 'unsafe-inline'",  # Vega writes style attributes
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            ]
        ),
    )


def embedded_json(content: Any) -> Markup:
    """Return `content` as JSON that cannot end the script element it stands in.

    Parameters
    ----------
    content : object
        Plain values; no NaN.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def script_hash(script: str) -> str:
    """Return the source expression that allows one inline script in a content security policy."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    names = ("vegaEmbed", "vega", "vegaLite")
    snippet = "".join(f"window.{name}={name};" for name in names)
    return vl_convert.javascript_bundle(snippet).replace("</script", "<\\/script")


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
