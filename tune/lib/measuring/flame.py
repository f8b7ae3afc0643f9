"""Stacks of perf, folded, and as a flame graph: one SVG without script, whose tooltips have the figures.
Width is time, not order; neighbours with the same beginnings are merged."""

from __future__ import annotations

import re
from dataclasses import dataclass


from measuring.chart import xml

Stack = tuple[str, ...]  # The thread, then frames from the root; marked _[k] kernel, _[j] Java.
WIDTH, ROW, LETTER = 1200, 17, 6.7
LEAST = 0.4  # Narrower frames are left out.
BUSIEST_MAX = 20
KERNEL, JAVA = "_[k]", "_[j]"
STYLE = """<style>
text{font:11px ui-monospace,'DejaVu Sans Mono',monospace;fill:#1f2328}.page{fill:#ffffff}
.head{font:600 16px system-ui,'DejaVu Sans',sans-serif}.small{font:11.5px system-ui,'DejaVu Sans',sans-serif}
.k{fill:#f2a65a}.j{fill:#8cc98f}.n{fill:#f3d36b}.t{fill:#c9d1d9}rect{stroke:#ffffff;stroke-width:.5}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.head,.small{fill:#e6edf3}rect{stroke:#0d1117}}
</style>"""
THREAD = re.compile(r"(?P<name>[^ \t].*?) +[0-9]+(/[0-9]+)? *\Z")  # COMM PID/TID, where COMM may hold blanks.
FRAME = re.compile(r"[ \t]+(?P<ip>[0-9a-f]+) (?P<symbol>.*?)(?: \((?P<dso>[^()]*)\))?\Z")


def fold(script: str) -> dict[Stack, int]:
    """What `perf script -F comm,pid,tid,ip,sym,dso` says, as stacks with their counts."""
    counts: dict[Stack, int] = {}
    thread = ""
    frames: list[str] = []

    def flush() -> None:
        if thread:
            stack = (thread, *reversed(frames))
            counts[stack] = counts.get(stack, 0) + 1

    for line in script.split("\n"):
        head, frame = THREAD.match(line), FRAME.match(line)
        if not line.strip():
            flush()
            thread, frames = "", []
        elif head and not line[0].isspace():
            flush()
            thread, frames = head.group("name"), []
        elif frame:
            frames.append(named(frame.group("ip"), frame.group("symbol"), frame.group("dso") or ""))
    flush()
    return counts


def named(ip: str, symbol: str, dso: str) -> str:
    mark = ""
    kernel = re.search(r"^\[kernel|^\[guest\.kernel|\.ko\Z|^\[[a-z0-9_]+\]\Z", dso) and dso not in (
        "[unknown]",
        "[vdso]",
    )
    if re.search(r"perf-[0-9]+\.map\Z", dso):
        mark, symbol = JAVA, java_name(symbol)
    elif kernel or (len(ip) == 16 and ip.startswith("ffff")):
        mark = KERNEL
    if symbol in ("[unknown]", ""):
        name = dso.rpartition("/")[2]
        symbol = f"[{'unknown' if name in ('', '[unknown]') else name}]"
    return symbol + mark


def java_name(symbol: str) -> str:
    """void io.bareloop.loop.Loop.run(int, long): io.bareloop.loop.Loop.run"""
    name, parenthesis, _ = symbol.partition("(")
    return name.rpartition(" ")[2] if parenthesis else symbol


def folded_text(counts: dict[Stack, int]) -> str:
    return "".join(f"{';'.join(stack)} {counts[stack]}\n" for stack in sorted(counts))


@dataclass
class Box:
    name: str
    depth: int
    at: int
    width: int


def boxes(counts: dict[Stack, int]) -> list[Box]:
    """A frame is open as long as the stacks that follow begin alike."""
    found: list[Box] = []
    opened: list[tuple[str, int]] = []
    total = 0
    for stack in [*sorted(counts), ()]:
        same = 0
        while same < min(len(stack), len(opened)) and stack[same] == opened[same][0]:
            same += 1
        while len(opened) > same:
            name, at = opened.pop()
            found.append(Box(name, len(opened) + 1, at, total - at))
        opened += [(name, total) for name in stack[same:]]
        total += counts.get(stack, 0)
    return found


def draw(counts: dict[Stack, int], title: str, when: str) -> str:
    total = sum(counts.values())
    bottom = 56 + max(len(stack) for stack in counts) * ROW
    height = bottom + 12
    scale = (WIDTH - 20) / total
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title">',
        f'<title id="title">{xml(title)}</title>',
        STYLE,
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text x="10" y="22" class="head">{xml(title)}</text>',
        f'<text x="10" y="40" class="small">{total} samples; {xml(when)}; orange: kernel, green: Java, yellow: native, '
        "grey: thread; tooltips have the figures</text>",
    ]
    for box in boxes(counts):
        if box.width * scale >= LEAST:
            parts.append(draw_box(box, scale, total, bottom))
    return "\n".join([*parts, "</svg>", ""])


def draw_box(box: Box, scale: float, total: int, bottom: int) -> str:
    x, y, width = 10 + box.at * scale, bottom - box.depth * ROW, box.width * scale
    kind, name = ("t" if box.depth == 1 else "n"), re.sub(r"[\x00-\x1f]", "", box.name)
    if name.endswith((KERNEL, JAVA)):
        kind, name = name[-2], name[:-4]
    text = (
        f"<g><title>{xml(name)}: {box.width} samples, {box.width * 100 / total:.2f} %</title>"
        f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}"/>'
    )
    fits = int((width - 5) / LETTER)
    if len(name) > fits and kind == "j":
        name = re.sub(r"^.*\.[a-z0-9_]+\.", "", name)  # The end of a Java name says more than its package.
    if fits >= 3:
        shown = name if len(name) <= fits else name[: fits - 2] + ".."
        text += f'<text x="{x + 3:.1f}" y="{y + 12}">{xml(shown)}</text>'
    return text + "</g>"


def busiest(counts: dict[Stack, int]) -> str:
    """The functions that themselves were on the CPU most, and the parts."""
    total = sum(counts.values())
    own: dict[str, int] = {}
    within: dict[str, int] = {}
    parts = {"kernel": 0, "Java": 0, "native": 0}
    for stack, count in counts.items():
        leaf = stack[-1]
        own[leaf] = own.get(leaf, 0) + count
        parts["kernel" if leaf.endswith(KERNEL) else "Java" if leaf.endswith(JAVA) else "native"] += count
        for frame in set(stack):
            within[frame] = within.get(frame, 0) + count
    shares = ", ".join(f"{name} {count * 100 / total:.1f} %" for name, count in parts.items())
    lines = [f"{total} samples: {shares}", "", "   self  within  function"]
    for name in sorted(own, key=lambda one: (-own[one], one))[:BUSIEST_MAX]:
        shown = name.replace(KERNEL, " (kernel)").replace(JAVA, " (Java)")
        lines.append(f"{own[name] * 100 / total:5.1f} % {within[name] * 100 / total:5.1f} %  {shown}")
    return "\n".join(lines)
