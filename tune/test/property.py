#!/usr/bin/python3 -ISB
"""Whatever happens between, revert gives back what was there, or names what it does not.

  property.py sweep               kill `apply all` at each of its points; revert gives the host of before
  property.py random FIRST LAST   random runs: apply, verify, revert, foreign changes, refusals, kills

Prints what failed with its seed; exit status 0 if nothing did.
"""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import model  # noqa: E402

ACCEPT = ["--accept", "security,connectivity", "--confirm-within", "0", "--write-bootloader", "--keep-going"]
SELECTORS = [
    "all",
    "all-safe",
    "all-lab",
    "3",
    "4",
    "5",
    "6",
    "8",
    "9",
    "10",
    "11",
    "2",
    "5/tx-*",
    "9/gro",
    "6/napi*",
    "4/nft*",
]
RUNS = 14
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # For many small files.
DEFAULT_QDISC = "/proc/sys/net/core/default_qdisc"
# What someone else may set: other than any original, and than any value of tune's.
FOREIGN = {
    "/proc/sys/net/core/rmem_max": "4711",
    "/proc/sys/net/core/busy_poll": "33",
    "/proc/sys/net/ipv4/tcp_congestion_control": "bbr",
    "/proc/irq/24/smp_affinity_list": "0-3",
    "/sys/class/net/eth0/queues/tx-0/xps_cpus": "f",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil",
    "/sys/devices/system/cpu/cpu1/cpuidle/state1/disable": "0",
    "rules": "table inet theirs {\n}",
    "tx-usecs": "77",
    "gro": "on",
    "qdisc": "mq 8009: fq",
    "irqbalance": "active",
}
# The kernel gives these back by another way than by the same bytes.
KNOBS = {
    "rules": "nft ruleset",
    "qdisc": "qdisc",
    "/proc/irq/24/smp_affinity_list": "irq/24 eth0-Tx-Rx-0",
    "/sys/class/net/eth0/queues/tx-0/xps_cpus": "tx-0/xps_cpus",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "cpu0/scaling_governor",
    "/sys/devices/system/cpu/cpu1/cpuidle/state1/disable": "cpu1/state1/disable",
}


class Broken(Exception):
    pass


def knob_of(item: str) -> str:
    if item in KNOBS:
        return KNOBS[item]
    name = item.replace("/proc/sys/", "").replace("/", ".") if item.startswith("/proc/sys/") else item
    return "tcp_congestion_control" if name.endswith("tcp_congestion_control") else name


def sweep() -> int:
    with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
        root, state = scratch + "/root", ["--state", scratch + "/state/state.json"]
        model.make(root)
        model.warm(root)
        before = model.items(root)
        status, said, points = model.tune(root, ["apply", "all", *ACCEPT, *state])
        assert status in (0, 1), said
        print(f"{points} points")
        model.tune(root, ["revert", *state])
        for point in range(1, points + 1):
            status, said, _ = model.tune(root, ["apply", "all", *ACCEPT, *state], kill_at=point)
            if status != model.KILLED:
                raise Broken(f"point {point}: not killed: {said}")
            if model.items(root)[DEFAULT_QDISC] != before[DEFAULT_QDISC]:
                # It was killed while it had that borrowed: the next run gives it back first.
                model.tune(root, ["apply", "10", *ACCEPT, *state])
                if model.items(root)[DEFAULT_QDISC] != before[DEFAULT_QDISC]:
                    raise Broken(f"point {point}: {DEFAULT_QDISC} is still borrowed")
            status, said, _ = model.tune(root, ["revert", *state])
            after = model.items(root)
            if status != 0 or after != before or os.path.exists(state[1]):
                raise Broken(f"point {point}: {status}\n{difference(before, after)}\n{said}")
            left = os.listdir(scratch + "/state")
            if left:
                raise Broken(f"point {point}: left {left}")
    return 0


def difference(before: dict[str, str], after: dict[str, str]) -> str:
    names = sorted(set(before) | set(after))
    return "\n".join(
        f"  {name}: {before.get(name)!r} -> {after.get(name)!r}"
        for name in names
        if before.get(name) != after.get(name)
    )


def one_random(seed: int, scratch: str) -> None:
    dice = random.Random(seed)
    root, state = f"{scratch}/{seed}", ["--state", f"{scratch}/{seed}.state/state.json"]
    model.make(root)
    baseline = model.items(root)
    history: list[str] = []
    try:
        for _ in range(RUNS):
            random_event(dice, root, state, baseline, history)
        finish(root, state, baseline, history)
    except Broken as broken:
        raise Broken(f"seed {seed}: {broken}\n  " + "\n  ".join(history)) from broken


def random_event(
    dice: random.Random, root: str, state: list[str], baseline: dict[str, str], history: list[str]
) -> None:
    refusing = dice.sample(
        model.REFUSABLE + tuple(name for name in FOREIGN if name[0] == "/"), dice.choice((0, 0, 1, 2))
    )
    kill = dice.randrange(1, 200) if dice.random() < 0.4 else 0
    what = dice.choice(("apply", "apply", "apply", "revert", "verify", "foreign"))
    if what == "foreign":
        item = dice.choice(sorted(FOREIGN))
        history.append(f"foreign {item} = {FOREIGN[item]!r}")
        if item not in recorded(root, state):
            baseline[item] = FOREIGN[item] + ("\n" if item[0] == "/" else "")
        change(root, item)
        return
    words = [what, *dice.sample(SELECTORS, dice.choice((1, 1, 2)))]
    more = ACCEPT if what == "apply" else []
    status, said, _ = model.tune(root, [*words, *more, *state], kill, refusing)
    history.append(f"{' '.join(words)} kill={kill} refusing={refusing}: {status}")
    if status not in (0, 1, 2, model.KILLED) or "Traceback" in said:
        raise Broken(f"{words}: {status}\n{said}")


def recorded(root: str, state: list[str]) -> set[str]:
    """Items that the state has a record of: their original is kept, whatever comes later."""
    try:
        with open(state[1]) as file:
            text = file.read()
    except FileNotFoundError:
        return set()
    found = set()
    for item in FOREIGN:
        knob = re.escape(knob_of(item))
        if re.search(rf'"knob":"{knob}"', text):
            found.add(item)
    return found


def change(root: str, item: str) -> None:
    if item[0] == "/":
        model.put(root, item, FOREIGN[item])
        return
    import json

    with open(root + "/fake/world.json") as file:
        world = json.load(file)
    world[item] = FOREIGN[item]
    with open(root + "/fake/world.json", "w") as file:
        json.dump(world, file)


def finish(root: str, state: list[str], baseline: dict[str, str], history: list[str]) -> None:
    status, said, _ = model.tune(root, ["revert", *state])
    after = model.items(root)
    named = set(re.findall(r"^  (?:skipped|gone) +(.*?)  ", said, re.M))
    for name in sorted(set(baseline) | set(after)):
        if baseline.get(name) != after.get(name) and knob_of(name) not in named:
            raise Broken(
                f"{name} is {after.get(name)!r}, was {baseline.get(name)!r}, and revert does not name it:\n{said}"
            )
    if named and status != 1:
        raise Broken(f"revert names {named} and ends with {status}")
    status, said, _ = model.tune(root, ["revert", "--force", *state])
    after = model.items(root)
    if status != 0 or after != baseline or os.path.exists(state[1]):
        raise Broken(f"revert --force: {status}\n{difference(baseline, after)}\n{said}")


def main(words: list[str]) -> int:
    try:
        if words == ["sweep"]:
            return sweep()
        if len(words) == 3 and words[0] == "random":
            with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
                model.make(scratch + "/warm")
                model.warm(scratch + "/warm")
                for seed in range(int(words[1]), int(words[2]) + 1):
                    one_random(seed, scratch)
            return 0
    except Broken as broken:
        print(broken)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
