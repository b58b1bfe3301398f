"""What every algorithm must do: train on roles of different shape whose agents leave, and act legally by name."""

import subprocess
import sys

import numpy as np
import pytest
import ray
from gymnasium.spaces import Box, Discrete

from policies.registry import make
from policies.rllib.algorithms import ALGORITHMS, AlgorithmError, algorithm_config
from tests.adapters.leaving_env import LeavingEnv
from tests.policies.saving import saves

LEAVES = {"nurse_0": 2, "nurse_1": 5, "doctor_0": 7, "porter_0": 7}
SHAPES = {"nurse": (2, 3), "doctor": (5, 2), "porter": (3, 4)}


class Leaving(LeavingEnv):
    """Roles of different shape, agents that leave, moves that are forced or illegal, which are counted."""

    illegal = 0

    def __init__(self):
        super().__init__([("terminated" if t != 5 else "truncated", t) for t in LEAVES.values()])
        self.possible_agents = list(LEAVES)

    def observation_space(self, agent):
        return Box(-1, 1, (self._shape(agent)[0],), np.float32)

    def action_space(self, agent):
        return Discrete(self._shape(agent)[1])

    def reset(self, seed=None, options=None):
        self.rng = np.random.default_rng(seed)
        super().reset(seed)
        return self._seen(self.agents), self._told(self.agents)

    def step(self, actions):
        before = self.agents
        Leaving.illegal += sum(not self.masks[a][actions[a]] for a in before)
        _, _, terminations, truncations, _ = super().step(actions)
        reward = float(sum(actions.values())) - 2
        told = self._told(before)
        return self._seen(before), dict.fromkeys(before, reward), terminations, truncations, told

    def _told(self, agents):
        self.masks = {}
        for agent in agents:
            self.masks[agent] = np.array(self.rng.random(self._shape(agent)[1]) < 0.5, np.int8)
            self.masks[agent][0] = 1
        return {a: {"action_mask": m} for a, m in self.masks.items()}

    def _seen(self, agents):
        return {a: self.rng.uniform(-1, 1, self._shape(a)[0]).astype(np.float32) for a in agents}

    @staticmethod
    def _shape(agent):
        return SHAPES[agent.split("_")[0]]


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_trains_on_roles_of_any_shape_whose_agents_leave(name, local_ray, tmp_path):
    Leaving.illegal = 0
    config = algorithm_config(name, "leaving", seed=1, make_env=Leaving).env_runners(num_env_runners=0)
    if name in ("ppo", "mappo"):
        config.training(train_batch_size_per_learner=128, minibatch_size=64, num_epochs=2)
    else:
        config.training(learning_starts=50, updates=4, train_batch_size_per_learner=32, target_update=1)
        config.reporting(min_sample_timesteps_per_iteration=200)
    facts = {"algorithm": name, "agents": list(LEAVES)}
    config.callbacks(saves(tmp_path / "checkpoint", facts))
    algorithm = config.algo_class(config=config)
    before = {role: algorithm.get_module(role).get_state() for role in SHAPES}
    algorithm.train()
    result = algorithm.train()
    assert result["env_runners"]["num_episodes_lifetime"] > 10
    for role, weights in before.items():
        after = algorithm.get_module(role).get_state()
        assert all(np.isfinite(w).all() for w in after.values())
        assert any((after[key] != w).any() for key, w in weights.items()), f"{role} has learned nothing"
    assert Leaving.illegal == 0

    policy, env = make(str(tmp_path / "checkpoint")), Leaving()
    assert policy.name == name
    observations, infos = env.reset(seed=0)
    policy.reset(env, 0)
    while env.agents:
        observations, _, _, _, infos = env.step(policy.act(env, observations, infos))
    assert Leaving.illegal == 0


def test_unknown_algorithm_is_an_error_at_once():
    code = """
import sys
from policies.rllib.algorithms import algorithm_config
try:
    algorithm_config("mapo", "hospital_throughput")
except ValueError as error:
    print(error, "ray" in sys.modules, "torch" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "there is no algorithm 'mapo'; did you mean 'mappo'? (known: ppo, mappo, qmix, vdn" in told
    assert told.rstrip().endswith("False False")
    assert issubclass(AlgorithmError, ValueError)
