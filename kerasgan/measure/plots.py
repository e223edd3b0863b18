"""Plots of results, as SVG that takes its text colour from the page it stands in."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

_MARKERS = "osD^vP*X"
# Stands for the colour of the page's text until the SVG is written.
_TEXT = "#010203"
# Okabe & Ito's, which the colour-blind can tell apart; seen on light and on dark pages.
_COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", _TEXT)
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.color": _TEXT,
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _TEXT
    ),
}


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
    *,
    connected: bool = True,
) -> str:
    """Draws lines through points, or the points alone.

    Args:
        series: x and y values by name; the first line is drawn thickest.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.
        connected: whether there are lines.

    Returns:
        An SVG element.
    """
    with rc_context(_STYLE):
        figure = Figure((5.2, 3.8), layout="constrained")
        axes = figure.subplots()
        for number, (name, (x, y)) in enumerate(series.items()):
            axes.plot(
                x,
                y,
                label=name,
                color=_COLORS[number % len(_COLORS)],
                marker=_MARKERS[number % len(_MARKERS)] if len(x) < 20 or not connected else None,
                markersize=4 if connected else 6,
                linestyle="-" if connected else "none",
                linewidth=2.2 if number == 0 else 1.2,
            )
        axes.set(xlabel=x_label, ylabel=y_label)
        if len(series) > 1:
            figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return _svg(figure)


def scatter(x: Sequence[float], y: Sequence[float], x_label: str, y_label: str) -> str:
    """Draws points beside the line on which y equals x.

    Args:
        x: one value per point.
        y: the others, in the same unit.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.

    Returns:
        An SVG element; of more than 1,000 points, the cloud is a picture inside it.
    """
    with rc_context(_STYLE):
        figure = Figure((3.6, 3.4), layout="constrained")
        axes = figure.subplots()
        low, high = min(*x, *y), max(*x, *y)
        axes.plot([low, high], [low, high], color=_TEXT, linewidth=0.8, linestyle="--")
        axes.scatter(x, y, s=5, color=_COLORS[0], alpha=0.5, linewidths=0, rasterized=len(x) > 1000)
        axes.set(xlabel=x_label, ylabel=y_label)
        return _svg(figure)


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None}
    figure.savefig(text, format="svg", transparent=True, metadata=metadata, dpi=150)
    svg = text.getvalue().replace(_TEXT, "currentColor")
    return svg[svg.index("<svg") :]
