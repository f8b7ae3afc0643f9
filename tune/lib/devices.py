"""Network devices: which one carries the packets of an interface, its queues and its interrupts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Optional

from options import NAME
from system import System

if TYPE_CHECKING:
    from ethtool import Ethtool
    from netdev import AnyNetdev

DEPTH_MAX = 5  # A VLAN on a bond of VLANs ... ends here.
NO_QUEUE_INTERRUPT = re.compile(r"async|config|control|mgmnt|mgmt|cmd|pages|misc|adminq|fdir")


@dataclass
class Interrupt:
    number: int
    name: str
    queue: int


@dataclass
class Device:
    """One that has queues: what an interface is, or what stands below it."""

    name: str
    driver: str = ""
    ifindex: int = 0
    numa_node: int = -1
    interrupts: list[Interrupt] = field(default_factory=list)
    interrupts_from: str = ""  # netlink, or names.

    @property
    def real(self) -> bool:
        return self.driver != "loopback"


def driver_of(system: System, name: str, ethtool: Callable[[], Optional[Ethtool]]) -> str:
    if name == "lo":
        return "loopback"
    driver = system.link_name(f"/sys/class/net/{name}/device/driver")
    tool = None if driver else ethtool()
    return tool.driver(name) if tool else driver


def kind_of(system: System, name: str) -> str:
    """bond, VLAN, bridge, hv_netvsc, team ...; '' for a device that is nothing but itself."""
    base = f"/sys/class/net/{name}"
    if system.directory(base + "/bonding"):
        return "bond"
    if system.directory(base + "/bridge"):
        return "bridge"
    found = re.search(r"^DEVTYPE=(.*)$", system.text(base + "/uevent"), re.M)
    devtype = found.group(1) if found else ""
    if devtype:
        return {"vlan": "VLAN"}.get(devtype, devtype)
    return ""


def below(system: System, name: str, depth: int = 0) -> list[str]:
    """The devices that carry an interface's packets: itself, or those it stands on."""
    lower = [entry[6:] for entry in system.listing(f"/sys/class/net/{name}") if entry.startswith("lower_")]
    lower = [entry for entry in lower if NAME.match(entry) and system.directory(f"/sys/class/net/{entry}")]
    if kind_of(system, name) == "bridge":
        # Its other ports lead to containers and virtual machines.
        lower = [entry for entry in lower if system.exists(f"/sys/class/net/{entry}/device")] or lower
    if not lower or depth >= DEPTH_MAX:
        return [name]
    found: list[str] = []
    for entry in lower:
        found += [device for device in below(system, entry, depth + 1) if device not in found]
    return found


def describe(system: System, name: str, ethtool: Callable[[], Optional[Ethtool]]) -> Device:
    device = Device(name, driver_of(system, name, ethtool))
    index = system.line(f"/sys/class/net/{name}/ifindex")
    device.ifindex = int(index) if index.isdigit() else 0
    node = system.line(f"/sys/class/net/{name}/device/numa_node")
    device.numa_node = int(node) if re.match(r"-?[0-9]+\Z", node) else -1
    return device


def find_interrupts(system: System, device: Device, netdev: Callable[[], Optional[AnyNetdev]]) -> None:
    """By netlink where the driver tells; else by what the names of the interrupts mean."""
    named = interrupt_names(system, device)
    by_netlink = []
    if named:
        family = netdev()
        try:
            napis = family.napis(device.ifindex) if family and device.ifindex else []
        except (OSError, KeyError, ValueError):
            napis = []
        for napi in napis:
            if napi.irq and napi.queues:
                name = named.get(napi.irq, "")
                by_netlink.append(Interrupt(napi.irq, name, min(queue for _, queue in napi.queues)))
    if by_netlink:
        device.interrupts, device.interrupts_from = sorted(by_netlink, key=lambda one: one.number), "netlink"
    else:
        device.interrupts, device.interrupts_from = by_name(device, named), "names"


def interrupt_names(system: System, device: Device) -> dict[int, str]:
    base = f"/sys/class/net/{device.name}/device"
    directory = next((path for path in (f"{base}/msi_irqs", f"{base}/../msi_irqs") if system.directory(path)), "")
    numbers = {int(entry) for entry in system.listing(directory) if entry.isdigit()} if directory else set()
    named = {}
    for line in system.text("/proc/interrupts").split("\n"):
        number, colon, rest = line.strip().partition(":")
        if colon and number.isdigit() and int(number) in numbers and rest.split():
            named[int(number)] = rest.split()[-1].partition("@")[0]
    return named


def by_name(device: Device, named: dict[int, str]) -> list[Interrupt]:
    """ens5-Tx-Rx-0, virtio0-input.0, mlx5_comp0: the number at the end is that of the queue.

    Not so with gVNIC: its blocks are numbered over both directions, first those of all transmit
    queues, then those of the receive queues.
    """
    found = []
    for number, name in sorted(named.items()):
        digits = re.search(r"([0-9]+)\Z", name)
        if digits and not NO_QUEUE_INTERRUPT.search(name):
            found.append(Interrupt(number, name, int(digits.group(1))))
    if device.driver == "gve":
        half = len(found) // 2
        for interrupt in found:
            interrupt.queue -= half if interrupt.queue >= half else 0
    return found


def queues(system: System, name: str, kind: str) -> int:
    return len([entry for entry in system.listing(f"/sys/class/net/{name}/queues") if entry.startswith(kind + "-")])
