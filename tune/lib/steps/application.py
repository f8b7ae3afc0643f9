"""Step 1: the application.

The article's gains came from using every CPU, from -O3 and from recv and send in place of read and
write; the server has those built in. What is left to its user are the JVM's flags, the number of
loops and the number of descriptors.
"""

from __future__ import annotations

import os
import re
from typing import Iterator

import cpus
import kinds
from definitions import NOFILE, NOFILE_MIN
from knobs import Context, Knob

JVM_OPTIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "jvm.options")
GIVE_PID = "give --pid to check a server"


def declare(context: Context) -> Iterator[Knob]:
    host, pid = context.host, context.host.options.pid
    wanted = f"java @{JVM_OPTIONS}"
    if not pid:
        yield context.fact("jvm.options", "", wanted, "unknown", GIVE_PID)
        yield context.fact("loops", "", f"one per CPU: {len(host.cpus)}", "unknown", GIVE_PID)
        yield context.fact("nofile", "", str(NOFILE_MIN), "unknown", GIVE_PID)
        return
    yield flags(context, pid, wanted)
    yield loops(context, pid)
    yield open_files(context, pid)


def flags(context: Context, pid: str, wanted: str) -> Knob:
    """The launcher expands @files and JDK_JAVA_OPTIONS by itself: both stay as they were typed."""
    system = context.host.system
    given = system.words(f"/proc/{pid}/cmdline")
    for entry in system.words(f"/proc/{pid}/environ"):
        if entry.startswith("JDK_JAVA_OPTIONS="):
            given += entry.partition("=")[2].split()
    with open(JVM_OPTIONS) as file:
        all_flags = [line.strip() for line in file if line.startswith("-")]
    by_file = any(re.match(r"@.*jvm\.options\Z", word) for word in given)
    absent = [] if by_file else [flag for flag in all_flags if flag not in given]
    if absent:
        why = f"missing: {' '.join(absent)}; start it with {wanted}"
        return context.fact("jvm.options", f"{len(all_flags)} flags, some missing", wanted, "differs", why)
    return context.fact("jvm.options", wanted, wanted, "applied")


def loop_threads(context: Context, pid: str) -> dict[int, str]:
    """Bareloop names its threads bareloop-0, bareloop-1, ... one per loop: their task directories."""
    found = {}
    for file in context.host.system.glob(f"/proc/{pid}/task/*/comm"):
        name = re.match(r"bareloop-([0-9]+)\Z", context.host.system.line(file))
        if name:
            found[int(name.group(1))] = os.path.dirname(file)
    return dict(sorted(found.items()))


def loops(context: Context, pid: str) -> Knob:
    count, wanted = len(loop_threads(context, pid)), len(context.host.cpus)
    if not count:
        return context.fact("loops", "0", str(wanted), "unsupported", f"process {pid} has no thread named bareloop-N")
    if count == wanted:
        return context.fact("loops", str(count), str(wanted), "applied", "one per CPU")
    why = f"start the server with --cpus {cpus.text(context.host.cpus)}"
    return context.fact("loops", str(count), str(wanted), "differs", why)


def open_files(context: Context, pid: str) -> Knob:
    system = context.host.system
    started = context.host.process_start(int(pid))
    found = kinds.Prlimit.LIMITS.search(system.text(f"/proc/{pid}/limits"))
    if not started or not found:
        return context.fact(
            "nofile", "", str(NOFILE_MIN), "unknown", f"limits of process {pid}: needs its user or root"
        )
    most = system.line("/proc/sys/fs/nr_open")
    # The kernel takes no more than nr_open; step 10 raises it.
    least = min(NOFILE_MIN, int(most)) if most.isdigit() else NOFILE_MIN
    limits = [word if word == "unlimited" else str(max(int(word), least)) for word in found.groups()]
    return context.knob(NOFILE, pid=pid, started=started, target=":".join(limits))
