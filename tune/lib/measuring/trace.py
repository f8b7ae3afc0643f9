"""trace: system calls per second, sizes received and sent, softirqs by CPU."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from typing import Any, Optional

from measuring import common
from measuring.common import Arguments, last_line, need, output_of, say, text_of
from output import fail

USAGE = """Usage: tune trace [--pid PID] [--seconds N] [--with bpftrace|perf|strace] [--json]

Prints, over N seconds (default 5): system calls per second by name, and a histogram of the bytes
that recv and send returned, of a process or of the whole system; the share of softirqs of each
CPU, and their kinds per second.

--with: default is the first that is installed. strace stops the process at each call: it counts
right, but the rates are then its own; it needs --pid.

Exit status: 0, or 2 after an error.
"""
SIZES_HZ = 997  # With perf, about so many recv and send a second are looked at.
TOOLS = {"bpftrace": "bpftrace", "perf": "linux-perf", "strace": "strace"}
# What is counted by name. All would be hundreds of probes, and with perf hundreds of counters for each
# thread; perf trace, which has all names, makes a busy server several times slower.
COUNTED = (
    "recvfrom sendto epoll_wait epoll_pwait epoll_pwait2 epoll_ctl accept4 close read write readv writev recvmsg "
    "sendmsg recvmmsg sendmmsg sendfile64 poll ppoll futex sched_yield clock_nanosleep io_uring_enter getsockopt "
    "setsockopt shutdown mmap munmap madvise mprotect"
).split()
CALLS_MAX = 20
BAR = 40
KINDS = ("NET_RX", "NET_TX", "TIMER", "SCHED")
DIRECTIONS = {"recvfrom": "recv", "sendto": "send"}


class Traced:
    """Counts by name, and by direction and size."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.sizes: dict[str, dict[int, int]] = {"recv": {}, "send": {}}

    def call(self, name: str, count: int = 1) -> None:
        self.calls[name] = self.calls.get(name, 0) + count

    def size(self, direction: str, size: int, count: int = 1) -> None:
        if size > 0:
            self.sizes[direction][size] = self.sizes[direction].get(size, 0) + count

    def others(self, total: Optional[int]) -> None:
        named = sum(self.calls.values())
        if total is not None and total > named:
            self.calls["(others)"] = total - named


def known_calls(listing: str) -> list[str]:
    """Not every kernel has every one."""
    there = set(re.findall(r"sys_enter_([a-z0-9_]+)", listing))
    return [name for name in COUNTED if name in there]


def with_bpftrace(pid: str, seconds: int) -> Traced:
    only = f"/@on{f' && pid == {pid}' if pid else ''}/"
    lines = []
    for name in known_calls(output_of(["bpftrace", "-l", "tracepoint:syscalls:sys_enter_*"])):
        lines.append(f'tracepoint:syscalls:sys_enter_{name} {only} {{ @calls["{name}"] = count(); }}')
    lines.append(f"tracepoint:raw_syscalls:sys_enter {only} {{ @all = count(); }}")
    for name, direction in DIRECTIONS.items():
        counted = f"if (args->ret > 0) {{ @{direction}[args->ret] = count(); }}"
        lines.append(f"tracepoint:syscalls:sys_exit_{name} {only} {{ {counted} }}")
    # Probes are attached one after another; counting begins when all are.
    lines.append(f"interval:s:1 {{ @tick++; @on = @tick <= {seconds} ? 1 : 0; if (@tick > {seconds}) {{ exit(); }} }}")
    with tempfile.TemporaryDirectory() as scratch:
        with open(f"{scratch}/trace.bt", "w") as file:
            file.write("\n".join(lines) + "\n")
        words = ["bpftrace", "-q", f"{scratch}/trace.bt"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"bpftrace: {last_line(done.stderr)}; try --with perf")
    return parse_bpftrace(done.stdout)


def parse_bpftrace(text: str) -> Traced:
    traced = Traced()
    for name, count in re.findall(r"^@calls\[([a-z0-9_]*)\]: ([0-9]+)$", text, re.M):
        traced.call(name, int(count))
    for direction, size, count in re.findall(r"^@(recv|send)\[([0-9]+)\]: ([0-9]+)$", text, re.M):
        traced.size(direction, int(size), int(count))
    total = re.search(r"^@all: ([0-9]+)$", text, re.M)
    traced.others(int(total.group(1)) if total else None)
    return traced


def with_perf(pid: str, seconds: int) -> Traced:
    target = ["-p", pid] if pid else ["-a"]
    events = ["-e", "raw_syscalls:sys_enter"]
    for name in known_calls(output_of(["perf", "list", "syscalls:sys_enter_*"])):
        events += ["-e", f"syscalls:sys_enter_{name}"]
    with tempfile.TemporaryDirectory() as scratch:
        sizes_of = [word for name in DIRECTIONS for word in ("-e", f"syscalls:sys_exit_{name}")]
        record = ["perf", "record", "-q", "-F", str(SIZES_HZ), *sizes_of, *target, "-o", f"{scratch}/sizes.data"]
        recording = subprocess.Popen([*record, "--", "sleep", str(seconds)], stderr=subprocess.PIPE, text=True)
        try:
            words = ["perf", "stat", "-x,", *events, *target, "-o", f"{scratch}/stat", "--", "sleep", str(seconds)]
            done = subprocess.run(words, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                said = " ".join(line for line in done.stderr.split("\n")[:2] if line)
                fail(f"perf stat: {said}")
            _, errors = recording.communicate()
        finally:
            if recording.poll() is None:
                recording.send_signal(signal.SIGINT)
        sizes = output_of(["perf", "script", "-i", f"{scratch}/sizes.data", "-F", "event,trace"])
        if recording.returncode != 0:
            say(f"note: no sizes: {last_line(errors)}")
        return parse_perf(text_of(f"{scratch}/stat"), sizes)


def parse_perf(stat: str, sizes: str) -> Traced:
    traced, total = Traced(), None
    for line in stat.split("\n"):
        fields = line.split(",")
        if len(fields) < 3 or not fields[0].isdigit():
            continue
        if fields[2] == "raw_syscalls:sys_enter":
            total = int(fields[0])
        elif fields[2].startswith("syscalls:sys_enter_") and int(fields[0]):
            traced.call(fields[2][len("syscalls:sys_enter_") :], int(fields[0]))
    traced.others(total)
    # As the kernel prints it: hexadecimal, without a sign; longer than eight digits is a negative errno.
    for name, value in re.findall(r"sys_exit_(recvfrom|sendto).*?0x([0-9a-f]+) *$", sizes, re.M):
        if len(value) <= 8:
            traced.size(DIRECTIONS[name], int(value, 16))
    return traced


def with_strace(pid: str, seconds: int) -> Traced:
    with tempfile.TemporaryDirectory() as scratch:
        words = ["timeout", "--signal=INT", str(seconds), "strace", "-f", "-q", "-p", pid, "-e", "signal=none"]
        done = subprocess.run([*words, "-o", f"{scratch}/strace"], stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 124):
            fail(f"strace: {last_line(done.stderr)}")
        return parse_strace(text_of(f"{scratch}/strace"))


def parse_strace(text: str) -> Traced:
    traced = Traced()
    for line in text.split("\n"):
        begun = re.match(r"[0-9]+ +([a-z_0-9]+)\(", line)
        resumed = re.search(r"<\.\.\. ([a-z_0-9]+) resumed>", line)
        if begun:
            traced.call(begun.group(1))
        name = (begun or resumed).group(1) if begun or resumed else ""  # type: ignore[union-attr]
        returned = re.search(r"= ([0-9]+)\Z", line)
        if name in DIRECTIONS and returned:
            traced.size(DIRECTIONS[name], int(returned.group(1)))
    return traced


def histogram(sizes: dict[int, int]) -> list[str]:
    """A line for each power of two; exact where it holds one size only."""
    if not sizes:
        return ["      none"]
    buckets: dict[int, list[int]] = {}
    for size in sorted(sizes):
        buckets.setdefault(1 << (size.bit_length() - 1), []).append(size)
    counts = {low: sum(sizes[size] for size in within) for low, within in buckets.items()}
    most = max(counts.values())
    lines = []
    for low, within in buckets.items():
        name = str(within[0]) if len(within) == 1 else f"{low}-{low * 2 - 1}"
        bar = "#" * -(-counts[low] * BAR // most)
        lines.append(f"{name:>12}  {counts[low]:>10}  {bar}")
    return lines


def cpu_shares(stats: "tuple[str, str]", softirqs: "tuple[str, str]", hertz: int) -> list[dict[str, Any]]:
    """Each CPU's time in shares, and its softirqs a second. The CPU's own time is the clock: its ticks are
    all of those that passed."""
    ticks = [{cpu: [int(word) for word in rest.split()][:8] for cpu, rest in ticks_of(text)} for text in stats]
    counts = [softirqs_of(text) for text in softirqs]
    rows = []
    for cpu, early in ticks[0].items():
        passed = [late - before for before, late in zip(early, ticks[1].get(cpu, early))]
        total = sum(passed) or 1
        user, nice, system, idle, wait, irq, softirq, steal = passed
        parts = {
            "user": user + nice,
            "kernel": system,
            "irq": irq,
            "softirq": softirq,
            "steal": steal,
            "idle": idle + wait,
        }
        row: dict[str, Any] = {"cpu": int(cpu), **{name: part * 100 / total for name, part in parts.items()}}
        for kind in KINDS:
            delta = counts[1].get((kind, cpu), 0) - counts[0].get((kind, cpu), 0)
            row[kind] = int(delta * hertz / total)
        rows.append(row)
    return rows


def ticks_of(text: str) -> "list[tuple[str, str]]":
    return re.findall(r"^cpu([0-9]+)((?: +[0-9]+)+)", text, re.M)


def softirqs_of(text: str) -> "dict[tuple[str, str], int]":
    lines = text.split("\n")
    columns = [word[3:] for word in lines[0].split()]
    found = {}
    for line in lines[1:]:
        kind, _, rest = line.strip().partition(":")
        found.update({(kind, cpu): int(word) for cpu, word in zip(columns, rest.split())})
    return found


def show(traced: Traced, rows: list[dict[str, Any]], what: str, seconds: int, tool: str) -> None:
    print(f"system calls per second, {what}, {seconds} s, by {tool}")
    ordered = sorted(traced.calls.items(), key=lambda entry: (-entry[1], entry[0]))
    for name, count in ordered[:CALLS_MAX]:
        print(f"{count / seconds:12.1f}  {name}")
    print(f"{sum(traced.calls.values()) / seconds:12.1f}  all")
    for direction, sizes in traced.sizes.items():
        print(f"\nbytes that {direction} returned{' (a sample)' if tool == 'perf' else ''}")
        print("\n".join(histogram(sizes)))
    heads = " ".join(kind.rjust(8) for kind in KINDS)
    print(f"\nCPU    user  kernel     irq softirq   steal    idle {heads}  (shares; softirqs a second)")
    for row in rows:
        shares = " ".join(f"{row[name]:5.1f} %" for name in ("user", "kernel", "irq", "softirq", "steal", "idle"))
        print(f"{row['cpu']:>3} {shares} " + " ".join(f"{row[kind]:>8}" for kind in KINDS))


def main(words: list[str]) -> int:
    arguments = Arguments("trace", USAGE, words, ("--json",), ("--pid", "--seconds", "--with"))
    if arguments.rest:
        fail(f"{arguments.rest[0]}: no such option; see tune trace --help")
    pid = str(arguments.number("--pid", 1)) if "--pid" in arguments.values else ""
    seconds, tool = arguments.number("--seconds", 5), arguments.text("--with")
    if tool and tool not in TOOLS:
        fail(f"--with {tool}: bpftrace, perf or strace")
    if pid and not os.path.isdir(f"/proc/{pid}"):
        fail(f"--pid {pid}: no such process")
    tool = tool or next((name for name in TOOLS if shutil.which(name)), "")
    if not tool:
        fail("missing: bpftrace, perf (Debian package linux-perf) or strace")
    need((tool, TOOLS[tool]))
    if tool == "strace" and not pid:
        fail("strace needs --pid")
    common.watch_signals()
    early = text_of("/proc/stat"), text_of("/proc/softirqs")
    traced = {"bpftrace": with_bpftrace, "perf": with_perf, "strace": with_strace}[tool](pid, seconds)
    late = text_of("/proc/stat"), text_of("/proc/softirqs")
    rows = cpu_shares((early[0], late[0]), (early[1], late[1]), os.sysconf("SC_CLK_TCK"))
    what = f"process {pid}" if pid else "whole system"
    if "--json" in arguments.flags:
        document = {
            "what": what,
            "seconds": seconds,
            "with": tool,
            "calls": traced.calls,
            "sizes": traced.sizes,
            "cpus": rows,
        }
        print(json.dumps(document))
    else:
        show(traced, rows, what, seconds, tool)
    return 0


def program() -> None:
    common.program("trace", main)
