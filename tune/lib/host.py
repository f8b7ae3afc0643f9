"""Facts about the host: read once, never changed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Optional

import cpus as cpu_lists
import devices
from options import Options
from output import fail
from system import System

if TYPE_CHECKING:
    from ethtool import Ethtool
    from netdev import AnyNetdev

WRITERS = {
    "irqbalance": "irqbalance (IRQ affinity)",
    "tuned": "tuned (sysctls, ethtool settings; see tuned-adm active)",
    "NetworkManager": "NetworkManager (ethtool settings and addresses, on activation)",
}


class Host:
    def __init__(self, system: System, options: Options, saved_iface: str = "", saved_cpus: str = "") -> None:
        self.system, self.options = system, options
        self.root_user = os.geteuid() == 0
        self.kernel = system.line("/proc/sys/kernel/osrelease")
        found = re.match(r"([0-9]+)\.([0-9]+)", self.kernel)
        self.kernel_version = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
        self.boot_id = system.line("/proc/sys/kernel/random/boot_id")
        self.architecture = os.environ.get("TUNE_ARCHITECTURE") or os.uname().machine
        self.netns = options.netns  # This process is in it already.
        # The first network namespace alone has the sysctls that govern all. /proc/1/ns/net would
        # tell as well, but only to root, and in a hardened host not even to root.
        self.child_netns = system.directory("/proc/sys/net/core") and not system.exists(
            "/proc/sys/net/core/netdev_budget"
        )
        self._netdev: Optional[AnyNetdev] = None
        self._netdev_error = ""
        self._ethtool: Optional[Ethtool] = None
        self.iface, self.iface_from = self._interface(saved_iface)
        self.mac = self.driver = ""
        self.devices: list[devices.Device] = []
        self._look_at_interface()
        self.cpus = self._cpus(saved_cpus)
        self.writers = self._writers()
        if options.pid and not system.directory(f"/proc/{options.pid}"):
            fail(f"--pid {options.pid}: no such process")

    @property
    def line(self) -> str:
        driver = f" ({self.driver})" if self.driver else ""
        netns = f"; netns {self.netns}" if self.netns else ""
        below = [device.name for device in self.devices]
        stands = ""
        if below and below != [self.iface]:
            kind = devices.kind_of(self.system, self.iface) or self.driver or "it"
            names = ", ".join(f"{device.name} ({device.driver or '?'})" for device in self.devices)
            stands = f"; {kind} on {names}, which is tuned"
        return (
            f"interface {self.iface or 'none'}{driver}, {self.iface_from}{stands}{netns}; kernel {self.kernel}; "
            f"CPUs in worker order: {' '.join(map(str, self.cpus))}; state {self.options.state}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "iface": self.iface,
            "iface_from": self.iface_from,
            "driver": self.driver,
            "mac": self.mac,
            "devices": [device.name for device in self.devices],
            "netns": self.netns,
            "kernel": self.kernel,
            "architecture": self.architecture,
            "boot_id": self.boot_id,
            "cpus": self.cpus,
            "pid": self.options.pid,
            "state_file": self.options.state,
        }

    def netdev(self) -> Optional[AnyNetdev]:
        """The netlink family, or None with the cause in netdev_error."""
        if self._netdev is None and not self._netdev_error:
            from netdev import FileNetdev, Netdev  # Only here: sockets are slow to load.

            try:
                if self.system.root:
                    path = self.system.path("/fake/netdev.json")
                    if not os.path.exists(path):
                        raise OSError(2, "No such file or directory")
                    self._netdev = FileNetdev(path)
                else:
                    self._netdev = Netdev()
            except OSError as error:
                self._netdev_error = f"netlink family netdev: {error.strerror or error}"
        return self._netdev

    def ethtool(self) -> Optional[Ethtool]:
        """By netlink; by the program on a kernel without it and on a host made of files; None without both."""
        if self._ethtool is None:
            from ethtool import Ethtool

            if not self.system.root:
                from ethtool_netlink import NetlinkEthtool

                try:
                    self._ethtool = NetlinkEthtool(self.system)
                except OSError:
                    pass
            if self._ethtool is None and self.system.has("ethtool"):
                self._ethtool = Ethtool(self.system)
        return self._ethtool

    @property
    def netdev_error(self) -> str:
        return self._netdev_error

    def ifindexes(self) -> set[int]:
        """Of the interface and of the devices it stands on."""
        index = self.system.line(f"/sys/class/net/{self.iface}/ifindex")
        return {device.ifindex for device in self.devices} | ({int(index)} if index.isdigit() else set())

    def _interface(self, saved: str) -> tuple[str, str]:
        if self.options.iface:
            return self.options.iface, "--iface"
        if saved:
            return saved, "as applied"  # What was applied is verified and reverted where it was applied.
        if self.system.has("ip"):
            for family in ("-4", "-6"):
                route = self.system.hear("ip", family, "-o", "route", "show", "default")
                found = re.search(r"(?:^|\s)dev\s+(\S+)", route.output) if route.status == 0 else None
                if found:
                    return found.group(1), "of the default route"
        return "", "no default route: give --iface"

    def _look_at_interface(self) -> None:
        system, iface = self.system, self.iface
        if not iface:
            return
        if not system.directory(f"/sys/class/net/{iface}"):
            if self.options.verb == "revert":
                return  # The knobs say by name what is gone.
            if system.has("ip") and system.ask(["ip", "link", "show", "dev", iface]).status == 0:
                fail(f"interface {iface}: /sys/class/net is that of another network namespace; use --netns")
            where = f" in netns {self.netns}" if self.netns else ""
            fail(f"interface {iface} ({self.iface_from}): there is none of this name{where}")
        self.mac = system.line(f"/sys/class/net/{iface}/address")
        self.driver = devices.driver_of(system, iface, self.ethtool)
        self.devices = [devices.describe(system, name, self.ethtool) for name in devices.below(system, iface)]

    def _cpus(self, saved: str) -> list[int]:
        found = re.search(r"^Cpus_allowed_list:\s*(\S+)", self.system.text("/proc/self/status"), re.M)
        allowed = cpu_lists.parse(found.group(1)) if found else [0]
        if self.options.cpus:
            given = cpu_lists.parse(self.options.cpus)
            if given is None:
                fail(f"--cpus: '{self.options.cpus}' is no list such as 0-3 or 0,2")
            for position, cpu in enumerate(given):
                if cpu in given[:position]:
                    fail(f"--cpus: CPU {cpu} is there twice")
                if not self.system.directory(f"/sys/devices/system/cpu/cpu{cpu}"):
                    fail(f"--cpus: there is no CPU {cpu}")
            return given
        if saved:
            kept = cpu_lists.parse(saved)
            if kept is None:
                fail(f"state {self.options.state}: '{saved}' is no list of CPUs")
            return kept
        if not allowed:
            fail("/proc/self/status: cannot read Cpus_allowed_list")
        return self.beside_device(allowed)

    def node_cpus(self) -> list[int]:
        """The CPUs of the NUMA node that the device is on; none where there is one node, or none is told."""
        nodes = self.system.glob("/sys/devices/system/node/node[0-9]*")
        node = next((device.numa_node for device in self.devices if device.numa_node >= 0), -1)
        if len(nodes) < 2 or node < 0:
            return []
        return cpu_lists.parse(self.system.line(f"/sys/devices/system/node/node{node}/cpulist")) or []

    def beside_device(self, allowed: list[int]) -> list[int]:
        """CPUs of the device's own node first: where queues are fewer than CPUs, those get them."""
        near = [cpu for cpu in allowed if cpu in self.node_cpus()]
        return near + [cpu for cpu in allowed if cpu not in near]

    def _writers(self) -> list[str]:
        names = [self.system.line(file) for file in self.system.glob("/proc/[1-9]*/comm")]
        return [WRITERS[name] for name in names if name in WRITERS]

    def process_start(self, pid: int) -> str:
        """In clock ticks after boot, which tells a number that is used again; '' where it has ended."""
        after = self.system.line(f"/proc/{pid}/stat").rpartition(") ")[2].split()
        return after[19] if len(after) > 19 else ""
