"""The treatment centre of the package treat-sim 3.0.0: our scenario beside what the package itself gives.

``python -m experiments.validation.treatment_centre`` compares 1,000 runs of each, twice: with arrivals of an exact
non-stationary Poisson process, and with arrivals as the package draws them, where the rate at one arrival holds until
the next. The latter is no word of the language, so only a checkout has it. ``--write``
brings the committed table up to date.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import marl_health
from experiments.validation.table import MOST_ERRORS, Row, Told, judged
from marl_health import Scenario
from orchestration.evaluation.statistics import mean_interval
from orchestration.workers import in_order

DATA = Path(__file__).with_name("data")
RESULTS = Path(__file__).with_suffix(".md")
COMMAND = "python -m experiments.validation.treatment_centre"
REPLICATIONS = 1000
"""Of each model; ours have the seeds 0, 1, 2, ... as theirs have."""
ALPHA = 0.01
"""Chance that any of a column's Kolmogorov-Smirnov tests rejects if all distributions agree (Holm's procedure)."""

KPIS = {
    "arrivals": "00_arrivals",
    "triage_wait": "01a_triage_wait",
    "triage_utilisation": "01b_triage_util",
    "registration_wait": "02a_registration_wait",
    "registration_utilisation": "02b_registration_util",
    "examination_wait": "03a_examination_wait",
    "examination_utilisation": "03b_examination_util",
    "treatment_wait": "04a_treatment_wait(non_trauma)",
    "treatment_utilisation": "04b_treatment_util(non_trauma)",
    "non_trauma_stay": "05_total_time(non-trauma)",
    "trauma_wait": "06a_trauma_wait",
    "trauma_utilisation": "06b_trauma_util",
    "trauma_treatment_wait": "07a_treatment_wait(trauma)",
    "trauma_treatment_utilisation": "07b_treatment_util(trauma)",
    "trauma_stay": "08_total_time(trauma)",
    "discharged": "09_throughput",
}
"""Our KPIs, and what the package calls them."""

Values = dict[str, NDArray[np.float64]]
"""By KPI of ours: one value for each replication in which it was recorded."""


@dataclass(frozen=True)
class Column:
    """One way of drawing the arrivals.

    Attributes:
        title: what it is called.
        file: the package's results.
        scenario: finds ours.
    """

    title: str
    file: str
    scenario: Callable[[], Scenario]


def _packaged() -> Scenario:
    return marl_health.load("treatment_centre")


def _as_published() -> Scenario:
    try:
        from tests.validation.previous_arrival import scenario
    except ImportError as error:
        raise SystemExit(
            "The package's own way of drawing arrivals is part of the tests, which are not installed: "
            f"run `{COMMAND}` in the root of a checkout of marl-health."
        ) from error
    found: Scenario = scenario()
    return found


EXACT = Column("exact arrivals", "treat_sim_3_0_0_exact_arrivals.csv", _packaged)
PUBLISHED = Column("arrivals as published", "treat_sim_3_0_0_as_published.csv", _as_published)
COLUMNS = (EXACT, PUBLISHED)


def published(column: Column) -> Values:
    """The package's results."""
    with (DATA / column.file).open(encoding="utf-8") as lines:
        runs = list(csv.DictReader(lines))
    return {ours: _recorded(float(run[theirs]) for run in runs) for ours, theirs in KPIS.items()}


def replicate(task: tuple[str, int]) -> dict[str, float]:
    """KPIs of one replication of the scenario in a file, by its seed."""
    file, seed = task
    game = _game(file)
    game.reset(seed, events=False)
    game.finish()
    kpis: dict[str, float] = game.kpis()
    return kpis


@cache
def _game(file: str) -> Any:
    scenario = marl_health.load(file)
    return scenario.kind.make_game(scenario.program)


def ours(column: Column, jobs: int = 1, told: Told = lambda share: None) -> Values:
    """The same of our scenario; several ``jobs`` only for what other processes can load."""
    file = str(column.scenario().file)
    found = []
    for kpis in in_order(replicate, [(file, seed) for seed in range(REPLICATIONS)], jobs):
        found.append(kpis)
        told(len(found) / REPLICATIONS)
    return {name: _recorded(kpis[name] for kpis in found) for name in KPIS}


def _recorded(values: Iterable[float]) -> NDArray[np.float64]:
    return np.array([value for value in values if not isnan(value)])


def holm(chances: Sequence[float]) -> list[float]:
    """P-values adjusted for their number: those below alpha are rejected, with chance alpha for any if all are true."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    adjusted, least = [0.0] * len(chances), 0.0
    for rank, place in enumerate(order):
        least = adjusted[place] = min(1.0, max(least, (len(chances) - rank) * chances[place]))
    return adjusted


def compare(column: Column, found: Values) -> list[Row]:
    """A row for each KPI: the means must agree, and the distributions by the two-sample Kolmogorov-Smirnov test."""
    from scipy import stats

    wanted = published(column)
    chances = [float(stats.ks_2samp(found[name], wanted[name]).pvalue) for name in KPIS]
    units = _game(str(_packaged().file)).kpi_units()
    rows = []
    for name, chance, adjusted in zip(KPIS, chances, holm(chances), strict=True):
        mine, theirs = found[name], wanted[name]
        row = judged(
            f"treat-sim 3.0.0, {column.title}",
            name + (f", {units[name]}" if units[name] else ""),
            float(theirs.mean()),
            float(mine.mean()),
            _error(mine),
            len(mine) - 1,
            basis="published",
            target_error=_error(theirs),
            note=f"KS p {chance:.2f}",
        )
        rows.append(replace(row, passes=row.passes and adjusted >= ALPHA))
    return rows


def _error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def rows(jobs: int, told: Told) -> list[Row]:
    """Every KPI of the packaged scenario, against the package with exact arrivals."""
    return compare(EXACT, ours(EXACT, jobs, told))


# ------------------------------------------------------------ the committed table
def report(found: Mapping[str, Sequence[Row]]) -> str:
    """The table in Markdown, from the rows of each column by its title."""
    scenario = _packaged()
    lines = [
        "# The treatment centre beside treat-sim 3.0.0",
        "",
        f"Made by `{COMMAND} --write`.",
        "",
        f"* Ours: `treatment_centre`, version {scenario.version}, hash {scenario.hash}, seeds 0 to {REPLICATIONS - 1}.",
        f"* Theirs: {REPLICATIONS:,} runs of the package; see `experiments/validation/data/PROVENANCE.md`.",
        "* Means with 95% intervals, each of the replications in which the KPI was recorded.",
        f"* z: ours less theirs, in combined standard errors. It may be {MOST_ERRORS} at most.",
        "* KS p: of the two-sample Kolmogorov-Smirnov test over the replications. By Holm's procedure none of the",
        f"  {len(KPIS)} tests of a table may reject, at {ALPHA:.0%} for all of them together.",
    ]
    for column in COLUMNS:
        lines += ["", f"## {column.title.capitalize()}", "", "| KPI | theirs | ours | z | KS p | verdict |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | --- |"]
        wanted = published(column)
        for name, row in zip(KPIS, found[column.title], strict=True):
            theirs = mean_interval(wanted[name])
            cells = (
                row.quantity,
                _spread(theirs.mean, theirs.low, theirs.high),
                _spread(row.ours, row.low, row.high),
                f"{row.z:+.2f}",
                row.note.removeprefix("KS p "),
                "agrees" if row.passes else "**differs**",
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _spread(mean: float, low: float, high: float) -> str:
    return f"{mean:.5g} ± {(high - low) / 2:.2g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the committed table up to date")
    options = parser.parse_args(arguments)
    found = {column.title: compare(column, ours(column)) for column in COLUMNS}
    text = report(found)
    print(text, end="")
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(row.passes for rows in found.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
