"""Roles of equal shape behind one module: who shares, how it is told for whom it acts, and that it plays both parts."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from ray.rllib.core.columns import Columns

from marl_health.adapters.rllib import with_mask
from policies.rllib.checkpoint import CheckpointError, CheckpointPolicy, save_checkpoint
from policies.rllib.mappo import mappo_config
from policies.rllib.ppo import masked_ppo_config
from policies.rllib.runner import BatchedEnvRunner
from policies.rllib.sharing import modules_of, told
from tests.policies.games import Game
from tests.policies.toy_env import ToyEnv


class Ward(Game):
    """Three roles, two of them of equal shape; `cook` sees less."""

    steps = 3
    shapes: ClassVar = {"nurse_0": (2, 3), "cook_0": (1, 3), "nurse_1": (2, 3), "doctor_0": (2, 3)}

    def begin(self):
        pass

    def play(self, actions):
        return 1.0

    def seen(self):
        return {a: np.full(m, self.t / 10, np.float32) for a, (m, _) in self.shapes.items()}


def test_who_shares():
    apart = {"cook": "cook", "doctor": "doctor", "nurse": "nurse"}
    assert modules_of(Ward(), "role") == apart
    assert modules_of(Ward(), "shape") == {**apart, "doctor": "doctor+nurse", "nurse": "doctor+nurse"}
    assert told(["cook", "doctor+nurse"]) == {"doctor": [1.0, 0.0], "nurse": [0.0, 1.0]}
    with pytest.raises(ValueError, match="'role', 'shape', not 'all'"):
        modules_of(Ward(), "all")


@pytest.mark.parametrize("make_config", [masked_ppo_config, mappo_config])
def test_shared_module_acts_for_both_and_is_told_for_whom(make_config):
    config = make_config("ward", make_env=Ward, share="shape").env_runners(num_envs_per_env_runner=1)
    runner = BatchedEnvRunner(config=config, worker_index=1)
    assert set(runner.module.keys()) == {"cook", "doctor+nurse"}
    (episode,) = runner.sample(num_episodes=1)
    assert {a: e.module_id for a, e in episode.agent_episodes.items()} == {
        "nurse_0": "doctor+nurse",
        "cook_0": "cook",
        "nurse_1": "doctor+nurse",
        "doctor_0": "doctor+nurse",
    }
    second = {a: e.get_observations(1) for a, e in episode.agent_episodes.items()}
    np.testing.assert_allclose(second["doctor_0"], [0.1, 0.1, 1, 0, 1, 1, 1])
    np.testing.assert_allclose(second["nurse_1"], [0.1, 0.1, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(second["cook_0"], [0.1, 1, 1, 1])


def test_shared_module_is_a_policy_of_each_role(tmp_path):
    torch.manual_seed(0)
    config = mappo_config("ward", make_env=Ward, share="shape")
    module = BatchedEnvRunner(config=config, worker_index=1).module
    with torch.no_grad():
        module["doctor+nurse"].pi[-1].weight.normal_()
    made = {"cook": module["cook"], "doctor": module["doctor+nurse"], "nurse": module["doctor+nurse"]}
    save_checkpoint(tmp_path / "checkpoint", made, {"algorithm": "mappo", "told": told(config.policies)})
    policy, env = CheckpointPolicy(tmp_path / "checkpoint"), Ward()
    observations, infos = env.reset(seed=0)
    policy.reset(env, 0)
    actions = policy.act(env, observations, infos)
    for agent, word in {"doctor_0": [1, 0], "nurse_0": [0, 1]}.items():
        row = with_mask(np.concatenate([observations[agent], word]), infos[agent]["action_mask"], 3)
        out = module["doctor+nurse"].forward_inference({Columns.OBS: torch.from_numpy(row)[None]})
        assert actions[agent] == int(out[Columns.ACTION_DIST_INPUTS].argmax())
    with pytest.raises(CheckpointError, match="trained for the roles cook, doctor, nurse"):
        policy.reset(ToyEnv(), 0)
