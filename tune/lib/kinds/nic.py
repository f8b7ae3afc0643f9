"""What ethtool sets: features and coalescing of a device by `DEVICE NAME`, its channels by `DEVICE`."""

from __future__ import annotations

import re

from kinds.base import Kind, Reading, Unreadable, described
from options import NAME
from system import Action, Result, Run


def unchanged(result: Result) -> Result:
    """What is so already is a failure to some versions of ethtool, and none to us."""
    if re.search(r"no .* changed|unmodified, ignoring", result.output):
        return Result(0, result.output)
    return result


class Feature(Kind):
    name = "feature"
    refusable = True
    proven_by = "the same value set again, which changes nothing"
    by_write = True
    SHOWN = {"gro": "generic-receive-offload", "lro": "large-receive-offload"}  # By other names than it takes.

    def read(self, argument: str) -> Reading:
        device, name = argument.split(" ")
        self.need("ethtool", "ethtool")
        result = self.heard("ethtool", "-k", device)
        if result.status != 0:
            self.refused(result.errno_text)
        found = re.search(rf"^{self.SHOWN.get(name, name)}: (\S+)(.*)$", result.output, re.M)
        driver = described(device, self.host)
        if not found:
            raise Unreadable(f"{driver}: no {self.SHOWN.get(name, name)}")
        return Reading(found.group(1), f"{driver}: fixed" if "[fixed]" in found.group(2) else "")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("ethtool", "-K", *argument.split(" "), value))]

    def prove(self, argument: str, original: str) -> Result:
        return unchanged(self.write_same(argument, original))

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) (gro|lro|rx-gro-hw)\Z", argument)
        return bool(found and NAME.match(found.group(1)) and value in ("on", "off"))


class Coalesce(Kind):
    name = "coalesce"
    refusable = True
    proven_by = "the same value set again, which changes nothing"
    by_write = True

    def read(self, argument: str) -> Reading:
        device, name = argument.split(" ")
        driver = described(device, self.host)
        self.need("ethtool", "ethtool")
        result = self.heard("ethtool", "-c", device)
        if result.status != 0:
            if "not supported" in result.errno_text:
                raise Unreadable(f"{driver}: no coalescing")
            self.refused(result.errno_text)
        line = r"^Adaptive RX: (\S+)" if name == "adaptive-rx" else rf"^{name}:[ \t]*(\S+)"
        found = re.search(line, result.output, re.M)
        if not found or not re.match(r"(on|off|[0-9]+)\Z", found.group(1)):
            raise Unreadable(f"{driver}: no {name}")
        return Reading(found.group(1))

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("ethtool", "-C", *argument.split(" "), value))]

    def prove(self, argument: str, original: str) -> Result:
        return unchanged(self.write_same(argument, original))

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) (adaptive-rx|rx-usecs|tx-usecs)\Z", argument)
        return bool(found and NAME.match(found.group(1)) and re.match(r"(on|off|[0-9]{1,7})\Z", value))

    def cause(self, argument: str, refusal: str) -> str:
        driver = described(argument.split(" ")[0], self.host)
        if "not supported" in refusal:
            return f"{driver}: the device does not offer it"
        if refusal in ("Invalid argument", "Numerical result out of range"):
            return f"{driver}: the device does not take this value"
        return super().cause(argument, refusal)


class Channels(Kind):
    """Values `combined N` or `rx N tx N`."""

    name = "channels"
    proven_by = "the same value set again, which changes nothing"
    by_write = True
    SIDES = re.compile(r"^(RX|TX|Combined):[ \t]+([0-9]+)", re.M)

    def limits(self, argument: str) -> tuple[str, int]:
        """What is set, in the form of a value, and the most of it."""
        driver = described(argument, self.host)
        self.need("ethtool", "ethtool")
        result = self.heard("ethtool", "-l", argument)
        if result.status != 0:
            if "not supported" in result.errno_text:
                raise Unreadable(f"{driver}: the number of queues is fixed")
            self.refused(result.errno_text)
        most_text, _, now_text = result.output.partition("Current hardware settings")
        most, now = dict(self.SIDES.findall(most_text)), dict(self.SIDES.findall(now_text))
        if int(most.get("Combined", 0)) and "Combined" in now:
            return f"combined {now['Combined']}", int(most["Combined"])
        if int(most.get("RX", 0)) and "RX" in now and "TX" in now:
            return f"rx {now['RX']} tx {now['TX']}", int(most["RX"])
        raise Unreadable(f"{driver}: the number of queues is not told")

    def read(self, argument: str) -> Reading:
        return Reading(self.limits(argument)[0])

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("ethtool", "-L", argument, *value.split(" ")))]

    def prove(self, argument: str, original: str) -> Result:
        return unchanged(self.write_same(argument, original))

    def valid(self, argument: str, value: str) -> bool:
        return bool(NAME.match(argument) and re.match(r"(combined [0-9]{1,4}|rx [0-9]{1,4} tx [0-9]{1,4})\Z", value))

    def cause(self, argument: str, refusal: str) -> str:
        if "not supported" in refusal:
            return f"{described(argument, self.host)}: the number of queues is fixed"
        return super().cause(argument, refusal)
