# shellcheck shell=bash
# For the tests of bench.

TEST_DIR=$(cd "$BATS_TEST_DIRNAME" && pwd)
export BENCH=$TEST_DIR/../bench
LIBEXEC=$TEST_DIR/../libexec
TARGET=$TEST_DIR/../../target

needs_build() {
    if [[ ! -e $TARGET/test-classes/io/bareloop/load/Load.class || ! -e $TARGET/jmh.classpath ]]; then
        skip "not built: mvn -Pjmh verify -Djmh.args=-l"
    fi
    java=$(cd "$LIBEXEC" && python3 -B -c 'import host; print(host.find_java()[0])')
}

needs() { # COMMAND
    command -v "$1" >/dev/null || skip "no $1"
}

generate() { # PORT OPTION...
    local port=$1
    shift
    "$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
        -cp "$TARGET/classes:$TARGET/test-classes:$(<"$TARGET/jmh.classpath")" \
        io.bareloop.load.Load --port "$port" "$@"
}

# field NAME: of the JSON in $output; dots lead into objects, of which a name may hold one itself.
field() {
    # shellcheck disable=SC2154 # bats sets it
    python3 -c '
import json, sys
value = json.loads(sys.argv[1])
for name in sys.argv[2].split("/"):
    value = value[name]
print(value)' "$output" "$1"
}

start_floor() {
    needs gcc
    gcc -O2 "$LIBEXEC/floor.c" -o "$BATS_TEST_TMPDIR/floor"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$BATS_TEST_TMPDIR/floor" "$port" 3>&- &
    server=$!
    until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        sleep 0.05
    done
}

start_faulty() { # FAULT
    "$TEST_DIR/faulty-server" "$BATS_TEST_TMPDIR/port" "$1" 3>&- &
    server=$!
    until [[ -e $BATS_TEST_TMPDIR/port ]]; do
        sleep 0.05
    done
    port=$(<"$BATS_TEST_TMPDIR/port")
}

stop_server() {
    if [[ ${server:-} ]]; then
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
}
