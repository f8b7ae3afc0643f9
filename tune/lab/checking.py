"""tune lab net check: steps 3 to 9 between two namespaces, with the server at work."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence

import cpus as cpu_lists
from lab import commands, readings
from lab.keeper import Undo
from lab.namespaces import Pair
from lab.subject import Subject
from measuring import common
from measuring.common import say

STEPS = (3, 4, 5, 6, 7, 8, 9)
WITHOUT_NAPI = 9  # GRO off takes a veth's NAPI away: nothing could be polled.
MATCHES_PERCENT_MIN = 75  # By chance it would be 100 / CPUs; a thread may be late to its CPU.
POLL_TRIES_MAX = 5
SUMMARY = re.compile(r"^[0-9]+ [a-z-]+(, |$).*", re.M)


@dataclass
class Found:
    settings: int = 0
    steps: list[dict[str, object]] = field(default_factory=list)
    server: Optional[dict[str, object]] = None
    differences: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        say(f"  FAILED: {text}")
        self.faults.append(text)

    def document(self) -> dict[str, Any]:
        return {
            "settings_read": self.settings,
            "runs": self.steps,
            "server_check": self.server,
            "differences": self.differences,
            "faults": self.faults,
        }


class Check:
    def __init__(
        self, pair: Pair, tune: str, scratch: str, steps: Sequence[int], subject: Optional[tuple[str, str]]
    ) -> None:
        self.pair, self.tune, self.scratch, self.steps = pair, tune, scratch, steps
        self.java_and_jar = subject
        self.state = os.path.join(scratch, "state")
        self.found = Found()

    def run(self, undo: Undo) -> Found:
        found = self.found
        # Settings of the machine itself, should a step have reached any.
        undo.by([self.tune, "revert", *self.options], where=self.state)
        self.read()  # Reading may load modules, such as nf_tables.
        before = self.read()
        found.settings = len(before)
        say(f"read {found.settings} lines of settings")
        for step in self.steps:
            if step == WITHOUT_NAPI:
                self.check_server_once()
            say(f"step {step}")
            self.expect(
                "apply", str(step), "--keep-going", "--accept", "security,connectivity", "--confirm-within", "0"
            )
            differ = sum(1 for line in readings.differences(before, self.read()) if line.startswith("+"))
            found.steps[-1]["settings_changed"] = differ
            say(f"  settings that differ now: {differ}")
        self.check_server_once()
        say("all steps")
        self.expect("verify")
        self.expect("revert")
        self.pair.pin()  # GRO off and on again makes new threads.
        found.differences = readings.differences(before, self.read())
        if found.differences:
            say("\n".join(f"    {line}" for line in found.differences))
            found.fault("settings differ after revert")
        else:
            say("  everything reads as before")
        say(f"lab net: {len(found.faults)} faults" if found.faults else "lab net: all held")
        return found

    @property
    def options(self) -> list[str]:
        server = self.pair.server
        cpus = cpu_lists.text(server.cpus)
        return ["--netns", server.namespace.name, "--iface", server.device, "--cpus", cpus, "--state", self.state]

    def read(self) -> list[str]:
        server = self.pair.server
        program = os.path.join(common.HERE, "lab/snapshot")
        return server.namespace.must(program, server.device).splitlines()

    def expect(self, *words: str) -> None:
        """What is unsupported is no fault: a veth lacks what only hardware has."""
        result = commands.run([self.tune, *words, *self.options])
        said = result.output + result.errors
        summary = [found.group() for found in SUMMARY.finditer(said)]
        self.found.steps.append(
            {"words": " ".join(words), "status": result.status, "summary": summary[-1] if summary else ""}
        )
        if result.status == 0:
            say(f"  tune {' '.join(words)}: exit status 0; {summary[-1] if summary else ''}")
        else:
            say("\n".join(f"    {line}" for line in said.splitlines()))
            self.found.fault(f"tune {' '.join(words)}: exit status {result.status}")

    # --- The server ------------------------------------------------------------------------------

    def check_server_once(self) -> None:
        if self.java_and_jar and self.found.server is None:
            say("server, with the steps so far applied")
            self.found.server = self.check_server(*self.java_and_jar)

    def check_server(self, java: str, jar: str) -> dict[str, object]:
        found, namespace = self.found, self.pair.server.namespace
        with Subject(self.pair, java, jar, self.scratch) as subject:
            say(f"  {subject.line('kernel')}")
            for failure in subject.connect_from_each_cpu():
                found.fault(f"no response from the server: {failure}")
            before = after = namespace.counter("BusyPollRxPackets")
            seen = ""
            # Whether a packet is still in the device when the loop looks is chance, the more so on a
            # busy machine; there tune may also be slower than a load of one second.
            for seconds in range(1, POLL_TRIES_MAX + 1):
                with subject.load(seconds) as load:
                    # tune sees the same from outside, in the loops' own descriptors.
                    if not seen or seen.startswith("unknown"):
                        seen = self.filter_row(subject.pid)
                    failure = load.failure()
                if failure:
                    found.fault(f"wrk: {failure}")
                after = namespace.counter("BusyPollRxPackets")
                if after > before and seen and not seen.startswith("unknown"):
                    break
        say(f"  tune status: {seen}")
        if not seen.startswith(("applied", "differs")):
            found.fault("tune does not see where the connections come in")
        for line in subject.loops:
            say(f"  {line}")
        self.judge_matches(*subject.on_loop_cpu)
        self.judge_polling(subject.polls, before, after)
        return {
            "kernel_features": subject.line("kernel"),
            "tune_status": seen,
            "loops": subject.loops,
            "connections": subject.on_loop_cpu[1],
            "on_loop_cpu": subject.on_loop_cpu[0],
            "epoll_busy_poll": subject.polls,
            "busy_polled_packets": after - before,
        }

    def filter_row(self, pid: int) -> str:
        result = commands.run([self.tune, "status", "5", "--pid", str(pid), *self.options])
        row = re.search(r"^  ([a-z]+ +reuseport filter.*)", result.output, re.M)
        return row.group(1) if row else ""

    def judge_matches(self, matches: int, of: int) -> None:
        say(f"  connections received on their loop's CPU: {matches} of {of}")
        if of == 0 or matches * 100 < of * MATCHES_PERCENT_MIN:
            self.found.fault(f"fewer than {MATCHES_PERCENT_MIN} % of the connections reached their loop's CPU")

    def judge_polling(self, polls: bool, before: int, after: int) -> None:
        if not polls:
            say("  busy polling: not to be had on this kernel (epoll's needs 6.9)")
            return
        say(f"  BusyPollRxPackets: {before} before, {after} after")
        if after <= before:
            self.found.fault("the server asked for busy polling, but no packet was polled")
