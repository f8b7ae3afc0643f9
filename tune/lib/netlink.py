"""Generic netlink by plain sockets: a request to a family of the kernel's, and its answers."""

from __future__ import annotations

import os
import socket
import struct
from typing import Iterator

# linux/netlink.h, linux/genetlink.h
NETLINK_GENERIC, SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 16, 270, 10, 11
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_ACK_TLVS = 1, 4, 0x300, 0x200
NLMSG_ERROR, NLMSG_DONE, NLMSGERR_ATTR_MSG = 2, 3, 1
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3FFF
HEADER, ALIGN = 16, 4
RECEIVE_BYTES = 1 << 16
SECONDS_MAX = 5


class Refused(OSError):
    """The kernel's no: its errno, and what it says beside that."""

    def __init__(self, number: int, said: str = "") -> None:
        super().__init__(number, os.strerror(number))
        self.said = said


def attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % ALIGN)


def nested(kind: int, *inside: bytes) -> bytes:
    return attribute(kind | NLA_F_NESTED, b"".join(inside))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def listed(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            return
        yield kind & NLA_TYPE_MASK, data[at + 4 : at + length]
        at += length + -length % ALIGN


def attributes(data: bytes) -> dict[int, bytes]:
    """By number; of several with one number the last."""
    return dict(listed(data))


def number(value: bytes) -> int:
    """The kernel sends its `uint` in four bytes or in eight."""
    return int.from_bytes(value, "little" if struct.pack("=H", 1)[0] else "big")


def string(value: bytes) -> str:
    return value.partition(b"\0")[0].decode(errors="replace")


class Family:
    """A family, in the network namespace that this process is in. Each request has a socket of its own,
    so that none is left open over a fork."""

    def __init__(self, name: str) -> None:
        """Raises OSError: ENOENT where the kernel has no such family."""
        asked = text(CTRL_ATTR_FAMILY_NAME, name)
        answers = self.exchange(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, asked)
        self.id = number(answers[0][CTRL_ATTR_FAMILY_ID])

    def ask(self, command: int, payload: bytes, dump: bool = False) -> list[dict[int, bytes]]:
        """The attributes of each message that answers. Raises Refused."""
        return self.exchange(self.id, command, payload, NLM_F_DUMP if dump else NLM_F_ACK)

    def connect(self) -> socket.socket:
        connected = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC)
        connected.settimeout(SECONDS_MAX)
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            connected.setsockopt(SOL_NETLINK, option, 1)
        connected.bind((0, 0))
        return connected

    def exchange(self, family: int, command: int, payload: bytes, flags: int = NLM_F_ACK) -> list[dict[int, bytes]]:
        body = struct.pack("=BBH", command, 1, 0) + payload
        head = struct.pack("=IHHII", HEADER + len(body), family, NLM_F_REQUEST | flags, 1, 0)
        found: list[dict[int, bytes]] = []
        with self.connect() as connected:
            connected.send(head + body)
            while True:
                for kind, message_flags, message in messages(connected.recv(RECEIVE_BYTES)):
                    if kind in (NLMSG_ERROR, NLMSG_DONE):
                        check(message, message_flags)
                        return found
                    found.append(attributes(message[4:]))


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + HEADER <= len(data):
        length, kind, flags, _, _ = struct.unpack_from("=IHHII", data, at)
        yield kind, flags, data[at + HEADER : at + length]
        at += max(HEADER, length + -length % ALIGN)


def check(message: bytes, flags: int) -> None:
    """Raises what a last message says, unless that is that all is well."""
    error = -struct.unpack_from("=i", message)[0] if len(message) >= 4 else 0
    if error:
        # Behind the number: the header of the request, for it is capped, and what the kernel adds.
        more = attributes(message[4 + HEADER :]) if flags & NLM_F_ACK_TLVS else {}
        raise Refused(error, string(more.get(NLMSGERR_ATTR_MSG, b"")))
