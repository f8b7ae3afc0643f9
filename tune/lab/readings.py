"""Every reading that a step could change for a device, and some that it should not: the same lines before
apply and after revert."""

from __future__ import annotations

import difflib
import glob
import os
import re
import subprocess
import sys
from typing import Iterator, Sequence

from lab import commands

TREES = (
    "/proc/sys/net",
    "/proc/sys/kernel/timer_migration",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
)
# What counts the present is no setting.
CHANGING = re.compile(r"/(statistics|power)/|nf_conntrack_count|/carrier|fastopen_key|/uevent$|inflight|/device/")
MACHINE = (
    "/proc/sys/net/core/busy_poll",
    "/proc/sys/net/core/busy_read",
    "/proc/sys/net/core/default_qdisc",
    "/proc/cmdline",
    "/etc/default/grub",
    "/sys/devices/system/cpu/vulnerabilities/*",
    "/proc/irq/*/smp_affinity_list",
)
PACKET_SOCKETS = "/proc/net/packet"


def lines(device: str) -> Iterator[str]:
    for line in output("tc", "qdisc", "show", "dev", device):
        # Handles of qdiscs are numbers that the kernel hands out anew: not a setting.
        line = re.sub(r"^(qdisc [a-z_]+) [0-9a-f]+:", r"\1", line)
        yield re.sub(r"parent [0-9a-f]*:", "parent :", line)
    for part in "kclgax":
        yield f"== ethtool -{part}"
        yield from output("ethtool", f"-{part}", device)
    yield "== netfilter"
    yield from output("nft", "-s", "list", "ruleset")
    yield from (line for line in output("iptables-save") if not line.startswith("#"))
    if os.access("/proc/net/ip_tables_names", os.R_OK):
        yield from content("/proc/net/ip_tables_names")
    yield "== addresses, packet sockets"
    yield from output("ip", "-o", "addr", "show")
    yield f"{sum(1 for _ in content(PACKET_SOCKETS)) - 1} packet sockets"
    yield "== sysctl, sysfs"
    for path in sorted(settings(device)):
        yield from (f"{path}:{line}" for line in content(path))
    yield "== the machine's own"
    for pattern in MACHINE:
        for path in sorted(glob.glob(pattern)):
            yield from (f"{path}: {line}" for line in content(path))
    yield from output("auditctl", "-l")


def settings(device: str) -> Iterator[str]:
    for tree in (*TREES, f"/sys/class/net/{device}/"):
        if os.path.isfile(tree):
            yield tree
        for directory, _, names in os.walk(tree):
            for name in names:
                path = os.path.join(directory, name)
                # What can only be written is no reading.
                if not os.path.islink(path) and not CHANGING.search(path) and readable(path):
                    yield path


def readable(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & 0o400)
    except OSError:
        return False


def content(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            return commands.text(file.read()).splitlines()
    except OSError as error:
        return [commands.said(error)]  # That it cannot be read is a reading.


def output(*command: str) -> list[str]:
    """What it prints; nothing where there is no such command."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        return []
    return commands.text(done.stdout).splitlines()


def differences(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """- was, + is."""
    changed = difflib.unified_diff(before, after, lineterm="", n=0)
    return [f"{line[0]} {line[1:]}" for line in changed if not line.startswith(("---", "+++", "@@"))]


def main(words: Sequence[str]) -> int:
    if len(words) != 1:
        print("Usage: lab/snapshot DEVICE", file=sys.stderr)
        return 2
    for line in lines(words[0]):
        print(line)
    return 0
