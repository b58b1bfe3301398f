"""The reference rule of the hospital is worth more than doing nothing and than acting at random."""

from __future__ import annotations

import pytest

import marl_health
from orchestration.evaluation.compare import compare

REPLICATIONS = 40


@pytest.mark.slow
def test_rule_beats_wait_and_random_on_the_same_patients() -> None:
    scenario = marl_health.load("hospital_throughput")
    result = compare(scenario, ["rule", "wait", "random"], REPLICATIONS, seed=0).to_json()
    for other in ("wait", "random"):
        assert result["paired"][other]["return"]["high"] < 0, result["paired"][other]["return"]
    for policy in result["policies"].values():
        where = policy["conservation"]
        assert where["arrived"] == where["discharged"] + where["died"] + where["left"] + where["inside"]
