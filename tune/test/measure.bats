#!/usr/bin/env bats
# tune measure with a fake server, load generator and tune: what is called, what is discarded.
# The CPUs' figures of the client are the fake's; those of the server are this machine's, so that
# only tests about steal time limit it.

setup() {
    TEST_DIR=$(cd "$BATS_TEST_DIRNAME" && pwd)
    MEASURE=$TEST_DIR/../libexec/measure
    WORK=$BATS_TEST_TMPDIR
    mkdir -p "$WORK/bin"
    cp "$TEST_DIR/measure.fakes/"* "$WORK/bin/"
    export PATH="$WORK/bin:$PATH" WORK
    export TUNE=$WORK/bin/tune
    unset JAVA_HOME
    touch "$WORK/bareloop.jar"
    (($(nproc) > 1)) || skip "one CPU: not enough for server and client"
}

measure() {
    run timeout 60 "$MEASURE" --jar "$WORK/bareloop.jar" --java java --rounds 1 --duration 1 --warmup 1 \
        --connections 64 --steal 100 --out "$WORK/r.json" --record "$WORK/measured.json" "$@"
    echo "$output"
}

window() { # STEP KEY: of the first window of a step
    of windows "$@"
}

step() { # STEP KEY
    of steps "$@"
}

of() { # LIST STEP KEY
    /usr/bin/python3 -ISB - "$WORK/r.json" "$@" <<'PYTHON'
import json, sys
file, part, step, key = sys.argv[1:]
row = next((row for row in json.load(open(file))[part] if row["step"] == int(step)), {})
value = row.get(key, "")
print(str(value).lower() if isinstance(value, bool) else value)
PYTHON
}

@test "measure: as installed, then each step on top, then revert; results are JSON" {
    measure --steps 1,3 --rounds 2
    [ "$status" -eq 0 ]
    run grep -oE '^(apply|revert) ?[0-9]*' "$WORK/tune.log"
    [ "$output" = $'apply 1\napply 3\nrevert \napply 1\napply 3\nrevert ' ]
    [ "$(grep -c '"valid": true' "$WORK/r.json")" -eq 6 ]
    [ "$(step 3 windows)" -eq 2 ]
    [ "$(window 0 rps)" = 100000.0 ]
    [ "$(window 0 gc)" = 0 ]
    [ "$(window 0 allocated)" = 2048 ]
    grep -q '"complete": true' "$WORK/r.json"
    [ "$(grep -c '"requests": 200000, "requests_of_client": 200000, "connections": 64, "on_loop_cpu": 60' "$WORK/r.json")" -eq 6 ]
    /usr/bin/python3 -ISB -m json.tool "$WORK/r.json" >/dev/null
    # What tune's verdict shows beside the article's gains.
    /usr/bin/python3 -ISB -c 'import json, sys; assert json.load(open(sys.argv[1]))["gains"]["3"]["gain"] == 0, sys.argv' "$WORK/measured.json"
}

@test "measure --json: one document on standard output, the same as the file; progress on standard error" {
    measure --steps 3-4 --rounds 2 --json
    [ "$status" -eq 3 ]
    "$MEASURE" --jar "$WORK/bareloop.jar" --java java --steps 3 --rounds 1 --duration 1 --warmup 1 --steal 100 \
        --connections 64 --cpus 0 --client-cpus 1 --out "$WORK/r.json" --record '' --json \
        >"$WORK/stdout" 2>"$WORK/stderr"
    grep -q '^\[1/2\] round 1' "$WORK/stderr"
    /usr/bin/python3 -ISB - "$WORK/stdout" "$WORK/r.json" <<'PYTHON'
import json, sys
said, written = (json.load(open(path)) for path in sys.argv[1:])
assert said == written, (said, written)
assert said["format"] == "tune-results-1" and said["run"]["complete"], said
assert [row["step"] for row in said["steps"]] == [0, 3], said["steps"]
PYTHON
    # A run that counts no window says so, and what it has is still one document.
    run bash -c "FAKE_WRK_FAILS=1 '$MEASURE' --jar '$WORK/bareloop.jar' --java java --steps 3 --rounds 1 --duration 1 \
        --warmup 1 --out '$WORK/r.json' --record '' --json 2>/dev/null | /usr/bin/python3 -ISB -c 'import json, sys
document = json.load(sys.stdin)
assert not any(window[\"valid\"] for window in document[\"windows\"]), document'"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "measure --dry-run --json: the plan" {
    "$MEASURE" --jar "$WORK/bareloop.jar" --java java --steps 3-4 --rounds 2 --dry-run --json --out "$WORK/r.json" |
        /usr/bin/python3 -ISB -c 'import json, sys
plan = json.load(sys.stdin)
assert [row["what"] for row in plan["round"]] == ["measure", "apply", "measure", "apply", "measure", "revert"], plan
assert plan["steps"] == [3, 4] and plan["seconds"] == 2 * 3 * (15 + 10 + 6), plan'
    [ ! -e "$WORK/tune.log" ]
}

@test "measure: the server gets what the steps in force ask of it" {
    echo -Xmx1g >"$WORK/jvm.options"
    measure --steps 1,5-6 --jvm-options "$WORK/jvm.options"
    [ "$status" -eq 0 ]
    mapfile -t java <"$WORK/java.log"
    [[ ${java[0]} != *@* && ${java[0]} == *"--accept reuseport --busy-poll off"* ]]
    [[ ${java[1]} == *"@$WORK/jvm.options"*"--accept reuseport --busy-poll off"* ]]
    [[ ${java[2]} == *"--accept cbpf --busy-poll off"* ]]
    [[ ${java[3]} == *"--accept cbpf --busy-poll auto"* ]]
}

@test "measure: leave-one-out takes back one step at a time" {
    measure --steps 3,5 --leave-one-out
    [ "$status" -eq 0 ]
    run grep -oE '^(apply|revert) ?[0-9]*' "$WORK/tune.log"
    [ "$output" = $'apply 3\napply 5\nrevert 3\napply 3\nrevert 5\napply 5\nrevert ' ]
    mapfile -t java <"$WORK/java.log"
    [[ ${java[0]} == *cbpf* && ${java[1]} == *cbpf* && ${java[2]} == *reuseport* ]]
    grep -q '"mode": "leave-one-out"' "$WORK/r.json"
}

@test "measure: an unsupported step is kept with its reason, and not timed; exit status 3" {
    measure --steps 3-4
    [ "$status" -eq 3 ]
    [ "$(step 4 state)" = unsupported ]
    [ "$(step 4 reason)" = "rules: no 'nft' here" ]
    [ "$(window 4 rps)" = "" ]
}

@test "measure: what was so before is measured, and said; checks without a server are not" {
    measure --steps 3,7
    [ "$status" -eq 0 ]
    [ "$(step 3 reason)" = "" ]
    [ "$(step 7 reason)" = "already so before: nothing changed" ]
    [ "$(step 7 state)" = measured ]
}

@test "measure: a step that cannot be written is told apart from one that is unsupported" {
    FAKE_APPLY_FAILS=1 measure --steps 3
    [ "$status" -eq 3 ]
    [ "$(step 3 state)" = failed ]
    [[ $output == *"tune: rule: EIO"* ]]
}

@test "measure: failing load: no window counts, all is reverted, exit status 2" {
    FAKE_WRK_FAILS=1 measure --steps 3
    [ "$status" -eq 2 ]
    [ "$(tail -n 1 "$WORK/tune.log" | cut -d' ' -f1)" = revert ]
    [[ $output == *"unable to connect"* ]]
}

@test "measure: a failing revert is said, with where the originals are; exit status 2" {
    FAKE_REVERT_FAILS=1 measure --steps 3
    [ "$status" -eq 2 ]
    [[ $output == *"revert failed with 2"*"tune revert --state $WORK/r.json.state"* ]]
}

@test "measure: SIGTERM in a window reverts, and leaves neither server nor load" {
    FAKE_WRK_SLEEPS=30 timeout 60 "$MEASURE" --jar "$WORK/bareloop.jar" --java java --steps 3 --rounds 1 \
        --duration 1 --warmup 1 --steal 100 --out "$WORK/r.json" --record '' 2>"$WORK/err" 3>&- &
    local measuring=$! i
    for ((i = 0; i < 100; i++)); do
        if grep -q . "$WORK/wrk.log" 2>/dev/null; then break; fi
        sleep 0.1
    done
    # Only from here on is there something to revert: the step has been applied by the second load.
    for ((i = 0; i < 100; i++)); do
        if [[ -e $WORK/wrk.pid ]]; then break; fi
        sleep 0.1
    done
    touch "$WORK/wrk.go" # The first load ends; the next one, after the step, is cut off.
    for ((i = 0; i < 200; i++)); do
        if grep -q '^apply 3' "$WORK/tune.log" 2>/dev/null && [[ $(wc -l <"$WORK/wrk.log") -ge 3 ]]; then break; fi
        sleep 0.1
    done
    local java
    java=$(tail -n 1 "$WORK/java.pids")
    kill -TERM "$(pgrep -P "$measuring")"
    wait "$measuring" || true
    [ "$(tail -n 1 "$WORK/tune.log" | cut -d' ' -f1)" = revert ]
    run kill -0 "$java"
    [ "$status" -ne 0 ]
    run kill -0 "$(cat "$WORK/wrk.pid")"
    [ "$status" -ne 0 ]
    grep -q '"complete": false' "$WORK/r.json"
}

@test "measure: rate x mean latency other than the connections is flagged" {
    FAKE_MEAN=320.0 measure --steps 3
    [ "$status" -eq 0 ]
    [[ $(window 0 flags) == "Little's law: rate x mean latency = 32, not 64 connections"* ]]
    FAKE_MEAN=640.0 measure --steps 3
    [ "$(window 0 flags)" = "" ]
}

@test "measure: steal time discards a window; it is taken again, three times in all" {
    FAKE_STEAL=5 measure --steps 3 --steal 1
    [ "$status" -eq 2 ]
    [ "$(grep -c '"step": 0, .*"valid": false, "reason": "steal [0-9.]* % is above 1 %"' "$WORK/r.json")" -eq 3 ]
    [ "$(step 0 state)" = void ]
}

@test "measure: socket errors and responses other than 2xx void a window" {
    FAKE_TIMEOUTS=2 measure --steps 3
    [ "$status" -eq 2 ]
    [[ $(window 0 reason) == "socket errors: connect 0, read 0, write 0, timeout 2" ]]
    FAKE_STATUS=7 measure --steps 3
    [ "$status" -eq 2 ]
    [[ $(window 0 reason) == "7 responses were not 2xx or 3xx" ]]
}

@test "measure: medians, least and greatest; gains are paired within the round" {
    run /usr/bin/python3 -ISB - "$TEST_DIR/../lib" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from measuring.summary import StepState, summarize
steps = [StepState(0, "label", "measured"), StepState(3, "label", "measured")]
rows = [(0, 1, 100, True), (3, 1, 110, True), (0, 2, 120, True), (3, 2, 1, False), (3, 2, 126, True), (0, 3, 110, True), (3, 3, 132, True)]
windows = [{"step": s, "round": r, "rps": rps, "valid": valid, "flags": ""} for s, r, rps, valid in rows]
first, second = summarize(steps, windows, "cumulative")
assert (first["windows"], first["discarded"], first["rps"], first["rps_min"], first["rps_max"]) == (3, 0, 110, 100, 120), first
assert "gain" not in first
assert (second["windows"], second["discarded"], second["rps"], second["rps_min"], second["rps_max"]) == (3, 1, 126, 110, 132), second
assert (second["gain"], second["gain_min"], second["gain_max"], second["proven"]) == (10, 5, 20, True), second
# All steps, 0, have so much over all but one.
second = summarize(steps, windows, "leave-one-out")[1]
assert (second["gain"], second["gain_min"], second["gain_max"], second["proven"]) == (-9.09, -16.67, -4.76, True), second
# A busy client proves nothing.
windows[0]["lower_bound"] = True
second = summarize(steps, windows, "cumulative")[1]
assert (second["gain"], second["proven"]) == (10, False), second
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "measure: an exceeded network allowance of the instance voids a window" {
    FAKE_ALLOWANCE=1 measure --steps 3
    [ "$status" -eq 2 ]
    [[ $(window 0 reason) == "the instance's network allowance was exceeded"* ]]
    grep -q '"driver": "ena"' "$WORK/r.json"
}

@test "measure: without ethtool it says what it does not look at, and goes on" {
    local without=$WORK/without directory
    mkdir "$without"
    rm "$WORK/bin/ethtool"
    for directory in /usr/sbin /usr/bin /sbin /bin; do
        find "$directory/" -maxdepth 1 ! -type d ! -name ethtool -exec ln -sft "$without" {} +
    done
    PATH=$WORK/bin:$without measure --steps 3
    [ "$status" -eq 0 ]
    [[ $output == *"ethtool not found (Debian package ethtool): "*"allowance"*"is not looked at"* ]]
    grep -q '"driver": "unknown"' "$WORK/r.json"
    [ "$(window 3 valid)" = true ]
}

@test "measure: collections in a window are counted and flagged" {
    FAKE_COLLECTS=1 measure --steps 3
    [ "$status" -eq 0 ]
    [ "$(window 0 gc)" = 1 ]
    [[ $(window 0 flags) == *"1 collections in the window"* ]]
}

@test "measure: a busy client makes the row a lower bound" {
    FAKE_CLIENT_BUSY=99 measure --steps 3
    [ "$status" -eq 0 ]
    [ "$(step 0 lower_bound)" = true ]
    FAKE_CLIENT_BUSY=40 measure --steps 3
    [ "$(step 0 lower_bound)" = false ]
}

@test "measure: wrong responses are not timed" {
    FAKE_BODY='{"message":"Hello, Wurld!"}' measure --steps 3
    [ "$status" -eq 2 ]
    [[ $(window 0 reason) == "body "*" instead of "* ]]
    FAKE_SERVER=Longer measure --steps 3
    [ "$status" -eq 2 ]
    [[ $(window 0 reason) == "151 bytes on the wire instead of the reference's 146" ]]
    FAKE_CODE=404 measure --steps 3
    [[ $(window 0 reason) == "status 404 instead of 200" ]]
    FAKE_DATE_STANDS=1 measure --steps 3
    [[ $(window 0 reason) == "Date did not move in "* ]]
}

@test "measure: a client on another machine is driven over ssh, on all its CPUs" {
    measure --steps 3 --client load.example --host 192.0.2.1
    [ "$status" -eq 0 ]
    grep -q 'load.example' "$WORK/ssh.log"
    grep -q '"client": "separate machine"' "$WORK/r.json"
}

@test "measure: a place for the state that others can write is refused before anything is done" {
    mkdir -m 777 "$WORK/open"
    measure --steps 3 --out "$WORK/open/r.json"
    [ "$status" -eq 2 ]
    [[ $output == *"others may write $WORK/open"* ]]
    [ ! -e "$WORK/java.log" ]
}

@test "measure: --dry-run prints the plan and starts nothing" {
    measure --steps 3-4 --dry-run
    [ "$status" -eq 0 ]
    [[ $output == *"apply 3 --keep-going"*"apply 4 --keep-going"*"revert"* ]]
    [ ! -e "$WORK/tune.log" ]
    [ ! -e "$WORK/java.log" ]
}

@test "measure: wrong options are named" {
    measure --steps 3-99
    [ "$status" -eq 2 ]
    [[ $output == *"--steps 3-99"* ]]
    measure --rounds none
    [ "$status" -eq 2 ]
    [[ $output == *"--rounds none"* ]]
    measure --jar "$WORK/nowhere.jar"
    [ "$status" -eq 2 ]
    [[ $output == *"--jar $WORK/nowhere.jar"* ]]
}

@test "measure: a JDK that is too old, or missing, is named before anything is done" {
    FAKE_JAVA=17.0.1 measure
    [ "$status" -eq 2 ]
    [[ $output == *"--java $WORK/bin/java: JDK 22 or later is needed, and this is 17"* ]]
    measure --java "$WORK/none"
    [ "$status" -eq 2 ]
    [[ $output == *"--java $WORK/none: not found"* ]]
    [ ! -e "$WORK/java.log" ]
}

@test "find_java: JAVA_HOME, then PATH, then the newest of the distribution's" {
    local directory=$WORK/jvm version
    for version in 17 22 24; do
        mkdir -p "$directory/jdk-$version/bin"
        printf '#!/bin/sh\necho "openjdk version \\"%s.0.1\\"" >&2\n' "$version" >"$directory/jdk-$version/bin/java"
        chmod +x "$directory/jdk-$version/bin/java"
    done
    finds() { # PATH'S VERSION, JAVA_HOME
        FAKE_JAVA=$1 JAVA_HOME=$2 run bash -c \
            "TUNE_JVM_DIRECTORY=$directory '$TEST_DIR/../libexec/java'"
        echo "$output"
    }
    finds 25 "$directory/jdk-24"
    [ "$output" = "$directory/jdk-24/bin/java" ]
    finds 22 ''
    [ "$output" = "$WORK/bin/java" ]
    finds 17 ''
    [ "$output" = "$directory/jdk-24/bin/java" ]
    finds 25 "$directory/jdk-17"
    [ "$status" -eq 2 ]
    [[ $output == *"jdk-17/bin/java: JDK 22 or later is needed, and this is 17"* ]]
    rm -r "$directory/jdk-22" "$directory/jdk-24"
    finds 17 ''
    [ "$status" -eq 2 ]
    [[ $output == *"no JDK 22 or later on PATH or in $directory"* ]]
}
