"""tune lab vm: a distribution kernel in QEMU, where what a namespace lacks is real.

The kernel's command line and a reboot, interrupts and their affinity, XPS and mq of a NIC with two
queues, netfilter's modules, audit. Three boots, with a small disk that outlives them:

  1 as installed: apply every step; tune writes the command line to the boot loader's file
  2 with that command line: what the reboot changed; apply the volatile again, verify, revert
  3 with the command line as reverted: everything reads as in the first boot

What the boot loader would do is done by QEMU's -append, from the file that update-grub writes.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass, field
from typing import Any, Sequence

from lab import commands, keeper, kernels, readings
from lab.image import Image
from lab.keeper import Undo
from lab.machine import GUEST_ADDRESS, Accelerator, Disk, Machine, Network, must_be_absent
from lab.program import find_jar, needs_root, print_json
from measuring import common
from output import fail

USAGE = """Usage: tune lab vm [OPTIONS]

  --kernel FILE.deb  A Debian linux-image package; repeatable, for a kernel in several packages.
  --kernel PACKAGE   One that apt knows, such as linux-image-6.12-cloud-amd64, with what it is split
                     into. Default: linux-image-cloud-amd64. Downloaded with apt-get download,
                     unpacked, not installed.
  --cache DIR        Where downloads are kept. Default: ~/.cache/bareloop-tune.
  --polling          Also: interrupts and polled packets under load, without polling, with it, and with
                     IRQ suspension. Needs wrk; emulated, some minutes more.
  --accel kvm|tcg    Default: kvm where /dev/kvm can be used. tcg emulates: some minutes.
  --cpu MODEL        QEMU's CPU model. Default: host with kvm, Skylake-Server-v1 without.
  --no-server        Leave the server and its Java runtime out.
  --java FILE, --jar FILE   As for tune measure; the runtime is made by the same JDK's jlink.
  --timeout SECONDS  For everything, from then on the machine is stopped. Default: 1000.
  --log FILE         The whole log. Default: tune-lab-vm.log.
  --build-only DIR   Only build the guest's root there.
  --json             One JSON document on standard output; progress is on standard error.

Needs root. Exit status: 0 all held, 1 not, 2 error.
"""
FLAGS = ("--no-server", "--polling", "--json")
VALUES = ("--kernel", "--cache", "--accel", "--cpu", "--java", "--jar", "--log", "--build-only", "--timeout")
TOOLS = (
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("cpio", "cpio"),
    ("zstd", "zstd"),
    ("depmod", "kmod"),
    ("mkfs.ext4", "e2fsprogs"),
    ("debugfs", "e2fsprogs"),
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("nft", "nftables"),
    ("auditctl", "auditd"),
    ("dpkg-deb", "dpkg"),
    ("ps", "procps"),
    ("taskset", "util-linux"),
)
SECONDS_MAX = 1000  # Also without KVM, on a machine that has little else to do.
CONNECTIONS, UNANSWERED_MAX = 40, 3
ANSWER = '{"message":"Hello, World!"}'
URL = f"http://{GUEST_ADDRESS}:2342/json"
LOAD_SECONDS, LOAD_CONNECTIONS = 10, 16
PHASES = (1, 2, 3)
# The kernel sizes these by the memory that a boot happens to leave.
BY_MEMORY = re.compile(r"/proc/sys/net/ipv4/((tcp|udp)_mem|tcp_[rw]mem):")


@dataclass
class Options:
    kernels: list[str]
    cache: str
    accelerator: Accelerator
    java: str
    jar: str
    log: str
    build_only: str
    server: bool
    polling: bool
    json: bool
    seconds_max: int


@dataclass
class Found:
    """What the run shows, for people as it comes, and as a document at its end."""

    begun: float = field(default_factory=time.monotonic)
    boots: list[dict[str, Any]] = field(default_factory=list)
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    vulnerabilities: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def stage(self, text: str) -> None:
        common.say(f"[{int(time.monotonic() - self.begun)} s] {text}")

    def fault(self, text: str) -> None:
        common.say(f"    FAILED: {text}")
        self.faults.append(text)


def parse(words: Sequence[str]) -> Options:
    given = common.Arguments("lab vm", USAGE, words, FLAGS, VALUES)
    if given.rest:
        fail(f"{given.rest[0]}: no such argument; see tune lab vm --help")
    accel, home = given.text("--accel"), os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if accel not in ("", "kvm", "tcg"):
        fail(f"--accel {accel}: kvm or tcg")
    return Options(
        given.lists.get("--kernel", []),
        os.path.abspath(given.text("--cache") or f"{home}/bareloop-tune"),
        Accelerator.chosen(accel, given.text("--cpu")),
        given.text("--java"),
        given.text("--jar"),
        os.path.abspath(given.text("--log", "tune-lab-vm.log")),
        given.text("--build-only"),
        "--no-server" not in given.flags,
        "--polling" in given.flags,
        "--json" in given.flags,
        given.number("--timeout", SECONDS_MAX),
    )


def main(words: Sequence[str]) -> int:
    options = parse(words)
    common.need(*TOOLS)
    needs_root("a tap device and a network namespace need")
    if options.server:
        common.need(("curl", "curl"))
        options.java, options.jar = os.path.realpath(common.find_java(options.java)), find_jar(options.jar)
        if not os.access(os.path.join(os.path.dirname(options.java), "jlink"), os.X_OK):
            fail(f"{options.java}: no jlink beside it: a JDK, not a JRE, or --no-server")
    if options.polling:
        common.need(("wrk", "wrk"))
        if not options.server:
            fail("--polling: not with --no-server")
    if not options.build_only:
        must_be_absent(Network())
    return keeper.kept(lambda scratch, undo: Lab(options, scratch).run(undo))


class Lab:
    def __init__(self, options: Options, scratch: str) -> None:
        self.options, self.scratch = options, scratch
        self.found = Found()
        self.network, self.disk = Network(), Disk(f"{scratch}/disk")

    def run(self, undo: Undo) -> int:
        options, found = self.options, self.found
        if options.build_only:
            self.build(Image(os.path.abspath(options.build_only)), undo)
            common.say(f"built: {options.build_only}")
            return 0
        with open(options.log, "w") as log:  # Before minutes of building, not after.
            self.log = log
            image, initrd = Image(f"{self.scratch}/root"), f"{self.scratch}/initrd"
            kernel = self.build(image, undo)
            image.pack(initrd)
            shutil.rmtree(image.root)
            found.stage(f"initial RAM file system: {os.path.getsize(initrd) >> 20} MB")
            self.disk.make()
            self.network.up(undo)
            self.machine = Machine(kernel, initrd, self.disk, self.network, options.accelerator)
            found.stage(f"accelerator {options.accelerator.name}, CPU model {options.accelerator.model}")
            if self.boots():
                self.compare()
        return self.end(kernel)

    def build(self, image: Image, undo: Undo) -> kernels.Kernel:
        options, found = self.options, self.found
        found.stage("the kernel's packages")
        kernel = kernels.unpack(options.kernels, options.cache, f"{self.scratch}/kernel", undo)
        found.stage(f"building the guest's root, Linux {kernel.version}")
        image.build(kernel)
        if options.server:
            image.add_server(options.java, options.jar)
        return kernel

    def end(self, kernel: kernels.Kernel) -> int:
        found, options = self.found, self.options
        seconds = int(time.monotonic() - found.begun)
        verdict = f"{len(found.faults)} faults" if found.faults else "all held"
        found.stage(f"lab vm: {verdict}; log: {options.log}")
        if options.json:
            print_json(
                {
                    "lab": "vm",
                    "held": not found.faults,
                    "kernel": kernel.version,
                    "accelerator": options.accelerator.name,
                    "cpu": options.accelerator.model,
                    "boots": found.boots,
                    "vulnerabilities_changed": found.vulnerabilities,
                    "comparisons": found.comparisons,
                    "faults": found.faults,
                    "seconds": seconds,
                    "log": options.log,
                }
            )
        return 1 if found.faults else 0

    # --- Boots -----------------------------------------------------------------------------------

    def boots(self) -> bool:
        for phase in PHASES:
            line = "audit=1 quiet" if phase == 1 else self.disk.configured_line
            if phase == PHASES[-1] and self.options.polling:
                line = f"lab.polling {line}"
            if not self.boot(phase, line):
                return False
        return True

    def boot(self, phase: int, line: str) -> bool:
        found, console = self.found, f"{self.scratch}/console.{phase}"
        found.stage(f"boot {phase}: {line}")
        begun, deadline = time.monotonic(), found.begun + self.options.seconds_max
        entry: dict[str, Any] = {"boot": phase, "command_line": line, "told": []}
        found.boots.append(entry)

        def heard(text: str) -> None:
            self.heard(text, entry)

        works = self.machine.run(phase, line, console, heard, deadline) and os.path.getsize(console) > 0
        if not works and phase == PHASES[0] and self.options.accelerator.fall_back():
            common.say("    KVM does not work here: emulating")
            self.disk.make()
            entry["told"].clear()
            self.machine.run(phase, line, console, heard, deadline)
        said = common.text_of(console).replace("\r", "")
        self.log.write(f"=== boot {phase}: {line}\n{said}")
        entry["seconds"] = int(time.monotonic() - begun)
        entry["result"] = self.disk.read(f"/result.{phase}").strip() or "it did not end its work"
        if entry["result"] == "ok":
            return True
        found.fault(f"boot {phase}: {entry['result']}; see {self.options.log}:")
        common.say("\n".join(f"        {line}" for line in said.splitlines()[-15:]))
        return False

    def heard(self, text: str, entry: dict[str, Any]) -> None:
        """What the guest says, and what it asks for."""
        if text == "server is ready":
            self.connect(entry)
            return
        common.say(f"    {text}")
        entry["told"].append(text)
        if text.startswith("load: "):
            self.load()

    def connect(self, entry: dict[str, Any]) -> None:
        """While the guest's server runs, connections from outside, over the NIC."""
        answered = tried = 0
        for tried in range(1, CONNECTIONS + 1):
            result = commands.run(self.network.namespace.inside("curl", "-s", "-m", "5", URL))
            answered += result.output == ANSWER
            if tried - answered >= UNANSWERED_MAX:
                break
        text = f"{answered} of {CONNECTIONS} requests from outside answered rightly"
        common.say(f"    {text}")
        self.log.write(f"host: {text}\n")
        entry["answered"], entry["requests"] = answered, CONNECTIONS
        if answered != CONNECTIONS:
            self.found.fault(text)

    def load(self) -> None:
        command = ["timeout", "60", "wrk", "-t1", f"-c{LOAD_CONNECTIONS}", f"-d{LOAD_SECONDS}s", URL]
        result = commands.run(self.network.namespace.inside(*command))
        rate = re.search(r"Requests/sec: *(\S+)", result.output)
        if result.status != 0 or not rate:
            self.found.fault(f"wrk: {result.failure}")
        else:
            common.say(f"        {rate.group(1)} requests per second")

    # --- What they left --------------------------------------------------------------------------

    def compare(self) -> None:
        self.found.stage("comparing")
        names = ("1", "2", "2.reverted", "3")
        shots = {name: self.snapshot(name) for name in names}
        changed = readings.differences(shots["1"], shots["2"])
        self.found.vulnerabilities = [line for line in changed if "vulnerabilities" in line or "cmdline" in line]
        common.say("    what the command line of boot 2 changed:")
        if self.found.vulnerabilities:
            self.tell(self.found.vulnerabilities)
        else:
            self.found.fault("no vulnerabilities file changed")

        # The boot loader's file was reverted in this boot, which began with the changed one.
        def without_grub(name: str) -> list[str]:
            return [line for line in shots[name] if not line.startswith("/etc/default/grub")]

        def without_memory(name: str) -> list[str]:
            return [line for line in shots[name] if not BY_MEMORY.match(line)]

        self.same("boot 2 before apply and after revert", without_grub("2"), without_grub("2.reverted"))
        self.same("boot 1 and boot 3, after the reboot of the revert", without_memory("1"), without_memory("3"))

    def snapshot(self, name: str) -> list[str]:
        text = self.disk.read(f"/snapshot.{name}")
        if not text:
            fail(f"snapshot {name} is missing on the guest's disk; log: {self.options.log}")
        return re.sub(r"lab\.(phase=[0-9]+|polling) ?", "", text).splitlines()

    def same(self, what: str, one: list[str], other: list[str]) -> None:
        differences = readings.differences(one, other)
        self.found.comparisons.append({"what": what, "lines": len(one), "differences": differences})
        if differences:
            self.found.fault(f"{what} differ:")
            self.tell(differences[:40])
        else:
            common.say(f"    {what}: the same, {len(one)} lines")

    def tell(self, lines: Sequence[str]) -> None:
        text = "\n".join(f"        {line}" for line in lines)
        common.say(text)
        self.log.write(text + "\n")
