"""What the article had: "Extreme HTTP Performance Tuning: 1.2M API req/s on a 4 vCPU EC2 Instance",
M. Richards, 2021; c5n.xlarge, Linux 4.14, 256 connections, /json. Steps 10 and 11 are not in it."""

from __future__ import annotations

from typing import NamedTuple


class Measured(NamedTuple):
    label: str
    gain: int  # Percent, over the step before.
    rps: int  # Requests per second after it.


STEPS = {
    0: Measured("as installed", 0, 224000),
    1: Measured("application", 55, 347000),
    2: Measured("mitigations off", 28, 446000),
    3: Measured("audit, seccomp off", 11, 495000),
    4: Measured("netfilter off", 22, 603000),
    5: Measured("perfect locality", 38, 834000),
    6: Measured("interrupts, busy poll", 28, 1060000),
    7: Measured("no raw-socket listener", 6, 1120000),
    8: Measured("noqueue", 2, 1150000),
    9: Measured("GRO off, reno", 4, 1203164),
    10: Measured("buffers, backlogs", 0, 0),
    11: Measured("governor, clock", 0, 0),
}


def gain(step: int) -> str:
    """As text; '' where the article has none."""
    found = STEPS[step].gain if step in STEPS else 0
    return f"+{found} %" if found else ""
