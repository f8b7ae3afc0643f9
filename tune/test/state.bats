#!/usr/bin/env bats
# The state file: first original, atomic, trusted only as far as it goes.

load fake-root.bash

setup() {
    fake_root
}

@test "the record is there before the write" {
    # The tool that writes looks for the record.
    rm "$BATS_TEST_TMPDIR/bin/modprobe"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" != -n ] || exit 0\ngrep -q "\\"knob\\":\\"iptable_filter\\".*\\"original\\":\\"loaded\\"" %s || exit 9\nsed -i "/^iptable_filter/d" "$TUNE_ROOT/proc/modules"\n' \
        "$STATE" >"$BATS_TEST_TMPDIR/bin/modprobe"
    chmod +x "$BATS_TEST_TMPDIR/bin/modprobe"
    run tune apply 4/iptable_filter
    exits 0
}

@test "the first original wins, also over a change in between" {
    tune apply 10/net.core.rmem_max
    put /proc/sys/net/core/rmem_max 77
    tune apply 10/net.core.rmem_max
    [[ $(originals) == 'net.core.rmem_max "212992"' ]]
    tune revert
    holds /proc/sys/net/core/rmem_max 212992
}

@test "what is as wanted already gets no record" {
    put /proc/sys/net/core/busy_poll 1
    tune apply 6/net.core.busy_poll
    [[ ! -e $STATE ]]
}

@test "the file says what and where: boot, kernel, interface, MAC, driver, time" {
    tune apply 8
    grep -q '"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.1.0-18-amd64","iface":"eth0","mac":"02:00:00:00:00:01","driver":"ena"' "$STATE"
    grep -qE '"time":"20[0-9-]+T[0-9:]+Z"' "$STATE"
    /usr/bin/python3 -ISB -m json.tool "$STATE" >/dev/null
}

@test "the file and its directory are for the owner only" {
    (umask 0 && tune apply 8)
    [[ $(stat -c %a "$STATE") == 600 ]]
    [[ $(stat -c %a "${STATE%/*}") == 700 ]]
}

@test "the file is replaced whole: a write that fails leaves the old one" {
    tune apply 8
    cp "$STATE" "$BATS_TEST_TMPDIR/before"
    # No file may grow: as on a disk that is full. A tool that keeps no log, then.
    ln -sf /bin/true "$BATS_TEST_TMPDIR/bin/modprobe"
    run bash -c "ulimit -f 0; exec '$TUNE' --state '$STATE' --iface eth0 --accept security,connectivity apply 4/iptable_filter"
    exits 2
    says 'cannot be written'
    cmp "$STATE" "$BATS_TEST_TMPDIR/before"
    grep -q iptable_filter "$TUNE_ROOT/proc/modules" # And so the knob is as it was.
    [[ $(find "${STATE%/*}" -name '.state.*') == '' ]]
}

@test "killed between record and write: revert finds it as it was" {
    tune apply 10/net.core.rmem_max
    put /proc/sys/net/core/rmem_max 212992
    run tune revert
    exits 0
    says 'it is the original already'
    [[ ! -e $STATE ]]
}

@test "another boot: what was volatile is gone, is said to be, and is dropped" {
    tune apply 10
    put /proc/sys/kernel/random/boot_id 99999999-2222-3333-4444-555555555555
    run tune revert
    exits 0
    says 'started anew'
    says '7 settings'
    holds /proc/sys/net/core/rmem_max 16777216 # Nobody has touched it.
    [[ ! -e $STATE ]]
}

@test "another boot: what step 2 wrote is still on record, and other steps go on" {
    tune apply 2 --write-bootloader || true
    [[ -e $STATE ]]
    put /proc/sys/kernel/random/boot_id 99999999-2222-3333-4444-555555555555
    put /proc/sys/net/core/rmem_max 300000
    run tune apply 10/net.core.rmem_max
    exits 0
    holds /proc/sys/net/core/rmem_max 16777216
    grep -q '"iface":"eth0"' "$STATE"
}

@test "another boot: apply begins with new originals" {
    tune apply 10/net.core.rmem_max
    put /proc/sys/kernel/random/boot_id 99999999-2222-3333-4444-555555555555
    put /proc/sys/net/core/rmem_max 300000
    run tune apply 10/net.core.rmem_max
    exits 0
    says 'started anew'
    [[ $(originals) == 'net.core.rmem_max "300000"' ]]
}

@test "what a killed run has left beside the file goes with the next one" {
    mkdir -m 700 "${STATE%/*}"
    echo half >"${STATE%/*}/.state.4711"
    echo half >"${STATE%/*}/.state.Xy12ab"
    tune apply 10/net.core.rmem_max
    [[ $(find "${STATE%/*}" -name '.state.*') == '' ]]
}

@test "a long original is a file of its own, and what is not that file is refused" {
    {
        echo 'table ip filter {'
        seq -f '  ip saddr 10.0.0.%g counter drop comment "rule"' 300
        echo '}'
    } >"$TUNE_ROOT/fake/ruleset"
    cp "$TUNE_ROOT/fake/ruleset" "$BATS_TEST_TMPDIR/before"
    tune apply '4/nft*'
    local kept
    kept=$(find "${STATE%/*}" -name 'state.json.*')
    cmp "$kept" <(head -c -1 "$BATS_TEST_TMPDIR/before")
    [[ $(stat -c %a "$kept") == 600 ]]
    cp -p "$kept" "$BATS_TEST_TMPDIR/kept"
    echo 'table ip evil' >"$kept"
    run tune revert
    exits 2
    says 'is not what was kept'
    [[ ! -s $TUNE_ROOT/fake/ruleset ]]
    cp "$BATS_TEST_TMPDIR/kept" "$kept"
    tune revert
    cmp "$TUNE_ROOT/fake/ruleset" "$BATS_TEST_TMPDIR/before"
    [[ $(find "${STATE%/*}" -type f) == '' ]]
}

@test "a symbolic link in its place is refused, not followed" {
    mkdir -m 700 "${STATE%/*}"
    echo precious >"$BATS_TEST_TMPDIR/precious"
    ln -s "$BATS_TEST_TMPDIR/precious" "$STATE"
    run tune apply 8
    exits 2
    says 'is a symbolic link'
    [[ $(<"$BATS_TEST_TMPDIR/precious") == precious ]]
    grep -q fq_codel "$TUNE_ROOT/fake/qdisc"
}

@test "a directory or a file that others can write is refused" {
    mkdir -m 777 "${STATE%/*}"
    run tune apply 8
    exits 2
    says 'others may write'
    chmod 700 "${STATE%/*}"
    tune apply 8
    chmod 666 "$STATE"
    run tune revert
    exits 2
    says 'others may write'
}

@test "a file of another user is refused" {
    ((EUID == 0)) || skip 'needs root to give a file away'
    tune apply 8
    chown 65534 "$STATE"
    EUID_OTHER=1 run tune revert
    exits 2
    says 'belongs to user 65534'
}

# A record that says ARG and ORIGINAL instead.
forge() {
    sed -i "s|\"kind\":\"[^\"]*\",\"arg\":\"[^\"]*\",\"original\":\"[^\"]*\"|\"kind\":\"$1\",\"arg\":\"$2\",\"original\":\"$3\"|" "$STATE"
}

@test "no value of the file is written that its kind would not write" {
    echo precious >"$TUNE_ROOT/etc/precious"
    local kind arg original
    while IFS='|' read -r kind arg original; do
        rm -f "$STATE"
        put /proc/sys/net/core/rmem_max 212992
        tune apply 10/net.core.rmem_max
        forge "$kind" "$arg" "$original"
        run tune revert --force
        exits 2
        says 'tune does not write such a value'
        [[ $(<"$TUNE_ROOT/etc/precious") == precious ]]
        [[ ! -e $BATS_TEST_TMPDIR/pwned ]]
    done <<FORGED
file|/etc/precious|1
file|/sys/class/net/../../etc/precious|1
file|/sys/class/net/eth0/gro_flush_timeout|1; touch $BATS_TEST_TMPDIR/pwned
mask|/sys/class/net/eth0/queues/tx-0/xps_cpus|\$(touch $BATS_TEST_TMPDIR/pwned)
sysctl|kernel.core_pattern|1
sysctl|net.core.rmem_max|1 > /etc/precious
cpulist|/proc/irq/../sysrq-trigger|1
feature|eth0 gro|off; touch $BATS_TEST_TMPDIR/pwned
coalesce|eth0;id tx-usecs|1
channels|eth0|combined 1; id
qdisc|eth0|mq; id
service|sshd.service|stopped
service|irqbalance.service|running; id
module|evil|loaded
bootline|grub:/etc/precious|quiet
bootline|grub:/etc/default/grub|quiet\$(id)
lifetime|eth0 10.0.0.5/24|until 1 1; id
dhclient|eth0|running /bin/sh -c id
dhclient|eth0|running dhclient -sf /tmp/evil eth0
dhclient|eth0|running dhclient -cf ../../tmp/evil eth0
prlimit|500 4200|1:1; id
nft|ruleset|include /etc/precious
audit|never,task; id|absent
nonsense|eth0|1
fact|eth0|1
FORGED
}

@test "lines that tune does not write are refused by number" {
    tune apply 8
    echo '{"seq":x}' >>"$STATE"
    run tune revert
    exits 2
    says 'line 7: not as tune writes it'
    printf 'garbage' >"$STATE"
    run tune revert
    exits 2
    says 'line 1'
}

@test "any text survives the way to the file and back" {
    local odd
    odd=$'table ip "a\\b" {\n\t\x01 \\n \\\\ "q" \'s\' $(id) `id` %s & \xc3\xa9 \x7f\n}'
    printf '%s\n' "$odd" >"$TUNE_ROOT/fake/ruleset"
    cp "$TUNE_ROOT/fake/ruleset" "$BATS_TEST_TMPDIR/before"
    tune apply '4/nft*'
    [[ ! -s $TUNE_ROOT/fake/ruleset ]]
    tune revert
    cmp "$TUNE_ROOT/fake/ruleset" "$BATS_TEST_TMPDIR/before"
}

@test "a large ruleset" {
    {
        echo 'table ip filter {'
        seq -f '  ip saddr 10.0.0.%g counter drop comment "rule"' 1500
        echo '}'
    } >"$TUNE_ROOT/fake/ruleset"
    cp "$TUNE_ROOT/fake/ruleset" "$BATS_TEST_TMPDIR/before"
    tune apply '4/nft*'
    tune revert >/dev/null
    cmp "$TUNE_ROOT/fake/ruleset" "$BATS_TEST_TMPDIR/before"
}

@test "two runs on one state exclude each other" {
    mkdir -m 700 "${STATE%/*}"
    # A run that takes its time: the lock is held while its tool waits.
    rm "$BATS_TEST_TMPDIR/bin/modprobe"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" != -n ] || exit 0\ntouch "$TUNE_ROOT/../running"\nsleep 2\nsed -i "/^iptable_filter/d" "$TUNE_ROOT/proc/modules"\n' \
        >"$BATS_TEST_TMPDIR/bin/modprobe"
    chmod +x "$BATS_TEST_TMPDIR/bin/modprobe"
    tune apply 4/iptable_filter 3>&- &
    local first=$!
    while [[ ! -e $BATS_TEST_TMPDIR/running ]]; do
        sleep 0.05
    done
    run flock -n "${STATE%/*}" true
    exits 1
    run tune apply 10/net.core.rmem_max # Waits its turn.
    exits 0
    wait "$first"
    [[ $(grep -c '"seq"' "$STATE") == 2 ]]
}

@test "what a command leaves running does not hold the lock" {
    rm "$BATS_TEST_TMPDIR/bin/modprobe"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" != -n ] || exit 0\nsed -i "/^iptable_filter/d" "$TUNE_ROOT/proc/modules"\nsleep 5 >/dev/null 2>&1 3>&- &\n' \
        >"$BATS_TEST_TMPDIR/bin/modprobe"
    chmod +x "$BATS_TEST_TMPDIR/bin/modprobe"
    tune apply 4/iptable_filter
    run flock -n "${STATE%/*}" true
    exits 0
}

@test "verify takes the CPUs that apply had" {
    tune apply 5 --cpus 1,0
    run tune verify 5
    exits 0
    says 'CPUs in worker order: 1 0'
}

@test "revert refuses another namespace and another device" {
    TUNE_INSIDE_NETNS=lab tune apply 10 --netns lab
    run tune revert
    exits 2
    says 'give --netns lab'
    TUNE_INSIDE_NETNS=lab run tune revert --netns lab
    exits 0
    tune apply 8
    put /sys/class/net/eth0/address 02:00:00:00:00:99
    run tune revert
    exits 2
    says 'is another device now'
    run tune revert --force
    exits 0
}
