"""The server under measurement: its options at each step, start, state, end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from typing import Optional, Sequence

from measuring.common import last_line, output_of, text_of
from measuring.window import Counters, parse_stat

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15  # The server itself drains for 10 s at most.
JCMD_SECONDS = 10
UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Server:
    def __init__(
        self, java: str, jar: str, jvm_options: str, port: int, cpus: str, netns: str, iface: str, scratch: str
    ) -> None:
        self.java, self.jar, self.jvm_options, self.port = java, jar, jvm_options, port
        self.cpus, self.netns, self.iface, self.scratch = cpus, netns, iface or "lo", scratch
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.pid = 0  # The JVM's own, by its banner.

    def inside(self, command: Sequence[str]) -> list[str]:
        """A command in the server's network namespace."""
        return [*(["ip", "netns", "exec", self.netns] if self.netns else []), *command]

    def command(self, steps: Sequence[int]) -> list[str]:
        """What the steps in force ask of the server. Pinned from the start (it cannot do otherwise); 5
        adds the filter, 6 its busy polling."""
        words = ["taskset", "-c", self.cpus, self.java]
        if 1 in steps and self.jvm_options:
            words.append("@" + self.jvm_options)
        # The log counts collections also where the JVM keeps no statistics (-XX:-UsePerfData).
        words += [
            f"-Xlog:gc:file={self.scratch}/gc.log",
            "-jar",
            self.jar,
            "--port",
            str(self.port),
            "--cpus",
            self.cpus,
        ]
        words += ["--accept", "cbpf" if 5 in steps else "reuseport"]
        return [*words, "--busy-poll", "auto" if 6 in steps else "off", "--idle-timeout", "600"]

    @property
    def said(self) -> str:
        return text_of(f"{self.scratch}/server.out")

    def start(self, steps: Sequence[int]) -> str:
        """The failure, or ''."""
        for name in ("server.out", "gc.log"):
            open(f"{self.scratch}/{name}", "w").close()
        with open(f"{self.scratch}/server.out", "wb") as out, open(f"{self.scratch}/server.err", "wb") as err:
            self.process = subprocess.Popen(
                self.inside(self.command(steps)), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        end = time.monotonic() + START_SECONDS_MAX
        while not re.search(r"^ *ready", self.said, re.M):
            if self.process.poll() is not None or time.monotonic() >= end:
                self.stop()
                return f"the server did not start: {last_line(text_of(self.scratch + '/server.err'))}"
            time.sleep(0.1)
        pid = re.search(r", pid ([0-9]+)", self.said)
        self.pid = int(pid.group(1)) if pid else self.process.pid
        return ""

    def stop(self) -> None:
        if self.process is None:
            return
        try:
            os.kill(self.pid or self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process, self.pid = None, 0

    def requests(self) -> int:
        """That it counted, by its last lines."""
        return sum(int(count) for count in re.findall(r"^loop [0-9]+ on CPU[^:]*: ([0-9]+)", self.said, re.M))

    def on_loop_cpu(self) -> tuple[Optional[int], Optional[int]]:
        """Connections received on their loop's CPU, of how many, by its last line."""
        found = re.findall(r"\(SO_INCOMING_CPU\): ([0-9]+) of ([0-9]+)", self.said)
        return (int(found[-1][0]), int(found[-1][1])) if found else (None, None)

    def ticks(self) -> tuple[int, int]:
        """User and system time of the server and its descendants."""
        parents, times = {}, {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                after = text_of(f"/proc/{entry}/stat").rpartition(") ")[2].split()
                if len(after) > 12:  # A process may end between the listing and the reading of its file.
                    parents[int(entry)] = int(after[1])
                    times[int(entry)] = (int(after[11]), int(after[12]))
        root = self.process.pid if self.process else 0
        user = system = 0
        for pid in parents:
            one = pid
            while one > 1 and one != root:
                one = parents.get(one, 0)
            if one == root:
                user, system = user + times[pid][0], system + times[pid][1]
        return user, system

    def allocated(self) -> Optional[int]:
        """Bytes that the threads have allocated since the start; None where there is no jcmd (a JRE)."""
        beside = os.path.join(os.path.dirname(self.java), "jcmd")
        jcmd = beside if os.access(beside, os.X_OK) else shutil.which("jcmd")
        if not jcmd:
            return None
        said = output_of(["timeout", str(JCMD_SECONDS), jcmd, str(self.pid), "Thread.print", "-e"])
        # The attach listener serves this very command.
        lines = [line for line in said.split("\n") if not line.startswith('"Attach Listener"')]
        found = re.findall(r"allocated=([0-9.]+)([BKMG])", "\n".join(lines))
        return sum(int(float(number) * UNITS[unit]) for number, unit in found) if found else None

    def counters(self) -> Counters:
        """Of the server and of its machine. Asking the JVM takes time and wakes it: see memory()."""
        found = Counters(*self.ticks(), parse_stat(text_of("/proc/stat")))
        rows = [line.split() for line in output_of(self.inside(["cat", "/proc/net/netstat"])).split("\n")]
        rows = [row for row in rows if row and row[0] == "TcpExt:"]
        if len(rows) >= 2:
            found.busy_poll = int(dict(zip(rows[0], rows[1])).get("BusyPollRxPackets", 0))
        dropped = output_of(self.inside(["cat", f"/sys/class/net/{self.iface}/statistics/tx_dropped"])).strip()
        found.tx_dropped = int(dropped) if dropped.isdigit() else 0
        # On AWS a rise means that the instance, not the server, set the limit.
        shown = output_of(self.inside(["ethtool", "-S", self.iface]))
        found.allowance = sum(int(count) for count in re.findall(r"allowance_exceeded: *([0-9]+)", shown))
        return found

    def memory(self, counters: Counters) -> Counters:
        counters.gc = text_of(f"{self.scratch}/gc.log").count(" Pause ")
        counters.allocated = self.allocated()
        return counters
