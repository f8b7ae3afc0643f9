#!/usr/bin/env bats
# The load generator against a server that answers, and against servers that go wrong.

load bench.bash

setup() {
    server=
    needs_build
}

teardown() {
    stop_server
}

short=(--warmup 0.1 --seconds 0.3 --connections 8)

@test "load: every request is answered, in batches of the depth" {
    start_floor
    run generate "$port" "${short[@]}" --depth 4 --body 'Hello, World!' --watch "$server"
    [ "$status" -eq 0 ]
    [ "$(field requests)" -gt 0 ]
    [ "$(($(field requests) / 4))" -ge "$(($(field latency/count) - 8))" ]
    [ "$(field least_per_connection)" -gt 0 ]
    [ "$(field server/threads)" != '[]' ]
}

@test "load: requests are as long as asked for" {
    start_floor
    local bytes
    for bytes in 40 41 47 128 300 8192; do
        run generate "$port" "${short[@]}" --seconds 0.1 --host-field a --target /bytes/13 --request-bytes "$bytes"
        [ "$status" -eq 0 ]
        [ "$(field request_bytes)" -eq "$bytes" ]
    done
}

@test "load: requests have the fields that they are to have" {
    start_floor
    run generate "$port" "${short[@]}" --seconds 0.1
    local without
    without=$(field request_bytes)
    run generate "$port" "${short[@]}" --seconds 0.1 --fields $'Cookie: a=b\nUser-Agent: bats'
    [ "$status" -eq 0 ]
    [ "$(field request_bytes)" -eq $((without + 13 + 18)) ]
}

@test "load: large responses are compared to the last byte" {
    start_floor
    run generate "$port" "${short[@]}" --target /bytes/1048576 --body-bytes 1048576
    [ "$status" -eq 0 ]
    [ "$(field requests)" -gt 0 ]
    [ "$(field response_bytes)" -gt 1048576 ]
}

@test "load: short connections end and are opened again" {
    start_floor
    run generate "$port" --warmup 0 --connections 8 --requests-per-connection 3 --connections-total 100
    [ "$status" -eq 0 ]
    [ "$(field connections_ended)" -ge 100 ]
    [ "$(field requests)" -ge 300 ]
    # Those that are open at the end, and two that learnt what responses look like.
    [ "$(field connections_opened)" -eq $(($(field connections_ended) + 8 + 2)) ]
}

@test "load: an open loop sends what was due, however slow the server" {
    start_floor
    run generate "$port" --warmup 0.2 --seconds 2 --connections 8 --rate 1000 --arrivals uniform
    [ "$status" -eq 0 ]
    [ "$(field requests)" -eq 2000 ]
    [ "$(field latency/count)" -eq 2000 ]
}

@test "load: a stall counts for every request that was due in it, not for those alone that were sent" {
    start_floor
    (
        # The generator's JVM takes its time to start: from its first connection on.
        for ((i = 0; i < 400; i++)); do
            ! grep -qE ": [0-9A-F]+:$(printf %04X "$port") [0-9A-F]+:[0-9A-F]+ 01 " /proc/net/tcp || break
            sleep 0.05
        done
        sleep 1.5
        kill -STOP "$server"
        sleep 1
        kill -CONT "$server"
    ) 3>&- &
    run generate "$port" --warmup 0.2 --seconds 4 --connections 4 --rate 500 --arrivals uniform
    wait $!
    [ "$status" -eq 0 ]
    [ "$(field requests)" -eq 2000 ]
    # A quarter was due in the second that the server stood still; a closed loop would have sent four.
    run python3 -c 'import sys; sys.exit(float(sys.argv[1]) < 100000)' "$(field latency/p90_us)"
    [ "$status" -eq 0 ]
}

@test "load: the first response is looked at" {
    local fault
    for fault in status length body; do
        start_faulty "$fault"
        run generate "$port" "${short[@]}" --body 'Hello, World!'
        [ "$status" -eq 1 ]
        [[ $output == *"wrong response"* ]]
        stop_server
        rm "$BATS_TEST_TMPDIR/port"
    done
}

@test "load: so are all others; but Date may change" {
    local fault
    start_faulty none
    run generate "$port" "${short[@]}"
    [ "$status" -eq 0 ]
    [ "$(field requests)" -gt 60 ]
    for fault in later-body later-status later-more later-close; do
        stop_server
        rm "$BATS_TEST_TMPDIR/port"
        start_faulty "$fault"
        run generate "$port" "${short[@]}"
        [ "$status" -eq 1 ]
        [[ $output == *"wrong response"* ]]
    done
}

@test "load: what cannot be is refused" {
    run generate 1 --seconds 0.1
    [ "$status" -eq 1 ]
    [[ $output == *refused* ]]
    run generate 1 --rate 10 --depth 2
    [ "$status" -eq 2 ]
    run generate 1 --rat 10
    [ "$status" -eq 2 ]
    [[ $output == *"no such option"* ]]
    run generate 1 --host 192.0.2.1
    [ "$status" -eq 1 ]
    [[ $output == *"not a loopback address"* ]]
}
