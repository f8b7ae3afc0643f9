"""The steps, in the article's order: each declares its knobs from what it finds."""

from __future__ import annotations

from knobs import Step
from steps import (
    application,
    audit,
    interrupts,
    last,
    listeners,
    locality,
    mitigations,
    netfilter,
    processor,
    qdisc,
    settings,
)

ALL = (
    Step(1, "application", "JVM flags, server options, open files", application.declare),
    Step(2, "mitigations", "speculative-execution mitigations off", mitigations.declare),
    Step(3, "audit", "no system call audit, no seccomp", audit.declare),
    Step(4, "netfilter", "no rules, no hooks", netfilter.declare),
    Step(5, "locality", "queues, IRQs, XPS, RPS and workers on the same CPUs", locality.declare),
    Step(6, "interrupts", "interrupt moderation, busy polling, IRQ suspension", interrupts.declare),
    Step(7, "listeners", "no packet sockets (dhclient)", listeners.declare),
    Step(8, "qdisc", "no qdisc lock", qdisc.declare),
    Step(9, "last", "GRO off, reno, static moderation", last.declare),
    Step(10, "settings", "socket buffers, backlogs, open files", settings.declare),
    Step(11, "processor", "governor, sleep states, clock, pages, timers", processor.declare),
)
BY_NUMBER = {step.number: step for step in ALL}
