#!/usr/bin/env bats
# Steps 8 to 11, each on a fake root: apply, second apply, verify, revert, a foreign change, a missing knob,
# a refused write.

load fake-root.bash

setup() {
    fake_root
}

# --- 8 qdisc -----------------------------------------------------------------------------------

@test "step 8: there and back, originals kept" {
    cycle 8 0
}

@test "step 8: noqueue under mq, and default_qdisc is as before at once" {
    tune apply 8
    grep -q 'qdisc mq 8001: root' "$TUNE_ROOT/fake/qdisc"
    [[ $(grep -c 'qdisc noqueue 0: parent 8001:' "$TUNE_ROOT/fake/qdisc") == 2 ]]
    holds /proc/sys/net/core/default_qdisc fq_codel
}

@test "step 8: default_qdisc is put back also where tc refuses" {
    echo 'RTNETLINK answers: Operation not permitted' >"$TUNE_ROOT/fake/refuse.tc"
    run tune apply 8
    exits 2
    says 'refused: Operation not permitted'
    holds /proc/sys/net/core/default_qdisc fq_codel
}

@test "step 8: single queue: noqueue at the root" {
    rm -r "$TUNE_ROOT"/sys/class/net/eth0/queues/*-1
    put /fake/qdisc 'qdisc fq_codel 0: root refcnt 2'
    run tune apply 8
    exits 0
    says 'single queue: no mq'
    holds /fake/qdisc 'qdisc noqueue 8001: root refcnt 2'
    tune revert
    holds /fake/qdisc 'qdisc fq_codel 0: root refcnt 2'
}

@test "step 8: a qdisc that someone set up is left alone" {
    put /fake/qdisc 'qdisc htb 1: root refcnt 2 r2q 10' 'qdisc fq_codel 10: parent 1:10'
    run tune apply 8
    exits 0
    is_state qdisc unsupported
    says 'tc qdisc del dev eth0 root'
}

@test "step 8: revert skips a foreign change" {
    tune apply 8
    put /fake/qdisc 'qdisc fq 8005: root refcnt 2 limit 10000p'
    run tune revert 8
    exits 1
    is_state qdisc skipped
}

@test "step 8: tc is missing: unsupported, with the package" {
    rm "$BATS_TEST_TMPDIR/bin/tc"
    PATH=$BATS_TEST_TMPDIR/bin:$(path_without tc) run tune apply 8
    exits 0
    says 'Debian package iproute2'
}

# --- 9 last ------------------------------------------------------------------------------------

@test "step 9: there and back, originals kept" {
    cycle 9 0
}

@test "step 9: features, reno, static moderation" {
    tune apply 9
    grep -qx 'generic-receive-offload: off' "$TUNE_ROOT/fake/features"
    grep -qx 'rx-gro-hw: off' "$TUNE_ROOT/fake/features"
    holds /proc/sys/net/ipv4/tcp_congestion_control reno
    grep -qx 'rx-usecs: 300' "$TUNE_ROOT/fake/coalesce"
}

@test "step 9: a fixed feature is unsupported" {
    sed -i 's/^rx-gro-hw: on/rx-gro-hw: on [fixed]/' "$TUNE_ROOT/fake/features"
    run tune apply 9
    exits 0
    is_state rx-gro-hw unsupported
    says 'ena: fixed'
}

@test "step 9: on veth GRO off conflicts with step 6" {
    rm "$TUNE_ROOT/sys/class/net/eth0/device/driver" "$TUNE_ROOT/fake/coalesce"
    put /fake/driver veth
    run tune apply 6 9
    exits 0
    is_state gro conflict
    is_state napi_defer_hard_irqs applied
    run tune apply 9/gro # Step 6 is applied.
    is_state gro conflict
    tune revert 6
    run tune apply 9/gro
    exits 0
    is_state gro applied
    run tune apply 6
    exits 0
    is_state napi_defer_hard_irqs conflict
    holds /sys/class/net/eth0/napi_defer_hard_irqs 0
}

@test "step 9: after step 6 and back to it: each keeps what it found" {
    tune apply 6 || true
    tune apply 9
    grep -q 'Adaptive RX: off' "$TUNE_ROOT/fake/coalesce"
    grep -qx 'tx-usecs: 300' "$TUNE_ROOT/fake/coalesce"
    run tune verify 6/adaptive-rx 6/tx-usecs 9
    exits 0
    says "step 9's static moderation is in its place"
    tune revert 9
    grep -q 'Adaptive RX: on' "$TUNE_ROOT/fake/coalesce"
    grep -qx 'tx-usecs: 256' "$TUNE_ROOT/fake/coalesce"
    tune revert 6
    grep -qx 'tx-usecs: 64' "$TUNE_ROOT/fake/coalesce"
}

@test "step 9: step 6 reverted below it hands its originals down" {
    tune apply 6 9 || true
    run tune revert 6
    exits 0
    says 'step 9 goes on with it'
    grep -qx 'tx-usecs: 300' "$TUNE_ROOT/fake/coalesce"
    run tune revert 9
    exits 0
    grep -qx 'tx-usecs: 64' "$TUNE_ROOT/fake/coalesce"
    grep -q 'Adaptive RX: off' "$TUNE_ROOT/fake/coalesce"
}

@test "step 9: revert skips a foreign change" {
    tune apply 9
    put /proc/sys/net/ipv4/tcp_congestion_control bbr
    run tune revert 9
    exits 1
    is_state tcp_congestion_control skipped
    holds /proc/sys/net/ipv4/tcp_congestion_control bbr
}

@test "step 9: ethtool is missing: unsupported, with the package" {
    rm "$BATS_TEST_TMPDIR/bin/ethtool"
    PATH=$BATS_TEST_TMPDIR/bin:$(path_without ethtool) run tune apply 9
    exits 0
    says 'Debian package ethtool'
    holds /proc/sys/net/ipv4/tcp_congestion_control reno
}

@test "step 9: a refused write" {
    unwritable /proc/sys/net/ipv4/tcp_congestion_control
    run tune apply 9
    exits 2
    says 'refused: Permission denied'
}

# --- 10 settings -------------------------------------------------------------------------------

@test "step 10: there and back, originals kept" {
    # Tabs or blanks are the same to the kernel, not to a file.
    put /proc/sys/net/ipv4/tcp_rmem '4096 131072 6291456'
    put /proc/sys/net/ipv4/tcp_wmem '4096 16384 4194304'
    cycle 10 0
}

@test "step 10: 16 MB, backlogs, open files; what is larger stays" {
    put /proc/sys/net/core/somaxconn 65535
    run tune apply 10
    exits 0
    holds /proc/sys/net/core/rmem_max 16777216
    holds /proc/sys/net/ipv4/tcp_rmem '4096 131072 16777216'
    holds /proc/sys/net/ipv4/tcp_max_syn_backlog 10000
    holds /proc/sys/fs/nr_open 1048576
    holds /proc/sys/net/core/somaxconn 65535
    is_state net.core.somaxconn applied
    lacks somaxconn "$STATE"
}

@test "step 10: revert skips a foreign change" {
    tune apply 10
    put /proc/sys/net/core/rmem_max 99
    run tune revert 10
    exits 1
    is_state net.core.rmem_max skipped
    holds /proc/sys/net/core/wmem_max 212992
}

@test "step 10: a missing sysctl is unsupported by name" {
    rm "$TUNE_ROOT/proc/sys/net/ipv4/tcp_rmem"
    run tune apply 10
    exits 0
    says 'this kernel has no net.ipv4.tcp_rmem'
}

@test "step 10: a refused write" {
    unwritable /proc/sys/net/core/rmem_max
    run tune apply 10
    exits 2
    is_state net.core.rmem_max differs
    says 'refused: Permission denied'
}

# --- 11 processor ------------------------------------------------------------------------------

@test "step 11: there and back, originals kept" {
    cycle 11 0
}

@test "step 11: governor, sleep states, clock, pages, timers" {
    tune apply 11
    holds /sys/devices/system/cpu/cpu1/cpufreq/scaling_governor performance
    holds /sys/devices/system/cpu/cpu0/cpuidle/state1/disable 1
    holds /sys/devices/system/clocksource/clocksource0/current_clocksource tsc
    holds /sys/kernel/mm/transparent_hugepage/enabled madvise
    holds /proc/sys/kernel/timer_migration 0
}

@test "step 11: only the workers' CPUs, and the kernel's own work on the others" {
    put /sys/devices/system/cpu/online 0-1
    put /sys/devices/virtual/workqueue/cpumask 3
    tune apply 11 --cpus 1
    holds /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor powersave
    holds /sys/devices/system/cpu/cpu1/cpufreq/scaling_governor performance
    holds /sys/devices/virtual/workqueue/cpumask 1
    tune revert
    holds /sys/devices/virtual/workqueue/cpumask 3
}

@test "step 11: a virtual machine has little of it, and that is said" {
    rm -r "$TUNE_ROOT"/sys/devices/system/cpu/cpu*/{cpufreq,cpuidle}
    put /sys/devices/system/clocksource/clocksource0/available_clocksource kvm-clock
    put /sys/devices/system/clocksource/clocksource0/current_clocksource kvm-clock
    run tune status 11
    is_state governor unsupported
    is_state 'sleep states' applied
    is_state clocksource applied
}

@test "step 11: revert skips a foreign change" {
    tune apply 11
    put /sys/devices/system/cpu/cpu1/cpufreq/scaling_governor schedutil
    run tune revert 11
    exits 1
    is_state cpu1/scaling_governor skipped
    holds /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor powersave
}

@test "step 11: a refused write" {
    unwritable /proc/sys/kernel/timer_migration
    run tune apply 11
    exits 2
    says 'refused: Permission denied'
}

# --- All ---------------------------------------------------------------------------------------

@test "all steps: there and back" {
    put /proc/sys/net/ipv4/tcp_rmem '4096 131072 6291456'
    put /proc/sys/net/ipv4/tcp_wmem '4096 16384 4194304'
    local before
    before=$(snapshot)
    run tune apply all --write-bootloader --pid 500
    exits 1
    run tune revert
    exits 0
    diff <(echo "$before") <(snapshot)
}
