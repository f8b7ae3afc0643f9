# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with measure.
# One timed window: counters before, load, counters after; one line of JSON.

# Counters of the server's machine, as lines of KEY=VALUE and of /proc/stat tagged with $1.
counters() {
    local tag=$1 ticks device=${iface:-lo}
    read -ra ticks <<<"$(server_ticks)"
    printf '%s_user=%s\n%s_system=%s\n' "$tag" "${ticks[0]}" "$tag" "${ticks[1]}"
    sed -n "s/^cpu[0-9]/server_$tag &/p" /proc/stat
    in_server_ns cat /proc/net/netstat | awk -v tag="$tag" '
        /^TcpExt:/ && !names { names = 1; n = split($0, name); next }
        /^TcpExt:/ { for (i = 2; i <= n; i++) if (name[i] == "BusyPollRxPackets") printf "%s_busy_poll=%s\n", tag, $i }'
    printf '%s_tx_dropped=%s\n' "$tag" \
        "$(in_server_ns cat "/sys/class/net/$device/statistics/tx_dropped" 2>/dev/null || echo 0)"
    # On AWS a rise means that the instance, not the server, set the limit.
    printf '%s_allowance=%s\n' "$tag" \
        "$(in_server_ns ethtool -S "$device" 2>/dev/null | awk '/allowance_exceeded/ { n += $NF } END { printf "%.0f", n }')"
}

# memory_counters TAG: apart, for asking the JVM takes time and wakes it.
memory_counters() {
    printf '%s_gc=%s\n%s_allocated=%s\n' "$1" "$(server_collections)" "$1" "$(server_allocated)"
}

# window STEP LABEL ROUND TRY: appends a line to $windows_file; 1 if the window does not count.
# Sets window_reason and window_requests.
window() {
    local step=$1 label=$2 round=$3 try=$4 file="$scratch/window"
    window_reason=
    {
        memory_counters before
        counters before
    } >"$file"
    if load_run "$duration" "$scratch/load"; then
        {
            counters after
            memory_counters after
            cat "$scratch/load"
            check_response || printf 'failure=after the load: %s\n' "$check_failure"
        } >>"$file"
    else
        printf 'failure=%s\n' "$load_failure" >>"$file"
    fi
    awk -v step="$step" -v label="$label" -v round="$round" -v try="$try" \
        -v server_cpus="$(expand_list "$cpus" | tr '\n' ' ')" \
        -v client_cpus="$(expand_list "$client_cpus" | tr '\n' ' ')" \
        -v hz="$(getconf CLK_TCK)" -v connections="$connections" -v threads="$threads" \
        -v response_bytes="$response_bytes" -v steal_max="$steal_max" -v tolerance="$tolerance" \
        -f "$here/measure.d/window.awk" "$file" >"$scratch/window.json"
    cat "$scratch/window.json" >>"$windows_file"
    window_reason=$(sed -n 's/.*"reason": "\([^"]*\)".*/\1/p' "$scratch/window.json")
    window_requests=$(sed -n 's/.*"requests": \([0-9]*\).*/\1/p' "$scratch/window.json")
    window_requests=${window_requests:-0}
    grep -q '"valid": true' "$scratch/window.json"
}
