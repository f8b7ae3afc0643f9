"""measure: what each step gains, measured."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from typing import Any, Sequence

import article
import cpus as cpu_lists
from measuring import common, facts, results
from measuring.client import Client
from measuring.common import need, say
from measuring.plan import TRIES_MAX, VISIT_OVERHEAD_SECONDS, Plan, choose_address, choose_cpus, human_time, parse, show
from measuring.server import Server
from measuring.summary import StepState, summarize
from measuring.window import Setting, Window, judge
from output import Failure, fail
from state import State

CHECKS_MAX = 20  # Single requests to check the response, while a server runs.
SERVER_TAKES_PART = (1, 5, 6)  # Steps with something to measure in any case.


class Measurement:
    def __init__(self, plan: Plan, server: Server, client: Client) -> None:
        self.plan, self.server, self.client = plan, server, client
        self.steps: list[StepState] = []
        self.windows: list[dict[str, Any]] = []
        self.servers: list[dict[str, Any]] = []
        self.begun = time.monotonic()
        self.visits_all = plan.rounds * plan.visits
        self.visits_left = self.visits_all
        self.round = 0
        self.applied = False  # Something may have been: revert.
        self.host: dict[str, Any] = {}

    # --- Steps -----------------------------------------------------------------------------------

    def tune(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.plan.tune, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def apply(self, step: int) -> "subprocess.CompletedProcess[str]":
        self.applied = True
        return self.tune("apply", str(step), *self.plan.apply_options, "--keep-going")

    def revert_all(self) -> bool:
        done = self.tune("revert", *self.plan.tune_options)
        # 3: what had been unsupported still is.
        if done.returncode not in (0, 3):
            say("".join(f"    {line}\n" for line in done.stdout.splitlines()).rstrip())
            state = self.plan.state
            said = f"revert failed with {done.returncode}; what was changed is in {state}"
            say(f"tune measure: {said}: tune revert --state {state}")
            return False
        self.applied = False
        return True

    def knobs_of(self, step: int) -> list[dict[str, Any]]:
        done = subprocess.run(
            [self.plan.tune, "status", str(step), "--json", *self.plan.tune_options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            knobs: list[dict[str, Any]] = json.loads(done.stdout)["knobs"]
            return knobs
        except (ValueError, KeyError):
            return []

    def record_step(self, step: int, label: str, state: str, reason: str = "") -> None:
        """The first round decides; what a later one meets is in its windows."""
        if all(entry.step != step for entry in self.steps):
            self.steps.append(StepState(step, label, state, re.sub(r"\s+", " ", reason)))

    def apply_step(self, step: int, label: str) -> bool:
        """False if there is nothing new to measure."""
        before = self.knobs_of(step)
        done = self.apply(step)
        knobs = self.knobs_of(step)
        unmet = unmet_of(knobs)
        takes_part = step in SERVER_TAKES_PART
        if done.returncode != 2 and any(knob["state"] == "applied" for knob in knobs):
            # Still measured: what the same thing twice gives is the noise.
            if not takes_part and not any(knob["state"] == "differs" for knob in before):
                unmet = "already so before: nothing changed" + (f"; {unmet}" if unmet else "")
            self.record_step(step, label, "measured", unmet)
        elif takes_part:
            self.record_step(step, label, "measured", "server options only" + (f"; {unmet}" if unmet else ""))
        elif done.returncode != 2:
            reboot = "needs a reboot; " if step == 2 else ""
            self.record_step(step, label, "unsupported", reboot + (unmet or "no knob applied"))
            return False
        else:
            say(f"  step {step}: tune apply ended with {done.returncode}:")
            say("\n".join(f"    {line}" for line in done.stdout.splitlines()))
            self.record_step(step, label, "failed", unmet or common.last_line(done.stdout))
            return False
        return True

    # --- Windows ---------------------------------------------------------------------------------

    def progress(self, what: str) -> None:
        done = self.visits_all - self.visits_left
        each = self.plan.warmup + self.plan.duration + VISIT_OVERHEAD_SECONDS
        if done > 0:
            each = int((time.monotonic() - self.begun) / done)
        say(f"[{done + 1}/{self.visits_all}] {what}; about {human_time(self.visits_left * each)} left")

    def lost_window(self, step: int, label: str, why: str) -> None:
        """One that could not be taken at all."""
        window = Window(step, label, self.round, 1)
        window.void.append(why)
        self.windows.append(window.finish())
        say(f"  no window: {why}")

    def warm_up(self) -> tuple[str, int]:
        """Loads the server until the JIT compiler is done; the failure if it does not answer rightly, and
        the requests that were counted."""
        begun, response = time.monotonic(), self.client.response()
        if response.failure:
            return response.failure, 0
        first = response.date
        failure = self.client.run(self.plan.warmup)
        if failure:
            return failure, 0
        counted = int(self.client.figures["requests"])
        # A Date may be a second old; after two it must have moved.
        while True:
            response = self.client.response()
            if response.failure:
                return response.failure, counted
            if response.date != first:
                return "", counted
            if time.monotonic() - begun > 2:
                return f"Date did not move in {time.monotonic() - begun:.0f} s", counted
            time.sleep(0.2)

    def window(self, step: int, label: str, try_: int) -> dict[str, Any]:
        memory = self.server.memory(self.server.counters())
        before = self.server.counters()
        before.gc, before.allocated = memory.gc, memory.allocated
        failure = self.client.run(self.plan.duration)
        load, stats = self.client.figures, self.client.stats
        after, size = before, 0
        if not failure:
            after = self.server.memory(self.server.counters())
            response = self.client.response()
            size = response.size
            failure = f"after the load: {response.failure}" if response.failure else ""
        setting = Setting(
            cpu_lists.parse(self.plan.cpus) or [],
            cpu_lists.parse(self.plan.client_cpus) or [],
            os.sysconf("SC_CLK_TCK"),
            self.plan.connections,
            self.client.threads,
            size,
            self.plan.steal,
            self.plan.tolerance,
        )
        window = Window(step, label, self.round, try_)
        found = judge(window, load, stats, before, after, setting, failure)
        self.windows.append(found)
        return found

    def visit(self, step: int, label: str, in_force: Sequence[int]) -> None:
        """A fresh server, warm-up, a window that counts."""
        self.progress(f"round {self.round}, {label}")
        self.visits_left -= 1
        failure = self.server.start(in_force)
        if failure:
            self.lost_window(step, label, failure)
            return
        failure, counted = self.warm_up()
        if failure:
            self.server.stop()
            self.lost_window(step, label, failure)
            return
        runs, window = 1, {}
        for try_ in range(1, TRIES_MAX + 1):
            runs += 1
            window = self.window(step, label, try_)
            counted += window.get("requests", 0)
            if window["valid"]:
                break
            say(f"  window discarded: {window['reason']}")
        if "rps" in window:
            p50, p99 = window["p50_us"], window["p99_us"]
            say(f"  {window['rps']:.0f} req/s, {window['cpu_us']:.2f} us CPU per request, p50 {p50} us, p99 {p99} us")
        if window["flags"]:
            say(f"  {window['flags']}")
        self.server.stop()
        self.record_server(step, label, counted, runs)

    def record_server(self, step: int, label: str, counted: int, runs: int) -> None:
        """What it and the client counted must agree; wrk drops what is under way when a run ends, and the
        responses that were checked are in the server's count only."""
        served = self.server.requests()
        matches, of = self.server.on_loop_cpu()
        self.servers.append(
            {
                "step": step,
                "label": label,
                "round": self.round,
                "requests": served,
                "requests_of_client": counted,
                "connections": of,
                "on_loop_cpu": matches,
            }
        )
        if served and not counted <= served <= counted + runs * self.plan.connections + CHECKS_MAX:
            say(f"  note: the server counted {served} requests, the client {counted} in {runs} runs")

    # --- Rounds ----------------------------------------------------------------------------------

    def cumulative_round(self) -> None:
        in_force: list[int] = []
        self.record_step(0, label_of(0), "measured")
        self.visit(0, label_of(0), in_force)
        for step in self.plan.steps:
            if self.apply_step(step, label_of(step)):
                in_force.append(step)
                self.visit(step, label_of(step), in_force)
            else:
                self.visits_left -= 1
                reason = next(entry.reason for entry in self.steps if entry.step == step)
                say(f"  step {step} is left out: {reason}")

    def leave_one_out_round(self) -> None:
        in_force = []
        self.record_step(0, "all steps", "measured")
        for step in self.plan.steps:
            if self.apply_step(step, f"without {step} {label_of(step)}"):
                in_force.append(step)
            else:
                self.visits_left -= 1
        self.visit(0, "all steps", in_force)
        for step in in_force:
            label = f"without {step} {label_of(step)}"
            done = self.tune("revert", str(step), *self.plan.tune_options)
            if done.returncode != 0:
                say(done.stdout.rstrip())
                self.lost_window(step, label, f"step {step} could not be reverted")
                self.visits_left -= 1
                continue
            self.visit(step, label, [other for other in in_force if other != step])
            done = self.apply(step)
            if done.returncode not in (0, 1, 3):
                say(done.stdout.rstrip())
                fail(f"step {step} could not be applied again")

    def run(self) -> None:
        for self.round in range(1, self.plan.rounds + 1):
            if self.plan.mode == "cumulative":
                self.cumulative_round()
            else:
                self.leave_one_out_round()
            if not self.revert_all():
                fail("the settings are not those of before: no further round")

    # --- Results ---------------------------------------------------------------------------------

    def document(self, complete: bool) -> dict[str, Any]:
        plan = self.plan
        return {
            "format": results.FORMAT,
            "host": self.host,
            "run": {
                "mode": plan.mode,
                "rounds": plan.rounds,
                "duration": plan.duration,
                "warmup": plan.warmup,
                "connections": plan.connections,
                "threads": self.client.threads,
                "path": plan.path,
                "client": plan.client_kind,
                "server_cpus": plan.cpus,
                "client_cpus": plan.client_cpus,
                "complete": complete,
            },
            "steps": summarize(self.steps, self.windows, plan.mode),
            "windows": self.windows,
            "servers": self.servers,  # One each visit.
        }

    def write(self, complete: bool) -> dict[str, Any]:
        document = self.document(complete)
        common.write_whole(self.plan.out, results.text(document))
        say(f"results: {self.plan.out}{'' if complete else ' (incomplete)'}")
        if complete and self.plan.mode == "cumulative" and self.plan.record:
            self.write_gains(document)
        return document

    def write_gains(self, document: dict[str, Any]) -> None:
        """For the verdict of `tune`, which shows them beside the article's."""
        gains = {
            str(row["step"]): {"gain": row["gain"], "proven": row["proven"]}
            for row in document["steps"]
            if "gain" in row
        }
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.plan.record)), mode=0o700, exist_ok=True)
            text = json.dumps({"date": self.host.get("date", ""), "client": self.plan.client_kind, "gains": gains})
            common.write_whole(self.plan.record, text + "\n")
        except OSError as error:
            say(f"note: {self.plan.record}: {error.strerror}; tune will not show these gains")


def unmet_of(knobs: list[dict[str, Any]]) -> str:
    """What is not in force, as one line; a check of a server that is not running yet says nothing."""
    found = [
        f"{knob['knob']}: {(knob['reason'] or knob['state'])}"
        for knob in knobs
        if knob["state"] != "applied" and "give --pid" not in knob["reason"]
    ]
    return "; ".join(found).replace('"', "'")


def label_of(step: int) -> str:
    return article.STEPS[step].label


def main(words: list[str]) -> int:
    plan, arguments = parse(words)
    need(("taskset", "util-linux"), ("ip", "iproute2"), ("curl", "curl"))
    need(("ssh", "openssh-client") if plan.machine else ("wrk", "wrk"))
    java = common.find_java(arguments.text("--java"))
    jar = arguments.text("--jar") or os.path.join(common.HERE, "../target/bareloop.jar")
    if not os.access(jar, os.R_OK):
        fail(f"--jar {jar}: cannot be read; build it with mvn -q package -DskipTests")
    jvm_options = arguments.text("--jvm-options") or os.path.join(common.HERE, "jvm.options")
    if "--jvm-options" in arguments.values and not os.access(jvm_options, os.R_OK):
        fail(f"--jvm-options {jvm_options}: cannot be read")

    server = Server(java, jar, jvm_options, plan.port, "", plan.netns_server, plan.iface, "SCRATCH")
    client = Client(plan.machine, plan.netns_client, "", plan.path)
    choose_cpus(plan, client)
    choose_address(plan, server.inside)
    client.url = f"http://{plan.host}:{plan.port}{plan.path}"
    client.cpus, client.connections = plan.client_cpus, plan.connections
    client.threads = min(len(cpu_lists.parse(plan.client_cpus) or [0]), plan.connections)
    server.cpus, server.iface = plan.cpus, plan.iface or "lo"
    for option, value in (("--netns", plan.netns_server), ("--iface", plan.iface)):
        plan.tune_options += [option, value] if value else []
    plan.tune_options += ["--cpus", plan.cpus, "--state", plan.state]
    if "--dry-run" in arguments.flags:
        show(plan, server, client)
        return 0
    if os.path.exists(plan.state):
        fail(
            f"--state {plan.state}: is there already, perhaps of a run that was cut off: "
            f"tune revert --state {plan.state}"
        )
    State(plan.state).check_trusted()  # Before the first window, not at the first step.
    return measured(Measurement(plan, server, client))


def measured(measurement: Measurement) -> int:
    """Whatever ends the run, the settings are put back, and what was measured is written."""
    server, client = measurement.server, measurement.client
    status, failure, ending = 0, "", None
    server.scratch = tempfile.mkdtemp(prefix="tune-measure.")
    common.watch_signals()
    try:
        iface = measurement.plan.iface or "lo"
        if not shutil.which("ethtool"):
            common.say(
                "ethtool not found (Debian package ethtool): whether the instance's network allowance was exceeded "
                "is not looked at"
            )
        measurement.host = facts.host(server.java, iface, server.inside, client.wrk_version())
        measurement.run()
    except Failure as error:
        failure = str(error)
    except common.Interrupted as error:
        ending = error
    finally:
        common.ignore_signals()  # Reverting must not be cut short.
        client.stop()
        server.stop()
        if measurement.applied and not measurement.revert_all():
            status = 2
        complete = not failure and ending is None
        shutil.rmtree(server.scratch, ignore_errors=True)
        if measurement.windows:
            document = measurement.write(complete)
            if measurement.plan.json:
                print(json.dumps(document), flush=True)
    if ending is not None:
        raise ending
    if failure:
        fail(failure)
    if not any(window["valid"] for window in measurement.windows):
        fail("no window counted")
    unsupported = any(entry.state in ("unsupported", "failed") for entry in measurement.steps)
    return status or (3 if unsupported else 0)


def program() -> None:
    common.program("measure", main)
