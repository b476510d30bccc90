"""From a model's answer to a name: which line it is, and whether it is one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from tunescope.concepts.naming.plain import plain_line, shortened
from tunescope.concepts.naming.refusals import REFUSING, is_refusal
from tunescope.concepts.naming.reply import REASON, Reply

Status = Literal["ok", "refused", "failed", "empty", "too_long"]
LONGEST_DESCRIPTION = 300

THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_BULLET = r"(?:[-*•>]|#+|\d+[.)])\s+"
BULLET = re.compile("^" + _BULLET)
PREFIX = re.compile(
    rf"^(?:{_BULLET})?\**(?:(?:group |concept |cluster )?(?:name|label)|description"
    r"|line (?:1|2|one|two)|first line|second line)\**\s*:\**\s*",
    re.IGNORECASE,
)
MARKS = " \t\"'`*_“”„‘’«»"


@dataclass(frozen=True)
class Answer:
    """A name, or why there is none.

    Parameters
    ----------
    status : {"ok", "refused", "failed", "empty", "too_long"}
        `ok` alone has a name.
    name : str
        One plain line; "" without one.
    description : str
        One plain line; "" when the model gave none.
    reason : str
        Why there is no name, as one short plain line.
    """

    status: Status
    name: str = ""
    description: str = ""
    reason: str = ""


def read_answer(reply: Reply, max_name: int = 80) -> Answer:
    r"""Read the name, and the description if there is one.

    Parameters
    ----------
    reply : Reply
        What the server answered.
    max_name : int
        Characters of the longest name.

    Returns
    -------
    Answer
        The name is the first line that says something (or `name` of a JSON object), without
        quotation marks, list marks and "Name:"; the description the next one.

    Examples
    --------
    >>> read_answer(Reply('**Name:** "Days of the week"\nNames of days.'))
    Answer(status='ok', name='Days of the week', description='Names of days.', reason='')
    >>> read_answer(Reply("I'm sorry, but I can't help with that.")).status
    'refused'
    """
    if reply.failure:
        return Answer("failed", reason=reply.failure)
    text = THINKING.sub("", reply.content).strip()
    if reply.refusal or reply.finish in REFUSING or is_refusal(text):
        return Answer("refused", reason=_short(reply.refusal or text or reply.finish))
    name, description = _parts(text)
    name = name.removesuffix(".") if name.count(".") == 1 else name
    cut = reply.finish == "length"
    if not name:
        said = "cut off before a name was said (raise max_tokens)" if cut else "nothing was said"
        return Answer("empty", reason=said)
    if len(name) > max_name:
        return Answer("too_long", reason=_short(name))
    if cut and not description:
        return Answer("too_long", reason=_short(f"cut off (raise max_tokens): {name}"))
    return Answer("ok", name, "" if cut else shortened(description, LONGEST_DESCRIPTION))


def read_choice(reply: Reply) -> str | None:
    """Read the answer to the check; None when it is neither letter, or both."""
    text = THINKING.sub("", reply.content).strip()
    found = set(re.findall(r"\b[AB]\b", text if len(text) > 3 else text.upper()))
    return found.pop() if len(found) == 1 else None


def _parts(text: str) -> tuple[str, str]:
    """Return the first two lines that say something; or those of a JSON object."""
    text = FENCE.sub("", text).strip()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        given = [content.get("name") or content.get("label"), content.get("description")]
        lines = [_line(part) if isinstance(part, str) else "" for part in given]
    elif isinstance(content, str):
        lines = [_line(content)]
    else:
        lines = [line for raw in text.splitlines() if (line := _line(raw))]
    return (*lines, "", "")[:2]  # type: ignore[return-value]


def _line(text: str) -> str:
    line = BULLET.sub("", PREFIX.sub("", plain_line(text))).strip(MARKS)
    return line if re.search(r"\w", line) else ""


def _short(text: str) -> str:
    return shortened(plain_line(text), REASON)
