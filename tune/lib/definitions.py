"""Every knob, one record each: what is the same on every host.

A record says which kind of knob it is, and so how it is read, written, compared, proven and undone;
what it shall be, what it risks, why it is set, and which Linux has it. A step (steps/) says which of
them this host has, and fills in what is in braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

import article
import kinds
from kinds import EMPTY, Kind

Version = tuple[int, int]
ALWAYS: Version = (0, 0)

# Risks.
SECURITY, CONNECTIVITY, GLOBAL, CPU_COST, LAB = "security", "connectivity", "global", "cpu-cost", "lab"


@dataclass(frozen=True)
class Definition:
    step: int
    name: str  # Where a host has several devices, the device stands before it.
    kind: type[Kind]
    argument: str  # Of its kind.
    target: str = ""  # '' where it follows from the host.
    risks: tuple[str, ...] = ()
    why: str = ""
    since: Version = ALWAYS

    @property
    def gain(self) -> str:
        """The article's, of the whole step."""
        return article.gain(self.step)

    @property
    def proof(self) -> str:
        """How it is proven, before the first write, that the original can be put back."""
        return self.kind.proven_by or f"none: {self.kind.unproven}"

    @property
    def since_text(self) -> str:
        return ".".join(map(str, self.since))

    @property
    def pattern(self) -> "re.Pattern[str]":
        """Of the names that it has on hosts."""
        parts = re.split(r"\{[a-z]+\}", self.name)
        return re.compile(r"(?:[^:/]+:)?" + ".*".join(map(re.escape, parts)) + r"\Z")


NOFILE_MIN = 1048576
SOCKET_BUFFER = 16777216  # 16 MB, for bodies over long ways; small responses never need it.
TX_USECS = "256"  # Derived scripts; the article has it in its template.
STATIC_USECS = "300"  # The article; 256 in its author's report to the driver.
# As published with the IRQ suspension patches: suspend20, in ns.
DEFERRED_IRQS, FLUSH_NANOS, SUSPEND_NANOS = "100", "20000", "20000000"

NET = "/sys/class/net/{device}"
CPU = "/sys/devices/system/cpu/cpu{cpu}"
CLOCK_PATH = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
PAGES_PATH = "/sys/kernel/mm/transparent_hugepage/enabled"
WORKQUEUES_PATH = "/sys/devices/virtual/workqueue/cpumask"

WRITES_RULES = "it writes rules whenever it likes"
HOOKS = "each packet walks the hooks that have rules"
NOTHING_TO_COALESCE = "small requests have nothing to coalesce"
STATIC = "static moderation spares the bookkeeping"
LONG_WAYS = "what a socket may ask for, for bodies over long ways"
GROWTH = "what a connection may grow to, for bodies over long ways"
ANSWERS_LATER = "a CPU that clocks down answers the next request later"


def sysctl(step: int, name: str, target: str, *risks: str, why: str, since: Version = ALWAYS) -> Definition:
    return Definition(step, name, kinds.Sysctl, name, target, risks, why, since)


def coalesce(step: int, name: str, target: str, *risks: str, why: str) -> Definition:
    return Definition(step, name, kinds.Coalesce, "{device} " + name, target, risks, why)


def feature(name: str, since: Version = ALWAYS) -> Definition:
    return Definition(9, name, kinds.Feature, "{device} " + name, "off", (LAB,), NOTHING_TO_COALESCE, since)


# 1 application
NOFILE = Definition(1, "nofile", kinds.Prlimit, "{pid} {started}", why="each connection is a descriptor")

# 2 mitigations
COMMAND_LINE = Definition(
    2,
    "kernel command line",
    kinds.Bootline,
    "{place}",
    risks=(SECURITY, GLOBAL),
    why="a system call stops paying for speculation",
)

# 3 audit
AUDIT_RULE = Definition(
    3,
    "never,task",
    kinds.Audit,
    "never,task",
    "present",
    (SECURITY, GLOBAL),
    "a system call of a task that is not audited does no work for it",
)

# 4 netfilter
OF_FIREWALL = (SECURITY, CONNECTIVITY)
FIREWALLD = Definition(
    4, "firewalld", kinds.Service, "firewalld.service", "stopped", (*OF_FIREWALL, GLOBAL), WRITES_RULES
)
UFW = Definition(4, "ufw", kinds.Service, "ufw.service", "stopped", (*OF_FIREWALL, GLOBAL), WRITES_RULES)
RULESET = Definition(4, "nft ruleset", kinds.Nft, "ruleset", EMPTY, OF_FIREWALL, HOOKS, (3, 13))
LEGACY_RULES = Definition(4, "legacy {family}tables", kinds.Iptables, "{family}", EMPTY, OF_FIREWALL, HOOKS)
TABLE_MODULE = Definition(
    4,
    "{family}table_{table}",
    kinds.Module,
    "{family}table_{table}",
    "absent",
    (*OF_FIREWALL, GLOBAL),
    "a table keeps its hooks as long as its module is loaded",
)

# 5 locality
QUEUES = Definition(5, "queues", kinds.Channels, "{device}", why="a queue for each worker")
IRQBALANCE = Definition(
    5,
    "irqbalance",
    kinds.Service,
    "irqbalance.service",
    "stopped",
    (GLOBAL, LAB),
    "it moves interrupts away from their workers",
)
INTERRUPT = Definition(
    5,
    "irq/{interrupt}",
    kinds.CpuList,
    "/proc/irq/{number}/smp_affinity_list",
    risks=(GLOBAL,),
    why="the CPU that serves a connection takes its interrupt",
)
XPS = Definition(
    5,
    "tx-{queue}/xps_cpus",
    kinds.Mask,
    NET + "/queues/tx-{queue}/xps_cpus",
    why="a response leaves by a queue of its own CPU, and its completion comes back there",
)
RPS = Definition(
    5,
    "rx-{queue}/rps_cpus",
    kinds.Mask,
    NET + "/queues/rx-{queue}/rps_cpus",
    why="with fewer queues than CPUs each queue feeds several; else it would be an interrupt more",
)

# 6 interrupts
ADAPTIVE_RX = coalesce(
    6, "adaptive-rx", "on", CPU_COST, why="the driver waits with its interrupt while packets keep coming"
)
TX_WAIT = coalesce(6, "tx-usecs", TX_USECS, why="completions wait for each other")
# The article's sysctl is busy_poll: it makes epoll_wait poll. Much advice names busy_read.
BUSY_POLL = sysctl(
    6,
    "net.core.busy_poll",
    "1",
    GLOBAL,
    CPU_COST,
    LAB,
    why="epoll_wait looks into the device before it sleeps",
    since=(3, 11),
)
BUSY_READ = sysctl(
    6, "net.core.busy_read", "1", GLOBAL, CPU_COST, LAB, why="the default of blocking reads", since=(3, 11)
)
DEFER_IRQS = Definition(
    6,
    "napi_defer_hard_irqs",
    kinds.File,
    NET + "/napi_defer_hard_irqs",
    DEFERRED_IRQS,
    (CPU_COST,),
    "the timer takes packets, not an interrupt",
    (5, 8),
)
FLUSH_TIMEOUT = Definition(
    6,
    "gro_flush_timeout",
    kinds.File,
    NET + "/gro_flush_timeout",
    FLUSH_NANOS,
    (CPU_COST,),
    "how long the timer waits, in ns",
    (3, 19),
)
SUSPEND = Definition(
    6,
    "napi-{number}/suspend",
    kinds.Napi,
    "{device} {number} irq-suspend-timeout",
    SUSPEND_NANOS,
    why="no interrupt while a worker is busy, and interrupts when it is idle",
    since=(6, 13),
)

# 7 listeners
ADDRESS = Definition(
    7,
    "address {address}",
    kinds.Lifetime,
    "{interface} {address}",
    "forever",
    (CONNECTIVITY,),
    "without its client a lease runs out",
)
DHCLIENT = Definition(
    7,
    "dhclient",
    kinds.Dhclient,
    "{interface}",
    "stopped",
    (CONNECTIVITY,),
    "each packet is shown to its socket, which filters it out",
)

# 8 qdisc
WITHOUT_LOCK = "a packet leaves without the lock of a queue"
NOQUEUE = Definition(8, "qdisc", kinds.Qdisc, "{device}", "noqueue", why=WITHOUT_LOCK)
# Global for a moment: the children of mq are made from net.core.default_qdisc.
MQ_NOQUEUE = Definition(8, "qdisc", kinds.Qdisc, "{device}", "mq noqueue", (GLOBAL,), WITHOUT_LOCK)

# 9 last
GRO = feature("gro")
FEATURES = (GRO, feature("rx-gro-hw", (4, 16)), feature("lro"))
CONGESTION = Definition(
    9,
    "tcp_congestion_control",
    kinds.Sysctl,
    "net.ipv4.tcp_congestion_control",
    "reno",
    (LAB,),
    "the cheapest, where nothing is congested",
)
STATIC_MODERATION = (
    coalesce(9, "adaptive-rx", "off", LAB, why=STATIC),
    coalesce(9, "rx-usecs", STATIC_USECS, LAB, why=STATIC),
    coalesce(9, "tx-usecs", STATIC_USECS, LAB, why=STATIC),
)

# 10 settings: the target is the least; a value that is larger already stays.
AT_LEAST = (
    sysctl(10, "net.core.rmem_max", str(SOCKET_BUFFER), why=LONG_WAYS),
    sysctl(10, "net.core.wmem_max", str(SOCKET_BUFFER), why=LONG_WAYS),
    sysctl(10, "net.ipv4.tcp_rmem", str(SOCKET_BUFFER), why=GROWTH),
    sysctl(10, "net.ipv4.tcp_wmem", str(SOCKET_BUFFER), why=GROWTH),
    # The server's --backlog; derived scripts have 2048.
    sysctl(10, "net.core.somaxconn", "4096", why="the most that a listener may keep waiting"),
    sysctl(10, "net.ipv4.tcp_max_syn_backlog", "10000", why="connections that are only begun"),
    sysctl(10, "fs.nr_open", str(NOFILE_MIN), GLOBAL, why="the most that the limit of open files may be"),
)

# 11 processor
GOVERNOR = Definition(
    11,
    "cpu{cpu}/scaling_governor",
    kinds.File,
    CPU + "/cpufreq/scaling_governor",
    "performance",
    (GLOBAL, CPU_COST),
    ANSWERS_LATER,
)
ENERGY = Definition(
    11,
    "cpu{cpu}/energy_performance_preference",
    kinds.File,
    CPU + "/cpufreq/energy_performance_preference",
    "performance",
    (GLOBAL, CPU_COST),
    ANSWERS_LATER,
)
SLEEP_STATE = Definition(
    11,
    "cpu{cpu}/{state}/disable",
    kinds.File,
    CPU + "/cpuidle/{state}/disable",
    "1",
    (GLOBAL, CPU_COST, LAB),
    "a CPU that sleeps deeply answers the next request later",
)
CLOCK = Definition(
    11, "clocksource", kinds.File, CLOCK_PATH, "tsc", (GLOBAL, LAB), "a look at the clock without a system call"
)
PAGES = Definition(
    11,
    "huge pages",
    kinds.Choice,
    PAGES_PATH,
    "madvise",
    (GLOBAL,),
    "fewer misses of the TLB, for a heap that asks for them",
)
TIMERS = sysctl(
    11,
    "kernel.timer_migration",
    "0",
    GLOBAL,
    why="the timers of idle CPUs move to the busy ones, which are the workers'",
)
WORKQUEUES = Definition(
    11,
    "workqueue CPUs",
    kinds.Mask,
    WORKQUEUES_PATH,
    risks=(GLOBAL,),
    why="the kernel's own work stays off the workers' CPUs",
)


def every() -> tuple[Definition, ...]:
    found: list[Definition] = []
    for value in globals().values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Definition) and one not in found:
                found.append(one)
    return tuple(found)


ALL = every()


@lru_cache(maxsize=None)
def find(step: int, name: str) -> Optional[Definition]:
    """By the name that it has on a host, such as a state file has it; none for what is only looked at."""
    return next((one for one in ALL if one.step == step and one.pattern.match(name)), None)
