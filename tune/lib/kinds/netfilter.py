"""Rules that packets walk: of nft and of the legacy tables, as text or `empty`."""

from __future__ import annotations

import re

from kinds.base import Kind, Reading
from system import Action, Result, Run


EMPTY = "empty"


class Nft(Kind):
    """The whole ruleset as nft lists it, or `empty`."""

    name = "nft"
    proven_by = "nft -c takes the rules"

    def read(self, argument: str) -> Reading:
        self.need("nft", "nftables")
        result = self.heard("nft", "-s", "list", "ruleset")
        if result.status != 0:
            if "not supported" in result.output or "No such file or directory" in result.output:
                return Reading(EMPTY, note="kernel without nf_tables")
            self.refused("Operation not permitted" if "must be root" in result.output else result.errno_text)
        rules = result.output
        # nft shows extensions it has no words for as `xt match` or, by version, behind a #.
        foreign = re.search(r"(^|[^a-z_])xt (match|target)", rules)
        if not foreign and "#" in rules:
            bare = re.sub(r'"[^"]*"', "", re.sub(r"^# Warning:.*$", "", rules, flags=re.M))
            foreign = re.search("#", bare)
        if foreign:
            return Reading(
                rules,
                "rules with iptables extensions, which nft cannot put back; "
                "stop what made them (docker, ufw, kube-proxy)",
            )
        return Reading(rules or EMPTY)

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if value == EMPTY:
            return [Run(("nft", "flush", "ruleset"))]
        return [Run(("nft", "-f", "-"), "flush ruleset\n" + value)]

    def prove(self, argument: str, original: str) -> Result:
        if original == EMPTY:
            return Result(0, "")
        return self.system.ask(("nft", "-c", "-f", "-"), "flush ruleset\n" + original)

    def valid(self, argument: str, value: str) -> bool:
        if argument != "ruleset":
            return False
        if value == EMPTY:
            return True
        return value.startswith(("table ", "#")) and not re.search(r"(^|[\n;{}])[ \t]*include[ \t]", value)


class Iptables(Kind):
    """The legacy tables as *-legacy-save says them, without counters, or `empty`."""

    name = "iptables"
    proven_by = "iptables-restore --test takes the rules"
    CHAINS = {
        "raw": ("PREROUTING", "OUTPUT"),
        "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
        "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    }
    CHAINS_DEFAULT = ("INPUT", "FORWARD", "OUTPUT")

    def tool(self, argument: str, verb: str) -> str:
        return ("iptables" if argument == "ip" else "ip6tables") + "-legacy" + verb

    def tables(self, argument: str) -> list[str]:
        return self.system.text(f"/proc/net/{argument}_tables_names").split()

    def read(self, argument: str) -> Reading:
        path = f"/proc/net/{argument}_tables_names"
        if not self.system.exists(path) or not self.file(path):
            return Reading(EMPTY)
        tool = self.tool(argument, "-save")
        self.need(tool, "iptables")
        result = self.heard(tool)
        if result.status != 0:
            self.refused(result.errno_text)
        # Comments carry the time, brackets the counters.
        lines = [re.sub(r" \[[0-9]*:[0-9]*\]$", "", line) for line in result.output.split("\n") if line[:1] != "#"]
        rules = [
            line
            for line in lines
            if line and line != "COMMIT" and line[:1] != "*" and not (line[:1] == ":" and line.endswith(" ACCEPT"))
        ]
        return Reading("\n".join(lines) if rules else EMPTY)

    def change(self, argument: str, value: str, now: str) -> list[Action]:
        if value != EMPTY:
            return [Run((self.tool(argument, "-restore"),), value)]
        tool = self.tool(argument, "")
        actions: list[Action] = []
        for table in self.tables(argument):
            for words in (("-F",), ("-X",)):
                actions.append(Run((tool, "-t", table, *words)))
            for chain in self.CHAINS.get(table, self.CHAINS_DEFAULT):
                actions.append(Run((tool, "-t", table, "-P", chain, "ACCEPT")))
        return actions or [Run(("true",))]

    def prove(self, argument: str, original: str) -> Result:
        if original == EMPTY:
            return Result(0, "")
        return self.system.ask((self.tool(argument, "-restore"), "--test"), original)

    def valid(self, argument: str, value: str) -> bool:
        return argument in ("ip", "ip6") and (value == EMPTY or (value[:1] == "*" and "COMMIT" in value))
