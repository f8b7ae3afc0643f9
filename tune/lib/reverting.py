"""revert: the originals, last change first."""

from __future__ import annotations

import os
from typing import Optional

import kinds
import plan
import signals
from applying import drop_stale, same_device, same_netns, state_facts
from knobs import Catalogue, of_record
from output import brief, warn
from state import Record, State
from system import Action, Borrow, Result, run_all, sh_all
from verdict import Report

PRINTED_MAX = 4096  # Characters of a command that is worth printing.


class Revert:
    def __init__(self, catalogue: Catalogue, state: State, report: Report) -> None:
        self.catalogue, self.state, self.report = catalogue, state, report
        self.host, self.options = catalogue.host, catalogue.host.options
        self.system = self.host.system
        self.commands: list[str] = []  # What was done, for sh.

    def run(self, token: str = "", lock_seconds: float = 10.0) -> int:
        """With the token of the dead-man timer: only if nobody has confirmed or reverted meanwhile."""
        if not os.path.isdir(self.state.directory):
            self.report.end(0)  # Nothing is recorded, and no directory is made for that.
            return 0
        self.state.lock(lock_seconds)
        self.state.load()
        same_netns(self.state, self.host.netns)
        same_device(self.state, self.catalogue)
        if token and token != self.state.token:
            return 0
        self.after_reboot()
        signals.watch()
        self.report.begin()
        for record in sorted(self.state.records.values(), key=lambda record: -record.seq):
            if signals.caught():
                break
            if self.selected(record):
                self.revert(record)
        if token or not self.waiting_for_confirm():
            self.state.token = self.state.deadline = self.state.confirm_steps = ""
        if not self.options.dry_run:
            self.save()
        status = self.report.status
        if signals.caught():
            left = len(self.state.records)
            warn(f"{signals.caught()}: ended after the knob at hand; {left} settings are left: revert again")
            status = signals.exit_status()
        self.report.end(status)
        self.by_hand()
        return status

    def after_reboot(self) -> None:
        drop_stale(self.state, self.host.boot_id)

    def selected(self, record: Record) -> bool:
        """Steps or knobs; all-safe and all-lab are what was recorded of them, so everything."""
        selection = self.catalogue.selection
        if not self.options.selectors or selection.groups:
            return True
        return record.step in selection.whole or selection.names(record.step, record.knob)

    def waiting_for_confirm(self) -> bool:
        steps = self.state.confirm_steps.split()
        return any(str(record.step) in steps for record in self.state.records.values())

    def save(self) -> None:
        self.state.save(state_facts(self.catalogue))

    def by_hand(self) -> None:
        if self.options.json or not self.commands:
            return
        print("\n# The same by hand:")
        plan.begin(self.host, "revert")
        for command in self.commands:
            lines = command.count("\n") + 1
            print(command if len(command) <= PRINTED_MAX else f"# {command[:40].splitlines()[0]} ... ({lines} lines)")
        plan.end(self.host)

    def row(self, record: Record, state: str, current: str, reason: str = "", command: str = "") -> None:
        kind = self.catalogue.kinds[record.kind]
        knob = of_record(record.step, record.knob, record.kind, record.argument, record.original)
        shown = (kind.shown(record.argument, current) if current else "", kind.shown(record.argument, record.original))
        self.report.add(knob, state=state, reason=reason, current=current, command=command, shown=shown, written=True)

    def revert(self, record: Record) -> None:
        kind = self.catalogue.kinds[record.kind]
        later = self.later(record)
        if later:
            # A later step holds the same knob: the original goes to its record, and nothing is written.
            later.original, later.kept = record.original, ""
            self.row(record, "applied", record.ours, f"step {later.step} goes on with it")
            if not self.options.dry_run:
                self.state.drop(record)
            return
        try:
            current = kind.read(record.argument).value
        except kinds.Unreadable as error:
            self.unreadable(record, error)
            return
        if kind.same(record.argument, current, record.original):
            self.row(record, "reverted", current, "it is the original already")
            self.finish(record)
            return
        actions = kind.change(record.argument, record.original, current)
        command = sh_all(self.system, actions)
        if not self.options.force and not kind.same(record.argument, current, record.ours):
            why = f"someone else has changed it (ours was '{brief(record.ours)}'); --force reverts it"
            self.row(record, "skipped", current, why, command)
            self.report.differs = True
            return
        self.commands.append(command)
        if self.options.dry_run:
            self.row(record, "planned", current, "", command)
            return
        self.write(record, kind, current, actions, command)

    def later(self, record: Record) -> Optional[Record]:
        for other in self.state.records.values():
            if other.seq > record.seq and (other.kind, other.argument) == (record.kind, record.argument):
                return other
        return None

    def unreadable(self, record: Record, error: kinds.Unreadable) -> None:
        ended = isinstance(error, kinds.Ended)
        if ended or self.options.force:
            self.row(record, "dropped", "", error.cause if ended else f"--force; it cannot be read: {error.cause}")
            if not self.options.dry_run:
                self.state.drop(record)
            return
        warn(
            f"step {record.step}, {record.knob} ({record.argument}): gone, its original was "
            f"'{brief(record.original)}': {error.cause}; --force forgets it"
        )
        self.row(record, "gone", "", error.cause)
        self.report.error = True

    def write(self, record: Record, kind: kinds.Kind, current: str, actions: list[Action], command: str) -> None:
        result = self.run_borrowing(record, actions)
        if result.status != 0:
            said = result.errno_text
            cause = kind.cause(record.argument, said)
            self.row(record, "differs", current, f"refused: {said}" + (f": {cause}" if cause else ""), command)
            last = result.output.rpartition("\n")[2]
            warn(f"step {record.step}, {record.knob}: {brief(command, 200)}: {last}")
            self.report.error = True
            return
        try:
            value = kind.read(record.argument).value
        except kinds.Unreadable as error:
            value = error.cause
        if not kind.same(record.argument, value, record.original):
            self.row(record, "differs", value, f"written, but it reads back as '{brief(value)}'", command)
            self.report.error = True
            return
        if record.kind == "bootline":
            self.row(record, "needs-reboot", value, "takes effect with the next boot", command)
        else:
            self.row(record, "reverted", current, "", command)
        self.finish(record)

    def run_borrowing(self, record: Record, actions: list[Action]) -> Result:
        lent = [
            self.state.add(record.step, action.sysctl, "sysctl", action.sysctl, action.original, action.value)
            for action in actions
            if isinstance(action, Borrow)
        ]
        if lent:
            self.save()
        result = run_all(self.system, actions)
        for other in lent:
            self.state.drop(other)
        return result

    def finish(self, record: Record) -> None:
        """The record goes once the original is back, one at a time: an interrupted revert can go on."""
        if self.options.dry_run:
            return
        bootline = self.catalogue.kinds["bootline"]
        if record.kind == "bootline" and isinstance(bootline, kinds.Bootline):
            bootline.forget_copy(record.argument)
        self.state.drop(record)
        self.save()


def revert(catalogue: Catalogue, state: State, report: Report) -> int:
    return Revert(catalogue, state, report).run()
