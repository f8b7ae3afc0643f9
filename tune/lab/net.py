"""tune lab net: two network namespaces, and what is done in them."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Sequence

import cpus as cpu_lists
from lab import checking, commands, keeper
from lab.keeper import Undo
from lab.namespaces import Pair
from lab.program import find_jar, needs_root, print_json
from measuring import common
from output import fail

USAGE = """Usage: tune lab net up|down|check|measure [OPTIONS]

  up        make the namespaces NAME-server and NAME-client
  down      delete them
  check     up; read everything; apply, verify, revert steps 3 to 9; the server gets connections
            on their loops' CPUs and polls the device; everything reads as before; down.
            Takes half a minute.
  measure   up; tune measure between the namespaces with the options given; down.
            Takes what tune measure takes.

  --name NAME     Up to 5 letters. Default: lab.
  --cpus LIST     The server's CPUs. Default for check: all; for measure and up: the first half.
  --client-cpus LIST  The client's. Default for check: the same, turned by one; else all others.
  --java FILE, --jar FILE   As for tune measure.
  --steps LIST    check: of 3 to 9. Default: all of them.
  --no-server     check: without the server.
  --keep          check, measure: leave the namespaces.
  --json          check, measure: one JSON document on standard output; progress is on standard error.

Needs root, iproute2, ethtool, and with the server curl, wrk and a JDK 22 or later. All other options
of measure: tune measure --help. Exit status: 0 all held, 1 not, 2 error; that of tune measure.
"""
VERBS = ("up", "down", "check", "measure")
FLAGS = ("--no-server", "--keep", "--json")
VALUES = ("--name", "--cpus", "--client-cpus", "--java", "--jar")


@dataclass
class Options:
    verb: str
    name: str = "lab"
    cpus: list[int] = field(default_factory=list)
    client_cpus: list[int] = field(default_factory=list)
    java: str = ""
    jar: str = ""
    server: bool = True
    keep: bool = False
    json: bool = False
    steps: Sequence[int] = checking.STEPS
    rest: list[str] = field(default_factory=list)


def parse(words: Sequence[str]) -> Options:
    verb, own = words[0], list(words[1:])
    rest: list[str] = []
    if verb == "measure":
        own, rest = divided(own)
    values = [*VALUES, "--steps"] if verb == "check" else VALUES
    given = common.Arguments("lab net", USAGE, own, FLAGS, values)
    if given.rest:
        fail(f"{given.rest[0]}: no such argument; see tune lab net --help")
    options = Options(verb, given.text("--name", "lab"), rest=rest)
    # NAPI threads carry the name of the device, and names of threads were once cut at 15 characters.
    if not re.match(r"[a-z][a-z0-9]{0,4}\Z", options.name):
        fail(f"--name {options.name}: up to 5 lower-case letters and digits")
    options.java, options.jar = given.text("--java"), given.text("--jar")
    options.server, options.keep = "--no-server" not in given.flags, "--keep" in given.flags
    options.json = "--json" in given.flags
    if given.text("--steps"):
        options.steps = numbers("--steps", given.text("--steps"))
        if not set(options.steps) <= set(checking.STEPS):
            fail(f"--steps {given.text('--steps')}: of 3 to 9; a namespace does not have the others")
    if options.json and verb in ("up", "down"):
        fail(f"--json: {verb} has nothing to report")
    if options.json and "--dry-run" in options.rest:
        fail("--json: not with --dry-run, which prints a plan for people")
    choose_cpus(options, given.text("--cpus"), given.text("--client-cpus"))
    return options


def divided(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lab's options, and those of tune measure."""
    own: list[str] = []
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        ours = word in (*FLAGS, "-h", "--help") or word.partition("=")[0] in VALUES
        (own if ours else rest).append(word)
        if word in VALUES and left:
            own.append(left.pop(0))
    return own, rest


def choose_cpus(options: Options, server: str, client: str) -> None:
    mine = sorted(os.sched_getaffinity(0))
    half = mine[: (len(mine) + 1) // 2]
    options.cpus = numbers("--cpus", server) or (mine if options.verb == "check" else half)
    if client:
        options.client_cpus = numbers("--client-cpus", client)
    elif options.verb == "check":
        # Turned by one: a client beside its loop on one CPU would never find it polling.
        options.client_cpus = options.cpus[1:] + options.cpus[:1]
    else:
        # A single CPU is for both.
        options.client_cpus = [cpu for cpu in mine if cpu not in options.cpus] or options.cpus


def numbers(option: str, text: str) -> list[int]:
    if not text:
        return []
    found = cpu_lists.parse(text)
    if found is None:
        fail(f"{option} {text}: a list such as 0-3,6")
    return found


def main(words: Sequence[str]) -> int:
    if words[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    if words[:1] == [] or words[0] not in VERBS:
        print(USAGE, end="", file=sys.stderr)
        return keeper.ERROR
    options = parse(words)
    common.need(("ip", "iproute2"), ("tc", "iproute2"), ("ethtool", "ethtool"), ("taskset", "util-linux"))
    needs_root("network namespaces need")
    pair = Pair(options.name, options.cpus, options.client_cpus)
    if options.verb == "down":
        pair.down()
        return 0
    if options.verb == "check" and options.server:
        common.need(("curl", "curl"), ("wrk", "wrk"))
        options.java, options.jar = common.find_java(options.java), find_jar(options.jar)

    def body(scratch: str, undo: Undo) -> int:
        if options.verb == "check":
            return check(options, pair, scratch, undo)
        if options.verb == "measure":
            return measure(options, pair, undo)
        pair.up(undo)
        pair.keep(undo)
        return 0

    return keeper.kept(body)


def check(options: Options, pair: Pair, scratch: str, undo: Undo) -> int:
    tune = os.environ.get("TUNE") or os.path.join(common.HERE, "tune")
    if not os.access(tune, os.X_OK):
        fail(f"no tune at {tune}; this copy of tune/ is not complete")
    begun = time.monotonic()
    pair.up(undo)
    if options.keep:
        pair.keep(undo)
    subject = (options.java, options.jar) if options.server else None
    found = checking.Check(pair, tune, scratch, options.steps, subject).run(undo)
    if options.json:
        document: dict[str, object] = {"lab": "net", "verb": "check", "held": not found.faults}
        print_json(document | pair.document() | found.document() | {"seconds": round(time.monotonic() - begun, 1)})
    return 1 if found.faults else 0


def measure(options: Options, pair: Pair, undo: Undo) -> int:
    """A signal is passed on to the measurement, which then has as long as it takes to revert."""
    out = results_file(options.rest)
    if options.json and not out:
        out = time.strftime("tune-results-%Y%m%dT%H%M%SZ.json", time.gmtime())
        options.rest += ["--out", out]
    command = [os.path.join(common.HERE, "libexec/measure")]
    command += ["--netns-server", pair.server.namespace.name, "--netns-client", pair.client.namespace.name]
    command += ["--iface", pair.server.device, "--host", pair.server.address]
    command += ["--cpus", cpu_lists.text(options.cpus), "--client-cpus", cpu_lists.text(options.client_cpus)]
    for option, value in (("--java", options.java), ("--jar", options.jar)):
        command += [option, value] if value else []
    pair.up(undo)
    if options.keep:
        pair.keep(undo)
    with commands.Child(command + options.rest, seconds_max=keeper.ORPHANS_SECONDS_MAX) as child:
        status = child.process.wait()
    if options.json:
        document: dict[str, object] = {"lab": "net", "verb": "measure", "status": status}
        print_json(document | pair.document() | {"results_file": out, "results": results(out)})
    return status


def results_file(words: Sequence[str]) -> str:
    """What --out of tune measure says."""
    for at, word in enumerate(words):
        if word == "--out" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--out="):
            return word.partition("=")[2]
    return ""


def results(path: str) -> object:
    """None where nothing was measured."""
    try:
        with open(path) as file:
            return json.load(file)
    except OSError:
        return None
