#!/usr/bin/env bats
# lab net for real, where namespaces can be made. Whatever ends a lab, nothing of it is left.

load lab.bash

@test "lab net: up makes two namespaces with queues, XPS and pinned NAPI threads; down takes them away" {
    needs_namespaces
    run "$LAB" net up --name "$NAME" --cpus 0 --client-cpus 0
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(ip netns exec "$NAME-server" sh -c 'ls -d /sys/class/net/*/queues/rx-*' | grep -c "$NAME-s")" -eq 2 ]
    [[ "$(ip netns exec "$NAME-client" cat "/sys/class/net/$NAME-c/queues/tx-0/xps_cpus")" =~ ^[0,]*1$ ]]
    [ "$(ip netns exec "$NAME-server" cat "/sys/class/net/$NAME-s/threaded")" = 1 ]
    local thread
    for thread in $(pgrep "^napi/$NAME-s-"); do
        [[ "$(taskset -pc "$thread")" == *": 0" ]]
    done
    run "$LAB" net down --name "$NAME"
    [ "$status" -eq 0 ]
    [ ! -e "/run/netns/$NAME-server" ]
    [ ! -e "/run/netns/$NAME-client" ]
}

@test "lab net: a foreign namespace of the same name is left alone" {
    needs_namespaces
    ip netns add "$NAME-client"
    run "$LAB" net up --name "$NAME"
    [ "$status" -eq 2 ]
    [[ $output == *"is there already"* ]]
    [ -e "/run/netns/$NAME-client" ]
}

@test "lab net: check: apply, verify, revert leave every reading as it was" {
    needs_namespaces
    [[ -x $TUNE ]] || skip "no tune beside this test"
    local server=(--no-server)
    if has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)); then
        server=(--jar "$JAR")
    else
        echo "# without the server: needs target/bareloop.jar, a JDK 22+, wrk, curl and two CPUs" >&3
    fi
    local status=0
    timeout --foreground 300 "$LAB" net check --name "$NAME" "${server[@]}" --json \
        >"$BATS_TEST_TMPDIR/document" 2>"$BATS_TEST_TMPDIR/messages" || status=$?
    cat "$BATS_TEST_TMPDIR/messages"
    [ "$status" -eq 0 ]
    grep -q 'everything reads as before' "$BATS_TEST_TMPDIR/messages"
    grep -q 'lab net: all held' "$BATS_TEST_TMPDIR/messages"
    /usr/bin/python3 -ISB -c '
import json, sys
found = json.load(open(sys.argv[1]))
assert found["held"] and not found["faults"] and not found["differences"], found
assert found["server"]["namespace"] == sys.argv[2] + "-server", found
assert found["settings_read"] > 100 and bool(found["server_check"]) == (len(sys.argv) == 5), found
assert [run["words"].split()[0] for run in found["runs"]] == ["apply"] * 7 + ["verify", "revert"], found
' "$BATS_TEST_TMPDIR/document" "$NAME" "${server[@]}"
    nothing_left "$NAME-server|$NAME-client"
}

@test "lab net: check fails where revert leaves something behind" {
    needs_namespaces
    cat >"$BATS_TEST_TMPDIR/tune" <<'EOT'
#!/usr/bin/env bash
[[ $1 == apply && $2 == 9 ]] || exit 0
while [[ $1 != --netns ]]; do shift; done
ip netns exec "$2" sh -c 'echo 77 >/proc/sys/net/ipv4/tcp_keepalive_time'
EOT
    chmod +x "$BATS_TEST_TMPDIR/tune"
    TUNE=$BATS_TEST_TMPDIR/tune run timeout --foreground 180 "$LAB" net check --name "$NAME" --steps 9 --no-server --json
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"tcp_keepalive_time:77"*"settings differ after revert"*'"held": false'* ]]
    [ ! -e "/run/netns/$NAME-server" ]
}

@test "lab net: measure --json is one document, with the results in it" {
    needs_namespaces
    has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)) || skip "needs target/bareloop.jar, a JDK 22+, wrk, curl"
    cd "$BATS_TEST_TMPDIR"
    local status=0
    "$LAB" net measure --name "$NAME" --jar "$JAR" --json --steps 8 --rounds 1 --duration 1 --warmup 1 \
        --connections 4 --steal 100 --record '' --out results.json >document 2>messages || status=$?
    cat messages
    [[ $status == 0 ]]
    /usr/bin/python3 -ISB -c '
import json
found = json.load(open("document"))
assert found["status"] == 0 and found["results_file"] == "results.json", found
assert found["results"]["run"]["complete"] and found["results"] == json.load(open("results.json")), found
'
    nothing_left "$NAME-server|$NAME-client"
}

@test "lab net: a signal at any point of check takes everything back" {
    needs_namespaces
    fake_tune
    begin net check --name "$NAME" --steps 3-4 --no-server
    await test -e "/run/netns/$NAME-server"
    kill -TERM "$LAB_PID"
    ended 143
    begin net check --name "$NAME" --steps 3-4 --no-server
    await ip -n "$NAME-client" link show "$NAME-c"
    kill -INT "$LAB_PID"
    ended 130
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^read '
    kill -HUP "$LAB_PID"
    ended 129
    [[ ! -e $BATS_TEST_TMPDIR/reverted ]] || rm "$BATS_TEST_TMPDIR/reverted"
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^step 4'
    kill -TERM "$LAB_PID"
    await taken "$LAB_PID"
    kill -INT "$LAB_PID" 2>/dev/null || true # One who is impatient cuts nothing short.
    ended 143
    [[ $(<"$BATS_TEST_TMPDIR/reverted") == "$NAME-server" ]]
}

@test "lab net: killed with no chance to say anything, it still takes everything back" {
    needs_namespaces
    fake_tune
    begin net check --name "$NAME" --steps 3-4 --no-server
    await test -e "/run/netns/$NAME-client"
    kill -KILL "$(pgrep -P "$LAB_PID")" # The run; its keeper is left.
    ended 137
    said 'ended by SIGKILL; taking back what it had made'
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^step 4'
    kill -KILL "$(pgrep -P "$LAB_PID")"
    ended 137
    [[ $(<"$BATS_TEST_TMPDIR/reverted") == "$NAME-server" ]]
    rm "$BATS_TEST_TMPDIR/reverted"

    # And the keeper; the run is left.
    local run i
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^step 4'
    run=$(pgrep -P "$LAB_PID")
    kill -KILL "$LAB_PID"
    for ((i = 0; i < 200; i++)); do
        [[ -e /proc/$run ]] || break
        sleep 0.1
    done
    ended 137
    [[ $(<"$BATS_TEST_TMPDIR/reverted") == "$NAME-server" ]]
}

@test "lab net: an error at any point takes everything back, and is named" {
    needs_namespaces
    mkdir "$BATS_TEST_TMPDIR/bin"
    local real
    real=$(command -v ethtool)
    printf '#!/bin/sh\necho "netlink error: No such device" >&2\nexit 71\n' >"$BATS_TEST_TMPDIR/bin/ethtool"
    chmod +x "$BATS_TEST_TMPDIR/bin/ethtool"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$LAB" net up --name "$NAME"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"ethtool -K $NAME-s gro on tso off: exit status 71: netlink error: No such device"* ]]
    nothing_left "$NAME-server|$NAME-client"
    [[ -x $real ]]
}

@test "lab net: the server ends with the lab, whatever ends that" {
    needs_namespaces
    has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)) || skip "needs target/bareloop.jar, a JDK 22+, wrk, curl"
    fake_tune
    begin net check --name "$NAME" --steps 9 --jar "$JAR"
    await pgrep -f "bareloop.jar --port 2342.*"
    await said '^  kernel'
    kill -TERM "$LAB_PID"
    ended 143
    begin net check --name "$NAME" --steps 9 --jar "$JAR"
    await said '^  kernel'
    local server
    server=$(ip netns pids "$NAME-server" | head -n 1)
    [[ $server ]]
    kill -KILL "$(pgrep -P "$LAB_PID" | head -n 1)"
    ended 137
    [[ ! -e /proc/$server ]]
}

@test "lab net: a signal ends measure after it has reverted" {
    needs_namespaces
    queues() {
        ip netns exec "$NAME-server" ethtool -l "$NAME-s" | sed -n 's/^RX:[[:space:]]*//p' | tail -n 1
    }
    has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)) || skip "needs target/bareloop.jar, a JDK 22+, wrk, curl"
    cd "$BATS_TEST_TMPDIR"
    begin net measure --name "$NAME" --jar "$JAR" --steps 5 --rounds 1 --duration 3 --warmup 1 \
        --connections 4 --steal 100 --record '' --out results.json --keep
    await said '^\[2/2\]'
    [[ -e results.json.state ]]
    [[ $(queues) == 1 ]] # One CPU, one loop, one queue.
    kill -TERM "$LAB_PID"
    ended_with 143
    [[ ! -e results.json.state ]]
    [[ $(queues) == 2 ]] # --keep, so that it shows.
    "$LAB" net down --name "$NAME"
    nothing_left "$NAME-server|$NAME-client"
}

@test "lab: wrong options are named" {
    run "$LAB" net check --name much-too-long
    [ "$status" -eq 2 ]
    [[ $output == *"--name much-too-long"* ]]
    run "$LAB" vm --accel magic
    [ "$status" -eq 2 ]
    [[ $output == *"--accel magic"* ]]
    run "$LAB" cloud
    [ "$status" -eq 2 ]
    run "$LAB" net check --steps 2
    [ "$status" -eq 2 ]
    [[ $output == *"--steps 2"* ]]
    run "$LAB" net up --json
    [ "$status" -eq 2 ]
    [[ $output == *"--json"* ]]
}

@test "lab: --help of each" {
    local lab
    for lab in '' net vm; do
        # shellcheck disable=SC2086 # None is no word.
        run "$LAB" $lab --help
        [ "$status" -eq 0 ]
        [[ $output == "Usage: tune lab"* ]]
    done
}
