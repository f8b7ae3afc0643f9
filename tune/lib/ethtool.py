"""What ethtool shows and sets of a device, by the program of this name; ethtool_netlink.py has the same
by netlink, where the kernel has that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from system import Result, System

FEATURES = ("gro", "lro", "rx-gro-hw")
SHOWN = {"gro": "generic-receive-offload", "lro": "large-receive-offload"}  # By other names than it takes.
COALESCING = ("adaptive-rx", "rx-usecs", "tx-usecs")
SIDES = ("rx", "tx", "combined")


class Unavailable(Exception):
    """The device's or the kernel's no, in the words of an errno."""


@dataclass(frozen=True)
class Feature:
    on: bool
    fixed: bool


@dataclass(frozen=True)
class Counts:
    """Of queues or of descriptors, by side; what a device does not have is left out."""

    now: dict[str, int]
    most: dict[str, int]


@dataclass(frozen=True)
class Filter:
    """A rule by which a NIC sends flows past RSS."""

    location: int
    flow: str
    action: str


class Ethtool:
    def __init__(self, system: System) -> None:
        self.system = system

    def said(self, option: str, device: str) -> str:
        result = self.system.hear("ethtool", option, device)
        if result.status != 0:
            raise Unavailable(result.errno_text)
        return result.output

    def driver(self, device: str) -> str:
        """'' where it has none that is told."""
        try:
            found = re.search(r"^driver: (.*)$", self.said("-i", device), re.M)
        except Unavailable:
            return ""
        return found.group(1) if found else ""

    def features(self, device: str) -> dict[str, Feature]:
        output, found = self.said("-k", device), {}
        for name in FEATURES:
            line = re.search(rf"^{SHOWN.get(name, name)}: (\S+)(.*)$", output, re.M)
            if line:
                found[name] = Feature(line.group(1) == "on", "[fixed]" in line.group(2))
        return found

    def coalescing(self, device: str) -> dict[str, str]:
        output, found = self.said("-c", device), {}
        for name in COALESCING:
            line = r"^Adaptive RX: (\S+)" if name == "adaptive-rx" else rf"^{name}:[ \t]*(\S+)"
            value = re.search(line, output, re.M)
            if value and re.match(r"(on|off|[0-9]+)\Z", value.group(1)):
                found[name] = value.group(1)
        return found

    def channels(self, device: str) -> Counts:
        return counts(self.said("-l", device))

    def rings(self, device: str) -> Counts:
        return counts(self.said("-g", device))

    def spread(self, device: str) -> list[int]:
        """RSS: the queue of each entry of the table."""
        rows = re.findall(r"^\s*[0-9]+:((?:\s+[0-9]+)+)\s*$", self.said("-x", device), re.M)
        return [int(entry) for row in rows for entry in row.split()]

    def filters(self, device: str) -> list[Filter]:
        found = []
        for part in re.split(r"^Filter: ", self.said("-n", device), flags=re.M)[1:]:
            location = re.match(r"[0-9]+", part)
            flow = re.search(r"^\s*(?:Rule|Flow) Type: (.+)$", part, re.M)
            action = re.search(r"^\s*Action: (.+)$", part, re.M)
            if location:
                texts = [said.group(1) if said else "unknown" for said in (flow, action)]
                found.append(Filter(int(location.group()), *texts))
        return found

    def set(self, option: str, device: str, *words: str) -> Result:
        """-K, -C, -L; what is so already is no failure, as it is none by netlink."""
        result = self.system.run(("ethtool", option, device, *words))
        if result.status != 0 and re.search(r"no .* changed|unmodified, ignoring", result.output):
            return Result(0, result.output)
        return result


def counts(output: str) -> Counts:
    """Two lists, of the most and of what is set."""
    most_text, _, now_text = output.partition("Current hardware settings")
    most, now = (
        {name.lower(): int(value) for name, value in re.findall(r"^(RX|TX|Combined):[ \t]+([0-9]+)", part, re.M)}
        for part in (most_text, now_text)
    )
    there = {side for side in SIDES if most.get(side)}
    return Counts(
        {side: value for side, value in now.items() if side in there},
        {side: value for side, value in most.items() if side in there},
    )
