"""What every program here uses: messages, tools, numbers of the command line, the JVM."""

from __future__ import annotations

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
from types import FrameType
from typing import Callable, NoReturn, Optional, Sequence

from output import Failure, fail

JDK_MIN = 22
JVM_DIRECTORY = "/usr/lib/jvm"  # Where distributions keep their JDKs.
HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Interrupted(BaseException):
    """A signal that ends the run; what was begun is taken back on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def watch_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """What was begun is now taken back, and must not be cut short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: Optional[FrameType]) -> NoReturn:
    raise Interrupted(number)


def program(name: str, body: Callable[[list[str]], int]) -> NoReturn:
    """Runs a verb's program to its exit status."""
    try:
        sys.exit(body(sys.argv[1:]))
    except Failure as failure:
        say(f"tune {name}: {failure}")
    except Interrupted as interrupted:
        sys.exit(interrupted.status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Or Python would complain at its end.
    except OSError as error:
        say(f"tune {name}: {error.filename or ''}: {error.strerror or error}")
    sys.exit(2)


class Arguments:
    """A command line of flags and of options with a value; what it does not know is named."""

    def __init__(
        self, name: str, usage: str, words: Sequence[str], flags: Sequence[str], values: Sequence[str]
    ) -> None:
        self.name = name
        self.flags: set[str] = set()
        self.values: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.rest: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            option, equals, value = word.partition("=")
            if word in ("-h", "--help"):
                print(usage, end="")
                sys.exit(0)
            if word in flags:
                self.flags.add(word)
            elif option in values:
                if not equals:
                    if not rest:
                        fail(f"{word}: a value is missing; see tune {name} --help")
                    value = rest.pop(0)
                self.values[option] = value
                self.lists.setdefault(option, []).append(value)
            elif word.startswith("-"):
                fail(f"{word}: no such option; see tune {name} --help")
            else:
                self.rest.append(word)

    def text(self, option: str, default: str = "") -> str:
        return self.values.get(option, default)

    def number(self, option: str, default: int, least: int = 1) -> int:
        text = self.values.get(option, str(default))
        if not re.match(r"[0-9]{1,9}\Z", text) or int(text) < least:
            fail(f"{option} {text}: a number from {least} up")
        return int(text)


def need(*tools: tuple[str, str]) -> None:
    """Names the Debian package of every tool that is missing."""
    missing = [f"{tool} (Debian package {package})" for tool, package in tools if not shutil.which(tool)]
    if missing:
        fail(f"missing: {', '.join(missing)}")


def find_java(given: str) -> str:
    """A JDK new enough. What is given, or else JAVA_HOME's, must be one; where neither is given and the
    java on PATH is older, the newest of the distribution's is taken."""
    named = given or (os.environ["JAVA_HOME"] + "/bin/java" if os.environ.get("JAVA_HOME") else "")
    what = f"--java {given}" if given else named
    if named:
        found = shutil.which(named)
        if not found:
            fail(f"{what}: not found")
        if java_version(found) < JDK_MIN:
            what = f"--java {found}" if given else found
            fail(f"{what}: JDK {JDK_MIN} or later is needed, and this is {java_version(found)}")
        return found
    on_path = shutil.which("java")
    if on_path and java_version(on_path) >= JDK_MIN:
        return on_path
    others = [java for java in sorted(glob.glob(f"{JVM_DIRECTORY}/*/bin/java")) if os.access(java, os.X_OK)]
    newest = max(others, key=java_version, default="")
    if not newest or java_version(newest) < JDK_MIN:
        fail(
            f"no JDK {JDK_MIN} or later on PATH or in {JVM_DIRECTORY}: install one (Debian package openjdk-25-jdk), "
            "or name it with --java or JAVA_HOME"
        )
    return newest


def java_version(java: str) -> int:
    """The feature release: 25; 0 where it does not say."""
    done = subprocess.run([java, "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r'version "([0-9]{1,4})', done.stdout)
    return int(found.group(1)) if found else 0


def output_of(command: Sequence[str]) -> str:
    """What it prints, or '' where it fails or is not there."""
    try:
        done = subprocess.run(
            list(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
    except OSError:
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def text_of(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def last_line(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[-1] if lines else ""


def write_whole(path: str, text: str) -> None:
    """The whole file or none."""
    with open(path + ".part", "w") as file:
        file.write(text)
    os.rename(path + ".part", path)
