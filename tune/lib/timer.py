"""The dead-man timer: a change that may cut the line we type on is taken back unless confirmed.

It is a process of its own, a copy of this one that has everything loaded: it needs no file of tune's
any more, no terminal and no shell, nothing but the state. It is there before the first write that can
cut the line, and its deadline moves with each such write.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid

from host import Host
from knobs import Catalogue, Selection
from output import Failure, warn
from state import State

LOCK_SECONDS = 600.0  # It has nobody to try again for it.
LOOK_SECONDS = 0.2


class Timer:
    def __init__(self, host: Host, catalogue: Catalogue, state: State) -> None:
        self.host, self.catalogue, self.state = host, catalogue, state
        self.seconds = host.options.confirm_seconds
        self.started = False
        self.wanted = False

    @property
    def log(self) -> str:
        path = self.state.path
        return (path[: -len(".json")] if path.endswith(".json") else path) + ".timer.log"

    def want(self, step: int) -> None:
        """Puts the step and a new deadline into the state, which is saved next."""
        if self.seconds <= 0:
            return
        self.wanted = True
        steps = {int(word) for word in self.state.confirm_steps.split()} | {step}
        self.state.confirm_steps = " ".join(map(str, sorted(steps)))
        self.state.token = self.state.token if self.started else str(uuid.uuid4())
        self.state.deadline = str(int(time.time()) + self.seconds)

    def start(self) -> None:
        if self.seconds <= 0 or self.started:
            return
        self.started = True
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork() == 0:
            self._detach()

    def announce(self) -> None:
        if not self.wanted:
            return
        self.state.deadline = str(int(time.time()) + self.seconds)
        from applying import state_facts
        from verdict import command_of

        self.state.save(state_facts(self.catalogue))
        steps = self.state.confirm_steps.split()
        which = f"step {steps[0]} is" if len(steps) == 1 else f"steps {' '.join(steps)} are"
        command = command_of(self.host.options, "confirm")
        warn(f"{which} reverted in {self.seconds} s unless you run, from a new login: {command} (log: {self.log})")

    def _detach(self) -> None:
        """In the child: never returns."""
        try:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
            old = os.umask(0o077)
            try:
                os.unlink(self.log)
            except FileNotFoundError:
                pass
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.umask(old)
            null = os.open(os.devnull, os.O_RDONLY)
            for number, descriptor in ((0, null), (1, log), (2, log)):
                os.dup2(descriptor, number)
            os.closerange(3, 4096)
            for name in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                signal.signal(name, signal.SIG_IGN if name != signal.SIGTERM else signal.SIG_DFL)
            os.chdir("/")
            self._wait_and_revert(self.state.token)
        except Failure as failure:
            print(f"tune: {failure}", file=sys.stderr)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _wait_and_revert(self, token: str) -> None:
        from reverting import Revert
        from verdict import Report

        state = State(self.state.path, self.state.valid)
        while True:
            state.load()
            if state.token != token:
                return  # Confirmed, or reverted.
            left = int(state.deadline or 0) - time.time()
            if left <= 0:
                break
            time.sleep(min(left, LOOK_SECONDS) if left < 2 else min(left - 1, 5))
        options = self.host.options
        options.verb, options.json, options.verbose, options.dry_run = "revert", False, True, False
        options.selectors = state.confirm_steps.split()
        self.host.system.heard.clear()
        selection = Selection(options.selectors, self.catalogue.selection.steps)
        catalogue = Catalogue(self.host, state, selection)
        report = Report(self.host, selection.steps, True, True)
        Revert(catalogue, state, report).run(token, LOCK_SECONDS)


def confirm(catalogue: Catalogue, state: State) -> int:
    from applying import same_netns, state_facts

    host = catalogue.host
    if os.path.lexists(state.path):
        state.lock()
        state.load()
        same_netns(state, host.netns)
        if state.host.get("boot_id", host.boot_id) != host.boot_id:
            state.forget_boot()
    if not state.token:
        warn(f"confirm: nothing waits for it in {state.path}")
        return 1
    steps = state.confirm_steps
    state.token = state.deadline = state.confirm_steps = ""
    state.save(state_facts(catalogue))
    if host.options.json:
        import json

        print(json.dumps({"verb": "confirm", "steps": [int(step) for step in steps.split()], "exit": 0}))
    else:
        print(f"kept: {'step' if len(steps.split()) == 1 else 'steps'} {steps}")
    return 0
