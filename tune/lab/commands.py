"""Commands and processes: lists of arguments in, results or a named failure out."""

from __future__ import annotations

import errno
import shlex
import subprocess
import time
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Callable, Optional, Sequence, Type

from measuring.common import last_line, say
from output import fail

END_SECONDS_MAX = 30.0  # What tune needs for the knob at hand, and the server for its drain.
PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Result:
    command: Sequence[str]
    status: int
    output: str
    errors: str

    @property
    def failure(self) -> str:
        """The command, how it ended, and the last that it said, which has the errno's text."""
        how = f"signal {-self.status}" if self.status < 0 else f"exit status {self.status}"
        said = last_line(self.errors) or last_line(self.output) or "it says nothing"
        return f"{shown(self.command)}: {how}: {said}"


def shown(command: Sequence[str], words_max: int = 12) -> str:
    """As a person would type it, without the end of a long one."""
    return shlex.join(command[:words_max]) + (" ..." if len(command) > words_max else "")


def said(error: OSError) -> str:
    """ENOENT (No such file or directory)."""
    return f"{errno.errorcode.get(error.errno or 0, 'error')} ({error.strerror or error})"


class Child:
    """A process that ends, by its pid, where the block ends."""

    def __init__(self, command: Sequence[str], seconds_max: float = END_SECONDS_MAX, **streams: Any) -> None:
        self.command, self.seconds_max = list(command), seconds_max
        streams.setdefault("stdin", subprocess.DEVNULL)
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(self.command, **streams)
        except OSError as error:
            fail(f"{shown(command)}: cannot be started: {said(error)}")

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def end(self) -> int:
        """SIGTERM, and SIGKILL where that is not enough; the exit status."""
        if self.runs:
            self.process.terminate()
            try:
                self.process.wait(self.seconds_max)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return self.process.wait()


def run(
    command: Sequence[str],
    given: Optional[str] = None,
    seconds: Optional[float] = None,
    cwd: Optional[str] = None,
    apart: bool = False,
) -> Result:
    """To its end, or at most so many seconds. An exception on the way, such as a signal's, ends it first.
    Apart, Ctrl-C on the terminal does not reach it."""
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": cwd}
    streams["start_new_session"] = apart
    if given is not None:
        streams["stdin"] = subprocess.PIPE
    with Child(command, **streams) as child:
        try:
            output, errors = child.process.communicate(None if given is None else given.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            child.end()
            return Result(command, 124, "", f"no end within {seconds} s")
        return Result(command, child.process.returncode, text(output), text(errors))


def must(
    command: Sequence[str], hint: str = "", given: Optional[str] = None, seconds: Optional[float] = None, cwd: str = ""
) -> str:
    """What it prints; where it fails, a failure that names it, with the way out."""
    result = run(command, given, seconds, cwd or None)
    if result.status != 0:
        fail(result.failure + (f"; {hint}" if hint else ""))
    return result.output


def patiently(command: Sequence[str], progress: Callable[[], str], hint: str = "", cwd: str = "") -> None:
    """As must, for what takes long: every ten seconds says how far it is."""
    with Child(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=cwd or None) as child:
        begun = asked = time.monotonic()
        while child.runs:
            time.sleep(0.1)
            if time.monotonic() - asked >= PROGRESS_SECONDS:
                asked = time.monotonic()
                say(f"    {int(asked - begun)} s: {progress()}")
        errors = text(read_all(child.process.stderr))
        if child.process.returncode != 0:
            failure = Result(command, child.process.returncode, "", errors).failure
            fail(failure + (f"; {hint}" if hint else ""))


def read_all(stream: Optional[IO[bytes]]) -> bytes:
    return stream.read() if stream is not None else b""


def text(data: bytes) -> str:
    return data.decode(errors="replace")
