"""The report as blocks: what was compared, what came out, how, for whom, and what it cannot say."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping

from orchestration.briefing import pictures
from orchestration.briefing.equity import equity
from orchestration.briefing.glossary import glossary
from orchestration.briefing.summary import FEW, summary
from orchestration.briefing.words import SAME, Shown, certain, heading, metrics_of, plain, policy_words
from orchestration.document.blocks import Block, Bullets, Figure, Heading, Paragraph, Table
from orchestration.document.implementation import command
from orchestration.document.inputs import inputs
from orchestration.evaluation.compare import Comparison
from orchestration.explain import duration

BETTER, WORSE, OPEN = "better", "worse", "no clear difference"


def report(comparison: Comparison, attributes: list[str]) -> list[Block]:
    """The whole report.

    Args:
        comparison: with occupancy; its KPIs were split by all of the attributes.
        attributes: those that the scenario names under ``groups``.
    """
    means = {
        metric: [simulation.estimate(metric).mean for simulation in comparison.simulations.values()]
        for metric in comparison.metrics
    }
    metrics = metrics_of(comparison.scenario, means)
    return [
        Heading(1, f"{heading(comparison.scenario.name)}: what would change under which policy"),
        Heading(2, "In short"),
        Bullets(summary(comparison, metrics)),
        Heading(2, "What was compared"),
        *_compared(comparison),
        Heading(2, "Differences"),
        *_differences(comparison, metrics),
        Heading(2, "How full, how long the queues"),
        *_over_time(comparison),
        Heading(2, "What the managers did"),
        *_moves(comparison),
        Heading(2, "Who fares how"),
        *equity(comparison, attributes, metrics),
        Heading(2, "What this cannot say"),
        Bullets(list(_limits(comparison))),
        Heading(2, "How it was made"),
        *_made(comparison),
        Heading(2, "Words"),
        *glossary(comparison.scenario, metrics),
    ]


def _compared(comparison: Comparison) -> Iterator[Block]:
    scenario, clock = comparison.scenario, comparison.scenario.clock
    first = comparison.simulations[comparison.reference]
    n = len(first.replications)
    yield Paragraph(scenario.description)
    days = n * clock.episode / 1440.0
    most = "at most " if clock.until_gone else ""
    managers = ", ".join(plain(role) for role in scenario.roles)
    when = "whenever there is something to decide" if clock.decide else f"every {duration(clock.decide_every)}"
    yield Paragraph(
        f"Each policy ran this hospital {'once' if n == 1 else f'{n} times'} for {most}{duration(clock.episode)}: "
        f"{most}{days:,.3g} simulated days per policy, {days * len(comparison.simulations):,.3g} in all. Those who "
        f"decide ({managers}) do so {when}. Every policy met the same patients: who comes when, how ill they are and "
        "how long their care takes is the same in replication 1 of every policy, and so on. So a difference is one of "
        "the decisions, not of who happened to come."
    )
    if clock.warm_up or clock.run_out:
        before = f"Each replication begins with {duration(clock.warm_up)} without decisions, which is not counted. "
        after = f"What befalls those who are inside at the end is followed for another {duration(clock.run_out)}."
        yield Paragraph((before if clock.warm_up else "") + (after if clock.run_out else ""))
    rows = [[f"`{name}`", policy_words(name)] for name in comparison.simulations]
    if len(rows) > 1:
        rows[0][1] += " (the others are compared with this one)"
    yield Table(["policy", "what it is"], rows)


def _differences(comparison: Comparison, metrics: Mapping[str, Shown]) -> Iterator[Block]:
    simulations, reference = comparison.simulations, comparison.reference
    if comparison.paired:
        yield Paragraph(
            f"Difference from `{reference}`, replication by replication. The dot is the mean difference, the line its "
            "95% interval; the shaded side is the better one. Where the line crosses 0, it may be luck. Counts, hours "
            f"and money are those of one replication, so of {duration(comparison.scenario.clock.episode)}. What is the "
            f"same in every replication is marked '{SAME}'."
        )
        yield Figure(pictures.differences(comparison, metrics), f"Differences from {reference}, with 95% intervals.")
        rows = []
        for metric in comparison.metrics:
            shown, row = metrics[metric], []
            for by_metric in comparison.paired.values():
                found = by_metric[metric]
                verdict = (BETTER if shown.better(found) else WORSE) if certain(found) else OPEN
                row += [shown.change(found), verdict if found.n > 1 else "–"]
            rows.append([f"{shown.label} ({shown.of_change})" if shown.of_change else shown.label, *row])
        head = [cell for name in comparison.paired for cell in (f"`{name}` minus `{reference}`", "that is")]
        yield Table(["mean difference (95% interval)", *head], rows, numbers=True)
    yield Paragraph("The figures themselves:")
    rows = [
        [metrics[metric].titled, *(metrics[metric].level(each.estimate(metric)) for each in simulations.values())]
        for metric in comparison.metrics
    ]
    yield Table(["mean (95% interval)", *(f"`{name}`" for name in simulations)], rows, numbers=True)


def _over_time(comparison: Comparison) -> Iterator[Block]:
    yield Paragraph("Lines are means over the replications, bands hold eight in ten of them.")
    if any(comparison.occupancy().values()):
        caption = "How full each place is: percent of its capacity taken or being cleaned."
        yield Figure(pictures.fullness(comparison), caption)
    queues = pictures.queues(comparison)
    if queues:
        yield Figure(queues, "How many wait, in the longest queues.")
    else:
        yield Paragraph("Next to nobody waits anywhere, under any policy.")


def _moves(comparison: Comparison) -> Iterator[Block]:
    found = pictures.moves_of(comparison)
    names = list(comparison.simulations)
    drawing = pictures.moves(found, names)
    if not drawing:
        yield Paragraph("Nobody did anything under any of the policies.")
        return
    yield Paragraph("Moves that were possible and made, a day, mean over the replications; to wait is no move.")
    yield Figure(drawing, "Moves a day of each manager.")
    every = {f"{manager}: {move}": row for manager, rows in found.items() for move, row in rows.items()}
    rows = [[move, *(f"{row.get(name, 0.0):.2f}" for name in names)] for move, row in every.items() if row]
    yield Table(["moves a day", *(f"`{name}`" for name in names)], rows, numbers=True)
    never = {manager: [move for move, row in rows.items() if not row] for manager, rows in found.items()}
    if any(never.values()):
        yield Paragraph("Never made under any of the policies:")
        yield Bullets([f"{manager}: {'; '.join(unused)}" for manager, unused in never.items() if unused])


def _limits(comparison: Comparison) -> Iterator[str]:
    scenario = comparison.scenario
    n = len(comparison.simulations[comparison.reference].replications)
    every = [row for rows in inputs(scenario.sketch).values() for row in rows if not row.choice]
    assumed = sum(row.assumed for row in every)
    yield (
        f"The hospital is a model. Of {len(every)} numbers that describe it, {len(every) - assumed} come from a source "
        f"and {assumed} are assumptions; `{command('document', scenario)}` lists all of them. How far they are from "
        "the truth no interval shows: the intervals tell of chance within the model only."
    )
    yield (
        f"{n} replication{'s' if n > 1 else ''} show large differences only"
        if n < FEW
        else f"{n} replications show a difference only if it is large against what varies from one to the next"
    ) + ": 'no clear difference' is not 'the same'."
    yield "Differences hold for days and patients like those that were simulated, not for another hospital or season."
    yield "How people take to a new way of working, and what it costs to introduce it, is not in the model."
    yield "Policies see what the scenario lets managers see, always and without error, and are obeyed."
    yield (
        "The overall score weighs harm, time, money and rules as the scenario's author chose; whoever weighs them "
        "otherwise should look at the single indicators."
    )
    if "expected_deaths" in {worth.of for part in scenario.spec.score.__dict__.values() for worth in part or ()}:
        yield (
            "Expected deaths add up the chance of death over all patients. They vary less than the deaths that happen "
            "to occur in so few days, and are the better measure of the two."
        )
    yield "It is a tool for planning, not advice on the care of any patient."


def _made(comparison: Comparison) -> Iterator[Block]:
    scenario = comparison.scenario
    simulation = comparison.simulations[comparison.reference]
    seeds = simulation.seeds
    policies = ",".join(comparison.simulations)
    again = f"{command('report', scenario)} --policies {policies} --replications {len(seeds)} --seed {seeds[0]}"
    yield Table(
        ["", ""],
        [
            ["scenario", f"`{scenario.name}`, version {scenario.version}, hash `{scenario.hash}`"],
            [
                "alternatives",
                ", ".join(f"{name}: {pick}" for name, pick in scenario.chosen.items()) or "none to choose",
            ],
            ["seeds", f"{seeds[0]} to {seeds[-1]}, the same under every policy" if len(seeds) > 1 else str(seeds[0])],
            ["software", f"marl-health {importlib.metadata.version('marl-health')}"],
            ["made by", f"`{again}`, which gives the same figures on any machine and number of processes"],
        ],
    )
