"""A unit of systemd: running, stopped."""

from __future__ import annotations

from kinds.base import Kind, Reading, Unreadable
from system import Action, Result, Run


SYSTEMD = "/run/systemd/system"


class Service(Kind):
    name = "service"
    proven_by = "systemctl show: the unit is loaded, not masked, and may be started"

    def read(self, argument: str) -> Reading:
        if not self.system.directory(SYSTEMD) or not self.system.has("systemctl"):
            program = argument.replace(".service", "")
            for file in self.system.glob("/proc/[1-9]*/comm"):
                if self.system.line(file) == program:
                    return Reading("running", "it runs without systemd; stop it yourself")
            return Reading("stopped")
        said = self.heard("systemctl", "is-active", argument).output
        if said in ("active", "activating", "reloading"):
            return Reading("running")
        if said in ("inactive", "failed", "deactivating", "unknown"):
            return Reading("stopped")
        raise Unreadable(f"systemctl is-active {argument}: {said}")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("systemctl", "stop" if value == "stopped" else "start", argument))]

    def prove(self, argument: str, original: str) -> Result:
        if original == "stopped":
            return Result(0, "")
        shown = self.system.ask(("systemctl", "show", "-p", "LoadState", "-p", "CanStart", argument))
        if shown.status != 0:
            return shown
        properties = dict(line.partition("=")[::2] for line in shown.output.split("\n"))
        loaded = properties.get("LoadState", "")
        if loaded != "loaded":
            return Result(1, f"{argument} is {loaded or 'not-found'} and could not be started again")
        if properties.get("CanStart") == "no":
            return Result(1, f"{argument} refuses to be started again by hand")
        return Result(0, "")

    def valid(self, argument: str, value: str) -> bool:
        return argument in ("irqbalance.service", "firewalld.service", "ufw.service") and value in (
            "running",
            "stopped",
        )
