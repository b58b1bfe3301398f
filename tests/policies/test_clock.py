"""Policies without eyes: the clock-only policy knows nothing but the time, and adversaries are as bad as they say."""

import json
from pathlib import Path

import pytest

import policies
from marl_health import parallel_env
from policies.adversarial import PICKS
from policies.clock import result_file, spelled

CLINIC = Path(__file__).parents[1] / "orchestration" / "clinic.yaml"
FRONT = ["wait", "first waiting[0]", "first waiting[1]", "set line.order class", "set line.order arrival"]


@pytest.fixture
def env():
    return parallel_env(CLINIC)


def play(env, policy, seed=3):
    """Joint actions of an episode, all of them legal, and its return."""
    observations, infos = env.reset(seed=seed)
    policy.reset(env, 5)
    taken, gained = [], 0.0
    while env.agents:
        actions = policy.act(env, observations, infos)
        assert list(actions) == env.agents
        assert all(infos[agent]["action_mask"][action] for agent, action in actions.items())
        taken.append(tuple(actions.values()))
        observations, rewards, _, _, infos = env.step(actions)
        gained += sum(rewards.values()) / len(rewards)
    return taken, gained


def test_the_time_decides(env):
    assert env.action_names("front_desk_0") == FRONT
    blocks = {"12:00": {}, "14:00": {"front_desk": "set line.order arrival"}, "16:30": {"manager": "call in 1 doctor"}}
    taken, _ = play(env, policies.make(spelled(blocks)))  # decisions at 12:00, 13:00, ... 17:00
    assert taken == [(0, 0), (0, 0), (4, 0), (0, 0), (0, 0), (0, 1)]  # an order is set once; one call is allowed


def test_before_the_first_block_the_last_of_the_day_before_holds(env):
    taken, _ = play(env, policies.make(spelled({"13:00": {}, "20:00": {"manager": "call in 1 doctor"}})))
    assert [manager for _, manager in taken] == [1, 0, 0, 0, 0, 0]


def test_one_block_is_a_constant(env):
    actions = {"front_desk": "first waiting[1]", "manager": "call in 1 doctor"}
    constant = "constant:" + ",".join(f"{role}={action}" for role, action in actions.items())
    assert play(env, policies.make(spelled({"00:00": actions}))) == play(env, policies.make(constant))


def test_it_does_not_see_who_is_there(env):
    policy = policies.make(spelled({"00:00": {"manager": "call in 1 doctor"}, "15:00": {}}))
    assert play(env, policy, seed=1)[0] == play(env, policy, seed=2)[0]


def test_what_the_check_found_is_known_by_name(tmp_path):
    file = tmp_path / "clinic.yaml"
    file.write_text(CLINIC.read_text())
    env = parallel_env(file)
    with pytest.raises(policies.PolicyError, match=r"has not been searched for in 'clinic'; run 'marl-health check"):
        play(env, policies.make("clock"))
    result = result_file(env.scenario)
    assert result == tmp_path / "clinic.check.json"
    blocks = {"15:00": {"manager": "call in 1 doctor"}}
    result.write_text(json.dumps({"hash": env.scenario.hash, "clock": {"blocks": blocks}}))
    expected = play(env, policies.make(spelled(blocks)))
    assert play(env, policies.make("clock")) == expected == play(env, policies.make(f"clock:{result}"))
    result.write_text(json.dumps({"hash": "0", "clock": {"blocks": blocks}}))
    with pytest.raises(policies.PolicyError, match="was found for another state of 'clinic'"):
        play(env, policies.make("clock"))


def test_results_of_packaged_scenarios_lie_together():
    scenario = parallel_env("hospital_throughput").scenario
    assert result_file(scenario).parts[-3:] == ("scenarios", "checks", "hospital_throughput.json")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("clock:nowhere.json", "nowhere.json cannot be read"),
        ("clock:{", "write "),
        ("clock:{}", "no block"),
        ('clock:{"6": {}}', "a time of the day such as 06:00, not '6'"),
        ('clock:{"25:00": {}}', "not '25:00'"),
        ("clocks", "did you mean 'clock'?"),
        ("adversarial:spry", "did you mean 'spray'?"),
        ("adversarial", "did you mean 'adversarial'?"),
    ],
)
def test_slips_are_told_before_anything_runs(spec, said):
    with pytest.raises(policies.PolicyError) as told:
        policies.check(spec)
    assert said in str(told.value)


def test_a_file_without_a_timetable_is_told(tmp_path):
    file = tmp_path / "other.json"
    file.write_text("{}")
    with pytest.raises(policies.PolicyError, match="holds none; name a file that 'marl-health check' wrote"):
        policies.check(f"clock:{file}")


def test_a_role_that_is_not_there_is_told(env):
    env.reset(seed=0)
    with pytest.raises(policies.PolicyError, match="did you mean 'manager'"):
        policies.make(spelled({"00:00": {"manger": "wait"}})).reset(env, 0)


def test_adversaries_do_as_their_names_say():
    env = parallel_env("hospital_throughput", max_cycles=60)
    names = {agent: env.action_names(agent) for agent in env.possible_agents}

    def done(way):
        """Names of all actions taken, in two and a half days, by agent."""
        taken, _ = play(env, policies.make(f"adversarial:{way}"))
        return {agent: [names[agent][joint[number]] for joint in taken] for number, agent in enumerate(names)}

    assert PICKS.keys() == {"spray", "expensive", "highest", "refuse", "last_slot"}
    spent = done("expensive")
    assert spent["bed_manager_0"][:2] == ["set medical_bed.extra +16", "call in 1 hospitalist"]
    assert set(spent["theatre_manager_0"]) == {"call in 1 surgical_team", "wait"}
    assert spent["ed_coordinator_0"][:4] == ["call in 2 ed_physician"] * 3 + ["wait"]  # three calls are allowed
    refused = done("refuse")
    for agent, sent in (
        ("ed_coordinator_0", "send to fast_track waiting_patients[0]"),
        ("theatre_manager_0", "send to cancelled waiting_cases[0]"),
        ("imaging_coordinator_0", "send to put_off booked_scans[0]"),
    ):
        assert set(refused[agent]) == {sent, "wait"}, agent  # the first in the list, out of the hospital if that can be
    raised = done("highest")
    assert {"set ed_bay.reserve 6", "set doctor_queue.order shortest"} <= set(raised["ed_coordinator_0"])
    assert not {"set ed_bay.reserve 3", "set doctor_queue.order ageing"} & set(raised["ed_coordinator_0"])
    last = done("last_slot")
    for agent, listed in (("theatre_manager_0", "waiting_cases"), ("imaging_coordinator_0", "waiting_scans")):
        assert {name.partition("[")[0] for name in last[agent]} == {f"first {listed}", "wait"}, agent
        assert len(set(last[agent])) > 2, "the last stands in another slot when more are there"
    assert set(last["ed_coordinator_0"]) == {"wait"}, "no move of the coordinator's says who is first"
    sprayed = done("spray")
    assert all(len(set(actions)) > 3 for actions in sprayed.values())
    assert sprayed["ed_coordinator_0"][0] != "wait"


def test_the_dearest_order_is_expensive():
    """40 red cells cost a little more than 16 platelets, of which each costs more than twice as much."""
    env = parallel_env("supply_chain_inventory", max_cycles=8)
    names = env.action_names("blood_bank_0")
    taken, _ = play(env, policies.make("adversarial:expensive"))
    orders = [names[number] for (number,) in taken]
    assert orders[:5] == [*["order red_cells 40"] * 3, *["order platelets 16"] * 2]


def test_spraying_depends_on_its_own_seed_alone(env):
    policy = policies.make("adversarial:spray")
    assert play(env, policy) == play(env, policies.make("adversarial:spray"))
