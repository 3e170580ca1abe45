"""Plots of the comparison: horizontal bars from zero, as SVG on white, readable beside light and dark text."""

import math
from typing import NamedTuple

WIDTH, LEFT, RIGHT, TOP, ROW = 860, 250, 780, 48, 26
OWN, OTHER = "#c00", "#246"


class Bar(NamedTuple):
    """A bar: its name, its value, and true for this daemon."""

    name: str
    value: float
    is_own: bool


def step_of(most):
    """Returns the distance of about six lines up to a value: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(most / 5))
    return next(factor * power for factor in (1, 2, 5, 10) if most <= 6 * factor * power)


def bars(title, unit, rows):
    """Returns the plot of values above zero, under a title."""
    step = step_of(max(bar.value for bar in rows))
    count = math.ceil(max(bar.value for bar in rows) / step)
    bottom = TOP + ROW * len(rows)

    def place(value):
        return LEFT + (RIGHT - LEFT) * value / (count * step)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 52}" font-family="sans-serif" font-size="12">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{bottom + 52}" fill="white"/>',
        f'<text x="16" y="26" font-size="14">{title}</text>',
    ]
    for number in range(count + 1):
        x = f"{place(number * step):.1f}"
        lines.append(f'<line x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{bottom}" stroke="#ddd"/><text x="{x}" y="{bottom + 18}" text-anchor="middle">{number * step:g}</text>')
    for number, bar in enumerate(rows):
        y, end = TOP + ROW * number, place(bar.value)
        color, weight = (OWN, "bold") if bar.is_own else (OTHER, "normal")
        lines.append(f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end" font-weight="{weight}">{bar.name}</text>')
        lines.append(f'<rect x="{LEFT}" y="{y + 2}" width="{end - LEFT:.1f}" height="{ROW - 10}" fill="{color}"/>')
        lines.append(f'<text x="{end + 6:.1f}" y="{y + 14}">{bar.value:.3g}</text>')
    lines.append(f'<text x="{(LEFT + RIGHT) / 2:.0f}" y="{bottom + 42}" text-anchor="middle">{unit}</text>')
    return "\n".join([*lines, "</svg>", ""])
