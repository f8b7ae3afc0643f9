"""The kernel command line as the boot loader's configuration has it, by
grub:FILE (Debian, Ubuntu), grubby (Fedora, RHEL, Amazon Linux), kernel-cmdline (systemd-boot).
"""

from __future__ import annotations

import os
import re

from kinds.base import UNPROVEN, Kind, Reading
from system import Action, Result, Run, Write


class Bootline(Kind):
    name = "bootline"
    proven_by = "the file can be written, and a copy of it is kept; grubby has no dry run"
    PLAIN = re.compile(r"[A-Za-z0-9_.,:=/@%+\ -]*\Z")  # It ends up in double quotes of a file that a shell reads.
    COPY = ".before-bareloop-tune"
    SETTING = "GRUB_CMDLINE_LINUX_DEFAULT="

    def read(self, argument: str) -> Reading:
        if argument.startswith("grub:"):
            lines = [line for line in self.file(argument[5:]).split("\n") if line.startswith(self.SETTING)]
            value = lines[-1][len(self.SETTING) :].rstrip() if lines else ""
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
        elif argument == "grubby":
            self.need("grubby", "grubby")
            result = self.heard("grubby", "--info=DEFAULT")
            if result.status != 0:
                self.refused(result.errno_text)
            found = re.search(r"^args=\"?(.*?)\"?$", result.output, re.M)
            value = found.group(1) if found else ""
        else:
            value = self.file("/etc/kernel/cmdline").replace("\n", " ")
        plain = self.PLAIN.match(value)
        return Reading(value, "" if plain else "it has characters that tune does not rewrite; edit it by hand")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if argument == "grubby":
            words = ["grubby", "--update-kernel=ALL"]
            gone = [word for word in now.split() if word not in value.split()]
            new = [word for word in value.split() if word not in now.split()]
            words += ["--remove-args=" + " ".join(gone)] if gone else []
            words += ["--args=" + " ".join(new)] if new else []
            return [Run(tuple(words))]
        grub = argument.startswith("grub:")
        file = self.file_of(argument)
        kept = self.system.exists(file + self.COPY)
        copy: list[Action] = (
            [] if kept else [Run(("cp", "-p", self.system.path(file), self.system.path(file) + self.COPY))]
        )
        if grub:
            edit = Run(("sed", "-i", f's|^{self.SETTING}.*|{self.SETTING}"{value}"|', self.system.path(file)))
            return [*copy, edit, Run(("update-grub",))]
        return [*copy, Write(file, value), Run(("kernel-install", "add-all"))]

    def prove(self, argument: str, original: str) -> Result:
        if argument == "grubby":
            return Result(UNPROVEN, "grubby has no dry run")
        file = self.file_of(argument)
        if not os.access(self.system.path(file), os.W_OK):
            return Result(1, f"{file} cannot be written")
        return Result(0, "")

    @staticmethod
    def file_of(argument: str) -> str:
        return argument[5:] if argument.startswith("grub:") else "/etc/kernel/cmdline"

    def forget_copy(self, argument: str) -> None:
        """Once the original is back."""
        if argument != "grubby":
            try:
                os.unlink(self.system.path(self.file_of(argument)) + self.COPY)
            except FileNotFoundError:
                pass

    def valid(self, argument: str, value: str) -> bool:
        known = argument in ("grubby", "kernel-cmdline", "grub:/etc/default/grub") or re.match(
            r"grub:/etc/default/grub\.d/[A-Za-z0-9_.-]+\.cfg\Z", argument
        )
        return bool(known and self.PLAIN.match(value))
