"""The results as SVG: a bar for each step, with figures beside it. Colours follow the reader's light or
dark mode; there is no script and nothing to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from measuring.report import Report

WIDTH, LEFT, BARS, TOP, ROW, BAR = 1000, 190, 400, 118, 34, 20
COLUMNS = {"rps": 672, "gain": 750, "article": 820, "p50": 878, "p99": 932, "cpu": 985}
HEADS = {"rps": "req/s", "gain": "gain", "article": "article", "p50": "p50 us", "p99": "p99 us", "cpu": "CPU us"}
LABEL_MAX, REASON_MAX = 24, 126  # Characters that fit.
UNPROVEN = "~ unproven: under 2 %, fewer than 3 rounds, rounds that disagree about the sign, or a lower bound."
STYLE = """<style>
text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}
.page{fill:#ffffff}.title{font-size:18px;font-weight:600}.small{font-size:11.5px;fill:#59636e}
.head{font-size:11.5px;font-weight:600;fill:#59636e}.bar{fill:#2f74b5}.bound{fill:#2f74b5;fill-opacity:.55}
.empty{fill:none;stroke:#818b98;stroke-dasharray:4 3}.whisker{stroke:#1f2328;stroke-width:1.5}.grid{stroke:#d1d9e0}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.small,.head{fill:#9198a1}
.bar,.bound{fill:#4c9be8}.empty{stroke:#7d8590}.whisker{stroke:#e6edf3}.grid{stroke:#30363d}}
</style>"""


def xml(text: object) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "..."


def short(value: float) -> str:
    for factor, unit in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:g}{unit}"
    return f"{value:g}"


def tick_for(most: float) -> int:
    """The least of 1, 2, 5 x 10^n that divides up to `most` into at most five parts."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if most / (power * factor) <= 5:
                return power * factor
        power *= 10


class Drawing:
    def __init__(self, title: str, height: float) -> None:
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
            f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="title">',
            f'<title id="title">{xml(title)}</title>',
            STYLE,
            f'<rect class="page" width="{WIDTH}" height="{height:.0f}"/>',
        ]

    def text(self, x: float, y: float, kind: str, text: object, anchor: str = "") -> None:
        where = f' text-anchor="{anchor}"' if anchor else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{where}>{xml(text)}</text>')

    def stroke(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')


def draw(report: "Report") -> str:
    title = "Requests per second after each step"
    if not report.cumulative:
        title = "Requests per second with all steps, and without each"
    most = max([1.0, *(row["rps_max"] for row in report.steps if "rps_max" in row)])
    scale = BARS / most
    bottom = TOP + len(report.steps) * ROW
    drawing = Drawing(title, bottom + 84)
    drawing.text(16, 28, "title", title)
    for number, line in enumerate(report.head_lines()):
        drawing.text(16, 48 + 16 * number, "small", line)
    for name, head in HEADS.items():
        drawing.text(COLUMNS[name], TOP - 10, "head", head, "end")
    tick = tick_for(most)
    for value in range(0, int(most) + 1, tick):
        drawing.stroke(LEFT + value * scale, TOP, LEFT + value * scale, bottom, "grid")
        drawing.text(LEFT + value * scale, bottom + 15, "small", short(value), "middle")
    for number, row in enumerate(report.steps):
        draw_row(drawing, report, row, TOP + number * ROW + (ROW - BAR) / 2, scale)
    legend(drawing, report, bottom + 36)
    return "\n".join([*drawing.parts, "</svg>", ""])


def bar(kind: str, y: float, width: float) -> str:
    return f'<rect class="{kind}" x="{LEFT}" y="{y:.1f}" width="{width:.1f}" height="{BAR}"/>'


def draw_row(drawing: Drawing, report: "Report", row: dict[str, Any], y: float, scale: float) -> None:
    base = y + BAR - 5
    number = "" if not row["step"] or not report.cumulative else f"{row['step']} "
    drawing.text(LEFT - 10, base, "label", number + cut(row["label"], LABEL_MAX), "end")
    if row["state"] != "measured":
        reason = f"{row['state']}: {row['reason']}"
        width = COLUMNS["cpu"] - LEFT
        drawing.parts.append(f"<g><title>{xml(reason)}</title>" + bar("empty", y, width))
        drawing.text(LEFT + 6, base - 1, "small", cut(reason, REASON_MAX))
        drawing.parts.append("</g>")
        return
    low, high = row["rps_min"], row["rps_max"]
    notes = f"; {row['notes']}" if row["notes"] else ""
    tooltip = f"{row['label']}: {low:,.0f} to {high:,.0f} req/s in {row['windows']} windows{notes}"
    kind = "bound" if row["lower_bound"] else "bar"
    width = row["rps"] * scale
    drawing.parts.append(f"<g><title>{xml(tooltip)}</title>" + bar(kind, y, width) + "</g>")
    low, high, middle = LEFT + low * scale, LEFT + high * scale, y + BAR / 2
    drawing.stroke(low, middle, high, middle, "whisker")
    drawing.stroke(low, y + 5, low, y + BAR - 5, "whisker")
    drawing.stroke(high, y + 5, high, y + BAR - 5, "whisker")
    cells = {
        "rps": (">= " if row["lower_bound"] else "") + f"{row['rps']:,.0f}",
        "gain": report.gain(row),
        "article": report.article(row),
        "p50": f"{row['p50_us'] or 0:.0f}",
        "p99": f"{row['p99_us'] or 0:.0f}",
        "cpu": f"{row['cpu_us'] or 0:.2f}",
    }
    for name, cell in cells.items():
        drawing.text(COLUMNS[name], base, "small" if name == "article" else "figure", cell, "end")


def legend(drawing: Drawing, report: "Report", y: float) -> None:
    dashed = any(row["state"] != "measured" for row in report.steps)
    what = (
        "Medians; whiskers: least and greatest of the rounds. CPU us: user and system time of the server per request."
    )
    drawing.text(16, y, "small", what + (" Dashed: not measured here, with the reason." if dashed else ""))
    marks = ">= and pale: lower bound, the client was busy, not the server. " if report.bounds else ""
    drawing.text(16, y + 16, "small", marks + (UNPROVEN if report.unproven else ""))
    article = "Article: gains on another machine (c5n.xlarge, 4 vCPUs, a separate client), in 2021."
    drawing.text(16, y + 32, "small", article)
