"""A host made of files whose tools are functions, so that thousands of runs of tune take seconds.

Every run is a process of its own (a fork): it can be killed for good at any point between two of its
writes, and what it has done until then stays in the files.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import shutil
import stat
import sys
from typing import Callable, Optional, Sequence

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

import applying  # noqa: E402, F401 - so that no run has to load it
import main  # noqa: E402
import options as command_line  # noqa: E402
import reverting  # noqa: E402, F401
import state  # noqa: E402
import steps  # noqa: E402, F401
import verdict  # noqa: E402, F401
from system import Result, System  # noqa: E402

KILLED = 137
FILES = {
    "/proc/sys/kernel/osrelease": "6.18.1",
    "/proc/sys/kernel/random/boot_id": "11111111-2222-3333-4444-555555555555",
    "/proc/cmdline": "ro quiet",
    "/proc/self/status": "Cpus_allowed_list:\t0-1",
    "/proc/self/loginuid": "4294967295",
    "/proc/modules": "ena 1 0 - Live 0x0",
    "/proc/interrupts": "  24: 1 2 PCI-MSI eth0-Tx-Rx-0\n  25: 1 2 PCI-MSI eth0-Tx-Rx-1",
    "/proc/net/packet": "sk RefCnt Type Proto Iface R Rmem User Inode",
    "/proc/net/ip_tables_names": "filter",
    "/sys/class/net/eth0/address": "02:00:00:00:00:01",
    "/sys/class/net/eth0/ifindex": "2",
    "/sys/class/net/eth0/napi_defer_hard_irqs": "0",
    "/sys/class/net/eth0/gro_flush_timeout": "0",
    "/sys/class/net/eth0/device/msi_irqs/24": "msix",
    "/sys/class/net/eth0/device/msi_irqs/25": "msix",
    "/proc/irq/24/smp_affinity_list": "0-1",
    "/proc/irq/25/smp_affinity_list": "0-1",
    "/proc/sys/net/core/netdev_budget": "300",
    "/proc/sys/net/core/busy_poll": "0",
    "/proc/sys/net/core/busy_read": "0",
    "/proc/sys/net/core/default_qdisc": "fq_codel",
    "/proc/sys/net/core/somaxconn": "128",
    "/proc/sys/net/core/rmem_max": "212992",
    "/proc/sys/net/core/wmem_max": "212992",
    "/proc/sys/net/ipv4/tcp_rmem": "4096 131072 6291456",
    "/proc/sys/net/ipv4/tcp_wmem": "4096 16384 4194304",
    "/proc/sys/net/ipv4/tcp_max_syn_backlog": "512",
    "/proc/sys/net/ipv4/tcp_congestion_control": "cubic",
    "/proc/sys/fs/nr_open": "524288",
    "/proc/sys/kernel/timer_migration": "1",
    "/sys/kernel/mm/transparent_hugepage/enabled": "never",
    "/sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet",
    "/sys/devices/system/cpu/vulnerabilities/meltdown": "Mitigation: PTI",
    "/etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"',
}
PER_CPU = {
    "/sys/devices/system/cpu/cpu{0}/cpufreq/scaling_governor": "powersave",
    "/sys/devices/system/cpu/cpu{0}/cpuidle/state1/latency": "133",
    "/sys/devices/system/cpu/cpu{0}/cpuidle/state1/disable": "0",
    "/sys/class/net/eth0/queues/tx-{0}/xps_cpus": "00000000",
    "/sys/class/net/eth0/queues/rx-{0}/rps_cpus": "00000000",
}
NETDEV = [
    {"id": 513 + queue, "irq": 24 + queue, "queues": [["rx", queue]], "irq-suspend-timeout": 0} for queue in (0, 1)
]
RULES = "table inet filter {\n\tchain input {\n\t\ttcp dport 22 accept\n\t}\n}"
LEGACY = "*filter\n:INPUT ACCEPT\n-A INPUT -p tcp -j ACCEPT\nCOMMIT"
NO_LEGACY = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT"
WORLD = {
    "gro": "on",
    "rx-gro-hw": "on",
    "adaptive-rx": "off",
    "rx-usecs": "0",
    "tx-usecs": "64",
    "qdisc": "mq 0: fq_codel",
    "irqbalance": "active",
    "firewalld": "active",
    "rules": RULES,
    "legacy": LEGACY,
    "audit": "",
}
REFUSABLE = ("ethtool", "tc", "systemctl", "nft", "auditctl", "modprobe", "iptables-legacy-restore", "update-grub")


def make(root: str) -> None:
    """The host as its distribution leaves it."""
    shutil.rmtree(root, ignore_errors=True)
    for path, text in FILES.items():
        put(root, path, text)
    for cpu in (0, 1):
        for path, text in PER_CPU.items():
            put(root, path.format(cpu), text)
    put(root, "/fake/netdev.json", json.dumps({"2": NETDEV}))
    put(root, "/fake/world.json", json.dumps(WORLD))
    os.makedirs(root + "/run/systemd/system")
    os.makedirs(root + "/sys/bus/pci/drivers/ena")
    os.symlink("../../../../bus/pci/drivers/ena", root + "/sys/class/net/eth0/device/driver")


def warm(root: str) -> None:
    """What a run imports and compiles is done once, here: each run, which is a fork, has it then."""
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
        for words in (["status", "all"], ["plan", "all"], ["verify", "--json"]):
            main.run(command_line.parse([*words, "--state", root + ".state/state.json"]), Model(root))
    gc.disable()  # A run ends soon, and the pages that it shares with its parent stay shared.


def put(root: str, path: str, text: str) -> None:
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "w") as file:
        file.write(text + "\n")


def items(root: str) -> dict[str, str]:
    """Every setting of the host by name: files, and what tools keep."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not path.endswith(".json"):
                with open(path) as file:
                    found[path[len(root) :]] = file.read()
    for name in ("world", "netdev"):
        with open(f"{root}/fake/{name}.json") as file:
            document = json.load(file)
        if name == "netdev":
            document = {f"napi {entry['id']}": entry["irq-suspend-timeout"] for entry in document["2"]}
        found.update({key: str(value) for key, value in document.items()})
    return found


class Model(System):
    """Its tools, some of which refuse; and a count of writes, after one of which the run is killed."""

    def __init__(self, root: str, kill_at: int = 0, refusing: Sequence[str] = ()) -> None:
        super().__init__(root)
        self.kill_at, self.refusing = kill_at, tuple(refusing)
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1
        if self.ticks == self.kill_at:
            sys.stdout.flush()
            os._exit(KILLED)

    def has(self, tool: str) -> bool:
        return tool not in ("grubby", "ss", "iptables")

    def write(self, name: str, text: str) -> None:
        if name in self.refusing:
            raise OSError(1, "Operation not permitted", name)
        super().write(name, text)

    def written(self) -> None:
        super().written()
        self.tick()

    def run(self, arguments: Sequence[str], given: Optional[str] = None) -> Result:
        if arguments[0] in self.refusing:
            return Result(1, f"{arguments[0]}: Operation not permitted")
        return super().run(arguments, given)

    def ask(self, arguments: Sequence[str], given: Optional[str] = None) -> Result:
        with open(self.path("/fake/world.json")) as file:
            world = json.load(file)
        before = dict(world)
        output = self.tool(list(arguments), given or "", world)
        if world != before:
            with open(self.path("/fake/world.json.part"), "w") as file:
                json.dump(world, file)
            os.rename(self.path("/fake/world.json.part"), self.path("/fake/world.json"))
        return Result(1, f"{arguments[0]}: not supported") if output is None else Result(0, output)

    def tool(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        """What it prints; None where it fails."""
        name, rest = words[0], words[1:]
        if name == "ip":
            return "default via 10.0.0.1 dev eth0" if "route" in rest else ""
        if name in ("cp", "sed"):
            return super().ask(words).output or ""
        if name in ("update-grub", "true", "unshare"):
            return ""
        handler: Callable[[list[str], str, dict[str, str]], Optional[str]]
        handler = getattr(self, name.replace("-", "_").replace("iptables_legacy", "legacy"))
        return handler(rest, given, world)

    def ethtool(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        if words[0] == "-k":
            shown = "generic-receive-offload: {gro}\nlarge-receive-offload: off [fixed]\nrx-gro-hw: {rx-gro-hw}"
            return shown.format(**world)
        if words[0] == "-c":
            return "Adaptive RX: {adaptive-rx}  TX: n/a\nrx-usecs: {rx-usecs}\ntx-usecs:\t{tx-usecs}".format(**world)
        if words[0] == "-l":
            return "Combined:\t2\nCurrent hardware settings\nCombined:\t2"
        if words[0] in ("-K", "-C"):
            world[words[2]] = words[3]
            return ""
        return None

    def tc(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        root, handle, leaf = world["qdisc"].split()
        default = self.read("/proc/sys/net/core/default_qdisc")
        if words[1] == "show":
            return "\n".join([f"qdisc {root} {handle} root", *(f"qdisc {leaf} 0: parent {handle}{n}" for n in (1, 2))])
        if words[1] == "del":
            world["qdisc"] = f"mq 0: {default}"
        elif handle == "0:":
            given_handle = words[words.index("handle") + 1] if "handle" in words else "8001:"
            world["qdisc"] = f"mq {given_handle} {default}"
        return ""

    def systemctl(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        unit = words[1].replace(".service", "")
        if words[0] == "is-active":
            return world.get(unit, "inactive")
        if words[0] == "show":
            return "LoadState=loaded\nCanStart=yes"
        world[unit] = "active" if words[0] == "start" else "inactive"
        return ""

    def nft(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        if words == ["-s", "list", "ruleset"]:
            return world["rules"]
        if words == ["flush", "ruleset"]:
            world["rules"] = ""
        elif words == ["-f", "-"]:
            world["rules"] = given.partition("\n")[2]
        return ""

    def legacy(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        if "-F" in words:
            world["legacy"] = NO_LEGACY
        return ""

    def legacy_save(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        return world["legacy"]

    def legacy_restore(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        if words != ["--test"]:
            world["legacy"] = given
        return ""

    def auditctl(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        if words == ["-s"]:
            return "enabled 1"
        if words == ["-l"]:
            return world["audit"] or "No rules"
        world["audit"] = "-a never,task" if words[0] == "-a" else ""
        return ""

    def modprobe(self, words: list[str], given: str, world: dict[str, str]) -> Optional[str]:
        return ""


def tune(root: str, arguments: Sequence[str], kill_at: int = 0, refusing: Sequence[str] = ()) -> tuple[int, str, int]:
    """One run: its exit status (137: killed), what it said, and how many points there were to kill it."""
    said, counted = root + ".said", root + ".ticks"
    child = os.fork()
    if child == 0:
        status = 2
        try:
            output = open(said, "w")
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                system = Model(root, kill_at, refusing)
                status = guarded(system, list(arguments))
                output.flush()
            with open(counted, "w") as file:
                file.write(str(system.ticks))
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(said) as file:
        text = file.read()
    ticks = 0
    if status != KILLED:
        with open(counted) as file:
            ticks = int(file.read())
    return status, text, ticks


def guarded(system: Model, arguments: list[str]) -> int:
    """main.main, on the model; each step of a save of the state is a point to be killed at, too."""
    save, sync = state.State._write, os.fsync

    def ticking_save(self: state.State, name: str, text: str) -> None:
        save(self, name, text)
        system.tick()

    def ticking_sync(descriptor: int) -> None:
        # Not to the disk, for a killed process does not take the page cache along.
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            system.tick()

    setattr(state.State, "_write", ticking_save)
    setattr(os, "fsync", ticking_sync)
    try:
        return main.guard(lambda: main.run(command_line.parse(arguments), system))
    finally:
        setattr(state.State, "_write", save)
        setattr(os, "fsync", sync)


def digest(root: str) -> str:
    return hashlib.sha256(json.dumps(items(root), sort_keys=True).encode()).hexdigest()
