"""Why each knob is set, and the Linux that has it: what is the same on every host."""

from __future__ import annotations

import fnmatch
from typing import NamedTuple

Version = tuple[int, int]
ALWAYS: Version = (0, 0)


class Why(NamedTuple):
    step: int
    pattern: str  # Of the knob's name, without its device.
    text: str
    since: Version = ALWAYS


ALL = (
    Why(1, "nofile", "each connection is a descriptor"),
    Why(2, "kernel command line", "a system call stops paying for speculation"),
    Why(3, "never,task", "a system call of a task that is not audited does no work for it"),
    Why(4, "firewalld", "it writes rules whenever it likes"),
    Why(4, "ufw", "it writes rules whenever it likes"),
    Why(4, "nft ruleset", "each packet walks the hooks that have rules", (3, 13)),
    Why(4, "legacy *", "each packet walks the hooks that have rules"),
    Why(4, "ip*table_*", "a table keeps its hooks as long as its module is loaded"),
    Why(5, "queues", "a queue for each worker"),
    Why(5, "irqbalance", "it moves interrupts away from their workers"),
    Why(5, "irq/*", "the CPU that serves a connection takes its interrupt"),
    Why(5, "tx-*", "a response leaves by a queue of its own CPU, and its completion comes back there"),
    Why(5, "rx-*", "with fewer queues than CPUs each queue feeds several; else it would be an interrupt more"),
    Why(6, "adaptive-rx", "the driver waits with its interrupt while packets keep coming"),
    Why(6, "tx-usecs", "completions wait for each other"),
    Why(6, "net.core.busy_poll", "epoll_wait looks into the device before it sleeps", (3, 11)),
    Why(6, "net.core.busy_read", "the default of blocking reads", (3, 11)),
    Why(6, "napi_defer_hard_irqs", "the timer takes packets, not an interrupt", (5, 8)),
    Why(6, "gro_flush_timeout", "how long the timer waits, in ns", (3, 19)),
    Why(6, "napi-*", "no interrupt while a worker is busy, and interrupts when it is idle", (6, 13)),
    Why(7, "address *", "without its client a lease runs out"),
    Why(7, "dhclient", "each packet is shown to its socket, which filters it out"),
    Why(8, "qdisc", "a packet leaves without the lock of a queue"),
    Why(9, "gro", "small requests have nothing to coalesce"),
    Why(9, "rx-gro-hw", "small requests have nothing to coalesce", (4, 16)),
    Why(9, "lro", "small requests have nothing to coalesce"),
    Why(9, "tcp_congestion_control", "the cheapest, where nothing is congested"),
    Why(9, "adaptive-rx", "static moderation spares the bookkeeping"),
    Why(9, "*-usecs", "static moderation spares the bookkeeping"),
    Why(10, "net.core.*mem_max", "what a socket may ask for, for bodies over long ways"),
    Why(10, "net.ipv4.tcp_?mem", "what a connection may grow to, for bodies over long ways"),
    Why(10, "net.core.somaxconn", "the most that a listener may keep waiting"),
    Why(10, "net.ipv4.tcp_max_syn_backlog", "connections that are only begun"),
    Why(10, "fs.nr_open", "the most that the limit of open files may be"),
    Why(11, "cpu*/scaling_governor", "a CPU that clocks down answers the next request later"),
    Why(11, "cpu*/energy_performance_preference", "a CPU that clocks down answers the next request later"),
    Why(11, "cpu*/state*", "a CPU that sleeps deeply answers the next request later"),
    Why(11, "clocksource", "a look at the clock without a system call"),
    Why(11, "huge pages", "fewer misses of the TLB, for a heap that asks for them"),
    Why(11, "kernel.timer_migration", "the timers of idle CPUs move to the busy ones, which are the workers'"),
    Why(11, "workqueue CPUs", "the kernel's own work stays off the workers' CPUs"),
)


def of(step: int, name: str) -> Why:
    """The entry of a knob; an empty one for what is only looked at."""
    bare = name.partition(":")[2] if ":" in name and not name.startswith("irq/") else name
    for entry in ALL:
        if entry.step == step and (
            fnmatch.fnmatchcase(bare, entry.pattern) or fnmatch.fnmatchcase(name, entry.pattern)
        ):
            return entry
    return Why(step, name, "")
