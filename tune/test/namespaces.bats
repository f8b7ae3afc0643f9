#!/usr/bin/env bats
# The real thing, in a network namespace of its own: two queues of veth, the steps that a namespace
# has. Nothing of the host is changed: what it has one of is not accepted.

load fake-root.bash

setup() {
    unset TUNE_ROOT
    ((EUID == 0)) || skip 'network namespaces need root'
    command -v ip >/dev/null || skip 'ip not found: Debian package iproute2'
    command -v ethtool >/dev/null || skip 'ethtool not found: Debian package ethtool'
    NS=bareloop-tune-$$-$BATS_TEST_NUMBER
    ip netns add "$NS" 2>/dev/null || skip 'network namespaces are not allowed here'
    in_ns ip link add server numtxqueues 2 numrxqueues 2 type veth \
        peer name client numtxqueues 2 numrxqueues 2 2>/dev/null || skip 'veth is not allowed here'
    in_ns ip addr add 10.213.7.1/24 brd + dev server
    in_ns ip link set server addrgenmode none # Its IPv6 address would be tentative for a while.
    in_ns ip link set lo up
    in_ns ip link set server up
    in_ns ip link set client up
    in_ns ethtool -K server gro on # Without it a veth has no NAPI.
    STATE=$BATS_TEST_TMPDIR/state/state.json
}

teardown() {
    [[ ! ${SERVER:-} ]] || kill "$SERVER" 2>/dev/null || true
    if [[ ${NS:-} ]] && ip netns pids "$NS" >/dev/null 2>&1; then
        ip netns del "$NS"
    fi
}

in_ns() {
    ip netns exec "$NS" "$@"
}

# Every reading of the namespace and of its device.
readings() {
    # shellcheck disable=SC2016
    in_ns bash -c '
        cd /proc/sys/net
        grep -rs "" core ipv4 --exclude=flush | grep -v "random\|stable_secret\|_id:" | sort
        cd /sys/class/net/server
        grep -s "" * queues/*/* | grep -v "^statistics\|^carrier\|^link_mode\|^uevent" | sort
        ethtool -k server
        ethtool -l server
        ethtool -c server 2>&1
        tc qdisc show
        ip -d addr show dev server
        nft list ruleset 2>&1
        cat /proc/net/packet
        true
    '
}

@test "namespace: apply, verify, revert leave every reading as it was" {
    local before after
    before=$(readings)
    [[ ${#before} -gt 2000 ]]
    run "$TUNE" --netns "$NS" --iface server --state "$STATE" --cpus 0 \
        --accept security,connectivity --confirm-within 0 apply 3-10
    exits 0
    is_state gro conflict
    is_state napi_defer_hard_irqs applied
    is_state tcp_congestion_control applied
    is_state qdisc applied
    is_state net.ipv4.tcp_max_syn_backlog applied
    after=$(readings)
    [[ $before != "$after" ]]
    [[ $(in_ns cat /proc/sys/net/ipv4/tcp_congestion_control) == reno ]]
    run "$TUNE" --netns "$NS" --state "$STATE" --cpus 0 verify
    exits 0
    run "$TUNE" --netns "$NS" --state "$STATE" revert
    exits 0
    diff <(echo "$before") <(readings)
    [[ ! -e $STATE ]]
}

@test "namespace: README's line: apply all-safe && verify && revert" {
    local before
    before=$(readings)
    "$TUNE" --netns "$NS" --iface server --state "$STATE" apply all-safe &&
        "$TUNE" --netns "$NS" --state "$STATE" verify && "$TUNE" --netns "$NS" --state "$STATE" revert || return 1
    diff <(echo "$before") <(readings)
    [[ ! -e $STATE ]]
}

@test "namespace: XPS of each queue, as the kernel takes it" {
    (($(nproc) >= 2)) || skip 'needs two CPUs'
    "$TUNE" --netns "$NS" --iface server --state "$STATE" --cpus 1,0 apply '5/tx-*' '5/rx-*'
    [[ $(in_ns cat /sys/class/net/server/queues/tx-0/xps_cpus) =~ ^0*2$ ]]
    [[ $(in_ns cat /sys/class/net/server/queues/tx-1/xps_cpus) =~ ^0*1$ ]]
    "$TUNE" --netns "$NS" --state "$STATE" revert
    [[ $(in_ns cat /sys/class/net/server/queues/tx-0/xps_cpus) =~ ^0*$ ]]
}

@test "namespace: rules of nft come back as they were" {
    command -v nft >/dev/null || skip 'nft not found: Debian package nftables'
    in_ns nft -f - <<'RULES' || skip 'nft is not allowed here'
table inet filter {
    chain input {
        type filter hook input priority filter; policy accept;
        ip saddr 10.213.7.2 tcp dport 8080 accept comment "the line's own, \\ & 100 %s"
    }
}
RULES
    local before
    before=$(in_ns nft -s list ruleset)
    "$TUNE" --netns "$NS" --iface server --state "$STATE" --accept security,connectivity \
        --confirm-within 0 apply '4/nft*'
    [[ ! $(in_ns nft list ruleset) ]]
    "$TUNE" --netns "$NS" --state "$STATE" revert
    diff <(echo "$before") <(in_ns nft -s list ruleset)
}

@test "namespace: a single queue with a real qdisc: noqueue and back" {
    in_ns ip link add single type ifb || skip 'ifb is not there'
    in_ns ip link set single up
    local before
    before=$(in_ns tc qdisc show dev single)
    [[ $before == *fast* || $before == *fq* ]] || skip "its default is: $before"
    "$TUNE" --netns "$NS" --iface single --state "$STATE" apply 8
    [[ $(in_ns tc qdisc show dev single) == *noqueue* ]]
    "$TUNE" --netns "$NS" --state "$STATE" revert
    diff <(echo "$before") <(in_ns tc qdisc show dev single)
}

@test "namespace: the lifetime of an address" {
    in_ns ip addr change 10.213.7.1/24 dev server valid_lft 900 preferred_lft 800
    # No client here, so the kind is tried by itself.
    in_ns /usr/bin/python3 -ISB - "$TUNE_TEST_DIR/../lib" <<'PYTHON'
import sys

sys.path.insert(0, sys.argv[1])
import kinds
from host import Host
from options import Options
from system import System, run_all

system = System()
kind = kinds.Lifetime(Host(system, Options(iface="server")))
knob = "server 10.213.7.1/24"
original = kind.read(knob).value
assert original.startswith("until"), original
assert run_all(system, kind.change(knob, "forever", original)).status == 0
assert kind.read(knob).value == "forever"
assert run_all(system, kind.change(knob, original, "forever")).status == 0
PYTHON
    in_ns ip addr show dev server | grep -qE 'valid_lft (89[0-9]|900)sec preferred_lft (79[0-9]|800)sec'
    in_ns ip addr show dev server | grep -q 'brd 10.213.7.255'
}

@test "namespace: what the whole host has one of is left alone without --accept global" {
    run "$TUNE" --netns "$NS" --iface server --state "$STATE" --accept security apply 3 6 5/irqbalance
    is_state net.core.busy_poll unsupported
    [[ ! -e $STATE ]] || lacks '"kind":"\(audit\|service\)"' "$STATE"
    [[ $(cat /proc/sys/net/core/busy_poll 2>/dev/null || echo 0) == 0 ]] || skip 'the host busy polls'
}

# filter_row SERVER_CPU CLIENT_CPU [OPTION]: the row of a server with one connection. On loopback the
# client's CPU receives for the server.
filter_row() {
    local port
    # Without the function, so that the process is the server itself.
    : >"$BATS_TEST_TMPDIR/port"
    ip netns exec "$NS" taskset -c "$1" "$TUNE_TEST_DIR/epoll-server" "${@:3}" >"$BATS_TEST_TMPDIR/port" 3>&- &
    SERVER=$!
    while [[ ! -s $BATS_TEST_TMPDIR/port ]]; do
        kill -0 "$SERVER"
        sleep 0.05
    done
    port=$(<"$BATS_TEST_TMPDIR/port")
    in_ns taskset -c "$2" bash -c "exec 9<>/dev/tcp/127.0.0.1/$port; sleep 0.3
        exec '$TUNE' --iface server --state '$STATE' --pid $SERVER --cpus $1 status 5/pinning '5/reuse*'" 3>&-
    kill "$SERVER"
}

@test "the reuseport filter, end to end: connections on the CPU that received them" {
    (($(nproc) >= 2)) || skip 'needs two CPUs'
    run filter_row 0 0
    exits 0
    is_state pinning applied
    is_state 'reuseport filter' applied
    says '1 of 1'
    run filter_row 1 0
    exits 0
    is_state 'reuseport filter' differs
    says '0 of 1'
}

@test "the reuseport filter, where each loop has descriptors of its own" {
    (($(nproc) >= 2)) || skip 'needs two CPUs'
    /usr/bin/python3 -ISB -c 'import os; os.close(os.pidfd_open(os.getpid(), os.O_EXCL))' 2>/dev/null || skip 'needs Linux 6.9'
    run filter_row 0 0 --private
    exits 0
    is_state 'reuseport filter' applied
    says '1 of 1'
    run filter_row 1 0 --private
    is_state 'reuseport filter' differs
}

@test "namespace: IRQ suspension is set, read back and reverted by netlink" {
    local before
    before=$(in_ns "$TUNE_TEST_DIR/../libexec/netdev" get server) || skip 'no netlink family netdev here'
    [[ $before == *irq-suspend-timeout=0* ]] || skip 'needs Linux 6.13'
    run "$TUNE" --netns "$NS" --iface server --state "$STATE" apply '6/napi*'
    exits 0
    is_state napi-0/suspend applied
    is_state napi-1/suspend applied
    [[ $(in_ns "$TUNE_TEST_DIR/../libexec/netdev" get server | grep -c irq-suspend-timeout=20000000) == 2 ]]
    run "$TUNE" --netns "$NS" --state "$STATE" verify
    exits 0
    # What the plan says in sh is the same.
    "$TUNE" --netns "$NS" --state "$STATE" revert
    diff <(echo "$before") <(in_ns "$TUNE_TEST_DIR/../libexec/netdev" get server)
    "$TUNE" --netns "$NS" --iface server plan '6/napi*' | sh
    [[ $(in_ns "$TUNE_TEST_DIR/../libexec/netdev" get server | grep -c irq-suspend-timeout=20000000) == 2 ]]
}

# firewall COUNT: so many addresses in a set.
firewall() {
    {
        printf 'table inet filter {\n set banned {\n  type ipv4_addr\n  elements = { '
        /usr/bin/python3 -ISB -c "print(', '.join(f'10.{n >> 16}.{n >> 8 & 255}.{n & 255}' for n in range($1)))"
        printf ' }\n }\n chain input {\n  type filter hook input priority filter; policy accept;\n'
        printf '  ip saddr @banned drop comment "the line'"'"'s own"\n }\n}\n'
    } | in_ns nft -f - || skip 'nft is not allowed here'
}

# cpu_centiseconds COMMAND...: user and system time of it and what it waited for, in hundredths.
cpu_centiseconds() {
    local TIMEFORMAT='%U %S' user kernel
    read -r user kernel < <({ time "$@" >"$BATS_TEST_TMPDIR/said" 2>&1; } 2>&1)
    /usr/bin/python3 -ISB -c "print(round(($user + $kernel) * 100))"
}

# flushed_and_back COUNT
flushed_and_back() {
    local before spent
    firewall "$1"
    before=$(in_ns nft -s list ruleset | sha256sum)
    spent=$(cpu_centiseconds "$TUNE" --netns "$NS" --iface server --state "$STATE" --accept security,connectivity \
        --confirm-within 0 apply '4/nft*')
    [[ ! $(in_ns nft list ruleset) ]]
    spent="$spent $(cpu_centiseconds "$TUNE" --netns "$NS" --state "$STATE" revert)"
    [[ $(in_ns nft -s list ruleset | sha256sum) == "$before" ]]
    echo "# $1 addresses: apply and revert took $spent hundredths of a second of CPU" >&3
    ((${spent#* } < 500 && ${spent% *} < 500))
    [[ $(find "${STATE%/*}" -type f) == '' ]]
}

@test "namespace: a firewall of 10,000 addresses is flushed and put back" {
    command -v nft >/dev/null || skip 'nft not found: Debian package nftables'
    flushed_and_back 10000
}

@test "namespace: a firewall of 100,000 addresses is flushed and put back" {
    command -v nft >/dev/null || skip 'nft not found: Debian package nftables'
    flushed_and_back 100000
}

@test "namespace: the timer puts 100,000 addresses back, without tune's own files" {
    command -v nft >/dev/null || skip 'nft not found: Debian package nftables'
    local before i
    firewall 100000
    before=$(in_ns nft -s list ruleset | sha256sum)
    mkdir "$BATS_TEST_TMPDIR/copy"
    cp -r "$TUNE_TEST_DIR"/../{tune,lib,libexec,jvm.options} "$BATS_TEST_TMPDIR/copy"
    "$BATS_TEST_TMPDIR/copy/tune" --netns "$NS" --iface server --state "$STATE" --accept security,connectivity \
        --confirm-within 3 apply '4/nft*'
    [[ ! $(in_ns nft list ruleset) ]]
    rm -r "$BATS_TEST_TMPDIR/copy"
    for ((i = 0; i < 300; i++)); do
        [[ -e $STATE ]] || break
        sleep 0.1
    done
    [[ $(in_ns nft -s list ruleset | sha256sum) == "$before" ]]
    grep -q 'reverted .*nft ruleset' "${STATE%.json}.timer.log"
    lacks Traceback "${STATE%.json}.timer.log"
}
