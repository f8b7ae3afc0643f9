#!/usr/bin/python3 -ISB
"""Inside a network namespace of its own: `apply all` is killed after each of its real writes, and each
time revert must give the snapshot of before.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import tempfile

TUNE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TUNE, "lib"), TUNE]

import applying  # noqa: E402, F401 - so that no run has to load it
import main  # noqa: E402
import options  # noqa: E402
import reverting  # noqa: E402, F401
import verdict  # noqa: E402, F401
from lab import readings  # noqa: E402
from system import System  # noqa: E402

SKIP = 77
SETUP = """
ip link set lo up
ip link add server numtxqueues 2 numrxqueues 2 type veth peer name client numtxqueues 2 numrxqueues 2
ip link set server addrgenmode none
ip link set client addrgenmode none
ip addr add 10.213.7.1/24 brd + dev server
ip link set server up
ip link set client up
ethtool -K server gro on
tc qdisc replace dev server root mq
nft -f - <<'RULES'
table inet filter {
    set banned { type ipv4_addr; elements = { 10.1.2.3, 10.1.2.4 } }
    chain input { type filter hook input priority filter; policy accept; ip saddr @banned drop; }
}
RULES
"""
OPTIONS = [
    "--iface",
    "server",
    "--cpus",
    "0",
    "--accept",
    "security,connectivity",
    "--confirm-within",
    "0",
    "--keep-going",
]


class Killing(System):
    """Kills its own process after the write of that number."""

    def __init__(self, kill_at: int) -> None:
        super().__init__()
        self.kill_at, self.writes = kill_at, 0

    def written(self) -> None:
        super().written()
        self.writes += 1
        if self.writes == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def tune(words: list[str], kill_at: int = 0) -> int:
    """The exit status of a run in a process of its own; negative: the signal that killed it."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        if kill_at:
            os.dup2(null, 2)
        os._exit(main.guard(lambda: main.run(options.parse(words), Killing(kill_at))))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def warm(state: list[str]) -> None:
    """What a run imports and compiles is done once, here: each run, which is a fork, has it then."""
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
        for verb in ("status", "plan"):
            main.run(options.parse([verb, "all", *OPTIONS[:4], *state]), System())
    gc.disable()


def snapshot() -> list[str]:
    return list(readings.lines("server"))


def main_program() -> int:
    done = subprocess.run(["sh", "-eu"], input=SETUP, text=True, stderr=subprocess.PIPE)
    if done.returncode != 0:
        print(f"cannot be set up here: {done.stderr.strip()}")
        return SKIP
    kills = 0
    # In memory: what a process has written does not go with it, so that no fsync has to reach a disk.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as scratch:
        state = ["--state", scratch + "/state/state.json"]
        warm(state)
        snapshot()  # Reading may load modules.
        before = snapshot()
        while True:
            status = tune(["apply", "all", *OPTIONS, *state], kills + 1)
            if status != -signal.SIGKILL:
                break
            kills += 1
            reverted = tune(["revert", *state])
            after = snapshot()
            if reverted != 0 or after != before or os.listdir(scratch + "/state"):
                print(f"killed after write {kills}: revert ended with {reverted}; {os.listdir(scratch + '/state')}")
                show(before, after)
                return 1
        tune(["revert", *state])
        after = snapshot()
        if after != before:
            show(before, after)
            return 1
    print(f"{kills} kills, each reverted")
    return 0 if kills > 10 else 1


def show(one: list[str], other: list[str]) -> None:
    for line in [f"- {line}" for line in one if line not in other] + [f"+ {line}" for line in other if line not in one]:
        print(line)


if __name__ == "__main__":
    sys.exit(main_program())
