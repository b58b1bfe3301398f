"""Print how much less the difference of two policies varies on the same patients, and why no less than that."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

import numpy as np
from rich.table import Table
from rich.text import Text

import policies
from experiments.pairing.gains import Controls, estimates, gain, shares
from experiments.pairing.played import MEAN_STAY, RETURN, TOTAL_STAY, Played, drawn_at_first, drawn_further, play
from marl_health import Scenario, ScenarioError, load
from orchestration.commands.runs import split_policies
from orchestration.commands.tables import interval, metric_label, number, ratio, seeds_line
from orchestration.evaluation.statistics import paired_difference
from orchestration.output import console
from orchestration.workers import WorkerError, cpus

WANTED = 5.0
"""Least variance ratio of the return and of the total length of stay."""

HARDLY = {("hospital_throughput", "wait"): "constant:imaging_coordinator=call in 1 porter"}
"""By scenario and reference, a policy that hardly differs from it: a porter more at times."""

FEW = 30
"""Replications of that; its ratio is so high that more are not needed."""

FURTHER = 20_000
"""Episodes of which only that is drawn, for the means of the control variates."""

ENOUGH = 20
"""Replications beyond one per control variate, without which a regression on them means little."""


def gains_table(reference: Played, other: Played) -> Table:
    """A row per metric."""
    table = Table()
    for heading in ("metric", "difference ± 95%", f"sd {reference.policy}", f"sd {other.policy}", "correlation"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for heading in ("variance ratio", "95% interval", "at most"):
        table.add_column(heading, justify="right")
    units = {TOTAL_STAY: "h", MEAN_STAY: "h", **reference.simulation.units}

    def row(label: str, a: Sequence[float], b: Sequence[float], style: str) -> None:
        found = gain(a, b)
        cells = [label, interval(paired_difference(b, a)), number(found.sd_reference), number(found.sd_other)]
        cells += [f"{found.correlation:.3f}" if math.isfinite(found.correlation) else "–", ratio(found.ratio)]
        between = f"{ratio(found.low)} to {ratio(found.high)}" if not math.isnan(found.low) else "–"
        table.add_row(*cells, between, ratio(found.most), style=style)

    row(RETURN, reference.values(RETURN), other.values(RETURN), "bold")
    for name, values in reference.terms.items():
        row(f"  of it {name}", values, other.terms[name], "dim")
    for name in (TOTAL_STAY, MEAN_STAY, *reference.simulation.units):
        if name in (TOTAL_STAY, next(iter(reference.simulation.units), "")):
            table.add_section()
        label = metric_label(name, units)
        row(label, reference.values(name), other.values(name), "bold" if name == TOTAL_STAY else "")
    return table


def anatomy(reference: Played, other: Played) -> list[str]:
    """What the variance of the difference in return is made of, in sentences."""
    a, b = np.array(reference.values(RETURN)), np.array(other.values(RETURN))
    whole = float((b - a).var(ddof=1))
    if not whole > 0:
        return ["The difference in return is the same in every replication."]
    spread = float(a.std(ddof=1) - b.std(ddof=1)) ** 2 / whole
    terms = shares(reference.terms, other.terms).items()
    return [
        f"The difference in return has a variance of {number(whole)}. Of it",
        f"  {spread:.0%} is (sd {reference.policy} - sd {other.policy})²: the effect differs from episode to episode, "
        "which no pairing can change,",
        f"  {1 - spread:.0%} is due to a correlation below 1.",
        f"By term: {', '.join(f'{name} {share:.0%}' for name, share in terms if abs(share) >= 0.005)}.",
    ]


def mend(scenario: Scenario, reference: Played, other: Played) -> list[str]:
    """What is gained when the difference in return is adjusted for what each episode draws, in sentences."""
    seeds = reference.simulation.seeds
    values = drawn_at_first(scenario, seeds)
    names = [name for name, found in values.items() if np.ptp(found) > 0]
    if not names or len(seeds) < ENOUGH + len(names):
        return []
    further = drawn_further(scenario, FURTHER)
    controls = Controls.of(*(np.column_stack([drawn[name] for name in names]) for drawn in (values, further)))
    found = estimates(np.array(reference.values(RETURN)), np.array(other.values(RETURN)), controls)
    return [
        f"Control variates: what each episode draws at first, whatever the policy ({', '.join(names)}).",
        "The mean difference in return, from as many replications, with its 95% interval:",
        f"  other patients for each policy   {found.apart.mean:8.1f} ± {found.apart.half:.1f}",
        f"    and control variates           {found.apart_adjusted.mean:8.1f} ± {found.apart_adjusted.half:.1f}",
        f"  the same patients                {found.paired.mean:8.1f} ± {found.paired.half:.1f}",
        f"    and control variates           {found.paired_adjusted.mean:8.1f} ± {found.paired_adjusted.half:.1f}   "
        f"variance ratio, first line to last: {ratio(found.ratio)} ({ratio(found.low)} to {ratio(found.high)})",
    ]


def loss(reference: Played, hardly: Played) -> list[str]:
    """What the pairing itself loses, in sentences."""
    n = len(hardly.stays)
    told = [f"A policy that hardly differs from {reference.policy} ({hardly.policy}; {n} replications):"]
    for name in (TOTAL_STAY, RETURN):
        found = gain(reference.values(name)[:n], hardly.values(name))
        told.append(f"  {name}: variance ratio {ratio(found.ratio)} ({ratio(found.low)} to {ratio(found.high)})")
    return [*told, "If the pairing were lost on the way, these would be low as well."]


def verdicts(reference: Played, other: Played) -> list[str]:
    """Whether what was wanted is reached, in sentences."""
    told = []
    for name in (TOTAL_STAY, RETURN):
        found = gain(reference.values(name), other.values(name))
        word = "too few replications to tell"
        if found.low >= WANTED:
            word = "reached"
        elif found.high < WANTED:
            word = "missed"
        told.append(
            f"{name}: variance ratio {ratio(found.ratio)} ({ratio(found.low)} to {ratio(found.high)}); "
            f"wanted is {WANTED:g}: {word}"
        )
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate two policies on the same patients and print what that gains."""
    parser = argparse.ArgumentParser(prog="python -m experiments.pairing", description=__doc__)
    parser.add_argument(
        "scenario", nargs="?", default="hospital_throughput", help="a packaged scenario's name, or a file"
    )
    parser.add_argument("--policies", default="wait,rule", help="two, joined by a comma; the first is the reference")
    parser.add_argument(
        "--hardly", help="a policy that hardly differs from the reference, to see what the pairing itself loses"
    )
    parser.add_argument("--replications", type=int, default=100, help="at least 2")
    parser.add_argument("--seed", type=int, default=0, help="of the first replication")
    parser.add_argument("--jobs", type=int, default=cpus(), help="processes (default: one per CPU); no result changes")
    options = parser.parse_args(arguments)
    names = split_policies(options.policies)
    if len(names) != 2 or names[0] == names[1]:
        parser.error("--policies needs two different ones, as in wait,rule")
    if options.replications < 2 or options.seed < 0 or options.jobs < 1:
        parser.error("--replications must be at least 2, --seed at least 0 and --jobs at least 1")
    try:
        scenario = load(options.scenario)
        if not scenario.roles:
            parser.error(f"nobody decides in '{scenario.name}', so no two policies differ")
        nearly = options.hardly or HARDLY.get((scenario.name, names[0]))
        for name in (*names, *([nearly] if nearly else [])):
            policies.check(name)
        how = (options.replications, options.seed, options.jobs)
        reference, other = (play(scenario, name, *how) for name in names)
        few = (min(FEW, options.replications), options.seed, options.jobs)
        hardly = play(scenario, nearly, *few) if nearly else None
    except (ScenarioError, policies.PolicyError, WorkerError) as error:
        print(error, file=sys.stderr)
        return 2
    out = console()
    title = f"{scenario.name} (hash {scenario.hash}): {names[1]} against {names[0]}"
    out.print(Text(f"{title}, {seeds_line(reference.simulation.seeds)}", style="bold"))
    out.print(gains_table(reference, other))
    print("variance ratio: variance of the difference if each policy met patients of its own, over that on the same")
    print("at most: the ratio if the two were perfectly correlated, each with the spread that it has\n")
    parts = (
        anatomy(reference, other),
        loss(reference, hardly) if hardly is not None else [],
        mend(scenario, reference, other),
        verdicts(reference, other),
    )
    print("\n\n".join("\n".join(part) for part in parts if part))
    return 0


if __name__ == "__main__":
    sys.exit(main())
