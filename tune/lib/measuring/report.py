"""report: the results of measure as a table and as a bar chart."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any, Optional

import article
from measuring import chart, common, results
from measuring.common import Arguments, say
from output import fail

USAGE = """Usage: tune report RESULTS [--svg FILE] [--png FILE] [--json]

Prints a table of the results of tune measure; draws the bar chart of requests per second after
each step. --json: the table's rows as JSON.

Exit status: 0, or 2 after an error.
"""
WIDTHS = (10, 19, 9, 8, 8, 8, 9, 9, 8)
HEAD = ("req/s", "least-greatest", "gain", "article", "p50 us", "p99 us", "CPU us", "busy us", "softirq")


class Report:
    """Results, and how their figures are written."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.host, self.run = document["host"], document["run"]
        self.steps: list[dict[str, Any]] = document["steps"]
        self.servers: list[dict[str, Any]] = document.get("servers", [])
        self.cumulative = self.run["mode"] == "cumulative"

    def name(self, row: dict[str, Any]) -> str:
        return str(row["label"]) if not row["step"] or not self.cumulative else f"{row['step']} {row['label']}"

    def gain(self, row: dict[str, Any]) -> str:
        return "-" if row.get("gain") is None else f"{'' if row.get('proven') else '~'}{row['gain']:+.1f} %"

    def article(self, row: dict[str, Any]) -> str:
        return article.gain(row["step"]) or "-" if self.cumulative else "-"

    @property
    def bounds(self) -> bool:
        return any(row["lower_bound"] for row in self.steps if row["state"] == "measured")

    @property
    def unproven(self) -> bool:
        return any(row.get("gain") is not None and not row.get("proven") for row in self.steps)

    def head_lines(self) -> tuple[str, str, str]:
        host, run = self.host, self.run
        rounds = "round" if run["rounds"] == 1 else "rounds"
        return (
            f"{host['cpu']}, {host['vcpus']} vCPUs, hypervisor {host['hypervisor']}, Linux {host['kernel']}, "
            f"JDK {host['jdk']}",
            f"{run['connections']} connections to {run['path']}, {run['rounds']} {rounds} of {run['duration']} s, "
            f"{host['interface']} ({host['driver']}), {host['congestion_control']}, {host['date']}",
            f"client: {run['client']}, CPUs {run['client_cpus']}; server CPUs {run['server_cpus']}"
            + ("" if run["complete"] else "; the run was cut off: INCOMPLETE"),
        )


def grouped(value: float) -> str:
    return f"{value:,.0f}"


def figure(row: dict[str, Any], key: str, form: str) -> str:
    value: Optional[float] = row.get(key)
    return "-" if value is None else form.format(value)


def table(report: Report) -> None:
    print("\n".join(report.head_lines()))
    print(f"mitigations: {report.host['mitigation_options'] or 'as the kernel has them'}\n")
    print(line("step", HEAD))
    for row in report.steps:
        if row["state"] != "measured":
            print(f"{report.name(row):<24} {'-':>10} {row['state']}: {row['reason']}")
            continue
        share = row.get("softirq_share")
        cells = (
            (">=" if row["lower_bound"] else "") + grouped(row["rps"]),
            f"{grouped(row['rps_min'])}-{grouped(row['rps_max'])}",
            report.gain(row),
            report.article(row),
            figure(row, "p50_us", "{:.0f}"),
            figure(row, "p99_us", "{:.0f}"),
            figure(row, "cpu_us", "{:.2f}"),
            figure(row, "busy_us", "{:.2f}"),
            "-" if share is None else f"{share * 100:.0f} %",
        )
        print(line(report.name(row), cells))
    over = "over the measured line above" if report.cumulative else "of all steps over all without this one"
    print(f"\nMedians over the rounds; gain: {over}, paired within each round.")
    print("CPU us: user and system time of the server per request; busy us: all busy time of its CPUs per request.")
    if report.unproven:
        print(chart.UNPROVEN)
    if report.bounds:
        print(">= lower bound: the client was busy, not the server.")
    footnotes(report)


def line(name: str, cells: "tuple[str, ...]") -> str:
    return f"{name:<24} " + " ".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS))


def footnotes(report: Report) -> None:
    known = [row for row in report.steps if row.get("allocated") is not None and row.get("rps")]
    if known:
        most = max(row["allocated"] / (row["rps"] * report.run["duration"]) for row in known)
        collections = max(row.get("gc_max") or 0 for row in report.steps)
        each = f"at most {most:.2f} bytes allocated per request (medians)"
        print(f"The server: {each}, {collections} collections in a window.")
    for row in report.steps:
        step = row["step"]
        if row["state"] == "measured" and row["reason"]:
            print(f"step {step}: {row['reason']}")
        # Before step 5 nothing leads connections to the loop of the CPU that receives them.
        servers = [server for server in report.servers if server["step"] == step]
        of = sum(server.get("connections") or 0 for server in servers)
        if of and (step >= 5 or not report.cumulative):
            matching = sum(server.get("on_loop_cpu") or 0 for server in servers)
            print(f"step {step}: connections received on their loop's CPU: {matching} of {of}")
        if row["discarded"]:
            print(f"step {step}: {row['discarded']} windows discarded")
        if row["notes"]:
            print(f"step {step}: {row['notes']}")


def draw_png(path: str, svg: str) -> None:
    if shutil.which("rsvg-convert"):
        command = ["rsvg-convert", "--zoom", "2"]
    elif shutil.which("inkscape"):
        command = ["inkscape", "--pipe", "--export-type=png", "--export-filename=-"]
    else:
        fail("--png: needs rsvg-convert (Debian package librsvg2-bin) or inkscape")
    done = subprocess.run(command, input=svg.encode(), stdout=subprocess.PIPE)
    if done.returncode != 0:
        fail(f"{path}: could not be written: {command[0]} ended with {done.returncode}")
    with open(path + ".part", "wb") as file:
        file.write(done.stdout)
    os.rename(path + ".part", path)


def main(words: list[str]) -> int:
    arguments = Arguments("report", USAGE, words, ("--json",), ("--svg", "--png"))
    if not arguments.rest:
        fail("which results? See tune report --help")
    if len(arguments.rest) > 1:
        fail(f"{arguments.rest[1]}: only one file of results")
    report = Report(results.load(arguments.rest[0]))
    if "--json" in arguments.flags:
        print(json.dumps({"host": report.host, "run": report.run, "steps": report.steps}))
    else:
        table(report)
    for option in ("--svg", "--png"):
        path = arguments.text(option)
        if path:
            svg = chart.draw(report)
            if option == "--svg":
                common.write_whole(path, svg)
            else:
                draw_png(path, svg)
            say(f"written: {path}")
    return 0


def program() -> None:
    common.program("report", main)
