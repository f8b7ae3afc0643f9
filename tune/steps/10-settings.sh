# shellcheck shell=bash
# Step 10: what further scripts set beside the article's steps. A value that is larger already
# stays. Rules live in nftables, not in legacy iptables: step 4 unhooks both.
step 10 settings '' 'socket buffers, backlogs, open files'

readonly SOCKET_BUFFER=16777216 # 16 MB, for bodies over long ways; small responses never need it.
readonly SOMAXCONN_MIN=4096     # The server's --backlog; derived scripts have 2048.
readonly SYN_BACKLOG_MIN=10000

knobs_of_settings() {
    local name
    for name in net.core.rmem_max net.core.wmem_max; do
        settings_at_least "$name" "$SOCKET_BUFFER"
    done
    for name in net.ipv4.tcp_rmem net.ipv4.tcp_wmem; do
        settings_largest "$name"
    done
    settings_at_least net.core.somaxconn "$SOMAXCONN_MIN"
    settings_at_least net.ipv4.tcp_max_syn_backlog "$SYN_BACKLOG_MIN"
    settings_at_least fs.nr_open "$NOFILE_MIN"
    settings_iptables
}

# settings_at_least SYSCTL MINIMUM
settings_at_least() {
    local target=$2 why='' risk=''
    if knob_read sysctl "$1" && [[ $VALUE =~ ^[0-9]+$ ]] && ((VALUE >= target)); then
        if ((VALUE > target)); then
            why="at least $target"
        fi
        target=$VALUE
    fi
    if [[ $1 == fs.* ]] || sysctl_outside "$1"; then
        risk=global
    fi
    knob sysctl "$1" "$1" "$target" "$risk"
    reason "$why"
}

# Of least, default and most, only the most: the others are for connections that need nothing.
settings_largest() {
    local least default most risk=''
    if ! knob_read sysctl "$1"; then
        missing "$1" "... $SOCKET_BUFFER" "$CAUSE"
        return
    fi
    read -r least default most < <(printf '%s\n' "$VALUE")
    ((most >= SOCKET_BUFFER)) || most=$SOCKET_BUFFER
    ! sysctl_outside "$1" || risk=global
    knob sysctl "$1" "$1" "$least $default $most" "$risk"
}

settings_iptables() {
    local version
    if ! command -v iptables >/dev/null; then
        fact iptables 'not installed' 'nft backend' applied ''
        return
    fi
    version=$(iptables --version 2>/dev/null) || version=''
    if [[ $version == *nf_tables* ]]; then
        fact iptables 'nft backend' 'nft backend' applied ''
    else
        fact iptables 'legacy' 'nft backend' differs \
            'use nft, or: update-alternatives --set iptables /usr/sbin/iptables-nft'
    fi
}
