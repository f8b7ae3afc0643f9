"""What ethtool sets: features and coalescing of a device by `DEVICE NAME`, its channels by `DEVICE`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, TypeVar

from ethtool import COALESCING, SHOWN, Counts, Ethtool, Unavailable
from host import Host
from kinds.base import Kind, Reading, Unreadable, described
from options import NAME
from system import Action, Result, System, quoted

Found = TypeVar("Found")
NOT_SUPPORTED = "not supported"  # Of the words of EOPNOTSUPP.


@dataclass(frozen=True)
class Set(Action):
    """By netlink where the kernel has that; the program, which a shell runs, does the same."""

    host: Host
    words: tuple[str, ...]

    def run(self, system: System) -> Result:
        tool = self.host.ethtool()
        assert tool  # It has read what is now set.
        return tool.set(*self.words)

    def sh(self, system: System) -> str:
        return quoted("ethtool", *self.words)


class OfDevice(Kind):
    refusable = True
    proven_by = "the same value set again, which changes nothing"
    by_write = True

    def ask(self, device: str, question: Callable[[Ethtool], Found], unsupported: str) -> Found:
        """`unsupported`: what it means where the device does not know the question."""
        tool = self.host.ethtool()
        if tool is None:
            raise Unreadable("ethtool not found: Debian package ethtool")
        try:
            return question(tool)
        except Unavailable as error:
            if NOT_SUPPORTED in str(error):
                raise Unreadable(f"{described(device, self.host)}: {unsupported}") from error
            self.refused(str(error))

    def prove(self, argument: str, original: str) -> Result:
        return self.write_same(argument, original)


class Feature(OfDevice):
    name = "feature"

    def read(self, argument: str) -> Reading:
        device, name = argument.split(" ")
        found = self.ask(device, lambda tool: tool.features(device), "no features").get(name)
        driver = described(device, self.host)
        if found is None:
            raise Unreadable(f"{driver}: no {SHOWN.get(name, name)}")
        return Reading("on" if found.on else "off", f"{driver}: fixed" if found.fixed else "")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Set(self.host, ("-K", *argument.split(" "), value))]

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) (gro|lro|rx-gro-hw)\Z", argument)
        return bool(found and NAME.match(found.group(1)) and value in ("on", "off"))


class Coalesce(OfDevice):
    name = "coalesce"

    def read(self, argument: str) -> Reading:
        device, name = argument.split(" ")
        found = self.ask(device, lambda tool: tool.coalescing(device), "no coalescing").get(name)
        if found is None:
            raise Unreadable(f"{described(device, self.host)}: no {name}")
        return Reading(found)

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Set(self.host, ("-C", *argument.split(" "), value))]

    def valid(self, argument: str, value: str) -> bool:
        device, _, name = argument.partition(" ")
        form = r"(on|off)\Z" if name == "adaptive-rx" else r"[0-9]{1,7}\Z"
        return bool(NAME.match(device) and name in COALESCING and re.match(form, value))

    def cause(self, argument: str, refusal: str) -> str:
        driver = described(argument.split(" ")[0], self.host)
        if NOT_SUPPORTED in refusal:
            return f"{driver}: the device does not offer it"
        if refusal in ("Invalid argument", "Numerical result out of range"):
            return f"{driver}: the device does not take this value"
        return super().cause(argument, refusal)


class Channels(OfDevice):
    """Values `combined N` or `rx N tx N`."""

    name = "channels"
    refusable = False

    def counts(self, argument: str) -> Counts:
        return self.ask(argument, lambda tool: tool.channels(argument), "the number of queues is fixed")

    def limits(self, argument: str) -> tuple[str, int]:
        """What is set, in the form of a value, and the most of it."""
        counts = self.counts(argument)
        now, most = counts.now, counts.most
        if "combined" in now:
            return f"combined {now['combined']}", most["combined"]
        if "rx" in now and "tx" in now:
            return f"rx {now['rx']} tx {now['tx']}", most["rx"]
        raise Unreadable(f"{described(argument, self.host)}: the number of queues is not told")

    def read(self, argument: str) -> Reading:
        return Reading(self.limits(argument)[0])

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Set(self.host, ("-L", argument, *value.split(" ")))]

    def valid(self, argument: str, value: str) -> bool:
        return bool(NAME.match(argument) and re.match(r"(combined [0-9]{1,4}|rx [0-9]{1,4} tx [0-9]{1,4})\Z", value))

    def cause(self, argument: str, refusal: str) -> str:
        if NOT_SUPPORTED in refusal:
            return f"{described(argument, self.host)}: the number of queues is fixed"
        return super().cause(argument, refusal)
