"""Lists and masks of CPUs, as people and the kernel write them."""

from __future__ import annotations

import re
from typing import Iterable, Optional

LIST = re.compile(r"[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*\Z")


def parse(text: str) -> Optional[list[int]]:
    """0-2,5 as numbers, in the order given; None where it is no such list."""
    if not LIST.match(text):
        return None
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(last or first) < int(first):
            return None
        found += range(int(first), int(last or first) + 1)
    return found


def mask(cpus: Iterable[int]) -> str:
    """As the kernel takes it: hexadecimal words of 32 bits, the highest first."""
    bits = 0
    for cpu in cpus:
        bits |= 1 << cpu
    digits = f"{bits:x}"
    words: list[str] = []
    while len(digits) > 8:
        words.insert(0, digits[-8:])
        digits = digits[:-8]
    return ",".join([digits, *words])


def shares(cpus: list[int], parts: int) -> list[list[int]]:
    """The CPUs dealt out to so many queues in turn: each CPU has a queue, each queue its CPUs."""
    if parts >= len(cpus):
        return [[cpus[part % len(cpus)]] for part in range(parts)]
    return [cpus[part::parts] for part in range(parts)]


def text(cpus: Iterable[int]) -> str:
    return ",".join(str(cpu) for cpu in cpus)
