#!/usr/bin/env bats
# lab vm: for real only with TUNE_LAB_VM=1, for it downloads a kernel and takes minutes; else with a
# QEMU that is a script. Whatever ends a lab, nothing of it is left.

load lab.bash

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
    /usr/bin/python3 -ISB -c '
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

@test "lab vm: a kernel that apt does not know is named" {
    run "$LAB" vm --kernel no-such-package --no-server --log "$BATS_TEST_TMPDIR/vm.log"
    [ "$status" -eq 2 ]
    [[ $output == *"no-such-package"* ]]
}
