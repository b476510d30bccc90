"""Is an answer a refusal? Servers say so in several ways, and models in many words."""

from __future__ import annotations

import re

REFUSING = ("content_filter", "refusal", "safety")
"""Values of `finish_reason`, and codes of errors, that say that a filter stopped the answer."""

ACT = (
    "help assist answer comply provide fulfil fulfill name label continue respond reply engage "
    "discuss create generate produce process do offer give share support proceed complete describe "
    "participate identify suggest characterize characterise"
).replace(" ", "|")
CANNOT = r"(?:can ?not|can't|won't|will not|could not|couldn't|must not|mustn't|may not)"
UNABLE = (
    r"(?:(?:am|'m|are|'re) (?:\w+ )?"
    r"(?:un(?:able|willing)|not (?:able|allowed|permitted|willing|going)) to)"
)
DECLINE = r"(?:(?:must|have to|need to|would|will|'ll|respectfully|politely) )*(?:decline|refuse)\b"
AS_MODEL = r"as an? (?:\w+[- ]){0,3}(?:ai|language model|assistant)\b"
PHRASES = (
    rf"\b(?:i|we) ?(?:{CANNOT}|{UNABLE}) (?:\w+ )?(?:{ACT})\b",
    rf"\b(?:i|we) ?{DECLINE}",
    rf"^{AS_MODEL},? (?:i|we)\b",
    r"^(?:i ?am|i'm|we are|we're|i do|my) (?:\w+ )?(?:sorry|apologi[sz]e|apologies)\b",
    r"^(?:sorry|apologies|unfortunately)[,.:!]? (?:but )?(?:i|we)\b",
    r"^(?:i|we) (?:do not|don't) (?:feel comfortable|think i (?:can|should))",
    r"\b(?:violates?|goes against|is against) (?:\w+ ){0,3}"
    r"(?:polic(?:y|ies)|guidelines|terms of use)\b",
    r"^(?:this|your|the) (?:request|prompt|content) (?:can ?not|can't|was|has been|is) "
    r"(?:\w+ )?(?:blocked|filtered|refused|fulfilled|completed|processed|flagged)\b",
)
REFUSAL = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.IGNORECASE)
HEAD = 300
"""Characters in which a refusal shows itself: it comes first."""


def is_refusal(text: str) -> bool:
    """Say whether a model's answer declines to answer.

    Parameters
    ----------
    text : str
        The answer.

    Examples
    --------
    >>> is_refusal("I’m sorry, but I can’t assist with that.")
    True
    >>> is_refusal("Words of apology and refusal")
    False
    """
    head = re.sub(r"\s+", " ", text[:HEAD].replace("’", "'")).strip(" \"'*_`#")
    return REFUSAL.search(head) is not None
