"""Step 3: no work per system call for the audit system, and no seccomp filter.

The rule never,task keeps new tasks out of auditing; a task that was there before keeps its audit
context, so the rule comes first and the server after.
"""

from __future__ import annotations

import calendar
import os
import re
import time
from typing import Iterator, Optional

from definitions import AUDIT_RULE
from knobs import Context, Knob
from steps.application import GIVE_PID


def declare(context: Context) -> Iterator[Knob]:
    pid = context.host.options.pid
    yield context.knob(AUDIT_RULE)
    after = "server started after"
    if not pid:
        yield context.fact("rule before server", "", after, "unknown", GIVE_PID)
        yield context.fact("seccomp", "", "0", "unknown", GIVE_PID)
        return
    order = rule_order(context, pid, after)
    if order:
        yield order
    yield seccomp(context, pid)


def seccomp(context: Context, pid: str) -> Knob:
    try:
        text = context.host.system.read(f"/proc/{pid}/status")
    except OSError as error:
        return context.fact("seccomp", "", "0", "unknown", error.strerror or str(error))
    found = re.search(r"^Seccomp:\s*([0-9]+)", text, re.M)
    mode = found.group(1) if found else "0"
    if mode == "0":
        return context.fact("seccomp", "0", "0", "applied")
    why = "start it without: docker run --security-opt seccomp=unconfined, no SystemCallFilter= in the unit"
    return context.fact("seccomp", mode, "0", "differs", why)


def rule_order(context: Context, pid: str, after: str) -> Optional[Knob]:
    """The audit system does not tell since when it has a rule; our own record does."""
    name, reading = "rule before server", context.read("audit", "never,task")
    if reading and reading.moot:
        return context.fact(name, "no rule needed", after, "applied", reading.moot)
    record = context.state.find(3, "audit", "never,task")
    if not context.state.records:
        return context.fact(name, "", after, "unknown", f"no record in {context.state.path}")
    if not record:
        return context.fact(name, "", after, "unknown", "the rule is not of our making")
    ticks = context.host.process_start(int(pid))
    if not ticks:
        return None
    added = calendar.timegm(time.strptime(record.time, "%Y-%m-%dT%H:%M:%SZ"))
    uptime = int(context.host.system.line("/proc/uptime").partition(".")[0] or 0)
    started = int(time.time()) - uptime + int(ticks) // os.sysconf("SC_CLK_TCK")
    if started >= added:
        return context.fact(name, after, after, "applied")
    why = "restart the server: its threads are audited as before"
    return context.fact(name, "server started before", after, "differs", why)
