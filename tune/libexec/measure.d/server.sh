# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with measure.
# The server under measurement: its options at each step, start, state, end.

server=      # The process this shell started: java, or what leads to it.
server_pid=  # The JVM's own pid, by its banner.

readonly START_SECONDS_MAX=30
readonly STOP_SECONDS_MAX=15 # The server itself drains for 10 s at most.

in_server_ns() {
    ${netns_server:+ip netns exec "$netns_server"} "$@"
}

# server_command STEP...: what the steps in force ask of the server; sets the array command.
# Pinned from the start (the server cannot do otherwise); 5 adds the filter, 6 its busy polling.
server_command() {
    local steps=" $* " accept=reuseport busy_poll=off
    command=(taskset -c "$cpus" "$java")
    if [[ $steps == *' 1 '* && $jvm_options ]]; then
        command+=("@$jvm_options")
    fi
    if [[ $steps == *' 5 '* ]]; then
        accept=cbpf
    fi
    if [[ $steps == *' 6 '* ]]; then
        busy_poll=auto
    fi
    # The log counts collections also where the JVM keeps no statistics (-XX:-UsePerfData).
    command+=("-Xlog:gc:file=${scratch:-SCRATCH}/gc.log" -jar "$jar" --port "$port" --cpus "$cpus" --accept "$accept"
        --busy-poll "$busy_poll" --idle-timeout 600)
}

server_start() {
    local deadline=$((SECONDS + START_SECONDS_MAX)) command
    server_command "$@"
    : >"$scratch/server.out"
    : >"$scratch/gc.log"
    # Not through a function, so that the process known to us is the server.
    ${netns_server:+ip netns exec "$netns_server"} "${command[@]}" >"$scratch/server.out" 2>"$scratch/server.err" &
    server=$!
    until grep -q '^ *ready' "$scratch/server.out"; do
        if ! kill -0 "$server" 2>/dev/null || ((SECONDS >= deadline)); then
            server_failure="the server did not start: $(tail -n 1 "$scratch/server.err")"
            server_stop
            return 1
        fi
        sleep 0.1
    done
    server_pid=$(sed -n 's/.*, pid \([0-9]*\).*/\1/p' "$scratch/server.out" | head -n 1)
    server_pid=${server_pid:-$server}
}

server_stop() {
    [[ $server ]] || return 0
    local pid=${server_pid:-$server} deadline=$((SECONDS + STOP_SECONDS_MAX))
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$server" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            kill -KILL "$pid" "$server" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    wait "$server" 2>/dev/null || true
    server='' server_pid=''
}

# Requests that the server counted, by its last lines.
server_requests() {
    awk '/^loop [0-9]+ on CPU/ { sub(/.*: /, ""); n += $1 } END { printf "%.0f\n", n }' "$scratch/server.out"
}

# "MATCHES OF" by the last line: connections received on their loop's CPU.
server_cpu_matches() {
    sed -n 's/.*(SO_INCOMING_CPU): \([0-9]*\) of \([0-9]*\).*/\1 \2/p' "$scratch/server.out" | tail -n 1
}

# "USER SYSTEM": CPU ticks of the server and its descendants.
server_ticks() {
    # A process may end between the listing and the reading of its file.
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v root="$server" '
        {
            pid = $1
            sub(/.*\) /, "") # The name in parentheses may hold anything, even ") ".
            parent[pid] = $2
            user[pid] = $12
            kernel[pid] = $13
        }
        function ours(pid) {
            while (pid > 1 && pid != root) pid = parent[pid]
            return pid == root
        }
        END {
            for (pid in parent) if (ours(pid)) { u += user[pid]; s += kernel[pid] }
            printf "%.0f %.0f\n", u, s
        }'
}

# Pauses to collect garbage since the start.
server_collections() {
    grep -c ' Pause ' "$scratch/gc.log" || true
}

# Bytes that the threads have allocated since the start; - where there is no jcmd (a JRE).
server_allocated() {
    local jcmd=${java%/*}/jcmd
    if [[ ! -x $jcmd ]]; then
        jcmd=$(command -v jcmd) || { echo -; return; }
    fi
    # The attach listener serves this very command.
    { timeout 10 "$jcmd" "$server_pid" Thread.print -e 2>/dev/null || true; } | awk '
        /^"Attach Listener"/ { next }
        match($0, /allocated=[0-9.]+[BKMG]/) {
            word = substr($0, RSTART + 10, RLENGTH - 10)
            unit = substr(word, length(word))
            n += word * (unit == "K" ? 1024 : unit == "M" ? 1048576 : unit == "G" ? 1073741824 : 1)
            seen = 1
        }
        END { if (seen) printf "%.0f\n", n; else print "-" }'
}
