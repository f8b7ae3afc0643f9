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
