"""What measure is asked to do: its command line, and where server and client run."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any, Sequence

import cpus as cpu_lists
from measuring import common
from measuring.client import Client
from measuring.common import Arguments, say
from measuring.server import Server
from output import fail

TRIES_MAX = 3  # A window lost to steal time or errors is taken again.
VISIT_OVERHEAD_SECONDS = 6
STEP_MAX = 11
CONFIRM_SECONDS_MAX = 3600  # tune takes no more.
RECORD = "/var/lib/bareloop-tune/measured.json"  # Where tune's verdict looks for our own gains.

USAGE = """Usage: tune measure [OPTIONS]

Runs the server and a load generator (wrk) as installed, then after each step on top of those
before it, in interleaved rounds; reverts everything at the end, also when interrupted.

  --steps LIST          Steps to measure. Default: 1-9.
  --leave-one-out       Instead: all these steps, then all but one, for each.
  --rounds N            Default: 5.
  --duration SECONDS    Of a window. Default: 10.
  --warmup SECONDS      Load before each window, for the JIT compiler. Default: 15.
  --connections N       Default: 256, as the article has it.
  --path PATH           Default: /json.
  --port N              Default: 2342.

  --client SSH_HOST     Run wrk there (key login, no password). Default: on this machine.
  --host ADDRESS        The server's address as the client sees it. Default: found.
  --cpus LIST           The server's CPUs, a loop each. Default: all with --client, else half.
  --client-cpus LIST    The client's CPUs, a wrk thread each. Default: all others.
  --netns-server NAME   Network namespace of the server, and of the steps.
  --netns-client NAME   Network namespace of the client.
  --iface NAME          The server's device. Default: that of the default route.

  --jar FILE            Default: target/bareloop.jar.
  --java FILE           JDK 22 or later. Default: $JAVA_HOME/bin/java, java on PATH, or the newest
                        of /usr/lib/jvm.
  --jvm-options FILE    What step 1 gives the JVM. Default: tune/jvm.options.
  --accept RISK         Passed to tune apply; repeatable. Steps not accepted count as unsupported.
  --state FILE          State of the steps. Default: RESULTS.state.
  --tolerance PERCENT   How far Little's law may be off before it is said. Default: 10.
  --steal PERCENT       Steal time above which a window is discarded. Default: 1.
  --out FILE            Results. Default: tune-results-DATE.json.
  --record FILE         Where `tune` looks for the gains, beside the article's.
                        Default: /var/lib/bareloop-tune/measured.json; '' for none.
  --json                Also print the results, one JSON document, on standard output; what
                        happens meanwhile is said on standard error. With --dry-run the plan.
  --dry-run             Print the plan, and how long it takes.

What is printed and written: host (what a figure means nothing without), run (how it was measured),
steps (medians, least and greatest, gain, whether it is proven), windows (each with all its figures,
valid or the reason why not), servers (what each counted itself). A run that was cut off writes what
it has, with "complete": false. Without a window there is nothing to print.

Exit status: 0 measured; 2 error; 3 measured, but some step is unsupported here.
"""
FLAGS = ("--leave-one-out", "--dry-run", "--json")
VALUES = (
    "--steps --rounds --duration --warmup --connections --path --port --client --host --cpus --client-cpus "
    "--netns-server --netns-client --iface --jar --java --jvm-options --accept --state --tolerance --steal --out "
    "--record"
).split()


@dataclass
class Plan:
    """What is measured, and how."""

    steps: list[int]
    mode: str
    rounds: int
    duration: int
    warmup: int
    connections: int
    path: str
    port: int
    tolerance: int
    steal: int
    accepted: list[str]
    state: str
    out: str
    record: str
    machine: str
    netns_server: str
    netns_client: str
    iface: str = ""
    host: str = ""
    cpus: str = ""
    client_cpus: str = ""
    json: bool = False
    cpus_shared: bool = False
    tune: str = ""
    tune_options: list[str] = field(default_factory=list)

    @property
    def visits(self) -> int:
        """Of a round."""
        return len(self.steps) + 1

    @property
    def confirm_seconds(self) -> int:
        """The dead-man timer of steps that can cut the connection must outlast a round, or it would put
        them back in the midst of it; 0 is none."""
        seconds = self.visits * (self.warmup + TRIES_MAX * self.duration + VISIT_OVERHEAD_SECONDS) * 2
        return seconds if seconds <= CONFIRM_SECONDS_MAX else 0

    @property
    def apply_options(self) -> list[str]:
        accepted = [word for risk in self.accepted for word in ("--accept", risk)]
        return [*self.tune_options, *accepted, "--confirm-within", str(self.confirm_seconds)]

    @property
    def client_kind(self) -> str:
        kind = "this machine, loopback or its own address"
        if self.machine:
            kind = "separate machine"
        elif self.netns_client:
            kind = "this machine, another network namespace"
        return kind + (", sharing CPUs with the server" if self.cpus_shared else "")


def parse(words: Sequence[str]) -> tuple[Plan, Arguments]:
    arguments = Arguments("measure", USAGE, words, FLAGS, VALUES)
    if arguments.rest:
        fail(f"{arguments.rest[0]}: no such argument; see tune measure --help")
    text = arguments.text("--steps", "1-9")
    steps = cpu_lists.parse(text)
    if steps is None:
        fail(f"--steps {text}: a list such as 1-4,6")
    if not all(1 <= step <= STEP_MAX for step in steps):
        fail(f"--steps {text}: steps are 1 to {STEP_MAX}")
    out = arguments.text("--out") or time.strftime("tune-results-%Y%m%dT%H%M%SZ.json", time.gmtime())
    plan = Plan(
        steps,
        "leave-one-out" if "--leave-one-out" in arguments.flags else "cumulative",
        arguments.number("--rounds", 5),
        arguments.number("--duration", 10),
        arguments.number("--warmup", 15),
        arguments.number("--connections", 256),
        arguments.text("--path", "/json"),
        arguments.number("--port", 2342),
        arguments.number("--tolerance", 10, 0),
        arguments.number("--steal", 1, 0),
        arguments.lists.get("--accept", []),
        os.path.abspath(arguments.text("--state") or out + ".state"),
        out,
        arguments.text("--record", RECORD),
        arguments.text("--client"),
        arguments.text("--netns-server"),
        arguments.text("--netns-client"),
        arguments.text("--iface"),
        arguments.text("--host"),
        arguments.text("--cpus"),
        arguments.text("--client-cpus"),
    )
    plan.json = "--json" in arguments.flags
    if plan.machine and plan.netns_client:
        fail("--client and --netns-client: one or the other")
    if not plan.path.startswith("/"):
        fail(f"--path {plan.path}: begins with /")
    plan.tune = os.environ.get("TUNE") or os.path.join(common.HERE, "tune")
    if not os.access(plan.tune, os.X_OK):
        fail(f"no tune at {plan.tune}")
    return plan, arguments


def choose_cpus(plan: Plan, client: Client) -> None:
    """The server takes the first half, the client the rest. Halves of the list keep hyperthreads of a core
    on one side only where siblings are numbered next to each other: hence --cpus."""
    mine = sorted(os.sched_getaffinity(0))
    if plan.machine:
        plan.cpus = plan.cpus or cpu_lists.text(mine)
        plan.client_cpus = plan.client_cpus or client.allowed_cpus()
        if not plan.client_cpus:
            fail(f"--client {plan.machine}: cannot log in without a password")
    elif not plan.cpus:
        if len(mine) < 2:
            fail("one CPU is not enough for server and client; use --client")
        plan.cpus = cpu_lists.text(mine[: len(mine) // 2])
    server = cpu_lists.parse(plan.cpus)
    if server is None:
        fail(f"--cpus {plan.cpus}: a list such as 0-3,6")
    if not plan.client_cpus:
        plan.client_cpus = cpu_lists.text(cpu for cpu in mine if cpu not in server)
        if not plan.client_cpus:
            fail(f"--cpus {plan.cpus}: leaves no CPU for the client; use --client or --client-cpus")
    theirs = cpu_lists.parse(plan.client_cpus)
    if theirs is None:
        fail(f"--client-cpus {plan.client_cpus}: a list such as 0-3,6")
    if not plan.machine and set(server) & set(theirs):
        plan.cpus_shared = True
        say("note: server and client share CPUs; requests per second say little then, CPU per request more")


def choose_address(plan: Plan, inside: Any) -> None:
    if not plan.iface and (plan.machine or plan.netns_server):
        route = common.output_of(inside(["ip", "-o", "route", "show", "default"]))
        found = re.search(r"\bdev (\S+)", route)
        if found:
            plan.iface = found.group(1)
        else:
            # A namespace may have no default route, but one device besides lo.
            links = common.output_of(inside(["ip", "-o", "link", "show", "up"]))
            names = re.findall(r"^[0-9]+: ([^:@]+)", links, re.M)
            plan.iface = next((name for name in names if name != "lo"), "")
    if not plan.host:
        plan.host = "127.0.0.1"
        if plan.iface:
            shown = common.output_of(inside(["ip", "-4", "-o", "addr", "show", "dev", plan.iface]))
            address = re.search(r" inet ([^/]*)", shown)
            plan.host = address.group(1) if address else ""
    if not plan.host:
        fail(f"--iface {plan.iface}: has no IPv4 address; give --host")


def human_time(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{(seconds + 59) // 60} min"


def seconds_of(plan: Plan) -> int:
    return plan.rounds * plan.visits * (plan.warmup + plan.duration + VISIT_OVERHEAD_SECONDS)


def commands(plan: Plan, server: Server) -> list[tuple[str, str]]:
    """Of a round, in order: what each is for, and the command."""
    options, state = " ".join(plan.apply_options), " ".join(plan.tune_options)

    def measure(steps: Sequence[int]) -> tuple[str, str]:
        return "measure", " ".join(server.command(steps))

    def apply(*steps: int) -> tuple[str, str]:
        return "apply", f"{plan.tune} apply {' '.join(map(str, steps))} --keep-going {options}"

    found = []
    if plan.mode == "cumulative":
        found.append(measure([]))
        for count, step in enumerate(plan.steps, 1):
            found += [apply(step), measure(plan.steps[:count])]
    else:
        found += [apply(*plan.steps), measure(plan.steps)]
        for step in plan.steps:
            found.append(("revert", f"{plan.tune} revert {step} {state}"))
            found += [measure([other for other in plan.steps if other != step]), apply(step)]
    return [*found, ("revert", f"{plan.tune} revert {state}")]


def show(plan: Plan, server: Server, client: Client) -> None:
    """What would be done."""
    if plan.json:
        rows = [{"what": what, "command": command} for what, command in commands(plan, server)]
        print(json.dumps({**vars(plan), "threads": client.threads, "seconds": seconds_of(plan), "round": rows}))
        return
    where = f", namespace {plan.netns_server}" if plan.netns_server else ""
    print(f"server  {plan.host}:{plan.port} on CPUs {plan.cpus}{where}")
    where = f", namespace {plan.netns_client}" if plan.netns_client else ""
    print(
        f"client  {plan.machine or 'this machine'}, {plan.connections} connections, {client.threads} wrk threads on "
        f"CPUs {plan.client_cpus}{where}"
    )
    print(
        f"rounds  {plan.rounds} of {plan.visits} windows: {plan.warmup} s warm-up, {plan.duration} s timed; "
        f"about {human_time(seconds_of(plan))}"
    )
    print(f"results {plan.out}\n\neach round ({plan.mode}):")
    for what, command in commands(plan, server):
        print(f"  measure: {command}" if what == "measure" else f"  {command}")
