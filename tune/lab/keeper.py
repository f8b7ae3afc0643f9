"""What a run has made is taken back, however the run ends.

Two processes: the run, and its parent, the keeper. Before the run makes anything it writes into its
journal how to undo it. On a failure or a signal the run itself undoes that, the last first. If the run
is killed, the keeper does it from the journal: processes that lost their parent come to the keeper,
which ends them by pid. If the keeper is killed, the run gets SIGTERM. Only where both are killed at
once something stays behind.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from types import FrameType, TracebackType
from typing import Callable, NoReturn, Optional, Sequence, Type

from lab import commands
from measuring.common import Interrupted, say, text_of
from output import Failure

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ERROR = 2
ORPHANS_SECONDS_MAX = 60.0  # What tune measure needs to revert.
JOURNAL = "undo.json"


class Undo:
    """Commands that take back what was made, the last first; kept in a file, so that another process
    can do it."""

    def __init__(self, scratch: str) -> None:
        self.path = os.path.join(scratch, JOURNAL)
        self.entries: list[tuple[list[str], str]] = []

    def __enter__(self) -> "Undo":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        disregard_signals()  # What is taken back must not be cut short.
        self.unwind()

    def by(self, command: Sequence[str], where: str) -> None:
        """Says, before the thing is made, what undoes it; only where this path exists by then."""
        self.entries.append((list(command), where))
        self._write()

    def forget(self, where: str) -> None:
        """What has this path shall stay."""
        self.entries = [entry for entry in self.entries if entry[1] != where]
        self._write()

    def load(self) -> "Undo":
        try:
            with open(self.path) as file:
                self.entries = [(list(command), where) for command, where in json.load(file)]
        except FileNotFoundError:
            pass  # Nothing was begun, or all was undone.
        return self

    def unwind(self) -> None:
        while self.entries:
            command, where = self.entries[-1]
            if os.path.exists(where):
                try:
                    result = commands.run(command, apart=True)
                    failure = result.failure if result.status != 0 else ""
                except Failure as error:
                    failure = str(error)
                if failure:
                    say(f"tune lab: cannot be undone: {failure}")
            self.entries.pop()
            try:
                self._write()
            except OSError:
                pass  # A full disk: then a kill would find the entry again, and its path gone.

    def _write(self) -> None:
        with open(self.path + ".part", "w") as file:
            json.dump(self.entries, file)
        os.rename(self.path + ".part", self.path)


Body = Callable[[str, Undo], int]


def kept(body: Body) -> int:
    """The exit status of a body, which gets a directory of its own, and where to say what it makes."""
    came: list[int] = []  # Signals; the first is the run's, and decides how it ends, even where it is slow to take it.
    run = 0

    def forward(number: int, frame: Optional[FrameType]) -> None:
        came.append(number)
        if run and len(came) == 1:
            signal_to(run, number)

    for number in ENDING:
        signal.signal(number, forward)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    scratch = tempfile.mkdtemp(prefix="tune-lab.")
    try:
        keeper = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        run = os.fork()
        if run == 0:
            worker(body, scratch, keeper)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        for early in came[:1]:  # It came before there was a run.
            signal_to(run, early)
        status = wait_for(run)
        disregard_signals()
        end_orphans()
        if status < 0:
            name = signal.Signals(-status).name
            say(f"tune lab: the run was ended by {name}; taking back what it had made")
            Undo(scratch).load().unwind()
            status = 128 - status
        return status
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def worker(body: Body, scratch: str, keeper: int) -> NoReturn:
    """Never returns: a forked process must not run what its parent has yet to do."""
    status = ERROR
    try:
        for number in ENDING:
            signal.signal(number, interrupt)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != keeper:
            raise Interrupted(signal.SIGTERM)
        try:
            with Undo(scratch) as undo:
                status = body(scratch, undo)
                sys.stdout.flush()
        finally:
            disregard_signals()
            shutil.rmtree(scratch, ignore_errors=True)
    except Failure as failure:
        say(f"tune lab: {failure}")
    except Interrupted as interrupted:
        status = interrupted.status
    except BrokenPipeError:
        pass  # Nobody reads what it says.
    except OSError as error:
        say(f"tune lab: {error.filename or ''}: {commands.said(error)}")
    except BaseException:
        traceback.print_exc()
        say("tune lab: a defect of the lab ended it, see above; what it had made is undone")
    finally:
        os._exit(status)


def interrupt(number: int, frame: Optional[FrameType]) -> NoReturn:
    """The first signal ends the run; a second would only cut short what the first began."""
    disregard_signals()
    raise Interrupted(number)


def disregard_signals() -> None:
    """By a function: to ignore one that has just come Python calls a race, and prints it."""
    for number in ENDING:
        signal.signal(number, lambda number, frame: None)


def wait_for(pid: int) -> int:
    """Its exit status, negative for a signal; what else ends meanwhile was left to us."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def end_orphans(seconds_max: float = ORPHANS_SECONDS_MAX) -> None:
    """Processes that outlived the run: SIGTERM, and SIGKILL where that is not enough."""
    told: set[int] = set()
    end = time.monotonic() + seconds_max
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if ended:
            continue
        late = time.monotonic() >= end
        for pid in children():
            if late or pid not in told:
                told.add(pid)
                signal_to(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.02)


def children() -> list[int]:
    found, own = [], str(os.getpid())
    for entry in os.listdir("/proc"):
        if entry.isdigit() and text_of(f"/proc/{entry}/stat").rpartition(") ")[2].split()[1:2] == [own]:
            found.append(int(entry))
    return found


def signal_to(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "prctl")
