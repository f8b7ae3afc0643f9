#!/usr/bin/env bats
# apply, and the dead-man timer of what it may cut, on a fake root.

load fake-root.bash

setup() {
    fake_root
}

# --- apply -------------------------------------------------------------------------------------

@test "apply: security and connectivity need --accept, before anything is written" {
    local before
    before=$(snapshot)
    run "$TUNE" --state "$STATE" apply 3-10
    exits 2
    says 'needs --accept security: 3/never,task'
    says 'needs --accept connectivity'
    diff <(echo "$before") <(snapshot)
    run "$TUNE" --state "$STATE" apply 3 --accept security
    exits 0
}

@test "apply all-safe writes nothing that needs --accept" {
    run "$TUNE" --state "$STATE" apply all-safe
    exits 0
    holds /proc/sys/net/core/rmem_max 16777216
    [[ ! -s $TUNE_ROOT/fake/audit ]]
    [[ -s $TUNE_ROOT/fake/ruleset ]]
    [[ -e $TUNE_ROOT/proc/777 ]]
    says_not never,task
}

@test "apply refuses a state of another interface" {
    tune apply 8
    mkdir -p "$TUNE_ROOT/sys/class/net/eth1"
    put /sys/class/net/eth1/address 02:00:00:00:00:02
    run tune apply 10 --iface eth1
    exits 2
    says 'is that of interface eth0'
}

@test "apply --dry-run is plan" {
    local before
    before=$(snapshot)
    run tune apply 8 --dry-run
    exits 0
    says 'tc qdisc replace dev eth0 root mq'
    diff <(echo "$before") <(snapshot)
}

@test "apply says when a value does not stay" {
    # A tool that succeeds and does nothing.
    ln -sf /bin/true "$BATS_TEST_TMPDIR/bin/modprobe"
    run tune apply 4/iptable_filter
    exits 2
    says "written, but it reads back as 'loaded'"
}

@test "README's line: apply all-safe && verify && revert" {
    local before
    put /proc/sys/net/ipv4/tcp_rmem '4096 131072 6291456'
    put /proc/sys/net/ipv4/tcp_wmem '4096 16384 4194304'
    before=$(snapshot)
    "$TUNE" --state "$STATE" apply all-safe && "$TUNE" --state "$STATE" verify && "$TUNE" --state "$STATE" revert || return 1
    diff <(echo "$before") <(snapshot)
}

@test "all-safe is for a host on the internet; all-lab is the rest without --accept security" {
    "$TUNE" --state "$STATE" apply all-safe
    grep -qx 'generic-receive-offload: on' "$TUNE_ROOT/fake/features"
    holds /fake/service.irqbalance.service active
    holds /proc/irq/24/smp_affinity_list 0-1 # irqbalance would move it again.
    holds /proc/sys/net/ipv4/tcp_congestion_control cubic
    holds /proc/sys/net/core/busy_poll 0
    run "$TUNE" --state "$STATE" apply all-lab
    exits 2
    says 'needs --accept connectivity: 7/'
    run "$TUNE" --state "$STATE" apply all-lab --accept connectivity --confirm-within 0
    exits 0
    grep -qx 'generic-receive-offload: off' "$TUNE_ROOT/fake/features"
    holds /fake/service.irqbalance.service inactive
    holds /proc/sys/net/ipv4/tcp_congestion_control reno
    holds /proc/sys/net/core/busy_poll 1
    "$TUNE" --state "$STATE" apply all-safe # Which it no longer would.
    holds /proc/irq/24/smp_affinity_list 0
    [[ ! -s $TUNE_ROOT/fake/audit && -s $TUNE_ROOT/fake/ruleset ]]
}

@test "apply proves that the original can be put back before it writes" {
    echo 'Error: Could not process rule: No such file or directory' >"$TUNE_ROOT/fake/refuse.nft-check"
    run tune apply '4/nft*'
    exits 2
    says 'refused'
    [[ -s $TUNE_ROOT/fake/ruleset && ! -e $STATE ]]
}

@test "a missing right is said to be one, not a defect" {
    ((EUID == 0)) || skip 'needs root to be someone else'
    command -v setpriv >/dev/null || skip 'setpriv not found: Debian package util-linux'
    local copy=/tmp/tune-right.$$
    cp -r "$TUNE_TEST_DIR/.." "$copy"
    chmod -R a+rX "$copy"
    TUNE_ROOT='' PATH=${PATH#*:} run setpriv --reuid 65534 --regid 65534 --clear-groups "$copy/tune" apply 10 \
        --state /etc/tune-state.json
    rm -r "$copy"
    exits 2
    says_not defect
    says_not Traceback
    says 'Permission denied'
}

# slow_modprobe: a tool that takes its time, so that a signal comes in the midst of it.
slow_modprobe() {
    mkdir "$BATS_TEST_TMPDIR/real"
    mv "$BATS_TEST_TMPDIR/bin/modprobe" "$BATS_TEST_TMPDIR/real"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" = -n ] || touch "$TUNE_ROOT/../running"\n[ "$1" = -n ] || sleep 1\nexec "%s/modprobe" "$@"\n' "$BATS_TEST_TMPDIR/real" \
        >"$BATS_TEST_TMPDIR/bin/modprobe"
    chmod +x "$BATS_TEST_TMPDIR/bin/modprobe"
}

@test "a signal ends apply after the knob at hand, and says what to do" {
    local signal before
    before=$(snapshot)
    slow_modprobe
    for signal in TERM:143 HUP:129 INT:130; do
        rm -f "$BATS_TEST_TMPDIR/running"
        # Of its own, for bash lets what runs in the background ignore SIGINT.
        /usr/bin/python3 -ISB -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
            "$TUNE" --state "$STATE" --accept security,connectivity --confirm-within 0 apply 4/iptable_filter 10 \
            >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
        local applying=$! status=0
        while [[ ! -e $BATS_TEST_TMPDIR/running ]]; do
            sleep 0.02
        done
        kill "-${signal%:*}" "$applying"
        wait "$applying" || status=$?
        output=$(<"$BATS_TEST_TMPDIR/said")
        exits "${signal#*:}"
        says "SIG${signal%:*}"
        says '1 setting written; revert with: '
        says_not defect
        lacks iptable_filter "$TUNE_ROOT/proc/modules" # The knob at hand was finished,
        holds /proc/sys/net/core/rmem_max 212992 # the next not begun.
        "$TUNE" --state "$STATE" revert
        diff <(echo "$before") <(snapshot)
    done
}

# --- The dead-man timer ------------------------------------------------------------------------

@test "timer: unconfirmed, step 7 is reverted by itself" {
    run "$TUNE" --state "$STATE" --accept connectivity --confirm-within 1 apply 7
    says "tune confirm --state $STATE"
    [[ ! -e $TUNE_ROOT/proc/777 ]]
    local i
    for ((i = 0; i < 100; i++)); do
        [[ -e $STATE ]] || break
        sleep 0.1
    done
    [[ -e $TUNE_ROOT/proc/777 ]]
    [[ ! -e $STATE ]]
    grep -q reverted "${STATE%.json}.timer.log"
}

@test "timer: it is there before the first write, and outlives a kill -9 of apply" {
    local before i
    before=$(snapshot)
    slow_modprobe
    "$TUNE" --state "$STATE" --accept security,connectivity --confirm-within 3 apply 4 >/dev/null 2>&1 3>&- &
    local applying=$!
    while [[ ! -e $BATS_TEST_TMPDIR/running ]]; do
        sleep 0.02
    done
    kill -KILL "$applying"
    wait "$applying" || true
    [[ ! -s $TUNE_ROOT/fake/ruleset ]]
    for ((i = 0; i < 200; i++)); do
        [[ -e $STATE ]] || break
        sleep 0.1
    done
    diff <(echo "$before") <(snapshot)
    grep -q 'reverted .*nft ruleset' "${STATE%.json}.timer.log"
}

@test "timer: confirmed, it stays" {
    "$TUNE" --state "$STATE" --accept connectivity --confirm-within 2 apply 7
    run "$TUNE" --state "$STATE" confirm
    exits 0
    says 'kept: step 7'
    sleep 3
    [[ ! -e $TUNE_ROOT/proc/777 ]]
    [[ -e $STATE ]]
    run "$TUNE" --state "$STATE" confirm
    exits 1
    tune revert
}

@test "timer: a step without risk for the line needs no confirmation" {
    run "$TUNE" --state "$STATE" apply 10
    says_not confirm
}
