"""tune lab: which lab, and what it is asked for."""

from __future__ import annotations

import json
import os
import sys
from typing import NoReturn, Sequence

from lab import keeper
from measuring import common
from output import fail

USAGE = """Usage: tune lab net VERB [OPTIONS]     two network namespaces joined by a multi-queue veth
       tune lab vm [OPTIONS]           a distribution kernel in QEMU, with a reboot in the middle

tune lab net --help, tune lab vm --help. What each shows: lab/README.md.
"""


def print_json(document: dict[str, object]) -> None:
    """One document, on standard output; everything else goes to standard error."""
    print(json.dumps(document, indent=2), flush=True)


def needs_root(why: str) -> None:
    if os.geteuid() != 0:
        fail(f"{why} root: run it with sudo")


def find_jar(given: str) -> str:
    jar = given or os.path.join(common.HERE, "../target/bareloop.jar")
    if not os.access(jar, os.R_OK):
        fail(f"--jar {jar}: cannot be read; build it with mvn -q package -DskipTests, or --no-server")
    return jar


def main(words: Sequence[str]) -> int:
    if words[:1] == ["net"]:
        from lab import net

        return net.main(words[1:])
    if words[:1] == ["vm"]:
        from lab import vm

        return vm.main(words[1:])
    if words[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    print(USAGE, end="", file=sys.stderr)
    return keeper.ERROR


def program() -> NoReturn:
    common.program("lab", main)
