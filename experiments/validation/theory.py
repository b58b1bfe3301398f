"""Systems that queueing theory solves: each a scenario in the public language, what it says and what must come out.

How long each runs was fixed beforehand, from the widths of the intervals in trial runs with other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from experiments.validation import exact

FOLDER = Path(__file__).with_name("systems")
MEAN, TAIL = 0.02, 0.05
"""Greatest half-width of the interval as a share of the exact value: of means, and of tails and the lowest class."""

Kpis = Mapping[str, float]


@dataclass(frozen=True)
class Quantity:
    """Something measured, and its exact value.

    Attributes:
        kpi: the KPI that measures it, or a key of the system's ``derived``.
        label: what it is, with its unit.
        value: the exact value, in that unit.
        formula: where the value comes from.
        precise: greatest half-width of the interval, as a share of the value.
        per: what the KPI is divided by to have that unit.
    """

    kpi: str
    label: str
    value: float
    formula: str
    precise: float = MEAN
    per: float = 1.0


@dataclass(frozen=True)
class System:
    """A scenario, what is known of it beforehand, and what theory says.

    Attributes:
        name: of its file in ``systems/``, whose clock says how long a replication runs.
        title: what it is called.
        replications: how many; their seeds are 0, 1, 2, ...
        known: mean of each control variate, by KPI; the number that arrived is per hour.
        quantities: what is compared.
        derived: what is computed from the KPIs of a replication, of which ``clocked`` is its measured hours.
    """

    name: str
    title: str
    replications: int
    known: dict[str, float]
    quantities: tuple[Quantity, ...]
    derived: dict[str, Callable[[Kpis], float]] = field(default_factory=dict)


def _wait(kpi: str, label: str, value: float, formula: str, precise: float = MEAN) -> Quantity:
    """A time, which KPIs give in minutes."""
    return Quantity(kpi, f"{label} (h)", value, formula, precise, per=60.0)


def _m_m_c(name: str, rate: float, servers: int, replications: int, *more: str) -> System:
    value = exact.m_m_c(rate, 1.0, servers)
    optional = {
        "mean_stay": _wait("mean_stay", "mean time inside", value.wait + 1.0, "Erlang C"),
        "p90": _wait("p90", "p90 of the wait", value.p90, "exponential tail", TAIL),
    }
    return System(
        name,
        f"M/M/{servers}, load {rate:g}",
        replications,
        {"arrived": rate, "occupancy": rate / servers},
        (
            Quantity("waited", "share that waits", value.delayed, "Erlang C"),
            _wait("mean_wait", "mean wait", value.wait, "Erlang C"),
            Quantity("mean_length", "mean number waiting", value.waiting, "Erlang C"),
            *(optional[kpi] for kpi in more),
        ),
        {"waited": lambda kpis: 1 - kpis["served_at_once"]},
    )


def _m_g_1(name: str, title: str, rate: float, sd: float, replications: int) -> System:
    value = exact.pollaczek_khinchine(rate, 1.0, sd)
    return System(
        name,
        title,
        replications,
        {"arrived": rate, "occupancy": rate},
        (
            _wait("mean_wait", "mean wait", value, "Pollaczek-Khinchine"),
            Quantity("mean_length", "mean number waiting", rate * value, "Pollaczek-Khinchine"),
        ),
    )


def _classes(name: str, title: str, what: str, values: list[float], rates: list[float], load: float, formula: str,
             replications: int) -> System:  # fmt: skip
    """One quantity for each class; the interval of the last may be wider."""
    label = {"wait": "mean wait", "stay": "mean time inside"}[what]
    last = len(values)
    return System(
        name,
        title,
        replications,
        {f"arrived_{number}": rate for number, rate in enumerate(rates, 1)} | {"occupancy": load},
        tuple(
            _wait(f"{what}_{number}", f"{label}, class {number}", value, formula, TAIL if number == last else MEAN)
            for number, value in enumerate(values, 1)
        ),
    )


def _loss(name: str, title: str, servers: int, load: float, rate: float, lost: str, replications: int) -> System:
    blocked, busy = exact.loss(servers, load)
    return System(
        name,
        title,
        replications,
        {"arrived": rate},
        (
            Quantity(lost, "share turned away", blocked, "Erlang B"),
            Quantity("occupancy", "share of units taken", busy, "Erlang B"),
        ),
    )


def _ward(name: str, title: str, replications: int) -> System:
    beds, load = 16, 10.0
    all_taken, taken = exact.infinite_servers(load, beds)
    return System(
        name,
        title,
        replications,
        {"arrived": 1.0, "present": load},
        (
            Quantity("found_full", "P(more than 15 are there)", all_taken, "Poisson(10)", TAIL),
            Quantity("occupancy", "share of 16 beds taken", taken, "Poisson(10)"),
        ),
        {"present": lambda kpis: kpis["occupancy"] * beds + kpis["in_corridor"]},
    )


def _erlang_a(replications: int) -> System:
    abandons, waiting, busy = exact.erlang_a(10, 2.5, 4, 0.5)
    return System(
        "erlang_a",
        "Erlang A, 4 servers, patience 2 h",
        replications,
        {"arrived": 10},
        (
            Quantity("abandoned", "share that abandons", abandons, "birth and death"),
            Quantity("mean_length", "mean number waiting", waiting, "birth and death"),
            Quantity("occupancy", "utilisation", busy, "birth and death"),
        ),
    )


def _jackson(replications: int) -> System:
    stay, (triage, doctors, laboratory) = exact.jackson(
        [10, 0, 0], [[0, 1, 0], [0, 0, 0.3], [0, 1, 0]], [20, 3, 6], [1, 5, 2]
    )
    return System(
        "jackson",
        "ED as a Jackson network",
        replications,
        {"arrived": 10, "doctor_occupancy": 10 / 0.7 / 15},
        (
            _wait("mean_stay", "mean time inside", stay, "Jackson"),
            Quantity("inside", "mean number inside", 10 * stay, "Jackson"),
            Quantity("triage_length", "mean number waiting, triage", triage, "Jackson"),
            Quantity("doctor_length", "mean number waiting, doctors", doctors, "Jackson", TAIL),
            Quantity("laboratory_length", "mean number waiting, laboratory", laboratory, "Jackson"),
        ),
        {"inside": lambda kpis: kpis["stay_hours"] / kpis["clocked"]},
    )


THREE = ([0.2, 0.3, 0.3], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0])
"""Arrivals, mean and second moment of service of three classes."""
TWO = ([0.3, 0.4], [0.5, 1.5], [0.25, 4.5])
FIVE = [7 * share for share in (0.01, 0.10, 0.45, 0.36, 0.08)]

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        _m_m_c("m_m_1", 0.8, 1, 40, "mean_stay", "p90"),
        _m_m_c("m_m_3", 2.5, 3, 40, "p90"),
        _m_m_c("m_m_10", 9, 10, 40),
        _m_g_1("m_d_1", "M/D/1, load 0.8", 0.8, 0.0, 40),
        _m_g_1("m_e2_1", "M/E2/1, load 0.8", 0.8, 0.5**0.5, 40),
        _m_g_1("m_ln_1", "M/LN/1, load 0.7, sd 1.5", 0.7, 1.5, 40),
        _classes("non_preemptive", "priority, nobody interrupted", "wait", exact.cobham(*THREE), THREE[0], 0.8,
                 "Cobham", 40),
        _classes("non_preemptive_2", "priority, constant and exponential", "wait", exact.cobham(*TWO), TWO[0], 0.75,
                 "Cobham", 40),
        _classes("preemptive_resume", "priority, interrupted and resumed", "stay", exact.preemptive_resume(*THREE),
                 THREE[0], 0.8, "preemptive-resume", 40),
        _classes("acuities", "five acuities, 4 physicians", "wait", exact.cobham_m_m_c(FIVE, 2.0, 4), FIVE, 0.875,
                 "Cobham, M/M/c", 40),
        _loss("loss", "loss, 5 servers, load 3", 5, 3.0, 3.0, "lost", 40),
        _loss("loss_20", "loss, 20 servers, load 15", 20, 15.0, 15.0, "lost", 40),
        _erlang_a(40),
        _jackson(32),
        _ward("ward", "ward M/G/∞, lognormal stays", 30),
        _ward("ward_even", "ward M/G/∞, uniform stays", 30),
        _loss("icu", "ICU, 20 beds, lognormal stays", 20, 4 * 4.74, 4 / 24, "turned_away", 40),
    )
}  # fmt: skip
