#!/usr/bin/env bats
# The command line, status and verify, on a fake root.

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
    /usr/bin/python3 -ISB - "$BATS_TEST_TMPDIR/json" "$(rows)" <<'PYTHON'
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
    tune verify --json | /usr/bin/python3 -ISB -c 'import json, sys; assert json.load(sys.stdin)["verdict"].startswith("1 not as wanted")'
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
    /usr/bin/python3 -ISB - "$BATS_TEST_TMPDIR/json" <<'PYTHON'
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
