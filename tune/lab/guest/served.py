"""The server in the guest."""

from __future__ import annotations

import os
import re
import subprocess
import time
from types import TracebackType
from typing import Callable, Optional, Type

JAVA, JAR, LOG = "/opt/jre/bin/java", "/opt/bareloop.jar", "/tmp/server"
PORT = "2342"
CONNECTIONS = 40  # As many as come from outside.
START_SECONDS_MAX = 180


class Server:
    @staticmethod
    def there() -> bool:
        return os.path.exists(JAR)

    def __init__(self, *options: str) -> None:
        self.options, self.failure, self.said = options, "", ""

    def __enter__(self) -> "Server":
        with open(LOG, "wb") as log:
            command = [JAVA, "-Xshare:auto", "-jar", JAR, "--port", PORT, *self.options]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: bool(self.line("ready")) or self.process.poll() is not None, START_SECONDS_MAX)
        if not self.line("ready"):
            self.process.kill()
            print(self.said, flush=True)
            self.failure = "the server did not start"
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.process.terminate()
        self.process.wait()
        self.read()

    def read(self) -> str:
        with open(LOG, errors="replace") as file:
            self.said = file.read()
        return self.said

    def line(self, word: str) -> str:
        found = re.search(rf"^ *({word}.*)", self.read(), re.M)
        return found.group(1) if found else ""

    @property
    def on_loop_cpu(self) -> tuple[int, int]:
        found = re.search(r"\(SO_INCOMING_CPU\): ([0-9]+) of ([0-9]+)", self.said)
        return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def wait_until(condition: Callable[[], bool], seconds_max: float) -> bool:
    end = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.5)
    return True


def opened_connections() -> int:
    """That came in since the boot: PassiveOpens."""
    with open("/proc/net/snmp") as file:
        rows = [line.split() for line in file if line.startswith("Tcp:")]
    return int(dict(zip(rows[0], rows[1]))["PassiveOpens"])
