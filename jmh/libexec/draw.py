"""Charts as SVG files that need nothing else: light and dark, no script, no font of their own."""
import math

STYLE = '''<style>
text{font:12px system-ui,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.small{font-size:11px;fill:#59636e}.end{text-anchor:end}.middle{text-anchor:middle}
.page{fill:#fff}.grid{stroke:#d1d9e0;stroke-width:1}.line{fill:none;stroke-width:2}
.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#bc4c00;fill:#bc4c00}.c2{stroke:#1a7f37;fill:#1a7f37}.c3{stroke:#8250df;fill:#8250df}
.c4{stroke:#bf3989;fill:#bf3989}.c5{stroke:#6e7781;fill:#6e7781}.line{fill:none}.bar{stroke:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.page{fill:#0d1117}.grid{stroke:#3d444d}}
</style>'''
COLORS = 6
SMALL_WIDTH = 5.8  # Of a character, about.


def xml(text):
    return str(text).replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;').replace('"', '&quot;')


def short(value):
    """1500000 as 1.5M, 0.25 as 0.25."""
    for factor, unit in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if abs(value) >= factor:
            return f'{value / factor:.3g}{unit}'
    return f'{value:.3g}'


class Page:
    def __init__(self, title, lines, width, height):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
            f'<title>{xml(title)}</title>', STYLE, f'<rect class="page" width="{width}" height="{height}"/>']
        self.text(16, 26, title, 'title')
        for number, line in enumerate(lines):
            fits = int((width - 32) / SMALL_WIDTH)
            self.text(16, 46 + 15 * number, line if len(line) <= fits else line[:fits - 3] + '...', 'small')

    def text(self, x, y, text, kind=''):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{xml(text)}</text>')

    def stroke(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def svg(self):
        return '\n'.join([*self.parts, '</svg>', ''])


def round_up(value):
    """The next of 1, 2, 5, 10, 20, ..."""
    power = 10 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value * 0.999)


def ticks(top, log, bottom=0.0):
    if log:
        low, high = math.floor(math.log10(bottom)), math.ceil(math.log10(top))
        return [10.0 ** power for power in range(low, high + 1)]
    step = round_up(top / 5)
    return [step * number for number in range(int(math.ceil(top / step - 1e-9)) + 1)]


def panel(page, box, title, series, x_labels=None, log_y=False):
    """Lines over an axis: series is [(label, [(x, y, tooltip)])]; x is spread evenly by its order."""
    left, top, width, height = box
    xs = sorted({x for _, points in series for x, _, _ in points})
    values = [y for _, points in series for _, y, _ in points if y is not None and (y > 0 or not log_y)]
    page.text(left, top - 8, title)
    if not values:
        page.text(left, top + 20, 'not measured', 'small')
        return
    marks = ticks(max(values), log_y, min(values))
    low, high = marks[0], marks[-1]

    def at_x(x):
        return left + (width * xs.index(x) / (len(xs) - 1) if len(xs) > 1 else width / 2)

    def at_y(y):
        if log_y:
            share = (math.log10(y) - math.log10(low)) / max(1e-9, math.log10(high) - math.log10(low))
        else:
            share = y / high
        return top + height - height * share

    for mark in marks:
        page.stroke(left, at_y(mark), left + width, at_y(mark), 'grid')
        page.text(left - 6, at_y(mark) + 4, short(mark), 'small end')
    for x in xs:
        page.text(at_x(x), top + height + 15, (x_labels or {}).get(x, short(x)), 'small middle')
    for number, (_, points) in enumerate(series):
        color = f'c{number % COLORS}'
        points = [point for point in points if point[1] is not None and (point[1] > 0 or not log_y)]
        path = ' '.join(f'{at_x(x):.1f},{at_y(y):.1f}' for x, y, _ in points)
        page.parts.append(f'<polyline class="line {color}" points="{path}"/>')
        for x, y, note in points:
            page.parts.append(f'<circle class="{color}" cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3"><title>{xml(note)}</title></circle>')


def legend(page, x, y, labels):
    for number, label in enumerate(labels):
        page.parts.append(f'<rect class="c{number % COLORS} bar" x="{x}" y="{y - 9}" width="12" height="10"/>')
        page.text(x + 18, y, label, 'small')
        x += 34 + 7 * len(label)


def bars(page, box, groups, accent=None):
    """Groups of bars, each to its own scale: [(group, [(label, value, shown)])]; the bar labelled accent stands out."""
    left, top, width, row = box
    y = top
    for group, rows in groups:
        page.text(16, y + 12, group)
        y += row
        high = max((value for _, value, _ in rows if value), default=1)
        for number, (label, value, shown) in enumerate(rows):
            color = (0 if label == accent else COLORS - 1) if accent else number % COLORS
            page.text(left - 8, y + row - 7, label, 'small end')
            length = max(width * (value or 0) / high, 1)
            page.parts.append(
                f'<rect class="c{color} bar" x="{left}" y="{y + 2}" width="{length:.1f}" height="{row - 6}">'
                f'<title>{xml(label)}: {xml(shown)}</title></rect>')
            page.text(left + length + 6, y + row - 7, shown, 'small')
            y += row
        y += 6
    return y
