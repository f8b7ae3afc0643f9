"""Signals that end a run cleanly: after the knob at hand, with a word about what to do."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Optional

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_caught = 0


def watch() -> None:
    """From here on a signal is remembered; what writes looks between two knobs."""
    for number in ENDING:
        signal.signal(number, _remember)
    # Rows go to a terminal that may be gone; that must not end a run in the midst of it.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _remember(number: int, frame: Optional[FrameType]) -> None:
    global _caught
    _caught = number


def caught() -> str:
    """The name of a signal that came, or ''."""
    return signal.Signals(_caught).name if _caught else ""


def exit_status() -> int:
    return 128 + _caught
