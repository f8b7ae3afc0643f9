"""Results of measure as a file: JSON with an object a line."""

from __future__ import annotations

import json
from typing import Any

from output import fail

FORMAT = "tune-results-1"


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
