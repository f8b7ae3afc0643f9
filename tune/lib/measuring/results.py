"""Results of measure as a file: JSON with an object a line; and what the article had."""

from __future__ import annotations

import json
from typing import Any

from output import fail

FORMAT = "tune-results-1"
# Label, gain in percent and requests per second after it: "Extreme HTTP Performance Tuning: 1.2M API
# req/s on a 4 vCPU EC2 Instance", M. Richards, 2021; c5n.xlarge, 256 connections, /json. Steps 10 and
# 11 are not in it.
ARTICLE: "dict[int, tuple[str, int, int]]" = {
    0: ("as installed", 0, 224000),
    1: ("application", 55, 347000),
    2: ("mitigations off", 28, 446000),
    3: ("audit, seccomp off", 11, 495000),
    4: ("netfilter off", 22, 603000),
    5: ("perfect locality", 38, 834000),
    6: ("interrupts, busy poll", 28, 1060000),
    7: ("no raw-socket listener", 6, 1120000),
    8: ("noqueue", 2, 1150000),
    9: ("GRO off, reno", 4, 1203164),
    10: ("buffers, backlogs", 0, 0),
    11: ("governor, clock", 0, 0),
}


def text(document: dict[str, Any]) -> str:
    parts = ["{", f'"format": "{FORMAT}",']
    for name in ("host", "run"):
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document[name].items())
        parts += [f'"{name}": {{', rows, "},"]
    for name in ("steps", "windows", "servers"):
        parts += [f'"{name}": [', ",\n".join("  " + json.dumps(row) for row in document[name]), "],"]
    parts[-1] = "]"
    return "\n".join(part for part in [*parts, "}"] if part) + "\n"


def load(path: str) -> dict[str, Any]:
    try:
        with open(path) as file:
            document = json.load(file)
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}")
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        fail(f"{path}: not written by tune measure")
    assert isinstance(document, dict)
    return document
