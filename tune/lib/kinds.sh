# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # Results are variables, set and read in other files.
# Kinds of knobs. A kind K is up to four functions of the knob's argument A and a value V:
#
#   K_read A        VALUE. Or 1: unsupported, or 2: only root may know; both with CAUSE.
#                   READONLY is set where the value can be read but not changed, and says why.
#                   NOTE is set where an applied value needs a word.
#   K_command A V   COMMAND: what writes V, for sh. The same text is run, planned and printed.
#   K_valid A V     whether this kind may ever write V to A: state files are not trusted
#   K_same A V W    whether V and W mean the same; default: they are equal
#   K_display A V   BRIEF, where a value does not speak for itself
#
# VALUE is what K_command writes back, so each kind has one form for its values.

readonly KINDS='sysctl file mask cpulist feature coalesce channels qdisc service nft iptables
    module audit bootline napi lifetime dhclient prlimit'

declare -A CACHE=() # Output of the slow readers, until something is written.

# cached COMMAND...: OUTPUT, and its status.
cached() {
    local key="$*" status=0
    if [[ ! ${CACHE[$key]+x} ]]; then
        OUTPUT=$("$@" 2>&1 </dev/null) || status=$?
        CACHE[$key]="$status $OUTPUT"
    fi
    OUTPUT=${CACHE[$key]#* }
    return "${CACHE[$key]%% *}"
}

# The last line of what a command said, without the names before the message.
errno_text() {
    local text=${1%$'\n'}
    text=${text##*$'\n'}
    ERRNO_TEXT=${text##*: }
    ERRNO_TEXT=${ERRNO_TEXT:-no message}
}

# refused_read: turns ERRNO_TEXT into CAUSE and status.
refused_read() {
    case $ERRNO_TEXT in
    'Permission denied' | 'Operation not permitted'*)
        if ((EUID == 0)); then
            CAUSE=$ERRNO_TEXT
            return 1
        fi
        CAUSE='needs root'
        return 2
        ;;
    esac
    CAUSE=$ERRNO_TEXT
    return 1
}

knob_read() {
    VALUE='' CAUSE='' READONLY='' NOTE=''
    "$1_read" "$2"
}

knob_command() {
    "$1_command" "$2" "$3"
}

knob_same() {
    if declare -F "$1_same" >/dev/null; then
        "$1_same" "$2" "$3" "$4"
    else
        [[ $3 == "$4" ]]
    fi
}

knob_valid() {
    [[ " ${KINDS//$'\n'/ } " == *" $1 "* ]] && "$1_valid" "$2" "$3"
}

knob_display() {
    BRIEF=$3
    if declare -F "$1_display" >/dev/null; then
        "$1_display" "$2" "$3"
    fi
}

# cause_of KIND ARG ERRNO_TEXT: CAUSE, the field's explanation of a refusal, or ''.
cause_of() {
    CAUSE=''
    case "$1 $2 $3" in
    coalesce*'not supported'*) CAUSE="$DRIVER: the device does not offer it" ;;
    channels*'not supported'*) CAUSE="$DRIVER: the number of queues is fixed" ;;
    cpulist*'Input/output error') CAUSE='managed IRQ: the kernel has chosen its CPU' ;;
    mask*xps_cpus*'No such file or directory') CAUSE='single queue: no XPS' ;;
    prlimit*'Operation not permitted') CAUSE='raising it needs CAP_SYS_RESOURCE' ;;
    *'Read-only file system') CAUSE='in a container? Run it on the host' ;;
    *'Permission denied' | *'Operation not permitted'*) ((EUID == 0)) || CAUSE='needs root' ;;
    *'Device or resource busy') CAUSE='in use' ;;
    esac
}

# --- sysctl: NAME ------------------------------------------------------------------------------

# Some sysctls govern all network namespaces, and other ones show them not at all or read-only.
sysctl_outside() {
    local path="$ROOT/proc/sys/${1//.//}" mode
    ((CHILD_NETNS)) && [[ $1 == net.* ]] || return 1
    [[ -e $path ]] || return 0
    mode=$(stat -c %a -- "$path") || return 1
    (((8#$mode & 8#200) == 0))
}

sysctl_read() {
    local path=/proc/sys/${1//.//}
    if sysctl_outside "$1"; then
        need nsenter util-linux || return 1
        if ! cached nsenter "--net=$ROOT/proc/1/ns/net" cat -- "$ROOT$path"; then
            errno_text "$OUTPUT"
            CAUSE="the host has it, not a namespace, and /proc/1/ns/net: $ERRNO_TEXT"
            ((EUID == 0)) || return 2
            return 1
        fi
        TEXT=$OUTPUT
    elif ! file_text "$path"; then
        if [[ $ERRNO_TEXT == 'No such file or directory' ]]; then
            CAUSE="this kernel has no $1"
            return 1
        fi
        refused_read
        return
    fi
    VALUE=${TEXT//$'\t'/ }
}

sysctl_command() {
    local path="$ROOT/proc/sys/${1//.//}"
    quote "$2"
    COMMAND="echo $QUOTED > $path"
    if sysctl_outside "$1"; then
        quote "$COMMAND"
        COMMAND="nsenter --net=$ROOT/proc/1/ns/net sh -c $QUOTED"
    fi
}

sysctl_valid() {
    case $1 in
    net.core.busy_poll | net.core.busy_read | net.core.somaxconn | net.core.rmem_max | \
        net.core.wmem_max | net.ipv4.tcp_max_syn_backlog | fs.nr_open)
        [[ $2 =~ ^[0-9]+$ ]]
        ;;
    net.ipv4.tcp_rmem | net.ipv4.tcp_wmem) [[ $2 =~ ^[0-9]+\ [0-9]+\ [0-9]+$ ]] ;;
    net.ipv4.tcp_congestion_control) [[ $2 =~ ^[a-z0-9_]+$ ]] ;;
    *) return 1 ;;
    esac
}

# --- file, mask, cpulist: PATH -----------------------------------------------------------------

file_read() {
    if ! file_text "$1"; then
        cause_of mask "$1" "$ERRNO_TEXT"
        if [[ $CAUSE && $CAUSE != 'needs root' ]]; then
            return 1
        fi
        refused_read
        return
    fi
    VALUE=$TEXT
}

file_command() {
    quote "$2"
    COMMAND="echo $QUOTED > $ROOT$1"
}

file_valid() {
    [[ $1 =~ ^/sys/class/net/[A-Za-z0-9_.:-]+/(napi_defer_hard_irqs|gro_flush_timeout)$ ]] &&
        [[ $1 != */../* && $2 =~ ^[0-9]+$ ]]
}

mask_read() {
    file_read "$1"
}

mask_command() {
    file_command "$1" "$2"
}

mask_valid() {
    [[ $1 =~ ^/sys/class/net/[A-Za-z0-9_.:-]+/queues/(tx|rx)-[0-9]+/(xps|rps)_cpus$ ]] &&
        [[ $1 != */../* && $2 =~ ^[0-9a-f]+(,[0-9a-f]+)*$ ]]
}

mask_same() {
    local v=${2//,/} w=${3//,/}
    [[ ${v##+(0)} == "${w##+(0)}" ]]
}

cpulist_read() {
    file_read "$1"
}

cpulist_command() {
    file_command "$1" "$2"
}

cpulist_valid() {
    [[ $1 =~ ^/proc/irq/[0-9]+/smp_affinity_list$ ]] && cpu_list "$2"
}

cpulist_same() {
    local sorted
    cpu_list "$2" || return 1
    sorted=$(printf '%s\n' "${CPU_LIST[@]}" | sort -n)
    cpu_list "$3" || return 1
    [[ $sorted == "$(printf '%s\n' "${CPU_LIST[@]}" | sort -n)" ]]
}

# --- feature: IFACE FEATURE --------------------------------------------------------------------

feature_read() {
    local iface=${1% *} name=${1#* } rest
    need ethtool ethtool || return 1
    if ! cached ethtool -k "$iface"; then
        errno_text "$OUTPUT"
        refused_read
        return
    fi
    case $name in # ethtool shows some by another name than it takes.
    gro) name=generic-receive-offload ;;
    lro) name=large-receive-offload ;;
    esac
    rest=$'\n'$OUTPUT
    if [[ $rest != *$'\n'"$name: "* ]]; then
        CAUSE="$DRIVER: no $name"
        return 1
    fi
    rest=${rest#*$'\n'"$name: "}
    rest=${rest%%$'\n'*}
    VALUE=${rest%% *}
    if [[ $rest == *'[fixed]'* ]]; then
        READONLY="$DRIVER: fixed"
    fi
}

feature_command() {
    COMMAND="ethtool -K ${1% *} ${1#* } $2"
}

feature_valid() {
    [[ $1 =~ ^([^ ]+)\ (gro|lro|rx-gro-hw)$ ]] && iface_name_valid "${BASH_REMATCH[1]}" &&
        [[ $2 == on || $2 == off ]]
}

# --- coalesce: IFACE PARAMETER -----------------------------------------------------------------

coalesce_read() {
    local iface=${1% *} name=${1#* } rest
    need ethtool ethtool || return 1
    if ! cached ethtool -c "$iface"; then
        errno_text "$OUTPUT"
        if [[ $ERRNO_TEXT == *'not supported'* ]]; then
            CAUSE="$DRIVER: no coalescing"
            return 1
        fi
        refused_read
        return
    fi
    rest=$'\n'$OUTPUT
    case $name in
    adaptive-rx)
        rest=${rest#*$'\n'Adaptive RX: }
        VALUE=${rest%% *}
        ;;
    *)
        if [[ $rest == *$'\n'"$name:"* ]]; then
            rest=${rest#*$'\n'"$name:"}
            rest=${rest%%$'\n'*}
            VALUE=${rest//[[:blank:]]/}
        fi
        ;;
    esac
    if [[ ! $VALUE =~ ^(on|off|[0-9]+)$ ]]; then
        VALUE=''
        CAUSE="$DRIVER: no $name"
        return 1
    fi
}

coalesce_command() {
    COMMAND="ethtool -C ${1% *} ${1#* } $2"
}

coalesce_valid() {
    [[ $1 =~ ^([^ ]+)\ (adaptive-rx|rx-usecs|tx-usecs)$ ]] &&
        iface_name_valid "${BASH_REMATCH[1]}" && [[ $2 =~ ^(on|off|[0-9]{1,7})$ ]]
}

# --- channels: IFACE; values `combined N` or `rx N tx N` ---------------------------------------

# channels_limits IFACE: also CHANNELS_MAX, in the same form.
channels_read() {
    local max now
    CHANNELS_MAX=''
    need ethtool ethtool || return 1
    if ! cached ethtool -l "$1"; then
        errno_text "$OUTPUT"
        if [[ $ERRNO_TEXT == *'not supported'* ]]; then
            CAUSE="$DRIVER: the number of queues is fixed"
            return 1
        fi
        refused_read
        return
    fi
    max=${OUTPUT%%Current hardware settings*}
    now=${OUTPUT#*Current hardware settings}
    if [[ $max =~ Combined:[[:blank:]]+([1-9][0-9]*) ]]; then
        CHANNELS_MAX=${BASH_REMATCH[1]}
        [[ $now =~ Combined:[[:blank:]]+([0-9]+) ]] && VALUE="combined ${BASH_REMATCH[1]}"
    elif [[ $max =~ RX:[[:blank:]]+([1-9][0-9]*) ]]; then
        CHANNELS_MAX=${BASH_REMATCH[1]}
        if [[ $now =~ RX:[[:blank:]]+([0-9]+).*TX:[[:blank:]]+([0-9]+) ]]; then
            VALUE="rx ${BASH_REMATCH[1]} tx ${BASH_REMATCH[2]}"
        fi
    fi
    if [[ ! $VALUE ]]; then
        CAUSE="$DRIVER: the number of queues is not told"
        return 1
    fi
}

channels_command() {
    COMMAND="ethtool -L $1 $2"
}

channels_valid() {
    iface_name_valid "$1" && [[ $2 =~ ^(combined\ [0-9]{1,4}|rx\ [0-9]{1,4}\ tx\ [0-9]{1,4})$ ]]
}

# --- qdisc: IFACE; values `KIND HANDLE` or `mq LEAF HANDLE`, a target without handle -----------
#
# `tc` cannot give noqueue to a class of mq: the children of mq are made from default_qdisc when
# mq is attached. And a second `replace ... mq` of a qdisc with a handle changes nothing: such a
# root is deleted, upon which the kernel attaches its default, of handle 0:, anew.

qdisc_read() {
    local line word kind handle place root='' root_handle='' leaves='' named=0
    need tc iproute2 || return 1
    if ! cached tc qdisc show dev "$1"; then
        errno_text "$OUTPUT"
        refused_read
        return
    fi
    while read -r word kind handle place line; do
        [[ $word == qdisc && $kind != ingress && $kind != clsact ]] || continue
        if [[ $place == dev ]]; then
            read -r _ place line < <(printf '%s\n' "$line")
        fi
        if [[ $place == root ]]; then
            root=$kind
            root_handle=$handle
        else
            [[ $handle == 0: ]] || named=1
            [[ " $leaves " == *" $kind "* ]] || leaves+="${leaves:+ }$kind"
        fi
    done < <(printf '%s\n' "$OUTPUT")

    if [[ ! $root ]]; then
        CAUSE='no qdisc: is the interface up?'
        return 1
    fi
    VALUE="$root${leaves:+ $leaves} $root_handle"
    if [[ $root == mq && $leaves != *' '* ]] && ((!named)); then
        return 0
    fi
    if [[ $root == noqueue || ($root_handle == 0: && ! $leaves) ]]; then
        return 0
    fi
    READONLY="'$VALUE' was set up by someone, and its options could not be put back;"
    READONLY+=" first: tc qdisc del dev $1 root"
}

qdisc_command() {
    local words now_words handle leaf default now_handle steps='' old set_default set_old
    read -r -a words < <(printf '%s\n' "$2")
    handle=${words[-1]}
    if [[ $handle == *: ]]; then
        unset 'words[-1]'
    else
        handle=''
    fi
    leaf=${words[-1]}

    # The way there depends on what is there now.
    now_handle=0:
    if knob_read qdisc "$1"; then
        read -r -a now_words < <(printf '%s\n' "$VALUE")
        now_handle=${now_words[-1]}
    fi
    if [[ $now_handle != 0: ]]; then
        steps="tc qdisc del dev $1 root"
        [[ $handle != 0: ]] || handle=default
    fi
    case $handle in
    default) ;;
    *:) steps+="${steps:+ && }tc qdisc replace dev $1 root handle $handle ${words[0]}" ;;
    *) steps+="${steps:+ && }tc qdisc replace dev $1 root ${words[0]}" ;;
    esac
    COMMAND=$steps

    # default_qdisc governs the whole host: it is put back at once, whatever happens in between.
    knob_read sysctl net.core.default_qdisc || return 0
    old=$VALUE
    if [[ $old != "$leaf" && ($leaf != noqueue || ${words[0]} == mq) ]]; then
        sysctl_command net.core.default_qdisc "$leaf"
        set_default=$COMMAND
        sysctl_command net.core.default_qdisc "$old"
        set_old=$COMMAND
        COMMAND="(trap '' HUP INT TERM; $set_default && { s=0; { $steps; } || s=\$?; $set_old && exit \$s; })"
    fi
}

qdisc_valid() {
    iface_name_valid "$1" && [[ $2 =~ ^[a-z_]+(\ [a-z_]+)?(\ [0-9a-f]{1,4}:)?$ ]]
}

# Equal but for the handle; a root noqueue has no lock either.
qdisc_same() {
    local v=$2 w=$3
    [[ $v == "$w" ]] && return 0
    # Two readings are compared with their handles, a reading and a target without.
    [[ $v == *: && $w == *: ]] && return 1
    v=${v% *:}
    w=${w% *:}
    [[ $v == "$w" || ($v == noqueue && $w == 'mq noqueue') ]]
}

# --- service: UNIT; values running, stopped ----------------------------------------------------

service_read() {
    local file name
    if [[ ! -d $ROOT/run/systemd/system ]] || ! command -v systemctl >/dev/null; then
        for file in "$ROOT"/proc/[1-9]*/comm; do
            name=''
            { read -r name <"$file"; } 2>/dev/null || continue
            if [[ $name == "${1%.service}" ]]; then
                VALUE=running
                READONLY='it runs without systemd; stop it yourself'
                return 0
            fi
        done
        VALUE=stopped
        return 0
    fi
    cached systemctl is-active "$1" || true # Its status repeats what it says.
    case $OUTPUT in
    active | activating | reloading) VALUE=running ;;
    inactive | failed | deactivating | unknown) VALUE=stopped ;;
    *)
        CAUSE="systemctl is-active $1: $OUTPUT"
        return 1
        ;;
    esac
}

service_command() {
    if [[ $2 == stopped ]]; then
        COMMAND="systemctl stop $1"
    else
        COMMAND="systemctl start $1"
    fi
}

service_valid() {
    [[ $1 =~ ^(irqbalance|firewalld|ufw)\.service$ && $2 =~ ^(running|stopped)$ ]]
}

# --- nft: ruleset; `empty` or the rules --------------------------------------------------------

nft_read() {
    need nft nftables || return 1
    if ! cached nft -s list ruleset; then
        errno_text "$OUTPUT"
        case $OUTPUT in
        *'not supported'* | *'No such file or directory'*)
            VALUE=empty
            NOTE='kernel without nf_tables'
            return 0
            ;;
        *'must be root'*) ERRNO_TEXT='Operation not permitted' ;;
        esac
        refused_read
        return
    fi
    VALUE=${OUTPUT:-empty}
    # nft shows extensions it has no words for as `xt match` or, by version, behind a #.
    if [[ $VALUE =~ (^|[^a-z_])xt\ (match|target) ]] ||
        printf '%s\n' "$VALUE" | sed -e '/^# Warning:/d' -e 's/"[^"]*"//g' | grep -q '#'; then
        READONLY='rules with iptables extensions, which nft cannot put back;'
        READONLY+=' stop what made them (docker, ufw, kube-proxy)'
    fi
}

nft_command() {
    if [[ $2 == empty ]]; then
        COMMAND='nft flush ruleset'
    else
        quote "$2"
        COMMAND="printf '%s\\n' 'flush ruleset' $QUOTED | nft -f -"
    fi
}

nft_valid() {
    [[ $1 == ruleset ]] || return 1
    [[ $2 == empty ]] && return 0
    [[ $2 == table\ * || $2 == '#'* ]] && ! [[ $2 =~ (^|[$'\n;{}'])[[:blank:]]*include[[:blank:]] ]]
}

# --- iptables: ip or ip6, the legacy tables; `empty` or what *-legacy-save says -----------------

iptables_read() {
    local family=iptables tool line rules=''
    [[ $1 == ip ]] || family=ip6tables
    if ! file_text "/proc/net/$1_tables_names"; then
        if [[ $ERRNO_TEXT == 'No such file or directory' ]]; then
            VALUE=empty
            return 0
        fi
        refused_read
        return
    fi
    VALUE=empty
    [[ $TEXT ]] || return 0
    tool=$family-legacy-save
    need "$tool" iptables || return 1
    if ! cached "$tool"; then
        errno_text "$OUTPUT"
        refused_read
        return
    fi
    # Comments carry the time, brackets the counters.
    OUTPUT=$(printf '%s\n' "$OUTPUT" | sed -e '/^#/d' -e 's/ \[[0-9]*:[0-9]*\]$//')
    while read -r line; do
        case $line in
        '*'* | COMMIT | ':'*' ACCEPT' | '') ;;
        *) rules=1 ;;
        esac
    done < <(printf '%s\n' "$OUTPUT")
    if [[ $rules ]]; then
        VALUE=$OUTPUT
    fi
}

iptables_command() {
    local family=iptables table tables chain
    [[ $1 == ip ]] || family=ip6tables
    if [[ $2 != empty ]]; then
        quote "$2"
        COMMAND="printf '%s\\n' $QUOTED | $family-legacy-restore"
        return
    fi
    COMMAND=''
    file_text "/proc/net/$1_tables_names" || TEXT=''
    tables=$TEXT
    for table in $tables; do
        COMMAND+="${COMMAND:+ && }$family-legacy -t $table -F && $family-legacy -t $table -X"
        case $table in
        filter) chains='INPUT FORWARD OUTPUT' ;;
        raw) chains='PREROUTING OUTPUT' ;;
        nat) chains='PREROUTING INPUT OUTPUT POSTROUTING' ;;
        mangle) chains='PREROUTING INPUT FORWARD OUTPUT POSTROUTING' ;;
        *) chains='INPUT FORWARD OUTPUT' ;;
        esac
        for chain in $chains; do
            COMMAND+=" && $family-legacy -t $table -P $chain ACCEPT"
        done
    done
    COMMAND=${COMMAND:-true}
}

iptables_valid() {
    [[ $1 == ip || $1 == ip6 ]] || return 1
    [[ $2 == empty || $2 == '*'*COMMIT* ]]
}

# --- module: NAME; values loaded, absent -------------------------------------------------------

module_read() {
    if ! file_text /proc/modules; then
        refused_read
        return
    fi
    VALUE=absent
    if [[ $'\n'$TEXT == *$'\n'"$1 "* ]]; then
        VALUE=loaded
    fi
}

module_command() {
    if [[ $2 == absent ]]; then
        COMMAND="modprobe -r $1"
    else
        COMMAND="modprobe $1"
    fi
}

module_valid() {
    [[ $1 =~ ^ip6?table_(filter|nat|mangle|raw|security)$ && $2 =~ ^(loaded|absent)$ ]]
}

# --- audit: the rule never,task; values present, absent ----------------------------------------

audit_read() {
    if [[ ! -e $ROOT/proc/self/loginuid ]]; then
        VALUE=present
        NOTE='kernel without audit'
        return 0
    fi
    first_line /proc/cmdline
    if [[ " $LINE " == *' audit=0 '* ]]; then
        VALUE=present
        NOTE='audit=0 on the kernel command line'
        return 0
    fi
    need auditctl auditd || return 1
    if ! cached auditctl -l; then
        errno_text "$OUTPUT"
        [[ $OUTPUT != *'must be root'* ]] || ERRNO_TEXT='Operation not permitted'
        refused_read
        return
    fi
    VALUE=absent
    if [[ $'\n'$OUTPUT$'\n' == *$'\n-a never,task\n'* || $'\n'$OUTPUT$'\n' == *$'\n-a task,never\n'* ]]; then
        VALUE=present
    fi
}

audit_command() {
    if [[ $2 == present ]]; then
        COMMAND='auditctl -a never,task'
    else
        COMMAND='auditctl -d never,task'
    fi
}

audit_valid() {
    [[ $1 == never,task && $2 =~ ^(present|absent)$ ]]
}

# --- bootline: the kernel command line as the boot loader's configuration has it ----------------
#
# grub:FILE (Debian, Ubuntu), grubby (Fedora, RHEL, Amazon Linux), kernel-cmdline (systemd-boot)

bootline_read() {
    local line
    case $1 in
    grub:*)
        if ! file_text "${1#grub:}"; then
            refused_read
            return
        fi
        line=$(printf '%s\n' "$TEXT" | sed -n 's/^GRUB_CMDLINE_LINUX_DEFAULT=//p' | tail -n 1)
        line=${line%"${line##*[![:blank:]]}"}
        case $line in
        \"*\" | \'*\') VALUE=${line:1:-1} ;;
        *) VALUE=$line ;;
        esac
        ;;
    grubby)
        need grubby grubby || return 1
        if ! cached grubby --info=DEFAULT; then
            errno_text "$OUTPUT"
            refused_read
            return
        fi
        line=$(printf '%s\n' "$OUTPUT" | sed -n 's/^args=//p' | head -n 1)
        VALUE=${line#\"}
        VALUE=${VALUE%\"}
        ;;
    kernel-cmdline)
        if ! file_text /etc/kernel/cmdline; then
            refused_read
            return
        fi
        VALUE=${TEXT//$'\n'/ }
        ;;
    esac
    if ! bootline_plain "$VALUE"; then
        READONLY='it has characters that tune does not rewrite; edit it by hand'
    fi
}

# The value ends up inside double quotes of a file that a shell reads.
bootline_plain() {
    [[ $1 =~ ^[A-Za-z0-9_.,:=/@%+\ -]*$ ]]
}

bootline_command() {
    local file copy word words remove='' add=''
    case $1 in
    grub:*)
        file=$ROOT${1#grub:}
        copy=$file.before-bareloop-tune
        COMMAND="{ test -e $copy || cp -p $file $copy; }"
        COMMAND+=" && sed -i 's|^GRUB_CMDLINE_LINUX_DEFAULT=.*|GRUB_CMDLINE_LINUX_DEFAULT=\"$2\"|' $file"
        COMMAND+=' && update-grub'
        ;;
    grubby)
        knob_read bootline grubby || true
        read -r -a words < <(printf '%s\n' "$VALUE")
        for word in "${words[@]}"; do
            [[ " $2 " == *" $word "* ]] || remove+="${remove:+ }$word"
        done
        for word in $2; do
            [[ " $VALUE " == *" $word "* ]] || add+="${add:+ }$word"
        done
        COMMAND="grubby --update-kernel=ALL${remove:+ --remove-args=\"$remove\"}${add:+ --args=\"$add\"}"
        ;;
    kernel-cmdline)
        file=$ROOT/etc/kernel/cmdline
        copy=$file.before-bareloop-tune
        COMMAND="{ test -e $copy || cp -p $file $copy; } && echo '$2' > $file && kernel-install add-all"
        ;;
    esac
}

bootline_valid() {
    [[ $1 == grubby || $1 == kernel-cmdline || $1 == grub:/etc/default/grub ||
        $1 =~ ^grub:/etc/default/grub\.d/[A-Za-z0-9_.-]+\.cfg$ ]] && bootline_plain "$2"
}

# --- napi: IFACE ID; irq-suspend-timeout in ns --------------------------------------------------

napi_read() {
    need ynl ynl || {
        CAUSE="ynl not found: it is in the kernel's source, tools/net/ynl; Debian 12 has no package"
        return 1
    }
    if ! cached ynl --family netdev --output-json --do napi-get --json "{\"id\":${1#* }}"; then
        errno_text "$OUTPUT"
        refused_read
        return
    fi
    VALUE=0 # The kernel leaves it out where it is 0.
    if [[ $OUTPUT =~ \"irq-suspend-timeout\":\ *([0-9]+) ]]; then
        VALUE=${BASH_REMATCH[1]}
    fi
}

napi_command() {
    COMMAND="ynl --family netdev --do napi-set --json '{\"id\":${1#* },\"irq-suspend-timeout\":$2}'"
}

napi_valid() {
    [[ $1 =~ ^([^ ]+)\ [0-9]{1,9}$ ]] && iface_name_valid "${BASH_REMATCH[1]}" &&
        [[ $2 =~ ^[0-9]{1,12}$ ]]
}

# --- lifetime: IFACE ADDRESS/LENGTH; `forever` or `until VALID PREFERRED` in epoch seconds ------

lifetime_read() {
    local line
    need ip iproute2 || return 1
    if ! cached ip -4 -o addr show dev "${1% *}"; then
        errno_text "$OUTPUT"
        refused_read
        return
    fi
    while read -r line; do
        [[ " $line " == *" inet ${1#* } "* ]] || continue
        VALUE=forever
        if [[ $line =~ valid_lft\ ([0-9]+)sec\ preferred_lft\ ([0-9]+)sec ]]; then
            VALUE="until $((EPOCHSECONDS + BASH_REMATCH[1])) $((EPOCHSECONDS + BASH_REMATCH[2]))"
        fi
        return 0
    done < <(printf '%s\n' "$OUTPUT")
    CAUSE="${1% *} has no address ${1#* }"
    return 1
}

lifetime_command() {
    local valid preferred
    COMMAND="ip addr change ${1#* } dev ${1% *}"
    if [[ $2 == forever ]]; then
        COMMAND+=' valid_lft forever preferred_lft forever'
        return
    fi
    read -r _ valid preferred < <(printf '%s\n' "$2")
    valid=$((valid - EPOCHSECONDS))
    preferred=$((preferred - EPOCHSECONDS))
    # A lease that has run out meanwhile: time enough for the client to renew it.
    ((valid >= 300)) || valid=300
    ((preferred >= 300)) || preferred=300
    ((preferred <= valid)) || preferred=$valid
    COMMAND+=" valid_lft $valid preferred_lft $preferred"
}

lifetime_valid() {
    [[ $1 =~ ^([^ ]+)\ [0-9]+(\.[0-9]+){3}/[0-9]+$ ]] && iface_name_valid "${BASH_REMATCH[1]}" &&
        [[ $2 =~ ^(forever|until\ [0-9]{1,12}\ [0-9]{1,12})$ ]]
}

lifetime_same() {
    [[ ${2%% *} == "${3%% *}" ]]
}

lifetime_display() {
    [[ $2 == until\ * ]] || return 0
    read -r _ BRIEF _ < <(printf '%s\n' "$2")
    BRIEF="$((BRIEF - EPOCHSECONDS)) s"
}

# --- dhclient: IFACE; `stopped` or `running ARGUMENTS` ------------------------------------------

dhclient_read() {
    local file words parent
    VALUE=stopped
    for file in "$ROOT"/proc/[1-9]*/comm; do
        { read -r LINE <"$file"; } 2>/dev/null || continue
        [[ $LINE == dhclient ]] || continue
        file=${file%/comm}
        mapfile -d '' -t words 2>/dev/null <"$file/cmdline" || continue
        ((${#words[@]} > 0)) || continue
        # -6 listens on UDP, and an interface named elsewhere is not ours.
        [[ " ${words[*]} " != *' -6 '* ]] || continue
        [[ " ${words[*]} " == *" $1 "* || ${words[-1]} == -* ]] || continue
        VALUE="running ${words[*]}"
        parent=$(sed -n 's/^PPid:[[:space:]]*//p' "$file/status" 2>/dev/null) || parent=''
        first_line "/proc/${parent:-0}/comm"
        if [[ $LINE == NetworkManager ]]; then
            READONLY='run by NetworkManager: set dhcp=internal in its configuration'
        elif ! dhclient_valid "$1" "$VALUE"; then
            READONLY='it runs with arguments that tune would not repeat; stop it yourself'
        fi
        return 0
    done
}

dhclient_command() {
    local arguments file=/run/dhclient.pid
    if [[ $2 == stopped ]]; then
        # -x ends the client without giving up the lease; it finds it by its pid file.
        knob_read dhclient "$1" || true
        arguments=$VALUE
        if [[ $arguments =~ \ -pf\ ([^ ]+) ]]; then
            file=${BASH_REMATCH[1]}
        fi
        COMMAND="dhclient -x -pf $file"
    else
        COMMAND=${2#running }
    fi
}

# Arguments come from state and are run: only dhclient, only options that name no program.
dhclient_valid() {
    local word words expects=''
    iface_name_valid "$1" || return 1
    [[ $2 == stopped ]] && return 0
    [[ $2 == running\ * && $2 =~ ^[A-Za-z0-9_./:\ -]+$ && $2 != *..* ]] || return 1
    read -r -a words < <(printf '%s\n' "${2#running }")
    [[ ${words[0]} =~ ^((/usr)?/sbin/)?dhclient$ ]] || return 1
    for word in "${words[@]:1}"; do
        case $expects in
        path)
            [[ $word == /var/lib/* || $word == /run/* || $word == /var/run/* || $word == /etc/dhcp/* ]] ||
                return 1
            expects=''
            continue
            ;;
        esac
        case $word in
        -4 | -1 | -v | -q | -i | -I | -nw) ;;
        -pf | -lf | -df | -cf) expects=path ;;
        -*) return 1 ;;
        *) iface_name_valid "$word" || return 1 ;;
        esac
    done
    [[ ! $expects ]]
}

# --- prlimit: PID STARTTIME; open files, `SOFT:HARD` --------------------------------------------

# process_start PID: STARTED in clock ticks after boot, which tells a reused PID.
process_start() {
    STARTED=''
    file_text "/proc/$1/stat" || return 1
    TEXT=${TEXT##*) }
    read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ STARTED _ < <(printf '%s\n' "$TEXT")
}

prlimit_read() {
    local pid=${1% *}
    if ! process_start "$pid" || [[ $STARTED != "${1#* }" ]]; then
        CAUSE="process $pid has ended"
        return 1
    fi
    if ! file_text "/proc/$pid/limits"; then
        refused_read
        return
    fi
    if [[ $TEXT =~ Max\ open\ files[[:space:]]+([0-9]+|unlimited)[[:space:]]+([0-9]+|unlimited) ]]; then
        VALUE="${BASH_REMATCH[1]}:${BASH_REMATCH[2]}"
        return 0
    fi
    CAUSE='no such limit'
    return 1
}

prlimit_command() {
    COMMAND="prlimit --pid ${1% *} --nofile=$2"
}

prlimit_valid() {
    [[ $1 =~ ^[0-9]{1,10}\ [0-9]+$ && $2 =~ ^([0-9]+|unlimited):([0-9]+|unlimited)$ ]]
}
