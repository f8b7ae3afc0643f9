"""Step 4: no netfilter.

What counts is that no hook is registered: a module that is loaded and not hooked costs nothing.
Rules of nft go with a flush; legacy iptables keeps its hooks until the module of the table is
unloaded.
"""

from __future__ import annotations

import re
from typing import Iterator

from definitions import FIREWALLD, LEGACY_RULES, RULESET, TABLE_MODULE, UFW
from knobs import Context, Knob

OF_SECURITY_MODULES = ("selinux", "apparmor", "smack")  # Their hooks are not step 4's.


def running(context: Context, unit: str) -> bool:
    reading = context.read("service", unit)
    return reading is not None and reading.value == "running"


def declare(context: Context) -> Iterator[Knob]:
    system = context.host.system
    # They write rules whenever they like, and bring their own back when started again.
    for definition in (FIREWALLD, UFW):
        if running(context, definition.argument):
            yield context.knob(definition)
    if running(context, "docker.service"):
        why = "start dockerd with --iptables=false --ip-forward=false --bridge=none, containers on the host network"
        yield context.fact("docker", "running", "without iptables", "differs", why)
    yield context.knob(RULESET)
    for family in ("ip", "ip6"):
        if system.exists(f"/proc/net/{family}_tables_names"):
            yield context.knob(LEGACY_RULES, family=family)
    for family in ("ip", "ip6"):
        for table in ("filter", "nat", "mangle", "raw", "security"):
            knob = context.knob(TABLE_MODULE, family=family, table=table)
            reading = context.read("module", knob.argument)
            if reading and reading.value == "loaded":
                yield knob
    if context.facts:
        yield from hooks(context)


def hooks(context: Context) -> Iterator[Knob]:
    """What is left, whoever registered it; the kernel lists hooks from 5.14 on, if it was built so."""
    system = context.host.system
    if not system.has("nft"):
        return
    ruleset = system.hear("nft", "-s", "list", "ruleset")
    listed = system.hear("nft", "list", "hooks")
    if listed.status != 0:
        cause = "needs root" if not context.host.root_user else listed.errno_text
        yield context.fact("hooks", "", "none", "unknown", f"nft list hooks: {cause}")
        return
    if not listed.output and ruleset.status == 0 and " hook " in ruleset.output:
        yield context.missing("hooks", "none", "this kernel does not list its hooks")
        return
    # Lines such as "+0000000000 chain inet filter input [nf_tables]".
    found = re.findall(r"^\s*[+-]?[0-9]+ (\S.*)$", listed.output, re.M)
    found = [hook for hook in found if not any(name in hook for name in OF_SECURITY_MODULES)]
    if found:
        yield context.fact("hooks", ", ".join(found), "none", "differs", "still registered")
    else:
        yield context.fact("hooks", "none", "none", "applied", "as far as nft lists them")
