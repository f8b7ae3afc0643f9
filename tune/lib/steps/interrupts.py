"""Step 6: fewer interrupts.

The driver waits longer before it interrupts, and a worker with nothing to do polls its queue for a
moment. The article's sysctl is net.core.busy_poll: it makes epoll_wait poll. busy_read only sets
the default of blocking reads; it is here because much advice names it. From 6.9 on a server can ask
for its own epoll (Bareloop does), and from 6.13 on the kernel can keep the interrupt off while a
worker is busy (irq-suspend-timeout), which is this step without its cost when idle.
"""

from __future__ import annotations

import re
from typing import Iterator

import kinds
from definitions import ADAPTIVE_RX, BUSY_POLL, BUSY_READ, DEFER_IRQS, FLUSH_TIMEOUT, STATIC_USECS, SUSPEND, TX_WAIT
from devices import Device
from knobs import Context, Knob
from steps import last
from steps.application import GIVE_PID


def declare(context: Context) -> Iterator[Knob]:
    host = context.host
    if not host.iface:
        yield context.fact("moderation", "", "", "unknown", host.iface_from)
    elif host.driver == "loopback":
        yield context.missing("moderation", "", "loopback: no NAPI, no interrupts")
    for device in host.devices:
        if device.real:
            yield from moderation(context, device)
    yield context.knob(BUSY_POLL)
    yield context.knob(BUSY_READ)
    for device in host.devices:
        if device.real:
            yield from deferral(context, device)
    yield of_server(context)


def moderation(context: Context, device: Device) -> Iterator[Knob]:
    """Step 9 goes on to static moderation: then that is not a difference."""
    static = last.static_moderation(context, device)
    why = "step 9's static moderation is in its place" if static else ""
    yield context.knob(ADAPTIVE_RX, device, target="off" if static else "", why=why)
    yield context.knob(TX_WAIT, device, target=STATIC_USECS if static else "", why=why)


def deferral(context: Context, device: Device) -> Iterator[Knob]:
    for definition in (DEFER_IRQS, FLUSH_TIMEOUT):
        knob = context.knob(definition, device)
        knob.conflict = no_napi(context, device)
        yield knob
    yield from suspension(context, device)


def no_napi(context: Context, device: Device) -> str:
    """veth has NAPI only while GRO is on, so step 9's GRO off takes this step's ground away."""
    if device.driver == "veth":
        reading = context.read("feature", f"{device.name} gro")
        if reading and reading.value == "off":
            return f"veth: GRO is off, so there is no NAPI to poll; revert 9/gro, or: ethtool -K {device.name} gro on"
    return ""


def suspension(context: Context, device: Device) -> Iterator[Knob]:
    host, name = context.host, context.named(device, "irq-suspend-timeout")
    if host.kernel_version < SUSPEND.since:
        yield context.missing(name, SUSPEND.target, "kernel before 6.13: no IRQ suspension")
        return
    kind = context.kinds["napi"]
    assert isinstance(kind, kinds.Napi)
    try:
        _, napis = kind.find(device.name)
    except kinds.Unreadable as error:
        yield context.missing(name, SUSPEND.target, error.cause)
        return
    if not napis:
        cause = no_napi(context, device) or f"{device.driver}: no NAPI"
        yield context.missing(name, SUSPEND.target, cause)
    for number, napi in enumerate(napis):
        why = f"NAPI {napi.id}" + (f", IRQ {napi.irq}" if napi.irq else "")
        yield context.knob(SUSPEND, device, number=number, why=why)


def of_server(context: Context) -> Knob:
    """Whether a worker polls is the server's option; that it happens shows in BusyPollRxPackets."""
    pid, name, wanted = context.host.options.pid, "epoll busy poll", "not off"
    if not pid:
        return context.fact(name, "", wanted, "unknown", GIVE_PID)
    system = context.host.system
    if re.search(r"--busy-poll[= ]off", " ".join(system.words(f"/proc/{pid}/cmdline"))):
        return context.fact(name, "off", wanted, "differs", "start the server without --busy-poll off")
    rows = [line.split() for line in system.text(f"/proc/{pid}/net/netstat").split("\n") if line.startswith("TcpExt:")]
    counters = dict(zip(rows[0], rows[1])) if len(rows) >= 2 else {}
    polled = counters.get("BusyPollRxPackets")
    if polled is None:
        return context.fact(name, "", wanted, "unknown", "this kernel does not count BusyPollRxPackets")
    if polled == "0":
        return context.fact(name, "0 packets", wanted, "unknown", "nothing polled yet: look again under load")
    return context.fact(name, f"{polled} packets", wanted, "applied", "BusyPollRxPackets")
