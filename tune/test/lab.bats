#!/usr/bin/env bats
# The labs for real, where this machine allows: lab net where namespaces can be made, lab vm only
# with TUNE_LAB_VM=1, for it downloads a kernel. Whatever ends a lab, nothing of it is left.

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

@test "lab net: up makes two namespaces with queues, XPS and pinned NAPI threads; down takes them away" {
    needs_namespaces
    run "$LAB" net up --name "$NAME" --cpus 0 --client-cpus 0
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(ip netns exec "$NAME-server" sh -c 'ls -d /sys/class/net/*/queues/rx-*' | grep -c "$NAME-s")" -eq 2 ]
    [[ "$(ip netns exec "$NAME-client" cat "/sys/class/net/$NAME-c/queues/tx-0/xps_cpus")" =~ ^[0,]*1$ ]]
    [ "$(ip netns exec "$NAME-server" cat "/sys/class/net/$NAME-s/threaded")" = 1 ]
    local thread
    for thread in $(pgrep "^napi/$NAME-s-"); do
        [[ "$(taskset -pc "$thread")" == *": 0" ]]
    done
    run "$LAB" net down --name "$NAME"
    [ "$status" -eq 0 ]
    [ ! -e "/run/netns/$NAME-server" ]
    [ ! -e "/run/netns/$NAME-client" ]
}

@test "lab net: a foreign namespace of the same name is left alone" {
    needs_namespaces
    ip netns add "$NAME-client"
    run "$LAB" net up --name "$NAME"
    [ "$status" -eq 2 ]
    [[ $output == *"is there already"* ]]
    [ -e "/run/netns/$NAME-client" ]
}

@test "lab net: check: apply, verify, revert leave every reading as it was" {
    needs_namespaces
    [[ -x $TUNE ]] || skip "no tune beside this test"
    local server=(--no-server)
    if has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)); then
        server=(--jar "$JAR")
    else
        echo "# without the server: needs target/bareloop.jar, a JDK 22+, wrk, curl and two CPUs" >&3
    fi
    local status=0
    timeout --foreground 300 "$LAB" net check --name "$NAME" "${server[@]}" --json \
        >"$BATS_TEST_TMPDIR/document" 2>"$BATS_TEST_TMPDIR/messages" || status=$?
    cat "$BATS_TEST_TMPDIR/messages"
    [ "$status" -eq 0 ]
    grep -q 'everything reads as before' "$BATS_TEST_TMPDIR/messages"
    grep -q 'lab net: all held' "$BATS_TEST_TMPDIR/messages"
    python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
assert found["held"] and not found["faults"] and not found["differences"], found
assert found["server"]["namespace"] == sys.argv[2] + "-server", found
assert found["settings_read"] > 100 and bool(found["server_check"]) == (len(sys.argv) == 5), found
assert [run["words"].split()[0] for run in found["runs"]] == ["apply"] * 7 + ["verify", "revert"], found
' "$BATS_TEST_TMPDIR/document" "$NAME" "${server[@]}"
    nothing_left "$NAME-server|$NAME-client"
}

@test "lab net: check fails where revert leaves something behind" {
    needs_namespaces
    cat >"$BATS_TEST_TMPDIR/tune" <<'EOT'
#!/usr/bin/env bash
[[ $1 == apply && $2 == 9 ]] || exit 0
while [[ $1 != --netns ]]; do shift; done
ip netns exec "$2" sh -c 'echo 77 >/proc/sys/net/ipv4/tcp_keepalive_time'
EOT
    chmod +x "$BATS_TEST_TMPDIR/tune"
    TUNE=$BATS_TEST_TMPDIR/tune run timeout --foreground 180 "$LAB" net check --name "$NAME" --steps 9 --no-server --json
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"tcp_keepalive_time:77"*"settings differ after revert"*'"held": false'* ]]
    [ ! -e "/run/netns/$NAME-server" ]
}

@test "lab net: measure --json is one document, with the results in it" {
    needs_namespaces
    has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)) || skip "needs target/bareloop.jar, a JDK 22+, wrk, curl"
    cd "$BATS_TEST_TMPDIR"
    local status=0
    "$LAB" net measure --name "$NAME" --jar "$JAR" --json --steps 8 --rounds 1 --duration 1 --warmup 1 \
        --connections 4 --steal 100 --record '' --out results.json >document 2>messages || status=$?
    cat messages
    [[ $status == 0 ]]
    python3 -c '
import json
found = json.load(open("document"))
assert found["status"] == 0 and found["results_file"] == "results.json", found
assert found["results"]["run"]["complete"] and found["results"] == json.load(open("results.json")), found
'
    nothing_left "$NAME-server|$NAME-client"
}

@test "lab net: a signal at any point of check takes everything back" {
    needs_namespaces
    fake_tune
    begin net check --name "$NAME" --steps 3-4 --no-server
    await test -e "/run/netns/$NAME-server"
    kill -TERM "$LAB_PID"
    ended 143
    begin net check --name "$NAME" --steps 3-4 --no-server
    await ip -n "$NAME-client" link show "$NAME-c"
    kill -INT "$LAB_PID"
    ended 130
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^read '
    kill -HUP "$LAB_PID"
    ended 129
    [[ ! -e $BATS_TEST_TMPDIR/reverted ]] || rm "$BATS_TEST_TMPDIR/reverted"
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^step 4'
    kill -TERM "$LAB_PID"
    await taken "$LAB_PID"
    kill -INT "$LAB_PID" 2>/dev/null || true # One who is impatient cuts nothing short.
    ended 143
    [[ $(<"$BATS_TEST_TMPDIR/reverted") == "$NAME-server" ]]
}

@test "lab net: killed with no chance to say anything, it still takes everything back" {
    needs_namespaces
    fake_tune
    begin net check --name "$NAME" --steps 3-4 --no-server
    await test -e "/run/netns/$NAME-client"
    kill -KILL "$(pgrep -P "$LAB_PID")" # The run; its keeper is left.
    ended 137
    said 'ended by SIGKILL; taking back what it had made'
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^step 4'
    kill -KILL "$(pgrep -P "$LAB_PID")"
    ended 137
    [[ $(<"$BATS_TEST_TMPDIR/reverted") == "$NAME-server" ]]
    rm "$BATS_TEST_TMPDIR/reverted"

    # And the keeper; the run is left.
    local run i
    begin net check --name "$NAME" --steps 3-4 --no-server
    await said '^step 4'
    run=$(pgrep -P "$LAB_PID")
    kill -KILL "$LAB_PID"
    for ((i = 0; i < 200; i++)); do
        [[ -e /proc/$run ]] || break
        sleep 0.1
    done
    ended 137
    [[ $(<"$BATS_TEST_TMPDIR/reverted") == "$NAME-server" ]]
}

@test "lab net: an error at any point takes everything back, and is named" {
    needs_namespaces
    mkdir "$BATS_TEST_TMPDIR/bin"
    local real
    real=$(command -v ethtool)
    printf '#!/bin/sh\necho "netlink error: No such device" >&2\nexit 71\n' >"$BATS_TEST_TMPDIR/bin/ethtool"
    chmod +x "$BATS_TEST_TMPDIR/bin/ethtool"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$LAB" net up --name "$NAME"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"ethtool -K $NAME-s gro on tso off: exit status 71: netlink error: No such device"* ]]
    nothing_left "$NAME-server|$NAME-client"
    [[ -x $real ]]
}

@test "lab net: the server ends with the lab, whatever ends that" {
    needs_namespaces
    has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)) || skip "needs target/bareloop.jar, a JDK 22+, wrk, curl"
    fake_tune
    begin net check --name "$NAME" --steps 9 --jar "$JAR"
    await pgrep -f "bareloop.jar --port 2342.*"
    await said '^  kernel'
    kill -TERM "$LAB_PID"
    ended 143
    begin net check --name "$NAME" --steps 9 --jar "$JAR"
    await said '^  kernel'
    local server
    server=$(ip netns pids "$NAME-server" | head -n 1)
    [[ $server ]]
    kill -KILL "$(pgrep -P "$LAB_PID" | head -n 1)"
    ended 137
    [[ ! -e /proc/$server ]]
}

@test "lab net: a signal ends measure after it has reverted" {
    needs_namespaces
    queues() {
        ip netns exec "$NAME-server" ethtool -l "$NAME-s" | sed -n 's/^RX:[[:space:]]*//p' | tail -n 1
    }
    has_server && command -v wrk curl >/dev/null && (($(nproc) > 1)) || skip "needs target/bareloop.jar, a JDK 22+, wrk, curl"
    cd "$BATS_TEST_TMPDIR"
    begin net measure --name "$NAME" --jar "$JAR" --steps 5 --rounds 1 --duration 3 --warmup 1 \
        --connections 4 --steal 100 --record '' --out results.json --keep
    await said '^\[2/2\]'
    [[ -e results.json.state ]]
    [[ $(queues) == 1 ]] # One CPU, one loop, one queue.
    kill -TERM "$LAB_PID"
    ended_with 143
    [[ ! -e results.json.state ]]
    [[ $(queues) == 2 ]] # --keep, so that it shows.
    "$LAB" net down --name "$NAME"
    nothing_left "$NAME-server|$NAME-client"
}

# fake_kernel: a package of a kernel that has everything built in, and a QEMU that only boots it.
fake_kernel() {
    local tree=$BATS_TEST_TMPDIR/package module
    mkdir -p "$tree/DEBIAN" "$tree/boot" "$tree/lib/modules/9.9-fake" "$BATS_TEST_TMPDIR/bin"
    printf 'Package: linux-image-fake\nVersion: 9.9\nArchitecture: all\nMaintainer: lab <lab@localhost>\nDescription: fake\n' \
        >"$tree/DEBIAN/control"
    touch "$tree/boot/vmlinuz-9.9-fake" "$tree/lib/modules/9.9-fake/modules.order"
    for module in virtio_pci virtio_blk virtio_net nf_tables nft_ct nft_chain_nat; do
        echo "kernel/$module.ko"
    done >"$tree/lib/modules/9.9-fake/modules.builtin"
    dpkg-deb -b "$tree" "$BATS_TEST_TMPDIR/fake.deb" >/dev/null
    cat >"$BATS_TEST_TMPDIR/bin/qemu-system-x86_64" <<'EOT'
#!/usr/bin/env bash
for word in "$@"; do
    [[ $word != file:*console* ]] || console=${word#file:}
done
if [[ $* == *'-accel kvm'* && ${FAKE_KVM_BROKEN-} ]]; then
    printf 'KVM internal error. Suberror: 1\nemulation failure\nRAX=0\n' >&2
    exec sleep 600
fi
printf 'lab: Linux 9.9-fake\r\nnothing for people\r\n' >"$console"
exec sleep "${FAKE_QEMU_SECONDS-0}"
EOT
    chmod +x "$BATS_TEST_TMPDIR/bin/qemu-system-x86_64"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

needs_virtual_network() {
    needs_namespaces
    local tool
    for tool in cpio zstd depmod mkfs.ext4 debugfs dpkg-deb; do
        command -v "$tool" >/dev/null || skip "$tool not found"
    done
    [[ -e /dev/net/tun && ! -e /run/netns/lab-vm ]] || skip "no tap device, or a lab vm of someone else"
}

@test "lab vm: signals and kills while it builds and while QEMU runs leave nothing" {
    needs_virtual_network
    fake_kernel
    export FAKE_QEMU_SECONDS=600
    begin vm --kernel "$BATS_TEST_TMPDIR/fake.deb" --no-server --log "$BATS_TEST_TMPDIR/vm.log"
    await said 'building the guest'
    kill -INT "$LAB_PID"
    ended 130
    nothing_left lab-vm
    begin vm --kernel "$BATS_TEST_TMPDIR/fake.deb" --no-server --log "$BATS_TEST_TMPDIR/vm.log"
    await said '^    Linux 9.9-fake$'
    local qemu
    qemu=$(ip netns pids lab-vm)
    kill -KILL "$(pgrep -P "$LAB_PID")"
    ended 137
    [[ ! -e /proc/$qemu ]]
    nothing_left lab-vm
}

@test "lab vm: a guest that does not do its work is a fault; --json says so in one document" {
    needs_virtual_network
    fake_kernel
    begin vm --kernel "$BATS_TEST_TMPDIR/fake.deb" --no-server --log "$BATS_TEST_TMPDIR/vm.log" --json
    ended 1
    python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
assert not found["held"] and found["kernel"] == "9.9-fake", found
assert found["boots"][0]["told"] == ["Linux 9.9-fake"] and len(found["boots"]) == 1, found
assert "did not end its work" in found["faults"][0], found
' "$BATS_TEST_TMPDIR/out"
    grep -q '^nothing for people' "$BATS_TEST_TMPDIR/vm.log"
    nothing_left lab-vm
}

@test "lab vm: a KVM that cannot run the guest is given up for emulation" {
    needs_virtual_network
    [[ -w /dev/kvm ]] || skip "no /dev/kvm"
    fake_kernel
    export FAKE_KVM_BROKEN=1
    begin vm --kernel "$BATS_TEST_TMPDIR/fake.deb" --no-server --log "$BATS_TEST_TMPDIR/vm.log"
    ended 1
    said 'KVM does not work here: emulating'
    said '^    Linux 9.9-fake$'
    nothing_left lab-vm
}

@test "lab: wrong options are named" {
    run "$LAB" net check --name much-too-long
    [ "$status" -eq 2 ]
    [[ $output == *"--name much-too-long"* ]]
    run "$LAB" vm --accel magic
    [ "$status" -eq 2 ]
    [[ $output == *"--accel magic"* ]]
    run "$LAB" cloud
    [ "$status" -eq 2 ]
    run "$LAB" net check --steps 2
    [ "$status" -eq 2 ]
    [[ $output == *"--steps 2"* ]]
    run "$LAB" net up --json
    [ "$status" -eq 2 ]
    [[ $output == *"--json"* ]]
    run "$LAB" vm --kernel no-such-package --no-server --log "$BATS_TEST_TMPDIR/vm.log"
    [ "$status" -eq 2 ]
    [[ $output == *"no-such-package"* ]]
}

@test "lab: --help of each" {
    local lab
    for lab in '' net vm; do
        # shellcheck disable=SC2086 # None is no word.
        run "$LAB" $lab --help
        [ "$status" -eq 0 ]
        [[ $output == "Usage: tune lab"* ]]
    done
}

@test "lab vm: apply, reboot, verify, revert in QEMU" {
    [[ ${TUNE_LAB_VM-} == 1 ]] || skip "only with TUNE_LAB_VM=1"
    local server=(--no-server)
    if has_server; then
        server=(--jar "$JAR")
    fi
    # In the foreground: what ends this test ends the machine, too.
    run timeout --foreground 1500 "$LAB" vm --timeout 1400 --log "$BATS_TEST_TMPDIR/vm.log" "${server[@]}"
    echo "$output"
    # Tools or the kernel package cannot be had, or this machine is too slow: no fault of tune.
    [ "$status" -ne 2 ] || skip "$(tail -n 1 <<<"$output")"
    [ "$status" -ne 124 ] || skip "not done in 25 minutes here"
    [ "$status" -eq 0 ]
    grep -q '^=== boot 3' "$BATS_TEST_TMPDIR/vm.log"
}
