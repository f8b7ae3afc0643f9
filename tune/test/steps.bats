#!/usr/bin/env bats
# Each step on a fake root: apply, second apply, verify, revert, a foreign change, a missing knob,
# a refused write.

load fake-root.bash

setup() {
    fake_root
}

# cycle STEP VERIFY_STATUS OPTION...: there and back; a second apply keeps the first originals.
cycle() {
    local before after originals_first step=$1 verified=$2
    shift 2
    before=$(snapshot)
    run tune apply "$step" "$@"
    [[ $status -eq 0 || $status -eq 1 ]] || exits 0
    originals_first=$(originals)
    [[ $originals_first ]]
    run tune verify "$step" "$@"
    exits "$verified"
    run tune apply "$step" "$@"
    [[ $(originals) == "$originals_first" ]]
    run tune revert "$step"
    exits 0
    after=$(snapshot)
    diff <(echo "$before") <(echo "$after")
    [[ ! -e $STATE ]]
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

# --- 5 locality --------------------------------------------------------------------------------

@test "step 5: there and back, originals kept" {
    cycle 5 0
}

@test "step 5: the i-th queue, interrupt and transmit queue on the i-th CPU of the order" {
    tune apply 5 --cpus 1,0
    holds /proc/irq/24/smp_affinity_list 1
    holds /proc/irq/25/smp_affinity_list 0
    holds /sys/class/net/eth0/queues/tx-0/xps_cpus 2
    holds /sys/class/net/eth0/queues/tx-1/xps_cpus 1
    holds /fake/service.irqbalance.service inactive
    holds /sys/class/net/eth0/queues/rx-0/rps_cpus 00000000
}

@test "step 5: queues come first, and the new ones are set as well" {
    sed -i '$s/.*/Combined:\t1/' "$TUNE_ROOT/fake/channels"
    rm -r "$TUNE_ROOT"/sys/class/net/eth0/queues/*-1
    tune apply 5
    tail -n 1 "$TUNE_ROOT/fake/channels" | grep -q 2
    holds /sys/class/net/eth0/queues/tx-1/xps_cpus 2
    tune revert
    tail -n 1 "$TUNE_ROOT/fake/channels" | grep -q 1
}

@test "step 5: RPS where there are fewer queues than CPUs" {
    sed -i 's/^Combined:.*/Combined:\t1/' "$TUNE_ROOT/fake/channels"
    rm -r "$TUNE_ROOT"/sys/class/net/eth0/queues/*-1
    run tune apply 5
    exits 0 # No XPS with a single queue.
    holds /sys/class/net/eth0/queues/rx-0/rps_cpus 3
    says 'single queue: no XPS'
}

# cpus COUNT: so many, all of them for the server.
cpus() {
    local i
    for ((i = 0; i < $1; i++)); do
        mkdir -p "$TUNE_ROOT/sys/devices/system/cpu/cpu$i"
    done
    put /proc/self/status "Cpus_allowed_list:\t0-$(($1 - 1))"
}

@test "step 5: XPS with fewer queues than CPUs: every CPU has a queue" {
    cpus 5
    tune apply 5
    holds /sys/class/net/eth0/queues/tx-0/xps_cpus 15 # 0, 2, 4
    holds /sys/class/net/eth0/queues/tx-1/xps_cpus a # 1, 3
    holds /sys/class/net/eth0/queues/rx-0/rps_cpus 15
    run tune verify 5
    exits 0
    tune revert
    holds /sys/class/net/eth0/queues/tx-1/xps_cpus 00000000
}

@test "step 5: gVNIC's interrupts are those of blocks: first all of transmit, then all of receive" {
    ln -sfn ../../../../bus/pci/drivers/gve "$TUNE_ROOT/sys/class/net/eth0/device/driver"
    mkdir -p "$TUNE_ROOT/sys/bus/pci/drivers/gve"
    local i
    put /proc/interrupts '           CPU0       CPU1' '  23: 2 0 PCI-MSIX-0000:00:04.0 0-edge gve-mgmnt@pci:0000:00:04.0'
    for i in 0 1 2 3; do
        put "/sys/class/net/eth0/device/msi_irqs/$((24 + i))" msix
        put "/proc/irq/$((24 + i))/smp_affinity_list" 0-1
        printf '  %s: 1 2 PCI-MSIX-0000:00:04.0 1-edge gve-ntfy-blk%s@pci:0000:00:04.0\n' "$((24 + i))" "$i" \
            >>"$TUNE_ROOT/proc/interrupts"
    done
    # Three workers and two queues: a block's number modulo the CPUs would be wrong for 2 and 3.
    cpus 3
    echo '{}' >"$TUNE_ROOT/fake/netdev.json"
    tune apply '5/irq*'
    holds /proc/irq/24/smp_affinity_list 0
    holds /proc/irq/25/smp_affinity_list 1
    holds /proc/irq/26/smp_affinity_list 0
    holds /proc/irq/27/smp_affinity_list 1
}

@test "step 5: netlink knows better than the names of interrupts" {
    cpus 2
    echo '{"2": [{"id": 513, "irq": 25, "queues": [["rx", 0]]}, {"id": 514, "irq": 24, "queues": [["rx", 1]]}]}' \
        >"$TUNE_ROOT/fake/netdev.json"
    tune apply '5/irq*'
    holds /proc/irq/25/smp_affinity_list 0
    holds /proc/irq/24/smp_affinity_list 1
}

@test "step 5: what else decides where packets go is named" {
    put /proc/sys/net/core/rps_sock_flow_entries 32768
    put /fake/ntuple '2 RX rings available' 'Total 3 rules'
    put /fake/rss 'RX flow hash indirection table for eth0 with 2 RX ring(s):' '    0:      0     0     0     0'
    put /fake/rings 'Ring parameters for eth0:' 'Pre-set maximums:' 'RX:\t\t4096' 'TX:\t\t4096' \
        'Current hardware settings:' 'RX:\t\t512' 'TX:\t\t512'
    put /fake/link '2: eth0: <UP> mtu 1500 xdp/id:7 qdisc mq'
    put /fake/qdisc 'qdisc mq 0: root' 'qdisc clsact ffff: parent ffff:fff1' 'qdisc fq_codel 0: parent :1'
    run tune status 5
    is_state RFS differs
    is_state 'ntuple filters' differs
    is_state 'RSS table' differs
    is_state XDP differs
    is_state 'tc programs' differs
    says 'rx 512 of 4096'
}

@test "step 5: workers beside their device: CPUs of its NUMA node first" {
    cpus 4
    mkdir -p "$TUNE_ROOT"/sys/devices/system/node/node{0,1}
    put /sys/devices/system/node/node0/cpulist 0-1
    put /sys/devices/system/node/node1/cpulist 2-3
    put /sys/class/net/eth0/device/numa_node 1
    run tune status 5
    says 'CPUs in worker order: 2 3 0 1'
    is_state 'NUMA node' differs
    says '--cpus 2,3'
    run tune status 5 --cpus 2,3
    is_state 'NUMA node' applied
}

@test "step 5: isolated CPUs are named" {
    put /sys/devices/system/cpu/isolated 1
    run tune status 5
    is_state 'CPUs isolated' applied
    says 'workers on them: 1'
}

@test "step 5: an interrupt delivered elsewhere differs" {
    tune apply 5
    put /proc/irq/24/effective_affinity_list 1
    run tune verify 5
    exits 1
    is_state 'irq/24 effective' differs
    run tune apply 5 # Which has done what there is to do.
    exits 0
}

@test "step 5: pinning of the server's loops" {
    run tune status 5/pinning --pid 500
    is_state pinning applied
    run tune status 5/pinning --pid 500 --cpus 1,0
    is_state pinning differs
}

@test "step 5: revert skips a foreign change and reverts the rest" {
    tune apply 5
    put /proc/irq/24/smp_affinity_list 0,1
    put /sys/class/net/eth0/queues/tx-0/xps_cpus 3
    run tune revert 5
    exits 1
    is_state 'irq/24 eth0-Tx-Rx-0' reverted # 0,1 is 0-1, the original.
    is_state tx-0/xps_cpus skipped
    is_state tx-1/xps_cpus reverted
    holds /sys/class/net/eth0/queues/tx-0/xps_cpus 3
    run tune revert 5 --force
    exits 0
    holds /sys/class/net/eth0/queues/tx-0/xps_cpus 00000000
}

@test "step 5: a queue that is gone is an error with its name" {
    tune apply 5
    rm -r "$TUNE_ROOT/sys/class/net/eth0/queues/tx-1"
    run tune revert 5
    exits 2
    is_state tx-1/xps_cpus gone
    says '/sys/class/net/eth0/queues/tx-1/xps_cpus): gone'
    is_state tx-0/xps_cpus reverted
    run tune revert 5 --force
    exits 0
    [[ ! -e $STATE ]]
}

@test "step 5: a refused write shows errno and knob, and stops" {
    unwritable /sys/class/net/eth0/queues/tx-0/xps_cpus
    run tune apply 5
    exits 2
    is_state tx-0/xps_cpus differs
    says 'refused: Permission denied'
    says 'stopped at step 5'
    says_not tx-1/xps_cpus
    run tune apply 5 --keep-going
    exits 2
    is_state tx-1/xps_cpus applied
    lacks tx-0/xps_cpus "$STATE"
}

# --- 6 interrupts ------------------------------------------------------------------------------

@test "step 6: there and back, originals kept" {
    put /proc/sys/kernel/osrelease 6.13.0
    cycle 6 0
}

@test "step 6: moderation, sysctls, NAPI" {
    put /proc/sys/kernel/osrelease 6.13.0
    tune apply 6
    grep -q 'Adaptive RX: on' "$TUNE_ROOT/fake/coalesce"
    grep -qx 'tx-usecs: 256' "$TUNE_ROOT/fake/coalesce"
    holds /proc/sys/net/core/busy_poll 1
    holds /sys/class/net/eth0/napi_defer_hard_irqs 100
    holds /sys/class/net/eth0/gro_flush_timeout 20000
    [[ $(grep -o '"irq-suspend-timeout": 20000000' "$TUNE_ROOT/fake/netdev.json" | wc -l) == 2 ]]
}

@test "step 6: no IRQ suspension before 6.13, no coalescing on veth" {
    rm "$TUNE_ROOT/fake/coalesce"
    run tune apply 6
    exits 0
    says 'kernel before 6.13: no IRQ suspension'
    says 'no coalescing'
    holds /proc/sys/net/core/busy_poll 1
}

@test "step 6: the server's own busy polling" {
    run tune status 6 --pid 500
    is_state 'epoll busy poll' unknown
    put /proc/500/net/netstat 'TcpExt: A BusyPollRxPackets' 'TcpExt: 1 42'
    run tune status 6 --pid 500
    is_state 'epoll busy poll' applied
    printf '%s\0' java -jar bareloop.jar --busy-poll off >"$TUNE_ROOT/proc/500/cmdline"
    run tune status 6 --pid 500
    is_state 'epoll busy poll' differs
}

@test "step 6: a device that takes the command and keeps its value is unsupported, and others go on" {
    : >"$TUNE_ROOT/fake/ignore.ethtool"
    run tune apply 6
    exits 0
    is_state adaptive-rx unsupported
    says "ena: the device takes the command and keeps 'off'"
    holds /proc/sys/net/core/busy_poll 1
    lacks adaptive-rx "$STATE"
}

@test "step 6: a coalescing value that the device does not take is unsupported, and others go on" {
    echo 'netlink error: Invalid argument' >"$TUNE_ROOT/fake/refuse.ethtool"
    run tune apply 6
    exits 0
    is_state tx-usecs unsupported
    says 'ena: the device does not take this value'
    holds /proc/sys/net/core/busy_poll 1
}

@test "step 6: without step 5 it warns" {
    run tune apply 6
    says 'step 6 without step 5'
}

@test "step 6: revert skips a foreign change" {
    tune apply 6 || true
    put /proc/sys/net/core/busy_poll 50
    run tune revert 6
    exits 1
    is_state net.core.busy_poll skipped
    holds /proc/sys/net/core/busy_poll 50
    holds /proc/sys/net/core/busy_read 0
}

@test "step 6: a missing sysctl is unsupported by name" {
    rm "$TUNE_ROOT/proc/sys/net/core/busy_poll"
    run tune apply 6
    exits 0
    says 'this kernel has no net.core.busy_poll'
}

@test "step 6: a device that refuses moderation is unsupported, others go on" {
    echo 'netlink error: Operation not supported' >"$TUNE_ROOT/fake/refuse.ethtool"
    run tune apply 6
    exits 0
    is_state adaptive-rx unsupported
    says 'refused: Operation not supported: ena: the device does not offer it'
    holds /proc/sys/net/core/busy_poll 1
}

@test "step 6: a refused write" {
    unwritable /proc/sys/net/core/busy_poll
    run tune apply 6
    exits 2
    says 'step 6, net.core.busy_poll: echo 1 >'
    says 'Permission denied'
}

@test "step 6: in a child namespace, what the host has one of needs --accept global" {
    rm "$TUNE_ROOT/proc/sys/net/core/netdev_budget"
    run tune apply 5/irqbalance
    exits 0
    says '--accept global'
    holds /fake/service.irqbalance.service active
    run tune apply 5/irqbalance --accept global
    exits 0
}

# --- 7 listeners -------------------------------------------------------------------------------

@test "step 7: there and back, originals kept" {
    cycle 7 0
    grep -q 'valid_lft 3[34][0-9][0-9]sec' "$TUNE_ROOT/fake/lifetime"
    [[ $(tr '\0' ' ' <"$TUNE_ROOT/proc/777/cmdline") == 'dhclient -4 -v -pf /run/dhclient.eth0.pid '* ]]
}

@test "step 7: first the address, then the client" {
    tune apply 7
    grep -q 'valid_lft forever' "$TUNE_ROOT/fake/lifetime"
    grep -n 'ip addr change\|dhclient -x -pf /run/dhclient.eth0.pid' "$BATS_TEST_TMPDIR/calls" |
        cut -d: -f2 | head -n 1 | grep -q 'ip addr change'
    [[ ! -e $TUNE_ROOT/proc/777 ]]
}

@test "step 7: others are named and left alone" {
    put /fake/ss 'p_raw UNCONN 0 0 *:eth0 * users:(("dhclient",pid=777,fd=5))' \
        'p_raw UNCONN 0 0 *:eth0 * users:(("lldpd",pid=888,fd=6))'
    run tune status 7
    is_state 'listener lldpd' differs
    says 'pid 888'
    says 'systemctl stop lldpd'
}

@test "step 7: dhclient of NetworkManager is left to it" {
    put /proc/1/comm NetworkManager
    run tune apply 7
    is_state dhclient unsupported
    says 'dhcp=internal'
    [[ -e $TUNE_ROOT/proc/777 ]]
}

@test "step 7: dhclient with a script of its own is not repeated by tune" {
    printf '%s\0' dhclient -sf /tmp/evil eth0 >"$TUNE_ROOT/proc/777/cmdline"
    run tune apply 7
    is_state dhclient unsupported
    [[ -e $TUNE_ROOT/proc/777 ]]
}

@test "step 7: a socket bound to another interface is no listener of this one" {
    rm -r "$TUNE_ROOT/proc/777"
    put /proc/net/packet 'sk       RefCnt Type Proto  Iface R Rmem   User   Inode' \
        'ffff8880 3      3    0003   7     1       0      0      21117 '
    put /fake/ss 'p_raw UNCONN 0 0 *:docker0 * users:(("lldpd",pid=888,fd=6))'
    run tune verify 7
    exits 0
    is_state 'packet sockets' applied
    # One that is bound to none listens to all.
    put /proc/net/packet 'sk       RefCnt Type Proto  Iface R Rmem   User   Inode' \
        'ffff8880 3      3    0003   0     1       0      0      21117 '
    put /fake/ss 'p_raw UNCONN 0 0 *:* * users:(("lldpd",pid=888,fd=6))' \
        'p_raw UNCONN 0 0 *:docker0 * users:(("tcpdump",pid=999,fd=6))'
    run tune verify 7
    exits 1
    is_state 'listener lldpd' differs
    is_state 'listener tcpdump' ''
}

@test "step 7: no packet socket: nothing to do" {
    sed -i '2,$d' "$TUNE_ROOT/proc/net/packet"
    rm -r "$TUNE_ROOT/proc/777"
    run tune verify 7
    exits 0
    is_state 'packet sockets' applied
}

@test "step 7: revert skips another client that was started meanwhile" {
    tune apply 7
    put /proc/778/comm dhclient
    put /proc/778/status 'PPid:\t1'
    printf '%s\0' dhclient -v eth0 >"$TUNE_ROOT/proc/778/cmdline"
    run tune revert 7
    exits 1
    is_state dhclient skipped
}

@test "step 7: the address is gone: an error with its name" {
    tune apply 7
    ln -sf /bin/false "$BATS_TEST_TMPDIR/bin/ip"
    run tune revert 7
    exits 2
    is_state 'address 10.0.0.5/24' gone
}

@test "step 7: a refused write" {
    echo 'RTNETLINK answers: Operation not permitted' >"$TUNE_ROOT/fake/refuse.ip"
    run tune apply 7
    exits 2
    says 'refused: Operation not permitted'
    [[ -e $TUNE_ROOT/proc/777 ]] # Without a permanent address the client stays.
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
