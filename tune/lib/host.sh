# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # The facts are read in the other files.
# Facts about the host: read once, never changed.

ROOT=${TUNE_ROOT:-} # Stands before every path under /proc, /sys, /etc and /var; for tests.

KERNEL=''        # 6.18.44-...
KERNEL_NUMBER=0  # 618: major * 100 + minor
BOOT_ID=''
ARCHITECTURE=''
NETNS=''         # The name given by --netns, which this process is in already.
CHILD_NETNS=0    # Whether this is another network namespace than the first.
IFACE=''
IFACE_FROM=''    # Who chose it.
DRIVER=''
MAC=''
CPUS=()          # In worker order.
WRITERS=()       # Programs that write the same settings.
HOST_LINE=''

# need TOOL PACKAGE: 0 if there; else 1 and CAUSE.
need() {
    command -v "$1" >/dev/null && return 0
    CAUSE="$1 not found: Debian package $2"
    return 1
}

# file_text PATH: TEXT is the content; else 1 and ERRNO_TEXT. PATH is without ROOT.
file_text() {
    if TEXT=$(cat -- "$ROOT$1" 2>&1); then
        return 0
    fi
    ERRNO_TEXT=${TEXT##*: }
    TEXT=''
    return 1
}

# first_line PATH: LINE, or '' where there is none to read.
first_line() {
    LINE=''
    if [[ -r $ROOT$1 ]]; then
        read -r LINE 2>/dev/null <"$ROOT$1" || true
    fi
}

# cpu_list LIST: CPU_LIST is the array of CPUs in the order given; 1 if LIST is not such a list.
cpu_list() {
    local part from to
    CPU_LIST=()
    [[ $1 =~ ^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$ ]] || return 1
    for part in ${1//,/ }; do
        from=$((10#${part%-*}))
        to=$((10#${part#*-}))
        ((from <= to)) || return 1
        while ((from <= to)); do
            CPU_LIST+=("$from")
            from=$((from + 1))
        done
    done
}

# cpu_mask CPU...: MASK as the kernel takes it: hexadecimal words of 32 bits, highest first.
cpu_mask() {
    local words=() cpu i
    for cpu in "$@"; do
        for ((i = ${#words[@]}; i <= cpu / 32; i++)); do
            words[i]=0
        done
        words[cpu / 32]=$((words[cpu / 32] | 1 << cpu % 32))
    done
    MASK=''
    for ((i = ${#words[@]} - 1; i >= 0; i--)); do
        if [[ $MASK ]]; then
            printf -v MASK '%s,%08x' "$MASK" "${words[i]}"
        else
            printf -v MASK '%x' "${words[i]}"
        fi
    done
    MASK=${MASK:-0}
}

# Network namespaces: the whole of tune runs inside, where /proc/sys/net and (by the mount that
# `ip netns exec` makes) /sys/class/net are those of the namespace.
host_enter_netns() {
    if [[ ! $OPTION_NETNS || ${TUNE_INSIDE_NETNS:-} == "$OPTION_NETNS" ]]; then
        NETNS=$OPTION_NETNS
        return
    fi
    need ip iproute2 || fail "--netns: $CAUSE"
    ((EUID == 0)) || [[ $ROOT ]] || fail "--netns $OPTION_NETNS: needs root"
    # ip itself would end with 1, which means something else here.
    [[ -e /run/netns/$OPTION_NETNS || -e /var/run/netns/$OPTION_NETNS ]] ||
        fail "--netns $OPTION_NETNS: there is none of this name; ip netns lists them"
    TUNE_INSIDE_NETNS=$OPTION_NETNS exec ip netns exec "$OPTION_NETNS" "$TUNE" "$@"
}

host_read() {
    first_line /proc/sys/kernel/osrelease
    KERNEL=$LINE
    if [[ $KERNEL =~ ^([0-9]+)\.([0-9]+) ]]; then
        KERNEL_NUMBER=$((BASH_REMATCH[1] * 100 + BASH_REMATCH[2]))
    fi
    first_line /proc/sys/kernel/random/boot_id
    BOOT_ID=$LINE
    ARCHITECTURE=${TUNE_ARCHITECTURE:-$(uname -m)}

    host_netns
    host_iface
    host_cpus
    host_writers
    if [[ $OPTION_PID && ! -d $ROOT/proc/$OPTION_PID ]]; then
        fail "--pid $OPTION_PID: no such process"
    fi
    HOST_LINE="interface ${IFACE:-none}${DRIVER:+ ($DRIVER)}, $IFACE_FROM${NETNS:+; netns $NETNS};"
    HOST_LINE+=" kernel $KERNEL; CPUs in worker order: ${CPUS[*]}; state $OPTION_STATE"
}

# The first network namespace alone has the sysctls that govern all. /proc/1/ns/net would tell as
# well, but only to root, and in a hardened host not even to root.
host_netns() {
    if [[ -d $ROOT/proc/sys/net/core && ! -e $ROOT/proc/sys/net/core/netdev_budget ]]; then
        CHILD_NETNS=1
    fi
}

host_iface() {
    local saved=''
    # What was applied is verified and reverted where it was applied.
    case $VERB in
    verify | revert | confirm)
        state_peek
        saved=$STATE_IFACE
        ;;
    esac
    if [[ $OPTION_IFACE ]]; then
        IFACE=$OPTION_IFACE
        IFACE_FROM='--iface'
    else
        if [[ $saved ]]; then
            IFACE=$saved
            IFACE_FROM='as applied'
        else
            host_default_route
        fi
    fi
    [[ $IFACE ]] || return 0
    if [[ ! -d $ROOT/sys/class/net/$IFACE ]]; then
        [[ $VERB == revert ]] && return 0 # The knobs say by name what is gone.
        if command -v ip >/dev/null && ip link show dev "$IFACE" >/dev/null 2>&1; then
            fail "interface $IFACE: /sys/class/net is that of another network namespace; use --netns"
        fi
        fail "interface $IFACE ($IFACE_FROM): there is none of this name${NETNS:+ in netns $NETNS}"
    fi
    first_line "/sys/class/net/$IFACE/address"
    MAC=$LINE
    if [[ $IFACE == lo ]]; then
        DRIVER=loopback
    elif [[ -e $ROOT/sys/class/net/$IFACE/device/driver ]]; then
        DRIVER=$(basename -- "$(readlink -f -- "$ROOT/sys/class/net/$IFACE/device/driver")")
    elif command -v ethtool >/dev/null; then
        DRIVER=$(ethtool -i "$IFACE" 2>/dev/null | sed -n 's/^driver: //p') || DRIVER=''
    fi
}

host_default_route() {
    local family route
    IFACE_FROM='no default route: give --iface'
    command -v ip >/dev/null || return 0
    for family in -4 -6; do
        route=$(ip "$family" -o route show default 2>/dev/null) || continue
        if [[ $route =~ (^|[[:space:]])dev[[:space:]]+([^[:space:]]+) ]]; then
            IFACE=${BASH_REMATCH[2]}
            IFACE_FROM='of the default route'
            return 0
        fi
    done
}

host_cpus() {
    local allowed
    allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$ROOT/proc/self/status" 2>/dev/null) ||
        allowed=''
    if [[ $OPTION_CPUS ]]; then
        cpu_list "$OPTION_CPUS" || fail "--cpus: '$OPTION_CPUS' is no list such as 0-3 or 0,2"
        CPUS=("${CPU_LIST[@]}")
        local cpu
        declare -A seen=()
        for cpu in "${CPUS[@]}"; do
            [[ ! ${seen[$cpu]:-} ]] || fail "--cpus: CPU $cpu is there twice"
            seen[$cpu]=1
            [[ -d $ROOT/sys/devices/system/cpu/cpu$cpu ]] || fail "--cpus: there is no CPU $cpu"
        done
    elif [[ ${STATE_CPUS:-} ]]; then
        cpu_list "$STATE_CPUS" || fail "state $OPTION_STATE: '$STATE_CPUS' is no list of CPUs"
        CPUS=("${CPU_LIST[@]}")
    else
        cpu_list "${allowed:-0}" || fail "/proc/self/status: cannot read Cpus_allowed_list"
        CPUS=("${CPU_LIST[@]}")
    fi
}

host_writers() {
    local file name
    for file in "$ROOT"/proc/[1-9]*/comm; do
        name=''
        { read -r name <"$file"; } 2>/dev/null || continue
        case $name in
        irqbalance) WRITERS+=("irqbalance (IRQ affinity)") ;;
        tuned) WRITERS+=("tuned (sysctls, ethtool settings; see tuned-adm active)") ;;
        NetworkManager) WRITERS+=("NetworkManager (ethtool settings and addresses, on activation)") ;;
        esac
    done
}

host_json() {
    json_list "${CPUS[@]}"
    json_object iface "$IFACE" iface_from "$IFACE_FROM" driver "$DRIVER" mac "$MAC" \
        netns "$NETNS" kernel "$KERNEL" architecture "$ARCHITECTURE" boot_id "$BOOT_ID" \
        "=cpus" "${JSON_LIST//\"/}" pid "$OPTION_PID" state_file "$OPTION_STATE"
    HOST_JSON=$JSON_OBJECT
}
