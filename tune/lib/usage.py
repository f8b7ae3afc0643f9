"""What --help says: of tune, and of each verb."""

from __future__ import annotations

GENERAL = """tune [VERB] [STEP...] [OPTION...]

Verbs; tune VERB --help says what each does
  status         a line per step: state, gain, risk, next command; with STEP or -v each knob. Changes
                 nothing. The default.
  plan           the commands that apply would run, in order, with the inverse of each; runs in sh
  apply          read, prove the way back, save the original, write, read back; for each knob that differs
  verify         like status, for the applied steps, with an exit status
  confirm        keep what is under the dead-man timer of steps 4 and 7
  revert         put the originals back, last change first
  persist        print a systemd unit that applies at boot and reverts when stopped
  measure, report, profile, trace, lab     programs of their own

Steps, in the article's order
  1 application    JVM flags, server options, open files
  2 mitigations    kernel command line without speculative-execution mitigations
  3 audit          no system call audit, no seccomp
  4 netfilter      no rules, no hooks
  5 locality       queues, IRQs, XPS, RPS and workers on the same CPUs
  6 interrupts     moderation, busy polling, IRQ suspension
  7 listeners      no packet sockets (dhclient)
  8 qdisc          no qdisc lock
  9 last           GRO off, reno, static moderation
  10 settings      socket buffers, backlogs, open files
  11 processor     governor, sleep states, clock, pages, timers
Write 5, 5-8, locality, or one knob: 9/gro, '5/tx-*'. all-safe: what is safe for a host on the internet.
all-lab: the rest that needs no --accept security. all: everything.
"""

STATES = """
States
  applied        it reads as wanted, now; never said from a record
  differs        it can be set, and is not as wanted
  unsupported    this host, kernel or device has no such thing; the reason stands beside it
  conflict       it must not be set here: on veth GRO off takes NAPI away, so it is step 6 or 9/gro
  unknown        it cannot be read: needs root, --pid, or load on the server
  needs-reboot   written, and in force from the next boot on
"""

RISKS = """
Risks
  security       the host is less protected; needs --accept security
  connectivity   it can cut the line you type on; needs --accept connectivity, and has the timer
  global         the whole host has one of it; from a network namespace it needs --accept global
  cpu-cost       CPU time for latency
  lab            not for a host on the internet
"""

SCOPE = {
    "--iface NAME": "the network interface; default: the device of the default route",
    "--netns NAME": "work in this network namespace",
    "--cpus LIST": "CPUs in worker order, such as 0-3 or 0,2,1,3; default: all allowed ones, those\n"
    "of the device's NUMA node first",
    "--pid PID": "also check this server process",
}
STATE = {"--state FILE": "where originals are kept; default /var/lib/bareloop-tune/state.json"}
ACCEPT = {
    "--accept RISK": "security, connectivity or global (for the host, from a namespace);\nrepeat, or separate by commas"
}
JSON = {"--json": "JSON instead of text"}
VERBOSE = {"-v, --verbose": "each knob in full, with the reason why it is there"}
STRICT = {"--strict": "3 where something that was asked for is unsupported here"}
DRY_RUN = {"--dry-run": "print the commands only"}
BOOT = {"--write-bootloader": "step 2: write the boot loader's configuration; without it the line is printed"}
APPLYING = {
    "--keep-going": "go on after a failure",
    "--confirm-within S": "how long steps 4 and 7 stay without `tune confirm`; default 60, 0: no timer",
}
FORCE = {"--force": "also where someone else has changed the value since, and what is gone is forgotten"}
WRITE = {"--write": "install the unit"}

EXIT = """
Exit status, of what was asked for
  0 all as asked, or unsupported here    1 something differs    2 an error    3 see --strict
"""

# Verb: how it is called, what it does, its options, what else there is to know.
VERBS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "status": (
        "tune [status] [STEP...] [OPTION...]",
        """Gives a verdict in a line, then shows how each step stands and what to run next. Any user may ask;
nothing is written, and the exit status is 0. With particular steps, or -v, each knob. The column `here`
has what `tune measure` found.

The device behind a bond, VLAN, bridge or netvsc is found, tuned and named: its knobs are NAME:KNOB.
Queues and interrupts are matched by netlink, or by the interrupts' names. RSS table, RFS, ntuple
filters, XDP and tc programs are named and left alone, and so are programs that write the same settings
(irqbalance, tuned, NetworkManager).
""",
        {**SCOPE, **STATE, **VERBOSE, **JSON},
        STATES + RISKS,
    ),
    "plan": (
        "tune plan STEP... [OPTION...]",
        """Prints what apply would run: each command, below it the command that undoes it, and how apply proves
before it writes that this would be taken. All else is a comment, so it runs in sh. With --netns it enters
the namespace by itself. Where a device may refuse a value, the command says so and goes on, as apply does.
""",
        {**SCOPE, **STATE, **BOOT, **JSON},
        RISKS,
    ),
    "apply": (
        "tune apply STEP... [OPTION...]",
        """For each knob that differs: reads it, proves that its original could be put back, saves the original,
writes, reads back. What needs --accept and has it not is named before anything is written. The first
original is kept, however often you apply. It stops at the first failure. What a device refuses, or takes
and does not keep, is unsupported, and no failure.

Before the first write that can cut the line (risk connectivity) a timer starts: a process of its own,
which needs nothing but the state and reverts these steps unless you run `tune confirm`.

A signal ends a run after the knob at hand, and it says how to go back. After kill -9 at any point
`tune revert` gives what was there.

Order: 3 and 5 before the server starts, 10 before 1, 5 before 6.
""",
        {**SCOPE, **STATE, **ACCEPT, **APPLYING, **BOOT, **DRY_RUN, **VERBOSE, **JSON, **STRICT},
        STATES + RISKS + EXIT,
    ),
    "verify": (
        "tune verify [STEP...] [OPTION...]",
        """Reads every knob again and trusts no record. Without steps: what was applied, on the interface and the
CPUs it was applied for. With --pid under load it looks from end to end: the flags and loops of the
server, on which CPU each connection arrived (SO_INCOMING_CPU), and whether the device is polled.
""",
        {**SCOPE, **STATE, **VERBOSE, **JSON, **STRICT},
        STATES + EXIT,
    ),
    "confirm": (
        "tune confirm [OPTION...]",
        """Keeps what is under the timer of steps 4 and 7. Run it from a new login, for that is what it is to prove.
Exit status: 0 kept, 1 nothing was waiting for it, 2 an error.
""",
        {"--netns NAME": SCOPE["--netns NAME"], **STATE, **JSON},
        "",
    ),
    "revert": (
        "tune revert [STEP...] [OPTION...]",
        """Puts the originals back, last change first, and prints the same as commands. An original is written only
where the current value is ours: what someone else has changed is skipped and named (exit status 1).
What is gone, such as a queue, is an error with its name. Originals that a later step goes on with are
handed to it. After a reboot volatile settings are gone by themselves, and that is said; what step 2 wrote
is put back and needs another reboot.
""",
        {"--netns NAME": SCOPE["--netns NAME"], **STATE, **FORCE, **DRY_RUN, **VERBOSE, **JSON},
        EXIT.replace("3 see --strict", "").rstrip() + "\n",
    ),
    "persist": (
        "tune persist STEP... [OPTION...]",
        """Prints a systemd unit that applies the steps at each boot and reverts them when it is stopped, and a
drop-in with LimitNOFILE for bareloop.service. With --write it installs and enables them, and prints how
to undo that. The unit runs as root: where others than root could change this copy of tune, it is copied
to /usr/local/lib/bareloop-tune first. The unit never writes the boot loader and has no timer.
""",
        {**{name: text for name, text in SCOPE.items() if name != "--pid PID"}, **STATE, **ACCEPT, **WRITE, **JSON},
        "",
    ),
}


def options(table: dict[str, str]) -> str:
    lines = []
    for name, text in table.items():
        first, *more = text.split("\n")
        lines += [f"  {name:<20}  {first}", *(" " * 24 + line for line in more)]
    return "\n".join(lines) + "\n"


def of(verb: str) -> str:
    if verb not in VERBS:
        every = {name: text for _, _, table, _ in VERBS.values() for name, text in table.items()}
        return GENERAL + "\nOptions\n" + options({**every, "--help": "of tune, or of the verb"}) + EXIT
    head, text, table, rest = VERBS[verb]
    return f"{head}\n\n{text}\nOptions\n{options(table)}{rest}"
