#!/usr/bin/env bats
# The verbs, options and exit statuses, on a fake root.

load fake-root.bash

setup() {
    fake_root
}

# --- Command line ------------------------------------------------------------------------------

@test "--help names verbs, steps, options and exit statuses" {
    run "$TUNE" --help
    exits 0
    local word
    for word in status plan apply verify confirm revert persist measure --iface --netns --cpus --pid \
        --state --accept --keep-going --write-bootloader --force --json 'Exit status'; do
        says "$word"
    done
}

@test "--help of each verb: what it does, and every option is in the help of some verb" {
    local verb option all=''
    for verb in status plan apply verify confirm revert persist; do
        run "$TUNE" "$verb" --help
        exits 0
        says "$verb"
        says Options
        says '--state FILE'
        ((${#lines[@]} > 5))
        all+=$output
    done
    for option in $(grep -o '"--[a-z-]*"' "$TUNE_TEST_DIR/../lib/options.py" | tr -d '"' | sort -u); do
        [[ $option == --help || $all == *"$option"* ]] || {
            echo "$option is in no help"
            return 1
        }
    done
    run "$TUNE" revert --help
    says_not '--accept'
    run "$TUNE" plan --help
    says 'connectivity   it can cut the line'
}

@test "what is no verb, option, step, knob or value is refused by name" {
    run tune frobnicate
    exits 2
    says 'frobnicate'
    run tune --frob
    exits 2
    says '--frob: no such option'
    run tune apply 12
    exits 2
    says '12: no such step'
    run tune apply 5-3
    exits 2
    run tune status 5/nothing
    exits 2
    says '5/nothing: no such knob'
    run tune status --accept danger
    exits 2
    says '--accept'
    run tune status --cpus 0,0
    exits 2
    says '--cpus: CPU 0 is there twice'
    run tune status --cpus 0-9
    exits 2
    says '--cpus: there is no CPU 2'
    run tune status --pid 12x
    exits 2
    run tune status --pid 12345
    exits 2
    says '--pid 12345: no such process'
    run tune status --iface nosuch
    exits 2
    says 'interface nosuch (--iface): there is none of this name'
    run tune status --netns nosuch-namespace
    exits 2
    says '--netns nosuch-namespace'
    run tune status --iface ../../etc
    exits 2
    run tune apply
    exits 2
    says 'apply: which steps?'
    run tune apply 5 --state
    exits 2
    says '--state: needs a value'
}

@test "an absent program of a verb is named" {
    cp -r "$TUNE_TEST_DIR/../tune" "$TUNE_TEST_DIR/../lib" "$BATS_TEST_TMPDIR"
    run "$BATS_TEST_TMPDIR/tune" measure --rounds 5
    exits 2
    says 'libexec/measure is missing'
}

@test "a program of a verb gets its arguments and TUNE" {
    mkdir "$BATS_TEST_TMPDIR/libexec"
    cp "$TUNE_TEST_DIR/../tune" "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho "$TUNE: $*"\nexit 7\n' >"$BATS_TEST_TMPDIR/libexec/report"
    chmod +x "$BATS_TEST_TMPDIR/libexec/report"
    run "$BATS_TEST_TMPDIR/tune" report a --b
    exits 7
    [[ $output == "$BATS_TEST_TMPDIR/tune: a --b" ]]
}

@test "steps by number, range, name, knob and pattern; in the article's order" {
    run tune status 9 locality 7-8 10/net.core.rmem_max '6/net.*'
    exits 0
    [[ $(steps_of) == '5 6 7 8 9 10' ]]
    run tune status 10/net.core.rmem_max '6/net.*'
    [[ $(rows) == 3 ]]
}

@test "the interface is that of the default route, and it is shown" {
    run tune status 8
    says 'interface eth0 (ena), of the default route'
}

@test "programs that write the same settings are named" {
    put /proc/901/comm irqbalance
    put /proc/902/comm tuned
    put /proc/903/comm NetworkManager
    run tune status 8
    says 'irqbalance (IRQ affinity)'
    says 'tuned ('
    says 'NetworkManager ('
}

# --- status ------------------------------------------------------------------------------------

@test "status is the default verb and always ends with 0" {
    run tune
    exits 0
    says 'differs'
}

@test "status writes nothing" {
    local before
    before=$(snapshot)
    tune status >/dev/null
    tune status --json --pid 500 >/dev/null
    diff <(echo "$before") <(snapshot)
    [[ ! -e $STATE && ! -e ${STATE%/*} ]]
}

@test "status opens nothing for writing (strace)" {
    command -v strace >/dev/null || skip 'strace not found: Debian package strace'
    strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=%file,ftruncate true || skip 'strace is not allowed'
    # Of the real host, without fakes, which would keep a log.
    TUNE_ROOT='' PATH=${PATH#*:} strace -f -o "$BATS_TEST_TMPDIR/trace" \
        -e trace=open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,symlink,symlinkat,chmod,fchmodat,truncate,ftruncate,mknod,mknodat \
        "$TUNE" status >/dev/null
    [[ -s $BATS_TEST_TMPDIR/trace ]]
    run grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|(creat|unlink|unlinkat|rename|renameat2?|mkdir|mkdirat|link|linkat|symlink|symlinkat|chmod|fchmodat|truncate|ftruncate|mknod|mknodat)\(' \
        "$BATS_TEST_TMPDIR/trace"
    output=$(printf '%s\n' "$output" | grep -vE '"/dev/(null|tty)"|readlink\(|ENOENT' || true)
    [[ ! $output ]] || {
        printf '%s\n' "$output"
        false
    }
}

@test "status --json is JSON with a row per knob" {
    put /fake/ruleset 'table ip "odd\name" {' '\t# tab, "quotes" and \ backslash' '}'
    tune status --json >"$BATS_TEST_TMPDIR/json"
    run tune status -v
    python3 - "$BATS_TEST_TMPDIR/json" "$(rows)" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1]))
assert document["verb"] == "status", document
assert document["host"]["iface"] == "eth0", document["host"]
assert document["host"]["cpus"] == [0, 1], document["host"]
assert len(document["knobs"]) == int(sys.argv[2]), (len(document["knobs"]), sys.argv[2])
states = {"applied", "differs", "unsupported", "needs-reboot", "conflict", "unknown"}
for row in document["knobs"]:
    assert row["state"] in states, row
    assert row["state"] not in ("unsupported", "conflict", "unknown") or row["reason"], row
    assert 1 <= row["step"] <= 11 and isinstance(row["risk"], list), row
ruleset = [row for row in document["knobs"] if row["knob"] == "nft ruleset"][0]["current"]
assert ruleset == 'table ip "odd\\name" {\n\t# tab, "quotes" and \\ backslash\n}', repr(ruleset)
assert sum(document["summary"].values()) == len(document["knobs"])
PYTHON
}

@test "status as an ordinary user: needs root where it does, and nothing breaks" {
    ((EUID == 0)) || skip 'is one already'
    command -v setpriv >/dev/null || skip 'setpriv not found: Debian package util-linux'
    # A copy that this user can reach, of the real host.
    cp -r "$TUNE_TEST_DIR/.." "$BATS_TEST_TMPDIR/copy"
    chmod -R a+rX "$BATS_TEST_TMPDIR/copy"
    mkdir -p /tmp/tune-status.$$
    cp -r "$BATS_TEST_TMPDIR/copy/." /tmp/tune-status.$$
    TUNE_ROOT='' PATH=${PATH#*:} run setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/tune-status.$$/tune status -v
    rm -r /tmp/tune-status.$$
    exits 0
    says_not Traceback
    says_not 'defect'
    says 'kernel command line'
}

@test "status: a line per step, with gain, risk and the next command" {
    run tune status
    exits 0
    local number
    for number in {1..11}; do
        [[ $(printf '%s\n' "$output" | grep -cE "^ *$number  [a-z]+ ") == 1 ]]
    done
    [[ $output =~ 8\ \ qdisc\ +differs\ +\+2\ %\ +-\ +global\ +[^\ ]*tune\ apply\ 8 ]]
    says 'apply 4 --accept security,connectivity'
    [[ $(rows) == 0 ]]
    run tune status -v
    is_state qdisc differs
}

@test "status, verify: the first line is the verdict" {
    run "$TUNE" --state "$STATE" status
    [[ ${lines[0]} == 'verdict: 0 of 11 steps in force; safe on this host: '*"tune apply all-safe --state $STATE (steps "* ]]
    [[ ${lines[0]} == *'; weakens the host or can cut the line: steps 2 3 4 7' ]]
    "$TUNE" --state "$STATE" apply all-safe
    run "$TUNE" --state "$STATE" status
    [[ ${lines[0]} != *'safe on this host'* ]]
    run "$TUNE" --state "$STATE" verify
    [[ ${lines[0]} =~ ^verdict:\ as\ wanted,\ [0-9]+\ settings$ ]]
    put /proc/sys/net/core/rmem_max 5
    run "$TUNE" --state "$STATE" verify
    exits 1
    [[ ${lines[0]} == 'verdict: 1 not as wanted: 10/net.core.rmem_max' ]]
    tune verify --json | python3 -c 'import json, sys; assert json.load(sys.stdin)["verdict"].startswith("1 not as wanted")'
}

@test "apply names the next commands with the same state, and sudo where it was used" {
    SUDO_USER=someone run "$TUNE" --state "$STATE" apply 10
    says "; next: sudo "
    says "tune verify --state $STATE; back: sudo "
    run env -u SUDO_USER "$TUNE" --state "$STATE" apply 8
    says_not sudo
}

@test "status: each knob says why it is there" {
    put /proc/sys/kernel/osrelease 6.18.1
    tune status --json --pid 500 >"$BATS_TEST_TMPDIR/json"
    python3 - "$BATS_TEST_TMPDIR/json" <<'PYTHON'
import json, sys
knobs = json.load(open(sys.argv[1]))["knobs"]
commands = [knob for knob in knobs if knob["risk"] or knob["state"] == "differs" and "/" in knob["knob"]]
assert len(commands) > 20, commands
assert all(knob["why"] for knob in commands), [knob["knob"] for knob in commands if not knob["why"]]
assert {knob["since"] for knob in knobs if knob["knob"] == "napi-0/suspend"} == {"6.13"}
PYTHON
    run tune status 9 -v
    says 'why: small requests have nothing to coalesce'
    run tune status 9
    says_not why:
}

@test "status: our own gain beside the article's, where measure was run here" {
    mkdir -m 700 "${STATE%/*}"
    echo '{"gains": {"8": {"gain": 3.4, "proven": true}, "9": {"gain": 0.6, "proven": false}}}' >"${STATE%/*}/measured.json"
    run tune status
    [[ $output =~ qdisc\ +differs\ +\+2\ %\ +\+3\ % ]]
    [[ $output =~ last\ .*\+4\ %\ +~\+1\ % ]]
}

@test "status: colour on a terminal only" {
    run tune status
    says_not $'\e['
    command -v script >/dev/null || skip 'script not found: Debian package bsdutils'
    run script -qec "TERM=xterm '$TUNE' status 8 --state '$STATE'" /dev/null
    says $'\e[33mdiffers'
}

# --- verify ------------------------------------------------------------------------------------

@test "verify: 1 where something differs, 0 where nothing does, with --strict 3 where something is unsupported" {
    run tune verify 8
    exits 1
    tune apply 8
    run tune verify 8
    exits 0
    rm -r "$TUNE_ROOT"/sys/class/net/eth0/queues/*-1
    sed -i 's/^Combined:.*/Combined:\t1/' "$TUNE_ROOT/fake/channels"
    run tune verify 5/xps
    exits 0
    run tune verify 5/xps --strict
    exits 3
}

@test "verify without steps takes those that are applied" {
    tune apply 8
    tune apply 10/net.core.rmem_max
    run tune verify
    is_state qdisc applied
    is_state net.core.rmem_max applied
    is_state net.core.busy_poll ''
}

@test "verify says that the host has been started anew" {
    tune apply 10/net.core.rmem_max
    put /proc/sys/kernel/random/boot_id 99999999-2222-3333-4444-555555555555
    put /proc/sys/net/core/rmem_max 212992
    run tune verify
    exits 1
    says 'started anew since apply: 1 setting went with the old boot'
    is_state net.core.rmem_max differs
    [[ -e $STATE ]]
}

@test "verify reads again and never trusts the record" {
    tune apply 10/net.core.rmem_max
    put /proc/sys/net/core/rmem_max 5
    run tune verify 10/net.core.rmem_max
    exits 1
    is_state net.core.rmem_max differs
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
    printf '#!/bin/sh\ntouch "$TUNE_ROOT/../running"\nsleep 1\nexec "%s/modprobe" "$@"\n' "$BATS_TEST_TMPDIR/real" \
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
        python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
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

# --- plan --------------------------------------------------------------------------------------

@test "plan in sh does what apply does, and its inverse what revert does" {
    local applied planned before steps='3-6 8-10'
    before=$(snapshot)
    # shellcheck disable=SC2086
    tune plan $steps >"$BATS_TEST_TMPDIR/plan.sh"
    diff <(echo "$before") <(snapshot)
    # shellcheck disable=SC2086
    tune apply $steps || true
    applied=$(snapshot)
    tune revert >/dev/null || true
    sh "$BATS_TEST_TMPDIR/plan.sh"
    planned=$(snapshot)
    diff <(echo "$applied") <(echo "$planned")
}

@test "plan: each command has its inverse beside it, and everything else is a comment" {
    run tune plan 9
    exits 0
    says 'echo reno > '
    says '#   undo: echo cubic > '
    says 'ethtool -K eth0 gro off'
    says '#   undo: ethtool -K eth0 gro on'
    run tune plan 8 --iface lo
    says_not '
tc qdisc'
}

@test "plan in sh goes on where a device refuses, as apply does" {
    echo 'netlink error: Operation not supported' >"$TUNE_ROOT/fake/refuse.ethtool"
    tune plan 6 9 >"$BATS_TEST_TMPDIR/plan.sh"
    run sh "$BATS_TEST_TMPDIR/plan.sh"
    exits 0
    says 'refused, and left as it is: adaptive-rx'
    holds /proc/sys/net/core/busy_poll 1
    holds /proc/sys/net/ipv4/tcp_congestion_control reno
}

@test "plan: the inverse is what revert does" {
    run tune plan 8
    says '#   undo: tc qdisc del dev eth0 root'
    tune plan 8 >"$BATS_TEST_TMPDIR/plan.sh"
    local before
    before=$(snapshot)
    sh "$BATS_TEST_TMPDIR/plan.sh"
    sed -n 's/^#   undo: //p' "$BATS_TEST_TMPDIR/plan.sh" | sh
    diff <(echo "$before") <(snapshot)
}

@test "plan, persist, confirm: JSON" {
    tune plan 9 --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert any(k["command"] == "ethtool -K eth0 gro off || echo '"'refused, and left as it is: gro'"' >&2" and k["undo"] for k in d["plan"]), d'
    tune persist 9 --json | python3 -c 'import json, sys; assert "ExecStop" in json.load(sys.stdin)["unit"]'
}

@test "plan with --netns wraps its commands" {
    TUNE_INSIDE_NETNS=lab run tune plan 10/net.ipv4.tcp_max_syn_backlog --netns lab
    says "ip netns exec lab sh -eu <<'TUNE'"
    [[ ${lines[-1]} == TUNE ]]
}

# --- revert ------------------------------------------------------------------------------------

@test "revert goes backwards and prints commands that do the same in sh" {
    local before applied
    put /proc/sys/net/ipv4/tcp_rmem '4096 131072 6291456'
    put /proc/sys/net/ipv4/tcp_wmem '4096 16384 4194304'
    before=$(snapshot)
    tune apply 6 9 10 || true
    cp -r "$TUNE_ROOT" "$BATS_TEST_TMPDIR/applied"
    tune revert >"$BATS_TEST_TMPDIR/reverted"
    diff <(echo "$before") <(snapshot)
    output=$(<"$BATS_TEST_TMPDIR/reverted")
    [[ $(steps_of) == '10 9 6' ]]
    rm -r "$TUNE_ROOT"
    mv "$BATS_TEST_TMPDIR/applied" "$TUNE_ROOT"
    sed -n '/^# The same by hand/,/^$/p' "$BATS_TEST_TMPDIR/reverted" | sh
    diff <(echo "$before") <(snapshot)
}

@test "revert --dry-run writes nothing" {
    local before
    tune apply 10
    before=$(snapshot)
    run tune revert --dry-run
    exits 0
    is_state net.core.rmem_max planned
    says 'echo 212992 > '
    diff <(echo "$before") <(snapshot)
    [[ -e $STATE ]]
}

@test "revert of one step leaves the others" {
    tune apply 8 10
    run tune revert 8
    exits 0
    holds /proc/sys/net/core/rmem_max 16777216
    run tune revert 10/net.core.rmem_max
    holds /proc/sys/net/core/rmem_max 212992
    holds /proc/sys/net/core/wmem_max 16777216
}

@test "revert with nothing applied is no error" {
    run tune revert
    exits 0
}

@test "revert with nothing recorded makes nothing" {
    run tune revert
    exits 0
    [[ ! -e ${STATE%/*} ]]
    run tune confirm
    exits 1
    [[ ! -e ${STATE%/*} ]]
}

@test "revert: a refused write keeps the record" {
    tune apply 10/net.core.rmem_max
    rm "$TUNE_ROOT/proc/sys/net/core/rmem_max"
    # It reads 5 now, as someone else's would, and refuses.
    unwritable /proc/sys/net/core/rmem_max
    run tune revert --force
    exits 2
    says 'refused: Permission denied'
    grep -q rmem_max "$STATE"
}

@test "revert --json is JSON" {
    tune apply 10
    tune revert --json >"$BATS_TEST_TMPDIR/json"
    python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); assert all(k["state"] == "reverted" and k["command"] for k in d["knobs"]), d' "$BATS_TEST_TMPDIR/json"
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

# --- persist -----------------------------------------------------------------------------------

@test "persist prints a unit that applies and reverts, and writes nothing" {
    local before
    before=$(snapshot)
    run tune persist 5-6 8 --cpus 1,0
    exits 0
    says 'Type=oneshot'
    says 'apply 5-6 8 --iface eth0 --cpus 1,0'
    says 'ExecStop='
    says ' --confirm-within 0 --keep-going'
    says ' revert --state '
    says '--accept '
    diff <(echo "$before") <(snapshot)
}

@test "persist --write installs the unit" {
    mkdir -p "$TUNE_ROOT/etc/systemd/system"
    run tune persist all-safe --write
    exits 0
    grep -q '^ExecStart=.* apply all-safe ' "$TUNE_ROOT/etc/systemd/system/bareloop-tune.service"
    grep -q 'systemctl enable bareloop-tune.service' "$BATS_TEST_TMPDIR/calls"
    says 'undo: systemctl disable --now'
}

@test "persist --write: what its owner could change is copied, for the unit runs as root" {
    ((EUID == 0)) || skip 'needs root to give a file away'
    mkdir -p "$TUNE_ROOT/etc/systemd/system"
    mkdir "$BATS_TEST_TMPDIR/theirs"
    cp -r "$TUNE_TEST_DIR"/../{tune,lib,libexec,jvm.options,README.md} "$BATS_TEST_TMPDIR/theirs"
    chown -R 65534 "$BATS_TEST_TMPDIR/theirs"
    run "$BATS_TEST_TMPDIR/theirs/tune" --state "$STATE" persist 10
    says 'belongs to user 65534'
    run "$BATS_TEST_TMPDIR/theirs/tune" --state "$STATE" persist 10 --write
    exits 0
    grep -q '^ExecStart=/usr/local/lib/bareloop-tune/tune apply 10 ' "$TUNE_ROOT/etc/systemd/system/bareloop-tune.service"
    [[ $(find "$TUNE_ROOT/usr/local/lib/bareloop-tune" ! -user 0 -o -perm /022 ! -type l) == '' ]]
    # The copy is a whole one.
    run "$TUNE_ROOT/usr/local/lib/bareloop-tune/tune" status 10
    exits 0
}

@test "persist --write: the server's unit may open as many files" {
    mkdir -p "$TUNE_ROOT/etc/systemd/system"
    tune persist 10 --write
    grep -qx 'LimitNOFILE=1048576' "$TUNE_ROOT/etc/systemd/system/bareloop.service.d/50-bareloop-tune.conf"
}

@test "persist: systemd accepts the unit" {
    command -v systemd-analyze >/dev/null || skip 'systemd-analyze not found: Debian package systemd'
    tune persist all-safe >"$BATS_TEST_TMPDIR/bareloop-tune.service"
    run systemd-analyze verify "$BATS_TEST_TMPDIR/bareloop-tune.service"
    says_not 'Unknown'
    says_not 'ExecStart'
}

@test "persist checks the steps" {
    run tune persist 12
    exits 2
}

@test "jvm.options: each flag is one a JVM takes" {
    local java
    for java in "${JAVA_HOME:-/nonexistent}/bin/java" /usr/lib/jvm/*/bin/java "$(command -v java || true)"; do
        [[ -x $java ]] || continue
        "$java" -version 2>&1 | grep -qE 'version "(2[2-9]|[3-9][0-9])' || continue
        run "$java" @"$TUNE_TEST_DIR/../jvm.options" -version
        exits 0
        return
    done
    skip 'no JDK 22 or later'
}
