"""The live line of training: what it says to whoever looks on, and nothing to a file."""

import io
import math

from rich.console import Console

from orchestration.progress import COLUMNS, LiveLine

ROW = dict.fromkeys(COLUMNS, math.nan) | {
    "env_steps": 9216,
    "seconds": 60.0,
    "return_mean": -71.24,
    "best_return": -60.55,
    "steps_per_second": 512.3,
}


def shown(console, *rows, seconds=420.0):
    line = LiveLine(console, "seed 3", "starting", seconds, None)
    for row in rows:
        line.show(row)
    line.close()
    return console.file.getvalue()


def test_it_shows_what_evaluations_found_until_the_next():
    console = Console(file=io.StringIO(), force_terminal=True, width=200)
    said = shown(console, ROW | {"return_greedy": -62.04}, ROW)
    last = "seed 3: 9,216 steps  training -71.2  evaluated -62.0  best -60.5  512 steps/s  6:00 left"
    assert last in said


def test_before_the_first_evaluation_there_is_none():
    console = Console(file=io.StringIO(), force_terminal=True, width=200)
    assert "evaluated –  best -60.5  512 steps/s" in shown(console, ROW, seconds=None)


def test_in_a_file_there_is_no_live_line():
    assert shown(Console(file=io.StringIO(), width=200), ROW) == ""
