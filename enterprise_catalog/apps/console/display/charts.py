"""
Draw small bar charts as SVG, so that pages need no script and no other host.

Colours are in the style sheet, one class for each series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# In pixels; the style sheet shrinks charts on narrow pages.
_HEIGHT = 90
_BAR = 20
_GAP = 6
_TEXT = 14


@dataclass(frozen=True)
class Bar:
    """The label below a bar, and its value for each series, from the bottom up."""

    label: str
    values: Sequence[int]


def bar_chart(bars: Sequence[Bar], *, series: Sequence[str], title: str, every: int = 1) -> SafeString:
    """Draw stacked bars with a label below each `every`-th. Screen readers read the title and the numbers."""
    top = max((sum(bar.values) for bar in bars), default=0) or 1
    width = len(bars) * (_BAR + _GAP) + _GAP
    drawn = format_html_join(
        "",
        "{}",
        (
            (_bar(bar, left=_GAP + number * (_BAR + _GAP), top=top, series=series, labelled=number % every == 0),)
            for number, bar in enumerate(bars)
        ),
    )
    return format_html(
        '<svg class="console-chart" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}">{}</svg>',
        f"{title}. {' '.join(_words(bar, series) for bar in bars if any(bar.values))}",
        width,
        _HEIGHT + 2 * _TEXT,
        width,
        drawn,
    )


def legend(series: Sequence[str]) -> SafeString:
    keys = format_html_join("", '<li class="console-series-{}">{}</li>', ((name, name) for name in series))
    return format_html('<ul class="console-legend">{}</ul>', keys)


def _bar(bar: Bar, *, left: int, top: int, series: Sequence[str], labelled: bool) -> SafeString:
    pieces = []
    foot = _TEXT + _HEIGHT
    for name, value in zip(series, bar.values, strict=True):
        # Small values stay visible.
        height = max(2, round(value / top * _HEIGHT)) if value else 0
        foot -= height
        pieces.append((name, left, foot, _BAR, height))
    rectangles = format_html_join("", '<rect class="console-series-{}" x="{}" y="{}" width="{}" height="{}"/>', pieces)
    total = sum(bar.values)
    middle = left + _BAR / 2
    number = format_html('<text x="{}" y="{}">{}</text>', middle, foot - 3, total) if total else ""
    label = format_html('<text x="{}" y="{}">{}</text>', middle, 2 * _TEXT + _HEIGHT - 3, bar.label) if labelled else ""
    return format_html("<g><title>{}</title>{}{}{}</g>", _words(bar, series), rectangles, number, label)


def _words(bar: Bar, series: Sequence[str]) -> str:
    values = ", ".join(f"{value} {name}" for name, value in zip(series, bar.values, strict=True) if value)
    return f"{bar.label}: {values or 'nothing'}."
