"""Levels of triage: by the algorithm of the Emergency Severity Index, and by what a minute of waiting costs."""

import pytest

import marl_health
import policies
from policies.rules.emergency_triage import COMPLAINT, COMPLAINTS, SHARES, VITAL, VITALS, esi, posterior, weighed
from tests.policies.rules.played import differences

NAME = "emergency_triage"
Z = 3.66


def test_the_algorithm_asks_its_questions_in_order():
    assert [esi(complaint, "normal") for complaint in ("dying", "high_risk", "several", "one", "none")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert esi("several", "danger") == 2 and esi("several", "borderline") == 3 and esi("one", "danger") == 4


def test_the_rule_knows_the_scenario():
    has = marl_health.load(NAME).spec.entities["patient"].has
    for table, name in ((COMPLAINT, "complaint"), (VITAL, "vitals")):
        for need in SHARES:
            row = has[name].shows[str(need)]
            rest = 1 - sum(share for share in row.values() if share != "else")
            told = {seen: rest if share == "else" else share for seen, share in row.items()}
            assert told == pytest.approx({seen: by[need - 1] for seen, by in table.items() if by[need - 1]}, abs=1e-9)
    env = marl_health.parallel_env(NAME)
    assert [sorted(has[name].shows["3"]) for name in ("vitals",)] == [list(VITALS)] and sorted(COMPLAINT) == [
        *COMPLAINTS
    ]
    assert {int(need): share for need, share in has["need"].choice.items()} == SHARES
    assert env.action_names("nurse_0")[5] == "send to room with level 5 next_patient[0]"


def test_what_is_seen_is_weighed_by_bayes_rule():
    chances = posterior("several", "danger")
    assert sum(chances.values()) == pytest.approx(1)
    assert chances[2] / chances[3] == pytest.approx(0.102 * 0.34 * 0.34 / (0.463 * 0.66 * 0.06))
    levels = [weighed("several", vitals) for vitals in ("danger", "borderline", "normal")]
    assert levels == sorted(levels)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["rule", "weighed_triage"])
def test_the_world_rewards_triage(policy):
    mean, error = differences(NAME, policy, "constant:nurse=send to room with level 3 next_patient[0]", range(80))
    assert mean > Z * error


def test_slips_are_told():
    with pytest.raises(policies.PolicyError, match="nothing may stand"):
        policies.make("weighed_triage:2")
