"""Step 8: no qdisc, so no lock of it.

A full transmit ring then drops packets instead of queueing them; the kernel logs "Virtual device IF
asks to queue packet!".
"""

from __future__ import annotations

from typing import Iterator

import devices
from knobs import Context, Knob
from steps.locality import named


def declare(context: Context) -> Iterator[Knob]:
    if not context.host.iface:
        yield context.fact("qdisc", "", "mq noqueue", "unknown", context.host.iface_from)
    for device in context.host.devices:
        name = named(context, device, "qdisc")
        if devices.queues(context.host.system, device.name, "tx") <= 1:
            yield context.knob("qdisc", name, device.name, "noqueue", why="single queue: no mq")
        else:
            # Global for a moment: the children of mq are made from net.core.default_qdisc.
            yield context.knob("qdisc", name, device.name, "mq noqueue", "global")
