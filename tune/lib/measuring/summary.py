"""Windows to a line for each step: medians and spread over the rounds, and the gain over the
configuration measured before it, paired within the round."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from typing import Any, Optional

COLUMNS = (
    "rps cpu_us busy_us softirq_us softirq_share p50_us p99_us mean_us in_flight client_share gc allocated "
    "busy_poll_packets"
).split()
PROVEN_PERCENT, PROVEN_ROUNDS = 2, 3  # Less is within the noise of such runs.


@dataclass
class StepState:
    step: int
    label: str
    state: str  # measured, unsupported, failed
    reason: str = ""


def summarize(steps: list[StepState], windows: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    rows = []
    previous: Optional[int] = None
    for entry in steps:
        valid = [window for window in windows if window["step"] == entry.step and window["valid"]]
        lost = len([window for window in windows if window["step"] == entry.step]) - len(valid)
        row = {"step": entry.step, "label": entry.label, "state": entry.state, "reason": entry.reason}
        if entry.state == "measured" and not valid:
            row["state"] = "void"
            row["reason"] = "no window counted" + (f"; {entry.reason}" if entry.reason else "")
        row.update(windows=len(valid), discarded=lost, lower_bound=bounded(valid))
        if valid:
            row.update(figures(valid))
            base = steps[0].step if mode == "leave-one-out" else previous
            if base is not None and base != entry.step:
                row.update(gain(windows, base, entry.step, mode))
            previous = entry.step
        row["notes"] = notes(valid)
        rows.append(row)
    return rows


def bounded(windows: list[dict[str, Any]]) -> bool:
    return any(window.get("lower_bound") for window in windows)


def figures(windows: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in COLUMNS:
        values = [window[column] for window in windows if window.get(column) is not None]
        if not values:
            row[column] = None
            continue
        row[column] = tidy(statistics.median(values))
        row[column + "_min"], row[column + "_max"] = tidy(min(values)), tidy(max(values))
    return row


def tidy(value: float) -> float:
    return int(value) if value == int(value) else round(value, 6)


def gain(windows: list[dict[str, Any]], base: int, step: int, mode: str) -> dict[str, Any]:
    """Cumulative: against the one before. Leave-one-out: what all have over all but this."""

    def rates(number: int) -> dict[int, float]:
        return {window["round"]: window["rps"] for window in windows if window["step"] == number and window["valid"]}

    below, above = rates(base), rates(step)
    if mode == "leave-one-out":
        below, above = above, below
    gains = [(above[number] / below[number] - 1) * 100 for number in above if number in below]
    if not gains:
        return {}
    median = statistics.median(gains)
    # Not where it is closer to nothing than the noise of such runs, nor where it was the client that
    # changed or did not.
    limited = any(
        bounded([window for window in windows if window["step"] == one and window["valid"]]) for one in (base, step)
    )
    agree = min(gains) * max(gains) > 0
    proven = len(gains) >= PROVEN_ROUNDS and not limited and agree and abs(median) >= PROVEN_PERCENT
    return {
        "gain": round(median, 2),
        "gain_min": round(min(gains), 2),
        "gain_max": round(max(gains), 2),
        "proven": proven,
    }


def notes(windows: list[dict[str, Any]]) -> str:
    """Each kind of flag once, by what stands before its figures."""
    kinds: dict[str, str] = {}
    for window in windows:
        for flag in (window.get("flags") or "").split("; "):
            if flag:
                kinds.setdefault(re.sub(r"[0-9.]+", "#", flag), flag)
    return "; ".join(kinds.values())
