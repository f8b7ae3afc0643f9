"""Step 9: the last ones.

Small requests have nothing to coalesce (GRO), reno is the cheapest congestion control, and static
moderation spares the adaptive one's bookkeeping. None of it is for a host that moves large bodies
over the internet.
"""

from __future__ import annotations

from typing import Iterator

import kinds
from definitions import CONGESTION, FEATURES, GRO, STATIC_MODERATION
from devices import Device
from knobs import Context, Knob


def declare(context: Context) -> Iterator[Knob]:
    host = context.host
    if not host.iface:
        yield context.fact("gro", "", "off", "unknown", host.iface_from)
    elif host.driver == "loopback":
        yield context.missing("gro", "off", "loopback: no GRO")
        yield context.missing("moderation", "", "loopback: no NAPI, no interrupts")
    for device in host.devices:
        for feature in FEATURES if device.real else ():
            knob = context.knob(feature, device)
            if feature is not GRO:
                try:
                    context.kinds[knob.kind].read(knob.argument)
                except kinds.Unreadable as error:
                    if ": no " in error.cause:
                        continue  # Not every device has it, and nobody misses it.
            elif device.driver == "veth" and conflicts(context, knob.name):
                knob.conflict = "veth: GRO off takes away NAPI and with it step 6; apply 6 or 9/gro"
            yield knob
    yield context.knob(CONGESTION, why="new connections only")
    for device in host.devices:
        for definition in STATIC_MODERATION if device.real else ():
            yield context.knob(definition, device)


def conflicts(context: Context, name: str) -> bool:
    """On veth it is one or the other: who names 9/gro and has not applied step 6, means it."""
    selection = context.selection
    if not selection.names(9, name) or 6 in selection.numbers:
        return True
    return any(record.step == 6 and record.kind in ("file", "napi") for record in context.state.records.values())


def static_moderation(context: Context, device: Device) -> bool:
    """Whether this step's moderation is in place, as it reads now."""
    for definition in STATIC_MODERATION:
        knob = context.knob(definition, device)
        reading = context.read(knob.kind, knob.argument)
        if not reading or reading.value != knob.target:
            return False
    return True
