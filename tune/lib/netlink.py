"""Generic netlink's family netdev by plain sockets: queues, their NAPI instances, interrupts, settings.

No distribution packages the kernel's own tool for it, ynl. The family is there from Linux 6.6,
queues and NAPI from 6.8, settings of a NAPI from 6.13.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import dataclass, field
from typing import Iterator, Optional, Union

# linux/netlink.h, linux/genetlink.h, linux/netdev.h
NETLINK_GENERIC = 16
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
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
RECEIVE_BYTES = 1 << 16
ALIGN = 4
NLA_TYPE_MASK = 0x3FFF


@dataclass
class Napi:
    id: int
    irq: Optional[int] = None
    pid: Optional[int] = None  # Of its thread, where it is threaded.
    settings: dict[str, int] = field(default_factory=dict)
    queues: list[tuple[str, int]] = field(default_factory=list)  # ("rx", 0)


def attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % ALIGN)


def attributes(data: bytes) -> dict[int, bytes]:
    """By number; numbers of which there are several keep the last."""
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & NLA_TYPE_MASK] = data[at + 4 : at + length]
        at += length + -length % ALIGN
    return found


def number(value: bytes) -> int:
    """The kernel sends its `uint` in four bytes or in eight."""
    return int.from_bytes(value, "little" if struct.pack("=H", 1)[0] else "big")


class Netdev:
    """The family, on a socket of the network namespace that this process is in."""

    def __init__(self) -> None:
        """Raises OSError: ENOENT where the kernel has no such family."""
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC)
        self.socket.settimeout(5)
        self.socket.bind((0, 0))
        self.sequence = 0
        name = attribute(CTRL_ATTR_FAMILY_NAME, b"netdev\0")
        try:
            answer = next(self._ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, name))
        except OSError:
            self.close()
            raise
        self.family = number(answer[CTRL_ATTR_FAMILY_ID])

    def close(self) -> None:
        self.socket.close()

    def _ask(self, family: int, command: int, payload: bytes, flags: int = NLM_F_ACK) -> Iterator[dict[int, bytes]]:
        """Sends one request; the attributes of each message that answers. Raises OSError."""
        self.sequence += 1
        body = struct.pack("=BBH", command, 1, 0) + payload
        self.socket.send(struct.pack("=IHHII", 16 + len(body), family, NLM_F_REQUEST | flags, self.sequence, 0) + body)
        while True:
            data, at = self.socket.recv(RECEIVE_BYTES), 0
            while at + 16 <= len(data):
                length, kind, _, sequence, _ = struct.unpack_from("=IHHII", data, at)
                message, at = data[at + 16 : at + length], at + length + -length % ALIGN
                if sequence != self.sequence:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    error = -struct.unpack_from("=i", message)[0] if len(message) >= 4 else 0
                    if error:
                        raise OSError(error, os.strerror(error))
                    return
                yield attributes(message[4:])

    def napis(self, ifindex: int) -> list[Napi]:
        """The NAPI instances of a device in the order of their queues, or of their numbers."""
        found: dict[int, Napi] = {}
        index = struct.pack("=I", ifindex)
        for answer in self._ask(self.family, NAPI_GET, attribute(NAPI_IFINDEX, index), NLM_F_DUMP):
            napi = Napi(number(answer[NAPI_ID]))
            napi.irq = number(answer[NAPI_IRQ]) if NAPI_IRQ in answer else None
            napi.pid = number(answer[NAPI_PID]) if NAPI_PID in answer else None
            for name, (kind, _) in SETTINGS.items():
                if kind in answer:
                    napi.settings[name] = number(answer[kind])
            found[napi.id] = napi
        for answer in self._ask(self.family, QUEUE_GET, attribute(QUEUE_IFINDEX, index), NLM_F_DUMP):
            owner = found.get(number(answer.get(QUEUE_NAPI_ID, b"")))
            if owner:
                owner.queues.append((TYPES[number(answer[QUEUE_TYPE])], number(answer[QUEUE_ID])))
        return in_order(found.values())

    def set(self, ifindex: int, napi: int, setting: str, value: int) -> None:
        """Raises OSError: EPERM without CAP_NET_ADMIN, EOPNOTSUPP before Linux 6.13."""
        kind, form = SETTINGS[setting]
        payload = attribute(NAPI_ID, struct.pack("=I", napi)) + attribute(kind, struct.pack(form, value))
        for _ in self._ask(self.family, NAPI_SET, payload):
            pass


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

    def close(self) -> None:
        pass


AnyNetdev = Union[Netdev, FileNetdev]


def in_order(napis: object) -> list[Napi]:
    listed = list(napis)  # type: ignore[call-overload]
    for napi in listed:
        napi.queues.sort()
    return sorted(listed, key=lambda napi: (min((queue for _, queue in napi.queues), default=1 << 30), napi.id))
