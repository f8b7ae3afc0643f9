"""Settings of a NAPI instance by `DEVICE NUMBER SETTING`, the number in the order of the queues."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinds.base import Kind, Reading, Unreadable
from options import NAME
from system import Action, Result, System

if TYPE_CHECKING:
    import netdev


@dataclass(frozen=True)
class NapiSet(Action):
    """By netlink, for which there is no tool; libexec/netdev says the same to the kernel from a shell."""

    kind: "Napi"
    argument: str
    value: str

    def run(self, system: System) -> Result:
        device, number, setting = self.argument.split(" ")
        try:
            index, napis = self.kind.find(device)
            family = self.kind.host.netdev()
            assert family
            family.set(index, napis[int(number)].id, setting, int(self.value))
        except Unreadable as error:
            return Result(1, f"netdev: {error.cause}")
        except (OSError, IndexError) as error:
            return Result(1, f"netdev: {getattr(error, 'strerror', None) or error}")
        finally:
            system.written()
        return Result(0, "")

    def sh(self, system: System) -> str:
        here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        return f"{here}/libexec/netdev set {self.argument} {self.value}"


class Napi(Kind):
    name = "napi"
    proven_by = "a write of the same value"
    by_write = True

    def find(self, device: str) -> tuple[int, list[netdev.Napi]]:
        index = self.system.line(f"/sys/class/net/{device}/ifindex")
        family = self.host.netdev()
        if family is None:
            raise Unreadable(self.host.netdev_error)
        try:
            return int(index or 0), family.napis(int(index or 0))
        except OSError as error:
            self.refused(error.strerror or str(error))

    def read(self, argument: str) -> Reading:
        device, number, setting = argument.split(" ")
        _, napis = self.find(device)
        if int(number) >= len(napis):
            raise Unreadable(f"{device} has no NAPI {number}")
        return Reading(str(napis[int(number)].settings.get(setting, 0)))

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        return [NapiSet(self, argument, value)]

    def prove(self, argument: str, original: str) -> Result:
        return self.write_same(argument, original)

    def valid(self, argument: str, value: str) -> bool:
        found = re.match(r"([^ ]+) [0-9]{1,4} irq-suspend-timeout\Z", argument)
        return bool(found and NAME.match(found.group(1)) and re.match(r"[0-9]{1,12}\Z", value))
