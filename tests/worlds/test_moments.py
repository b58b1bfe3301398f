"""KPIs of moments and of sites: when something first happened, the busiest hour, the spread between sites."""

import math

import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, play, scenario

CLOCK = {"starts": "Monday 01:00", "warm_up": "1 h", "episode": "12 h", "decide_every": "1 h"}
PATHWAY = {"wait": {"wait": "5 min", "mark": "came", "next": "home"}, "home": {"leave": "discharged"}}


def kpis(tmp_path, kpis, *times, **parts):
    loaded = scenario(
        tmp_path,
        **{"clock": CLOCK, "pathway": PATHWAY, **parts},
        entities={"patient": {"arrive": comes(*times), "begins": "wait"}},
        kpis=kpis,
    )
    return play(loaded).kpis()


MOMENTS = {"first": {"of": "came.first"}, "peak": {"of": "came.peak"}, "load": {"of": "came.peak", "per": 4}}


def test_the_first_moment_counts_from_the_first_decision_and_the_peak_is_of_any_hour(tmp_path):
    found = kpis(tmp_path, MOMENTS, "00:30", "01:40", "02:30", "02:39", "02:41", "05:00")
    assert found == {"first": pytest.approx(40), "peak": 3.0, "load": 0.75}


def test_an_hour_does_not_hold_both_its_ends(tmp_path):
    assert kpis(tmp_path, MOMENTS, "02:00", "03:00")["peak"] == 1.0


def test_what_never_happened_has_no_first_moment(tmp_path):
    found = kpis(tmp_path, MOMENTS, "00:30")
    assert math.isnan(found["first"]) and found["peak"] == 0.0


WARD = {"door": {"move_to": "bed", "next": "stay"}, "stay": {"stay": "6 h", "next": "home"}}


def wards(tmp_path, kpi):
    """Two wards of two beds; the first has one patient for six of twelve hours, the second nobody."""
    return scenario(
        tmp_path,
        clock={"starts": "Monday 01:00", "episode": "12 h", "decide_every": "1 h"},
        sites={"north": {"like": "ward"}, "south": {"like": "ward"}},
        templates={"ward": {"places": {"bed": {"count": 2}}, "pathway": WARD}},
        entities={"patient": {"arrive": comes("02:00"), "at": "north", "begins": "start"}},
        pathway={"start": {"next": "ward.door"}, "home": {"leave": "discharged"}},
        kpis={"unlike": kpi},
    )  # fmt: skip


def test_the_spread_is_the_largest_difference_between_sites(tmp_path):
    found = play(wards(tmp_path, {"of": "ward.bed.occupancy", "spread": "yes"})).kpis()
    assert found == {"unlike": pytest.approx(6 / 24)}


def test_a_spread_needs_sites(tmp_path):
    with pytest.raises(ScenarioError, match="has no spread over sites; write TEMPLATE"):
        wards(tmp_path, {"of": "north.bed.occupancy", "spread": "yes"})
