"""Step 5: perfect locality.

The i-th queue, its interrupt, its transmit queue and the i-th worker share the i-th CPU of the worker
order, and the server's reuseport filter hands a connection to the worker on the CPU that received
it. The order matters: the number of queues resets what hangs on the queues, and irqbalance would
move the interrupts again.
"""

from __future__ import annotations

import re
from typing import Iterator

import cpus
import devices
import kinds
from definitions import INTERRUPT, IRQBALANCE, QUEUES, RPS, XPS
from devices import Device
from ethtool import Ethtool, Unavailable
from knobs import Context, Knob
from output import plural
from steps.application import GIVE_PID, loop_threads

FILTERS_SHOWN = 4


def declare(context: Context) -> Iterator[Knob]:
    host = context.host
    if not host.iface:
        yield context.fact("queues", "", "", "unknown", host.iface_from)
        return
    if host.driver == "loopback":
        yield context.missing("queues", "", "loopback: no queues; the client runs the receive path on its own CPU")
        yield from of_server(context)
        return
    yield from placement(context)
    for device in host.devices:
        yield channels(context, device)
    irqbalance = context.knob(IRQBALANCE)
    yield irqbalance
    reading = context.read("service", irqbalance.argument)
    # Where it stays, as in all-safe, it would move within seconds what is set here.
    stays = reading is not None and reading.value == "running" and not context.selection.takes(irqbalance)
    for device in host.devices:
        yield from interrupts(context, device, "irqbalance would move it again: 5/irqbalance first" if stays else "")
        yield from transmit(context, device)
        yield from receive(context, device)
        if context.facts:
            yield from others(context, device)
    if context.facts:
        yield from flow_steering(context)
        yield from of_server(context)


def placement(context: Context) -> Iterator[Knob]:
    """Workers beside their device, and what the kernel was told about CPUs at its start."""
    host, near = context.host, context.host.node_cpus()
    if near:
        away = [cpu for cpu in host.cpus if cpu not in near]
        node = next(device.numa_node for device in host.devices if device.numa_node >= 0)
        wanted = cpus.text(near)
        if away:
            why = f"the device is on NUMA node {node}; tune and server: --cpus {wanted}"
            yield context.fact("NUMA node", f"also CPUs {cpus.text(away)}", f"CPUs {wanted}", "differs", why)
        else:
            yield context.fact("NUMA node", f"node {node}", f"node {node}", "applied", "workers are beside the device")
    for name in ("isolated", "nohz_full"):
        listed = host.system.line(f"/sys/devices/system/cpu/{name}")
        if listed and listed != "(null)":
            inside = [cpu for cpu in host.cpus if cpu in (cpus.parse(listed) or [])]
            text = f"workers on them: {cpus.text(inside) or 'none'}"
            yield context.fact(f"CPUs {name}", listed, "", "applied" if inside else "unknown", text)


def channels(context: Context, device: Device) -> Knob:
    count = len(context.host.cpus)
    kind = context.kinds["channels"]
    assert isinstance(kind, kinds.Channels)
    try:
        value, most = kind.limits(device.name)
    except kinds.Unreadable as error:
        return context.missing(context.named(device, "queues"), str(count), error.cause)
    wanted = min(count, most)
    target = f"rx {wanted} tx {wanted}" if value.startswith("rx") else f"combined {wanted}"
    why = f"{device.driver} has no more; RPS spreads to the other CPUs" if most < count else ""
    return context.knob(QUEUES, device, target=target, why=why)


def interrupts(context: Context, device: Device, conflict: str) -> Iterator[Knob]:
    host, system = context.host, context.host.system
    if not (
        system.directory(f"/sys/class/net/{device.name}/device/msi_irqs")
        or system.directory(f"/sys/class/net/{device.name}/device/../msi_irqs")
    ):
        yield context.missing(
            context.named(device, "IRQs"), "", f"{device.driver or 'this device'}: no interrupts of its own"
        )
        return
    devices.find_interrupts(system, device, host.netdev)
    if not device.interrupts:
        yield context.missing(
            context.named(device, "IRQs"), "", "no interrupt in /proc/interrupts carries a queue's number"
        )
        return
    for interrupt in device.interrupts:
        cpu = str(host.cpus[interrupt.queue % len(host.cpus)])
        path = f"/proc/irq/{interrupt.number}"
        name = f"{interrupt.number} {interrupt.name}".rstrip()
        knob = context.knob(INTERRUPT, device, number=interrupt.number, interrupt=name, target=cpu)
        knob.conflict = conflict
        yield knob
        # The kernel may take the list and still deliver elsewhere.
        effective = system.line(f"{path}/effective_affinity_list")
        if effective and system.line(f"{path}/smp_affinity_list") == cpu and effective != cpu:
            why = "the kernel delivers elsewhere until the next interrupt"
            name = context.named(device, f"irq/{interrupt.number} effective")
            fact = context.fact(name, effective, cpu, "differs", why)
            fact.settles = True
            yield fact


def transmit(context: Context, device: Device) -> Iterator[Knob]:
    """Every CPU has a queue: one that is in no map would choose by a hash."""
    count = devices.queues(context.host.system, device.name, "tx")
    if count <= 1:
        yield context.missing(context.named(device, "xps"), "", "single queue: no XPS")
        return
    for queue, share in enumerate(cpus.shares(context.host.cpus, count)):
        why = f"{plural(count, 'queue')} for {len(context.host.cpus)} CPUs" if len(share) > 1 else ""
        yield context.knob(XPS, device, queue=queue, target=cpus.mask(share), why=why)


def receive(context: Context, device: Device) -> Iterator[Knob]:
    """With a queue per CPU, RPS would only add an interrupt between CPUs."""
    count = devices.queues(context.host.system, device.name, "rx")
    few = count < len(context.host.cpus)
    for queue, share in enumerate(cpus.shares(context.host.cpus, count) if count else []):
        why = f"{plural(count, 'queue')} for {len(context.host.cpus)} CPUs" if few else ""
        target = cpus.mask(share) if few else "0"
        yield context.knob(RPS, device, queue=queue, target=target, why=why)


def others(context: Context, device: Device) -> Iterator[Knob]:
    """What else decides where a packet goes, and how much room it has; shown, not set."""
    system, tool = context.host.system, context.host.ethtool()
    if tool:
        yield from tables(context, device, tool)
        yield from filters(context, device, tool)
    shown = system.hear("ip", "-d", "link", "show", "dev", device.name)
    if shown.status == 0 and re.search(r"\bxdp", shown.output):
        why = f"an XDP program sees each packet first: ip -d link show {device.name}"
        yield context.fact(context.named(device, "XDP"), "attached", "none", "differs", why)
    if system.has("tc"):
        if re.search(r"^qdisc (ingress|clsact) ", system.hear("tc", "qdisc", "show", "dev", device.name).output, re.M):
            why = f"filters run for each packet: tc filter show dev {device.name} ingress"
            yield context.fact(context.named(device, "tc programs"), "ingress or clsact", "none", "differs", why)


def tables(context: Context, device: Device, tool: Ethtool) -> Iterator[Knob]:
    """To which queues RSS spreads, and how long the rings are."""
    try:
        entries = tool.spread(device.name)
    except Unavailable:
        entries = []
    if entries:
        spread = {queue: entries.count(queue) for queue in sorted(set(entries))}
        count = devices.queues(context.host.system, device.name, "rx")
        text = " ".join(f"{queue}:{share}" for queue, share in spread.items())
        even = len(spread) == count and max(spread.values()) - min(spread.values()) <= 1
        why = "entries of each queue" if even else f"entries of each queue; ethtool -X {device.name} equal {count}"
        state = "applied" if even else "differs"
        yield context.fact(context.named(device, "RSS table"), text, f"{count} queues alike", state, why)
    try:
        rings = tool.rings(device.name)
    except Unavailable:
        return
    if rings.now:
        text = ", ".join(f"{side} {now} of {rings.most[side]}" for side, now in rings.now.items())
        yield context.fact(context.named(device, "rings"), text, "", "applied", "shown only")


def filters(context: Context, device: Device, tool: Ethtool) -> Iterator[Knob]:
    try:
        found = tool.filters(device.name)
    except Unavailable:
        return
    if found:
        named = [f"{one.location} {one.flow}: {one.action}" for one in found[:FILTERS_SHOWN]]
        more = [f"{len(found) - FILTERS_SHOWN} more"] if len(found) > FILTERS_SHOWN else []
        why = f"they send flows past RSS, whoever set them: {'; '.join(named + more)}; ethtool -n {device.name}"
        yield context.fact(context.named(device, "ntuple filters"), plural(len(found), "rule"), "none", "differs", why)


def flow_steering(context: Context) -> Iterator[Knob]:
    """RFS moves a packet to where its socket was read last: of no use where that is here already."""
    entries = context.host.system.line("/proc/sys/net/core/rps_sock_flow_entries")
    if entries.isdigit() and int(entries):
        why = "RFS steers packets by itself, and another CPU then pays: sysctl net.core.rps_sock_flow_entries=0"
        yield context.fact("RFS", f"{entries} flows", "off", "differs", why)


def of_server(context: Context) -> Iterator[Knob]:
    """Each loop pinned, in worker order, and each connection on the CPU that received it."""
    host, pid = context.host, context.host.options.pid
    if not pid:
        yield context.fact("pinning", "", "", "unknown", GIVE_PID)
        yield context.fact("reuseport filter", "", "", "unknown", GIVE_PID)
        return
    threads = loop_threads(context, pid)
    wanted = " ".join(map(str, host.cpus))
    if not threads:
        yield context.fact("pinning", "", "", "unsupported", f"process {pid} has no thread named bareloop-N")
    else:
        lists = []
        for number in range(max(threads) + 1):
            status = host.system.text(f"{threads.get(number, '')}/status")
            found = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.M)
            lists.append(found.group(1) if found else "?")
        if " ".join(lists) == wanted:
            yield context.fact("pinning", wanted, wanted, "applied")
        else:
            why = f"start the server with --cpus {cpus.text(host.cpus)}, or give tune its --cpus"
            yield context.fact("pinning", " ".join(lists), wanted, "differs", why)
    yield end_to_end(context, int(pid))


def end_to_end(context: Context, pid: int) -> Knob:
    import server  # Only here: few runs have a server to look at.

    name, wanted = "reuseport filter", "all connections"
    try:
        found = server.connections(pid)
    except server.Unseen as error:
        return context.fact(name, "", wanted, "unknown", str(error))
    total, matching = sum(loop.connections for loop in found), sum(loop.matching for loop in found)
    # The filter makes the loops inherit the spread of the queues, which need not be even.
    spread = "per loop: " + " ".join(str(loop.connections) for loop in found)
    if not total:
        return context.fact(name, "", wanted, "unknown", "no connection to look at: look again under load")
    current = f"{matching} of {total}"
    if matching == total:
        return context.fact(name, current, wanted, "applied", f"received on their loop's CPU; {spread}")
    why = f"received on their loop's CPU; apply this step, then restart the server; {spread}"
    return context.fact(name, current, wanted, "differs", why)
