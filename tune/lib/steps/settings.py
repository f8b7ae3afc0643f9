"""Step 10: what further scripts set beside the article's steps.

A value that is larger already stays. Rules live in nftables, not in legacy iptables: step 4 unhooks
both.
"""

from __future__ import annotations

from typing import Iterator

import kinds
from knobs import Context, Knob
from steps.application import NOFILE_MIN

SOCKET_BUFFER = 16777216  # 16 MB, for bodies over long ways; small responses never need it.
AT_LEAST = {
    "net.core.rmem_max": SOCKET_BUFFER,
    "net.core.wmem_max": SOCKET_BUFFER,
    "net.ipv4.tcp_rmem": SOCKET_BUFFER,
    "net.ipv4.tcp_wmem": SOCKET_BUFFER,
    "net.core.somaxconn": 4096,  # The server's --backlog; derived scripts have 2048.
    "net.ipv4.tcp_max_syn_backlog": 10000,
    "fs.nr_open": NOFILE_MIN,
}


def declare(context: Context) -> Iterator[Knob]:
    for name, least in AT_LEAST.items():
        yield at_least(context, name, least)
    if context.facts:
        yield iptables(context)


def at_least(context: Context, name: str, least: int) -> Knob:
    """Of three figures (least, default and most) only the most: the others are for connections that need nothing."""
    kind = context.kinds["sysctl"]
    assert isinstance(kind, kinds.Sysctl)
    risks = ("global",) if name.startswith("fs.") or kind.outside(name) else ()
    try:
        words = kind.read(name).value.split(" ")
    except kinds.Unreadable as error:
        return context.missing(name, str(least), error.cause)
    if not words[-1].isdigit():
        return context.missing(name, str(least), f"it reads '{' '.join(words)}'")
    why = f"at least {least}" if int(words[-1]) > least else ""
    words[-1] = str(max(int(words[-1]), least))
    return context.knob("sysctl", name, name, " ".join(words), *risks, why=why)


def iptables(context: Context) -> Knob:
    system, wanted = context.host.system, "nft backend"
    if not system.has("iptables"):
        return context.fact("iptables", "not installed", wanted, "applied")
    if "nf_tables" in system.hear("iptables", "--version").output:
        return context.fact("iptables", wanted, wanted, "applied")
    why = "use nft, or: update-alternatives --set iptables /usr/sbin/iptables-nft"
    return context.fact("iptables", "legacy", wanted, "differs", why)
