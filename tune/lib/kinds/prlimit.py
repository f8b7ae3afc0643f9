"""Open files of a process, by `PID STARTTIME`: `SOFT:HARD`."""

from __future__ import annotations

import re

from kinds.base import Kind, Reading, Unreadable
from system import Action, Result, Run


class Ended(Unreadable):
    """Its process has ended, and the setting with it."""


class Prlimit(Kind):
    name = "prlimit"
    proven_by = "the same limit set again"
    by_write = True
    LIMITS = re.compile(r"^Max open files\s+([0-9]+|unlimited)\s+([0-9]+|unlimited)", re.M)

    def read(self, argument: str) -> Reading:
        pid, started = argument.split(" ")
        if self.host.process_start(int(pid)) != started:
            raise Ended(f"process {pid} has ended")
        found = self.LIMITS.search(self.file(f"/proc/{pid}/limits"))
        if not found:
            raise Unreadable("no such limit")
        return Reading(f"{found.group(1)}:{found.group(2)}")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("prlimit", "--pid", argument.split(" ")[0], "--nofile=" + value))]

    def prove(self, argument: str, original: str) -> Result:
        return self.write_same(argument, original)

    def valid(self, argument: str, value: str) -> bool:
        form = r"([0-9]+|unlimited):([0-9]+|unlimited)\Z"
        return bool(re.match(r"[0-9]{1,10} [0-9]+\Z", argument) and re.match(form, value))

    def cause(self, argument: str, refusal: str) -> str:
        if refusal.startswith("Operation not permitted"):
            return "raising it needs CAP_SYS_RESOURCE"
        return super().cause(argument, refusal)
