"""Knobs: what a step sets on this host, and what is only looked at."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional

import article
import definitions
import kinds
from definitions import Definition
from devices import Device
from host import Host
from kinds import Kind, Reading
from output import fail
from state import State

FACT = "fact"  # The kind of a row that is read and never written.
UNSAFE = (definitions.SECURITY, definitions.CONNECTIVITY, definitions.LAB)  # Not part of all-safe.
NEEDS_ACCEPT = (definitions.SECURITY, definitions.CONNECTIVITY)


@dataclass
class Knob:
    """One setting of this host: what defines it, where it is, what it shall be; and how it stands."""

    step: int
    name: str
    kind: str
    argument: str
    target: str
    risks: tuple[str, ...] = ()
    reason: str = ""
    conflict: str = ""  # Why it must not be written, where it differs.
    current: str = ""
    state: str = ""
    pending: str = ""  # Why a value that is as wanted is not in force yet.
    settles: bool = False  # Differs for a moment after a write, until the kernel comes to it.
    definition: Optional[Definition] = None  # None for what is only looked at.

    @property
    def writable(self) -> bool:
        return self.kind != FACT


@dataclass(frozen=True)
class Step:
    number: int
    name: str
    title: str
    declare: Callable[["Context"], Iterable[Knob]]

    @property
    def gain(self) -> str:
        """The article's."""
        return article.gain(self.number)


@dataclass
class Context:
    """What a step declares its knobs from."""

    host: Host
    kinds: dict[str, Kind]
    state: State
    selection: Selection
    step: int = 0
    facts: bool = True  # Whether what is only looked at is wanted too: it costs commands.

    def knob(
        self,
        definition: Definition,
        device: Optional[Device] = None,
        *,
        target: str = "",
        why: str = "",
        risks: Optional[tuple[str, ...]] = None,
        **parts: object,
    ) -> Knob:
        """A definition on this host. `why`: a word about this host; the definition says it in general."""
        if device:
            parts["device"] = device.name
        name = definition.name.format(**parts)
        return Knob(
            definition.step,
            self.named(device, name) if device else name,
            definition.kind.name,
            definition.argument.format(**parts),
            target or definition.target,
            definition.risks if risks is None else risks,
            why,
            definition=definition,
        )

    def named(self, device: Device, name: str) -> str:
        """A device's name stands before its knobs where it is not the interface itself."""
        if [one.name for one in self.host.devices] == [self.host.iface]:
            return name
        return f"{device.name}:{name}"

    def fact(self, name: str, current: str, target: str, state: str, why: str = "") -> Knob:
        found = definitions.find(self.step, name)
        return Knob(self.step, name, FACT, "", target, (), why, "", current, state, definition=found)

    def missing(self, name: str, target: str, cause: str) -> Knob:
        """A knob that this host does not have."""
        return self.fact(name, "", target, "unsupported", cause)

    def read(self, kind: str, argument: str) -> Optional[Reading]:
        return kinds.optional(self.kinds, kind, argument)


class Selection:
    """Which steps, and which of their knobs, were asked for."""

    def __init__(self, selectors: list[str], steps: dict[int, Step]) -> None:
        self.selectors, self.steps = selectors, steps
        self.whole: set[int] = set()
        self.patterns: dict[int, list[str]] = {}
        self.groups: set[str] = set()
        for selector in selectors:
            self._take(selector)

    def _take(self, selector: str) -> None:
        if selector == "all":
            self.whole |= set(self.steps)
        elif selector in ("all-safe", "all-lab"):
            self.groups.add(selector)
        elif "/" in selector:
            step, _, pattern = selector.partition("/")
            self.patterns.setdefault(self.number(step), []).append(pattern)
        elif re.match(r"[0-9]+-[0-9]+\Z", selector):
            first, last = (self.number(part) for part in selector.split("-"))
            if first > last:
                fail(f"{selector}: the range is empty")
            self.whole |= set(range(first, last + 1))
        else:
            self.whole.add(self.number(selector))

    def number(self, text: str) -> int:
        if re.match(r"[0-9]{1,2}\Z", text) and int(text) in self.steps:
            return int(text)
        for step in self.steps.values():
            if step.name == text:
                return step.number
        fail(f"{text}: no such step; there are 1 to {max(self.steps)}, all, all-safe, all-lab (tune --help names them)")

    @property
    def numbers(self) -> list[int]:
        """In the article's order, whatever order was typed."""
        return sorted(self.steps if self.groups else self.whole | set(self.patterns))

    @property
    def names_steps(self) -> bool:
        """Whether particular steps are meant, and so their knobs shall be seen."""
        return bool(self.patterns) or bool(self.whole and len(self.whole) < len(self.steps))

    def names(self, step: int, knob: str) -> bool:
        """Whether a selector names this very knob."""
        return any(matches(knob, pattern) for pattern in self.patterns.get(step, []))

    def takes(self, knob: Knob) -> bool:
        if knob.step in self.whole or self.names(knob.step, knob.name):
            return True
        if not self.groups or not knob.writable:
            return False  # all-safe asks for settings; what is only looked at belongs to a step.
        safe = not set(knob.risks) & set(UNSAFE)
        if "all-safe" in self.groups and safe:
            return True
        return "all-lab" in self.groups and not safe and "security" not in knob.risks


def matches(name: str, pattern: str) -> bool:
    """Where there are several devices a knob's name has its device before it; both ways match."""
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.rpartition(":")[2], pattern)


class Catalogue:
    """The knobs of the steps asked for, declared from what is there now."""

    def __init__(self, host: Host, state: State, selection: Selection) -> None:
        self.host, self.selection = host, selection
        self.kinds = kinds.table(host)
        self.context = Context(host, self.kinds, state, selection)

    def declare(self, numbers: Iterable[int], facts: bool = True) -> list[Knob]:
        found: list[Knob] = []
        self.context.facts = facts
        for number in numbers:
            self.context.step = number
            found += [knob for knob in self.selection.steps[number].declare(self.context) if self.selection.takes(knob)]
        return found

    def evaluated(self, numbers: Iterable[int]) -> Iterator[Knob]:
        for knob in self.declare(numbers):
            self.evaluate(knob)
            yield knob

    def evaluate(self, knob: Knob) -> Optional[Reading]:
        """Reads the knob, and says how it stands."""
        if not knob.writable:
            return None
        kind = self.kinds[knob.kind]
        try:
            reading = kind.read(knob.argument)
        except kinds.Unreadable as error:
            knob.current, knob.reason = "", error.cause
            knob.state = "unknown" if error.needs_root else "unsupported"
            return None
        knob.current = reading.value
        if kind.same(knob.argument, reading.value, knob.target):
            knob.state = "applied"
            knob.reason = reading.note or knob.reason
            if knob.pending:
                knob.state, knob.reason = "needs-reboot", knob.pending
        elif reading.moot:
            knob.state, knob.reason = "applied", reading.moot
        elif reading.readonly:
            knob.state, knob.reason = "unsupported", reading.readonly
        elif knob.conflict:
            knob.state, knob.reason = "conflict", knob.conflict
        elif "global" in knob.risks and self.host.child_netns and "global" not in self.host.options.accepted:
            knob.state = "unsupported"
            knob.reason = "the whole host has one of it, not each namespace: --accept global"
        else:
            knob.state = "differs"
        return reading


def of_record(step: int, name: str, kind: str, argument: str, target: str) -> Knob:
    """As the state has it."""
    return Knob(step, name, kind, argument, target, definition=definitions.find(step, name))
