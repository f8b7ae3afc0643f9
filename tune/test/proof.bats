#!/usr/bin/env bats
# Before the first write it is proven that the original can be put back; where it cannot be proven, that is said.

load fake-root.bash

setup() {
    fake_root
}

# untouched STEPS: an apply that must write nothing, and leaves no record.
untouched() {
    local before
    before=$(snapshot)
    run tune apply "$@"
    exits 2
    says 'the way back would be refused, so nothing is written'
    diff <(echo "$before") <(snapshot)
    [[ ! -e $STATE ]]
}

@test "proof: a unit that is masked, or was taken away, is not stopped" {
    put /fake/load.firewalld.service masked
    untouched 4/firewalld
    says 'firewalld.service is masked and could not be started again'
    put /fake/load.irqbalance.service not-found
    untouched 5/irqbalance
    says 'irqbalance.service is not-found'
}

@test "proof: a unit that refuses a start by hand is not stopped" {
    put /fake/canstart.irqbalance.service no
    untouched 5/irqbalance
    says 'refuses to be started again by hand'
}

@test "proof: a module that modprobe does not find is not unloaded" {
    echo 'modprobe: FATAL: Module iptable_filter not found in directory /lib/modules/6.1.0' >"$TUNE_ROOT/fake/refuse.modprobe-n"
    untouched 4/iptable_filter
    says 'not found in directory'
    rm "$TUNE_ROOT/fake/refuse.modprobe-n"
    run tune apply 4/iptable_filter
    exits 0
}

@test "proof: a qdisc that tc cannot make again is not replaced" {
    echo 'Error: Specified qdisc kind is unknown.' >"$TUNE_ROOT/fake/refuse.tc-scratch"
    untouched 8
    says 'Specified qdisc kind is unknown.'
}

@test "proof: a qdisc without a namespace to try it in: said, and written" {
    echo 'unshare: unshare failed: Operation not permitted' >"$TUNE_ROOT/fake/refuse.unshare"
    run tune apply 8
    exits 0
    is_state qdisc applied
    says 'way back not proven: no network namespace to try it in is allowed here'
}

@test "proof: rules of the audit system that are locked get none added" {
    put /fake/audit.enabled 2
    untouched 3/never,task
    says 'locked until the next boot'
}

@test "proof: what ethtool sets is set to what it is first" {
    tune apply 9/gro 6/tx-usecs
    diff - <(grep -E '^ethtool -[KC]' "$BATS_TEST_TMPDIR/calls") <<'CALLS'
ethtool -C eth0 tx-usecs 64
ethtool -C eth0 tx-usecs 256
ethtool -K eth0 gro on
ethtool -K eth0 gro off
CALLS
    sed -i '$s/.*/Combined:\t1/' "$TUNE_ROOT/fake/channels"
    tune apply 5/queues
    diff - <(grep -E '^ethtool -L' "$BATS_TEST_TMPDIR/calls") <<'CALLS'
ethtool -L eth0 combined 1
ethtool -L eth0 combined 2
CALLS
}

@test "proof: a device that does not take its own value again is left alone" {
    echo 'netlink error: Invalid argument' >"$TUNE_ROOT/fake/refuse.ethtool"
    run tune apply 6/tx-usecs
    exits 0
    is_state tx-usecs unsupported
    [[ $(grep -c '^ethtool -C' "$BATS_TEST_TMPDIR/calls") == 1 ]]
    [[ ! -e $STATE ]]
}

@test "proof: ethtool of old, which fails where nothing changes, is no refusal" {
    printf '%s\n' 'no coalesce parameters changed, aborting' >"$TUNE_ROOT/fake/unchanged.ethtool"
    run tune apply 6/tx-usecs
    exits 0
    is_state tx-usecs applied
    grep -qx 'tx-usecs: 256' "$TUNE_ROOT/fake/coalesce"
}

@test "proof: a lease that is about to run out is not lengthened by it" {
    put /fake/lifetime 'valid_lft 100sec preferred_lft 90sec'
    tune apply 7
    grep 'ip addr change' "$BATS_TEST_TMPDIR/calls" | head -n 1 | grep -qE 'valid_lft (99|100) preferred_lft (89|90)$'
}

@test "proof: dhclient has none, which is said; one that is gone is not ended" {
    run tune apply 7
    exits 0
    says 'way back not proven: dhclient has no dry run'
    tune revert
    # Its program was uninstalled while it runs.
    rm "$BATS_TEST_TMPDIR/bin/dhclient"
    PATH=$BATS_TEST_TMPDIR/bin:$(path_without dhclient) run tune apply 7/dhclient
    exits 2
    says 'dhclient is not there to be started again'
    [[ -e $TUNE_ROOT/proc/777 ]]
}

@test "proof: the open files of a process are set to what they are first" {
    tune apply 1 --pid 500 || true
    grep '^prlimit' "$BATS_TEST_TMPDIR/calls" | head -n 1 | grep -qx 'prlimit --pid 500 --nofile=1024:524288'
}

@test "proof: plan and status -v say how, or that there is none" {
    run tune plan 4-9
    says '#   proof: nft -c takes the rules'
    says '#   proof: none: dhclient has no dry run'
    says '#   proof: each qdisc of it is made and deleted in a scratch network namespace'
    [[ $(grep -c '^#   proof: ' <<<"$output") -ge 15 ]]
    run tune status 9 -v
    says 'proof: the same value set again, which changes nothing'
    tune plan all --write-bootloader --pid 500 --json | /usr/bin/python3 -ISB -c 'import json, sys
plan = json.load(sys.stdin)["plan"]
assert all(row["proof"] for row in plan if row["command"]), [row["knob"] for row in plan if not row["proof"]]'
}

@test "proof: every definition names its kind, why it is set, and how the way back is proven" {
    run /usr/bin/python3 -ISB - "$TUNE_TEST_DIR/../lib" <<'PYTHON'
import sys

sys.path.insert(0, sys.argv[1])
import definitions
import kinds

assert len(definitions.ALL) > 40, len(definitions.ALL)
for one in definitions.ALL:
    assert one.kind in kinds.ALL and one.why and one.proof and 1 <= one.step <= 11, one
    assert one.kind.proven_by or one.kind.unproven, one
    assert set(one.risks) <= {"security", "connectivity", "global", "cpu-cost", "lab"}, one
assert {one.kind for one in definitions.ALL} == set(kinds.ALL), set(kinds.ALL) - {one.kind for one in definitions.ALL}
# By the names that a host gives them, also with the device before.
for step, name in ((5, "tx-3/xps_cpus"), (5, "eth1:tx-3/xps_cpus"), (5, "irq/24 eth0-Tx-Rx-0"), (9, "gro"), (11, "cpu3/state2/disable")):
    assert definitions.find(step, name), (step, name)
assert definitions.find(5, "RSS table") is None
assert definitions.find(9, "gro").gain == "+4 %" and definitions.find(6, "napi-1/suspend").since == (6, 13)
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "proof: a real kernel makes the qdiscs it has, in a scratch namespace, and refuses others" {
    ((EUID == 0)) || skip 'network namespaces need root'
    unshare --net true 2>/dev/null || skip 'no network namespaces here'
    PATH=${PATH#*:}
    unset TUNE_ROOT
    command -v tc >/dev/null || skip 'tc not found: Debian package iproute2'
    run unshare --net /usr/bin/python3 -ISB - "$TUNE_TEST_DIR/../lib" <<'PYTHON'
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
import kinds
from host import Host
from options import Options
from system import System

system = System()
kind = kinds.Qdisc(Host(system, Options(iface="lo")))
before = subprocess.run(["tc", "qdisc", "show"], stdout=subprocess.PIPE).stdout
for value in ("pfifo_fast 0:", "mq pfifo_fast 0:", "noqueue 8001:", "mq noqueue 8001:"):
    assert kind.prove("lo", value).status == 0, (value, kind.prove("lo", value))
refused = kind.prove("lo", "mq nosuchqdisc 0:")
assert refused.status not in (0, kinds.UNPROVEN), refused
assert subprocess.run(["tc", "qdisc", "show"], stdout=subprocess.PIPE).stdout == before
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}
