#!/usr/bin/env bats
# Whatever happens between, revert gives back what was there, or names what it does not: thousands of
# runs on a host whose tools are functions (model.py), and kills between real writes in a namespace.

load fake-root.bash

@test "property: killed at any point of apply all, revert gives the host of before" {
    run "$TUNE_TEST_DIR/property.py" sweep
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "property: random runs with foreign changes, refusals and kills; TUNE_SEEDS=FIRST:LAST for others" {
    local seeds=${TUNE_SEEDS:-1:12}
    run "$TUNE_TEST_DIR/property.py" random "${seeds%:*}" "${seeds#*:}"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "property: killed between any two writes of apply all in a namespace, revert gives the snapshot of before" {
    ((EUID == 0)) || skip 'network namespaces need root'
    unshare --net true 2>/dev/null || skip 'no network namespaces here'
    command -v ethtool >/dev/null || skip 'ethtool not found: Debian package ethtool'
    run unshare --net --mount bash -c 'mount -t sysfs sysfs /sys && exec "$@"' - "$TUNE_TEST_DIR/kills.py"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
    [ "$status" -eq 0 ]
    [[ $output == *' kills, each reverted' ]]
}
