"""Step 7: no packet sockets.

Each one that listens to all protocols of this device gets a copy of each packet's header walk
(packet_rcv), whatever it filters out afterwards. The article's was that of dhclient. Ending dhclient
keeps the lease only if the address no longer runs out. Reverted unless confirmed.
"""

from __future__ import annotations

import re
from typing import Iterator

from definitions import ADDRESS, DHCLIENT
from knobs import Context, Knob

EVERY_PACKET = ("0003", "0800")  # ETH_P_ALL, ETH_P_IP
ADVICE = {
    "dhcpcd": "a static address, or systemd-networkd, which listens only while it asks",
    "tcpdump": "a capture is running",
    "dumpcap": "a capture is running",
    "wireshark": "a capture is running",
    "systemd-network": "it listens only while it asks for a lease; look again",
    "systemd-networkd": "it listens only while it asks for a lease; look again",
    "NetworkManager": "it listens only while it asks for a lease; look again",
}


def declare(context: Context) -> Iterator[Knob]:
    host = context.host
    try:
        text = host.system.read("/proc/net/packet")
    except OSError as error:
        yield context.fact("packet sockets", "", "none", "unknown", f"/proc/net/packet: {error.strerror}")
        return
    # sk RefCnt Type Proto Iface R Rmem User Inode. Interface 0 is all of them.
    rows = [line.split() for line in text.split("\n")[1:]]
    ours = {0} | host.ifindexes()
    inodes = [row[8] for row in rows if len(row) > 8 and row[3] in EVERY_PACKET and int(row[4]) in ours]
    if host.iface:
        yield from dhclient(context)
    if not context.facts:
        return
    if not inodes:
        yield context.fact("packet sockets", "none", "none", "applied")
        return
    yield from others(context, len(inodes))


def dhclient(context: Context) -> Iterator[Knob]:
    iface, system = context.host.iface, context.host.system
    client = context.read("dhclient", iface)
    if not client or not client.value.startswith("running"):
        return
    # First the addresses, for without its client a lease runs out.
    shown = system.hear("ip", "-4", "-o", "addr", "show", "dev", iface)
    if not client.readonly and shown.status == 0:
        for address in re.findall(r"inet ([0-9.]+/[0-9]+) .*valid_lft [0-9]+sec", shown.output):
            yield context.knob(ADDRESS, interface=iface, address=address)
    yield context.knob(DHCLIENT, interface=iface)


def others(context: Context, count: int) -> Iterator[Knob]:
    """Whoever else holds one, by name. tune ends nobody else's programs."""
    system, host = context.host.system, context.host
    if not system.has("ss"):
        why = "whose they are: ss not found: Debian package iproute2"
        yield context.fact("packet sockets", str(count), "none", "differs", why)
        return
    listed = system.hear("ss", "-0", "-n", "-p", "-H")
    if listed.status != 0:
        yield context.fact("packet sockets", str(count), "none", "differs", f"ss: {listed.errno_text}")
        return
    names = {host.iface, *(device.name for device in host.devices), "*"}
    found, seen = [], False
    for line in listed.output.split("\n"):
        # p_raw UNCONN 0 0 *:eth0 * users:(("dhclient",pid=777,fd=5)); a VLAN's name may hold a colon.
        bound = re.search(r"\s\*:(\S+)\s", line)
        if bound and bound.group(1) not in names:
            continue
        for name, pid in re.findall(r'\("([^"]*)",pid=([0-9]+)', line):
            seen = True
            if name != "dhclient" and (name, pid) not in found:
                found.append((name, pid))
    for name, pid in sorted(found):
        advice = ADVICE.get(name, f"systemctl stop {name}, or what its manual says")
        yield context.fact(f"listener {name}", f"pid {pid}", "none", "differs", f"stop it: {advice}")
    if not seen:
        if host.root_user:
            why = "held by the kernel or in another pid namespace"
            yield context.fact("packet sockets", str(count), "none", "differs", why)
        else:
            yield context.fact("packet sockets", str(count), "none", "unknown", "whose they are: needs root")
