"""Step 8: no qdisc, so no lock of it.

A full transmit ring then drops packets instead of queueing them; the kernel logs "Virtual device IF
asks to queue packet!".
"""

from __future__ import annotations

from typing import Iterator

import devices
from definitions import MQ_NOQUEUE, NOQUEUE
from knobs import Context, Knob


def declare(context: Context) -> Iterator[Knob]:
    if not context.host.iface:
        yield context.fact("qdisc", "", "mq noqueue", "unknown", context.host.iface_from)
    for device in context.host.devices:
        if devices.queues(context.host.system, device.name, "tx") <= 1:
            yield context.knob(NOQUEUE, device, why="single queue: no mq")
        else:
            yield context.knob(MQ_NOQUEUE, device)
