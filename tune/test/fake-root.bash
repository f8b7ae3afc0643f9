# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # Variables of bats, and of the tests that load this.
# A host made of files, and what tests do with it.

TUNE_TEST_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TUNE=$TUNE_TEST_DIR/../tune

# put PATH LINE...: a file of the host, where \t stands for a tab.
put() {
    mkdir -p "$TUNE_ROOT${1%/*}"
    printf '%s\n' "${@:2}" | sed 's/\\t/\t/g' >"$TUNE_ROOT$1"
}

# The host of make_root, copied: it is made once for all tests.
fake_root() {
    local made=$BATS_RUN_TMPDIR/made
    export TUNE_ROOT=$made/root TUNE_ARCHITECTURE=x86_64
    if [[ ! -e $made/whole ]]; then
        rm -rf "$made"
        make_root
        touch "$made/whole"
    fi
    cp -a "$made/." "$BATS_TEST_TMPDIR"
    export TUNE_ROOT=$BATS_TEST_TMPDIR/root
    STATE=$BATS_TEST_TMPDIR/state/state.json
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# A cloud instance: ENA with 2 queues of 2 CPUs, everything as a distribution leaves it.
make_root() {
    local tool i bin=$TUNE_ROOT/../bin
    mkdir -p "$TUNE_ROOT/fake" "$bin" "$TUNE_ROOT/run/systemd/system"
    for tool in ethtool tc ip systemctl nft auditctl modprobe update-grub dhclient prlimit ss unshare \
        iptables iptables-legacy iptables-legacy-save iptables-legacy-restore; do
        ln -s "$TUNE_TEST_DIR/fake-tool" "$bin/$tool"
    done

    put /proc/sys/kernel/osrelease 6.1.0-18-amd64
    put /proc/sys/kernel/random/boot_id 11111111-2222-3333-4444-555555555555
    put /proc/cmdline 'BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet'
    put /proc/self/status 'Cpus_allowed_list:\t0-1'
    put /proc/self/loginuid 4294967295
    put /proc/uptime '1000.00 1900.00'
    put /proc/modules 'ena 1 0 - Live 0x0' 'iptable_filter 16384 0 - Live 0x0'
    for i in 0 1; do
        put "/sys/devices/system/cpu/cpu$i/cpufreq/scaling_governor" powersave
        put "/sys/devices/system/cpu/cpu$i/cpufreq/scaling_available_governors" 'performance powersave'
        put "/sys/devices/system/cpu/cpu$i/cpuidle/state0/latency" 2
        put "/sys/devices/system/cpu/cpu$i/cpuidle/state1/latency" 133
        put "/sys/devices/system/cpu/cpu$i/cpuidle/state1/name" C6
        put "/sys/devices/system/cpu/cpu$i/cpuidle/state1/disable" 0
        put "/sys/class/net/eth0/queues/tx-$i/xps_cpus" 00000000
        put "/sys/class/net/eth0/queues/rx-$i/rps_cpus" 00000000
        put "/sys/class/net/eth0/device/msi_irqs/$((24 + i))" msix
        put "/proc/irq/$((24 + i))/smp_affinity_list" 0-1
    done
    put /sys/class/net/eth0/device/msi_irqs/23 msix
    put /proc/interrupts '           CPU0       CPU1' \
        '  23:          2          0   PCI-MSI 81920-edge      ena-mgmnt@pci:0000:00:05.0' \
        '  24:        100        200   PCI-MSI 81921-edge      eth0-Tx-Rx-0' \
        '  25:        300        400   PCI-MSI 81922-edge      eth0-Tx-Rx-1'
    put /sys/class/net/eth0/address 02:00:00:00:00:01
    put /sys/class/net/eth0/ifindex 2
    put /sys/class/net/eth0/napi_defer_hard_irqs 0
    put /sys/class/net/eth0/gro_flush_timeout 0
    mkdir -p "$TUNE_ROOT/sys/bus/pci/drivers/ena"
    ln -s ../../../../bus/pci/drivers/ena "$TUNE_ROOT/sys/class/net/eth0/device/driver"

    put /proc/sys/net/core/netdev_budget 300
    put /proc/sys/net/core/busy_poll 0
    put /proc/sys/net/core/busy_read 0
    put /proc/sys/net/core/default_qdisc fq_codel
    put /proc/sys/net/core/somaxconn 128
    put /proc/sys/net/core/rmem_max 212992
    put /proc/sys/net/core/wmem_max 212992
    put /proc/sys/net/ipv4/tcp_rmem '4096\t131072\t6291456'
    put /proc/sys/net/ipv4/tcp_wmem '4096\t16384\t4194304'
    put /proc/sys/net/ipv4/tcp_max_syn_backlog 512
    put /proc/sys/net/ipv4/tcp_congestion_control cubic
    put /proc/sys/fs/nr_open 524288
    put /proc/sys/kernel/timer_migration 1
    put /sys/kernel/mm/transparent_hugepage/enabled never
    put /sys/devices/system/clocksource/clocksource0/available_clocksource 'tsc hpet'
    put /sys/devices/system/clocksource/clocksource0/current_clocksource hpet

    put /sys/devices/system/cpu/vulnerabilities/meltdown 'Mitigation: PTI'
    put /sys/devices/system/cpu/vulnerabilities/spectre_v1 'Mitigation: usercopy/swapgs barriers'
    put /sys/devices/system/cpu/vulnerabilities/spectre_v2 'Mitigation: Retpolines'
    put /sys/devices/system/cpu/vulnerabilities/mds 'Mitigation: Clear CPU buffers'
    put /sys/devices/system/cpu/vulnerabilities/retbleed 'Not affected'
    put /etc/default/grub 'GRUB_DEFAULT=0' 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"' 'GRUB_TIMEOUT=5'

    put /proc/net/packet 'sk       RefCnt Type Proto  Iface R Rmem   User   Inode' \
        'ffff8880 3      3    0003   2     1       0      0      21117 '
    put /proc/777/comm dhclient
    put /proc/777/status 'PPid:\t1'
    printf '%s\0' dhclient -4 -v -pf /run/dhclient.eth0.pid -lf /var/lib/dhcp/dhclient.eth0.leases eth0 \
        >"$TUNE_ROOT/proc/777/cmdline"
    put /proc/net/ip_tables_names filter

    put /proc/500/comm java
    put /proc/500/stat "500 (java) S 1 500 500 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4200 0 0"
    put /proc/500/limits 'Limit                     Soft Limit           Hard Limit           Units     ' \
        'Max open files            1024  524288  files'
    printf '%s\0' java -jar bareloop.jar >"$TUNE_ROOT/proc/500/cmdline"
    : >"$TUNE_ROOT/proc/500/environ"
    put /proc/500/status 'Seccomp:\t2' 'Seccomp_filters:\t1'
    for i in 0 1; do
        put "/proc/500/task/50$i/comm" "bareloop-$i"
        put "/proc/500/task/50$i/status" "Cpus_allowed_list:\t$i"
    done
    put /proc/500/net/netstat 'TcpExt: A BusyPollRxPackets' 'TcpExt: 1 0'

    put /fake/service.irqbalance.service active
    put /fake/service.firewalld.service active
    put /fake/features 'Features for eth0:' 'generic-receive-offload: on' \
        'large-receive-offload: off [fixed]' 'rx-gro-hw: on'
    put /fake/coalesce 'Coalesce parameters for eth0:' 'Adaptive RX: off  TX: n/a' 'rx-usecs: 0' 'tx-usecs: 64'
    put /fake/channels 'Channel parameters for eth0:' 'Pre-set maximums:' 'RX:\t\tn/a' 'TX:\t\tn/a' \
        'Other:\t\tn/a' 'Combined:\t2' 'Current hardware settings:' 'RX:\t\tn/a' 'TX:\t\tn/a' \
        'Other:\t\tn/a' 'Combined:\t2'
    put /fake/qdisc 'qdisc mq 0: root' 'qdisc fq_codel 0: parent :2' 'qdisc fq_codel 0: parent :1'
    put /fake/lifetime 'valid_lft 3400sec preferred_lft 3400sec'
    put /fake/ruleset 'table ip filter {' '\tchain input {' \
        '\t\ttype filter hook input priority filter; policy accept;' \
        "\t\ttcp dport 22 accept comment \"the line's own\"" '\t}' '}'
    put /fake/iptables '*filter' ':INPUT ACCEPT' '-A INPUT -p tcp -j ACCEPT' COMMIT
    : >"$TUNE_ROOT/fake/audit"
    put /fake/audit.enabled 1
    put /fake/ss 'p_raw UNCONN 0 0 *:eth0 * users:(("dhclient",pid=777,fd=5))'
    put /fake/driver ena
    put /fake/netdev.json '{"2": [{"id": 513, "irq": 24, "queues": [["rx", 0], ["tx", 0]], "irq-suspend-timeout": 0}, {"id": 514, "irq": 25, "queues": [["rx", 1], ["tx", 1]], "irq-suspend-timeout": 0}]}'
}

# Everything but what the dynamic tools count down, and tune's own directory.
snapshot() {
    (cd "$TUNE_ROOT" && find . -type f ! -path './fake/lifetime' -print0 | sort -z | xargs -0 sha256sum)
}

# path_without TOOL: a PATH with everything but that.
path_without() {
    local directory
    mkdir "$BATS_TEST_TMPDIR/without"
    for directory in /usr/sbin /usr/bin /sbin /bin; do
        find "$directory/" -maxdepth 1 ! -type d ! -name "$1" -exec ln -sft "$BATS_TEST_TMPDIR/without" {} +
    done
    printf '%s' "$BATS_TEST_TMPDIR/without"
}

# A real command that runs tune on the fake root.
tune() {
    "$TUNE" --state "$STATE" --accept security,connectivity --confirm-within 0 "$@"
}

# A file that can be read, holds a number, and refuses to be written, to root as well.
unwritable() {
    ln -sf /proc/sys/kernel/cap_last_cap "$TUNE_ROOT$1"
}

# state_of KNOB: its state in the rows of $output: "  STATE  KNOB  VALUES ...", two blanks between.
state_of() {
    printf '%s\n' "$output" | sed -nE 's/^  ([a-z-]+) +(.*)$/\1\t\2/p' | while IFS=$'\t' read -r state rest; do
        if [[ ${rest%%  *} == "$1" ]]; then
            printf '%s' "$state"
            break
        fi
    done
}

# steps_of: the steps whose rows are in $output, in their order.
steps_of() {
    printf '%s\n' "$output" | sed -nE 's/^([0-9]+) [a-z]+: .*/\1/p' | xargs
}

# rows: how many rows $output has.
rows() {
    printf '%s\n' "$output" | grep -cE '^  [a-z-]+  +[^ ]'
}

is_state() {
    local state
    state=$(state_of "$1")
    [[ $state == "$2" ]] || {
        printf '%s is %s, not %s, in:\n%s\n' "$1" "${state:-missing}" "$2" "$output"
        return 1
    }
}

exits() {
    [[ $status -eq $1 ]] || {
        printf 'exit status %s, not %s:\n%s\n' "$status" "$1" "$output"
        return 1
    }
}

says() {
    [[ $output == *"$1"* ]] || {
        printf 'does not say "%s":\n%s\n' "$1" "$output"
        return 1
    }
}

says_not() {
    [[ $output != *"$1"* ]] || {
        printf 'says "%s":\n%s\n' "$1" "$output"
        return 1
    }
}

# lacks PATTERN FILE
lacks() {
    if grep -e "$1" -- "$2"; then
        printf '%s has %s\n' "$2" "$1"
        return 1
    fi
}

holds() {
    local text
    text=$(<"$TUNE_ROOT$1")
    [[ $text == "$2" ]] || {
        printf '%s holds "%s", not "%s"\n' "$1" "$text" "$2"
        return 1
    }
}

originals() {
    sed -n 's/.*"knob":"\([^"]*\)".*"original":\("\([^"\\]\|\\.\)*"\).*/\1 \2/p' "$STATE"
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
