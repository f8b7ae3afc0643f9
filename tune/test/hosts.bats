#!/usr/bin/env bats
# Hosts as they come, each made of files: ENA, gVNIC, virtio, a bond of two mlx5, a VLAN on it, a
# netvsc with its VF, a bridge, a veth. README's three commands chain on each, and leave it as it was.

load fake-root.bash

setup() {
    fake_root
    put /proc/sys/net/ipv4/tcp_rmem '4096 131072 6291456' # Tabs or blanks are the same to the kernel only.
    put /proc/sys/net/ipv4/tcp_wmem '4096 16384 4194304'
}

# driver NAME [DEVICE]
driver() {
    mkdir -p "$TUNE_ROOT/sys/bus/pci/drivers/$1"
    ln -sfn "$TUNE_ROOT/sys/bus/pci/drivers/$1" "$TUNE_ROOT/sys/class/net/${2:-eth0}/device/driver"
}

no_device() {
    rm -r "$TUNE_ROOT/sys/class/net/eth0/device"
}

# physical NAME IFINDEX IRQ: a NIC with two queues; its own readings of ethtool and tc.
physical() {
    local name=$1 i
    cp -a "$TUNE_ROOT/sys/class/net/eth0" "$TUNE_ROOT/sys/class/net/$name"
    rm -r "$TUNE_ROOT/sys/class/net/$name/device"
    mkdir -p "$TUNE_ROOT/sys/class/net/$name/device/msi_irqs"
    put "/sys/class/net/$name/ifindex" "$2"
    driver mlx5_core "$name"
    for i in 0 1; do
        put "/sys/class/net/$name/device/msi_irqs/$(($3 + i))" msix
        put "/proc/irq/$(($3 + i))/smp_affinity_list" 0-1
        printf '  %s: 1 2 PCI-MSIX 1-edge mlx5_comp%s@pci:0000:%s\n' "$(($3 + i))" "$i" "$name" >>"$TUNE_ROOT/proc/interrupts"
    done
    for i in features coalesce channels qdisc; do
        cp "$TUNE_ROOT/fake/$i" "$TUNE_ROOT/fake/$i.$name"
    done
}

# upper NAME: what has no queues of its own, with a default route.
upper() {
    mkdir -p "$TUNE_ROOT/sys/class/net/$1/queues/"{tx,rx}-0
    put "/sys/class/net/$1/ifindex" 9
    put "/sys/class/net/$1/address" 02:00:00:00:00:09
    put /fake/default "$1"
    put "/fake/qdisc.$1" 'qdisc noqueue 0: root refcnt 2'
}

lower() { # UPPER LOWER
    ln -s "$TUNE_ROOT/sys/class/net/$2" "$TUNE_ROOT/sys/class/net/$1/lower_$2"
}

bond() {
    rm -r "$TUNE_ROOT/sys/class/net/eth0/device/msi_irqs"
    physical eth1 3 40
    physical eth2 4 50
    upper bond0
    mkdir "$TUNE_ROOT/sys/class/net/bond0/bonding"
    lower bond0 eth1
    lower bond0 eth2
    rm -r "$TUNE_ROOT/sys/class/net/eth0"
    echo '{}' >"$TUNE_ROOT/fake/netdev.json"
}

# chains: README's line, for what is safe and for the rest, and everything as before.
chains() {
    local before after group
    before=$(snapshot)
    for group in all-safe all-safe\ all-lab; do
        # shellcheck disable=SC2086
        "$TUNE" --state "$STATE" --accept connectivity --confirm-within 0 apply $group &&
            "$TUNE" --state "$STATE" verify && "$TUNE" --state "$STATE" revert || return 1
        after=$(snapshot)
        diff <(echo "$before") <(echo "$after")
        [[ ! -e $STATE ]]
    done
}

@test "ENA" {
    chains
}

@test "ENA on a kernel with IRQ suspension" {
    put /proc/sys/kernel/osrelease 6.18.1
    chains
    grep -q '"irq-suspend-timeout": 0' "$TUNE_ROOT/fake/netdev.json"
}

@test "gVNIC: dhclient holds the lease, no coalescing" {
    driver gve
    rm "$TUNE_ROOT/fake/coalesce"
    sed -i 's/ena-mgmnt/gve-mgmnt/; s/eth0-Tx-Rx-/gve-ntfy-blk/' "$TUNE_ROOT/proc/interrupts"
    chains
}

@test "virtio: a single queue for two CPUs, interrupts beside the device" {
    driver virtio_net
    rm -r "$TUNE_ROOT"/sys/class/net/eth0/queues/*-1
    sed -i 's/^Combined:.*/Combined:\t1/' "$TUNE_ROOT/fake/channels"
    sed -i 's/eth0-Tx-Rx-0/virtio0-input.0/; s/eth0-Tx-Rx-1/virtio0-output.0/' "$TUNE_ROOT/proc/interrupts"
    put /fake/qdisc 'qdisc fq_codel 0: root refcnt 2'
    rm "$TUNE_ROOT/fake/coalesce"
    chains
}

@test "veth: no interrupts, no coalescing, no qdisc" {
    no_device
    put /fake/driver veth
    rm "$TUNE_ROOT/fake/coalesce"
    put /fake/qdisc 'qdisc noqueue 0: root refcnt 2'
    chains
}

@test "a bond of two mlx5: its devices are tuned, and it is said" {
    bond
    chains
    run tune apply 5 8
    exits 0
    says 'bond on eth1 (mlx5_core), eth2 (mlx5_core), which is tuned'
    is_state 'eth1:tx-0/xps_cpus' applied
    holds /proc/irq/41/smp_affinity_list 1
    holds /proc/irq/50/smp_affinity_list 0
    holds /sys/class/net/eth2/queues/tx-1/xps_cpus 2
    grep -q noqueue "$TUNE_ROOT/fake/qdisc.eth1"
    run tune status '5/tx-0*'
    [[ $(rows) == 2 ]]
}

@test "a VLAN on a bond" {
    bond
    upper bond0.7
    put /sys/class/net/bond0.7/uevent DEVTYPE=vlan
    lower bond0.7 bond0
    chains
    run tune status 5
    says 'VLAN on eth1 (mlx5_core), eth2 (mlx5_core)'
}

@test "a VF behind netvsc" {
    rm -r "$TUNE_ROOT/sys/class/net/eth0/device/msi_irqs"
    physical enP1 5 60
    put /fake/driver hv_netvsc
    driver hv_netvsc
    lower eth0 enP1
    chains
    run tune status 5
    says 'hv_netvsc on enP1 (mlx5_core)'
    is_state 'enP1:tx-0/xps_cpus' differs
}

@test "a bridge: the physical port, not those of containers" {
    rm -r "$TUNE_ROOT/sys/class/net/eth0/device/msi_irqs"
    physical eth1 3 40
    upper br0
    mkdir "$TUNE_ROOT/sys/class/net/br0/bridge"
    mkdir -p "$TUNE_ROOT/sys/class/net/veth12/queues/tx-0"
    lower br0 eth1
    lower br0 veth12
    chains
    run tune status 5
    says 'bridge on eth1 (mlx5_core), which'
}

@test "step 7 on a bond: a socket on one of its devices is a listener" {
    bond
    put /proc/net/packet 'sk       RefCnt Type Proto  Iface R Rmem   User   Inode' \
        'ffff8880 3      3    0003   4     1       0      0      21117 '
    put /fake/ss 'p_raw UNCONN 0 0 *:eth2 * users:(("lldpd",pid=888,fd=6))'
    run tune status 7
    is_state 'listener lldpd' differs
}
