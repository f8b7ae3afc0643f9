"""What tune says: failures, rows for people, words of sh."""

from __future__ import annotations

import os
import re
import sys
from typing import NoReturn, Optional

DIFFERS, ERROR, UNSUPPORTED = 1, 2, 3  # Exit statuses; 0: all as asked.

PLAIN_WORD = re.compile(r"[A-Za-z0-9_./,:=@%+-]+\Z")
COLOURS = {
    "applied": "32",
    "reverted": "32",
    "differs": "33",
    "skipped": "33",
    "needs-reboot": "33",
    "conflict": "33",
    "gone": "31",
}


class Failure(Exception):
    """What ends tune with exit status 2; its text says what failed, why, and the way out."""


def fail(text: str) -> NoReturn:
    raise Failure(text)


def warn(text: str) -> None:
    print("tune: " + text, file=sys.stderr, flush=True)


def quote(text: str) -> str:
    """The text as one word of sh."""
    if PLAIN_WORD.match(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def brief(text: str, width: int = 60) -> str:
    """One line of at most so many characters."""
    if "\n" in text:
        text = f"{text.count(chr(10)) + 1} lines"
    return text if len(text) <= width else text[: width - 3] + "..."


def coloured(state: str, width: int = 0, colour: Optional[bool] = None) -> str:
    """A state, padded, in colour where a person looks at a terminal."""
    padded = state.ljust(width)
    if colour is None:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    code = COLOURS.get(state)
    return f"\x1b[{code}m{padded}\x1b[0m" if colour and code else padded


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
