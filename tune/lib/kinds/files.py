"""Settings that are files: sysctls, values, choices, masks and lists of CPUs."""

from __future__ import annotations

import os
import re
import stat

import cpus
from kinds.base import Kind, Reading, Unreadable
from system import Action, Result, Run, Write


class Sysctl(Kind):
    name = "sysctl"
    proven_by = "a write of the same value"
    by_write = True
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

    def prove(self, argument: str, original: str) -> Result:
        return self.write_same(argument, original)

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
    proven_by = "a write of the same value"
    by_write = True
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

    def prove(self, argument: str, original: str) -> Result:
        return self.write_same(argument, original)

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
