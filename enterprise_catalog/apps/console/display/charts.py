"""
Draw small bar charts as SVG, so that pages need no script and no other host.

Colours are in the style sheet, one class for each series.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
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


def bar_chart(
    bars: Sequence[Bar], *, series: Sequence[str], title: str, every: int = 1, legend: bool = False
) -> SafeString:
    """Draw stacked bars with a label below each `every`-th. Screen readers read the title and the numbers."""
    highest = max((sum(bar.values) for bar in bars), default=0) or 1
    drawn = []
    for number, bar in enumerate(bars):
        shown = _drawn(bar, left=_GAP + number * (_BAR + _GAP), highest=highest, series=series)
        drawn.append(shown | {"label": bar.label if number % every == 0 else ""})
    context = {
        "bar_width": _BAR,
        "bars": drawn,
        "height": _HEIGHT + 2 * _TEXT,
        "label_at": _HEIGHT + 2 * _TEXT - 3,
        "legend": legend,
        "series": series,
        "title": title,
        "width": len(bars) * (_BAR + _GAP) + _GAP,
    }
    return render_to_string("console/chart.html", context)


def _drawn(bar: Bar, *, left: int, highest: int, series: Sequence[str]) -> dict[str, Any]:
    """Return where the parts of a bar are and what its tooltip says."""
    parts, words = [], []
    top = _TEXT + _HEIGHT
    for name, value in zip(series, bar.values, strict=True):
        if value:
            words.append(f"{value} {name}")
        # Small values stay visible.
        size = max(2, round(value / highest * _HEIGHT)) if value else 0
        top -= size
        parts.append((name, top, size))
    return {
        "left": left,
        "middle": left + _BAR / 2,
        "number_at": top - 3,
        "parts": parts,
        "total": sum(bar.values),
        "words": f"{bar.label}: {', '.join(words) or 'nothing'}.",
    }
