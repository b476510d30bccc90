"""Explanations as HTML that needs no style sheet and no script: for notebooks and pages.

Orange speaks for the class predicted, blue against it; the more, the stronger. Okabe and Ito's two
colours are told apart by colour-blind readers, and text stays readable on them on a light and on a
dark page. Every word, label and name is text, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tunescope.explanations.cards import Card, Context, Share
from tunescope.explanations.explanation import Explanation, Explanations, Mapped, Scored, Token
from tunescope.writing import EMBEDDING, direction

FOR, AGAINST = (230, 159, 0), (0, 114, 178)
STRONGEST = 0.55
"""Opacity of a full colour."""
CELL = "padding:.25em .9em .25em 0;text-align:start;vertical-align:top;white-space:nowrap"
WIDE = CELL.replace("nowrap", "normal") + ";min-width:16em"
"""Of the last column, which holds words: it folds, but not to one word a line."""
PALE = "opacity:.8"
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
</style>
{body}
</html>
"""


def as_html(found: Explanations) -> str:
    """Return all texts, and below them the concepts, as a fragment.

    Parameters
    ----------
    found : Explanations
        What to show.
    """
    parts = [f'<p style="{PALE}">{escape(found.headline())}</p>']
    parts += [_text(text, found) for text in found.texts]
    parts.append(_legend())
    if found.cards:
        parts.append("<h4>Concepts</h4>")
        parts += [_card(card) for card in found.cards]
    return "\n".join(parts)


def as_page(found: Explanations) -> str:
    """Return a whole page; it makes no request."""
    title = f"{found.model} explained"
    return PAGE.format(title=escape(title), body=as_html(found))


def _text(text: Explanation, found: Explanations) -> str:
    others = " ".join(
        f'<span style="margin-inline-end:.8em"><bdi>{escape(name)}</bdi> {p:.1%}</span>'
        for name, p in sorted(text.probabilities.items(), key=lambda item: -item[1])
    )
    parts = [
        f'<p style="margin:1.6em 0 .2em">Predicted <b><bdi>{escape(text.predicted)}</bdi></b>'
        f' <small style="{PALE};margin-inline-start:1em">{others}</small></p>'
    ]
    for scored in text.scored:
        if scored.at is not None:
            parts.append(f'<p style="margin:.8em 0 0">At layer {scored.at}</p>')
        parts.append(_sentence(scored.tokens))
        parts.append(_concepts(scored, found))
        parts.append(f'<p style="margin:.2em 0;{PALE}"><small>{escape(about(scored))}</small></p>')
    return "".join(parts)


def about(scored: Scored) -> str:
    """Return how the attribution was made and how exact it is, as a line of text."""
    ends = (
        f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") for value in (scored.baseline, scored.text)
    )
    line = (
        "The output for the class goes from {} at the baseline to {} at the text; attributions "
        "share the difference out over the tokens, with an error of "
    ).format(*ends)
    line += f"{scored.relative_error:.2%} of their absolute sum ({scored.steps} points)"
    return line if scored.converged else f"{line}; the tolerance was not met: raise steps"


def _sentence(tokens: Sequence[Token]) -> str:
    """Return the text as one paragraph in its own direction, words in logical order."""
    words = [token.text for token in tokens if not token.special]
    largest = max((abs(token.attribution) for token in tokens), default=0.0) or 1.0
    parts = [_token(token, abs(token.attribution) / largest) for token in tokens]
    return (
        f'<p dir="{direction(words)}" style="margin:.2em 0;line-height:2;text-align:start">'
        f"{' '.join(parts)}</p>"
    )


def _token(token: Token, strength: float) -> str:
    red, green, blue = FOR if token.attribution > 0 else AGAINST
    style = f"background:rgba({red},{green},{blue},{STRONGEST * strength:.3f})"
    style += ";padding:.15em .2em;border-radius:3px"
    title = f"{token.attribution:+.3g}"
    if token.special:
        style += f";font-size:75%;{PALE}"
        title += ", a special token"
    elif not token.seen:
        style, title = "opacity:.45;text-decoration:line-through", "behind the length limit"
    else:
        title += f", {token.share:.0%} of the words' mass"
    if token.salient:
        style += ";font-weight:700;text-decoration:underline"
    tag = "bdi" if token.special or EMBEDDING.intersection(token.text) else "span"
    return f'<{tag} style="{style}" title="{title}">{escape(token.text)}</{tag}>'


def _concepts(scored: Scored, found: Explanations) -> str:
    if not scored.concepts:
        return f'<p style="{PALE}">No word has any attribution here: there is nothing to map.</p>'
    head = (
        "word",
        "attribution",
        "mass",
        "layer",
        "concept",
        "class of its sentences",
        "its words",
    )
    cells = "".join(f'<th style="{CELL}">{name}</th>' for name in head)
    rows = [f"<tr>{cells}</tr>"]
    last = None
    for one in scored.concepts:
        token = scored.tokens[one.token]
        again = one.token == last
        last = one.token
        word = "" if again else f"<b><bdi>{escape(token.text)}</bdi></b>"
        value = "" if again else f"{token.attribution:+.3f}"
        share = "" if again else f"{token.share:.0%}"
        cells = [word, value, share, str(one.layer), *_row(one, found)]
        styles = [*[CELL] * (len(cells) - 1), WIDE]
        filled = [f'<td style="{s}">{cell}</td>' for s, cell in zip(styles, cells, strict=True)]
        rows.append(f"<tr>{''.join(filled)}</tr>")
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:90%">'
        f"{''.join(rows)}</table></div>"
    )


def _row(one: Mapped, found: Explanations) -> tuple[str, str, str]:
    card = found.card_of.get((one.layer, one.concept)) if one.accepted else None
    if card is None:
        return f'<span style="{PALE}">none: p = {one.shown_p()}</span>', "", ""
    name = f" <bdi>{escape(card.name)}</bdi>" if card.name else ""
    words = " ".join(f"<bdi>{escape(word)}</bdi>" for word, _ in card.words[:6])
    shown = f"{card.concept}{name} <small style='{PALE}'>p = {one.shown_p()}</small>"
    return shown, _shares(card.affinity), words


def _shares(shares: Sequence[Share]) -> str:
    return "<br>".join(
        f"{'predicted ' if share.kind == 'predicted' else ''}<bdi>{escape(share.name)}</bdi>: "
        f"{share.share:.0%}" + (" <b>polarised</b>" if share.aligned else "")
        for share in shares
    )


def _legend() -> str:
    samples = [
        f'<span style="background:rgba{(*colour, STRONGEST)};padding:.1em .5em;border-radius:3px">'
        f"{name}</span>"
        for colour, name in ((FOR, "for the class"), (AGAINST, "against it"))
    ]
    return (
        f'<p style="margin:1.4em 0"><small>{" ".join(samples)} '
        '<b style="text-decoration:underline">salient</b></small></p>'
    )


def _card(card: Card) -> str:
    name = f": <bdi>{escape(card.name)}</bdi>" if card.name else ""
    facts = [f"{card.size:,} occurrences of {card.n_types:,} word types"]
    facts += [] if card.counts else ["too few types to count in figures"]
    facts += [card.fate] if card.fate else []
    words = " ".join(
        f'<span style="display:inline-block;margin-inline-end:.7em"><bdi>{escape(word)}</bdi>'
        f'<small style="{PALE}"> {count:,}</small></span>'
        for word, count in card.words
    )
    labels = ", ".join(
        f"{escape(share.kind)}: <bdi>{escape(share.name)}</bdi> {share.share:.0%}"
        + (" (aligned)" if share.aligned else "")
        for share in card.labels
    )
    contexts = "".join(_context(context) for context in card.contexts)
    return (
        f'<details style="margin:.4em 0"><summary>Layer {card.layer}, concept {card.concept}{name} '
        f'<small style="{PALE}">{escape("; ".join(facts))}</small></summary>'
        f'<div style="margin-inline-start:1.2em"><p style="margin:.4em 0">{words}</p>'
        f'<p style="margin:.4em 0">{_shares(card.affinity)}</p>'
        f'<p style="margin:.4em 0">{labels}</p>{contexts}</div></details>'
    )


def _context(context: Context) -> str:
    words = []
    for place, word in enumerate(context.words):
        tag = "bdi" if EMBEDDING.intersection(word) else "span"
        bold = ' style="font-weight:700"' if place == context.position else ""
        words.append(f"<{tag}{bold}>{escape(word)}</{tag}>")
    return (
        f'<p dir="{direction(context.words)}" style="margin:.2em 0;text-align:start">'
        f"<small>{' '.join(words)}</small></p>"
    )
