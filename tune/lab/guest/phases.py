"""The three boots of the lab, inside the guest. Each writes /disk/result.NUMBER: ok, or what failed."""

from __future__ import annotations

import re
import subprocess
import traceback

from lab import readings
from lab.guest import polling
from lab.guest.boot import content, tell
from lab.guest.served import CONNECTIONS, Server, opened_connections, wait_until

TUNE = "/opt/tune/tune"
STEPS = range(1, 12)
SUMMARY = re.compile(r"^[0-9]+ [a-z-]+(, |$).*", re.M)
REQUESTS_SECONDS_MAX = 180
MITIGATION_OFF = re.compile(r"linux .*(=off|nospectre|,no_user_kernel)")


class Phase:
    def __init__(self, device: str) -> None:
        self.device = device
        self.faults: list[str] = []
        self.refused: list[str] = []  # Knobs that the device does not take.

    def fault(self, text: str) -> None:
        tell(f"FAILED: {text}")
        self.faults.append(text)

    def snapshot(self, name: str) -> list[str]:
        found = list(readings.lines(self.device))
        with open(f"/disk/snapshot.{name}", "w") as file:
            file.write("".join(f"{line}\n" for line in found))
        return found

    def tune(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [TUNE, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = done.stdout.decode(errors="replace")
        print(said, end="", flush=True)
        return done.returncode, said

    def unexcused(self, said: str) -> list[str]:
        """Rows that differ with fault: the affinity in effect changes with the next interrupt, and what
        apply found that the device refuses, verify can only see as it is."""
        rows = re.findall(r"^  differs +(.*)", said, re.M)
        return [
            row for row in rows if "until the next interrupt" not in row and not any(one in row for one in self.refused)
        ]

    def expect(self, *words: str) -> None:
        status, said = self.tune(*words)
        self.refused += re.findall(r"^  unsupported +(.{28}) .* (?:refused: |the device takes ).*", said, re.M)
        rows = self.unexcused(said)
        summary = [found.group() for found in SUMMARY.finditer(said)]
        if status == 0 or (status == 1 and words[0] != "revert" and not rows):
            tell(f"tune {' '.join(words[:2])}: exit status {status}; {summary[-1] if summary else ''}")
        else:
            self.fault(f"tune {' '.join(words)}: exit status {status}")
            for row in rows:
                tell(f"  {row}")

    def apply(self, step: str) -> None:
        accepted = ["--accept", "security,connectivity,global", "--write-bootloader", "--confirm-within", "0"]
        self.expect("apply", step, "--keep-going", *accepted)

    def tell_vulnerabilities(self, shot: list[str]) -> None:
        start = "/sys/devices/system/cpu/vulnerabilities/"
        for line in shot:
            if line.startswith(start):
                tell(line[len(start) :])

    def begin(self, name: str) -> list[str]:
        self.snapshot(f"{name}.first")  # Reading may load modules.
        shot = self.snapshot(name)
        self.tell_vulnerabilities(shot)
        return shot

    # --- Boots -----------------------------------------------------------------------------------

    def boot_1(self) -> None:
        before = self.begin("1")
        print("--- README's line", flush=True)
        if not all(self.tune(*words)[0] == 0 for words in (("apply", "all-safe"), ("verify",), ("revert",))):
            self.fault("apply all-safe && verify && revert did not chain")
        left = readings.differences(before, self.snapshot("1.safe"))
        if left:
            print("\n".join(left), flush=True)
            self.fault("apply all-safe && verify && revert left something behind")
        else:
            tell("README's line: done, and everything reads as before")
        self.tune("status", "-v")
        for step in STEPS:
            print(f"--- step {step}, apply", flush=True)
            self.apply(str(step))
        self.tune("status", "-v")
        self.expect("verify")
        self.check_server()
        self.snapshot("1.applied")
        if not MITIGATION_OFF.search(content("/boot/grub.cfg")):
            self.fault("no mitigation is switched off in /boot/grub.cfg")

    def boot_2(self) -> None:
        self.begin("2")
        print("--- after the reboot", flush=True)
        self.tune("status", "-v")
        self.apply("all")
        self.expect("verify")
        self.expect("revert")
        print("--- reverted", flush=True)
        self.tune("status", "-v")
        self.snapshot("2.reverted")

    def boot_3(self) -> None:
        self.begin("3")
        self.tune("status", "-v")
        if "lab.polling" in content("/proc/cmdline"):
            polling.compare(self.device, self.tune, self.fault)

    # --- The server ------------------------------------------------------------------------------

    def check_server(self) -> None:
        """With every step applied, connections from outside must reach the loop of the CPU that took
        them."""
        if not Server.there():
            tell("no server in this guest")
            return
        with Server("--accept", "cbpf") as server:
            if server.failure:
                self.fault(server.failure)
                return
            tell(server.line("kernel"))
            tell("server is ready")
            wait_until(lambda: opened_connections() >= CONNECTIONS, REQUESTS_SECONDS_MAX)
        print(server.said, flush=True)
        matches, of = server.on_loop_cpu
        tell(f"connections received on their loop's CPU: {matches} of {of}")
        if of < CONNECTIONS or matches != of:
            self.fault("some connections did not reach their loop's CPU")


def run(number: int, device: str) -> None:
    phase = Phase(device)
    try:
        {1: phase.boot_1, 2: phase.boot_2, 3: phase.boot_3}[number]()
    except Exception as error:
        traceback.print_exc()
        phase.fault(f"boot {number} ended early: {error}")
    with open(f"/disk/result.{number}", "w") as file:
        file.write(("; ".join(phase.faults) or "ok") + "\n")
    tell(f"phase {number}: {len(phase.faults)} faults")
