"""Look-ahead plans with what can be known: it decides the same whatever the true future holds, and it helps."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import marl_health
import policies
from marl_health import parallel_env
from orchestration.evaluation.statistics import paired_difference
from policies.lookahead.policy import Budget, LookaheadPolicy
from policies.registry import RulePolicy
from policies.simple import WaitPolicy
from tests.policies.test_named_policies import CLINIC, play

SMALL = Path(__file__).parents[1] / "worlds" / "small_hospital.yaml"
QUICK = Budget(futures=2, horizon=6, candidates=3, every=1)


class Recording(LookaheadPolicy):
    """Look-ahead that remembers what it found out at the last decision."""

    def __init__(self, budget=QUICK):
        super().__init__("recording", budget, (RulePolicy, WaitPolicy))
        self.found = []

    def _advantages(self, env, key, proposal, tried):
        self.found.append(super()._advantages(env, key, proposal, tried))
        return self.found[-1]


class Clairvoyant(Recording):
    """The same, but it looks at what will truly happen."""

    def _future(self, env, key):
        return env.fork()


def decide(policy, env, decision):
    """The choice and everything that was found out for it."""
    policy.reset(env, 5)
    policy._decision = decision
    policy.found = []
    infos = {agent: {"action_mask": env.action_mask(agent)} for agent in env.agents}
    return policy.act(env, {}, infos), policy.found


def env_in_midst(scenario, seed, steps):
    env = parallel_env(scenario)
    env.reset(seed=seed)
    for _ in range(steps):
        env.step({})
    return env


@pytest.mark.parametrize(
    ("scenario", "seed", "steps"),
    [(CLINIC, 1, 2), (CLINIC, 6, 3), (SMALL, 2, 10), (SMALL, 3, 30), ("hospital_throughput", 1003, 90)],
    ids=lambda value: Path(str(value)).stem,
)
def test_the_choice_is_the_same_whatever_the_true_future_holds(scenario, seed, steps):
    env = env_in_midst(scenario, seed, steps)
    worlds = [env, *(env.fork(redraw=key) for key in (900, 901))]
    chosen, found = decide(Recording(), worlds[0], steps)
    assert found[0] and any(any(gains) for gains in found)
    for other in worlds[1:]:
        assert decide(Recording(), other, steps) == (chosen, found)
    foreseen = [decide(Clairvoyant(), world, steps)[1][0] for world in worlds]
    assert foreseen[0] not in foreseen[1:], "who sees the true future finds something else in each"


def test_a_clairvoyant_would_choose_differently_in_different_true_futures():
    choices = []
    for decision in range(1, 5):
        env = env_in_midst(CLINIC, 6, decision)
        worlds = [env.fork(redraw=key) for key in range(900, 906)]
        assert len({str(decide(Recording(), world, decision)[0]) for world in worlds}) == 1
        choices.append({str(decide(Clairvoyant(), world, decision)[0]) for world in worlds})
    assert any(len(chosen) > 1 for chosen in choices)


def test_an_episode_depends_on_its_seeds_alone_and_only_legal_moves_are_made():
    env, name = parallel_env(CLINIC), "lookahead:futures=2,horizon=3,candidates=3,every=1"
    policy = policies.make(name)
    first = play(env, policy)
    play(env, policy, own_seed=6)
    assert play(env, policy) == first == play(env, policies.make(name))
    assert any(any(joint) for joint in first), "where nobody wrote a rule it improves on waiting"


def test_it_acts_in_every_scenario_in_which_somebody_decides():
    for scenario in [loaded for name in marl_health.scenarios() if (loaded := marl_health.load(name)).roles]:
        env = parallel_env(scenario)
        observations, infos = env.reset(seed=2)
        policy = policies.make("lookahead:futures=2,horizon=3,candidates=2,every=1")
        policy.reset(env, 0)
        for _ in range(3):
            actions = policy.act(env, observations, infos)
            assert list(actions) == env.agents
            assert all(infos[agent]["action_mask"][action] for agent, action in actions.items())
            observations, _, _, _, infos = env.step(actions)


def test_the_env_is_left_as_it_is():
    env = env_in_midst(SMALL, 4, 12)
    untouched = env.fork()
    decide(Recording(), env, 0)
    assert [repr(env.step({})[:3]) for _ in range(8)] == [repr(untouched.step({})[:3]) for _ in range(8)]


def test_trials_earn_what_steps_pay():
    env = env_in_midst(SMALL, 4, 40)
    trial = env.fork()
    while env.agents:
        joint = {agent: int(np.flatnonzero(env.action_mask(agent))[-1]) for agent in env.agents}
        assert trial.play(joint) == env.step(joint)[1]
    assert not trial.agents
    with pytest.raises(RuntimeError, match="call reset"):
        trial.play({})


def test_between_decisions_at_which_it_looks_ahead_it_does_what_the_rule_says():
    env = parallel_env("hospital_throughput")
    observations, infos = env.reset(seed=3)
    policy, rule = Recording(Budget(futures=2, horizon=2, candidates=2, every=3)), policies.make("rule")
    policy.reset(env, 0)
    rule.reset(env, 0)
    for decision in range(6):
        policy.found = []
        actions = policy.act(env, observations, infos)
        if decision % 3:
            assert not policy.found and actions == rule.act(env, observations, infos)
        else:
            assert policy.found
        observations, _, _, _, infos = env.step(actions)


def test_every_alternative_has_its_turn():
    """Moves that are no slot lists take turns; of a slot list, one slot at a time."""
    names = {"a_0": ["wait", "go", "stop", "first people[0]", "first people[1]"], "b_0": ["wait", "call"]}
    env = SimpleNamespace(agents=list(names), action_names=names.__getitem__)
    infos = {"a_0": {"action_mask": np.array([1, 1, 0, 1, 1])}, "b_0": {"action_mask": np.array([1, 1])}}
    policy = Recording(Budget(candidates=2))
    turns = [policy._in_turn(env, {"a_0": 0, "b_0": 0}, infos) for _ in range(3)]
    assert turns == [[("a_0", 1), ("a_0", 3)], [("b_0", 1), ("a_0", 1)], [("a_0", 4), ("b_0", 1)]]


def test_one_is_taken_only_if_it_is_clearly_better_in_futures_that_did_not_pick_it(monkeypatch):
    policy = LookaheadPolicy("lookahead", Budget(futures=3), ())
    tried = [("a_0", 1), ("a_0", 2), ("a_0", 3)]

    def better(*told):
        gains = iter(told)
        monkeypatch.setattr(LookaheadPolicy, "_advantages", lambda *args: next(gains))
        chosen = policy._better(None, {}, tried)
        assert not list(gains), "no more is tried than it takes"
        return chosen

    assert better([3.0, 1.0, -1.0], [0.1, 1.0], [-0.1, 1.1], [0.9]) == ("a_0", 2), "the first was best by chance"
    assert better([3.0, 1.0, -1.0], [0.4, 1.0], [0.5, 1.1], [0.6, 0.9]) == ("a_0", 2)
    assert better([3.0, 1.0, -1.0], [0.1, 4.0], [-0.3, -3.9], [0.1]) is None, "the second gains once and loses twice"
    assert better([3.0, -1.0, -1.0], [-0.1]) is None
    assert better([0.0, -1.0, -1.0]) is None, "nothing is better, so nothing more is tried"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lookahead:futures=1", "futures is a whole number, at least 2, not '1'"),
        ("lookahead:horizon=0", "horizon is a whole number, at least 1, not '0'"),
        ("lookahead:horizon=ten", "at least 1, not 'ten'"),
        ("lookahead:depth=3", "'depth=3' should read NAME=NUMBER with one of futures, horizon, candidates, every"),
        ("lookahed", "did you mean 'lookahead'?"),
    ],
)
def test_slips_are_told(spec, said):
    with pytest.raises(policies.PolicyError) as told:
        policies.check(spec)
    assert said in str(told.value)


def test_the_budget_is_read_from_the_name():
    assert Budget.read("futures=3, horizon=12") == Budget(futures=3, horizon=12)
    assert policies.make("lookahead:every=5").budget == Budget(every=5)


def gained(env, policy, seed):
    observations, infos = env.reset(seed=seed)
    policy.reset(env, seed)
    total = 0.0
    while env.agents:
        observations, rewards, _, _, infos = env.step(policy.act(env, observations, infos))
        total += sum(rewards.values()) / len(rewards)
    return total


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "name", "replications"),
    [
        (CLINIC, "lookahead:futures=4,horizon=6,every=1", 12),
        (SMALL, "lookahead:futures=2,horizon=8,candidates=6,every=4", 8),
    ],
    ids=["clinic", "small_hospital"],
)
def test_it_is_better_than_waiting_where_it_starts_from_waiting(scenario, name, replications):
    """Nobody wrote a rule for these: whatever is won is won by looking ahead. The interval is clear of 0."""
    env = parallel_env(scenario)
    policy = policies.make(name)
    ahead = [gained(env, policy, seed) for seed in range(replications)]
    waits = [gained(env, WaitPolicy(), seed) for seed in range(replications)]
    assert paired_difference(ahead, waits).low > 0
