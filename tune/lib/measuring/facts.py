"""The facts about the host without which a figure means nothing."""

from __future__ import annotations

import os
import re
import shutil
import time
from typing import Any, Callable

from measuring.common import output_of, text_of

MITIGATION_WORDS = re.compile(
    r"(mitigations|nospectre|spectre|spec_|pti|nopti|mds|tsx_async|l1tf|mmio_stale|retbleed|srbds|gather_data"
    r"|reg_file|indirect_target|tsa|vmscape|kvm\.nx_huge)"
)
VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities"


def hypervisor() -> str:
    name = output_of(["systemd-detect-virt", "--vm"]).strip() if shutil.which("systemd-detect-virt") else ""
    if name and name != "none":
        return name
    if not re.search(r"^flags.*\bhypervisor\b", text_of("/proc/cpuinfo"), re.M):
        return "none"
    # The flag alone says that there is one, not which.
    return (text_of("/sys/hypervisor/type") or text_of("/sys/class/dmi/id/sys_vendor") or "unknown").strip()


def mitigations() -> str:
    """NAME=STATE of each vulnerability that the CPU has."""
    found = []
    for name in sorted(os.listdir(VULNERABILITIES)) if os.path.isdir(VULNERABILITIES) else []:
        state = text_of(f"{VULNERABILITIES}/{name}").strip()
        if state and state != "Not affected":
            found.append(f"{name}={state}")
    return "; ".join(found) or "all not affected"


def host(java: str, iface: str, in_server: Callable[[list[str]], list[str]], load_generator: str) -> dict[str, Any]:
    import subprocess

    version = subprocess.run([java, "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    runtime = re.search(r"Environment (.*)", version)
    model = re.search(r"^model name\s*: *(.*)$", text_of("/proc/cpuinfo"), re.M)
    named = re.search(r"^driver: (.*)$", output_of(in_server(["ethtool", "-i", iface])), re.M)
    linked = output_of(in_server(["readlink", f"/sys/class/net/{iface}/device/driver"])).strip()
    driver = named.group(1) if named else os.path.basename(linked)
    congestion = output_of(in_server(["cat", "/proc/sys/net/ipv4/tcp_congestion_control"])).strip()
    return {
        "kernel": os.uname().release,
        "cpu": model.group(1) if model else "",
        "vcpus": str(os.cpu_count()),
        "hypervisor": hypervisor(),
        "mitigations": mitigations(),
        # Only the words about mitigations: the rest of the command line is nobody's business.
        "mitigation_options": " ".join(
            word for word in text_of("/proc/cmdline").split() if MITIGATION_WORDS.match(word)
        ),
        "jdk": runtime.group(1) if runtime else "",
        "congestion_control": congestion,
        "interface": iface,
        "driver": driver or "unknown",
        "clocksource": text_of("/sys/devices/system/clocksource/clocksource0/current_clocksource").strip(),
        "load_generator": load_generator,
        "load_average": " ".join(text_of("/proc/loadavg").split()[:3]),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
