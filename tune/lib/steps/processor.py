"""Step 11: the CPUs under the workers.

A CPU that clocks down or sleeps deeply answers the next request later. The article's machine offered
none of this to its guest; a server of one's own does.
"""

from __future__ import annotations

import re
from typing import Iterator

import cpus
from definitions import CLOCK, ENERGY, GOVERNOR, PAGES, SLEEP_STATE, TIMERS, WORKQUEUES
from knobs import Context, Knob

BASE = "/sys/devices/system/cpu"
CLOCKS = "/sys/devices/system/clocksource/clocksource0"
# What the driver says that it can be set to, in a file beside it.
OFFERED = ((GOVERNOR, "scaling_available_governors"), (ENERGY, "energy_performance_available_preferences"))
WITHOUT_SYSTEM_CALL = ("kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page")
SLEEP_US_MAX = 20  # A sleep state that takes longer to wake from is left out.


def declare(context: Context) -> Iterator[Knob]:
    yield from frequency(context)
    yield from sleep_states(context)
    yield from clock(context)
    yield from pages(context)
    yield context.knob(TIMERS, why="timers stay where they were set")
    yield from workqueues(context)


def frequency(context: Context) -> Iterator[Knob]:
    system, found = context.host.system, False
    for cpu in context.host.cpus:
        for definition, choices in OFFERED:
            knob = context.knob(definition, cpu=cpu)
            offered = system.line(f"{BASE}/cpu{cpu}/cpufreq/{choices}").split()
            if system.exists(knob.argument) and (not offered or knob.target in offered):
                found = True
                yield knob
    if not found:
        yield context.missing("governor", "performance", "no frequency to set here: a virtual machine, or no driver")


def sleep_states(context: Context) -> Iterator[Knob]:
    system, found = context.host.system, False
    for cpu in context.host.cpus:
        for directory in system.glob(f"{BASE}/cpu{cpu}/cpuidle/state[0-9]*"):
            latency = system.line(f"{directory}/latency")
            if latency.isdigit() and int(latency) > SLEEP_US_MAX:
                found = True
                state = re.sub(r".*/", "", directory)
                why = f"{system.line(directory + '/name') or state}: {latency} us to wake"
                yield context.knob(SLEEP_STATE, cpu=cpu, state=state, why=why)
    if not found:
        why = f"no sleep state takes longer than {SLEEP_US_MAX} us to wake from, or the hypervisor has them"
        yield context.fact("sleep states", "", f"at most {SLEEP_US_MAX} us", "applied", why)


def clock(context: Context) -> Iterator[Knob]:
    offered = context.host.system.line(f"{CLOCKS}/available_clocksource").split()
    now = context.host.system.line(f"{CLOCKS}/current_clocksource")
    if "tsc" in offered:
        yield context.knob(CLOCK)
    elif now:
        if now in WITHOUT_SYSTEM_CALL:
            yield context.fact("clocksource", now, "tsc", "applied", "read without a system call")
        else:
            yield context.fact("clocksource", now, "tsc", "differs", "each look at the clock is a system call here")


def pages(context: Context) -> Iterator[Knob]:
    """always is as good, for the heap; never takes the JVM's -XX:+UseTransparentHugePages away."""
    reading = context.read("choice", PAGES.argument)
    if not reading:
        yield context.missing("huge pages", "madvise", "this kernel has no transparent huge pages")
        return
    target = PAGES.target if reading.value == "never" else reading.value
    yield context.knob(PAGES, target=target, why="for a heap that asks for them")


def workqueues(context: Context) -> Iterator[Knob]:
    """The kernel's unbound work on the CPUs that have no worker, where there are such."""
    host = context.host
    online = cpus.parse(host.system.line(f"{BASE}/online")) or []
    rest = [cpu for cpu in online if cpu not in host.cpus]
    if rest and host.system.exists(WORKQUEUES.argument):
        why = "the kernel's own work beside the workers"
        yield context.knob(WORKQUEUES, target=cpus.mask(rest), why=why)
