"""Starting from a policy: before any reward, modules do what it did."""

import numpy as np
import pytest
import ray

from policies.base import PolicyError
from policies.rllib.algorithms import algorithm_config
from policies.rllib.checkpoint import CheckpointPolicy
from policies.rllib.cloning import demonstrate, start_from
from tests.policies.saving import saves
from tests.policies.toy_env import STEPS, ToyEnv, best_actions


class Optimal:
    """Knows what the toy hides."""

    name = "optimal"

    def reset(self, env, seed):
        pass

    def act(self, env, observations, infos):
        return best_actions(env)


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_forced_moves_are_not_shown():
    config = algorithm_config("ppo", "toy", make_env=ToyEnv)
    shown = demonstrate(Optimal(), ToyEnv, config, episodes=3)
    assert len(shown["loader"].actions) == 3 * STEPS // 2, "it may prime in even steps only"
    for examples in shown.values():
        masks = examples.rows[:, -(4 if len(examples.rows[0]) == 10 else 2) :]
        assert (masks.sum(-1) > 1).all()
        assert masks[np.arange(len(masks)), examples.actions].all()


@pytest.mark.parametrize("name", ["ppo", "mappo", "sac", "maddpg", "qmix", "dqn"])
def test_learning_starts_with_what_was_shown(name, local_ray, tmp_path):
    config = algorithm_config(name, "toy", seed=1, make_env=ToyEnv).env_runners(num_env_runners=0)
    facts = {"algorithm": name, "agents": ToyEnv().possible_agents, "init": "optimal"}
    config.callbacks(
        [
            start_from(Optimal(), ToyEnv, episodes=24, epochs=40),
            saves(tmp_path / "checkpoint", facts),
        ]
    )
    algorithm = config.algo_class(config=config)
    env, optima = ToyEnv(), []
    for seed in range(40):
        env.reset(seed=seed)
        optima.append(env.optimal_return())
    assert np.mean(algorithm.env_runner.play(range(40))) > 0.97 * np.mean(optima), "a random policy earns about 0"
    if name == "maddpg":
        module = algorithm.learner_group._learner.module["router"]
        for one, other in zip(module.pi.parameters(), module.target_pi.parameters(), strict=True):
            assert (one == other).all(), "the target actor starts there too"
    if name == "qmix":
        module = algorithm.learner_group._learner.module["router"]
        for one, other in zip(module.q.parameters(), module.target_q.parameters(), strict=True):
            assert (one == other).all(), "the target network starts there too"
    if name == "ppo":
        result = algorithm.train()
        assert min(result["init_agreement"].values()) > 0.97
        assert CheckpointPolicy(tmp_path / "checkpoint").name == "ppo from optimal"


def test_unknown_policy_is_an_error_at_once():
    with pytest.raises(PolicyError, match="did you mean 'rule'"):
        start_from("rul", ToyEnv)
