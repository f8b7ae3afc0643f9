"""What polling does to interrupts: the same load without it, with it, and with IRQ suspension."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, Sequence

from lab.guest.boot import content, interrupts, tell
from lab.guest.served import Server, wait_until

NETDEV = "/opt/tune/libexec/netdev"
BEGIN_SECONDS_MAX, QUIET_SECONDS = 60, 3
PACKETS_MIN = 200  # Less is no load.
Tune = Callable[..., tuple[int, str]]


@dataclass(frozen=True)
class Mode:
    name: str
    busy_poll: str  # Of the server.
    knobs: Sequence[str] = ()  # Applied before it, on top of those of the modes before.


MICROS = "1000"  # As long as it may be: emulated, a request takes that long.
MODES = (
    Mode("no polling", "off"),
    Mode("epoll busy poll", MICROS),
    Mode("and deferred interrupts", MICROS, ("6/napi_defer_hard_irqs", "6/gro_flush_timeout")),
    Mode("and IRQ suspension", MICROS, ("6/napi-*",)),
)


@dataclass
class Counters:
    packets: int
    interrupts: int
    polled: int

    @staticmethod
    def of(device: str) -> "Counters":
        numbers = interrupts(device)
        rows = re.findall(r"^ *([0-9]+):((?: +[0-9]+)+)", content("/proc/interrupts"), re.M)
        count = sum(sum(map(int, counts.split())) for number, counts in rows if number in numbers)
        packets = int(content(f"/sys/class/net/{device}/statistics/rx_packets"))
        netstat = [line.split() for line in content("/proc/net/netstat").split("\n") if line.startswith("TcpExt:")]
        return Counters(packets, count, int(dict(zip(netstat[0], netstat[1])).get("BusyPollRxPackets", 0)))


def compare(device: str, tune: Tune, fault: Callable[[str], None]) -> None:
    for mode in MODES:
        if mode.knobs:
            status, said = tune("apply", *mode.knobs, "--accept", "global", "--keep-going")
            rows = re.findall(r"^  (applied|unsupported|differs|conflict) +(.*)", said, re.M)
            for state, row in rows:
                tell(f"{state} {re.sub(r'  +', '  ', row)}")
            if not any(state == "applied" for state, _ in rows):
                tell(f"{mode.name}: not to be had here (exit status {status})")
                continue
        load(device, mode, fault)
    told = subprocess.run([NETDEV, "get", device], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in told.stdout.splitlines():
        tell(line)
    tune("revert")


def load(device: str, mode: Mode, fault: Callable[[str], None]) -> None:
    with Server("--accept", "cbpf", "--busy-poll", mode.busy_poll) as server:
        if server.failure:
            tell(f"{mode.name}: not to be had here: {server.failure}")
            return
        before = Counters.of(device)
        tell(f"load: {mode.name}; {server.line('kernel')}")
        begun = wait_until(lambda: Counters.of(device).packets - before.packets >= PACKETS_MIN, BEGIN_SECONDS_MAX)
        if not begun:
            fault(f"{mode.name}: no load came")
            return
        after = until_quiet(device)
    packets, count = after.packets - before.packets, after.interrupts - before.interrupts
    tell(
        f"{mode.name}: {packets} packets received, {count} interrupts of the NIC "
        f"({packets / max(count, 1):.1f} packets each), {after.polled - before.polled} packets polled"
    )


def until_quiet(device: str) -> Counters:
    last = Counters.of(device)
    changed = time.monotonic()
    while time.monotonic() - changed < QUIET_SECONDS:
        time.sleep(0.5)
        now = Counters.of(device)
        if now.packets - last.packets > 2:  # A lone packet, such as ARP, is no load.
            changed = time.monotonic()
        last = now
    return last
