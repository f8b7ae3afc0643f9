"""Generic netlink and SIOCETHTOOL as the kernel would answer: a NIC with everything that ethtool sets, in one
process.

Written from the kernel's headers and apart from lib/netlink.py, so that both would have to be wrong alike.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Any, Callable, Optional

FAMILY = 21
NESTED = 0x8000
FEATURES = ["rx-gro", "rx-lro", "rx-gro-hw", "tx-tcp-segmentation"]
COALESCE = {2: "rx-usecs", 6: "tx-usecs", 11: "adaptive-rx"}


def nla(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def u32(kind: int, value: int) -> bytes:
    return nla(kind, struct.pack("=I", value))


def parse(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        found.append((kind, data[4:length]))
        data = data[(length + 3) & ~3 :]
    return found


def message(kind: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload


def done(number: int, said: str = "") -> bytes:
    """NLMSG_ERROR, capped, with what the kernel adds."""
    more = nla(1, said.encode() + b"\0") if said else b""
    return message(2, struct.pack("=i", -number) + b"\0" * 16 + more, 0x200 if said else 0x100)


class Nic:
    def __init__(self) -> None:
        self.features = {"rx-gro": True, "rx-lro": False, "rx-gro-hw": True, "tx-tcp-segmentation": True}
        self.fixed = {"rx-lro"}
        self.coalesce = {"rx-usecs": 0, "tx-usecs": 64, "adaptive-rx": 0}
        self.channels = {"combined": 2}
        self.channels_max = {"combined": 4}
        self.refuse: Optional[tuple[int, str]] = None
        self.sets: list[tuple[int, Any]] = []  # Command and what it set, in order.
        self.filters: dict[int, tuple[int, int]] = {}  # By location: flow type and ring cookie.


class FlowExt(ctypes.Structure):
    _fields_ = [
        ("padding", ctypes.c_uint8 * 2),
        ("h_dest", ctypes.c_uint8 * 6),
        ("vlan_etype", ctypes.c_uint16),
        ("vlan_tci", ctypes.c_uint16),
        ("data", ctypes.c_uint32 * 2),
    ]


class FlowSpec(ctypes.Structure):
    _fields_ = [
        ("flow_type", ctypes.c_uint32),
        ("h_u", ctypes.c_uint8 * 52),
        ("h_ext", FlowExt),
        ("m_u", ctypes.c_uint8 * 52),
        ("m_ext", FlowExt),
        ("ring_cookie", ctypes.c_uint64),
        ("location", ctypes.c_uint32),
    ]


class Rxnfc(ctypes.Structure):
    _fields_ = [
        ("cmd", ctypes.c_uint32),
        ("flow_type", ctypes.c_uint32),
        ("data", ctypes.c_uint64),
        ("fs", FlowSpec),
        ("rule_cnt", ctypes.c_uint32),
    ]


def ioctl(nics: dict[str, Nic]) -> Callable[[object, int, bytes], int]:
    """Stands for fcntl.ioctl: it fills the structure that the request points to."""

    def answer(_: object, number: int, request: bytes) -> int:
        assert number == 0x8946 and len(request) == 40, (number, request)
        name, address = struct.unpack("16sQ", request[:24])
        nic = nics.get(name.rstrip(b"\0").decode())
        if nic is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        asked = Rxnfc.from_address(address)
        if asked.cmd == 0x2E:
            asked.rule_cnt, asked.data = len(nic.filters), 1024
        elif asked.cmd == 0x2F:
            if asked.fs.location not in nic.filters:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            asked.fs.flow_type, asked.fs.ring_cookie = nic.filters[asked.fs.location]
        elif asked.cmd == 0x30:
            if asked.rule_cnt < len(nic.filters):
                raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
            behind = address + Rxnfc.rule_cnt.offset + 4
            (ctypes.c_uint32 * len(nic.filters)).from_address(behind)[:] = list(nic.filters)
            asked.rule_cnt = len(nic.filters)
        else:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return 0

    return answer


class Socket:
    """Stands for a netlink socket: what is sent is answered at once."""

    def __init__(self, nics: dict[str, Nic]) -> None:
        self.nics, self.answers = nics, [b""]

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, data: bytes) -> None:
        length, family, flags, _, _ = struct.unpack("=IHHII", data[:16])
        assert length == len(data) and flags & 1, (length, len(data), flags)
        command, payload = data[16], parse(data[20:])
        if family == 16:  # The controller.
            assert command == 3 and payload == [(2, b"ethtool\0")], payload
            self.answers = [message(16, bytes([1, 2, 0, 0]) + nla(1, struct.pack("=H", FAMILY))) + done(0)]
            return
        assert family == FAMILY
        (head, header), rest = payload[0], payload[1:]
        assert head == 1 | NESTED, "each request begins with its header, nested"
        name = dict(parse(header))[2].rstrip(b"\0").decode()
        if name not in self.nics:
            self.answers = [done(errno.ENODEV, "no device matches name")]
            return
        nic = self.nics[name]
        # In two pieces, as the kernel sends a reply and its acknowledgement.
        self.answers = self.answer(nic, command, rest, dict(parse(header)).get(3, b"\0" * 4))

    def answer(self, nic: Nic, command: int, payload: list[tuple[int, bytes]], flags: bytes) -> list[bytes]:
        if command in (12, 18, 20):
            assert flags == struct.pack("=I", 2), "no reply is asked for"
            if nic.refuse:
                return [done(*nic.refuse)]
            self.set(nic, command, payload)
            return [done(0)]
        reply = {11: self.features, 15: self.rings, 17: self.channels, 19: self.coalesce, 38: self.rss}[command](nic)
        if reply is None:
            return [done(errno.EOPNOTSUPP)]
        return [message(FAMILY, bytes([command, 1, 0, 0]) + reply), done(0)]

    def set(self, nic: Nic, command: int, payload: list[tuple[int, bytes]]) -> None:
        for kind, value in payload:
            if command == 12:
                assert kind == 3 | NESTED
                ((bits, entries),) = parse(value)
                assert bits == 3 | NESTED
                for bit, entry in parse(entries):
                    assert bit == 1 | NESTED
                    inside = dict(parse(entry))
                    name = inside[2].rstrip(b"\0").decode()
                    nic.features[name] = 3 in inside
                    nic.sets.append((command, (name, 3 in inside)))
            elif command == 20:
                assert len(value) == (1 if kind == 11 else 4), (kind, value)
                nic.coalesce[COALESCE[kind]] = int.from_bytes(value, "little")
                nic.sets.append((command, (COALESCE[kind], int.from_bytes(value, "little"))))
            else:
                nic.channels[{9: "combined"}[kind]] = struct.unpack("=I", value)[0]
                nic.sets.append((command, struct.unpack("=I", value)[0]))

    def bitset(self, names: dict[str, bool], masked: bool) -> bytes:
        bits = b""
        for name, on in names.items():
            if masked or on:
                inside = u32(1, FEATURES.index(name)) + nla(2, name.encode() + b"\0") + (nla(3, b"") if on else b"")
                bits += nla(1 | NESTED, inside)
        return (b"" if masked else nla(1, b"")) + u32(2, 64) + nla(3 | NESTED, bits)

    def features(self, nic: Nic) -> bytes:
        may = {name: name not in nic.fixed for name in nic.features}
        none = {name: False for name in nic.features}
        return (
            nla(2 | NESTED, self.bitset(may, True))
            + nla(3 | NESTED, self.bitset(nic.features, False))
            + nla(4 | NESTED, self.bitset(nic.features, False))
            + nla(5 | NESTED, self.bitset(none, True))
        )

    def coalesce(self, nic: Nic) -> Optional[bytes]:
        if not nic.coalesce:
            return None
        return b"".join(
            nla(kind, bytes([nic.coalesce[name]])) if kind == 11 else u32(kind, nic.coalesce[name])
            for kind, name in COALESCE.items()
        )

    def channels(self, nic: Nic) -> bytes:
        return u32(5, nic.channels_max["combined"]) + u32(9, nic.channels["combined"])

    def rings(self, nic: Nic) -> bytes:
        return u32(2, 4096) + u32(5, 2048) + u32(6, 1024) + u32(9, 512)

    def rss(self, nic: Nic) -> bytes:
        return u32(3, 1) + nla(4, struct.pack("=4I", 0, 1, 0, 1)) + nla(5, b"key")

    def recv(self, most: int) -> bytes:
        return self.answers.pop(0)
