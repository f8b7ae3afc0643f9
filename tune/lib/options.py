"""The command line."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from output import fail

NAME = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9_.:-]{1,15}\Z")  # Of an interface.
STATE_FILE_DEFAULT = "/var/lib/bareloop-tune/state.json"
CONFIRM_SECONDS_DEFAULT = 60
CONFIRM_SECONDS_MAX = 3600
VERBS = ("status", "plan", "apply", "verify", "revert", "confirm", "persist")
PROGRAMS = ("measure", "report", "profile", "trace", "lab")
RISKS = ("security", "connectivity", "global")

USAGE = """tune [VERB] [STEP...] [OPTION...]

Verbs
  status         a line per step: state, gain, risk, next command; with STEP or -v each knob. Changes
                 nothing. The default.
  plan           the commands that apply would run, in order, with the inverse of each; runs in sh
  apply          read, prove the way back, save the original, write, read back; for each knob that differs
  verify         like status, for the applied steps, with an exit status
  confirm        keep what is under the dead-man timer of steps 4 and 7
  revert         put the originals back, last change first
  persist        print a systemd unit that applies at boot and reverts when stopped
  measure, report, profile, trace, lab     each has its own --help

Steps, in the article's order
  1 application    JVM flags, server options, open files
  2 mitigations    kernel command line without speculative-execution mitigations
  3 audit          no system call audit, no seccomp
  4 netfilter      no rules, no hooks
  5 locality       queues, IRQs, XPS, RPS and workers on the same CPUs
  6 interrupts     moderation, busy polling, IRQ suspension
  7 listeners      no packet sockets (dhclient)
  8 qdisc          no qdisc lock
  9 last           GRO off, reno, static moderation
  10 settings      socket buffers, backlogs, open files
  11 processor     governor, sleep states, clock, pages, timers
Write 5, 5-8, locality, or one knob: 9/gro, '5/tx-*'. all-safe: what is safe for a host on the internet.
all-lab: the rest that needs no --accept security. all: everything.

Options
  --iface NAME          the network interface; default: the device of the default route
  --netns NAME          work in this network namespace
  --cpus LIST           CPUs in worker order, such as 0-3 or 0,2,1,3; default: all allowed ones
  --pid PID             also check this server process
  --state FILE          where originals are kept; default /var/lib/bareloop-tune/state.json
  --accept RISK         security, connectivity or global (for the host, from a namespace);
                        repeat, or separate by commas
  --keep-going          apply: go on after a failure
  --write-bootloader    apply 2: write the boot loader's configuration (else the line is printed)
  --confirm-within S    how long steps 4 and 7 stay without `tune confirm`; default 60, 0: no timer
  --dry-run             apply, revert: print the commands only
  --force               revert: also where someone else has changed the value since
  --write               persist: install the unit
  -v, --verbose         each knob in full
  --json                JSON instead of text
  --strict              3 where something that was asked for is unsupported here
  --help

Exit status, of what was asked for
  0 all as asked, or unsupported here    1 something differs    2 an error    3 see --strict
"""


@dataclass
class Options:
    verb: str = ""
    selectors: list[str] = field(default_factory=list)
    iface: str = ""
    netns: str = ""
    cpus: str = ""
    pid: str = ""
    state: str = ""
    accepted: set[str] = field(default_factory=set)
    keep_going: bool = False
    write_bootloader: bool = False
    force: bool = False
    json: bool = False
    dry_run: bool = False
    persist_write: bool = False
    verbose: bool = False
    strict: bool = False
    help: bool = False
    confirm_seconds: int = CONFIRM_SECONDS_DEFAULT


FLAGS = {
    "--keep-going": "keep_going",
    "--write-bootloader": "write_bootloader",
    "--dry-run": "dry_run",
    "--force": "force",
    "--write": "persist_write",
    "--json": "json",
    "--verbose": "verbose",
    "-v": "verbose",
    "--strict": "strict",
    "--help": "help",
    "-h": "help",
}
VALUES = ("--iface", "--netns", "--cpus", "--pid", "--state", "--accept", "--confirm-within")


def parse(arguments: list[str]) -> Options:
    options, rest = Options(), list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.partition("=")
        if argument in FLAGS:
            setattr(options, FLAGS[argument], True)
        elif name in VALUES:
            if not equals and not rest:
                fail(f"{argument}: needs a value")
            take_value(options, name, value if equals else rest.pop(0))
        elif argument.startswith("-"):
            fail(f"{argument}: no such option; tune --help lists them")
        elif not options.verb and argument in VERBS:
            options.verb = argument
        elif not options.verb and argument in PROGRAMS:
            fail(f"{argument}: put this verb first")
        else:
            options.selectors.append(argument)
    if options.help:
        return options
    if not options.verb:
        if options.selectors:
            fail(f"{options.selectors[0]}: no such verb; tune --help lists them")
        options.verb = "status"
    options.state = options.state or os.environ.get("TUNE_ROOT", "") + STATE_FILE_DEFAULT
    if options.verb in ("apply", "plan", "persist") and not options.selectors:
        fail(f"{options.verb}: which steps? Such as: tune {options.verb} all-safe")
    return options


def take_value(options: Options, name: str, value: str) -> None:
    if name == "--iface":
        if not NAME.match(value):
            fail(f"--iface: '{value}' is no interface name")
        options.iface = value
    elif name == "--netns":
        if not re.match(r"(?!\.\.?\Z)[A-Za-z0-9_.-]+\Z", value):
            fail(f"--netns: '{value}' is no name")
        options.netns = value
    elif name == "--cpus":
        options.cpus = value
    elif name == "--pid":
        if not re.match(r"[1-9][0-9]{0,9}\Z", value):
            fail(f"--pid: '{value}' is no process id")
        options.pid = value
    elif name == "--state":
        if not value or value.endswith("/"):
            fail("--state: needs a file name")
        options.state = value
    elif name == "--accept":
        for risk in value.replace(",", " ").split():
            if risk not in RISKS:
                fail(f"--accept: '{risk}' is none of security, connectivity, global")
            options.accepted.add(risk)
    elif name == "--confirm-within":
        if not re.match(r"[0-9]{1,4}\Z", value) or int(value) > CONFIRM_SECONDS_MAX:
            fail(f"--confirm-within: '{value}' is not 0 to {CONFIRM_SECONDS_MAX} seconds")
        options.confirm_seconds = int(value)
