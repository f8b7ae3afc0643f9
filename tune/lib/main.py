"""The verbs of tune: what each reads first, and what it ends with."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Callable

import options as command_line
from options import Options
from output import ERROR, Failure, fail, warn
from system import System

if TYPE_CHECKING:
    from knobs import Catalogue
    from state import State
    from verdict import Report

# Further modules are loaded where a verb needs them: a run that only looks shall start at once.

REMEMBERING = ("verify", "revert", "confirm")  # Where it was applied is where it is verified and reverted.


def main(arguments: list[str], program: str) -> int:
    def body() -> int:
        options = command_line.parse(arguments)
        if options.help:
            import usage

            print(usage.of(options.verb), end="")
            return 0
        enter_netns(options, arguments, program)
        return run(options, System(os.environ.get("TUNE_ROOT", "")))

    return guard(body)


def guard(body: Callable[[], int]) -> int:
    """Its exit status; whatever it raises is said in a line that names what failed."""
    try:
        return body()
    except Failure as failure:
        warn(str(failure))
    except BrokenPipeError:
        sys.stdout = None  # type: ignore[assignment]
        warn("nobody reads what it says; what was written is in the state: tune verify, tune revert")
    except KeyboardInterrupt:
        warn("interrupted; nothing is written")
        return 130
    except OSError as error:
        hint = "; needs root" if isinstance(error, PermissionError) and os.geteuid() != 0 else ""
        warn(f"{error.filename or 'tune'}: {error.strerror or error}{hint}")
    except Exception:
        import traceback

        traceback.print_exc()
        warn("a defect of tune ended it, see above; what was written is in the state: tune revert")
    return ERROR


def enter_netns(options: Options, arguments: list[str], program: str) -> None:
    """The whole of tune runs inside, where /proc/sys/net and, by the mount that `ip netns exec` makes,
    /sys/class/net are those of the namespace."""
    name, system = options.netns, System(os.environ.get("TUNE_ROOT", ""))
    if not name or os.environ.get("TUNE_INSIDE_NETNS") == name:
        return
    if not system.has("ip"):
        fail("--netns: ip not found: Debian package iproute2")
    if os.geteuid() != 0 and not system.root:
        fail(f"--netns {name}: needs root")
    # ip itself would end with 1, which means something else here.
    if not any(os.path.exists(f"{run}/netns/{name}") for run in ("/run", "/var/run")):
        fail(f"--netns {name}: there is none of this name; ip netns lists them")
    os.environ["TUNE_INSIDE_NETNS"] = name
    os.execvp("ip", ["ip", "netns", "exec", name, program, *arguments])


def run(options: Options, system: System) -> int:
    import kinds
    from host import Host
    from knobs import Catalogue, Selection
    from state import State
    from steps import BY_NUMBER
    from verdict import Report

    # What kinds may write does not depend on the host, so a state can be read before anything else.
    state = State(options.state)
    saved_iface = saved_cpus = ""
    if options.verb in REMEMBERING or os.access(options.state, os.R_OK):
        if os.access(options.state, os.R_OK) or options.verb in ("revert", "confirm"):
            state.load()
    if options.verb in REMEMBERING:
        saved_iface, saved_cpus = state.host.get("iface", ""), state.host.get("cpus", "")
        if saved_iface and not command_line.NAME.match(saved_iface):
            fail(f"state {options.state}: '{saved_iface}' is no interface")
    host = Host(system, options, saved_iface, saved_cpus)
    selection = Selection(options.selectors or ([] if options.verb == "verify" else ["all"]), BY_NUMBER)
    catalogue = Catalogue(host, state, selection)
    state.valid = lambda kind, argument, value: kinds.valid(catalogue.kinds, kind, argument, value)
    if state.records:
        state.load()  # Again, now that each value can be checked.
    detailed = selection.names_steps or (options.verb == "verify" and not options.selectors)
    report = Report(host, BY_NUMBER, detailed, options.verb in ("apply", "revert"))
    return dispatch(catalogue, state, report)


def dispatch(catalogue: Catalogue, state: State, report: Report) -> int:
    options = catalogue.host.options
    if options.verb == "status":
        return status(catalogue, report)
    if options.verb == "plan":
        import plan

        plan.plan(catalogue, options.selectors)
        return 0
    if options.verb in ("apply", "verify"):
        import applying

    if options.verb == "apply":
        return applying.apply(catalogue, state, report)
    if options.verb == "verify":
        return applying.verify(catalogue, state, report)
    if options.verb == "revert":
        import reverting

        return reverting.revert(catalogue, state, report)
    if options.verb == "confirm":
        import timer

        return timer.confirm(catalogue, state)
    import persist

    return persist.persist(catalogue.host, options.selectors)


def status(catalogue: Catalogue, report: Report) -> int:
    knobs = list(catalogue.evaluated(catalogue.selection.numbers))
    if not knobs:
        fail(f"{' '.join(catalogue.host.options.selectors)}: no such knob")
    for knob in knobs:
        shown = ("", "")
        if knob.writable:
            kind = catalogue.kinds[knob.kind]
            shown = (kind.shown(knob.argument, knob.current), kind.shown(knob.argument, knob.target))
        report.add(knob, shown=shown)
    report.end(0)
    return 0
