"""Policies by name: they do what their names say, only what is legal, and depend on their seeds alone."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

import policies
from marl_health import parallel_env
from policies import rules
from policies.registry import rule_of

CLINIC = Path(__file__).parents[1] / "orchestration" / "clinic.yaml"


@pytest.fixture
def env():
    return parallel_env(CLINIC)


def play(env, policy, seed=3, own_seed=5):
    """Every joint action of an episode; asserts that each was legal and for exactly the live agents."""
    observations, infos = env.reset(seed=seed)
    policy.reset(env, own_seed)
    taken = []
    while env.agents:
        actions = policy.act(env, observations, infos)
        assert list(actions) == env.agents
        assert all(infos[agent]["action_mask"][action] for agent, action in actions.items())
        taken.append(tuple(actions.values()))
        observations, _, _, _, infos = env.step(actions)
    assert all(info["illegal_actions"] == 0 for info in infos.values())
    return taken


def test_wait_waits(env):
    assert set(play(env, policies.make("wait"))) == {(0, 0)}


def test_random_depends_on_its_own_seed_alone(env):
    policy = policies.make("random")
    first = play(env, policy)
    play(env, policy, own_seed=6)
    assert play(env, policy) == first == play(env, policies.make("random"))
    assert play(env, policy, own_seed=6) != first


def test_random_is_uniform_over_the_legal_moves(env):
    policy = policies.make("random")
    env.reset(seed=1)
    policy.reset(env, 0)
    infos = {agent: {"action_mask": [1, 0, 1, 0, 1][: env.action_space(agent).n]} for agent in env.agents}
    counts = Counter(policy.act(env, {}, infos)["front_desk_0"] for _ in range(3000))
    assert counts.keys() == {0, 2, 4}
    # Each count is binomial(3000, 1/3), sd 26: five of them.
    assert all(abs(count - 1000) < 130 for count in counts.values())


def test_constant_repeats_an_action_by_name_or_number_when_it_is_legal(env):
    by_name = play(env, policies.make("constant:manager=call in 1 doctor"))
    assert by_name == play(env, policies.make("constant:manager=1"))
    assert by_name == [(0, 1)] + [(0, 0)] * 5  # a single call is allowed


def test_constants_of_several_roles_are_joined_by_commas(env):
    taken = play(env, policies.make("constant:manager=1, front_desk=set line.order arrival"))
    number = env.action_names("front_desk_0").index("set line.order arrival")
    assert taken[0] == (number, 1)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("constant:manger=1", "no role 'manger'; did you mean 'manager'?"),
        ("constant:manager=call in 2 doctor", "did you mean 'call in 1 doctor'?"),
        ("constant:manager=2", "no action '2'"),
        ("constant:manager=-1", "no action '-1'"),
    ],
)
def test_constants_that_the_scenario_does_not_know_are_told(env, spec, said):
    env.reset(seed=0)
    with pytest.raises(policies.PolicyError) as told:
        policies.make(spec).reset(env, 0)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("ruel", "did you mean 'rule'? (known: wait, random, rule"),
        ("zzz", "there is no policy 'zzz' (known:"),
        ("", "there is no policy ''"),
        ("constant", "did you mean 'constant'?"),
        ("constant:manager", "should read ROLE=ACTION"),
        ("constant:manager=1,manager=2", "named twice"),
        ("runs/none/checkpoint", "there is no checkpoint at 'runs/none/checkpoint'"),
    ],
)
def test_unknown_names_are_told_with_the_known_and_the_nearest(spec, said):
    with pytest.raises(policies.PolicyError) as told:
        policies.make(spec)
    assert said in str(told.value)


def test_the_folder_of_a_run_points_to_its_checkpoint(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "checkpoint.json").write_text("{}")
    with pytest.raises(policies.PolicyError, match=r"did you mean .*checkpoint"):
        policies.check(str(tmp_path))
    policies.check(str(tmp_path / "checkpoint"))


RULE = """
class Rule:
    name = "rule"
    episodes = 0

    def reset(self, env, seed):
        self.episodes += 1
        assert self.episodes == 1, "a rule must not be used twice"

    def act(self, env, observations, infos):
        return {agent: 0 for agent in env.agents}

make = Rule
"""


def test_the_rule_is_found_by_the_scenario_and_made_anew_for_each_episode(env, tmp_path, monkeypatch):
    (tmp_path / "clinic.py").write_text(RULE)
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "policies.rules.clinic", raising=False)
    policy = policies.make("rule")
    assert play(env, policy) == play(env, policy)
    sys.modules.pop("policies.rules.clinic")


def test_a_variant_uses_the_rule_of_what_it_extends():
    variant = SimpleNamespace(name="winter", spec=SimpleNamespace(extends="../cross_workflow/hospital_throughput.yaml"))
    assert rule_of(variant) == "hospital_throughput"


def test_a_scenario_without_a_rule_is_told(env):
    env.reset(seed=0)
    with pytest.raises(policies.PolicyError, match="'clinic' has no reference rule"):
        policies.make("rule").reset(env, 0)


def test_policies_by_name_are_light():
    script = "import sys, policies; policies.make('rule'); policies.make('random'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"torch", "ray", "pandas", "matplotlib", "scipy"} & set(done.stdout.split())
