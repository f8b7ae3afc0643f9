"""The machine as tune reaches it: files below a root, and commands. Tests put their own in its place."""

from __future__ import annotations

import glob as globbing
import os
import subprocess
from dataclasses import dataclass
from typing import Optional, Sequence

from output import quote


@dataclass(frozen=True)
class Result:
    """What a command said on both of its outputs, and its exit status."""

    status: int
    output: str

    @property
    def errno_text(self) -> str:
        """The last line, without the names before the message."""
        line = self.output.rstrip("\n").rpartition("\n")[2]
        return line.rpartition(": ")[2].strip() or "no message"


class System:
    """Reads and writes the host. Every path is given without the root that stands before it."""

    def __init__(self, root: str = "") -> None:
        self.root = root
        self.heard: dict[tuple[str, ...], Result] = {}  # Slow readers, until something is written.

    def path(self, name: str) -> str:
        return self.root + name

    def read(self, name: str) -> str:
        """The content without its last newlines. Raises OSError."""
        with open(self.path(name), "rb") as file:
            return file.read().decode(errors="surrogateescape").rstrip("\n")

    def line(self, name: str) -> str:
        """The first line, or '' where there is none to read."""
        try:
            return self.read(name).partition("\n")[0]
        except OSError:
            return ""

    def text(self, name: str) -> str:
        """The content, or '' where there is none to read."""
        try:
            return self.read(name)
        except OSError:
            return ""

    def words(self, name: str) -> list[str]:
        """What NUL bytes separate: a command line, an environment."""
        return self.text(name).rstrip("\0").split("\0")

    def exists(self, name: str) -> bool:
        return os.path.exists(self.path(name))

    def directory(self, name: str) -> bool:
        return os.path.isdir(self.path(name))

    def listing(self, name: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path(name)))
        except OSError:
            return []

    def glob(self, pattern: str) -> list[str]:
        """Paths that match, without the root, in order."""
        return sorted(found[len(self.root) :] for found in globbing.glob(globbing.escape(self.root) + pattern))

    def link_name(self, name: str) -> str:
        """The last name of where a link leads, or ''."""
        return os.path.basename(os.path.realpath(self.path(name))) if self.exists(name) else ""

    def write(self, name: str, text: str) -> None:
        """One write(2), as the kernel's files want it. Raises OSError."""
        data = (text + "\n").encode(errors="surrogateescape")
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        self.written()

    def written(self) -> None:
        """After each write, whatever made it: what was heard need not be so any more."""
        self.heard.clear()

    def has(self, tool: str) -> bool:
        places = os.environ.get("PATH", os.defpath).split(os.pathsep)
        return any(os.access(os.path.join(place, tool), os.X_OK) for place in places)

    def run(self, arguments: Sequence[str], given: Optional[str] = None) -> Result:
        """Runs a command that changes something.

        In a session of its own, so that Ctrl-C on our terminal does not cut it short, and without
        our descriptors, so that what it leaves running holds no lock of ours.
        """
        result = self.ask(arguments, given)
        self.written()
        return result

    def ask(self, arguments: Sequence[str], given: Optional[str] = None) -> Result:
        """Runs a command that only reads."""
        environment = dict(os.environ, LC_ALL="C")
        try:
            done = subprocess.run(
                list(arguments),
                input=None if given is None else (given + "\n").encode(errors="surrogateescape"),
                stdin=subprocess.DEVNULL if given is None else None,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            return Result(127, f"{arguments[0]}: {error.strerror}")
        return Result(done.returncode, done.stdout.decode(errors="surrogateescape").rstrip("\n"))

    def hear(self, *arguments: str) -> Result:
        """Asks once, until something is written."""
        if arguments not in self.heard:
            self.heard[arguments] = self.ask(arguments)
        return self.heard[arguments]


def quoted(*words: str) -> str:
    """A command in sh."""
    return " ".join(quote(word) for word in words)


class Action:
    """One thing done to the host: it runs, and it says itself in sh; both are the same."""

    def run(self, system: System) -> Result:
        raise NotImplementedError

    def sh(self, system: System) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Write(Action):
    path: str
    text: str

    def run(self, system: System) -> Result:
        try:
            system.write(self.path, self.text)
        except OSError as error:
            return Result(1, f"{system.path(self.path)}: {error.strerror}")
        return Result(0, "")

    def sh(self, system: System) -> str:
        return f"echo {quote(self.text)} > {quote(system.path(self.path))}"


@dataclass(frozen=True)
class Run(Action):
    arguments: tuple[str, ...]
    given: Optional[str] = None  # For standard input, where length has no limit.

    def run(self, system: System) -> Result:
        return system.run(self.arguments, self.given)

    def sh(self, system: System) -> str:
        command = quoted(*self.arguments)
        if self.given is None:
            return command
        # printf is built into sh: no limit of the kernel's for its arguments.
        return f"printf '%s\\n' {quote(self.given)} | {command}"


@dataclass(frozen=True)
class Borrow(Action):
    """Does something while a sysctl of the whole host has another value, and puts that back at once."""

    sysctl: str
    value: str
    original: str
    set_value: Action
    set_original: Action
    actions: tuple[Action, ...]

    def run(self, system: System) -> Result:
        result = self.set_value.run(system)
        if result.status != 0:
            return result
        try:
            result = run_all(system, self.actions)
        finally:
            back = self.set_original.run(system)
        return result if result.status != 0 else back

    def sh(self, system: System) -> str:
        steps = " && ".join(action.sh(system) for action in self.actions)
        there, back = self.set_value.sh(system), self.set_original.sh(system)
        return f"(trap '' HUP INT TERM; {there} && {{ s=0; {{ {steps}; }} || s=$?; {back} && exit $s; }})"


def run_all(system: System, actions: Sequence[Action]) -> Result:
    """Until one fails."""
    for action in actions:
        result = action.run(system)
        if result.status != 0:
            return result
    return Result(0, "")


def sh_all(system: System, actions: Sequence[Action]) -> str:
    return " && ".join(action.sh(system) for action in actions)
