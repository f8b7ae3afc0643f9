"""Step 2: speculative-execution mitigations off, by the kernel command line.

The article's flags still parse, but more mitigations have come since, some of which keep the same
instructions in place (VERW: mds, tsx_async_abort, mmio_stale_data and reg_file_data_sampling must
all be off). So the flags follow from what this CPU is mitigated against, as
/sys/devices/system/cpu/vulnerabilities says it: a file is there if the kernel knows the name. From
6.17 on, x86 has attack vectors, which say what to give up, not which patch.
"""

from __future__ import annotations

import os
from typing import Iterator

import kinds
from definitions import COMMAND_LINE
from knobs import Context, Knob

VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities"
VECTORS = ("user_kernel", "user_user", "guest_host", "guest_guest")
HOST = ("user_kernel", "guest_host")

# File: flags before 6.17, the attack vectors that keep the mitigation in place (from 6.17).
X86 = {
    "meltdown": ("pti=off", VECTORS[:1]),
    "spectre_v1": ("nospectre_v1", VECTORS[:1]),
    "spectre_v2": ("nospectre_v2", HOST),
    "retbleed": ("retbleed=off", HOST),
    "indirect_target_selection": ("indirect_target_selection=off", HOST),
    "spec_rstack_overflow": ("spec_rstack_overflow=off", VECTORS),
    "mds": ("mds=off", VECTORS),
    "tsx_async_abort": ("tsx_async_abort=off", VECTORS),
    "mmio_stale_data": ("mmio_stale_data=off", VECTORS),
    "reg_file_data_sampling": ("reg_file_data_sampling=off", VECTORS),
    "gather_data_sampling": ("gather_data_sampling=off", VECTORS),
    "tsa": ("tsa=off", VECTORS),
}
# arm64 has names of its own, and no attack vectors.
ARM: "dict[str, tuple[str, tuple[str, ...]]]" = {
    "meltdown": ("kpti=off", ()),
    "spectre_v2": ("nospectre_v2 nospectre_bhb", ()),
}
# Left alone, as in the article: l1tf, itlb_multihit, spec_store_bypass, srbds (they do not lie on the
# way of a system call), and vmscape, old_microcode, ghostwrite (which came later).


def declare(context: Context) -> Iterator[Knob]:
    system = context.host.system
    name = "kernel command line"
    if not system.directory(VULNERABILITIES):
        yield context.missing(name, "", "this kernel has no list of vulnerabilities")
        return
    line = system.line("/proc/cmdline")
    flags, mitigated = wanted_flags(context, line)
    if not flags:
        why = "nothing to gain: no mitigation on the way of a system call is active on this CPU"
        yield context.fact(name, "", "as it is", "applied", why)
        return
    if "mitigations=off" in line.split():
        yield context.fact(name, "mitigations=off", flags, "applied")
        return
    pending = bool(mitigated) and not all(flag in line.split() for flag in flags.split())
    what = f"would change: {' '.join(mitigated) or 'nothing'}"
    if "meltdown" not in mitigated and "mds" not in mitigated and len(mitigated) <= 3:
        what += "; little to gain on this CPU: neither page table isolation nor VERW is active"
    knob = bootline(context, name, flags, what, pending)
    written = knob.pending and context.read("bootline", knob.argument)
    yield knob
    for file in mitigated:
        now = system.line(f"{VULNERABILITIES}/{file}")
        if written and written.value == knob.target:
            yield context.fact(file, now, "Vulnerable", "needs-reboot")
        else:
            yield context.fact(file, now, "Vulnerable", "differs", "by the kernel command line")


def wanted_flags(context: Context, line: str) -> tuple[str, list[str]]:
    """The flags for this kernel, and the files that would change."""
    host = context.host
    x86 = host.architecture == "x86_64"
    flags, mitigated, vectors = [], [], set()
    for file, (flag, needs) in (X86 if x86 else ARM).items():
        now = host.system.line(f"{VULNERABILITIES}/{file}")
        if "Mitigation:" in now:
            mitigated.append(file)
        elif not (now.startswith("Vulnerable") and given(line, flag)):
            continue  # Taken away by these very flags, they stay in the list.
        flags.append(flag)
        vectors |= set(needs)
    if x86 and flags and host.kernel_version >= (6, 17):
        return "mitigations=auto" + "".join(f",no_{vector}" for vector in VECTORS if vector in vectors), mitigated
    return " ".join(flags), mitigated


def given(line: str, flag: str) -> bool:
    """Whether the running kernel was started with what switches a mitigation off."""
    words = line.split()
    vectors = any(word.startswith("mitigations=") and ",no_user_kernel" in word for word in words)
    return vectors or "mitigations=off" in words or any(word in words for word in flag.split())


def merged(line: str, flags: str) -> str:
    """A flag takes the place of one with the same name."""
    keys = [flag.partition("=")[0] for flag in flags.split()]
    kept = [word for word in line.split() if word.partition("=")[0] not in keys]
    return " ".join([*kept, *flags.split()])


def place_of(context: Context) -> str:
    """Where this host keeps its command line; '' where tune does not know."""
    system = context.host.system
    if system.has("grubby"):
        return "grubby"
    if system.exists("/etc/default/grub"):
        place = "/etc/default/grub"
        # The last file that sets it wins; images for clouds set it in a file of their own.
        for file in system.glob("/etc/default/grub.d/*.cfg"):
            if any(line.startswith(kinds.Bootline.SETTING) for line in system.text(file).split("\n")):
                place = file
        return "grub:" + place
    return "kernel-cmdline" if system.exists("/etc/kernel/cmdline") else ""


def bootline(context: Context, name: str, flags: str, what: str, pending: bool) -> Knob:
    system, place = context.host.system, place_of(context)
    in_force = context.fact(
        name, flags, flags, "applied", "in force" + (f", by other means than {place}" if place else "")
    )
    if not place:
        why = f"{what}; no boot loader that tune knows: add '{flags}' where yours is configured"
        return context.fact(name, "", flags, "differs", why) if pending else in_force
    try:
        value = context.kinds["bootline"].read(place).value
    except kinds.Unreadable as error:
        if not pending:
            return in_force
        return context.fact(name, "", flags, "unknown", f"{place}: {error.cause}; add '{flags}'")
    if place.startswith("grub:") and not system.has("update-grub"):
        if not pending:
            return in_force
        why = f"update-grub not found: Debian package grub2-common; add '{flags}' to {os.path.normpath(place[5:])}"
        return context.fact(name, "", flags, "unsupported", why)
    target = merged(value, flags)
    if not pending and value != target:
        return in_force
    knob = context.knob(COMMAND_LINE, place=place, target=target, why=f"add: {flags}; {what}")
    knob.pending = "written; the running kernel was started without it" if pending else ""
    return knob
