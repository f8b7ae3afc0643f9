"""How long an address lasts, by `DEVICE ADDRESS/LENGTH`: `forever`, or `until VALID PREFERRED` in epoch seconds."""

from __future__ import annotations

import re
import time

from kinds.base import Kind, Reading, Unreadable
from options import NAME
from system import Action, Result, Run


LEASE_SECONDS_MIN = 300  # Of a lease that has run out meanwhile: time for the client to renew it.


class Lifetime(Kind):
    name = "lifetime"
    proven_by = "the time that is left, set again"
    by_write = True

    def read(self, argument: str) -> Reading:
        device, address = argument.split(" ")
        self.need("ip", "iproute2")
        result = self.heard("ip", "-4", "-o", "addr", "show", "dev", device)
        if result.status != 0:
            self.refused(result.errno_text)
        for line in result.output.split("\n"):
            if f" inet {address} " in f" {line} ":
                found = re.search(r"valid_lft ([0-9]+)sec preferred_lft ([0-9]+)sec", line)
                if not found:
                    return Reading("forever")
                now = int(time.time())
                return Reading(f"until {now + int(found.group(1))} {now + int(found.group(2))}")
        raise Unreadable(f"{device} has no address {address}")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        valid = preferred = "forever"
        if value != "forever":
            left = [max(LEASE_SECONDS_MIN, int(word) - int(time.time())) for word in value.split()[1:]]
            valid, preferred = str(left[0]), str(min(left))
        return [self.setting(argument, valid, preferred)]

    def setting(self, argument: str, valid: str, preferred: str) -> Run:
        device, address = argument.split(" ")
        return Run(("ip", "addr", "change", address, "dev", device, "valid_lft", valid, "preferred_lft", preferred))

    def prove(self, argument: str, original: str) -> Result:
        """Not by `change`, which would lengthen a lease that is about to run out."""
        if original == "forever":
            return Result(0, "")
        valid, preferred = (max(1, int(word) - int(time.time())) for word in original.split()[1:])
        return self.setting(argument, str(valid), str(preferred)).run(self.system)

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) [0-9]+(\.[0-9]+){3}/[0-9]+\Z", argument)
        form = re.match(r"(forever|until [0-9]{1,12} [0-9]{1,12})\Z", value)
        return bool(found and NAME.match(found.group(1)) and form)

    def same(self, argument: str, one: str, other: str) -> bool:
        return one.split(" ")[0] == other.split(" ")[0]

    def shown(self, argument: str, value: str) -> str:
        return value if value == "forever" else f"{int(value.split()[1]) - int(time.time())} s"
