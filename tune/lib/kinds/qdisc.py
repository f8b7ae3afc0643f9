"""The qdisc of a device: `KIND HANDLE` or `mq LEAF HANDLE`; a target has no handle.

`tc` cannot give noqueue to a class of mq: the children of mq are made from default_qdisc when mq
is attached. And a second `replace ... mq` of a qdisc with a handle changes nothing: such a root
is deleted, upon which the kernel attaches its default, of handle 0:, anew.
"""

from __future__ import annotations

import re

from kinds.base import UNPROVEN, Kind, Reading, Unreadable
from kinds.files import Sysctl
from options import NAME
from system import Action, Borrow, Result, Run


class Qdisc(Kind):
    name = "qdisc"
    proven_by = "each qdisc of it is made and deleted in a scratch network namespace"
    DEFAULT = "net.core.default_qdisc"

    def read(self, argument: str) -> Reading:
        self.need("tc", "iproute2")
        result = self.heard("tc", "qdisc", "show", "dev", argument)
        if result.status != 0:
            self.refused(result.errno_text)
        root = root_handle = ""
        leaves: list[str] = []
        named = False
        for line in result.output.split("\n"):
            words = line.split()
            if len(words) < 4 or words[0] != "qdisc" or words[1] in ("ingress", "clsact"):
                continue
            place = words[5] if words[3] == "dev" and len(words) > 5 else words[3]
            if place == "root":
                root, root_handle = words[1], words[2]
            else:
                named = named or words[2] != "0:"
                if words[1] not in leaves:
                    leaves.append(words[1])
        if not root:
            raise Unreadable("no qdisc: is the interface up?")
        value = " ".join([root, *leaves, root_handle])
        ours = root == "mq" and len(leaves) <= 1 and not named
        if ours or root == "noqueue" or (root_handle == "0:" and not leaves):
            return Reading(value)
        return Reading(
            value,
            f"'{value}' was set up by someone, and its options could not be put back; "
            f"first: tc qdisc del dev {argument} root",
        )

    @staticmethod
    def parts(value: str) -> tuple[list[str], str]:
        words = value.split(" ")
        return (words[:-1], words[-1]) if words[-1].endswith(":") else (words, "")

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        """The way there depends on what is there: what has a handle of its own was put there by tc."""
        words, handle = self.parts(value)
        now_handle = self.parts(now)[1]
        steps: list[Action] = []
        if now_handle != "0:":
            steps.append(Run(("tc", "qdisc", "del", "dev", argument, "root")))
        if not (handle == "0:" and steps):
            place = ("handle", handle) if handle else ()
            steps.append(Run(("tc", "qdisc", "replace", "dev", argument, "root", *place, words[0])))
        # The default governs the whole host: it is put back at once, whatever happens in between.
        sysctl, leaf = Sysctl(self.host), words[-1]
        try:
            default = sysctl.read(self.DEFAULT).value
        except Unreadable:
            return steps
        if default == leaf or (leaf == "noqueue" and words[0] != "mq"):
            return steps
        there, back = sysctl.change(self.DEFAULT, leaf, default), sysctl.change(self.DEFAULT, default, leaf)
        return [Borrow(self.DEFAULT, leaf, default, there[0], back[0], tuple(steps))]

    def prove(self, argument: str, original: str) -> Result:
        """tc has no dry run. The device of every namespace, lo, takes any qdisc but mq, which the kernel itself
        gives to a device of several queues."""
        made = [kind for kind in self.parts(original)[0] if kind != "mq"]
        if not self.system.has("unshare"):
            return Result(UNPROVEN, "unshare not found: Debian package util-linux")
        if self.system.ask(("unshare", "--net", "true")).status != 0:
            return Result(UNPROVEN, "no network namespace to try it in is allowed here")
        tried = " && ".join(f"tc qdisc replace dev lo root {kind} && tc qdisc del dev lo root" for kind in made)
        # noqueue is what lo has, and deleting it is refused.
        tried = tried.replace("root noqueue && tc qdisc del dev lo root", "root noqueue")
        return self.system.ask(("unshare", "--net", "sh", "-c", tried or "true"))

    def valid(self, argument: str, value: str) -> bool:
        return bool(NAME.match(argument) and re.match(r"[a-z_]+( [a-z_]+)?( [0-9a-f]{1,4}:)?\Z", value))

    def same(self, argument: str, one: str, other: str) -> bool:
        """Two readings with their handles, a reading and a target without; a noqueue has no lock either."""
        if one == other:
            return True
        if one.endswith(":") and other.endswith(":"):
            return False
        one, other = " ".join(self.parts(one)[0]), " ".join(self.parts(other)[0])
        return one == other or (one == "noqueue" and other == "mq noqueue")
