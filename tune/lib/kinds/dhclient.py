"""The DHCP client of a device: `stopped`, or `running ARGUMENTS`."""

from __future__ import annotations

import re

from kinds.base import Kind, Reading
from options import NAME
from system import Action, Result, Run


class Dhclient(Kind):
    name = "dhclient"
    unproven = "dhclient has no dry run; it is only seen that its program is there"
    PLACES = ("/var/lib/", "/run/", "/var/run/", "/etc/dhcp/")
    BARE = ("-4", "-1", "-v", "-q", "-i", "-I", "-nw")
    WITH_PATH = ("-pf", "-lf", "-df", "-cf")

    def read(self, argument: str) -> Reading:
        for file in self.system.glob("/proc/[1-9]*/comm"):
            if self.system.line(file) != "dhclient":
                continue
            process = file[: -len("/comm")]
            words = self.system.words(process + "/cmdline")
            # -6 listens on UDP, and an interface named elsewhere is not ours.
            if not words[0] or "-6" in words or not (argument in words or words[-1].startswith("-")):
                continue
            value = "running " + " ".join(words)
            parent = re.search(r"^PPid:\s*([0-9]+)", self.system.text(process + "/status"), re.M)
            if parent and self.system.line(f"/proc/{parent.group(1)}/comm") == "NetworkManager":
                return Reading(value, "run by NetworkManager: set dhcp=internal in its configuration")
            if not self.valid(argument, value):
                return Reading(value, "it runs with arguments that tune would not repeat; stop it yourself")
            return Reading(value)
        return Reading("stopped")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if value != "stopped":
            return [Run(tuple(value.split(" ")[1:]))]
        # -x ends the client without giving up the lease; it finds it by its pid file.
        found = re.search(r" -pf ([^ ]+)", now)
        return [Run(("dhclient", "-x", "-pf", found.group(1) if found else "/run/dhclient.pid"))]

    def prove(self, argument: str, original: str) -> Result:
        program = original.split(" ")[1] if original != "stopped" else "dhclient"
        if not (self.system.exists(program) if "/" in program else self.system.has(program)):
            return Result(1, f"{program} is not there to be started again")
        return super().prove(argument, original)

    def valid(self, argument: str, value: str) -> bool:
        """Arguments come from state and are run: only dhclient, only options that name no program."""
        if not NAME.match(argument):
            return False
        if value == "stopped":
            return True
        if not re.match(r"running [A-Za-z0-9_./: -]+\Z", value) or ".." in value:
            return False
        words = value.split(" ")[1:]
        if not re.match(r"((/usr)?/sbin/)?dhclient\Z", words.pop(0)):
            return False
        while words:
            word = words.pop(0)
            if word in self.WITH_PATH:
                if not words or not words.pop(0).startswith(self.PLACES):
                    return False
            elif word.startswith("-"):
                if word not in self.BARE:
                    return False
            elif not NAME.match(word):
                return False
        return True
