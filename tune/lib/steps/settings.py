"""Step 10: what further scripts set beside the article's steps.

A value that is larger already stays. Rules live in nftables, not in legacy iptables: step 4 unhooks
both.
"""

from __future__ import annotations

from typing import Iterator

import kinds
from definitions import AT_LEAST, GLOBAL, Definition
from knobs import Context, Knob


def declare(context: Context) -> Iterator[Knob]:
    for definition in AT_LEAST:
        yield at_least(context, definition)
    if context.facts:
        yield iptables(context)


def at_least(context: Context, definition: Definition) -> Knob:
    """Of three figures (least, default and most) only the most: the others are for connections that need nothing."""
    kind, name, least = context.kinds["sysctl"], definition.argument, int(definition.target)
    assert isinstance(kind, kinds.Sysctl)
    try:
        words = kind.read(name).value.split(" ")
    except kinds.Unreadable as error:
        return context.missing(name, str(least), error.cause)
    if not words[-1].isdigit():
        return context.missing(name, str(least), f"it reads '{' '.join(words)}'")
    why = f"at least {least}" if int(words[-1]) > least else ""
    words[-1] = str(max(int(words[-1]), least))
    risks = (GLOBAL,) if kind.outside(name) else definition.risks
    return context.knob(definition, target=" ".join(words), why=why, risks=risks)


def iptables(context: Context) -> Knob:
    system, wanted = context.host.system, "nft backend"
    if not system.has("iptables"):
        return context.fact("iptables", "not installed", wanted, "applied")
    if "nf_tables" in system.hear("iptables", "--version").output:
        return context.fact("iptables", wanted, wanted, "applied")
    why = "use nft, or: update-alternatives --set iptables /usr/sbin/iptables-nft"
    return context.fact("iptables", "legacy", wanted, "differs", why)
