"""The virtual machine: QEMU, its disk, the network it is on, its console."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import Callable

from lab import commands
from lab.keeper import Undo
from lab.kernels import Kernel
from lab.namespaces import Namespace
from measuring.common import last_line, say, text_of
from output import fail

NAMESPACE, TAP, HOST_ADDRESS, GUEST_ADDRESS, PREFIX = "lab-vm", "tap0", "10.214.0.1", "10.214.0.2", 24
MEMORY_MB, CPUS, QUEUES = 1024, 2, 2
DISK_BYTES = 64 << 20
# A mitigated CPU, so that there is something to switch off; without KVM it is emulated.
MODELS = {"kvm": "host", "tcg": "Skylake-Server-v1"}
TOLD = "lab: "  # Lines of the console for people; the rest is only in the log.
LOOK_SECONDS = 0.2
SILENCE_SECONDS = 30.0
KVM_BROKEN = "KVM internal error"  # QEMU says so, and then stands still for good.
KVM_SILENCE_SECONDS_MAX = 60.0  # Until the guest's first line, which takes a few: emulated, it takes ten.


class Network:
    """A namespace with a tap device, so that the guest's address can be any."""

    def __init__(self) -> None:
        self.namespace = Namespace(NAMESPACE)

    def up(self, undo: Undo) -> None:
        self.namespace.make(undo)
        inside = self.namespace
        commands.must(
            inside.inside("ip", "tuntap", "add", "dev", TAP, "mode", "tap", "multi_queue"), "is /dev/net/tun there?"
        )
        inside.must("ip", "addr", "add", f"{HOST_ADDRESS}/{PREFIX}", "dev", TAP)
        inside.must("ip", "link", "set", TAP, "up")


class Disk:
    """What outlives a boot; read here without mounting it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def make(self) -> None:
        with open(self.path, "wb") as file:
            file.truncate(DISK_BYTES)
        # No journal: debugfs reads the disk without replaying one.
        commands.must(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", self.path])

    def read(self, name: str) -> str:
        """A file of it; '' where there is none."""
        return commands.run(["debugfs", "-R", f"cat {name}", self.path]).output

    @property
    def configured_line(self) -> str:
        """The command line that the boot loader would give, by the file that update-grub has written."""
        found = re.search(r"^ *linux \S+ *(.*)", self.read("/boot/grub.cfg"), re.M)
        return found.group(1).strip() if found else ""


@dataclass
class Accelerator:
    """KVM where it can be used; what was asked for is not changed."""

    name: str
    model: str
    name_asked: bool
    model_asked: bool

    @staticmethod
    def chosen(name: str, model: str) -> "Accelerator":
        found = name or ("kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg")
        return Accelerator(found, model or MODELS[found], bool(name), bool(model))

    @property
    def may_fall_back(self) -> bool:
        return self.name == "kvm" and not self.name_asked

    def fall_back(self) -> bool:
        """To emulation, once; nested virtualisation need not have all that QEMU sets."""
        if not self.may_fall_back:
            return False
        self.name = "tcg"
        if not self.model_asked:
            self.model = MODELS["tcg"]
        return True


class Machine:
    def __init__(self, kernel: Kernel, initrd: str, disk: Disk, network: Network, accelerator: Accelerator) -> None:
        self.kernel, self.initrd, self.disk, self.network = kernel, initrd, disk, network
        self.accelerator = accelerator

    def command(self, phase: int, line: str, console: str) -> list[str]:
        # All CPUs on one thread of the host would need twice the time.
        acceleration = self.accelerator.name + (",thread=multi" if self.accelerator.name == "tcg" else "")
        network = f"tap,id=net0,ifname={TAP},script=no,downscript=no,vhost=off,queues={QUEUES}"
        nic = f"virtio-net-pci,netdev=net0,mq=on,vectors={2 * QUEUES + 2},mac=52:54:00:12:34:56"
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
        command += ["-machine", "q35", "-accel", acceleration, "-cpu", self.accelerator.model]
        command += ["-smp", str(CPUS), "-m", str(MEMORY_MB), "-kernel", self.kernel.image, "-initrd", self.initrd]
        command += ["-append", f"console=ttyS0 panic=-1 loglevel=4 lab.phase={phase} {line}"]
        command += ["-drive", f"file={self.disk.path},format=raw,if=virtio", "-netdev", network, "-device", nic]
        return [*command, "-serial", f"file:{console}"]

    def run(self, phase: int, line: str, console: str, heard: Callable[[str], None], deadline: float) -> bool:
        """Until the guest ends; each line for people is heard. False where KVM cannot run it."""
        open(console, "w").close()
        errors, begun = console + ".qemu", time.monotonic()

        def broken() -> bool:
            late = time.monotonic() - begun > KVM_SILENCE_SECONDS_MAX and not os.path.getsize(console)
            return KVM_BROKEN in text_of(errors) or (late and self.accelerator.may_fall_back)

        with open(errors, "wb") as out:
            command = self.network.namespace.inside(*self.command(phase, line, console))
            with commands.Child(command, seconds_max=2, stderr=out) as child:
                works = follow(child, console, heard, deadline, broken)
                status = child.process.wait()
        if not works:
            return False
        if status != 0 and time.monotonic() < deadline:
            say(f"    qemu: exit status {status}: {last_line(text_of(errors)) or 'it says nothing'}")
        return True


def follow(
    child: commands.Child, console: str, heard: Callable[[str], None], deadline: float, broken: Callable[[], bool]
) -> bool:
    """Until the guest ends; False where it was ended because it is broken."""
    begun = spoken = time.monotonic()
    pending = b""
    with open(console, "rb") as file:
        while True:
            running = child.runs  # Before the last look, so that nothing is missed.
            pending += file.read()
            *lines, pending = pending.split(b"\n")
            for line in lines:
                text = commands.text(line).rstrip("\r")
                if text.startswith(TOLD):
                    heard(text[len(TOLD) :])
                    spoken = time.monotonic()
            if broken():
                child.end()
                return False
            if not running:
                return True
            now = time.monotonic()
            if now > deadline:
                say("    no end in time: the machine is stopped (--timeout)")
                child.end()
                return True
            if now - spoken > SILENCE_SECONDS:
                spoken = now
                say(f"    {int(now - begun)} s into this boot")
            time.sleep(LOOK_SECONDS)


def must_be_absent(network: Network) -> None:
    """Before minutes of building, not after."""
    if network.namespace.there:
        fail(f"namespace {NAMESPACE} is there already, of another run: ip netns delete {NAMESPACE}")
