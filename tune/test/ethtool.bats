#!/usr/bin/env bats
# What ethtool sets, by netlink: with a NIC that answers from kernel.py, and with the real kernel, where
# the program of the same name must say the same. The other tests' hosts are files: there the program is.

load fake-root.bash

setup() {
    LIB=$BATS_TEST_DIRNAME/../lib
}

@test "ethtool by netlink: a NIC's features, coalescing, channels, rings and RSS table" {
    run /usr/bin/python3 -ISB - "$LIB" "$BATS_TEST_DIRNAME" <<'PYTHON'
import sys

sys.path[:0] = sys.argv[1:]
import kernel
from ethtool import Counts, Feature, Unavailable
from ethtool_netlink import NetlinkEthtool
from netlink import Family
from system import Result, System

nic = kernel.Nic()
Family.connect = lambda self: kernel.Socket({"ens5": nic})
tool = NetlinkEthtool(System())
assert tool.features("ens5") == {
    "gro": Feature(True, False), "lro": Feature(False, True), "rx-gro-hw": Feature(True, False)
}, tool.features("ens5")
assert tool.coalescing("ens5") == {"adaptive-rx": "off", "rx-usecs": "0", "tx-usecs": "64"}, tool.coalescing("ens5")
assert tool.channels("ens5") == Counts({"combined": 2}, {"combined": 4}), tool.channels("ens5")
assert tool.rings("ens5") == Counts({"rx": 1024, "tx": 512}, {"rx": 4096, "tx": 2048}), tool.rings("ens5")
assert tool.spread("ens5") == [0, 1, 0, 1], tool.spread("ens5")

for words, command, value in (
    (("-K", "ens5", "gro", "off"), 12, ("rx-gro", False)),
    (("-K", "ens5", "gro", "on"), 12, ("rx-gro", True)),
    (("-C", "ens5", "adaptive-rx", "on"), 20, ("adaptive-rx", 1)),
    (("-C", "ens5", "tx-usecs", "256"), 20, ("tx-usecs", 256)),
    (("-L", "ens5", "combined", "4"), 18, 4),
):
    assert tool.set(*words) == Result(0, ""), words
    assert nic.sets[-1] == (command, value), (words, nic.sets)
assert len(nic.sets) == 5, nic.sets
assert tool.coalescing("ens5") == {"adaptive-rx": "on", "rx-usecs": "0", "tx-usecs": "256"}, tool.coalescing("ens5")

nic.refuse = (22, "requested channel count exceeds maximum")
refused = tool.set("-L", "ens5", "combined", "9")
assert refused.status == 1 and "exceeds maximum" in refused.output, refused
assert refused.errno_text == "Invalid argument", refused.errno_text
for question in (tool.features, tool.coalescing, tool.channels, tool.rings):
    try:
        question("eth9")
    except Unavailable as error:
        assert str(error) == "No such device", error
    else:
        raise AssertionError(question)
nic.coalesce = {}
try:
    tool.coalescing("ens5")
except Unavailable as error:
    assert str(error) == "Operation not supported", error
else:
    raise AssertionError("coalescing")
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "ethtool: filters of flows, by ioctl and from what its program prints" {
    run /usr/bin/python3 -ISB - "$LIB" "$BATS_TEST_DIRNAME" <<'PYTHON'
import fcntl
import sys

sys.path[:0] = sys.argv[1:]
import kernel
from ethtool import Ethtool, Filter, Unavailable
from ethtool_netlink import NetlinkEthtool
from netlink import Family
from system import Result, System

nic = kernel.Nic()
Family.connect = lambda self: kernel.Socket({"ens5": nic})
fcntl.ioctl = kernel.ioctl({"ens5": nic})
tool = NetlinkEthtool(System())
assert tool.filters("ens5") == []
nic.filters = {
    1023: (0x01, 2),
    7: (0x80000006, 3 << 32 | 1),
    5: (0x12, (1 << 64) - 1),
    4: (0x0E, (1 << 64) - 2),
    3: (0x60000077, 0),
}
expected = [
    Filter(1023, "TCP over IPv4", "Direct to queue 2"),
    Filter(7, "UDP over IPv6", "Direct to VF 2 queue 1"),
    Filter(5, "Raw Ethernet", "Drop"),
    Filter(4, "Raw IPv6", "Wake-on-LAN"),
    Filter(3, "flow type 0x60000077", "Direct to queue 0"),
]
assert tool.filters("ens5") == expected, tool.filters("ens5")
try:
    tool.filters("eth9")
except Unavailable as error:
    assert str(error) == "No such device", error
else:
    raise AssertionError("filters")
assert tool.driver("ens5") == ""

program = Ethtool(System())
said = """4 RX rings available
Total 3 rules

Filter: 5
\tFlow Type: Raw Ethernet
\tSrc MAC addr: 00:00:00:00:00:00 mask: FF:FF:FF:FF:FF:FF
\tAction: Drop

Filter: 1023
\tRule Type: TCP over IPv4
\tSrc IP addr: 0.0.0.0 mask: 255.255.255.255
\tDest port: 8080 mask: 0x0
\tRSS Context ID: 0
\tAction: Direct to queue 2

Filter: 9
\tUnknown flow type
"""
program.system.hear = lambda *words: Result(0, said) if words == ("ethtool", "-n", "ens5") else None
found = program.filters("ens5")
assert found == [expected[2], expected[0], Filter(9, "unknown", "unknown")], found
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "ethtool by netlink: kinds read, prove, write and undo; what was heard is asked again" {
    run /usr/bin/python3 -ISB - "$LIB" "$BATS_TEST_DIRNAME" <<'PYTHON'
import sys

sys.path[:0] = sys.argv[1:]
import kernel
import kinds
from host import Host
from netlink import Family
from options import Options
from system import System, run_all

nic = kernel.Nic()
Family.connect = lambda self: kernel.Socket({"lo": nic})
system = System()
host = Host(system, Options(iface="lo", verb="revert"))
table = kinds.table(host)
for kind, argument, original, target in (
    ("feature", "lo gro", "on", "off"),
    ("coalesce", "lo adaptive-rx", "off", "on"),
    ("coalesce", "lo tx-usecs", "64", "256"),
    ("channels", "lo", "combined 2", "combined 4"),
):
    one = table[kind]
    assert one.read(argument).value == original
    system.heard[("something",)] = None
    before = len(nic.sets)
    assert one.prove(argument, original).status == 0
    assert len(nic.sets) == before + 1, "the proof is a write of the same value"
    assert one.read(argument).value == original
    assert run_all(system, one.change(argument, target, original)).status == 0
    assert not system.heard
    assert one.read(argument).value == target
    assert run_all(system, one.change(argument, original, target)).status == 0
    assert one.read(argument).value == original
nic.refuse = (95, "")
assert table["coalesce"].prove("lo tx-usecs", "64").errno_text == "Operation not supported"
assert one.change("lo", "combined 4", "")[0].sh(system) == "ethtool -L lo combined 4"
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "ethtool by netlink and by its program say the same of a real device, and set the same" {
    ((EUID == 0)) || skip 'network namespaces need root'
    command -v ethtool >/dev/null || skip 'ethtool not found: Debian package ethtool'
    unshare --net true 2>/dev/null || skip 'no network namespaces here'
    run unshare --net /usr/bin/python3 -ISB - "$LIB" <<'PYTHON'
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
from ethtool import Ethtool, Unavailable
from ethtool_netlink import NetlinkEthtool
from system import System

made = "ip link add server numtxqueues 2 numrxqueues 2 type veth peer name client numtxqueues 2 numrxqueues 2"
if subprocess.run(made.split()).returncode != 0:
    sys.exit(77)
for name in ("server", "client"):
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
system = System()
program = Ethtool(system)
try:
    netlink = NetlinkEthtool(system)
except OSError:
    sys.exit(77)


def alike():
    for device in ("server", "lo", "nosuch"):
        assert device == "lo" or program.driver(device) == netlink.driver(device), device
        for question in ("features", "coalescing", "channels", "rings", "spread"):
            said = []
            for tool in (program, netlink):
                try:
                    said.append(getattr(tool, question)(device))
                except Unavailable as error:
                    said.append(str(error))
            assert said[0] == said[1], (device, question, said)
        for tool in (program, netlink):
            try:
                assert tool.filters(device) == [], device
            except Unavailable:
                pass  # Where the device has no such rules the program says so in other words.


alike()
for on, tool in ((True, netlink), (False, program), (True, program), (False, netlink)):
    assert tool.set("-K", "server", "gro", "on" if on else "off").status == 0
    assert tool.set("-K", "server", "gro", "on" if on else "off").status == 0, "again is no failure"
    assert netlink.features("server")["gro"].on == on
    alike()
for count, tool in ((1, netlink), (2, program), (1, program), (2, netlink)):
    words = ("rx", str(count), "tx", str(count))
    assert tool.set("-L", "server", *words).status == 0
    assert tool.set("-L", "server", *words).status == 0, "again is no failure"
    assert netlink.channels("server").now == {"rx": count, "tx": count}
    alike()
for tool in (program, netlink):
    for words, why in (
        (("-C", "server", "tx-usecs", "1"), "Operation not supported"),
        (("-L", "server", "rx", "9", "tx", "2"), "Invalid argument"),
        (("-K", "nosuch", "gro", "on"), "No such device"),
    ):
        refused = tool.set(*words)
        assert refused.status != 0 and refused.errno_text == why, (tool, words, refused)
PYTHON
    echo "$output"
    [ "$status" -ne 77 ] || skip 'no veth, or no netlink family ethtool'
    [ "$status" -eq 0 ]
}

@test "ethtool: without its program, netlink does" {
    ((EUID == 0)) || skip 'network namespaces need root'
    (($(nproc) >= 2)) || skip 'needs two CPUs'
    unshare --net true 2>/dev/null || skip 'no network namespaces here'
    # shellcheck disable=SC2016
    PATH=$(path_without ethtool) run unshare --net --mount bash -c '
        mount -t sysfs sysfs /sys
        ip link add server type veth peer name client || exit 77
        exec "$1" --iface server --state "$2" apply 9/gro 6/tx-usecs 5/queues --json' - "$TUNE" "$BATS_TEST_TMPDIR/state/s.json"
    [ "$status" -ne 77 ] || skip 'veth is not allowed here'
    exits 0
    says_not 'ethtool not found'
    says 'veth: no coalescing'
    says '"driver": "veth"'
    says '"reason": "was rx 1 tx 1"'
    # What it plans for a shell needs the program.
    # shellcheck disable=SC2016
    PATH=$BATS_TEST_TMPDIR/without run unshare --net --mount bash -c '
        mount -t sysfs sysfs /sys
        ip link add server type veth peer name client
        exec "$1" --iface server plan 5/queues' - "$TUNE"
    exits 0
    says '# ethtool is not installed'
    says 'ethtool -L server rx '
}
