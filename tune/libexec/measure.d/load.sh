# shellcheck shell=bash disable=SC2034,SC2154 # Variables are shared with measure.
# The client: another machine over ssh, another network namespace, or this machine's other CPUs.

load= # The process of a load under way.

# client_shell ARGUMENT...: sets the array shell, a bash where the client is, for a script on
# standard input. An array, so that in the background the process known to us is that bash.
client_shell() {
    if [[ $client ]]; then
        local quoted
        printf -v quoted '%q ' "$@"
        shell=(ssh -o BatchMode=yes -o ConnectTimeout=10 -- "$client" "bash -s -- $quoted")
    elif [[ $netns_client ]]; then
        shell=(ip netns exec "$netns_client" bash -s -- "$@")
    else
        shell=(bash -s -- "$@")
    fi
}

# on_client ARGUMENT...: runs the script on standard input there.
on_client() {
    local shell
    client_shell "$@"
    "${shell[@]}"
}

wrk_version() {
    on_client 2>/dev/null <<<'wrk -v 2>&1 | head -n 1' | cut -d' ' -f1-2 || true
}

# CPUs that the client may use, as a list for taskset.
client_allowed_cpus() {
    on_client <<<"awk '/^Cpus_allowed_list:/ { print \$2 }' /proc/self/status"
}

# load_run SECONDS FILE: wrk's results, as lines of KEY=VALUE, and its messages in FILE.err.
# In the background, for a signal to this shell shall not wait for the load to end.
load_run() {
    local seconds=$1 file=$2 status=0 shell
    {
        cat <<'EOS'
set -eu
lua=$(mktemp)
trap 'rm -f "$lua"' EXIT
cat >"$lua" <<'END OF LUA'
EOS
        cat "$here/measure.d/wrk.lua"
        cat <<'EOS'
END OF LUA
taskset -c "$1" timeout "$(($3 + 30))" wrk -t "$2" -d "${3}s" -c "$4" --timeout 5s -s "$lua" \
    -H 'Connection: keep-alive' "$5" -- "$4" &
trap 'kill "$!" 2>/dev/null || true' TERM
wait "$!"
EOS
    } >"$scratch/load.sh"
    client_shell "$client_cpus" "$threads" "$seconds" "$connections" "$url"
    "${shell[@]}" <"$scratch/load.sh" >"$file" 2>"$file.err" &
    load=$!
    wait "$load" || status=$?
    load=''
    if ((status != 0)) || ! grep -q '^requests=' "$file"; then
        load_failure="wrk: $(tail -n 1 "$file.err" | grep . || tail -n 1 "$file")"
        return 1
    fi
}

load_stop() {
    [[ $load ]] || return 0
    kill -TERM "$load" 2>/dev/null || true
    wait "$load" 2>/dev/null || true
    load=''
}

# value KEY FILE
value() {
    sed -n "s/^$1=//p" "$2"
}

# The whole response, head and body, as it came over the wire.
fetch() {
    # shellcheck disable=SC2016 # The client's shell expands it.
    on_client "$url" <<<'exec curl -sS --http1.1 -m 5 -i --raw "$1"'
}

# Sets response_bytes and response_date; or check_failure, with 1.
# A server that answers fast but wrongly must not be timed.
check_response() {
    local file="$scratch/response" status body
    if ! fetch >"$file" 2>"$file.err"; then
        check_failure="no response from $url: $(tail -n 1 "$file.err")"
        return 1
    fi
    status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$file")
    body=$(sed '1,/^\r*$/d' "$file")
    response_date=$(sed -n 's/^[Dd]ate: *\(.*\)\r$/\1/p' "$file")
    response_bytes=$(wc -c <"$file")
    check_failure=
    if [[ $status != 200 ]]; then
        check_failure="status $status instead of 200"
    elif [[ $body != "$expected_body" && $expected_body ]]; then
        check_failure="body '${body:0:60}' instead of '$expected_body'"
    elif [[ $path == /json && $response_bytes != "$JSON_RESPONSE_BYTES" ]]; then
        check_failure="$response_bytes bytes on the wire instead of the reference's $JSON_RESPONSE_BYTES"
    elif [[ ! $response_date ]]; then
        check_failure="no Date field"
    fi
    [[ ! $check_failure ]]
}
