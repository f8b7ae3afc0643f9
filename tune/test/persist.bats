#!/usr/bin/env bats
# persist, on a fake root; and the options of a JVM.

load fake-root.bash

setup() {
    fake_root
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
