"""Step 9: the last ones.

Small requests have nothing to coalesce (GRO), reno is the cheapest congestion control, and static
moderation spares the adaptive one's bookkeeping. None of it is for a host that moves large bodies
over the internet.
"""

from __future__ import annotations

from typing import Iterator

import kinds
from devices import Device
from knobs import Context, Knob
from steps.locality import named

STATIC_USECS = "300"  # The article; 256 in its author's report to the driver.
STATIC = {"adaptive-rx": "off", "rx-usecs": STATIC_USECS, "tx-usecs": STATIC_USECS}


def declare(context: Context) -> Iterator[Knob]:
    host = context.host
    if not host.iface:
        yield context.fact("gro", "", "off", "unknown", host.iface_from)
    elif host.driver == "loopback":
        yield context.missing("gro", "off", "loopback: no GRO")
        yield context.missing("moderation", "", "loopback: no NAPI, no interrupts")
    for device in host.devices:
        for feature in ("gro", "rx-gro-hw", "lro") if device.real else ():
            argument, name = f"{device.name} {feature}", named(context, device, feature)
            if feature != "gro":
                try:
                    context.kinds["feature"].read(argument)
                except kinds.Unreadable as error:
                    if ": no " in error.cause:
                        continue  # Not every device has it, and nobody misses it.
            knob = context.knob("feature", name, argument, "off", "lab")
            if feature == "gro" and device.driver == "veth" and conflicts(context, name):
                knob.conflict = "veth: GRO off takes away NAPI and with it step 6; apply 6 or 9/gro"
            yield knob
    yield context.knob(
        "sysctl", "tcp_congestion_control", "net.ipv4.tcp_congestion_control", "reno", "lab", why="new connections only"
    )
    for device in host.devices:
        for parameter, target in STATIC.items() if device.real else ():
            yield context.knob(
                "coalesce", named(context, device, parameter), f"{device.name} {parameter}", target, "lab"
            )


def conflicts(context: Context, name: str) -> bool:
    """On veth it is one or the other: who names 9/gro and has not applied step 6, means it."""
    selection = context.selection
    if not selection.names(9, name) or 6 in selection.numbers:
        return True
    return any(record.step == 6 and record.kind in ("file", "napi") for record in context.state.records.values())


def static_moderation(context: Context, device: Device) -> bool:
    """Whether this step's moderation is in place, as it reads now."""
    for parameter, target in STATIC.items():
        reading = context.read("coalesce", f"{device.name} {parameter}")
        if not reading or reading.value != target:
            return False
    return True
