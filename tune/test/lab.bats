#!/usr/bin/env bats
# The labs for real, where this machine allows: lab net where namespaces can be made, lab vm only
# with TUNE_LAB_VM=1, for it downloads a kernel.

setup() {
    TEST_DIR=$(cd "$BATS_TEST_DIRNAME" && pwd)
    TUNE_DIR=$TEST_DIR/..
    LAB=$TUNE_DIR/libexec/lab
    export TUNE=$TUNE_DIR/tune
    NAME=lt$((RANDOM % 1000))
    JAR=$TUNE_DIR/../target/bareloop.jar
}

teardown() {
    [[ ! -e /run/netns/$NAME-server ]] || ip netns delete "$NAME-server"
    [[ ! -e /run/netns/$NAME-client ]] || ip netns delete "$NAME-client"
}

needs_namespaces() {
    ((EUID == 0)) || skip "network namespaces need root"
    unshare --net true 2>/dev/null || skip "no network namespaces here"
    ip netns add "$NAME-server" 2>/dev/null || skip "ip netns does not work here"
    ip -n "$NAME-server" link add v0 type veth peer name v1 2>/dev/null || {
        ip netns delete "$NAME-server"
        skip "no veth here"
    }
    ip netns delete "$NAME-server"
}

# Whether there is a server to try: the jar, and a JDK to run it.
has_server() {
    [[ -r $JAR ]] && "$BATS_TEST_DIRNAME/../libexec/java" >/dev/null 2>&1
}

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
    run timeout 120 "$LAB" net check --name "$NAME" "${server[@]}"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"everything reads as before"*"lab net: all held"* ]]
    [ ! -e "/run/netns/$NAME-server" ]
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
    TUNE=$BATS_TEST_TMPDIR/tune run timeout 60 "$LAB" net check --name "$NAME" --no-server
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"tcp_keepalive_time:77"*"settings differ after revert"* ]]
    [ ! -e "/run/netns/$NAME-server" ]
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
}

@test "lab vm: apply, reboot, verify, revert in QEMU" {
    [[ ${TUNE_LAB_VM-} == 1 ]] || skip "only with TUNE_LAB_VM=1"
    local server=(--no-server)
    if has_server; then
        server=(--jar "$JAR")
    fi
    run timeout 1100 "$LAB" vm --log "$BATS_TEST_TMPDIR/vm.log" "${server[@]}"
    echo "$output"
    # Tools or the kernel package cannot be had, or this machine is too slow: no fault of tune.
    [ "$status" -ne 2 ] || skip "$(tail -n 1 <<<"$output")"
    [ "$status" -ne 124 ] || skip "not done in 18 minutes here"
    [ "$status" -eq 0 ]
    grep -q '^=== boot 3' "$BATS_TEST_TMPDIR/vm.log"
}
