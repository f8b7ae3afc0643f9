#!/usr/bin/env bats
# Steps 5 to 7, each on a fake root: apply, second apply, verify, revert, a foreign change, a missing knob,
# a refused write.

load fake-root.bash

setup() {
    fake_root
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
    put /fake/ntuple '2 RX rings available' 'Total 5 rules' '' 'Filter: 1023' '\tRule Type: TCP over IPv4' \
        '\tAction: Direct to queue 1' '' 'Filter: 7' '\tFlow Type: Raw Ethernet' '\tAction: Drop' \
        '' 'Filter: 6' '' 'Filter: 5' '' 'Filter: 4'
    put /fake/rss 'RX flow hash indirection table for eth0 with 2 RX ring(s):' '    0:      0     0     0     0'
    put /fake/rings 'Ring parameters for eth0:' 'Pre-set maximums:' 'RX:\t\t4096' 'TX:\t\t4096' \
        'Current hardware settings:' 'RX:\t\t512' 'TX:\t\t512'
    put /fake/link '2: eth0: <UP> mtu 1500 xdp/id:7 qdisc mq'
    put /fake/qdisc 'qdisc mq 0: root' 'qdisc clsact ffff: parent ffff:fff1' 'qdisc fq_codel 0: parent :1'
    run tune status 5
    is_state RFS differs
    is_state 'ntuple filters' differs
    says '1023 TCP over IPv4: Direct to queue 1; 7 Raw Ethernet: Drop; 6 unknown: unknown; 5 unknown: unknown; 1 more'
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
