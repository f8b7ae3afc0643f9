"""plan: what apply would do, as commands for sh with the inverse of each; all else is a comment."""

from __future__ import annotations

import json
from typing import Any

from host import Host
from knobs import Catalogue, Knob
from output import brief, fail, quote
from system import Action, System, sh_all


def plan(catalogue: Catalogue, selectors: list[str]) -> None:
    host, selection = catalogue.host, catalogue.selection
    knobs = catalogue.declare(selection.numbers)
    if not knobs:
        fail(f"{' '.join(selectors)}: no such knob")
    entries = [entry for entry in planned(catalogue, knobs)]
    if host.options.json:
        print(json.dumps({"verb": "plan", "host": host.as_json(), "plan": [entry_json(entry) for entry in entries]}))
        return
    begin(host, f"plan {' '.join(selectors)}")
    if any(entry["command"].startswith("ethtool ") for entry in entries) and not host.system.has("ethtool"):
        print("# ethtool is not installed (Debian package ethtool): apply needs none, these commands do")
    for entry in entries:
        print_entry(catalogue, entry)
    end(host)


def planned(catalogue: Catalogue, knobs: list[Knob]) -> list[dict[str, Any]]:
    """By kind and argument: what a step before has planned is what a later one finds."""
    system, options = catalogue.host.system, catalogue.host.options
    before: dict[tuple[str, str], str] = {}
    entries = []
    for knob in knobs:
        catalogue.evaluate(knob)
        entry: dict[str, Any] = {"knob": knob, "command": "", "undo": "", "held": False}
        entries.append(entry)
        if knob.writable and (knob.kind, knob.argument) in before:
            knob.current = before[knob.kind, knob.argument]
            same = catalogue.kinds[knob.kind].same(knob.argument, knob.current, knob.target)
            knob.state = "applied" if same else "differs"
        if not knob.writable or knob.state != "differs":
            continue
        kind = catalogue.kinds[knob.kind]
        actions = kind.change(knob.argument, knob.target, knob.current)
        entry["command"] = command(system, actions, kind.refusable, knob.name)
        entry["undo"] = sh_all(system, kind.change(knob.argument, knob.current, knob.target))
        if knob.kind == "bootline" and not options.write_bootloader:
            entry["held"] = True
            continue
        before[knob.kind, knob.argument] = knob.target
    return entries


def command(system: System, actions: list[Action], refusable: bool, name: str) -> str:
    """apply goes on where a device refuses a value; so must sh -e."""
    text = sh_all(system, actions)
    if not refusable:
        return text
    return f"{text} || echo {quote(f'refused, and left as it is: {name}')} >&2"


def print_entry(catalogue: Catalogue, entry: dict[str, Any]) -> None:
    knob, kind = entry["knob"], None
    head = f"# {knob.step} {catalogue.selection.steps[knob.step].name}: {knob.name}: "
    if not entry["command"]:
        why = f": {knob.reason}" if knob.reason else ""
        print((head + knob.state + why).replace("\n", " "))
        return
    kind = catalogue.kinds[knob.kind]
    risks = f"; risk: {','.join(knob.risks)}" if knob.risks else ""
    shown = brief(kind.shown(knob.argument, knob.current))
    print((head + f"{shown} -> {brief(knob.target)}{risks}").replace("\n", " "))
    if entry["held"]:
        print(f"#   only with --write-bootloader: {entry['command']}")
        return
    print(entry["command"])
    print("#   undo: " + entry["undo"].replace("\n", "\n#   undo: "))
    print(f"#   proof: {knob.definition.proof}")
    if knob.kind == "channels":
        print("#   then plan again: other queues, other knobs")


def entry_json(entry: dict[str, Any]) -> dict[str, Any]:
    knob = entry["knob"]
    return {
        "step": knob.step,
        "knob": knob.name,
        "current": knob.current,
        "target": knob.target,
        "state": knob.state,
        "reason": knob.reason,
        "risk": list(knob.risks),
        "command": "" if entry["held"] else entry["command"],
        "undo": entry["undo"],
        "proof": knob.definition.proof if knob.definition else "",
    }


def begin(host: Host, what: str) -> None:
    print(f"# tune {what}: {host.line}")
    print(f"ip netns exec {host.netns} sh -eu <<'TUNE'" if host.netns else "set -eu")


def end(host: Host) -> None:
    if host.netns:
        print("TUNE")
