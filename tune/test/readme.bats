#!/usr/bin/env bats
# What README.md tells a user to type is typed here, in its order, on a host made of files.

load fake-root.bash

README=$BATS_TEST_DIRNAME/../README.md

setup() {
    fake_root
    export TUNE_ROOT
    put /proc/sys/net/ipv4/tcp_rmem '4096 131072 6291456' # Tabs or blanks are the same to the kernel only.
    put /proc/sys/net/ipv4/tcp_wmem '4096 16384 4194304'
    mkdir -p "$TUNE_ROOT/etc/systemd/system"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec "$@"\n' >"$BATS_TEST_TMPDIR/bin/sudo"
    cat >"$BATS_TEST_TMPDIR/bin/reboot" <<'REBOOT'
#!/bin/sh
# The boot loader's line is the kernel's, and what no file keeps is gone.
sed -n 's/^GRUB_CMDLINE_LINUX_DEFAULT="\(.*\)"/BOOT_IMAGE=x \1/p' "$TUNE_ROOT/etc/default/grub" >"$TUNE_ROOT/proc/cmdline"
cat /proc/sys/kernel/random/uuid >"$TUNE_ROOT/proc/sys/kernel/random/boot_id"
if grep -q pti=off "$TUNE_ROOT/proc/cmdline"; then
    for file in "$TUNE_ROOT"/sys/devices/system/cpu/vulnerabilities/*; do echo Vulnerable >"$file"; done
fi
REBOOT
    chmod +x "$BATS_TEST_TMPDIR/bin/sudo" "$BATS_TEST_TMPDIR/bin/reboot"
}

# commands HEADING: the indented lines below it, up to the next heading.
commands() {
    sed -n "/^### $1/,/^#\+ [^#]/{/^### $1/d;s/^    //p}" "$README" | sed '/^$/d'
}

# Each line of standard input in its turn. The server is process 500 of the fake host.
typed() {
    local line
    while read -r line; do
        [[ $line != java* ]] || continue
        line=${line//\$server/500}
        (cd "$BATS_TEST_DIRNAME/../.." && eval "$line") >"$BATS_TEST_TMPDIR/said" 2>&1 </dev/null || {
            echo "$line: $?"
            cat "$BATS_TEST_TMPDIR/said"
            return 1
        }
    done
}

@test "README: the safe recipe, line by line, and the host is as before" {
    local before
    before=$(snapshot)
    [[ $(commands 'Safe for a host on the internet' | wc -l) == 6 ]]
    commands 'Safe for a host on the internet' | typed
    rm -r "${TUNE_ROOT:?}"/etc/systemd/system/* "${TUNE_ROOT:?}/usr" 2>/dev/null || true
    diff <(echo "$before") <(snapshot)
}

# settings: of the snapshot, what is not the boot's or a log.
settings() {
    snapshot | grep -v 'boot_id\|cmdline\|vulnerabilities\|timer.log'
}

@test "README: everything, line by line, and the host is as before but for the boot" {
    local before
    [[ $(commands 'Everything, on a VM for benchmarks' | wc -l) == 10 ]]
    printf '%s\0' java @/opt/tune/jvm.options -jar bareloop.jar >"$TUNE_ROOT/proc/500/cmdline"
    put /proc/500/status 'Seccomp:\t0'
    put /proc/500/stat "500 (java) S 1 500 500 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 200000 0 0"
    before=$(settings)
    commands 'Everything, on a VM for benchmarks' | typed
    diff <(echo "$before") <(settings)
    grep -q 'quiet splash$' "$TUNE_ROOT/proc/cmdline"
}

@test "README: its links lead to files, and it is no longer than 1,200 words" {
    local link
    for link in $(cat "$README" "$BATS_TEST_DIRNAME/../MEASURE.md" | grep -oE '\]\([^)h][^)]*\)' | tr -d '()]'); do
        [[ -e $BATS_TEST_DIRNAME/../$link ]] || {
            echo "$link is not there"
            return 1
        }
    done
    (($(wc -w <"$README") <= 1200))
}
