"""Generic netlink's family netdev: queues, their NAPI instances, interrupts, settings.

No distribution packages the kernel's own tool for it, ynl. The family is there from Linux 6.6,
queues and NAPI from 6.8, settings of a NAPI from 6.13.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Iterable, Optional, Union

from netlink import Family, attribute, number

# linux/netdev.h
QUEUE_GET, NAPI_GET, NAPI_SET = 10, 11, 14
QUEUE_ID, QUEUE_IFINDEX, QUEUE_TYPE, QUEUE_NAPI_ID = 1, 2, 3, 4
NAPI_IFINDEX, NAPI_ID, NAPI_IRQ, NAPI_PID = 1, 2, 3, 4
# Settings of a NAPI: number of the attribute, format of its value.
SETTINGS = {
    "defer-hard-irqs": (5, "=I"),
    "gro-flush-timeout": (6, "=Q"),
    "irq-suspend-timeout": (7, "=Q"),
    "threaded": (8, "=I"),
}
TYPES = ("rx", "tx")


@dataclass
class Napi:
    id: int
    irq: Optional[int] = None
    pid: Optional[int] = None  # Of its thread, where it is threaded.
    settings: dict[str, int] = field(default_factory=dict)
    queues: list[tuple[str, int]] = field(default_factory=list)  # ("rx", 0)


class Netdev:
    def __init__(self) -> None:
        """Raises OSError: ENOENT where the kernel has no such family."""
        self.family = Family("netdev")

    def napis(self, ifindex: int) -> list[Napi]:
        """The NAPI instances of a device in the order of their queues, or of their numbers."""
        found: dict[int, Napi] = {}
        index = struct.pack("=I", ifindex)
        for answer in self.family.ask(NAPI_GET, attribute(NAPI_IFINDEX, index), dump=True):
            napi = Napi(number(answer[NAPI_ID]))
            napi.irq = number(answer[NAPI_IRQ]) if NAPI_IRQ in answer else None
            napi.pid = number(answer[NAPI_PID]) if NAPI_PID in answer else None
            for name, (kind, _) in SETTINGS.items():
                if kind in answer:
                    napi.settings[name] = number(answer[kind])
            found[napi.id] = napi
        for answer in self.family.ask(QUEUE_GET, attribute(QUEUE_IFINDEX, index), dump=True):
            owner = found.get(number(answer.get(QUEUE_NAPI_ID, b"")))
            if owner:
                owner.queues.append((TYPES[number(answer[QUEUE_TYPE])], number(answer[QUEUE_ID])))
        return in_order(found.values())

    def set(self, ifindex: int, napi: int, setting: str, value: int) -> None:
        """Raises OSError: EPERM without CAP_NET_ADMIN, EOPNOTSUPP before Linux 6.13."""
        kind, form = SETTINGS[setting]
        self.family.ask(
            NAPI_SET, attribute(NAPI_ID, struct.pack("=I", napi)) + attribute(kind, struct.pack(form, value))
        )


class FileNetdev:
    """The same of a host made of files: what netlink would say is in one of them, as JSON."""

    def __init__(self, path: str) -> None:
        self.path = path

    def _read(self) -> dict[str, list[dict[str, object]]]:
        with open(self.path) as file:
            document: dict[str, list[dict[str, object]]] = json.load(file)
        return document

    def napis(self, ifindex: int) -> list[Napi]:
        found = []
        for entry in self._read().get(str(ifindex), []):
            napi = Napi(int(str(entry["id"])))
            napi.irq = int(str(entry["irq"])) if "irq" in entry else None
            queues = entry.get("queues", [])
            assert isinstance(queues, list)
            napi.queues = [(kind, queue) for kind, queue in queues]
            napi.settings = {name: int(str(value)) for name, value in entry.items() if name in SETTINGS}
            found.append(napi)
        return in_order(found)

    def set(self, ifindex: int, napi: int, setting: str, value: int) -> None:
        document = self._read()
        for entry in document[str(ifindex)]:
            if entry["id"] == napi:
                entry[setting] = value
        with open(self.path, "w") as file:
            json.dump(document, file)
            file.write("\n")


AnyNetdev = Union[Netdev, FileNetdev]


def in_order(napis: Iterable[Napi]) -> list[Napi]:
    listed = list(napis)
    for napi in listed:
        napi.queues.sort()
    return sorted(listed, key=lambda napi: (min((queue for _, queue in napi.queues), default=1 << 30), napi.id))
