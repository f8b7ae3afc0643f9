#!/usr/bin/env bats
# The command line, what is missing, and a whole run of the shortest kind.

load bench.bash

setup() {
    server=
    OUT=$BATS_TEST_TMPDIR/results.json
}

teardown() {
    stop_server
}

# PATH with these tools alone.
only() {
    mkdir "$BATS_TEST_TMPDIR/bin"
    local tool
    for tool in bash dirname readlink "$@"; do
        ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin"
    done
}

@test "bench: help for all of it, and for each verb" {
    run "$BENCH" --help
    [ "$status" -eq 0 ]
    local verb
    for verb in all parsers cpu short files features scale latency startup report; do
        [[ $output == *"bench $verb"* ]]
    done
    for verb in all parsers cpu short files features scale latency startup report; do
        run "$BENCH" "$verb" --help
        [ "$status" -eq 0 ]
    done
}

@test "bench: python3 is named where it is missing" {
    only
    PATH=$BATS_TEST_TMPDIR/bin run "$BENCH" cpu
    [ "$status" -eq 2 ]
    [[ $output == *"Debian package python3"* ]]
}

@test "bench: an old or missing JDK is said" {
    run "$BENCH" cpu --java /bin/true
    [ "$status" -eq 2 ]
    [[ $output == *"not a java of JDK 22"* ]]
}

@test "bench: wrong lists, directions and places" {
    needs_build
    run "$BENCH" cpu --no-build --server-cpus a-b
    [ "$status" -eq 2 ]
    [[ $output == *"not a list of CPUs"* ]]
    run "$BENCH" scale --no-build --only width
    [ "$status" -eq 2 ]
    [[ $output == *"there are connections, depth"* ]]
    run "$BENCH" features --no-build --features tls
    [ "$status" -eq 2 ]
    [[ $output == *"tls: there are none,none again,fields"* ]]
    run "$BENCH" features --no-build --log /nowhere
    [ "$status" -eq 2 ]
    [[ $output == *"--log /nowhere: no such directory"* ]]
    run "$BENCH" features --no-build --server 'other=true'
    [ "$status" -eq 2 ]
    [[ $output == *"compared with Bareloop without them alone"* ]]
    run "$BENCH" cpu --no-build --out /nowhere/results.json
    [ "$status" -eq 2 ]
    [[ $output == *"no such directory"* ]]
    run "$BENCH" cpu --no-build --servers apache
    [ "$status" -eq 2 ]
    [[ $output == *"no such server"* ]]
}

@test "bench parsers: what was skipped is said and stays in the results" {
    needs_build
    run "$BENCH" parsers --quick --no-build --java "$TEST_DIR/fake-java" --out "$OUT"
    [ "$status" -eq 0 ]
    [[ $output == *"| bareloop | 43 |"*"| netty | 711 |"* ]]
    [[ $output == *"picohttpparser-debian was skipped: no library: Debian package libh2o-evloop0.13"* ]]
    [[ $output == *"4.5 ns (C function abs)"* ]]
    grep -q '"congestion_control"' "$OUT"
}

@test "bench parsers: a wrong answer is no result" {
    needs_build
    FAKE_WRONG=1 run "$BENCH" parsers --quick --no-build --java "$TEST_DIR/fake-java" --out "$OUT"
    [ "$status" -eq 2 ]
    [[ $output == *"netty finds POST instead of GET"* ]]
    [ ! -e "$OUT" ]
}

@test "bench cpu: measures, writes table, results and chart, and leaves nothing running" {
    needs_build
    needs gcc
    run "$BENCH" cpu --no-build --rounds 1 --seconds 0.3 --settle 0.1 --warm 0.5 --depths 1,2 --connections 4 \
        --servers floor,bareloop,netty,helidon --out "$OUT"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^| [12] | ' <<<"$output")" -eq 8 ]
    grep -q '"format": "bareloop-bench-1"' "$OUT"
    [ -s "$BATS_TEST_TMPDIR/results.svg" ]
    run pgrep -f "^$(realpath "$TARGET")/floor "
    [ "$status" -eq 1 ]
}

@test "bench files: each is compared with the file, and measured at its connections" {
    needs_build
    run "$BENCH" files --no-build --rounds 1 --seconds 0.3 --settle 0.1 --warm 0.5 --sizes 1000,100000,1048576 \
        --connections 3 --large-connections 1,2 --servers bareloop --out "$OUT"
    [ "$status" -eq 0 ]
    [[ $output == *"| 1000 | 3 | bareloop |"*"| 100000 | 3 | bareloop |"*"| 1048576 | 1 | bareloop |"*"| 1048576 | 2 | bareloop |"* ]]
    [ -s "$BATS_TEST_TMPDIR/results.svg" ]
}

@test "bench files: beside nginx" {
    needs_build
    needs nginx
    run "$BENCH" files --no-build --rounds 1 --seconds 0.3 --settle 0.1 --warm 0.5 --sizes 100000 --servers nginx --out "$OUT"
    [ "$status" -eq 0 ]
    [[ $output == *"| 100000 | 64 | nginx |"* ]]
}

@test "bench files: a server of other bytes is found out" {
    needs_build
    run "$BENCH" files --no-build --servers '' --sizes 13 --out "$OUT" \
        --server 'demo={java} -jar {jar} --port {port}'
    [ "$status" -eq 2 ]
    [[ $output == *"demo: status 404, or another body than file-13.bin has"* ]]
    mkdir "$BATS_TEST_TMPDIR/site"
    echo 'twelve bytes' >"$BATS_TEST_TMPDIR/site/file-13.bin"
    run "$BENCH" files --no-build --servers '' --sizes 13 --out "$OUT" \
        --server "other={java} -jar {jar} --port {port} --root $BATS_TEST_TMPDIR/site"
    [ "$status" -eq 2 ]
    [[ $output == *"other: status 200, or another body than file-13.bin has"* ]]
    run "$BENCH" files --no-build --servers floor --sizes 13 --out "$OUT"
    [ "$status" -eq 2 ]
    [[ $output == *"floor: no such server of files; there are bareloop, nginx"* ]]
}

@test "bench features: each has what it is named after, and stands beside none in what concerns it" {
    needs_build
    run "$BENCH" features --no-build --rounds 2 --seconds 0.2 --settle 0.1 --warm 0.4 --connections 4 --depths 2 \
        --log "$BATS_TEST_TMPDIR" --out "$OUT"
    [ "$status" -eq 0 ]
    local feature request
    for request in plaintext json; do
        for feature in none 'none again' fields filter completion log all; do
            [[ $output == *"| $request | 2 | $feature |"* ]]
        done
        [[ $output != *"| $request | 2 | cookie |"* ]]
    done
    [[ $output == *"| greeting | 2 | none |"*"| greeting | 2 | cookie |"* ]]
    [[ $output != *"| greeting | 2 | fields |"* ]]
    grep -q '"GET /json HTTP/1.1" 200 27 "-" "Mozilla/5.0 ' "$BATS_TEST_TMPDIR/access-log.log"
    grep -q '"lines_dropped"' "$OUT"
    [[ $output == *"| items | 2 | none |"*"| items | 2 | gzip |"* ]]
    [ -s "$BATS_TEST_TMPDIR/results.svg" ]
}

@test "bench cpu: what was started is stopped when it is interrupted" {
    needs_build
    needs gcc
    "$BENCH" cpu --no-build --rounds 50 --seconds 1 --warm 0.5 --servers floor --out "$OUT" 3>&- 2>"$BATS_TEST_TMPDIR/err" &
    local bench=$! floor=
    until grep -q 'round 1' "$BATS_TEST_TMPDIR/err"; do
        sleep 0.1
    done
    floor=$(pgrep -P "$bench" floor)
    [ -n "$floor" ]
    kill -TERM "$bench"
    wait "$bench" || [ $? -eq 143 ]
    [ ! -d "/proc/$floor" ]
}

@test "bench cpu: a server that does not start is said with its last words" {
    needs_build
    run "$BENCH" cpu --no-build --servers '' --server 'sad=sh -c "echo no such thing; exit 3"' --out "$OUT"
    [ "$status" -eq 2 ]
    [[ $output == *"sad: ended with 3: no such thing"* ]]
    run "$BENCH" cpu --no-build --servers '' --server 'sad={java} {root}' --out "$OUT"
    [ "$status" -eq 2 ]
    [[ $output == *"'root'; there are {port}, {cpus}, {java}, {jar}"* ]]
}

@test "bench all: says before what it needs and how long it takes, names what failed, and makes a page of the rest" {
    needs_build
    mkdir "$BATS_TEST_TMPDIR/page"
    run "$BENCH" all --quick --no-build --only short,parsers --java "$TEST_DIR/fake-java" --into "$BATS_TEST_TMPDIR/page"
    [ "$status" -eq 1 ]
    [[ $output == "measures short, parsers into "*": about "*" min;"* ]]
    [[ $output == *"missing: jmh/bench short ended with 2"* ]]
    grep -q '^Not measured: jmh/bench short ended with 2' "$BATS_TEST_TMPDIR/page/RESULTS.md"
    grep -q '^| bareloop | 43 |' "$BATS_TEST_TMPDIR/page/RESULTS.md"
    [ -s "$BATS_TEST_TMPDIR/page/results/parsers.svg" ]
    run "$BENCH" all --into /nowhere
    [ "$status" -eq 2 ]
    [[ $output == *"no such directory"* ]]
    run "$BENCH" all --only width
    [ "$status" -eq 2 ]
    [[ $output == *"width: there are cpu, short"* ]]
}
