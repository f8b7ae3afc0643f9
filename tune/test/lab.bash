# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # Variables of bats, and of the tests that load this.
# What tests of the labs begin, wait for, and look for at the end.

setup() {
    export TMPDIR=$BATS_TEST_TMPDIR
    TEST_DIR=$(cd "$BATS_TEST_DIRNAME" && pwd)
    TUNE_DIR=$TEST_DIR/..
    LAB=$TUNE_DIR/libexec/lab
    export TUNE=$TUNE_DIR/tune
    NAME=lt$((RANDOM % 1000))
    JAR=${TUNE_LAB_JAR:-$TUNE_DIR/../target/bareloop.jar}
}

teardown() {
    [[ ! ${LAB_PID-} ]] || kill "$LAB_PID" 2>/dev/null || true
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

# A tune that changes something in the namespace, and takes it back by its state: quick, and it shows
# whether revert was asked for.
fake_tune() {
    export TUNE=$BATS_TEST_TMPDIR/tune
    cat >"$TUNE" <<'EOT'
#!/usr/bin/env bash
verb=$1
while (($# > 0)); do
    case $1 in
        --netns) netns=$2 ;;
        --state) state=$2 ;;
    esac
    shift
done
sleep 0.1
case $verb in
    apply) ip netns exec "$netns" sysctl -qw net.ipv4.tcp_keepalive_time=77 && echo 7200 >"$state" ;;
    revert)
        ip netns exec "$netns" sysctl -qw net.ipv4.tcp_keepalive_time="$(<"$state")" && rm "$state"
        echo "$netns" >>"${0%/*}/reverted"
        ;;
esac
echo '1 applied'
EOT
    chmod +x "$TUNE"
}

# begin WORD...: a lab in the background, its messages in a file.
begin() {
    "$LAB" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/messages" 3>&- &
    LAB_PID=$!
}

# await COMMAND...: until it succeeds; not once the lab has ended.
await() {
    until "$@" >/dev/null 2>&1; do
        kill -0 "$LAB_PID" || {
            cat "$BATS_TEST_TMPDIR/messages"
            return 1
        }
        sleep 0.02
    done
}

said() {
    grep -q "$1" "$BATS_TEST_TMPDIR/messages"
}

# taken PID: no signal waits for the process, or it has ended.
taken() {
    [[ ! -e /proc/$1/status ]] || ! grep -qE '^(Sig|Shd)Pnd:.*[1-9a-f]' "/proc/$1/status"
}

# ended STATUS: the lab ended so, and nothing of it is left: no namespace, process, mount, file.
ended() {
    ended_with "$1"
    nothing_left "$NAME-server|$NAME-client"
}

ended_with() {
    local status=0
    wait "$LAB_PID" || status=$?
    LAB_PID=
    cat "$BATS_TEST_TMPDIR/messages"
    [[ $status == "$1" ]] || {
        echo "exit status $status, not $1"
        return 1
    }
}

# nothing_left NAMESPACES
nothing_left() {
    local i
    # The kernel takes the devices of a namespace, and their threads, apart a little later.
    for ((i = 0; i < 100; i++)); do
        pgrep "^napi/$NAME-" >/dev/null || break
        sleep 0.1
    done
    ! ip netns list | grep -E "^($1)( |\$)" || return 1
    ! grep -E "$1|$TMPDIR" /proc/self/mountinfo || return 1
    ! pgrep -af "$NAME-|$TMPDIR/tune-" || return 1
    ! ls -d "$TMPDIR"/tune-* 2>/dev/null || return 1
}

# Whether there is a server to try: the jar, and a JDK to run it.
has_server() {
    [[ -r $JAR ]] && "$BATS_TEST_DIRNAME/../libexec/java" >/dev/null 2>&1
}
