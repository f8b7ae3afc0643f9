"""The rule never,task of the audit system: present, absent."""

from __future__ import annotations

import re

from kinds.base import Kind, Reading
from system import Action, Result, Run


class Audit(Kind):
    name = "audit"
    proven_by = "auditctl -s: the rules are not locked until the next boot"

    def moot(self) -> str:
        if not self.system.exists("/proc/self/loginuid"):
            return "kernel without audit"
        if " audit=0 " in f" {self.system.line('/proc/cmdline')} ":
            return "audit=0 on the kernel command line"
        return ""

    def read(self, argument: str) -> Reading:
        moot = self.moot()
        if moot:
            return Reading("absent", moot=moot)
        self.need("auditctl", "auditd")
        result = self.heard("auditctl", "-l")
        if result.status != 0:
            self.refused("Operation not permitted" if "must be root" in result.output else result.errno_text)
        rules = result.output.split("\n")
        if "-a never,task" in rules or "-a task,never" in rules:
            return Reading("present")
        # Tasks have no audit context where auditing was not enabled since the boot.
        if re.search(r"^enabled 0$", self.heard("auditctl", "-s").output, re.M) and "No rules" in rules:
            return Reading("absent", moot="auditing is not enabled: a system call pays nothing for it")
        return Reading("absent")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("auditctl", "-a" if value == "present" else "-d", "never,task"))]

    def prove(self, argument: str, original: str) -> Result:
        said = self.heard("auditctl", "-s")
        if said.status == 0 and re.search(r"^enabled 2$", said.output, re.M):
            return Result(1, "the rules are locked until the next boot (auditctl -e 2)")
        return said

    def valid(self, argument: str, value: str) -> bool:
        return argument == "never,task" and value in ("present", "absent")
