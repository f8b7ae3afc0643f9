"""One timed window: the counters before and after, as figures, and whether they count."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Optional

USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL = range(8)  # The columns of /proc/stat.
LATENCIES = ("mean", "p50", "p90", "p99", "p999", "max")
BUSY = 0.9  # A client so busy is itself the limit.

Stat = dict[int, list[int]]


@dataclass
class Counters:
    """Of the server's machine at one moment."""

    user: int = 0
    system: int = 0
    stat: Stat = field(default_factory=dict)
    busy_poll: int = 0
    tx_dropped: int = 0
    allowance: int = 0
    gc: int = 0
    allocated: Optional[int] = None


@dataclass
class Setting:
    """What a window is judged by."""

    server_cpus: list[int]
    client_cpus: list[int]
    hertz: int
    connections: int
    threads: int
    response_bytes: int
    steal_max: int
    tolerance: int


def parse_stat(text: str, prefix: str = "") -> Stat:
    found = {}
    for cpu, rest in re.findall(rf"^{prefix}cpu([0-9]+)((?: +[0-9]+)+)", text, re.M):
        found[int(cpu)] = [int(word) for word in rest.split()][:8]
    return found


@dataclass
class Ticks:
    total: int = 0
    busy: int = 0
    softirq: int = 0
    steal: int = 0

    def share(self, part: int) -> float:
        return part / self.total if self.total > 0 else 0.0


def sum_ticks(before: Stat, after: Stat, cpus: list[int]) -> Ticks:
    ticks = Ticks()
    for cpu in cpus:
        if cpu not in before or cpu not in after:
            continue
        delta = [late - early for early, late in zip(before[cpu], after[cpu])]
        ticks.total += sum(delta)
        ticks.busy += delta[USER] + delta[NICE] + delta[SYSTEM] + delta[IRQ] + delta[SOFTIRQ]
        ticks.softirq += delta[IRQ] + delta[SOFTIRQ]
        ticks.steal += delta[STEAL]
    return ticks


class Window:
    """Figures in the order in which they stand in the results."""

    def __init__(self, step: int, label: str, round_: int, try_: int) -> None:
        self.figures: dict[str, Any] = {"step": step, "label": label, "round": round_, "try": try_}
        self.void: list[str] = []  # Why it does not count.
        self.flags: list[str] = []

    def finish(self) -> dict[str, Any]:
        clean = [re.sub(r"[\x00-\x1f]", " ", text).replace('"', "'") for text in self.void]
        self.figures["valid"] = not self.void
        self.figures["reason"] = "; ".join(clean)
        self.figures["flags"] = "; ".join(self.flags)
        return self.figures


def judge(
    window: Window,
    load: dict[str, float],
    stats: tuple[Stat, Stat],
    before: Counters,
    after: Counters,
    setting: Setting,
    failure: str,
) -> dict[str, Any]:
    requests = int(load.get("requests", 0))
    if failure:
        window.void.append(failure)
    elif not requests:
        window.void.append("no request was answered")
    kinds = ("connect_errors", "read_errors", "write_errors", "timeouts")
    errors = [int(load.get(kind, 0)) for kind in kinds]
    if sum(errors):
        names = "connect {}, read {}, write {}, timeout {}".format(*errors)
        window.void.append(f"socket errors: {names}")
    if load.get("status_errors", 0) > 0:
        window.void.append(f"{int(load['status_errors'])} responses were not 2xx or 3xx")
    if requests:
        figures(window, load, stats, before, after, setting, requests)
    window.figures["socket_errors"] = sum(errors)
    window.figures["status_errors"] = int(load.get("status_errors", 0))
    return window.finish()


def figures(
    window: Window,
    load: dict[str, float],
    stats: tuple[Stat, Stat],
    before: Counters,
    after: Counters,
    setting: Setting,
    requests: int,
) -> None:
    put, void, flags = window.figures, window.void, window.flags
    seconds = load["us"] / 1e6
    rate = requests / seconds
    put["requests"], put["seconds"], put["rps"] = requests, round(seconds, 6), round(rate, 1)
    for name in LATENCIES:
        value = load.get(f"{name}_us", -1)
        put[f"{name}_us"] = None if value < 0 else round(value, 1)

    # The bytes that wrk saw belong to the responses that were checked.
    each = load["bytes"] / requests
    put["response_bytes"] = round(each, 2)
    if not setting.response_bytes * 0.99 <= each <= setting.response_bytes * 1.01:
        void.append(f"{each:.1f} bytes per response instead of {setting.response_bytes}")

    user, kernel = after.user - before.user, after.system - before.system
    per = 1e6 / setting.hertz / requests
    put["cpu_us"], put["user_us"], put["system_us"] = (
        round((user + kernel) * per, 4),
        round(user * per, 4),
        round(kernel * per, 4),
    )
    # Time of the server's CPUs that was not idle: with the softirqs and kernel threads that work for
    # the server, and with whatever else ran there.
    server = sum_ticks(before.stat, after.stat, setting.server_cpus)
    put["busy_us"], put["softirq_us"] = round(server.busy * per, 4), round(server.softirq * per, 4)
    put["softirq_share"] = round(server.share(server.softirq), 4)
    put["server_share"] = round((user + kernel) / setting.hertz / seconds / len(setting.server_cpus), 4)
    client = sum_ticks(*stats, setting.client_cpus)
    client_share, wrk_share = client.share(client.busy), load["wrk_cpu_s"] / seconds / setting.threads
    put["client_share"], put["wrk_share"] = round(client_share, 4), round(wrk_share, 4)
    stolen = max(server.share(server.steal), client.share(client.steal))
    put["steal_share"] = round(stolen, 4)
    if stolen * 100 > setting.steal_max:
        void.append(f"steal {stolen * 100:.1f} % is above {setting.steal_max} %")

    little(window, load, rate, setting)
    limit = client_share > BUSY or wrk_share > BUSY
    put["lower_bound"] = limit
    if limit:
        flags.append(f"lower bound: the client was busy (CPUs {client_share * 100:.0f} %, wrk {wrk_share * 100:.0f} %)")

    put["gc"] = after.gc - before.gc
    known = before.allocated is not None and after.allocated is not None
    put["allocated"] = (after.allocated or 0) - (before.allocated or 0) if known else None
    if put["gc"] > 0:
        flags.append(f"{put['gc']} collections in the window")
    put["busy_poll_packets"] = after.busy_poll - before.busy_poll
    put["tx_dropped"] = after.tx_dropped - before.tx_dropped
    if put["tx_dropped"] > 0:
        flags.append(f"{put['tx_dropped']} packets dropped at transmit")
    if after.allowance > before.allowance:
        void.append("the instance's network allowance was exceeded (ethtool -S)")


def little(window: Window, load: dict[str, float], rate: float, setting: Setting) -> None:
    """connections = rate x mean latency. What is missing are requests that waited inside the client
    before they were sent."""
    if load.get("mean_us", -1) < 0:
        window.figures["in_flight"] = None
        window.flags.append("Little's law not checked: latencies too many to read")
        return
    flying = rate * load["mean_us"] / 1e6
    window.figures["in_flight"] = round(flying, 2)
    off = flying / setting.connections - 1
    if abs(off) * 100 > setting.tolerance:
        why = ": the rest waited in the client, latencies are too low" if off < 0 else ""
        what = f"rate x mean latency = {flying:.0f}, not {setting.connections} connections"
        window.flags.append(f"Little's law: {what}{why}")
