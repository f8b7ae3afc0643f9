"""The guest's first process: file systems, modules, disk, network; then the phase of the lab."""

from __future__ import annotations

import glob
import os
import re
import subprocess
import time
import traceback
from typing import NoReturn

DISK = "/dev/vda"
DISK_SECONDS_MAX = 60
GUEST, GATEWAY = "10.214.0.2/24", "10.214.0.1"
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "nf_tables", "nft_ct", "iptable_filter")
GRUB = 'GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="audit=1"\n'
# Something for step 4 to put away, and back.
RULES = """
table inet lab {
    chain input {
        type filter hook input priority filter; policy accept;
        ct state established counter accept
        tcp dport 22 accept
    }
}
"""
# What outlives the boot: a directory of the disk, and where it is seen.
KEPT = {"etc-default": "/etc/default", "boot": "/boot", "tune": "/var/lib/bareloop-tune"}


def main() -> NoReturn:
    try:
        prepare()
        phase = re.search(r"\blab\.phase=([0-9])", content("/proc/cmdline"))
        device = network_device()
        configure(device)

        from lab.guest import phases  # Only now is there a /proc and a /dev.

        phases.run(int(phase.group(1)) if phase else 0, device)
    except BaseException:
        traceback.print_exc()
        tell("FAILED: the guest could not be prepared, see above")
    power_off()


def tell(text: str) -> None:
    """A line for people; all others are in the log only."""
    print(f"lab: {text}", flush=True)


def content(path: str) -> str:
    with open(path) as file:
        return file.read()


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def run(*command: str, given: str = "") -> int:
    return subprocess.run(command, input=given.encode()).returncode


def prepare() -> None:
    os.environ.update(PATH="/usr/sbin:/usr/bin", HOME="/root", LC_ALL="C")
    os.chdir("/")
    for kind, path in (
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/run"),
        ("tmpfs", "/tmp"),
    ):
        run("mount", "-t", kind, kind, path)
    os.symlink("/proc/self/fd", "/dev/fd")
    tell(f"Linux {os.uname().release}, {os.cpu_count()} CPUs")
    for module in MODULES:
        if run("modprobe", module) != 0:
            tell(f"modprobe {module} failed")
    end = time.monotonic() + DISK_SECONDS_MAX
    while not os.path.exists(DISK) and time.monotonic() < end:
        time.sleep(0.1)
    if run("mount", "-t", "ext4", DISK, "/disk") != 0:
        tell("no disk")
        power_off()
    for name in KEPT:
        os.makedirs(f"/disk/{name}", exist_ok=True)
    if not os.path.exists("/disk/etc-default/grub"):
        write("/disk/etc-default/grub", GRUB)
    for name, path in KEPT.items():
        run("mount", "--bind", f"/disk/{name}", path)
    if not os.path.exists("/boot/grub.cfg"):
        run("update-grub")


def network_device() -> str:
    return sorted(glob.glob("/sys/class/net/*/device"))[0].split("/")[-2]


def configure(device: str) -> None:
    run("ip", "link", "set", "lo", "up")
    # Duplicate address detection would still be changing readings seconds later.
    write(f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6", "1")
    run("ip", "link", "set", device, "up")
    run("ip", "addr", "add", GUEST, "dev", device)
    run("ip", "route", "add", "default", "via", GATEWAY)
    # As a driver without virtio_net's hints leaves it, for the hints are what step 5 would set.
    for irq in interrupts(device):
        try:
            write(f"/proc/irq/{irq}/smp_affinity_list", "0-1")
        except OSError:
            pass  # That of the configuration may refuse, and step 5 leaves it alone.
    for path in glob.glob(f"/sys/class/net/{device}/queues/tx-*/xps_cpus"):
        write(path, "0")
    run("nft", "-f", "-", given=RULES)


def interrupts(device: str) -> list[str]:
    """The numbers of the PCI device below the NIC."""
    return sorted(os.listdir(f"/sys/class/net/{device}/device/../msi_irqs"), key=int)


def power_off() -> NoReturn:
    for path in [*KEPT.values(), "/disk"]:
        run("umount", path)
    os.sync()
    write("/proc/sysrq-trigger", "b")  # No init system to ask; QEMU ends where a machine would reboot.
    while True:
        time.sleep(60)
