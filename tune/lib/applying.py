"""apply: read, prove the way back, save the original, write, read back; for each knob that differs."""

from __future__ import annotations

import kinds
import plan
import signals
import timer
import verdict
from knobs import NEEDS_ACCEPT, Catalogue, Knob, of_record
from output import brief, fail, plural, warn
from state import Record, State
from system import Action, Borrow, Result, run_all, sh_all
from verdict import Report

DECLINED = ("not supported", "Input/output error")  # The host's answer is no; that is nobody's failure.


class Apply:
    def __init__(self, catalogue: Catalogue, state: State, report: Report) -> None:
        self.catalogue, self.state, self.report = catalogue, state, report
        self.host, self.options = catalogue.host, catalogue.host.options
        self.system = self.host.system
        self.timer = timer.Timer(self.host, catalogue, state)
        self.written = 0

    def run(self) -> int:
        numbers = self.catalogue.selection.numbers
        knobs = list(self.catalogue.evaluated(numbers))
        if not knobs:
            fail(f"{' '.join(self.options.selectors)}: no such knob")
        self.check_risks(knobs)
        self.state.lock()
        self.state.load()
        self.after_reboot()
        self.check_state()
        self.warn_without_locality()
        signals.watch()
        self.return_borrowed()
        self.report.begin()
        for number in numbers:
            if not self.apply_step(number):
                break
        self.timer.announce()
        status = self.report.status
        if signals.caught():
            warn(self.interrupted())
            status = signals.exit_status()
        self.report.end(status)
        if not signals.caught():
            verdict.next_lines(self.report, self.written)
        return status

    def interrupted(self) -> str:
        what = f"{plural(self.written, 'setting')} written; revert with: {verdict.command_of(self.options, 'revert')}"
        return f"{signals.caught()}: ended after the knob at hand; " + (what if self.written else "nothing is written")

    def check_risks(self, knobs: list[Knob]) -> None:
        """Before anything is written: what needs --accept and has it not."""
        needed: dict[str, list[str]] = {}
        for knob in knobs:
            if knob.state != "differs" or not knob.writable:
                continue
            if knob.kind == "bootline" and not self.options.write_bootloader:
                continue
            for risk in knob.risks:
                if risk in NEEDS_ACCEPT and risk not in self.options.accepted:
                    needed.setdefault(risk, []).append(f"{knob.step}/{knob.name}")
        for risk, names in needed.items():
            warn(f"apply: needs --accept {risk}: {' '.join(names)}")
        if needed:
            fail("nothing is written; all-safe leaves these steps out")

    def after_reboot(self) -> None:
        drop_stale(self.state, self.host.boot_id)

    def check_state(self) -> None:
        # After a reboot the record of the boot loader is left, and is no interface's.
        saved = self.state.host.get("iface", "")
        if self.state.records and saved and saved != self.host.iface:
            fail(
                f"state {self.state.path} is that of interface {saved}, this is {self.host.iface or 'none'}: "
                "revert first, or take another --state"
            )
        same_netns(self.state, self.host.netns)
        same_device(self.state, self.catalogue)
        self.state.host.update(self.facts())

    def return_borrowed(self) -> None:
        """What a run that was killed had borrowed of the whole host goes back before anything else."""
        sysctl = self.catalogue.kinds["sysctl"]
        for record in list(self.state.records.values()):
            if (record.kind, record.argument) != ("sysctl", kinds.Qdisc.DEFAULT):
                continue
            reading = kinds.optional(self.catalogue.kinds, record.kind, record.argument)
            if reading and reading.value == record.ours != record.original:
                result = run_all(self.system, sysctl.change(record.argument, record.original, record.ours))
                if result.status != 0:
                    fail(f"{record.argument}: '{record.original}' cannot be put back: {result.errno_text}")
            self.state.drop(record)
            self.save()

    def facts(self) -> dict[str, str]:
        return state_facts(self.catalogue)

    def save(self) -> None:
        self.state.save(self.facts())

    def warn_without_locality(self) -> None:
        """Busy polling an epoll works if all its sockets share one NAPI: that is what step 5 is for."""
        selection = self.catalogue.selection
        if 6 not in selection.whole or 5 in selection.numbers or 5 not in selection.steps:
            return
        selection.whole.add(5)
        for knob in self.catalogue.evaluated([5]):
            if knob.state == "differs" and not knob.settles:
                warn(
                    f"step 6 without step 5 ({knob.name} differs): a worker polls one NAPI, and its connections "
                    "come from several; apply 5 first"
                )
                break
        selection.whole.discard(5)

    def apply_step(self, number: int) -> bool:
        """False where to stop."""
        handled: set[str] = set()
        going = True
        waiting = self.catalogue.declare([number], facts=False)
        while waiting and going:
            knob = waiting.pop(0)
            if not knob.writable or knob.name in handled:
                continue
            handled.add(knob.name)
            if signals.caught():
                return False
            written = self.written
            if not self.apply_knob(knob) and not self.options.keep_going:
                warn(f"stopped at step {number}, {knob.name}; --keep-going goes on")
                going = False
            if knob.kind == "channels" and self.written > written:
                waiting = self.catalogue.declare([number], facts=False)  # Other queues, other knobs.
        # What is only looked at, as it is after the writes.
        for knob in self.catalogue.declare([number]):
            if not knob.writable:
                self.report.count(knob)
                self.report.add(knob)
        return going and not signals.caught()

    def apply_knob(self, knob: Knob) -> bool:
        """False where a write failed."""
        kind, report = self.catalogue.kinds[knob.kind], self.report
        self.catalogue.evaluate(knob)
        original = knob.current
        if knob.state != "differs":
            report.count(knob)
            report.add(knob)
            return True
        actions = kind.change(knob.argument, knob.target, original)
        command = sh_all(self.system, actions)
        if knob.kind == "bootline" and not self.options.write_bootloader:
            knob.reason += f"; not written: --write-bootloader; by hand: {command}"
            report.count(knob)
            report.add(knob, command=command)
            return True
        valid = self.catalogue.kinds
        if not all(kinds.valid(valid, knob.kind, knob.argument, value) for value in (original, knob.target)):
            # Its original could not be read back from state.
            knob.state = "unsupported"
            knob.reason = f"the value '{brief(original)}' is none that tune could put back; left alone"
            report.count(knob)
            report.add(knob)
            return True
        proven = kind.prove(knob.argument, original)
        if proven.status not in (0, kinds.UNPROVEN):
            return self.refused(knob, proven, command, original, proof=True)
        if proven.status == kinds.UNPROVEN:
            knob.reason += ("; " if knob.reason else "") + f"way back not proven: {proven.output}"

        record = self.state.find(knob.step, knob.kind, knob.argument)
        added = record is None
        if record:
            record.ours = knob.target  # The first original stays.
        else:
            record = self.state.add(knob.step, knob.name, knob.kind, knob.argument, original, knob.target)
        if "connectivity" in knob.risks:
            self.timer.want(knob.step)
        self.save()
        if "connectivity" in knob.risks:
            self.timer.start()
        result = self.run_borrowing(knob, actions)
        if result.status != 0:
            knob_now = kinds.optional(self.catalogue.kinds, knob.kind, knob.argument)
            if added and knob_now and kind.same(knob.argument, knob_now.value, original):
                self.state.drop(record)  # Nothing has changed.
                self.save()
            return self.refused(knob, result, command, original)
        self.written += 1
        return self.read_back(knob, original, command)

    def run_borrowing(self, knob: Knob, actions: list[Action]) -> Result:
        """While something of the whole host is borrowed, that has a record too: we may be killed meanwhile."""
        lent = [
            self.state.add(knob.step, action.sysctl, "sysctl", action.sysctl, action.original, action.value)
            for action in actions
            if isinstance(action, Borrow)
        ]
        if lent:
            self.save()
        result = run_all(self.system, actions)
        for record in lent:
            self.state.drop(record)
        if lent:
            self.save()
        return result

    def read_back(self, knob: Knob, original: str, command: str) -> bool:
        kind, wanted_reason = self.catalogue.kinds[knob.kind], knob.reason
        self.catalogue.evaluate(knob)
        record = self.state.find(knob.step, knob.kind, knob.argument)
        assert record
        if knob.state in ("differs", "unsupported", "unknown"):
            if kind.refusable and knob.current and kind.same(knob.argument, knob.current, original):
                return self.kept(knob, record, command)
            cause = f" ({knob.reason})" if knob.state != "differs" and knob.reason else ""
            knob.state = "differs"
            knob.reason = f"written, but it reads back as '{brief(knob.current)}'{cause}; was '{brief(original)}'"
            self.report.error = True
            self.report.add(knob, command=command, written=True)
            return False
        if record.ours != knob.current and kinds.valid(self.catalogue.kinds, knob.kind, knob.argument, knob.current):
            record.ours = knob.current  # The kernel's own form of it.
            self.save()
        if knob.kind == "bootline":
            knob.state, knob.reason = "needs-reboot", "written; takes effect with the next boot"
        else:
            was = brief(kind.shown(knob.argument, original), 40)
            knob.reason = f"was {was}" + (f"; {wanted_reason}" if wanted_reason else "")
        self.report.add(knob, command=command, shown=self.shown(knob), written=True)
        return True

    def kept(self, knob: Knob, record: Record, command: str) -> bool:
        """Some drivers take a value without an error, and without taking it."""
        self.state.drop(record)
        self.save()
        self.written -= 1
        driver = kinds.described(knob.argument.split(" ")[0], self.host)
        knob.state, knob.reason = "unsupported", f"{driver}: the device takes the command and keeps '{knob.current}'"
        self.report.count(knob)
        self.report.add(knob, command=command)
        return True

    def shown(self, knob: Knob) -> tuple[str, str]:
        kind = self.catalogue.kinds[knob.kind]
        return kind.shown(knob.argument, knob.current), kind.shown(knob.argument, knob.target)

    def refused(self, knob: Knob, result: Result, command: str, original: str, proof: bool = False) -> bool:
        kind = self.catalogue.kinds[knob.kind]
        said = result.errno_text
        cause = kind.cause(knob.argument, said)
        checked = proof and not kind.by_write
        what = "the way back would be refused, so nothing is written" if checked else "refused"
        knob.reason = f"{what}: {said}" + (f": {cause}" if cause else "")
        if any(word in said for word in DECLINED) or (kind.refusable and cause and cause != "needs root"):
            knob.state = "unsupported"
            self.report.count(knob)
            self.report.add(knob, command=command)
            return True
        self.report.error = True
        self.report.add(knob, command=command)
        tried = "the way back" if checked else brief(command, 200)
        warn(f"step {knob.step}, {knob.name}: {tried}: {result.output.rpartition(chr(10))[2]}")
        return False


def drop_stale(state: State, boot_id: str) -> None:
    """What went with the boot that it was written in."""
    if state.host.get("boot_id", boot_id) == boot_id:
        return
    dropped = state.stale(boot_id)
    if dropped:
        warn(
            f"the host has been started anew: {plural(dropped, 'setting')} in {state.path} went with the old boot and "
            "are dropped"
        )
    state.forget_boot()


def state_facts(catalogue: Catalogue) -> dict[str, str]:
    host = catalogue.host
    return {
        "boot_id": host.boot_id,
        "kernel": host.kernel,
        "iface": host.iface,
        "mac": host.mac,
        "driver": host.driver,
        "netns": host.netns,
        "cpus": ",".join(map(str, host.cpus)),
    }


def same_netns(state: State, netns: str) -> None:
    """The same names mean other things in another network namespace."""
    saved = state.host.get("netns", "")
    if state.records and saved != netns:
        if saved:
            fail(f"state {state.path} is that of a namespace: give --netns {saved}")
        fail(f"state {state.path} is not that of netns {netns}")


def same_device(state: State, catalogue: Catalogue) -> None:
    host, mac = catalogue.host, state.host.get("mac", "")
    same_name = host.iface == state.host.get("iface", "")
    if mac and host.mac and mac != host.mac and same_name and not host.options.force:
        fail(f"interface {host.iface} is another device now: MAC {host.mac}, when applied {mac}; --force reverts it")


def apply(catalogue: Catalogue, state: State, report: Report) -> int:
    if catalogue.host.options.dry_run:
        plan.plan(catalogue, catalogue.host.options.selectors)
        return 0
    return Apply(catalogue, state, report).run()


def verify(catalogue: Catalogue, state: State, report: Report) -> int:
    """Reads again, never trusts a record. Without steps: the settings that state has a record of."""
    host, options = catalogue.host, catalogue.host.options
    same_netns(state, host.netns)
    stale = state.stale(host.boot_id)
    if stale:
        warn(
            f"the host has been started anew since apply: {plural(stale, 'setting')} went with the old boot; "
            "apply them again, or have persist do it at each boot"
        )
    if options.selectors:
        knobs = list(catalogue.evaluated(catalogue.selection.numbers))
    elif state.records:
        knobs = recorded(catalogue, state)
    else:
        warn(f"verify: no record to read in {state.path}; verifying all steps")
        catalogue.selection.whole = set(catalogue.selection.steps)
        knobs = list(catalogue.evaluated(catalogue.selection.numbers))
    if not knobs:
        fail(f"{' '.join(options.selectors)}: no such knob")
    for knob in knobs:
        report.count(knob)
        shown = ("", "")
        if knob.writable:
            kind = catalogue.kinds[knob.kind]
            shown = (kind.shown(knob.argument, knob.current), kind.shown(knob.argument, knob.target))
        report.add(knob, shown=shown)
    report.end(report.status)
    return report.status


def recorded(catalogue: Catalogue, state: State) -> list[Knob]:
    """Each recorded setting as its step wants it now; one that no step has any more, as it was written."""
    catalogue.selection.whole = {record.step for record in state.records.values()}
    knobs = catalogue.declare(catalogue.selection.numbers, facts=False)
    declared = {(knob.step, knob.kind, knob.argument): knob for knob in knobs}
    found = []
    for record in state.records.values():
        knob = declared.get((record.step, record.kind, record.argument))
        if knob is None:
            knob = of_record(record.step, record.knob, record.kind, record.argument, record.ours)
        catalogue.context.step = record.step
        catalogue.evaluate(knob)
        found.append(knob)
    return sorted(found, key=lambda knob: knob.step)
