"""Pictures of the results as SVG, by hand: lines over a logarithmic scale, and bars of stages. No library.

Text is drawn in the page's own sans-serif; colours tell series apart on white and are named beside each line as well.
"""

from collections.abc import Callable, Sequence
from html import escape
from math import log10
from textwrap import wrap

COLOURS = (
    "#0b6e4f",
    "#d1495b",
    "#00798c",
    "#edae49",
    "#30638e",
    "#8f2d56",
    "#5f5f5f",
    "#6a994e",
    "#9d4edd",
    "#bc6c25",
    "#1b4965",
    "#e76f51",
    "#3a5a40",
    "#7f5539",
    "#386fa4",
)
INK, FAINT = "#222", "#ddd"
CAPTION_CHARACTERS = 150        # of a line below a picture
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 960, 520, 78, 56, 330, 72


def text(
    x: float, y: float, content: str, size: int = 13, anchor: str = "start", colour: str = INK, turn: int = 0
) -> str:
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{turned}>'
        f"{escape(content)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = FAINT, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def picture(parts: Sequence[str], title: str, caption: str, height: int = HEIGHT) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    words = [text(20, 28, title, 17)]
    for number, part in enumerate(reversed(wrap(caption, CAPTION_CHARACTERS))):
        words.append(text(20, height - 10 - 12 * number, part, 10, colour="#777"))
    return "\n".join([head, ground, *words, *parts, "</svg>\n"])


def apart(wanted: Sequence[float], least: float, top: float, bottom: float) -> list[float]:
    """The same heights moved as little as needed so that no two are closer than `least`; all between top and bottom."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed: list[float] = [0.0] * len(wanted)
    at = top - least
    for i in order:
        at = placed[i] = max(wanted[i], at + least)
    limit = bottom
    for i in reversed(order):
        limit = placed[i] = min(placed[i], limit)
        limit -= least
    return placed


def decades(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends of a logarithmic axis, and its marks: 1, 2, 5 of each decade."""
    marks = [step * 10.0**power for power in range(-3, 13) for step in (1, 2, 5)]
    first = max((m for m in marks if m <= low), default=low)
    last = min((m for m in marks if m >= high), default=high)
    inside = [m for m in marks if first <= m <= last]
    return first, last, inside if len(inside) < 9 else [m for m in inside if log10(m) % 1 < 1e-9]


def lines_picture(
    title: str,
    caption: str,
    series: dict[str, Sequence[tuple[float, float]]],
    x_marks: Sequence[tuple[float, str]],
    y_name: str,
    x_name: str,
    show: Callable[[float], str] = lambda v: f"{v:,.0f}" if v >= 1 else f"{v:g}",
) -> str:
    """series: {name: [(x, y)]}, x as in x_marks, y above zero, drawn on a logarithmic scale. Names stand at the lines' ends."""
    values = [y for points in series.values() for _, y in points if y > 0]
    low, high, marks = decades(min(values), max(values))
    left, right = LEFT, WIDTH - RIGHT
    x_low, x_high = x_marks[0][0], x_marks[-1][0]
    bottom = HEIGHT - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        share = (x - x_low) / ((x_high - x_low) or 1)
        rise = log10(max(y, low) / low) / (log10(high / low) or 1)
        return left + share * (right - left), bottom - rise * (bottom - TOP)

    parts = []
    for mark in marks:
        y = place(x_low, mark)[1]
        parts += [line(left, y, right, y), text(left - 8, y + 4, show(mark), 12, "end")]
    for x, name in x_marks:
        at = place(x, low)[0]
        parts += [line(at, TOP, at, bottom), text(at, bottom + 20, name, 12, "middle")]
    parts += [
        text(20, (TOP + bottom) / 2, y_name, 13, "middle", turn=-90),
        text((left + right) / 2, bottom + 42, x_name, 13, "middle"),
    ]
    ends = [place(*points[-1])[1] for points in series.values()]
    for number, ((name, points), y) in enumerate(zip(series.items(), apart(ends, 17, TOP + 6, bottom), strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(*point) for point in points))
        end = place(*points[-1])
        parts.append(
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
        )
        parts.append(line(end[0], end[1], right + 18, y, colour, 0.8))
        parts.append(text(right + 22, y + 4, name, 12, colour=colour))
    return picture(parts, title, caption)


def bars_picture(title: str, caption: str, rows: dict[str, dict[str, float]], unit: str) -> str:
    """rows: {name: {stage: value}}, each a bar with its stages side by side; values of at most zero are not drawn."""
    stages = list(dict.fromkeys(stage for row in rows.values() for stage in row))
    most = max(sum(max(v, 0) for v in row.values()) for row in rows.values())
    left, width, tall = 150, WIDTH - 150 - 110, 34
    height = TOP + len(rows) * (tall + 18) + 80
    parts = []
    for number, (name, row) in enumerate(rows.items()):
        y, x = TOP + number * (tall + 18), float(left)
        parts.append(text(left - 10, y + tall / 2 + 5, name, 13, "end"))
        for stage, value in row.items():
            if value <= 0:
                continue
            wide = value / most * width
            colour = COLOURS[stages.index(stage) % len(COLOURS)]
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{tall}" fill="{colour}"><title>'
                f"{escape(stage)}: {value:.0f} {escape(unit)}</title></rect>"
            )
            if wide > 26:
                parts.append(text(x + wide / 2, y + tall / 2 + 4, f"{value:.0f}", 11, "middle", "#fff"))
            x += wide
        parts.append(text(x + 8, y + tall / 2 + 5, f"{sum(row.values()):.0f} {unit}", 13))
    x, y = float(left), height - 48
    for number, stage in enumerate(stages):
        parts.append(f'<rect x="{x:.1f}" y="{y - 10}" width="11" height="11" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(text(x + 15, y, stage, 12))
        x += 30 + 7.2 * len(stage)
    return picture(parts, title, caption, height)


# ---- what percentiles are drawn at: each nine as wide as the one before

NINES = ((0.0, "min"), (0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"))


def nines(share: float) -> float:
    """Where a share stands on the axis: 0 → 0, 0.9 → 1, 0.99 → 2."""
    return -log10(1 - min(share, 0.9999))


def percentile_line(histogram: Sequence[Sequence[int]], unit: float = 1000.0) -> list[tuple[float, float]]:
    """(place on the axis, value in `unit` ns) up to p99.9, or as far as there are ten samples beyond it."""
    total, seen = sum(count for _, count in histogram), 0
    points: list[tuple[float, float]] = []
    for edge, count in histogram:
        share = seen / total
        if share > 0.999 or (1 - share) * total < min(10, total / 5):
            break
        points.append((nines(share), edge / unit))
        seen += count
    return points or [(0.0, histogram[0][0] / unit)]
