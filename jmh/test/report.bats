#!/usr/bin/env bats
# bench report against results made by hand.

load bench.bash
load ../../tune/test/svg.bash

setup() {
    SVG=$BATS_TEST_TMPDIR/chart.svg
}

results() { # VERB, the rest on standard input
    local file=$BATS_TEST_TMPDIR/$1.json
    cat >"$file" <<EOT
{"format": "bareloop-bench-1", "verb": "$1", "command": "jmh/bench $1", "seconds": 1,
 "host": {"date": "2026-01-02T03:04:05Z", "kernel": "6.1.0-test", "cpu": "Test <CPU> & Co", "cpus": 4,
          "hypervisor": false, "governor": null, "kernel_options": ["mitigations=off"],
          "mitigations": {"spectre_v2": "Vulnerable"}, "congestion_control": "cubic", "load_average": 0,
          "jdk": "Test 25", "commit": "1234567"},
 "run": {}, $(cat)}
EOT
    echo "$file"
}

row() { # ROUND SERVER POINT CPU RATE
    cat <<EOT
{"round": $1, "server": "$2", "point": $3, "cpu_us": $4, "rate": $5, "user_share": 0.1, "rss_kb": 2048,
 "foreign": 0.0, "latency": {"p50_us": 100, "p99_us": 200}
EOT
}

@test "report: medians, and ratios paired within each round" {
    file=$(results cpu <<EOT
"baseline": "floor", "left_out": ["nginx is left out: nginx not found: Debian package nginx"], "results": [
$(row 1 floor '{"depth": 1}' 4.0 1000)}, $(row 1 bareloop '{"depth": 1}' 5.0 900)},
$(row 2 floor '{"depth": 1}' 8.0 1000)}, $(row 2 bareloop '{"depth": 1}' 8.0 900)},
$(row 3 floor '{"depth": 1}' 5.0 1000)}, $(row 3 bareloop '{"depth": 1}' 5.5 900)}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    [[ $output == *"| 1 | bareloop | 5.50 | 0.55 | 1.10 (1.00 to 1.25) | 900 | 0.90 | 200 | 2 |"* ]]
    [[ $output == *"nginx is left out: nginx not found: Debian package nginx"* ]]
    is_self_contained "$SVG"
}

@test "report: host and command stand above, escaped in the chart" {
    file=$(results cpu <<EOT
"baseline": "floor", "left_out": [], "results": [$(row 1 floor '{"depth": 1}' 4.0 1000)}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [[ $output == *"Test <CPU> & Co, 4 CPUs, Linux 6.1.0-test, cubic, Test 25, 2026-01-02T03:04:05Z, 1234567"* ]]
    [[ $output == *"spectre_v2: Vulnerable (mitigations=off)"* ]]
    grep -q 'Test &lt;CPU&gt; &amp; Co' "$SVG"
    grep -q 'prefers-color-scheme:dark' "$SVG"
}

@test "report: other processes in the way are said" {
    file=$(results cpu <<EOT
"baseline": "floor", "left_out": [], "results": [$(row 1 floor '{"depth": 1}' 4.0 1000 | sed 's/"foreign": 0.0/"foreign": 0.31/')}]
EOT
    )
    run "$BENCH" report "$file"
    [[ $output == *"measure again: floor 31 %"* ]]
}

@test "report: short connections, with the calls each cost" {
    file=$(results short <<EOT
"baseline": "floor", "left_out": [], "results": [
$(row 1 floor '{"requests_per_connection": 10}' 4.0 1000)}, $(row 1 bareloop '{"requests_per_connection": 10}' 5.0 1000)}],
"calls": [{"server": "bareloop", "point": {"requests_per_connection": 10}, "connections": 2000,
  "calls": {"recvfrom": 10.0, "sendto": 10.0, "accept4": 1.25}}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    [[ $output == *"| 10 | bareloop | 50.0 | 5.00 | 1.25 (1.25 to 1.25) | 100 | 100 | 200 |"* ]]
    [[ $output == *"| 10 | bareloop | 21.25 | recvfrom 10.00, sendto 10.00, accept4 1.25 |"* ]]
    is_self_contained "$SVG"
}

@test "report: files, by size and connections" {
    file=$(results files <<EOT
"baseline": "nginx", "left_out": [], "results": [
$(row 1 nginx '{"size": 10485760, "connections": 4}' 4.0 1000)}, $(row 1 bareloop '{"size": 10485760, "connections": 4}' 3.0 1100)}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    [[ $output == *"| 10485760 | 4 | bareloop | 3.00 | 0.30 | 0.75 (0.75 to 0.75) | 1100 | 1.10 | 200 | 2 |"* ]]
    is_self_contained "$SVG"
}

@test "report: features, with ratios and differences to none in the same round" {
    file=$(results features <<EOT
"baseline": "none", "left_out": [], "results": [
$(for round in 1 2 3 4 5; do
    row "$round" none '{"request": "json", "depth": 16}' 1.0 1000
    echo '},'
    row "$round" filter '{"request": "json", "depth": 16}' "1.${round}" 900
    echo ', "lines": 1000, "lines_dropped": 25},'
done)
$(row 6 filter '{"request": "json", "depth": 16}' 9.0 900)}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    # The round without a pair counts for the median of the time alone. Of 100 to 500 ns, 200 to 400 are kept.
    [[ $output == *"| json | 16 | none | 1.000 | 0.100 | 1 |  |  | 1000 | 200 |"* ]]
    [[ $output == *"| json | 16 | filter | 1.350 | 0.135 | 1.300 | 1.300 ± 0.082 | 300 ± 82 | 900 | 200 |"* ]]
    [[ $output == *"Requests: json, a composed one of 27 bytes."* ]]
    [[ $output == *"dropped, of those of rounds that lost any: filter, json, depth 16: 2.5 %."* ]]
    is_self_contained "$SVG"
}

@test "report: features are looked for in what a server says" {
    cd "$LIBEXEC"
    run python3 -B - <<'EOT'
import collections
import gzip
import types
import features

def refused(feature, headers, body=b'{}'):
    peer = types.SimpleNamespace(label=feature)
    response = types.SimpleNamespace(headers=collections.defaultdict(lambda: None, headers))
    try:
        features.check_fields(peer, response)
        features.uncoded(peer, response, body)
    except features.Failure as failure:
        return str(failure)

two = {'Strict-Transport-Security': 'max-age=1', 'X-Content-Type-Options': 'nosniff'}
origin = {'Access-Control-Allow-Origin': '*'}
assert refused('none', {}) is None
assert refused('fields', two) is None
assert refused('filter', origin) is None
assert 'Access-Control-Allow-Origin is *' in refused('none', origin)
assert 'Strict-Transport-Security is' in refused('fields', origin)
assert 'Content-Encoding is gzip' in refused('none', {'Content-Encoding': 'gzip'}, gzip.compress(b'{}'))


assert refused('gzip', {'Content-Encoding': 'gzip'}, gzip.compress(b'{}')) is None
assert 'Content-Encoding is None' in refused('gzip', {})

# Each of them begins in its turn.
peers = [types.SimpleNamespace(label=label) for label in ('none', 'fields', 'filter', 'cookie')]
turns = [[peer.label for peer in features.in_turn(peers, {'request': 'json'}, number)] for number in range(3)]
assert turns == [['none', 'fields', 'filter'], ['fields', 'filter', 'none'], ['filter', 'none', 'fields']], turns
assert features.trimmed([3]) == (3, None)
EOT
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "report: a response that is under way counts by its bytes" {
    cd "$LIBEXEC"
    run python3 -B - <<'EOT'
import load
result = {'requests': 4, 'received_bytes': 450, 'response_bytes': 100, 'seconds': 2, 'rate': 2}
load.count_by_bytes(result)
assert result['rate'] == 2.25, result
EOT
    [ "$status" -eq 0 ]
}

@test "report: a curve for each direction" {
    file=$(results scale <<EOT
"baseline": "floor", "left_out": [], "results": [
$(row 1 floor '{"connections": 1}' 4.0 1000), "direction": "connections", "x": 1},
$(row 1 bareloop '{"connections": 1}' 5.0 1000), "direction": "connections", "x": 1},
$(row 1 bareloop '{"connections": 10000}' 6.0 1000), "direction": "connections", "x": 10000},
$(row 1 bareloop '{"loops": 2}' 6.0 1000), "direction": "loops", "x": 2, "shared": true}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    [[ $output == *"| 1 | bareloop | 5.00 | 0.50 | 1.25 |"* ]]
    [[ $output == *"| 10000 | bareloop | 6.00 | 0.60 | - |"* ]]
    [[ $output == *"share CPUs at the greatest number"* ]]
    [ "$(grep -c '<polyline' "$SVG")" -ge 4 ]
    is_self_contained "$SVG"
}

@test "report: latency by percentile, and who is to blame" {
    file=$(results latency <<'EOT'
"capacity": {"bareloop": 100000}, "arrivals": "poisson", "left_out": [],
"jfr": {"jdk.GarbageCollection": {"count": 1, "total_us": 900, "longest_us": 900, "what": {"G1New": 1}}},
"results": [{"round": 1, "jfr": false, "server": "bareloop", "share": 0.5, "rate": 50000, "intended": 50000, "requests": 1000000,
  "seconds": 20, "latency": {"p50_us": 30, "p90_us": 40, "p99_us": 90, "p99.9_us": 400, "p99.99_us": 900, "max_us": 1500},
  "since_sent": {"p99_us": 80, "p99.9_us": 200, "max_us": 800}, "cpu_us": 6, "server_busy": 0.5, "foreign": 0, "steal_ticks": 3, "generator_allocated_bytes": 0,
  "threads": {"ms": {"loops": 10000, "jvm": 1.5, "other": 0}, "waited_ms": 2.5, "by_name_ms": {}},
  "pauses": {"count": 1, "longest_us": 800, "causes": {"ICBufferFull": {"count": 1, "longest_us": 800}}},
  "blame": {"slowest": 200, "jvm": 20, "generator": 30, "neither": 150, "longest_neither_us": 1500, "longest_jvm_us": 900, "least_us": 700}}]
EOT
    )
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    [[ $output == *"| bareloop | 50 % | 50000 | 30 | 40 | 90 | 400 | 900 | 1500 | 80 | 200 | 800 | 50 % |"* ]]
    [[ $output == *"| bareloop | 50 % | 1 | 800 | 200 from 700 us | 20 | 30 | 150 (1500) | 2.5 | 1.5 |"* ]]
    [[ $output == *"ICBufferFull 1 (longest 800 us)"* ]]
    [[ $output == *"GarbageCollection 1 (longest 900 us, G1New 1)"* ]]
    is_self_contained "$SVG"
}

@test "report: pauses are read from the JVM's log, and a slow request that overlaps one is put down to it" {
    cat >"$BATS_TEST_TMPDIR/log" <<'EOT'
[1000000ns][gc           ] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 3M->2M(32M) 0.5ms
[5000000ns][safepoint      ] Safepoint "G1CollectForAllocation", Time since last: 4675 ns, Reaching safepoint: 3 ns, At safepoint: 1999990 ns, Leaving safepoint: 7 ns, Total: 2000000 ns, Threads: 0 runnable, 10 total
EOT
    cd "$LIBEXEC"
    run python3 -B - "$BATS_TEST_TMPDIR/log" <<'EOT'
import sys
import latency
pauses = latency.jvm_pauses(sys.argv[1])
assert pauses == [{'from': 3000000, 'to': 5000000, 'cause': 'G1CollectForAllocation', 'ns': 2000000}], pauses
result = {'slowest': [[2900000, 2200000, 0], [6000000, 900000, 0], [7000000, 900000, 500000], [9000000, 1000000, 9]],
          'generator_gaps': [[5900000, 800000, 0], [1, 5, 0]]}
blame = latency.blame(result, pauses)
assert (blame['jvm'], blame['generator'], blame['neither']) == (1, 2, 1), blame
EOT
    [ "$status" -eq 0 ]
}

@test "report: start-up by the way of starting" {
    file=$(results startup <<'EOT'
"left_out": ["the runtime image is left out: mvn makes it"], "results": [
{"variant": "java -jar", "first_response_ms": [200.0, 180.0, 260.0], "cpu_ms": [300, 310, 290], "steady_s": [0.8, 0.9],
 "requests_per_s": [100000, 110000], "rss_start_mib": 60.5, "rss_requests_mib": 70.1, "rss_connections_mib": 75.0}]
EOT
    )
    sed -i 's/"run": {}/"run": {"requests": 10000000, "connections": 10000}/' "$file"
    run "$BENCH" report "$file" --svg "$SVG"
    [ "$status" -eq 0 ]
    [[ $output == *"after 10 million requests | 10000 connections |"* ]]
    [[ $output == *"| java -jar | 200 (180 to 260) | 300 | 0.85 (0.80 to 0.90) | 105000 | 60.5 | 70.1 | 75.0 |"* ]]
    [[ $output == *"the runtime image is left out"* ]]
    is_self_contained "$SVG"
}

@test "report: a page of several, with a chart of each and the picture of the README" {
    cpu=$(results cpu <<EOT
"baseline": "floor", "left_out": [], "results": [
$(row 1 floor '{"depth": 1}' 4.0 1000)}, $(row 1 bareloop '{"depth": 1}' 5.0 900)}, $(row 1 other '{"depth": 1}' 9.0 900)}]
EOT
    )
    files=$(results files <<EOT
"baseline": "nginx", "left_out": [], "results": [$(row 1 nginx '{"size": 10, "connections": 4}' 4.0 1000)}]
EOT
    )
    sed -i 's/"run": {}/"run": {"connections": 64}/' "$cpu"
    run "$BENCH" report "$files" "$cpu" --page "$BATS_TEST_TMPDIR/RESULTS.md"
    [ "$status" -eq 0 ]
    grep -q '^| commit | 1234567 |' "$BATS_TEST_TMPDIR/RESULTS.md"
    grep -q '^| 1 | bareloop | 5.00 |' "$BATS_TEST_TMPDIR/RESULTS.md"
    grep -q '^Not measured: jmh/bench short was left out' "$BATS_TEST_TMPDIR/RESULTS.md"
    local chart
    for chart in cpu files cpu-per-request; do
        is_self_contained "$BATS_TEST_TMPDIR/results/$chart.svg"
    done
    grep -q 'Bareloop: 5.00 us' "$BATS_TEST_TMPDIR/results/cpu-per-request.svg"
}

@test "report: figures of two commits do not make a page" {
    a=$(results cpu <<EOT
"baseline": "floor", "left_out": [], "results": [$(row 1 floor '{"depth": 1}' 4.0 1000)}]
EOT
    )
    b=$(results files <<EOT
"baseline": "nginx", "left_out": [], "results": [$(row 1 nginx '{"size": 10, "connections": 4}' 4.0 1000)}]
EOT
    )
    sed -i 's/"commit": "1234567"/"commit": "7654321"/' "$b"
    run "$BENCH" report "$a" "$b" --page "$BATS_TEST_TMPDIR/RESULTS.md"
    [ "$status" -eq 2 ]
    [[ $output == *"more than one commit"*"cpu has 1234567, files has 7654321"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/RESULTS.md" ]
}

@test "report: features of another commit make a page, and their section says so" {
    a=$(results files <<EOT
"baseline": "nginx", "left_out": [], "results": [$(row 1 nginx '{"size": 10, "connections": 4}' 4.0 1000)}]
EOT
    )
    b=$(results features <<EOT
"baseline": "none", "left_out": [], "results": [$(row 1 none '{"request": "json", "depth": 1}' 4.0 1000)}]
EOT
    )
    run "$BENCH" report "$a" "$b" --page "$BATS_TEST_TMPDIR/RESULTS.md"
    [ "$status" -eq 0 ]
    [ "$(grep -c '| commit | 1234567 |' "$BATS_TEST_TMPDIR/RESULTS.md")" -eq 1 ]
    sed -i 's/"commit": "1234567"/"commit": "7654321"/' "$b"
    run "$BENCH" report "$a" "$b" --page "$BATS_TEST_TMPDIR/RESULTS.md"
    [ "$status" -eq 0 ]
    [ "$(grep -c '| commit | 1234567 |' "$BATS_TEST_TMPDIR/RESULTS.md")" -eq 1 ]
    sed -n '/^## What features cost/,$p' "$BATS_TEST_TMPDIR/RESULTS.md" | grep '| commit | 7654321 |'
}

@test "report: what bench did not write is refused" {
    echo '{}' >"$BATS_TEST_TMPDIR/other.json"
    run "$BENCH" report "$BATS_TEST_TMPDIR/other.json"
    [ "$status" -eq 2 ]
    [[ $output == *"not written by bench"* ]]
    run "$BENCH" report "$BATS_TEST_TMPDIR/nothing.json"
    [ "$status" -eq 2 ]
}
