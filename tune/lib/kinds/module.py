"""A module of the kernel: loaded, absent."""

from __future__ import annotations

import re

from kinds.base import Kind, Reading
from system import Action, Result, Run


class Module(Kind):
    """Values loaded, absent."""

    name = "module"
    proven_by = "modprobe -n: the kernel's modules have it"

    def read(self, argument: str) -> Reading:
        loaded = any(line.startswith(argument + " ") for line in self.file("/proc/modules").split("\n"))
        return Reading("loaded" if loaded else "absent")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("modprobe", "-r", argument) if value == "absent" else ("modprobe", argument))]

    def prove(self, argument: str, original: str) -> Result:
        return Result(0, "") if original == "absent" else self.system.ask(("modprobe", "-n", argument))

    def valid(self, argument: str, value: str) -> bool:
        return bool(re.match(r"ip6?table_(filter|nat|mangle|raw|security)\Z", argument)) and value in (
            "loaded",
            "absent",
        )
