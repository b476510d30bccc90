"""A run as one page that needs nothing else: no server, no network, no other file.

What the page holds is decided here; how it looks, in `templates` and `static`. Text from data only
enters through Jinja's escaping or, in the browser, as text nodes. The page's policy allows exactly
the scripts it was written with, by their hashes, and no request.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from tunescope.files import atomic_file
from tunescope.report import provenance
from tunescope.report.browser import browser_data
from tunescope.report.concepts import page as concept_page
from tunescope.report.figure import Figure, slug
from tunescope.report.figures.style import specification
from tunescope.report.finding import verdict
from tunescope.report.findings import findings
from tunescope.report.neurons import findings as neuron_findings
from tunescope.report.neurons import page as neuron_page
from tunescope.report.neurons import sections as neuron_sections
from tunescope.report.neurons.browser import neuron_data
from tunescope.report.sections import figures, pairs
from tunescope.report.transfer import findings as transfer_findings
from tunescope.report.transfer.pair import figures as pair_figures
from tunescope.report.transfer.sections import figures as transfer_figures
from tunescope.study.result import Run

STATIC = Path(__file__).with_name("static")
MOST_PAIRS = 2
"""With more pairs of models than this, each has a page of its own."""


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
    front = _Page(browser=browser_data(run))
    _transfer(run, front, out)
    apart = len(run.pairs) > MOST_PAIRS
    for base, tuned in pairs(run):
        made = figures(run, (base, tuned))
        found = findings(run, base, tuned) if tuned else []
        links = []
        if tuned:
            for key in concept_page.keys(run, base, tuned):
                parts = concept_page.parts(run, key)
                made += concept_page.front(parts)
                links.append(_concepts(run, key, parts, out))
        if tuned and run.has(tuned):
            made += pair_figures(run, base, tuned)
        elif tuned and apart:  # the front page says why there is nothing
            continue
        if made or found or not run.neurons:
            group = {
                "id": slug("pair", base, *([tuned] if tuned else [])),
                "base": base,
                "tuned": tuned,
                "tuning": run.tuning.get(tuned) if tuned else None,
                "findings": found,
                "verdict": verdict(found),
                "links": links,
            }
            if apart and tuned:
                page = _Page(title=f"{base} → {tuned}")
                page.add(group, made, out)
                name = f"{group['id']}.html"
                _write(run, page, out / name)
                front.pairs.append((name, page.title))
            else:
                front.add(group, made, out)
    _neurons(run, front, out)
    _write(run, front, out / "index.html")
    return out / "index.html"


@dataclass
class _Page:
    """What one page shows.

    Parameters
    ----------
    groups : list of dict
        Findings and figures under one heading.
    charts : list of dict
        Vega-Lite specifications, in the order of the page.
    browser, neurons : dict
        What the browsers of concepts and of neurons show.
    title : str
        Of a page beside the front page.
    links : list of (str, str)
        Pages beside the front page about neurons: file and title.
    pairs : list of (str, str)
        Pages beside the front page about one base and one tuned model.
    """

    groups: list[dict[str, Any]] = field(default_factory=list)
    charts: list[dict[str, Any]] = field(default_factory=list)
    browser: dict[str, Any] = field(default_factory=lambda: {"views": []})
    neurons: dict[str, Any] = field(default_factory=lambda: neuron_data([]))
    title: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def add(self, group: dict[str, Any], made: list[Figure], out: Path) -> None:
        """Add a group with its figures; their files are written beside the page."""
        shown = []
        for figure in made:
            figure.save(out)
            numbered = list(enumerate(figure.charts, start=len(self.charts)))
            shown.append((figure, numbered))
            self.charts += [specification(chart) for chart in figure.charts.values()]
        nothing = {
            "title": "", "heading": "", "base": None, "tuned": None, "tuning": None, "links": [],
            "findings": [], "verdict": "",
        }  # fmt: skip
        self.groups.append(nothing | group | {"figures": shown})


def _transfer(run: Run, front: _Page, out: Path) -> None:
    """Put what compares all tuned models on the front page."""
    made = transfer_figures(run) if run.pairs else []
    claims = transfer_findings.findings(run) if run.pairs else []
    if made or claims:
        group = {
            "id": "transfer", "title": "What tuning changed, task by task", "findings": claims,
            "verdict": transfer_findings.verdict(claims) if claims else "",
        }  # fmt: skip
        front.add(group, made, out)


def _concepts(
    run: Run, key: concept_page.Key, parts: list[concept_page.Part], out: Path
) -> tuple[str, str]:
    """Write the page about the concepts of two models in one corpus; return its file and title."""
    corpus, base, tuned = key
    page = _Page(title=f"Concepts in {corpus}: {base} → {tuned}")
    claims = concept_page.findings(run, key) + concept_page.faithful(run, tuned)
    if claims:
        page.add({"id": "found", "findings": claims, "verdict": verdict(claims)}, [], out)
    for part in parts:
        page.add({"id": part.name, "heading": part.title}, part.figures, out)
    name = concept_page.page_name(key)
    _write(run, page, out / name)
    return name, page.title


def _neurons(run: Run, front: _Page, out: Path) -> None:
    """Write a page for every model and label column; put what compares them on the front page."""
    found = neuron_page.studies(run)
    for key, study in found.items():
        facts = study[0]
        page = _Page(title=f"Neurons for {facts.what}", neurons=neuron_page.browser(run, key))
        claims = neuron_page.findings(study)
        group = {
            "id": "study", "title": page.title, "findings": claims,
            "verdict": neuron_findings.verdict(claims),
        }  # fmt: skip
        page.add(group, neuron_page.figures(study), out)
        _write(run, page, out / neuron_page.page_name(key))
        front.links.append((neuron_page.page_name(key), page.title))
    if found:
        claims = neuron_findings.findings_across(list(found.values()))
        group = {
            "id": "neurons-across", "title": "Individual neurons", "findings": claims,
            "verdict": neuron_findings.verdict(claims) if claims else "",
        }  # fmt: skip
        front.add(group, neuron_sections.across(list(found.values())), out)


def _write(run: Run, page: _Page, path: Path) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(render(run, page), encoding="utf-8")


def render(run: Run, page: _Page) -> str:
    """Fill the template.

    Parameters
    ----------
    run : Run
        Results of a study.
    page : _Page
        What is shown.

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
    style = _static("page.css")
    if page.neurons["groups"]:
        scripts.append(_static("neurons.js"))
        style += _static("neurons.css")
    return environment.get_template("index.html.j2").render(
        about=run.about,
        study=run.study,
        groups=page.groups,
        title=page.title,
        links=page.links,
        pair_links=page.pairs,
        browser=page.browser,
        neurons=page.neurons,
        charts_json=embedded_json(page.charts),
        browser_json=embedded_json(page.browser),
        neurons_json=embedded_json(page.neurons),
        warnings=[] if page.title else provenance.warnings(run),
        facts=provenance.facts(run),
        timings=provenance.timings(run),
        style=Markup(style),
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
