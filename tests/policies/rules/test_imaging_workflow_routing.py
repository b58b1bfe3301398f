"""Routing by least expected cost: delay, errors and fees."""

import pytest

import policies
from policies.rules.imaging_workflow_routing import READERS, Reader, chance_of_hard, route
from tests.policies.rules.played import differences

NAME = "imaging_workflow_routing"
Z = 3.66


def seen(general=0, neuro=0, algorithm=0, looks_complex=0.0):
    return {
        **{f"{name}_list.waiting": float(count) for name, count in
           (("general", general), ("neuro", neuro), ("algorithm", algorithm))},
        **{f"{name}.free": float(not busy) for name, busy in
           (("general", general), ("neuroradiologist", neuro), ("algorithm", algorithm))},
        "next_study[0]": 1.0, "next_study[0].complex": looks_complex, "next_study[0].waited": 0.0,
    }  # fmt: skip


def chosen(**how):
    return route(Reader.cost, seen(**how), None).split()[2]


def test_what_the_request_says_follows_from_bayes_rule():
    assert chance_of_hard(1.0) == pytest.approx(0.24 / (0.24 + 0.14))
    assert chance_of_hard(0.0) == pytest.approx(0.06 / (0.06 + 0.56))


def test_complex_studies_go_to_the_neuroradiologist_until_the_list_is_long():
    assert chosen(looks_complex=1.0) == "read_by_neuroradiologist"
    assert chosen(looks_complex=1.0, neuro=8) != "read_by_neuroradiologist"
    assert chosen(neuro=1) != "read_by_neuroradiologist"
    assert {reader.step for reader in READERS} >= {chosen(general=1), chosen(algorithm=3, neuro=3)}


@pytest.mark.slow
@pytest.mark.parametrize("other", ["route_by:shortest", "route_by:skill"])
def test_the_world_rewards_whoever_weighs_both(other):
    mean, error = differences(NAME, "rule", other, range(150))
    assert mean > Z * error


def test_slips_are_told():
    with pytest.raises(policies.PolicyError, match="write route_by:skill"):
        policies.make("route_by:age")
