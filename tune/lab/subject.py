"""The server that a lab tries, in one namespace, and its clients in the other."""

from __future__ import annotations

import os
import re
import time
from types import TracebackType
from typing import Optional, Type

import cpus as cpu_lists
from lab import commands
from lab.namespaces import Pair
from measuring.common import last_line, text_of
from output import fail

PORT = 2342
START_SECONDS_MAX = 30
CONNECTIONS = 20  # From each client CPU.
# As long as it may be, for on a busy machine the client is slow to answer.
BUSY_POLL_MICROS = 1000
LATE_SECONDS_MAX = 10  # Of wrk, on a busy machine.
SETTLE_SECONDS = 0.3  # Until the load's connections are there.


class Load:
    """wrk for a moment."""

    def __init__(self, pair: Pair, seconds: int, log: str) -> None:
        self.log = log
        url = f"http://{pair.server.address}:{PORT}/json"
        command = ["timeout", str(seconds + LATE_SECONDS_MAX), "taskset", "-c", str(pair.client.cpus[0])]
        command += ["wrk", "-t1", "-c4", f"-d{seconds}s", url]
        with open(log, "wb") as out:
            self.child = commands.Child(pair.client.namespace.inside(*command), stdout=out, stderr=out)

    def __enter__(self) -> "Load":
        time.sleep(SETTLE_SECONDS)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.child.end()

    def failure(self) -> str:
        """Of the whole load, once it is over; or ''."""
        return last_line(text_of(self.log)) if self.child.process.wait() != 0 else ""


class Subject:
    def __init__(self, pair: Pair, java: str, jar: str, scratch: str) -> None:
        self.pair, self.java, self.jar, self.scratch = pair, java, jar, scratch
        self.child: Optional[commands.Child] = None

    def __enter__(self) -> "Subject":
        # Setting the time fails where the kernel has no epoll busy polling.
        if not self.start(str(BUSY_POLL_MICROS)) and not self.start("off"):
            fail(f"the server did not start: {last_line(text_of(self.scratch + '/server.err'))}")
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self.child is not None:
            self.child.end()

    def start(self, busy_poll: str) -> bool:
        server = self.pair.server
        command = [self.java, "-jar", self.jar, "--port", str(PORT), "--cpus", cpu_lists.text(server.cpus)]
        command += ["--accept", "cbpf", "--busy-poll", busy_poll]
        with open(f"{self.scratch}/server", "wb") as out, open(f"{self.scratch}/server.err", "wb") as errors:
            self.child = commands.Child(server.namespace.inside(*command), stdout=out, stderr=errors)
        end = time.monotonic() + START_SECONDS_MAX
        while not self.line("ready"):
            if not self.child.runs or time.monotonic() >= end:
                self.child.end()
                return False
            time.sleep(0.1)
        return True

    @property
    def pid(self) -> int:
        """ip executes the server in its own place, so its pid is the server's."""
        assert self.child is not None
        return self.child.pid

    @property
    def said(self) -> str:
        return text_of(f"{self.scratch}/server")

    def line(self, word: str) -> str:
        found = re.search(rf"^ *({re.escape(word)}.*)", self.said, re.M)
        return found.group(1) if found else ""

    @property
    def loops(self) -> list[str]:
        return [line for line in self.said.splitlines() if line.startswith("loop ")]

    @property
    def polls(self) -> bool:
        return "epoll busy poll" in self.said

    @property
    def on_loop_cpu(self) -> tuple[int, int]:
        """Connections received on their loop's CPU, of how many: the server says it when it ends."""
        found = re.search(r"\(SO_INCOMING_CPU\): ([0-9]+) of ([0-9]+)", self.said)
        return (int(found.group(1)), int(found.group(2))) if found else (0, 0)

    def connect_from_each_cpu(self) -> list[str]:
        """Each connection is made on a client CPU whose queue leads to one server CPU; the failures."""
        client, failures = self.pair.client, []
        url = f"http://{self.pair.server.address}:{PORT}/json"
        for cpu in client.cpus:
            command = ["taskset", "-c", str(cpu), "curl", "-sS", "-m", "5", "-o", os.devnull, url]
            for _ in range(CONNECTIONS):
                result = commands.run(client.namespace.inside(*command))
                if result.status != 0:
                    failures.append(result.failure)
                    break
        return failures

    def load(self, seconds: int) -> Load:
        return Load(self.pair, seconds, f"{self.scratch}/wrk")
