"""What tune found: a line per step first, then its knobs; or all of it as JSON; and the exit status."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, Optional

from definitions import ALWAYS, INTERRUPT, IRQBALANCE
from host import Host
from knobs import NEEDS_ACCEPT, UNSAFE, Knob, Step
from output import DIFFERS, ERROR, UNSUPPORTED, brief, coloured, plural
from options import STATE_FILE_DEFAULT, Options

GRAVEST = ("differs", "skipped", "gone", "needs-reboot", "conflict", "unknown", "unsupported", "applied")
QUIET = ("applied", "unsupported", "unknown", "conflict")  # Of what was not changed, left out of a summary.
MEASURED = "measured.json"  # Beside the state: what `measure` found on this host.


@dataclass
class Row:
    knob: Knob
    current: str
    target: str
    state: str
    reason: str
    command: str = ""
    shown_current: str = ""
    shown_target: str = ""


class Report:
    """Collects rows; prints them at once where knobs are to be seen as they are changed."""

    def __init__(self, host: Host, steps: dict[int, Step], detailed: bool, live: bool) -> None:
        self.host, self.options, self.steps = host, host.options, steps
        self.detailed = detailed or host.options.verbose
        self.live = live
        self.rows: list[Row] = []
        self.differs = self.error = self.unsupported = False
        self._heading = 0
        self._begun = False

    # --- Rows ------------------------------------------------------------------------------------

    def add(
        self,
        knob: Knob,
        *,
        state: Optional[str] = None,
        reason: Optional[str] = None,
        current: Optional[str] = None,
        target: Optional[str] = None,
        command: str = "",
        shown: tuple[str, str] = ("", ""),
        written: bool = False,
    ) -> None:
        row = Row(
            knob,
            knob.current if current is None else current,
            knob.target if target is None else target,
            knob.state if state is None else state,
            knob.reason if reason is None else reason,
            command,
            *shown,
        )
        self.rows.append(row)
        if self.live and not self.options.json and (self.detailed or written or row.state not in QUIET):
            self.begin()
            self._print_row(row)

    def count(self, knob: Knob) -> None:
        """Towards the exit status: what was asked for, and nobody else's matters."""
        if knob.state == "differs":
            self.differs = self.differs or not (knob.settles and self.options.verb == "apply")
        elif knob.state == "needs-reboot":
            # apply has done what there is to do; verify tells that it is not in force yet.
            self.differs = self.differs or self.options.verb != "apply"
        elif knob.state in ("unsupported", "conflict"):
            self.unsupported = True
        elif knob.state == "unknown" and knob.writable:
            self.differs = True  # What nobody could read is not as asked.

    @property
    def status(self) -> int:
        if self.error:
            return ERROR
        if self.differs:
            return DIFFERS
        return UNSUPPORTED if self.unsupported and self.options.strict else 0

    # --- Text ------------------------------------------------------------------------------------

    def begin(self) -> None:
        if self._begun or self.options.json:
            return
        self._begun = True
        if self.options.verb in ("status", "verify"):
            print(f"verdict: {self.headline()}")
        print(self.host.line)
        for writer in self.host.writers:
            print(f"also writes such settings: {writer}")

    def _print_row(self, row: Row) -> None:
        step = self.steps[row.knob.step]
        if self._heading != step.number:
            self._heading = step.number
            gain = f"  article {step.gain}" if step.gain else ""
            print(f"\n{step.number} {step.name}: {step.title}{gain}")
        current, target = row.shown_current or row.current, row.shown_target or row.target
        value = one_line(current) or "-"
        if row.state not in ("applied",) and target and target != current:
            value += f" -> {one_line(target)}"
        reason = row.reason
        if row.knob.risks and row.state == "differs":
            reason += ("; " if reason else "") + "risk: " + ",".join(row.knob.risks)
        if reason:
            value = f"{value.ljust(24)}  {one_line(reason, 10000)}"
        print(f"  {coloured(row.state, 12)}  {row.knob.name.ljust(28)}  {value}".rstrip(), flush=True)
        definition = row.knob.definition
        if self.options.verbose and row.knob.writable and definition:
            since = f" (Linux {definition.since_text})" if definition.since > ALWAYS else ""
            print(f"{'':44}  why: {definition.why}{since}")
            print(f"{'':44}  proof: {definition.proof}")

    def end(self, status: int) -> None:
        if self.options.json:
            print(json.dumps(self.as_json(status)))
            return
        self.begin()
        if not self.live:
            self._verdict()
            if self.detailed:
                for row in self.rows:
                    self._print_row(row)
        print(f"\n{self.summary() or 'nothing to show'}")
        if self.unsupported and status == 0 and self.options.verb in ("apply", "verify"):
            print("unsupported is no failure (--strict: exit status 3)")

    def headline(self) -> str:
        """The one sentence for who reads no further."""
        if self.options.verb == "verify":
            wrong = [
                f"{row.knob.step}/{row.knob.name}" for row in self.rows if row.state in ("differs", "needs-reboot")
            ]
            applied = len([row for row in self.rows if row.state == "applied"])
            if wrong:
                return f"{len(wrong)} not as wanted: {one_line(' '.join(wrong), 200)}"
            return f"as wanted, {plural(applied, 'setting')}"
        steps = sorted({row.knob.step for row in self.rows})
        in_force = [step for step in steps if verdict(self.rows_of(step)).startswith("applied")]
        text = f"{len(in_force)} of {plural(len(steps), 'step')} in force"
        open_rows = [row for row in self.rows if row.state == "differs" and row.knob.writable]
        # all-safe leaves irqbalance running, and then its interrupts alone.
        balanced = any(row.knob.definition is IRQBALANCE for row in open_rows)
        safe = sorted(
            {
                row.knob.step
                for row in open_rows
                if not set(row.knob.risks) & set(UNSAFE) and not (balanced and row.knob.definition is INTERRUPT)
            }
        )
        asking = sorted({row.knob.step for row in open_rows if set(row.knob.risks) & set(NEEDS_ACCEPT)})
        if safe and len(steps) > 1:
            text += f"; safe on this host: {command_of(self.options, 'apply all-safe')} (steps {words(safe)})"
        if asking:
            text += f"; weakens the host or can cut the line: {'step' if len(asking) == 1 else 'steps'} {words(asking)}"
        return text

    def rows_of(self, step: int) -> list[Row]:
        return [row for row in self.rows if row.knob.step == step]

    def summary(self) -> str:
        return ", ".join(f"{count} {state}" for state, count in self.counts().items())

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in self.rows:
            found[row.state] = found.get(row.state, 0) + 1
        return found

    def _verdict(self) -> None:
        here = measured(self.options.state)
        lines = [("step", "name", "state", "article", "here", "risk", "next")]
        numbers = sorted({row.knob.step for row in self.rows})
        for number in numbers:
            step, rows = self.steps[number], self.rows_of(number)
            state = verdict(rows)
            lines.append(
                (
                    str(number),
                    step.name,
                    state,
                    step.gain or "-",
                    here.get(number, "-"),
                    ",".join(risks_of(rows)) or "-",
                    self.next_command(step, rows, state),
                )
            )
        widths = [max(len(line[column]) for line in lines) for column in range(6)]
        print()
        for index, line in enumerate(lines):
            cells = [line[0].rjust(widths[0]), *(line[column].ljust(widths[column]) for column in range(1, 6)), line[6]]
            if index:
                state, _, rest = cells[2].partition(" ")
                cells[2] = coloured(state) + (" " + rest if rest else "")
                cells[2] += " " * (widths[2] - len(line[2])) if not rest else ""
            print("  ".join(cells).rstrip())
        if any(line[2].startswith("needs-reboot") for line in lines[1:]):
            print("\nneeds-reboot: written, in force from the next boot on")

    def next_command(self, step: Step, rows: list[Row], state: str) -> str:
        word = state.partition(" ")[0]
        open_knobs = [row for row in rows if row.state == "differs" and row.knob.writable]
        if word == "differs" and open_knobs:
            needs = [risk for risk in NEEDS_ACCEPT if any(risk in row.knob.risks for row in open_knobs)]
            accept = f" --accept {','.join(needs)}" if needs else ""
            boot = " --write-bootloader" if step.number == 2 else ""
            return command_of(self.options, f"apply {step.number}{accept}{boot}")
        if word == "needs-reboot":
            return f"{sudo()}reboot"
        if any("--pid" in row.reason for row in rows):
            return command_of(self.options, f"verify {step.number} --pid PID")
        if word == "unknown" and not self.host.root_user:
            return command_of(self.options, f"status {step.number}")
        look = command_of(self.options, f"status {step.number}", as_root=False)
        return look if word in ("differs", "conflict") else ""

    # --- JSON ------------------------------------------------------------------------------------

    def as_json(self, status: int) -> dict[str, Any]:
        here = measured(self.options.state)
        return {
            "verb": self.options.verb,
            "host": self.host.as_json(),
            "writers": self.host.writers,
            "verdict": self.headline() if self.options.verb in ("status", "verify") else "",
            "steps": [
                {
                    "step": step.number,
                    "name": step.name,
                    "title": step.title,
                    "article_gain": step.gain,
                    "measured_gain": here.get(step.number, ""),
                    "state": verdict(self.rows_of(step.number)),
                }
                for step in self.steps.values()
            ],
            "knobs": [
                {
                    "step": row.knob.step,
                    "name": self.steps[row.knob.step].name,
                    "knob": row.knob.name,
                    "current": row.current,
                    "target": row.target,
                    "state": row.state,
                    "reason": row.reason,
                    "risk": list(row.knob.risks),
                    "why": row.knob.definition.why if row.knob.definition else "",
                    "proof": row.knob.definition.proof if row.knob.definition and row.knob.writable else "",
                    "since": row.knob.definition.since_text if row.knob.definition else "0.0",
                    "command": row.command,
                }
                for row in self.rows
            ],
            "summary": self.counts(),
            "exit": status,
        }


def one_line(text: str, width: int = 400) -> str:
    return brief(text, width) if "\n" in text or len(text) > width else text


def verdict(rows: list[Row]) -> str:
    """A step's state as a word: the gravest of its knobs, and how many have it."""
    settings = [row for row in rows if row.knob.writable] or rows
    looked_at = [row for row in rows if not row.knob.writable and row.state in ("differs", "needs-reboot")]
    considered = settings + [row for row in looked_at if row not in settings]
    for state in GRAVEST:
        count = len([row for row in considered if row.state == state])
        if not count:
            continue
        if state in ("unknown", "unsupported", "conflict"):
            # What can be set is set: that is the verdict, and the rest a note.
            applied = len([row for row in considered if row.state == "applied"])
            if applied and state != "unknown":
                return f"applied {applied} of {len(considered)}"
        return state if count == len(considered) else f"{state} {count} of {len(considered)}"
    return ""


def risks_of(rows: list[Row]) -> list[str]:
    order = ("security", "connectivity", "global", "cpu-cost", "lab")
    return [risk for risk in order if any(risk in row.knob.risks for row in rows)]


def measured(state_file: str) -> dict[int, str]:
    """The gains that `measure` found on this host, as text; ~ where one is not proven."""
    try:
        with open(os.path.join(os.path.dirname(state_file) or ".", MEASURED)) as file:
            gains = json.load(file)["gains"]
        return {int(step): f"{'' if entry['proven'] else '~'}{entry['gain']:+.0f} %" for step, entry in gains.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def sudo() -> str:
    """Where the next command needs it: nobody is root here, or became it by sudo."""
    return "sudo " if os.geteuid() != 0 or os.environ.get("SUDO_USER") else ""


def command_of(options: Options, verb: str, as_root: bool = True) -> str:
    """A command of tune's as it is to be typed, for the same host, namespace and state."""
    more = "".join(
        f" {name} {value}" for name, value in (("--netns", options.netns), ("--iface", options.iface)) if value
    )
    if options.state != os.environ.get("TUNE_ROOT", "") + STATE_FILE_DEFAULT:
        more += f" --state {options.state}"
    return f"{sudo() if as_root else ''}{os.environ.get('TUNE_PROGRAM', 'tune')} {verb}{more}"


def words(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))


def next_lines(report: Report, written: int) -> None:
    """After an apply: the way on and the way back."""
    if written and not report.options.json:
        onwards, back = command_of(report.options, "verify"), command_of(report.options, "revert")
        print(f"{plural(written, 'setting')} written; next: {onwards}; back: {back}", file=sys.stdout)
