"""profile: where the CPU time goes, as a flame graph."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time

from measuring import common, flame
from measuring.common import Arguments, last_line, need, output_of, say, text_of
from output import fail

USAGE = """Usage: tune profile [--pid PID] [OPTIONS]

Samples stacks on the CPU, of a process or of the whole system, with Java frames (by the JVM's
Compiler.perfmap) and the kernel's; draws a flame graph and prints the busiest functions.

  --pid PID         Only this process. Default: the whole system.
  --seconds N       Default: 10.
  --frequency HZ    Samples a second of each CPU. Default: 499.
  --svg FILE        Default: tune-profile.svg.
  --folded FILE     Also write the stacks, one a line, with their counts.
  --json            The stacks and their counts as JSON instead of the busiest functions.
  --script FILE     Instead of sampling: the output of
                    perf script -F comm,pid,tid,ip,sym,dso

Java frames need -XX:+PreserveFramePointer (1 to 2 % slower); without it stacks end at the first
Java frame. Stacks through the C library end there too where it is built without frame pointers.

Exit status: 0, or 2 after an error.
"""
JCMD_SECONDS = 20
FIELDS = "comm,pid,tid,ip,sym,dso"


def jcmd_of(pid: int) -> str:
    """The JVM's own, for it is sure to understand it; else the one on PATH."""
    try:
        beside = os.path.join(os.path.dirname(os.readlink(f"/proc/{pid}/exe")), "jcmd")
    except OSError:
        beside = ""
    return beside if os.access(beside, os.X_OK) else shutil.which("jcmd") or ""


def write_perf_map(pid: int) -> str:
    """The file where perf looks for the names of compiled code; '' where the JVM does not write one."""
    jcmd = jcmd_of(pid)
    if not jcmd:
        say(f"note: no jcmd for process {pid} (Debian package openjdk-25-jdk-headless): its Java frames stay numbers")
        return ""
    asked = ["timeout", str(JCMD_SECONDS), jcmd, str(pid)]
    done = subprocess.run([*asked, "Compiler.perfmap"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        say(f"note: no Java names of process {pid}: {last_line(done.stdout)}")
        return ""
    if "+PreserveFramePointer" not in output_of([*asked, "VM.flags"]):
        say(f"note: process {pid} runs without -XX:+PreserveFramePointer: stacks end at the first Java frame")
    return f"/tmp/perf-{pid}.map"


def sample(pid: str, seconds: int, frequency: int) -> str:
    """What perf script says."""
    need(("perf", "linux-perf"))
    if pid and not os.path.isdir(f"/proc/{pid}"):
        fail(f"--pid {pid}: no such process")
    target = ["-p", pid] if pid else ["-a"]
    maps = []
    with tempfile.TemporaryDirectory() as scratch:
        say(f"sampling for {seconds} s")
        data = ["-o", f"{scratch}/data"]
        words = ["perf", "record", "-q", "-F", str(frequency), "-g", *target, *data, "--", "sleep", str(seconds)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            paranoid = text_of("/proc/sys/kernel/perf_event_paranoid").strip()
            said = " ".join(line for line in done.stdout.split("\n")[:3] if line)
            fail(f"perf record: {said} (kernel.perf_event_paranoid is {paranoid}; root may always)")
        try:
            # After the run, when the hot code has its final place; only those that were on the CPU.
            seen = output_of(["perf", "script", "-i", f"{scratch}/data", "-F", "pid"]).split()
            for number in sorted({int(word) for word in seen if word.isdigit()}):
                if text_of(f"/proc/{number}/comm").strip() == "java":
                    maps.append(write_perf_map(number))
            words = ["perf", "script", "-i", f"{scratch}/data", "-F", FIELDS]
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
            if done.returncode != 0:
                fail(f"perf script: {last_line(done.stderr)}")
            return done.stdout
        finally:
            for path in maps:
                if path and os.path.exists(path):
                    os.unlink(path)


def main(words: list[str]) -> int:
    values = ("--pid", "--seconds", "--frequency", "--svg", "--folded", "--script")
    arguments = Arguments("profile", USAGE, words, ("--json",), values)
    if arguments.rest:
        fail(f"{arguments.rest[0]}: no such option; see tune profile --help")
    pid = str(arguments.number("--pid", 1)) if "--pid" in arguments.values else ""
    seconds, frequency = arguments.number("--seconds", 10), arguments.number("--frequency", 499)
    common.watch_signals()
    path = arguments.text("--script")
    if path:
        try:
            with open(path, errors="replace") as file:
                script = file.read()
        except OSError as error:
            fail(f"--script {path}: cannot be read: {error.strerror}")
    else:
        script = sample(pid, seconds, frequency)
    counts = flame.fold(script)
    if not counts:
        fail("no samples: was anything running?")
    what = path or (f"process {pid}" if pid else "whole system")
    when = f"{time.strftime('%Y-%m-%dT%H:%MZ', time.gmtime())}, Linux {os.uname().release}"
    svg = arguments.text("--svg", "tune-profile.svg")
    common.write_whole(svg, flame.draw(counts, f"On-CPU time: {what}", when))
    if arguments.text("--folded"):
        common.write_whole(arguments.text("--folded"), flame.folded_text(counts))
    if "--json" in arguments.flags:
        stacks = [{"stack": list(stack), "samples": count} for stack, count in sorted(counts.items())]
        print(json.dumps({"what": what, "when": when, "stacks": stacks}))
    else:
        print(flame.busiest(counts))
    say(f"written: {svg}")
    return 0


def program() -> None:
    common.program("profile", main)
