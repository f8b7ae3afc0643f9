"""The client: another machine over ssh, another network namespace, or this machine's other CPUs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import Optional

from measuring.common import HERE, Interrupted, last_line
from measuring.window import Stat, parse_stat

# Runs on the client, with CPUs, threads, seconds, connections and URL.
LOAD = """set -eu
lua=$(mktemp)
trap 'rm -f "$lua"' EXIT
cat >"$lua" <<'END OF LUA'
{lua}
END OF LUA
taskset -c "$1" timeout "$(($3 + 30))" wrk -t "$2" -d "${{3}}s" -c "$4" --timeout 5s -s "$lua" \\
    -H 'Connection: keep-alive' "$5" -- "$4" &
trap 'kill "$!" 2>/dev/null || true' TERM
wait "$!"
"""
STOP_SECONDS = 10
RESPONSE_BYTES = 146  # The article's response; for comparisons to hold, also ours.
EXPECTED = {"/json": '{"message":"Hello, World!"}', "/plaintext": "Hello, World!"}


class Response:
    def __init__(self, size: int, date: str, failure: str = "") -> None:
        self.size, self.date, self.failure = size, date, failure


class Client:
    def __init__(self, machine: str, netns: str, url: str, path: str) -> None:
        self.machine, self.netns, self.url, self.path = machine, netns, url, path
        self.cpus, self.threads, self.connections = "", 1, 1
        self.load: Optional[subprocess.Popen[bytes]] = None
        with open(os.path.join(HERE, "libexec/wrk.lua")) as file:
            self.script = LOAD.format(lua=file.read())
        self.figures: dict[str, float] = {}
        self.stats: tuple[Stat, Stat] = ({}, {})

    def shell(self, *arguments: str) -> list[str]:
        """A bash where the client is, for a script on standard input."""
        if self.machine:
            command = "bash -s -- " + " ".join(shlex.quote(word) for word in arguments)
            return ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", self.machine, command]
        within = ["ip", "netns", "exec", self.netns] if self.netns else []
        return [*within, "bash", "-s", "--", *arguments]

    def ask(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            self.shell(*arguments), input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def wrk_version(self) -> str:
        said = self.ask("wrk -v 2>&1 | head -n 1").stdout.decode(errors="replace")
        return " ".join(said.split()[:2])

    def allowed_cpus(self) -> str:
        """As a list for taskset; '' where the client cannot be asked."""
        said = self.ask("cat /proc/self/status").stdout.decode(errors="replace")
        found = re.search(r"^Cpus_allowed_list:\s*(\S+)", said, re.M)
        return found.group(1) if found else ""

    def run(self, seconds: int) -> str:
        """Loads the server; figures and stats are then those of the run. The failure, or ''."""
        self.figures, self.stats = {}, ({}, {})
        arguments = (self.cpus, str(self.threads), str(seconds), str(self.connections), self.url)
        self.load = subprocess.Popen(
            self.shell(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, errors = self.load.communicate(self.script.encode())
        status, self.load = self.load.returncode, None
        text = output.decode(errors="replace")
        for key, value in re.findall(r"^([a-z0-9_]+)=(-?[0-9.]+)$", text, re.M):
            self.figures[key] = float(value)
        self.stats = parse_stat(text, "before "), parse_stat(text, "after ")
        if status != 0 or "requests" not in self.figures:
            self.figures = {}
            return f"wrk: {last_line(errors.decode(errors='replace')) or last_line(text)}"
        return ""

    def stop(self) -> None:
        """The load under way, where a signal has cut it off."""
        if self.load is None:
            return
        self.load.terminate()
        try:
            self.load.communicate(timeout=STOP_SECONDS)
        except (subprocess.TimeoutExpired, ValueError, Interrupted):
            self.load.kill()
        self.load = None

    def response(self) -> Response:
        """The whole response, head and body, as it came over the wire. A server that answers fast but
        wrongly must not be timed."""
        done = self.ask('exec curl -sS --http1.1 -m 5 -i --raw "$1"', self.url)
        data = done.stdout
        if done.returncode != 0:
            return Response(0, "", f"no response from {self.url}: {last_line(done.stderr.decode(errors='replace'))}")
        head, _, rest = data.partition(b"\r\n\r\n")
        fields, body = head.decode("latin-1"), rest.decode("latin-1").rstrip("\n")
        status = re.match(r"HTTP\S* ([0-9]+)", fields)
        date = re.search(r"^date: *(.*?)\r?$", fields, re.M | re.I)
        response = Response(len(data), date.group(1) if date else "")
        expected = EXPECTED.get(self.path, "")  # Of other paths any, as long as it stays as long.
        if not status or status.group(1) != "200":
            response.failure = f"status {status.group(1) if status else '?'} instead of 200"
        elif expected and body != expected:
            response.failure = f"body '{body[:60]}' instead of '{expected}'"
        elif self.path == "/json" and response.size != RESPONSE_BYTES:
            response.failure = f"{response.size} bytes on the wire instead of the reference's {RESPONSE_BYTES}"
        elif not response.date:
            response.failure = "no Date field"
        return response
