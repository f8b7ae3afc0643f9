"""Two network namespaces joined by a veth with several queues.

  client CPU k --XPS--> tx queue k = rx queue k of the server --NAPI thread k--> server CPU k, loop k
  and back: server CPU k --XPS (step 5)--> queue k --NAPI thread k of the client--> client CPU k

A veth has neither RSS nor interrupts. What stands in for RSS is the client's XPS map, for a frame sent
on queue k arrives on queue k; what stands in for interrupt affinity are threaded NAPI's kernel threads,
which can be pinned. Only namespaces made here are changed.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import Sequence

import cpus as cpu_lists
from lab import commands
from lab.keeper import Undo
from measuring.common import say, text_of
from output import fail

SERVER_ADDRESS, CLIENT_ADDRESS, PREFIX = "10.213.0.1", "10.213.0.2", 24
QUEUES_MIN = 2  # So that mq and XPS exist.


class Namespace:
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def path(self) -> str:
        return f"/run/netns/{self.name}"

    @property
    def there(self) -> bool:
        return os.path.exists(self.path)

    def make(self, undo: Undo) -> None:
        """A failure where there is one of this name already: it is not ours."""
        if self.there:
            fail(f"namespace {self.name} is there already, of another run: ip netns delete {self.name}")
        undo.by(["ip", "netns", "delete", self.name], where=self.path)
        commands.must(["ip", "netns", "add", self.name], "a network namespace needs CAP_SYS_ADMIN: run it as root")

    def delete(self) -> None:
        if self.there:
            commands.must(["ip", "netns", "delete", self.name])

    def inside(self, *command: str) -> list[str]:
        """ip netns exec also mounts the namespace's own sysfs."""
        return ["ip", "netns", "exec", self.name, *command]

    def must(self, *command: str) -> str:
        return commands.must(self.inside(*command))

    def read(self, path: str) -> str:
        return self.must("cat", path)

    def write(self, value: str, path: str) -> None:
        result = commands.run(self.inside("tee", path), given=value)
        if result.status != 0:
            fail(f"{path}: cannot write {value} (in namespace {self.name}): {result.failure}")

    def counter(self, name: str) -> int:
        """Of TcpExt in /proc/net/netstat."""
        rows = [line.split() for line in self.read("/proc/net/netstat").split("\n") if line.startswith("TcpExt:")]
        return int(dict(zip(rows[0], rows[1])).get(name, 0)) if len(rows) >= 2 else 0


class End:
    """One side of the pair: its namespace, its device, its address, its CPUs."""

    def __init__(self, name: str, side: str, address: str, cpus: Sequence[int]) -> None:
        self.namespace = Namespace(f"{name}-{side}")
        self.device, self.address, self.cpus = f"{name}-{side[0]}", address, list(cpus)

    def configure(self) -> None:
        inside = self.namespace
        # Duplicate address detection would still be changing readings seconds later.
        inside.write("1", f"/proc/sys/net/ipv6/conf/{self.device}/disable_ipv6")
        inside.must("ip", "addr", "add", f"{self.address}/{PREFIX}", "dev", self.device)
        # A veth has a NAPI, and so something to poll, only where the receiver does GRO and the sender
        # does not do TSO.
        inside.must("ethtool", "-K", self.device, "gro", "on", "tso", "off")
        inside.must("ip", "link", "set", "lo", "up")
        inside.must("ip", "link", "set", self.device, "up")

    def pin_napi_threads(self) -> None:
        threads = napi_threads(self.device)
        for position, thread in enumerate(threads):
            cpu = self.cpus[position % len(self.cpus)]
            try:
                os.sched_setaffinity(thread, {cpu})
            except OSError as error:
                why = f"{commands.said(error)}; is CPU {cpu} online and allowed here?"
                fail(f"NAPI thread {thread} of {self.device}: cannot be pinned to CPU {cpu}: {why}")
        if not threads:
            why = "kernel before 5.12, or GRO is off"
            say(f"note: {self.device} has no NAPI threads ({why}): its interrupts have no stand-in")


class Pair:
    def __init__(self, name: str, server_cpus: Sequence[int], client_cpus: Sequence[int]) -> None:
        self.name = name
        self.server = End(name, "server", SERVER_ADDRESS, server_cpus)
        self.client = End(name, "client", CLIENT_ADDRESS, client_cpus)
        self.ends = (self.server, self.client)
        self.queues = max(QUEUES_MIN, len(server_cpus), len(client_cpus))

    def up(self, undo: Undo) -> None:
        for end in self.ends:
            if end.namespace.there:
                fail(f"namespace {end.namespace.name} is there already: tune lab net down --name {self.name}")
        for end in self.ends:
            end.namespace.make(undo)
        server, client = self.ends
        queues = ["numtxqueues", str(self.queues), "numrxqueues", str(self.queues)]
        commands.must(
            ["ip", "link", "add", server.device, "netns", server.namespace.name, *queues, "type", "veth"]
            + ["peer", "name", client.device, "netns", client.namespace.name, *queues],
            "the kernel's module veth is needed",
        )
        for end in self.ends:
            end.configure()
        for queue, cpu in enumerate(client.cpus):
            client.namespace.write(cpu_lists.mask([cpu]), f"/sys/class/net/{client.device}/queues/tx-{queue}/xps_cpus")
        for end in self.ends:
            end.namespace.write("1", f"/sys/class/net/{end.device}/threaded")
        self.pin()
        self.resolve()
        say(
            f"up: {server.namespace.name} {server.device} {server.address}, {client.namespace.name} {client.device} "
            f"{client.address}, {self.queues} queues, server CPUs {cpu_lists.text(server.cpus)}, "
            f"client CPUs {cpu_lists.text(client.cpus)}"
        )

    def keep(self, undo: Undo) -> None:
        for end in self.ends:
            undo.forget(end.namespace.path)

    def down(self) -> None:
        for end in self.ends:
            end.namespace.delete()

    def pin(self) -> None:
        """Both ends: the client acknowledges on the CPU that receives, and that CPU chooses the queue."""
        for end in self.ends:
            end.pin_napi_threads()

    def resolve(self) -> None:
        """The neighbour, or the first connection would be late; that it cannot be asked is no fault."""
        inside, server = self.client.namespace.inside, self.server.address
        if shutil.which("ping"):
            commands.run(inside("ping", "-c", "1", "-W", "2", server))
        elif shutil.which("curl"):
            commands.run(inside("curl", "-s", "-m", "2", "-o", "/dev/null", f"http://{server}:9/"))

    def document(self) -> dict[str, object]:
        return {
            "queues": self.queues,
            "server": {"namespace": self.server.namespace.name, "device": self.server.device}
            | {"address": self.server.address, "cpus": self.server.cpus},
            "client": {"namespace": self.client.namespace.name, "device": self.client.device}
            | {"address": self.client.address, "cpus": self.client.cpus},
        }


def napi_threads(device: str) -> list[int]:
    """Of threaded NAPI, in the order of the device's queues, which is that of NAPI ids."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            name = re.match(r"napi/" + re.escape(device) + r"-([0-9]+)$", text_of(f"/proc/{entry}/comm").rstrip("\n"))
            if name:
                found.append((int(name.group(1)), int(entry)))
    return [thread for _, thread in sorted(found)]
