#!/usr/bin/env bats
# tune profile from canned output of perf script; tune trace's arithmetic from canned counters.

load svg

setup() {
    TEST_DIR=$(cd "$BATS_TEST_DIRNAME" && pwd)
    LIBEXEC=$TEST_DIR/../libexec
    SVG=$BATS_TEST_TMPDIR/flame.svg
    cd "$BATS_TEST_TMPDIR"
}

@test "profile: stacks are folded by thread, root first; kernel and Java frames are marked" {
    run "$LIBEXEC/profile" --script "$TEST_DIR/profile.perf-script.txt" --svg "$SVG" --folded folded
    [ "$status" -eq 0 ]
    [ "$(sed -n 1p folded)" = 'C2 CompilerThread0;[libjvm.so] 1' ]
    [ "$(sed -n 2p folded)" = 'bareloop-0;JavaCalls::call_helper(JavaValue*, methodHandle const&);io.bareloop.loop.Loop.runOnce_[j];io.bareloop.http.Swar.below20_[j] 1' ]
    [ "$(sed -n 3p folded)" = 'bareloop-0;__send;__sys_sendto_[k];tcp_sendmsg_[k] 2' ]
    [ "$(wc -l <folded)" -eq 3 ]
    [[ $output == *"4 samples: kernel 50.0 %, Java 25.0 %, native 25.0 %"* ]]
    [[ $output == *" 50.0 %  50.0 %  tcp_sendmsg (kernel)"* ]]
}

@test "profile: boxes are as wide as their share, with children above parents" {
    run "$LIBEXEC/profile" --script "$TEST_DIR/profile.perf-script.txt" --svg "$SVG"
    [ "$status" -eq 0 ]
    # 1180 units for 4 samples.
    box() { grep "<title>$1:" "$SVG" | sed 's/.*<rect class="\([a-z]\)" x="\([0-9.]*\)" y="\([0-9]*\)" width="\([0-9.]*\)".*/\1 \2 \4/'; }
    [ "$(box bareloop-0)" = "t 305.0 885.0" ]
    [ "$(box tcp_sendmsg)" = "k 600.0 590.0" ]
    [ "$(box io.bareloop.http.Swar.below20)" = "j 305.0 295.0" ]
    row() { grep "<title>$1:" "$SVG" | sed 's/.* y="\([0-9]*\)" width.*/\1/'; }
    [ "$(row __send)" -lt "$(row bareloop-0)" ]
    [ "$(row tcp_sendmsg)" -lt "$(row __sys_sendto)" ]
    grep -q '<title>tcp_sendmsg: 2 samples, 50.00 %</title>' "$SVG"
}

@test "profile: the graph stands alone and is XML" {
    run "$LIBEXEC/profile" --script "$TEST_DIR/profile.perf-script.txt" --svg "$SVG"
    is_self_contained "$SVG"
}

@test "profile: no samples is an error, not an empty picture" {
    : >empty
    run "$LIBEXEC/profile" --script empty --svg "$SVG"
    [ "$status" -eq 2 ]
    [[ $output == *"no samples"* ]]
    [ ! -e "$SVG" ]
}

@test "profile, trace: wrong options are named" {
    run "$LIBEXEC/profile" --seconds soon
    [ "$status" -eq 2 ]
    [[ $output == *"--seconds soon"* ]]
    run "$LIBEXEC/trace" --pid 999999999
    [ "$status" -eq 2 ]
    [[ $output == *"--pid 999999999: no such process"* ]]
    run "$LIBEXEC/trace" --with dtrace
    [ "$status" -eq 2 ]
    [[ $output == *"--with dtrace"* ]]
}

@test "trace: sizes by powers of two, exact where there is one" {
    run /usr/bin/python3 -ISB -c 'import sys; sys.path.insert(0, sys.argv[1]); from measuring import trace
print("\n".join(trace.histogram({44: 10, 128: 5, 146: 30, 255: 5})))' "$LIBEXEC/../lib"
    [[ ${lines[0]} == *" 44 "*" 10 "* ]]
    [[ ${lines[1]} == *"128-255"*" 40 "* ]]
}

@test "trace: shares of each CPU's time, softirqs a second" {
    printf 'cpu0 100 0 100 700 0 0 100 0 0 0\n' >stat.1
    printf 'cpu0 140 0 180 740 0 0 140 0 0 0\n' >stat.2
    printf '     CPU0\nNET_RX: 1000\nTIMER: 5\n' >softirqs.1
    printf '     CPU0\nNET_RX: 1500\nTIMER: 9\n' >softirqs.2
    run /usr/bin/python3 -ISB - "$LIBEXEC/../lib" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from measuring import trace
texts = [open(name).read() for name in ("stat.1", "stat.2", "softirqs.1", "softirqs.2")]
row = trace.cpu_shares((texts[0], texts[1]), (texts[2], texts[3]), 100)[0]
assert row == {"cpu": 0, "user": 20, "kernel": 40, "irq": 0, "softirq": 20, "steal": 0, "idle": 20, "NET_RX": 250,
               "NET_TX": 0, "TIMER": 2, "SCHED": 0}, row
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "trace: what perf and bpftrace say" {
    run /usr/bin/python3 -ISB - "$LIBEXEC/../lib" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from measuring import trace
stat = "120,,raw_syscalls:sys_enter,1,100\n50,,syscalls:sys_enter_recvfrom,1,100\n0,,syscalls:sys_enter_poll,1,100\n"
sizes = "syscalls:sys_exit_recvfrom: 0x2c\nsyscalls:sys_exit_sendto: 0x92\nsyscalls:sys_exit_recvfrom: 0xfffffffffffffff5\n"
traced = trace.parse_perf(stat, sizes)
assert traced.calls == {"recvfrom": 50, "(others)": 70}, traced.calls
assert traced.sizes == {"recv": {44: 1}, "send": {146: 1}}, traced.sizes
traced = trace.parse_bpftrace("@all: 9\n@calls[sendto]: 4\n@recv[44]: 3\n@send[146]: 4\n")
assert traced.calls == {"sendto": 4, "(others)": 5} and traced.sizes == {"recv": {44: 3}, "send": {146: 4}}, traced.calls
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "profile, report: JSON" {
    "$LIBEXEC/profile" --script "$TEST_DIR/profile.perf-script.txt" --svg "$SVG" --json |
        /usr/bin/python3 -ISB -c 'import json, sys; assert sum(s["samples"] for s in json.load(sys.stdin)["stacks"]) == 4'
    "$LIBEXEC/report" "$TEST_DIR/report.results.json" --json |
        /usr/bin/python3 -ISB -c 'import json, sys; assert json.load(sys.stdin)["steps"][0]["rps"] == 200000'
}

@test "trace: system calls of a process, counted by strace" {
    command -v strace >/dev/null || skip "strace is not installed"
    sh -c 'while :; do sleep 0.05; done' &
    local looping=$!
    run timeout 20 "$LIBEXEC/trace" --pid "$looping" --seconds 1 --with strace
    kill "$looping"
    [[ $output == *"Operation not permitted"* ]] && skip "ptrace is not permitted here"
    [ "$status" -eq 0 ]
    [[ $output == *" wait4"* ]]
}
