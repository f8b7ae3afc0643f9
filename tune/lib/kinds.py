"""Kinds of knobs: how each is read, written, compared, checked and put back.

A value has one form in each kind, and what is read is what can be written back. `valid` says which
values a kind may ever write: state files are not trusted.
"""

from __future__ import annotations

import os
import re
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Optional

import cpus
from options import NAME
from host import Host
from system import Action, Borrow, Result, Run, System, Write

if TYPE_CHECKING:
    import netlink

SYSTEMD = "/run/systemd/system"
LEASE_SECONDS_MIN = 300  # Of a lease that has run out meanwhile: time for the client to renew it.


@dataclass
class Reading:
    value: str
    readonly: str = ""  # Why it can be read but not changed.
    note: str = ""  # A word about an applied value.
    moot: str = ""  # Why any value is as good as the target.


class Unreadable(Exception):
    """A knob that cannot be read: unsupported, or for root only."""

    def __init__(self, cause: str, needs_root: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.needs_root = cause, needs_root


class Kind:
    """One kind. `argument` names the knob among those of its kind."""

    name = ""
    refusable = False  # Whether a device may refuse a value without a fault of anyone's.

    def __init__(self, host: Host) -> None:
        self.host, self.system = host, host.system

    def read(self, argument: str) -> Reading:
        """Raises Unreadable."""
        raise NotImplementedError

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        """What writes `value` where `now` is what it is."""
        raise NotImplementedError

    def valid(self, argument: str, value: str) -> bool:
        raise NotImplementedError

    def same(self, argument: str, one: str, other: str) -> bool:
        return one == other

    def shown(self, argument: str, value: str) -> str:
        return value

    def proof(self, argument: str, original: str) -> list[Action]:
        """What shows, without changing anything, that the original could be put back."""
        return []

    def cause(self, argument: str, refusal: str) -> str:
        """What a refusal means here, or ''."""
        if refusal == "Read-only file system":
            return "in a container? Run it on the host"
        if refusal.startswith(("Permission denied", "Operation not permitted")) and not self.host.root_user:
            return "needs root"
        if refusal == "Device or resource busy":
            return "in use"
        return ""

    def need(self, tool: str, package: str) -> None:
        if not self.system.has(tool):
            raise Unreadable(f"{tool} not found: Debian package {package}")

    def refused(self, text: str) -> NoReturn:
        """What a reader said, as the reason why nothing is known."""
        if text.startswith(("Permission denied", "Operation not permitted")) and not self.host.root_user:
            raise Unreadable("needs root", True)
        raise Unreadable(text)

    def file(self, path: str) -> str:
        try:
            return self.system.read(path)
        except OSError as error:
            self.refused(error.strerror or str(error))

    def heard(self, *command: str) -> Result:
        return self.system.hear(*command)


def described(device: str, host: Host) -> str:
    """The driver of a device, as the reasons begin with it."""
    return next((one.driver for one in host.devices if one.name == device), host.driver) or device


# --- Files: sysctl NAME; file, mask, cpulist PATH -------------------------------------------------


class Sysctl(Kind):
    name = "sysctl"
    NUMBERS = {
        "net.core.busy_poll",
        "net.core.busy_read",
        "net.core.somaxconn",
        "net.core.rmem_max",
        "net.core.wmem_max",
        "net.ipv4.tcp_max_syn_backlog",
        "fs.nr_open",
        "kernel.timer_migration",
    }

    def path(self, argument: str) -> str:
        return "/proc/sys/" + argument.replace(".", "/")

    def outside(self, argument: str) -> bool:
        """Some govern all network namespaces, and other ones show them not at all, or read-only."""
        if not self.host.child_netns or not argument.startswith("net."):
            return False
        try:
            mode = os.stat(self.system.path(self.path(argument))).st_mode
        except OSError:
            return True
        return mode & stat.S_IWUSR == 0

    def namespace(self) -> str:
        return "--net=" + self.system.path("/proc/1/ns/net")

    def read(self, argument: str) -> Reading:
        path = self.path(argument)
        if self.outside(argument):
            self.need("nsenter", "util-linux")
            result = self.heard("nsenter", self.namespace(), "cat", "--", self.system.path(path))
            if result.status != 0:
                cause = f"the host has it, not a namespace, and /proc/1/ns/net: {result.errno_text}"
                raise Unreadable(cause, not self.host.root_user)
            return Reading(result.output.replace("\t", " "))
        if not self.system.exists(path):
            raise Unreadable(f"this kernel has no {argument}")
        return Reading(self.file(path).replace("\t", " "))

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        path = self.path(argument)
        if self.outside(argument):
            return [Run(("nsenter", self.namespace(), "tee", self.system.path(path)), value)]
        return [Write(path, value)]

    def proof(self, argument: str, original: str) -> list[Action]:
        return self.change(argument, original, original)

    def valid(self, argument: str, value: str) -> bool:
        if argument in self.NUMBERS:
            return re.match(r"[0-9]+\Z", value) is not None
        if argument in ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"):
            return re.match(r"[0-9]+ [0-9]+ [0-9]+\Z", value) is not None
        if argument in ("net.ipv4.tcp_congestion_control", "net.core.default_qdisc"):
            return re.match(r"[a-z0-9_]+\Z", value) is not None
        return False


class File(Kind):
    name = "file"
    PATHS: tuple[tuple[str, str], ...] = (
        (r"/sys/class/net/[A-Za-z0-9_.:-]+/(napi_defer_hard_irqs|gro_flush_timeout)", r"[0-9]+"),
        (r"/sys/devices/system/cpu/cpu[0-9]+/cpufreq/(scaling_governor|energy_performance_preference)", r"[a-z_]+"),
        (r"/sys/devices/system/cpu/cpu[0-9]+/cpuidle/state[0-9]+/disable", r"[01]"),
        (r"/sys/devices/system/clocksource/clocksource0/current_clocksource", r"[a-z0-9_-]+"),
    )

    def read(self, argument: str) -> Reading:
        return Reading(self.file(argument))

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Write(argument, value)]

    def proof(self, argument: str, original: str) -> list[Action]:
        return [Write(argument, original)]

    def valid(self, argument: str, value: str) -> bool:
        return "/../" not in argument and any(
            re.match(path + r"\Z", argument) and re.match(form + r"\Z", value) for path, form in self.PATHS
        )


class Choice(File):
    """A file that shows all its choices, with the one in force in brackets: always [madvise] never."""

    name = "choice"
    PATHS = ((r"/sys/kernel/mm/transparent_hugepage/enabled", r"always|madvise|never"),)

    def read(self, argument: str) -> Reading:
        text = self.file(argument)
        found = re.search(r"\[([a-z]+)\]", text) or re.match(r"([a-z]+)\Z", text)
        if not found:
            raise Unreadable(f"no choice is marked in '{text}'")
        return Reading(found.group(1))


class Mask(File):
    name = "mask"
    PATHS = (
        (r"/sys/class/net/[A-Za-z0-9_.:-]+/queues/(tx|rx)-[0-9]+/(xps|rps)_cpus", r"[0-9a-f]+(,[0-9a-f]+)*"),
        (r"/sys/devices/virtual/workqueue/cpumask", r"[0-9a-f]+(,[0-9a-f]+)*"),
    )

    def same(self, argument: str, one: str, other: str) -> bool:
        return one.replace(",", "").lstrip("0") == other.replace(",", "").lstrip("0")

    def read(self, argument: str) -> Reading:
        try:
            return super().read(argument)
        except Unreadable as error:
            raise Unreadable(self.cause(argument, error.cause) or error.cause, error.needs_root) from error

    def cause(self, argument: str, refusal: str) -> str:
        if argument.endswith("xps_cpus") and refusal == "No such file or directory":
            return "single queue: no XPS"
        return super().cause(argument, refusal)


class CpuList(File):
    name = "cpulist"
    refusable = True
    PATHS = ((r"/proc/irq/[0-9]+/smp_affinity_list", r"[0-9,-]+"),)

    def valid(self, argument: str, value: str) -> bool:
        return super().valid(argument, value) and cpus.parse(value) is not None

    def same(self, argument: str, one: str, other: str) -> bool:
        first, second = cpus.parse(one), cpus.parse(other)
        return first is not None and second is not None and sorted(first) == sorted(second)

    def cause(self, argument: str, refusal: str) -> str:
        if refusal == "Input/output error":
            return "managed IRQ: the kernel has chosen its CPU"
        return super().cause(argument, refusal)


# --- ethtool: feature, coalesce IFACE NAME; channels IFACE ----------------------------------------


class Feature(Kind):
    name = "feature"
    refusable = True
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

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) (gro|lro|rx-gro-hw)\Z", argument)
        return bool(found and NAME.match(found.group(1)) and value in ("on", "off"))


class Coalesce(Kind):
    name = "coalesce"
    refusable = True

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

    def valid(self, argument: str, value: str) -> bool:
        return bool(NAME.match(argument) and re.match(r"(combined [0-9]{1,4}|rx [0-9]{1,4} tx [0-9]{1,4})\Z", value))

    def cause(self, argument: str, refusal: str) -> str:
        if "not supported" in refusal:
            return f"{described(argument, self.host)}: the number of queues is fixed"
        return super().cause(argument, refusal)


# --- qdisc: IFACE; values `KIND HANDLE` or `mq LEAF HANDLE`, a target without handle --------------
#
# `tc` cannot give noqueue to a class of mq: the children of mq are made from default_qdisc when mq
# is attached. And a second `replace ... mq` of a qdisc with a handle changes nothing: such a root
# is deleted, upon which the kernel attaches its default, of handle 0:, anew.


class Qdisc(Kind):
    name = "qdisc"
    DEFAULT = "net.core.default_qdisc"

    def read(self, argument: str) -> Reading:
        self.need("tc", "iproute2")
        result = self.heard("tc", "qdisc", "show", "dev", argument)
        if result.status != 0:
            self.refused(result.errno_text)
        root = root_handle = ""
        leaves: list[str] = []
        named = False
        for line in result.output.split("\n"):
            words = line.split()
            if len(words) < 4 or words[0] != "qdisc" or words[1] in ("ingress", "clsact"):
                continue
            place = words[5] if words[3] == "dev" and len(words) > 5 else words[3]
            if place == "root":
                root, root_handle = words[1], words[2]
            else:
                named = named or words[2] != "0:"
                if words[1] not in leaves:
                    leaves.append(words[1])
        if not root:
            raise Unreadable("no qdisc: is the interface up?")
        value = " ".join([root, *leaves, root_handle])
        ours = root == "mq" and len(leaves) <= 1 and not named
        if ours or root == "noqueue" or (root_handle == "0:" and not leaves):
            return Reading(value)
        return Reading(
            value,
            f"'{value}' was set up by someone, and its options could not be put back; "
            f"first: tc qdisc del dev {argument} root",
        )

    @staticmethod
    def parts(value: str) -> tuple[list[str], str]:
        words = value.split(" ")
        return (words[:-1], words[-1]) if words[-1].endswith(":") else (words, "")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        """The way there depends on what is there: what has a handle of its own was put there by tc."""
        words, handle = self.parts(value)
        now_handle = self.parts(now)[1]
        steps: list[Action] = []
        if now_handle != "0:":
            steps.append(Run(("tc", "qdisc", "del", "dev", argument, "root")))
        if not (handle == "0:" and steps):
            place = ("handle", handle) if handle else ()
            steps.append(Run(("tc", "qdisc", "replace", "dev", argument, "root", *place, words[0])))
        # The default governs the whole host: it is put back at once, whatever happens in between.
        sysctl, leaf = Sysctl(self.host), words[-1]
        try:
            default = sysctl.read(self.DEFAULT).value
        except Unreadable:
            return steps
        if default == leaf or (leaf == "noqueue" and words[0] != "mq"):
            return steps
        there, back = sysctl.change(self.DEFAULT, leaf, default), sysctl.change(self.DEFAULT, default, leaf)
        return [Borrow(self.DEFAULT, leaf, default, there[0], back[0], tuple(steps))]

    def valid(self, argument: str, value: str) -> bool:
        return bool(NAME.match(argument) and re.match(r"[a-z_]+( [a-z_]+)?( [0-9a-f]{1,4}:)?\Z", value))

    def same(self, argument: str, one: str, other: str) -> bool:
        """Two readings with their handles, a reading and a target without; a noqueue has no lock either."""
        if one == other:
            return True
        if one.endswith(":") and other.endswith(":"):
            return False
        one, other = " ".join(self.parts(one)[0]), " ".join(self.parts(other)[0])
        return one == other or (one == "noqueue" and other == "mq noqueue")


# --- service: UNIT; values running, stopped -------------------------------------------------------


class Service(Kind):
    name = "service"

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

    def valid(self, argument: str, value: str) -> bool:
        return argument in ("irqbalance.service", "firewalld.service", "ufw.service") and value in (
            "running",
            "stopped",
        )


# --- Netfilter: nft ruleset; iptables ip, ip6; module NAME ----------------------------------------

EMPTY = "empty"


class Nft(Kind):
    """The whole ruleset as nft lists it, or `empty`."""

    name = "nft"

    def read(self, argument: str) -> Reading:
        self.need("nft", "nftables")
        result = self.heard("nft", "-s", "list", "ruleset")
        if result.status != 0:
            if "not supported" in result.output or "No such file or directory" in result.output:
                return Reading(EMPTY, note="kernel without nf_tables")
            self.refused("Operation not permitted" if "must be root" in result.output else result.errno_text)
        rules = result.output
        # nft shows extensions it has no words for as `xt match` or, by version, behind a #.
        foreign = re.search(r"(^|[^a-z_])xt (match|target)", rules)
        if not foreign and "#" in rules:
            bare = re.sub(r'"[^"]*"', "", re.sub(r"^# Warning:.*$", "", rules, flags=re.M))
            foreign = re.search("#", bare)
        if foreign:
            return Reading(
                rules,
                "rules with iptables extensions, which nft cannot put back; "
                "stop what made them (docker, ufw, kube-proxy)",
            )
        return Reading(rules or EMPTY)

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if value == EMPTY:
            return [Run(("nft", "flush", "ruleset"))]
        return [Run(("nft", "-f", "-"), "flush ruleset\n" + value)]

    def proof(self, argument: str, original: str) -> list[Action]:
        return [] if original == EMPTY else [Run(("nft", "-c", "-f", "-"), "flush ruleset\n" + original)]

    def valid(self, argument: str, value: str) -> bool:
        if argument != "ruleset":
            return False
        if value == EMPTY:
            return True
        return value.startswith(("table ", "#")) and not re.search(r"(^|[\n;{}])[ \t]*include[ \t]", value)


class Iptables(Kind):
    """The legacy tables as *-legacy-save says them, without counters, or `empty`."""

    name = "iptables"
    CHAINS = {
        "raw": ("PREROUTING", "OUTPUT"),
        "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
        "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    }
    CHAINS_DEFAULT = ("INPUT", "FORWARD", "OUTPUT")

    def tool(self, argument: str, verb: str) -> str:
        return ("iptables" if argument == "ip" else "ip6tables") + "-legacy" + verb

    def tables(self, argument: str) -> list[str]:
        return self.system.text(f"/proc/net/{argument}_tables_names").split()

    def read(self, argument: str) -> Reading:
        path = f"/proc/net/{argument}_tables_names"
        if not self.system.exists(path) or not self.file(path):
            return Reading(EMPTY)
        tool = self.tool(argument, "-save")
        self.need(tool, "iptables")
        result = self.heard(tool)
        if result.status != 0:
            self.refused(result.errno_text)
        # Comments carry the time, brackets the counters.
        lines = [re.sub(r" \[[0-9]*:[0-9]*\]$", "", line) for line in result.output.split("\n") if line[:1] != "#"]
        rules = [
            line
            for line in lines
            if line and line != "COMMIT" and line[:1] != "*" and not (line[:1] == ":" and line.endswith(" ACCEPT"))
        ]
        return Reading("\n".join(lines) if rules else EMPTY)

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if value != EMPTY:
            return [Run((self.tool(argument, "-restore"),), value)]
        tool = self.tool(argument, "")
        actions: list[Action] = []
        for table in self.tables(argument):
            for words in (("-F",), ("-X",)):
                actions.append(Run((tool, "-t", table, *words)))
            for chain in self.CHAINS.get(table, self.CHAINS_DEFAULT):
                actions.append(Run((tool, "-t", table, "-P", chain, "ACCEPT")))
        return actions or [Run(("true",))]

    def proof(self, argument: str, original: str) -> list[Action]:
        return [] if original == EMPTY else [Run((self.tool(argument, "-restore"), "--test"), original)]

    def valid(self, argument: str, value: str) -> bool:
        return argument in ("ip", "ip6") and (value == EMPTY or (value[:1] == "*" and "COMMIT" in value))


class Module(Kind):
    """Values loaded, absent."""

    name = "module"

    def read(self, argument: str) -> Reading:
        loaded = any(line.startswith(argument + " ") for line in self.file("/proc/modules").split("\n"))
        return Reading("loaded" if loaded else "absent")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("modprobe", "-r", argument) if value == "absent" else ("modprobe", argument))]

    def valid(self, argument: str, value: str) -> bool:
        return bool(re.match(r"ip6?table_(filter|nat|mangle|raw|security)\Z", argument)) and value in (
            "loaded",
            "absent",
        )


# --- audit: the rule never,task; values present, absent -------------------------------------------


class Audit(Kind):
    name = "audit"

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

    def valid(self, argument: str, value: str) -> bool:
        return argument == "never,task" and value in ("present", "absent")


# --- bootline: the kernel command line as the boot loader's configuration has it ------------------
#
# grub:FILE (Debian, Ubuntu), grubby (Fedora, RHEL, Amazon Linux), kernel-cmdline (systemd-boot)


class Bootline(Kind):
    name = "bootline"
    PLAIN = re.compile(r"[A-Za-z0-9_.,:=/@%+\ -]*\Z")  # It ends up in double quotes of a file that a shell reads.
    COPY = ".before-bareloop-tune"
    SETTING = "GRUB_CMDLINE_LINUX_DEFAULT="

    def read(self, argument: str) -> Reading:
        if argument.startswith("grub:"):
            lines = [line for line in self.file(argument[5:]).split("\n") if line.startswith(self.SETTING)]
            value = lines[-1][len(self.SETTING) :].rstrip() if lines else ""
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
        elif argument == "grubby":
            self.need("grubby", "grubby")
            result = self.heard("grubby", "--info=DEFAULT")
            if result.status != 0:
                self.refused(result.errno_text)
            found = re.search(r"^args=\"?(.*?)\"?$", result.output, re.M)
            value = found.group(1) if found else ""
        else:
            value = self.file("/etc/kernel/cmdline").replace("\n", " ")
        plain = self.PLAIN.match(value)
        return Reading(value, "" if plain else "it has characters that tune does not rewrite; edit it by hand")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if argument == "grubby":
            words = ["grubby", "--update-kernel=ALL"]
            gone = [word for word in now.split() if word not in value.split()]
            new = [word for word in value.split() if word not in now.split()]
            words += ["--remove-args=" + " ".join(gone)] if gone else []
            words += ["--args=" + " ".join(new)] if new else []
            return [Run(tuple(words))]
        grub = argument.startswith("grub:")
        file = argument[5:] if grub else "/etc/kernel/cmdline"
        kept = self.system.exists(file + self.COPY)
        copy: list[Action] = (
            [] if kept else [Run(("cp", "-p", self.system.path(file), self.system.path(file) + self.COPY))]
        )
        if grub:
            edit = Run(("sed", "-i", f's|^{self.SETTING}.*|{self.SETTING}"{value}"|', self.system.path(file)))
            return [*copy, edit, Run(("update-grub",))]
        return [*copy, Write(file, value), Run(("kernel-install", "add-all"))]

    def forget_copy(self, argument: str) -> None:
        """Once the original is back."""
        file = argument[5:] if argument.startswith("grub:") else "/etc/kernel/cmdline"
        if argument != "grubby":
            try:
                os.unlink(self.system.path(file) + self.COPY)
            except FileNotFoundError:
                pass

    def valid(self, argument: str, value: str) -> bool:
        known = argument in ("grubby", "kernel-cmdline", "grub:/etc/default/grub") or re.match(
            r"grub:/etc/default/grub\.d/[A-Za-z0-9_.-]+\.cfg\Z", argument
        )
        return bool(known and self.PLAIN.match(value))


# --- napi: IFACE NUMBER SETTING, the number in the order of the queues ----------------------------


@dataclass(frozen=True)
class NapiSet(Action):
    """By netlink, for which there is no tool; libexec/netdev says the same to the kernel from a shell."""

    kind: "Napi"
    argument: str
    value: str

    def run(self, system: System) -> Result:
        device, number, setting = self.argument.split(" ")
        try:
            system.heard.clear()
            index, napis = self.kind.find(device)
            netdev = self.kind.host.netdev()
            assert netdev
            netdev.set(index, napis[int(number)].id, setting, int(self.value))
        except Unreadable as error:
            return Result(1, f"netdev: {error.cause}")
        except (OSError, IndexError) as error:
            return Result(1, f"netdev: {getattr(error, 'strerror', None) or error}")
        return Result(0, "")

    def sh(self, system: System) -> str:
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        return f"{here}/libexec/netdev set {self.argument} {self.value}"


class Napi(Kind):
    name = "napi"

    def find(self, device: str) -> tuple[int, list[netlink.Napi]]:
        index = self.system.line(f"/sys/class/net/{device}/ifindex")
        netdev = self.host.netdev()
        if netdev is None:
            raise Unreadable(self.host.netdev_error)
        try:
            return int(index or 0), netdev.napis(int(index or 0))
        except OSError as error:
            self.refused(error.strerror or str(error))

    def read(self, argument: str) -> Reading:
        device, number, setting = argument.split(" ")
        _, napis = self.find(device)
        if int(number) >= len(napis):
            raise Unreadable(f"{device} has no NAPI {number}")
        return Reading(str(napis[int(number)].settings.get(setting, 0)))

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [NapiSet(self, argument, value)]

    def proof(self, argument: str, original: str) -> list[Action]:
        return self.change(argument, original, original)

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) [0-9]{1,4} irq-suspend-timeout\Z", argument)
        return bool(found and NAME.match(found.group(1)) and re.match(r"[0-9]{1,12}\Z", value))


# --- lifetime: IFACE ADDRESS/LENGTH; `forever` or `until VALID PREFERRED` in epoch seconds --------


class Lifetime(Kind):
    name = "lifetime"

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
        device, address = argument.split(" ")
        valid = preferred = "forever"
        if value != "forever":
            left = [max(LEASE_SECONDS_MIN, int(word) - int(time.time())) for word in value.split()[1:]]
            valid, preferred = str(left[0]), str(min(left))
        return [Run(("ip", "addr", "change", address, "dev", device, "valid_lft", valid, "preferred_lft", preferred))]

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) [0-9]+(\.[0-9]+){3}/[0-9]+\Z", argument)
        form = re.match(r"(forever|until [0-9]{1,12} [0-9]{1,12})\Z", value)
        return bool(found and NAME.match(found.group(1)) and form)

    def same(self, argument: str, one: str, other: str) -> bool:
        return one.split(" ")[0] == other.split(" ")[0]

    def shown(self, argument: str, value: str) -> str:
        return value if value == "forever" else f"{int(value.split()[1]) - int(time.time())} s"


# --- dhclient: IFACE; `stopped` or `running ARGUMENTS` --------------------------------------------


class Dhclient(Kind):
    name = "dhclient"
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


# --- prlimit: PID STARTTIME; open files, `SOFT:HARD` ----------------------------------------------


class Prlimit(Kind):
    name = "prlimit"
    LIMITS = re.compile(r"^Max open files\s+([0-9]+|unlimited)\s+([0-9]+|unlimited)", re.M)

    def read(self, argument: str) -> Reading:
        pid, started = argument.split(" ")
        if self.host.process_start(int(pid)) != started:
            raise Ended(f"process {pid} has ended")
        found = self.LIMITS.search(self.file(f"/proc/{pid}/limits"))
        if not found:
            raise Unreadable("no such limit")
        return Reading(f"{found.group(1)}:{found.group(2)}")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [Run(("prlimit", "--pid", argument.split(" ")[0], "--nofile=" + value))]

    def valid(self, argument: str, value: str) -> bool:
        form = r"([0-9]+|unlimited):([0-9]+|unlimited)\Z"
        return bool(re.match(r"[0-9]{1,10} [0-9]+\Z", argument) and re.match(form, value))

    def cause(self, argument: str, refusal: str) -> str:
        if refusal.startswith("Operation not permitted"):
            return "raising it needs CAP_SYS_RESOURCE"
        return super().cause(argument, refusal)


class Ended(Unreadable):
    """Its process has ended, and the setting with it."""


ALL = (
    Sysctl,
    File,
    Choice,
    Mask,
    CpuList,
    Feature,
    Coalesce,
    Channels,
    Qdisc,
    Service,
    Nft,
    Iptables,
    Module,
    Audit,
    Bootline,
    Napi,
    Lifetime,
    Dhclient,
    Prlimit,
)


def table(host: Host) -> dict[str, Kind]:
    return {kind.name: kind(host) for kind in ALL}


def valid(kinds: dict[str, Kind], kind: str, argument: str, value: str) -> bool:
    """Whether tune may ever write such a value: also of a kind it does not know."""
    try:
        return kind in kinds and kinds[kind].valid(argument, value)
    except ValueError:
        return False


def optional(kinds: dict[str, Kind], kind: str, argument: str) -> Optional[Reading]:
    """Read where it can be."""
    try:
        return kinds[kind].read(argument)
    except Unreadable:
        return None
