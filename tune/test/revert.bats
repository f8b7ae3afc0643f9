#!/usr/bin/env bats
# plan and revert: the commands and their inverses, on a fake root.

load fake-root.bash

setup() {
    fake_root
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
    tune plan 9 --json | /usr/bin/python3 -ISB -c 'import json, sys; d = json.load(sys.stdin); assert any(k["command"] == "ethtool -K eth0 gro off || echo '"'refused, and left as it is: gro'"' >&2" and k["undo"] for k in d["plan"]), d'
    tune persist 9 --json | /usr/bin/python3 -ISB -c 'import json, sys; assert "ExecStop" in json.load(sys.stdin)["unit"]'
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
    /usr/bin/python3 -ISB -c 'import json, sys; d = json.load(open(sys.argv[1])); assert all(k["state"] == "reverted" and k["command"] for k in d["knobs"]), d' "$BATS_TEST_TMPDIR/json"
}
