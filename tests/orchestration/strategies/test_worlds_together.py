"""Worlds side by side, as each strategy joins them."""

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from marl_health import HealthParallelEnv
from marl_health.envs.joined import JoinedEnv, own_name, world_of
from marl_health.spec.components import COMPONENTS
from orchestration.strategies import STRATEGIES, StrategyError, make_strategy
from orchestration.strategies.base import AGENT, names_of
from orchestration.strategies.hierarchical import EVERY, Coordinator, Weighed
from tests.orchestration.strategies.worlds import FILES, STEPS, joined, scenarios, waits


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_a_parallel_environment(strategy):
    env = joined(strategy)
    parallel_api_test(env, num_cycles=120)
    observations, infos = env.reset(seed=3)
    assert list(observations) == env.possible_agents == list(infos)
    for agent, seen in observations.items():
        assert env.observation_space(agent) is env.observation_space(agent)
        assert env.observation_space(agent).contains(seen)
        assert infos[agent]["action_mask"].shape == (env.action_space(agent).n,)
    assert env.state().shape == env.state_space.shape


def test_a_world_is_played_as_it_is_alone():
    env = joined()
    alone = {name: HealthParallelEnv(scenario) for name, scenario in scenarios().items()}
    observations, infos = env.reset(options={"seeds": {"clinic": 5, "walk_in": 6}})
    own = {name: world.reset(seed=seed) for (name, world), seed in zip(alone.items(), (5, 6), strict=True)}
    rng, lengths = np.random.default_rng(0), dict.fromkeys(alone, 0)
    while env.agents:
        live = {world_of(agent) for agent in env.agents}
        actions = {a: int(rng.choice(np.flatnonzero(infos[a]["action_mask"]))) for a in env.agents}
        observations, rewards, _, truncations, infos = env.step(actions)
        for name in live:
            lengths[name] += 1
            seen, paid, _, cut, told = alone[name].step(
                {own_name(a): m for a, m in actions.items() if world_of(a) == name}
            )
            for agent in paid:
                full = f"{name}.{agent}"
                np.testing.assert_array_equal(observations[full], seen[agent])
                assert (rewards[full], truncations[full]) == (paid[agent], cut[agent])
                np.testing.assert_array_equal(infos[full]["action_mask"], told[agent]["action_mask"])
        assert {world_of(agent) for agent in rewards} == live, "only those who are there are paid"
    assert lengths == STEPS and own


def test_worlds_have_other_patients_than_each_other_and_training_keeps_to_its_own():
    walk_in = scenarios()["walk_in"]
    twins = JoinedEnv({"one": HealthParallelEnv(walk_in), "two": HealthParallelEnv(walk_in)})

    def first_day(**how):
        twins.reset(**how)
        for _ in range(30):
            twins.step(waits(twins))
        return [twins.worlds[name].conservation() for name in ("one", "two")]

    one, two = first_day(seed=2**31 + 7)
    assert one != two and first_day(seed=2**31 + 7) == [one, two]
    one, two = first_day(options={"seeds": {"one": 4, "two": 4}})
    assert one == two
    with pytest.raises(ValueError, match="every world needs one, and no other; look at three, two"):
        twins.reset(options={"seeds": {"one": 4, "three": 4}})

    from marl_health.envs.joined import _other

    assert all(2**31 <= _other(seed, k) < 2**32 for seed in (2**31, 2**32 - 1) for k in range(50))
    assert all(0 <= _other(seed, k) < 2**31 for seed in (0, 2**31 - 1) for k in range(50))
    assert len({_other(2**31, k) for k in range(50)}) == 50


def test_names_of_worlds():
    assert names_of(["a", "b", "a", "a"]) == ["a", "b", "a_2", "a_3"]
    with pytest.raises(ValueError, match="no world to join"):
        JoinedEnv({})
    with pytest.raises(ValueError, match=r"'a\.b' cannot name a world"):
        JoinedEnv({"a.b": HealthParallelEnv(FILES["clinic"])})


def test_an_unknown_strategy_is_told_with_the_nearest():
    with pytest.raises(StrategyError, match="there is no strategy 'cordinated'; did you mean 'coordinated'"):
        make_strategy("cordinated")


# ------------------------------------------------------------ coordinated
def test_a_coordinated_team_is_paid_what_all_worlds_gain():
    env, plain = joined("coordinated"), joined()
    for each in (env, plain):
        each.reset(seed=11)
    different = 0
    while env.agents:
        actions = waits(env, **{"clinic.manager_0": 1})
        _, paid, _, _, infos = env.step(actions)
        _, own, _, _, plain_infos = plain.step(actions)
        by_world = {world_of(a): [own[b] for b in own if world_of(b) == world_of(a)] for a in own}
        team = sum(sum(rewards) / len(rewards) for rewards in by_world.values())
        assert all(reward == pytest.approx(team) for reward in paid.values())
        different += any(own[agent] != paid[agent] for agent in own)
        for agent, info in infos.items():
            assert info["reward_financial"] == plain_infos[agent]["reward_financial"], "info is of the own world"
    assert different == STEPS["clinic"], "one world alone is the team"
    assert (
        make_strategy("coordinated").share("role") == "shape" and make_strategy("independent").share("role") == "role"
    )


# ------------------------------------------------------------ hierarchical
def test_weights_are_seen_and_pay_from_the_next_decision_on():
    env = Weighed(HealthParallelEnv(FILES["walk_in"]))
    assert env.components == ("efficiency", "financial", "risk")
    observations, _ = env.reset(seed=2)
    assert all(list(seen[-3:]) == [0, 0, 0] for seen in observations.values())
    paid = {True: 0, False: 0}
    for step in range(48):
        if step == 10:
            env.weigh("efficiency", 1)
            env.weigh("financial", -1)
        observations, rewards, _, _, infos = env.step({"front_desk_0": 0, "manager_0": 1 if step < 20 else 0})
        weighed = step > 10
        for agent, seen in observations.items():
            assert list(seen[-3:]) == ([1, -1, 0] if step >= 10 else [0, 0, 0])
            terms = {name: infos[agent]["reward_" + name] for name in COMPONENTS}
            weights = {"efficiency": 2.0, "financial": 0.5} if weighed else {}
            assert rewards[agent] == pytest.approx(sum(weights.get(name, 1.0) * term for name, term in terms.items()))
            paid[weighed] += terms["efficiency"] != 0
    assert min(paid.values()) > 3, "there was something to weigh before and after"
    observations, _ = env.reset(seed=3)
    assert list(observations["manager_0"][-3:]) == [0, 0, 0], "an episode begins with equal weights"


def test_the_coordinator_moves_every_few_decisions_and_everybody_of_that_world_sees_it():
    env = joined("hierarchical")
    assert isinstance(env, Coordinator)
    observations, infos = env.reset(seed=7)
    names = env.action_names()
    move = names.index("raise walk_in.efficiency")
    changed = []
    for step in range(9):
        free = infos[AGENT]["action_mask"].sum() > 1
        assert free == (step % EVERY == 0) == bool(infos[AGENT]["active"])
        observations, rewards, _, _, infos = env.step(waits(env, **{AGENT: move}))
        changed.append(observations["walk_in.front_desk_0"][-3])
        if "clinic.manager_0" in observations:
            assert not observations["clinic.manager_0"][-3:].any(), "the other world keeps its weights"
        worlds = {world_of(a): infos[a] for a in rewards if a not in (AGENT, "clinic.manager_0")}
        told = [sum(info["reward_" + name] for name in COMPONENTS) for info in worlds.values()]
        if step > 6:  # the clinic, which pays its manager apart, has closed
            assert rewards[AGENT] == pytest.approx(sum(told)), "the coordinator is paid unweighted"
    assert changed == [1] * 9
    assert infos[AGENT]["illegal_actions"] == 8, (
        "between its decisions, and at a weight that is 2 already, it can only wait"
    )
    assert infos[AGENT]["action_mask"][move] == 0


def test_the_coordinator_leaves_with_the_last_world():
    env = joined("hierarchical", walk_in=9)
    env.reset(seed=1)
    counted = 0
    while env.agents:
        assert env.agents[-1] == AGENT
        _, _, terminations, truncations, infos = env.step(waits(env))
        counted += 1
        assert (terminations[AGENT], truncations[AGENT]) == (False, counted == 9)
    assert counted == 9 and infos[AGENT]["elapsed_minutes"] > 0
