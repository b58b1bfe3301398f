"""What must be better or worse by theory, on the same customers, in random small networks.

Some of it holds for every sequence of arrivals and services, and is asked of each; the rest holds in the mean only,
and is asked of the mean of paired differences, within 3.66 standard errors. The examples are the same on every run.
"""

from itertools import pairwise
from math import ceil
from statistics import fmean, stdev

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.validation import exact
from experiments.validation.table import MOST_ERRORS
from tests.validation.networks import Station, networks, play, stations
from tests.worlds.build import starts

HOURS = 120
TOLERANCE = 1e-6
ORDERS = ("class", {"first": [3, 1]}, {"ageing": {"1": 9, "2": 3, "3": 1}})
FIXTURE = [HealthCheck.function_scoped_fixture]  # a folder for files, which every example may use again
each = settings(max_examples=25, suppress_health_check=FIXTURE)
few = settings(max_examples=4, suppress_health_check=FIXTURE)


def service(network, tmp_path, station, *, order="arrival", extra=0, hours=HOURS, warm_up=0):
    """The network and then one station, with so many extra servers."""
    return network.load(
        tmp_path,
        staff={"server": {"count": station.servers + extra}},
        pathway={"serve": {"use": "server", "queue": "line", "for": station.time, "mark": "served", "next": "out"}},
        queues={"line": {"classes": "acuity", "order": order}},
        gate="serve",
        hours=hours,
        warm_up=warm_up,
        busy={"of": "server.busy_hours"},
    )


def branches(network, tmp_path, left, right, share, *, pooled, hours=HOURS, warm_up=0):
    """The network and then two stations side by side, or one with the servers of both."""
    staff = {"one": {"count": left.servers}, "two": {"count": right.servers}}
    if pooled:
        staff = {"both": {"count": left.servers + right.servers}}
    pathway = {
        name: {"use": "both" if pooled else alone, "for": left.time, "mark": "served", "next": "out"}
        for name, alone in (("left", "one"), ("right", "two"))
    }
    if pooled:
        for step in pathway.values():
            step["queue"] = "line"
    return network.load(
        tmp_path,
        staff=staff,
        pathway=pathway,
        queues={"line": {}} if pooled else {},
        gate={"split": {"left": f"{share}%", "right": "else"}},
        hours=hours,
        warm_up=warm_up,
    )


def begun(game, *steps):
    """When service began, in order of time."""
    return sorted(time for step in steps for times in starts(game, step).values() for time in times)


@st.composite
def split_networks(draw, forms, last, most=0.9):
    """(network, the station on the left, the one on the right, percentage that goes left); both serve alike."""
    network = draw(networks(forms, most=most))
    share = draw(st.integers(20, 80))
    left = draw(stations(network.rate * share / 100, last, most=most))
    offered = network.rate * (1 - share / 100) * left.mean / 60
    right = Station(left.form, left.mean, ceil(offered / draw(st.floats(0.5, most))))
    return network, left, right, share


@st.composite
def single(draw, last, most=0.9):
    """(network, the station that comes last)."""
    network = draw(networks(most=most))
    return network, draw(stations(network.rate, last, most=most))


ANY = ("constant", "exponential", "gamma", "lognormal")
SEEDS = st.integers(0, 10_000)


@each
@given(split_networks(ANY, ("constant",)), SEEDS)
def test_pooling_two_queues_with_constant_service_delays_no_start(tmp_path, drawn, seed):
    """Sequence by sequence: the n-th service begins no later, so less time is spent waiting at every horizon."""
    network, left, right, share = drawn
    apart = play(branches(network, tmp_path, left, right, share, pooled=False), seed)
    pooled = play(branches(network, tmp_path, left, right, share, pooled=True), seed)
    before, after = begun(apart, "left", "right"), begun(pooled, "left", "right")
    assert len(after) >= len(before) > 0
    assert all(new <= old + TOLERANCE for new, old in zip(after, before, strict=False))
    assert pooled.kpis()["hours"] <= apart.kpis()["hours"] + TOLERANCE


@pytest.mark.slow
@few
@given(split_networks(("exponential",), ("exponential",), most=0.85))
def test_pooling_two_queues_shortens_the_mean_wait_by_as_much_as_theory_says(tmp_path, drawn):
    """In the mean: services are exponential, so every station is M/M/c and the difference is known."""
    network, left, right, share = drawn
    rates, mu = (network.rate * share / 100, network.rate * (1 - share / 100)), 60 / left.mean
    apart = sum(
        exact.m_m_c(rate, mu, station.servers).waiting for rate, station in zip(rates, (left, right), strict=True)
    )
    together = exact.m_m_c(network.rate, mu, left.servers + right.servers).waiting
    assert together <= apart
    hours, warm_up = 400, 100
    loaded = [
        branches(network, tmp_path, left, right, share, pooled=pooled, hours=hours, warm_up=warm_up)
        for pooled in (False, True)
    ]
    found = [[play(one, seed, events=False).kpis()["hours"] / hours for seed in range(20)] for one in loaded]
    for waiting, known in zip(found, (apart, together), strict=True):
        assert_mean(waiting, known)
    saved = [single - pooled for single, pooled in zip(*found, strict=True)]
    assert_mean(saved, apart - together)


@each
@given(single(ANY), SEEDS, st.integers(1, 2))
def test_one_more_server_makes_nobody_wait_longer_in_a_fifo_queue(tmp_path, drawn, seed, extra):
    """Customer by customer (Kiefer and Wolfowitz), whatever the distribution: each keeps the service that is theirs."""
    network, station = drawn
    fewer = play(service(network, tmp_path, station), seed)
    more = play(service(network, tmp_path, station, extra=extra), seed)
    before, after = starts(fewer, "serve"), starts(more, "serve")
    assert set(after) >= set(before) and before
    for customer, (start,) in before.items():
        assert after[customer][0] <= start + TOLERANCE
    assert more.kpis()["hours"] <= fewer.kpis()["hours"] + TOLERANCE
    assert more.kpis()["arrived"] == fewer.kpis()["arrived"]


@each
@given(single(("constant",)), SEEDS, st.sampled_from(ORDERS))
def test_an_order_keeps_the_mean_wait_exactly_where_service_is_constant(tmp_path, drawn, seed, order):
    """Sequence by sequence, with any number of servers: services begin at the same moments, whoever is served."""
    network, station = drawn
    plain = play(service(network, tmp_path, station), seed)
    other = play(service(network, tmp_path, station, order=order), seed)
    assert begun(other, "serve") == pytest.approx(begun(plain, "serve"), abs=TOLERANCE)
    assert other.kpis()["hours"] == pytest.approx(plain.kpis()["hours"], rel=1e-9, abs=TOLERANCE)


@each
@given(single(("exponential", "gamma", "lognormal")), SEEDS, st.sampled_from(ORDERS))
def test_an_order_neither_makes_nor_loses_work_of_one_server(tmp_path, drawn, seed, order):
    """Sequence by sequence: one server is busy exactly when there is work, whoever it is for."""
    network, station = drawn
    alone = Station(station.form, round(station.mean / station.servers, 4), 1)
    plain = play(service(network, tmp_path, alone), seed)
    other = play(service(network, tmp_path, alone, order=order), seed)
    assert other.kpis()["busy"] == pytest.approx(plain.kpis()["busy"], rel=1e-9)
    assert idle(other) == pytest.approx(idle(plain), abs=TOLERANCE)


def idle(game):
    """When the one server of the last station stopped and began again, but for gaps of no length."""
    times = [(row[0], row[2]) for row in game.events() if row[3] == "serve" and row[2] != "queue"]
    gaps = [
        (end, begin)
        for (end, kind), (begin, _) in pairwise(times)
        if kind == "resource_use_end" and begin > end + TOLERANCE
    ]
    return [time for gap in gaps for time in gap]


@pytest.mark.slow
@few
@given(single(("exponential", "gamma", "lognormal"), most=0.85), st.sampled_from(ORDERS))
def test_an_order_that_knows_nothing_of_service_times_keeps_the_mean_wait(tmp_path, drawn, order):
    """In the mean, with any number of servers: who is served first gets no other distribution of service."""
    network, station = drawn
    loaded = [service(network, tmp_path, station, order=kind, hours=400) for kind in ("arrival", order)]
    found = [[play(one, seed, events=False).kpis()["hours"] for seed in range(20)] for one in loaded]
    assert_mean([other - plain for plain, other in zip(*found, strict=True)], 0.0)


def assert_mean(values, known):
    error = stdev(values) / len(values) ** 0.5
    assert abs(fmean(values) - known) <= MOST_ERRORS * error, f"{fmean(values):g} ± {error:g}, should be {known:g}"
