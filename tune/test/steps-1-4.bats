#!/usr/bin/env bats
# Steps 1 to 4, each on a fake root: apply, second apply, verify, revert, a foreign change, a missing knob,
# a refused write.

load fake-root.bash

setup() {
    fake_root
}

# --- 1 application -----------------------------------------------------------------------------

@test "step 1: there and back, originals kept" {
    cycle 1 1 --pid 500 # The flags of a running JVM differ for good.
}

@test "step 1: open files of the server, its flags and its loops" {
    run tune apply 1 --pid 500
    exits 1
    is_state nofile applied
    is_state jvm.options differs
    is_state loops applied
    says 'missing: --enable-native-access'
    grep -q '524288  524288' "$TUNE_ROOT/proc/500/limits" # fs.nr_open is the most there is.
    printf '%s\0' java @/opt/tune/jvm.options -jar bareloop.jar >"$TUNE_ROOT/proc/500/cmdline"
    run tune verify 1 --pid 500
    exits 0
}

@test "step 1: without --pid nothing is known and nothing is wrong" {
    run tune verify 1
    exits 0
    is_state nofile unknown
}

@test "step 1: revert skips a foreign change" {
    tune apply 1 --pid 500 || true
    sed -i 's/^Max open files .*/Max open files  777  888  files/' "$TUNE_ROOT/proc/500/limits"
    run tune revert 1
    exits 1
    is_state nofile skipped
    run tune revert 1 --force
    exits 0
    grep -q '1024  524288' "$TUNE_ROOT/proc/500/limits"
}

@test "step 1: the process is gone: dropped, for its limit is gone with it" {
    tune apply 1 --pid 500 || true
    rm -r "$TUNE_ROOT/proc/500"
    run tune revert
    exits 0
    is_state nofile dropped
}

@test "step 1: another process with the same number is left alone" {
    tune apply 1 --pid 500 || true
    sed -i 's/ 4200 / 9900 /' "$TUNE_ROOT/proc/500/stat"
    run tune revert
    exits 0
    is_state nofile dropped
    grep -q '524288  524288' "$TUNE_ROOT/proc/500/limits"
}

@test "step 1: a refused write shows errno, knob and cause" {
    echo 'prlimit: failed to set the NOFILE resource limit: Operation not permitted' >"$TUNE_ROOT/fake/refuse.prlimit"
    run tune apply 1 --pid 500
    exits 2
    is_state nofile differs
    says 'refused: Operation not permitted'
    [[ ! -e $STATE ]]
}

# --- 2 mitigations -----------------------------------------------------------------------------

@test "step 2: there and back, and a reboot between them is needed" {
    cycle 2 1 --write-bootloader
    [[ ! -e $TUNE_ROOT/etc/default/grub.before-bareloop-tune ]]
}

@test "step 2: without --write-bootloader the line is shown and nothing is written" {
    local before
    before=$(snapshot)
    run tune apply 2
    exits 1
    says 'pti=off nospectre_v1 nospectre_v2 mds=off'
    says 'would change: meltdown spectre_v1 spectre_v2 mds'
    [[ $(snapshot) == "$before" ]]
}

@test "step 2: the boot loader's line is changed, copied, and update-grub runs" {
    run tune apply 2 --write-bootloader
    exits 0
    is_state 'kernel command line' needs-reboot
    grep -qx 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash pti=off nospectre_v1 nospectre_v2 mds=off"' \
        "$TUNE_ROOT/etc/default/grub"
    grep -qx 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"' "$TUNE_ROOT/etc/default/grub.before-bareloop-tune"
    grep -qx 'update-grub ' "$BATS_TEST_TMPDIR/calls"
    run tune verify 2
    exits 1
    is_state 'kernel command line' needs-reboot
    is_state meltdown needs-reboot
    run tune verify 2-3 # Also among others, and by what was applied.
    is_state 'kernel command line' needs-reboot
    run tune verify
    exits 1
    is_state 'kernel command line' needs-reboot
}

@test "step 2: after the reboot it is applied, and reverted it needs another" {
    tune apply 2 --write-bootloader || true
    put /proc/cmdline 'quiet splash pti=off nospectre_v1 nospectre_v2 mds=off'
    put /proc/sys/kernel/random/boot_id 99999999-2222-3333-4444-555555555555
    local file
    for file in meltdown spectre_v1 spectre_v2 mds; do
        put "/sys/devices/system/cpu/vulnerabilities/$file" Vulnerable
    done
    run tune verify 2
    exits 0
    is_state 'kernel command line' applied
    run tune revert
    exits 0
    is_state 'kernel command line' needs-reboot
    grep -qx 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"' "$TUNE_ROOT/etc/default/grub"
}

@test "step 2: from 6.17 on, attack vectors; only those that are needed" {
    put /proc/sys/kernel/osrelease 6.18.1
    run tune status 2
    says 'add: mitigations=auto,no_user_kernel,no_user_user,no_guest_host,no_guest_guest;'
    put /sys/devices/system/cpu/vulnerabilities/mds 'Not affected'
    put /sys/devices/system/cpu/vulnerabilities/spectre_v2 'Not affected'
    run tune status 2
    says 'add: mitigations=auto,no_user_kernel;'
}

@test "step 2: says so where there is little or nothing to gain" {
    local file
    for file in meltdown mds spectre_v2; do
        put "/sys/devices/system/cpu/vulnerabilities/$file" 'Not affected'
    done
    run tune status 2
    says 'little to gain'
    put /sys/devices/system/cpu/vulnerabilities/spectre_v1 'Not affected'
    run tune verify 2
    exits 0
    says 'nothing to gain'
}

@test "step 2: a flag with the same name is replaced, not repeated" {
    put /etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet mds=full,nosmt"'
    tune apply 2 --write-bootloader || true
    grep -qx 'GRUB_CMDLINE_LINUX_DEFAULT="quiet pti=off nospectre_v1 nospectre_v2 mds=off"' \
        "$TUNE_ROOT/etc/default/grub"
}

@test "step 2: the last file of grub.d that sets the line is the one" {
    put /etc/default/grub.d/50-cloudimg-settings.cfg 'GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS0"'
    tune apply 2 --write-bootloader || true
    grep -q '"console=ttyS0 pti=off' "$TUNE_ROOT/etc/default/grub.d/50-cloudimg-settings.cfg"
    grep -qx 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"' "$TUNE_ROOT/etc/default/grub"
}

@test "step 2: a line with shell expansions is not rewritten" {
    # shellcheck disable=SC2016
    put /etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet $vt_handoff"'
    run tune apply 2 --write-bootloader
    is_state 'kernel command line' unsupported
    says 'edit it by hand'
}

@test "step 2: grubby" {
    ln -s "$TUNE_TEST_DIR/fake-tool" "$BATS_TEST_TMPDIR/bin/grubby"
    put /fake/grubby 'ro quiet mds=full'
    cycle 2 1 --write-bootloader
    tune apply 2 --write-bootloader || true
    holds /fake/grubby 'ro quiet pti=off nospectre_v1 nospectre_v2 mds=off'
}

@test "step 2: systemd-boot" {
    ln -s "$TUNE_TEST_DIR/fake-tool" "$BATS_TEST_TMPDIR/bin/kernel-install"
    rm "$TUNE_ROOT/etc/default/grub"
    put /etc/kernel/cmdline 'root=/dev/vda1 ro'
    cycle 2 1 --write-bootloader
}

@test "step 2: revert skips a foreign change" {
    tune apply 2 --write-bootloader || true
    put /etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="debug"'
    run tune revert 2
    exits 1
    is_state 'kernel command line' skipped
    grep -q debug "$TUNE_ROOT/etc/default/grub"
}

@test "step 2: no boot loader that tune knows" {
    rm "$TUNE_ROOT/etc/default/grub"
    run tune apply 2 --write-bootloader
    exits 1
    says 'no boot loader that tune knows'
}

@test "step 2: the configuration is gone: an error with its name" {
    tune apply 2 --write-bootloader || true
    rm "$TUNE_ROOT/etc/default/grub"
    run tune revert 2
    exits 2
    is_state 'kernel command line' gone
    says 'grub:/etc/default/grub'
}

@test "step 2: a refused write" {
    echo 'update-grub: cannot find a device' >"$TUNE_ROOT/fake/refuse.update-grub"
    run tune apply 2 --write-bootloader
    exits 2
    says 'refused: cannot find a device'
}

@test "step 2: flags in force are applied, whether the boot loader is known or not" {
    rm "$TUNE_ROOT/etc/default/grub"
    put /proc/cmdline 'ro quiet pti=off nospectre_v1 nospectre_v2 mds=off'
    local file
    for file in meltdown spectre_v1 spectre_v2 mds; do
        put "/sys/devices/system/cpu/vulnerabilities/$file" Vulnerable
    done
    run tune verify 2 --strict
    exits 0
    is_state 'kernel command line' applied
    # grub without its program, as in an image that boots by other means.
    put /etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"'
    rm "$BATS_TEST_TMPDIR/bin/update-grub"
    PATH=$BATS_TEST_TMPDIR/bin:$(path_without update-grub) run tune verify 2 --strict
    exits 0
    is_state 'kernel command line' applied
}

# --- 3 audit -----------------------------------------------------------------------------------

@test "step 3: there and back, originals kept" {
    cycle 3 0
}

@test "step 3: seccomp of the server, and whether it started before the rule" {
    tune apply 3 || true
    run tune verify 3 --pid 500
    exits 1
    is_state never,task applied
    is_state seccomp differs
    is_state 'rule before server' differs
    says 'seccomp=unconfined'
    put /proc/500/status 'Seccomp:\t0'
    put /proc/500/stat "500 (java) S 1 500 500 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 200000 0 0"
    run tune verify 3 --pid 500
    exits 0
}

@test "step 3: a kernel without audit has nothing to do" {
    rm "$TUNE_ROOT/proc/self/loginuid"
    run tune verify 3
    exits 0
    says 'kernel without audit'
}

@test "step 3: where auditing was never enabled, a system call pays nothing" {
    put /fake/audit.enabled 0
    run tune verify 3
    exits 0
    is_state never,task applied
    says 'auditing is not enabled'
    # Rules may be waiting for it: then it is not the same.
    put /fake/audit '-a always,exit -S all'
    run tune verify 3
    exits 1
    is_state never,task differs
}

@test "step 3: auditctl is missing: unsupported, with the package" {
    rm "$BATS_TEST_TMPDIR/bin/auditctl"
    PATH=$BATS_TEST_TMPDIR/bin:$(path_without auditctl) run tune apply 3
    exits 0
    says 'Debian package auditd'
}

@test "step 3: someone else took the rule out" {
    tune apply 3 || true
    : >"$TUNE_ROOT/fake/audit"
    run tune revert 3
    exits 0
    says 'it is the original already'
}

@test "step 3: a refused write" {
    echo 'Error sending add rule request (Operation not permitted)' >"$TUNE_ROOT/fake/refuse.auditctl"
    run tune apply 3
    exits 2
    says 'refused: Error sending add rule request (Operation not permitted)'
    [[ ! -e $STATE ]]
}

# --- 4 netfilter -------------------------------------------------------------------------------

@test "step 4: there and back, originals kept" {
    cycle 4 0
}

@test "step 4: services, rules, legacy rules, modules, hooks" {
    run tune apply 4
    exits 0
    holds /fake/service.firewalld.service inactive
    holds /fake/ruleset ''
    lacks '^-A' "$TUNE_ROOT/fake/iptables"
    lacks iptable_filter "$TUNE_ROOT/proc/modules"
    is_state hooks applied
}

@test "step 4: docker is named, not stopped" {
    put /fake/service.docker.service active
    run tune apply 4
    exits 1
    says '--iptables=false'
    holds /fake/service.docker.service active
}

@test "step 4: rules that nft cannot put back are left alone" {
    put /fake/ruleset 'table ip nat {' '\tchain POSTROUTING {' '\t\txt match "addrtype" counter' '\t}' '}'
    run tune apply 4
    is_state 'nft ruleset' unsupported
    grep -q 'xt match' "$TUNE_ROOT/fake/ruleset"
    put /fake/ruleset '# Warning: table ip nat is managed by iptables-nft, do not touch!' 'table ip nat {' \
        '\tchain PREROUTING {' '\t\t# match-set banned src counter drop' '\t}' '}'
    run tune apply 4
    is_state 'nft ruleset' unsupported
    put /fake/ruleset '# Warning: table ip nat is managed by iptables-nft, do not touch!' 'table ip nat {' '}'
    run tune apply 4
    is_state 'nft ruleset' applied
}

@test "step 4: revert skips foreign rules" {
    tune apply 4 || true
    put /fake/ruleset 'table inet mine {' '}'
    run tune revert '4/nft*'
    exits 1
    is_state 'nft ruleset' skipped
    grep -q mine "$TUNE_ROOT/fake/ruleset"
    run tune revert 4 --force
    exits 0
    grep -q "the line's own" "$TUNE_ROOT/fake/ruleset"
}

@test "step 4: nft is missing: unsupported, with the package" {
    rm "$BATS_TEST_TMPDIR/bin/nft"
    PATH=$BATS_TEST_TMPDIR/bin:$(path_without nft) run tune apply '4/nft*'
    exits 0
    says 'Debian package nftables'
}

@test "step 4: a refused write" {
    echo 'Error: Could not process rule: Operation not permitted' >"$TUNE_ROOT/fake/refuse.nft"
    run tune apply '4/nft*'
    exits 2
    is_state 'nft ruleset' differs
    says 'refused: Operation not permitted'
}
