"""Generic netlink's family ethtool: what ethtool shows and sets, without its program (Linux 5.6)."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from typing import Optional

from ethtool import COALESCING, FEATURES, SIDES, Counts, Ethtool, Feature, Filter, Unavailable
from netlink import Family, Refused, attribute, attributes, listed, nested, number, string, text
from system import Result, System

# linux/sockios.h, linux/ethtool.h
SIOCETHTOOL, GET_DRIVER_INFO, DRIVER_INFO_BYTES = 0x8946, 3, 196
FILTER_COUNT, FILTER_GET, FILTERS_ALL = 0x2E, 0x2F, 0x30
# struct ethtool_rxnfc: where its flow type, queue and location are, the count, and behind it the locations.
FILTER_TYPE, FILTER_QUEUE, FILTER_LOCATION, FILTERS, FILTERS_LIST, FILTER_BYTES = 16, 168, 176, 184, 188, 192
FLOW_TYPE_MASK = 0xFFFF  # Above are flags.
FLOWS = {
    0x01: "TCP over IPv4",
    0x02: "UDP over IPv4",
    0x03: "SCTP over IPv4",
    0x05: "TCP over IPv6",
    0x06: "UDP over IPv6",
    0x07: "SCTP over IPv6",
    0x09: "IPSEC AH over IPv4",
    0x0A: "IPSEC ESP over IPv4",
    0x0B: "IPSEC AH over IPv6",
    0x0C: "IPSEC ESP over IPv6",
    0x0D: "Raw IPv4",
    0x0E: "Raw IPv6",
    0x12: "Raw Ethernet",
}
DROP, WAKE = (1 << 64) - 1, (1 << 64) - 2
# linux/ethtool_netlink.h
FEATURES_GET, FEATURES_SET, RINGS_GET = 11, 12, 15
CHANNELS_GET, CHANNELS_SET, COALESCE_GET, COALESCE_SET, RSS_GET = 17, 18, 19, 20, 38
OF_DEVICE = 1  # The header is the first attribute of every request.
DEVICE_NAME, FLAGS = 2, 3
OMIT_REPLY = 1 << 1
FEATURES_HW, FEATURES_WANTED, FEATURES_ACTIVE, FEATURES_NOCHANGE = 2, 3, 4, 5
BITSET_BITS, BITS_BIT, BIT_NAME, BIT_VALUE = 3, 1, 2, 3
COALESCE = {"rx-usecs": (2, "=I"), "tx-usecs": (6, "=I"), "adaptive-rx": (11, "=B")}
# Side: attributes of the most, and of what is set.
CHANNELS = {"rx": (2, 6), "tx": (3, 7), "combined": (5, 9)}
RINGS = {"rx": (2, 6), "tx": (5, 9)}
RSS_TABLE = 4
NAMES = {"gro": "rx-gro", "lro": "rx-lro"}  # The kernel's, where ethtool has its own.


class NetlinkEthtool(Ethtool):
    def __init__(self, system: System) -> None:
        """Raises OSError where the kernel has no such family."""
        super().__init__(system)
        self.family = Family("ethtool")

    def header(self, device: str, flags: int = 0) -> bytes:
        return nested(OF_DEVICE, text(DEVICE_NAME, device), attribute(FLAGS, struct.pack("=I", flags)))

    def get(self, command: int, device: str) -> dict[int, bytes]:
        try:
            return self.family.ask(command, self.header(device))[0]
        except OSError as error:
            raise Unavailable(error.strerror) from error

    def driver(self, device: str) -> str:
        try:
            return string(ioctl(device, GET_DRIVER_INFO, DRIVER_INFO_BYTES)[4:36])
        except Unavailable:
            return ""

    def features(self, device: str) -> dict[str, Feature]:
        answer, found = self.get(FEATURES_GET, device), {}
        may, active, fixed = (bits(answer[kind]) for kind in (FEATURES_HW, FEATURES_ACTIVE, FEATURES_NOCHANGE))
        for name in FEATURES:
            known = NAMES.get(name, name)
            if known in may:
                found[name] = Feature(active.get(known, False), not may[known] or fixed.get(known, False))
        return found

    def coalescing(self, device: str) -> dict[str, str]:
        answer, found = self.get(COALESCE_GET, device), {}
        for name in COALESCING:
            if COALESCE[name][0] in answer:
                value = number(answer[COALESCE[name][0]])
                found[name] = ("off", "on")[value != 0] if name == "adaptive-rx" else str(value)
        return found

    def channels(self, device: str) -> Counts:
        return counts(self.get(CHANNELS_GET, device), CHANNELS)

    def rings(self, device: str) -> Counts:
        return counts(self.get(RINGS_GET, device), RINGS)

    def spread(self, device: str) -> list[int]:
        """From Linux 6.2; before, by the program, where that is installed."""
        try:
            table = self.get(RSS_GET, device).get(RSS_TABLE, b"")
        except Unavailable:
            return super().spread(device)
        return [entry for (entry,) in struct.iter_unpack("=I", table)]

    def filters(self, device: str) -> list[Filter]:
        """By ioctl, for the family has no message for them either."""
        (count,) = struct.unpack_from("=I", ioctl(device, FILTER_COUNT, FILTER_BYTES), FILTERS)
        if not count:
            return []
        room = {FILTERS: struct.pack("=I", count)}
        answer = ioctl(device, FILTERS_ALL, FILTER_BYTES + 4 * count, room)
        count = min(count, *struct.unpack_from("=I", answer, FILTERS))  # One may have gone meanwhile.
        found = []
        for location in struct.unpack_from(f"={count}I", answer, FILTERS_LIST):
            try:
                one = ioctl(device, FILTER_GET, FILTER_BYTES, {FILTER_LOCATION: struct.pack("=I", location)})
            except Unavailable:
                continue
            (kind,), (queue,) = struct.unpack_from("=I", one, FILTER_TYPE), struct.unpack_from("=Q", one, FILTER_QUEUE)
            found.append(Filter(location, FLOWS.get(kind & FLOW_TYPE_MASK, f"flow type {kind:#x}"), action(queue)))
        return found

    def set(self, option: str, device: str, *words: str) -> Result:
        pairs = dict(zip(words[::2], words[1::2]))
        command, payload = {"-K": feature_set, "-C": coalesce_set, "-L": channels_set}[option](pairs)
        try:
            self.family.ask(command, self.header(device, OMIT_REPLY) + payload)
        except Refused as error:
            said = f"{error.said}: " if error.said else ""
            return Result(1, f"ethtool: {said}{error.strerror}")
        except OSError as error:
            return Result(1, f"ethtool: {error.strerror or error}")
        finally:
            self.system.written()
        return Result(0, "")


def ioctl(device: str, command: int, size: int, given: Optional[dict[int, bytes]] = None) -> bytes:
    """The structure that it fills: so many bytes, with what is given at its place. Raises Unavailable."""
    answer = array.array("B", struct.pack("=I", command) + bytes(size - 4))
    for at, value in (given or {}).items():
        answer[at : at + len(value)] = array.array("B", value)
    request = struct.pack("16sP16x", device.encode(), answer.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)
        except OSError as error:
            raise Unavailable(error.strerror) from error
    return answer.tobytes()


def action(queue: int) -> str:
    """In the words of ethtool's program."""
    if queue in (DROP, WAKE):
        return "Drop" if queue == DROP else "Wake-on-LAN"
    ring, function = queue & 0xFFFFFFFF, queue >> 32 & 0xFF
    return f"Direct to VF {function - 1} queue {ring}" if function else f"Direct to queue {ring}"


def bits(data: bytes) -> dict[str, bool]:
    """A bitset by names: all that its mask has, or, without a mask, those that are set."""
    found = {}
    inside = attributes(data)
    masked = 1 not in inside
    for kind, bit in listed(inside.get(BITSET_BITS, b"")):
        if kind == BITS_BIT:
            entry = attributes(bit)
            found[string(entry.get(BIT_NAME, b""))] = not masked or BIT_VALUE in entry
    return found


def counts(answer: dict[int, bytes], sides: dict[str, tuple[int, int]]) -> Counts:
    most = {side: number(answer[sides[side][0]]) for side in SIDES if side in sides and sides[side][0] in answer}
    there = [side for side, value in most.items() if value]
    now = {side: number(answer[sides[side][1]]) for side in there if sides[side][1] in answer}
    return Counts(now, {side: most[side] for side in there})


def feature_set(pairs: dict[str, str]) -> tuple[int, bytes]:
    entries = []
    for name, value in pairs.items():
        on = (attribute(BIT_VALUE, b""),) if value == "on" else ()
        entries.append(nested(BITS_BIT, text(BIT_NAME, NAMES.get(name, name)), *on))
    return FEATURES_SET, nested(FEATURES_WANTED, nested(BITSET_BITS, *entries))


def coalesce_set(pairs: dict[str, str]) -> tuple[int, bytes]:
    payload = b""
    for name, value in pairs.items():
        kind, form = COALESCE[name]
        payload += attribute(kind, struct.pack(form, {"on": 1, "off": 0}.get(value) if form == "=B" else int(value)))
    return COALESCE_SET, payload


def channels_set(pairs: dict[str, str]) -> tuple[int, bytes]:
    payload = b"".join(attribute(CHANNELS[side][1], struct.pack("=I", int(value))) for side, value in pairs.items())
    return CHANNELS_SET, payload
