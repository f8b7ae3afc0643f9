# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with measure.
# The facts about the host without which a figure means nothing.

cpu_model() {
    awk -F': *' '/^model name/ { print $2; exit }' /proc/cpuinfo
}

hypervisor() {
    local name=
    if command -v systemd-detect-virt >/dev/null; then
        name=$(systemd-detect-virt --vm 2>/dev/null) || true
    fi
    if [[ ! $name || $name == none ]]; then
        # The flag alone says that there is one, not which.
        if grep -qw hypervisor /proc/cpuinfo; then
            name=$(cat /sys/hypervisor/type 2>/dev/null || cat /sys/class/dmi/id/sys_vendor 2>/dev/null || echo unknown)
        else
            name=none
        fi
    fi
    printf '%s' "$name"
}

# NAME=STATE of each vulnerability that the CPU has.
mitigations() {
    local file text out=()
    for file in /sys/devices/system/cpu/vulnerabilities/*; do
        [[ -r $file ]] || continue
        text=$(<"$file")
        [[ $text == 'Not affected' ]] || out+=("${file##*/}=$text")
    done
    join '; ' "${out[@]:-all not affected}"
}

# Only the words about mitigations: the rest of the command line is nobody's business.
mitigation_words() {
    tr ' ' '\n' </proc/cmdline |
        grep -E '^(mitigations|nospectre|spectre|spec_|pti|nopti|mds|tsx_async|l1tf|mmio_stale|retbleed|srbds|gather_data|reg_file|indirect_target|tsa|vmscape|kvm\.nx_huge)' |
        tr '\n' ' ' | sed 's/ $//' || true
}

driver_of() {
    local iface=$1 driver
    driver=$(in_server_ns ethtool -i "$iface" 2>/dev/null | sed -n 's/^driver: //p') || true
    printf '%s' "${driver:-unknown}"
}

host_json() {
    local word name
    local -A facts=(
        [kernel]=$(uname -r)
        [cpu]=$(cpu_model)
        [vcpus]=$(getconf _NPROCESSORS_ONLN)
        [hypervisor]=$(hypervisor)
        [mitigations]=$(mitigations)
        [mitigation_options]=$(mitigation_words)
        [jdk]=$("$java" -version 2>&1 | sed -n '2s/.*Environment //p')
        [congestion_control]=$(in_server_ns cat /proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null || true)
        [interface]=${iface:-lo}
        [driver]=$(driver_of "${iface:-lo}")
        [clocksource]=$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource 2>/dev/null || true)
        [load_generator]=$(wrk_version)
        [load_average]=$(cut -d' ' -f1-3 /proc/loadavg)
        [date]=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    )
    for name in kernel cpu vcpus hypervisor mitigations mitigation_options jdk congestion_control \
        interface driver clocksource load_generator load_average date; do
        word=$(json_string "${facts[$name]}")
        printf '  "%s": %s%s\n' "$name" "$word" "$([[ $name == date ]] || echo ,)"
    done
}
