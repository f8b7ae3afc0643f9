#!/usr/bin/env bats
# tune report against a file of results made by hand.

load svg

setup() {
    TEST_DIR=$(cd "$BATS_TEST_DIRNAME" && pwd)
    REPORT=$TEST_DIR/../libexec/report
    RESULTS=$TEST_DIR/report.results.json
    SVG=$BATS_TEST_TMPDIR/chart.svg
}

line_of() { # STEP'S NAME
    grep "^$1" <<<"$output" | tr -s ' '
}

@test "report: a line a step: rate, spread, gain, the article's gain, latencies, CPU" {
    run "$REPORT" "$RESULTS"
    [ "$status" -eq 0 ]
    [ "$(line_of 'as installed')" = "as installed 200,000 190,000-210,000 - - 1100 1320 12.50 15.00 25 %" ]
    [ "$(line_of '1 application')" = "1 application 300,000 295,000-305,000 +50.0 % +55 % 800 990 9.25 11.00 25 %" ]
}

@test "report: an unproven gain and a lower bound are marked" {
    run "$REPORT" "$RESULTS"
    [ "$(line_of '3 audit')" = "3 audit, seccomp off >=303,000 290,000-310,000 ~+1.0 % +11 % 790 985 9.10 10.90 25 %" ]
    [[ $output == *"~ unproven"* ]]
    [[ $output == *">= lower bound"* ]]
}

@test "report: an unsupported step stays, with its reason; what was left out of others is said" {
    run "$REPORT" "$RESULTS"
    [ "$(line_of '2 mitigations')" = '2 mitigations off - unsupported: cmdline: needs a reboot & a "boot loader" <here>' ]
    [[ $output == *"step 1: nofile: needs root"* ]]
    [[ $output == *"step 1: 1 windows discarded"* ]]
}

@test "report: allocation and collections of the server" {
    run "$REPORT" "$RESULTS"
    # 500,000 bytes in 10 s of 200,000 requests a second.
    [[ $output == *"at most 0.25 bytes allocated per request (medians), 2 collections in a window."* ]]
}

@test "report: connections that reached their loop's CPU, over all rounds" {
    run "$REPORT" "$RESULTS"
    [[ $output == *"step 5: connections received on their loop's CPU: 506 of 512"* ]]
}

@test "report: host and conditions stand above" {
    run "$REPORT" "$RESULTS"
    [[ $output == *"Test <CPU> & Co, 4 vCPUs, hypervisor none, Linux 6.1.0-test, JDK Test-25"* ]]
    [[ $output == *"256 connections to /json, 5 rounds of 10 s, ens5 (ena), cubic, 2026-01-02T03:04:05Z"* ]]
    [[ $output == *"client: separate machine, CPUs 0-15; server CPUs 0-3"* ]]
    [[ $output != *INCOMPLETE* ]]
    run "$REPORT" <(sed 's/"complete": true/"complete": false/' "$RESULTS")
    [[ $output == *INCOMPLETE* ]]
}

@test "report: the bars are as long as the rates; the unsupported one is empty" {
    run "$REPORT" "$RESULTS" --svg "$SVG"
    [ "$status" -eq 0 ]
    # 310,000 is the longest whisker, 400 units wide.
    [ "$(grep -o 'class="bar" [^/]*' "$SVG" | grep -o 'width="[^"]*"' | tr '\n' ' ')" = 'width="258.1" width="387.1" width="387.1" ' ]
    [ "$(grep -c 'class="bound"' "$SVG")" -eq 1 ]
    [ "$(grep -c 'rect class="empty"' "$SVG")" -eq 1 ]
    grep -q 'unsupported: cmdline: needs a reboot &amp; a &quot;boot loader&quot; &lt;here&gt;' "$SVG"
    grep -q '>+55 %<' "$SVG"
    grep -q '>1320<' "$SVG"
    # Whiskers: a stroke and two ends for each measured step.
    [ "$(grep -c 'class="whisker"' "$SVG")" -eq 12 ]
}

@test "report: the chart stands alone, in light and dark, and is XML" {
    run "$REPORT" "$RESULTS" --svg "$SVG"
    grep -q 'prefers-color-scheme:dark' "$SVG"
    is_self_contained "$SVG"
}

@test "report: PNG, or the package it needs" {
    run "$REPORT" "$RESULTS" --png "$BATS_TEST_TMPDIR/chart.png"
    if command -v rsvg-convert >/dev/null || command -v inkscape >/dev/null; then
        [ "$status" -eq 0 ]
        [ "$(head -c 4 "$BATS_TEST_TMPDIR/chart.png" | tail -c 3)" = PNG ]
    else
        [ "$status" -eq 2 ]
        [[ $output == *"Debian package librsvg2-bin"* ]]
    fi
}

@test "report: what is not a result of measure is refused" {
    echo '{}' >"$BATS_TEST_TMPDIR/other.json"
    run "$REPORT" "$BATS_TEST_TMPDIR/other.json"
    [ "$status" -eq 2 ]
    [[ $output == *"not written by tune measure"* ]]
    run "$REPORT" "$BATS_TEST_TMPDIR/nothing.json"
    [ "$status" -eq 2 ]
}
