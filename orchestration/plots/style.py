"""What all pictures share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestration.figures import COLOURS

DAY = 1440.0
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "marl-health",
    "figure.facecolor": "white",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's settings for our pictures, while the block runs."""
    with rc_context(STYLE):
        yield


def save(figure: Figure, file: IO[bytes], form: str) -> None:
    """Write a figure; the same figure gives the same bytes."""
    dateless = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with rc_context(STYLE):
        figure.savefig(file, format=form, dpi=150, metadata=dateless.get(form))


def colours(names: list[str]) -> dict[str, str]:
    """A colour for each name, in the order of Okabe and Ito's palette; grey beyond it."""
    return {name: COLOURS[number] if number < len(COLOURS) - 1 else "#999999" for number, name in enumerate(names)}


def words(name: str) -> str:
    """A name of the scenario as a person writes it."""
    return name.replace("_", " ")


def clock_axis(
    axes: Axes, start: float, end: float, minute_of_week: float, labels: int = 16, unit: float = 1.0
) -> None:
    """Label an axis with weekdays and times of day; lines at midnight.

    Args:
        axes: whose horizontal axis is one of time.
        start: the minute at which it begins.
        end: the minute at which it ends.
        minute_of_week: which minute of the week 0 on it is.
        labels: how many there is room for.
        unit: of the axis, in minutes.
    """
    length = end - start
    step = next(step for step in (30, 60, 120, 180, 360, 720, 1440, 10_080, 1e9) if length / step <= labels)
    first = -((minute_of_week + start) % step) % step + start
    ticks, texts = [], []
    place = first
    while place <= end + 1e-6:
        minute = (minute_of_week + place) % (7 * DAY)
        day, rest = divmod(round(minute), int(DAY))
        time = f"{rest // 60:02d}:{rest % 60:02d}"
        new_day = not ticks or rest < step
        ticks.append(place / unit)
        texts.append(WEEKDAYS[day % 7] if step >= DAY else f"{time}\n{WEEKDAYS[day % 7]}" if new_day else time)
        if rest == 0 and step < DAY:
            axes.axvline(place / unit, color="0.75", linewidth=0.8, zorder=0)
        place += step
    axes.set_xticks(ticks, texts)
    axes.set_xlim(start / unit, end / unit)
