"""Kinds of knobs: how each is read, written, compared, checked and put back.

A value has one form in each kind, and what is read is what can be written back. `valid` says which
values a kind may ever write: state files are not trusted.
"""

from __future__ import annotations

from typing import Optional

from host import Host
from kinds.audit import Audit
from kinds.base import UNPROVEN, Kind, Reading, Unreadable, described
from kinds.bootline import Bootline
from kinds.dhclient import Dhclient
from kinds.files import Choice, CpuList, File, Mask, Sysctl
from kinds.lifetime import Lifetime
from kinds.module import Module
from kinds.napi import Napi
from kinds.netfilter import EMPTY, Iptables, Nft
from kinds.nic import Channels, Coalesce, Feature
from kinds.prlimit import Ended, Prlimit
from kinds.qdisc import Qdisc
from kinds.service import Service

ALL = (
    Sysctl,
    File,
    Choice,
    Mask,
    CpuList,
    Feature,
    Coalesce,
    Channels,
    Qdisc,
    Service,
    Nft,
    Iptables,
    Module,
    Audit,
    Bootline,
    Napi,
    Lifetime,
    Dhclient,
    Prlimit,
)
__all__ = [
    "ALL",
    "Audit",
    "Bootline",
    "Channels",
    "Choice",
    "Coalesce",
    "CpuList",
    "Dhclient",
    "EMPTY",
    "Ended",
    "Feature",
    "File",
    "Iptables",
    "Kind",
    "Lifetime",
    "Mask",
    "Module",
    "Napi",
    "Nft",
    "Prlimit",
    "Qdisc",
    "Reading",
    "Service",
    "Sysctl",
    "UNPROVEN",
    "Unreadable",
    "described",
    "optional",
    "table",
    "valid",
]


def table(host: Host) -> dict[str, Kind]:
    return {kind.name: kind(host) for kind in ALL}


def valid(kinds: dict[str, Kind], kind: str, argument: str, value: str) -> bool:
    """Whether tune may ever write such a value: also of a kind it does not know."""
    try:
        return kind in kinds and kinds[kind].valid(argument, value)
    except ValueError:
        return False


def optional(kinds: dict[str, Kind], kind: str, argument: str) -> Optional[Reading]:
    """Read where it can be."""
    try:
        return kinds[kind].read(argument)
    except Unreadable:
        return None
