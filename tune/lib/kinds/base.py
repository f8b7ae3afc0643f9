"""What every kind of knob is: how it is read, written, compared, checked and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from host import Host
from system import Action, Result, run_all

UNPROVEN = -1  # The status of a proof that could not be made.


@dataclass
class Reading:
    value: str
    readonly: str = ""  # Why it can be read but not changed.
    note: str = ""  # A word about an applied value.
    moot: str = ""  # Why any value is as good as the target.


class Unreadable(Exception):
    """A knob that cannot be read: unsupported, or for root only."""

    def __init__(self, cause: str, needs_root: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.needs_root = cause, needs_root


class Kind:
    """One kind. `argument` names the knob among those of its kind."""

    name = ""
    refusable = False  # Whether a device may refuse a value without a fault of anyone's.
    # How it is proven, before the first write, that an original can be put back; or why it cannot be.
    proven_by = ""
    unproven = ""
    by_write = False  # Whether the proof is a write like the one to come, so that it fails as that would.

    def __init__(self, host: Host) -> None:
        self.host, self.system = host, host.system

    def read(self, argument: str) -> Reading:
        """Raises Unreadable."""
        raise NotImplementedError

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        """What writes `value` where `now` is what it is."""
        raise NotImplementedError

    def valid(self, argument: str, value: str) -> bool:
        raise NotImplementedError

    def same(self, argument: str, one: str, other: str) -> bool:
        return one == other

    def shown(self, argument: str, value: str) -> str:
        return value

    def prove(self, argument: str, original: str) -> Result:
        """Shows, without changing anything, that the original could be put back. Status UNPROVEN, with
        the reason, where this host has no way to show it."""
        return Result(UNPROVEN, self.unproven)

    def write_same(self, argument: str, original: str) -> Result:
        return run_all(self.system, self.change(argument, original, original))

    def cause(self, argument: str, refusal: str) -> str:
        """What a refusal means here, or ''."""
        if refusal == "Read-only file system":
            return "in a container? Run it on the host"
        if refusal.startswith(("Permission denied", "Operation not permitted")) and not self.host.root_user:
            return "needs root"
        if refusal == "Device or resource busy":
            return "in use"
        return ""

    def need(self, tool: str, package: str) -> None:
        if not self.system.has(tool):
            raise Unreadable(f"{tool} not found: Debian package {package}")

    def refused(self, text: str) -> NoReturn:
        """What a reader said, as the reason why nothing is known."""
        if text.startswith(("Permission denied", "Operation not permitted")) and not self.host.root_user:
            raise Unreadable("needs root", True)
        raise Unreadable(text)

    def file(self, path: str) -> str:
        try:
            return self.system.read(path)
        except OSError as error:
            self.refused(error.strerror or str(error))

    def heard(self, *command: str) -> Result:
        return self.system.hear(*command)


def described(device: str, host: Host) -> str:
    """The driver of a device, as the reasons begin with it."""
    return next((one.driver for one in host.devices if one.name == device), host.driver) or device
