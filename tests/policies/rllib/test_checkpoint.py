"""Checkpoints: a round trip changes no action, and whatever is wrong is said in one line."""

import json
import time

import numpy as np
import pytest
import ray
import torch
from gymnasium.spaces import Box, Discrete
from ray.rllib.core.columns import Columns

from marl_health.adapters.rllib import masked_space, role_of, with_mask
from policies.rllib.checkpoint import CheckpointError, CheckpointPolicy, read_manifest, save_checkpoint
from policies.rllib.ppo import MaskedPPOModule
from tests.policies.toy_env import ToyEnv


@pytest.fixture
def modules():
    torch.manual_seed(0)
    env = ToyEnv()
    made = {}
    for agent in env.possible_agents:
        space = env.action_space(agent)
        made[role_of(agent)] = MaskedPPOModule(
            observation_space=masked_space(env.observation_space(agent), space),
            action_space=space,
            inference_only=True,
            model_config={"hidden": (32, 32)},
        )
        with torch.no_grad():
            made[role_of(agent)].pi[-1].weight.normal_()  # not the near-uniform start: actions must differ
    return made


@pytest.fixture
def saved(tmp_path, modules):
    save_checkpoint(tmp_path / "checkpoint", modules, {"algorithm": "ppo", "scenario": "toy"})
    return tmp_path / "checkpoint"


def test_round_trip_gives_identical_greedy_actions(saved, modules):
    policy, env = CheckpointPolicy(saved), ToyEnv()
    assert policy.name == "ppo"
    taken = []
    for seed in range(5):
        observations, infos = env.reset(seed=seed)
        policy.reset(env, seed)
        while env.agents:
            actions = policy.act(env, observations, infos)
            assert list(actions) == env.agents
            for agent, action in actions.items():
                mask = infos[agent]["action_mask"]
                assert mask[action]
                row = torch.from_numpy(with_mask(observations[agent], mask, len(mask)))[None]
                out = modules[role_of(agent)].forward_inference({Columns.OBS: row})
                assert action == int(out[Columns.ACTION_DIST_INPUTS].argmax())
            taken.append(tuple(actions.values()))
            observations, _, _, _, infos = env.step(actions)
    assert len(set(taken)) > 5
    assert not ray.is_initialized()


def test_networks_are_not_asked_where_nothing_can_be_decided(saved, monkeypatch):
    policy, env = CheckpointPolicy(saved), ToyEnv()
    observations, infos = env.reset(seed=0)
    policy.reset(env, 0)
    for info in infos.values():
        info["action_mask"] = np.zeros_like(info["action_mask"])
        info["action_mask"][1] = 1
    for module in policy._modules.values():
        monkeypatch.setattr(module, "forward_inference", None)
    assert policy.act(env, observations, infos) == dict.fromkeys(env.agents, 1)


def test_decision_takes_less_than_ten_milliseconds(saved):
    policy, env = CheckpointPolicy(saved), ToyEnv()
    observations, infos = env.reset(seed=0)
    policy.reset(env, 0)
    spent = []
    for _ in range(50):
        start = time.perf_counter()
        policy.act(env, observations, infos)
        spent.append(time.perf_counter() - start)
    assert np.median(spent) < 0.010


def test_saving_again_replaces_the_whole(saved, modules):
    save_checkpoint(saved, modules, {"algorithm": "other"})
    assert read_manifest(saved)["algorithm"] == "other"
    assert [p.name for p in saved.parent.iterdir()] == ["checkpoint"]


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def test_wrong_path(tmp_path):
    with pytest.raises(CheckpointError) as error:
        CheckpointPolicy(tmp_path / "nowhere")
    assert "nowhere" in one_line(error)
    assert "runs/<id>/checkpoint" in one_line(error)
    assert isinstance(error.value, ValueError)


def test_half_written(saved):
    state = next(saved.glob("modules/router/module_state*"))
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"modules/router/module_state.* is damaged"):
        CheckpointPolicy(saved)
    state.unlink()
    with pytest.raises(CheckpointError, match=r"is missing"):
        CheckpointPolicy(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "files": 3}', '{"format": 1, "files": {}}'])
def test_damaged_manifest(saved, text):
    (saved / "checkpoint.json").write_text(text)
    with pytest.raises(CheckpointError) as error:
        CheckpointPolicy(saved)
    assert "damaged manifest" in one_line(error)


def test_format_of_another_version(saved):
    manifest = json.loads((saved / "checkpoint.json").read_text())
    (saved / "checkpoint.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(CheckpointError, match="format 99"):
        CheckpointPolicy(saved)


def test_environment_with_other_roles(saved):
    env = ToyEnv()
    env.possible_agents = ["router_0", "porter_0"]
    env._observation_spaces["porter_0"] = Box(-1, 1, (2,), np.float32)
    env._action_spaces["porter_0"] = Discrete(2)
    with pytest.raises(CheckpointError) as error:
        CheckpointPolicy(saved).reset(env, 0)
    assert "loader, router" in one_line(error)
    assert "porter, router" in one_line(error)


def test_environment_with_other_shapes(saved):
    env = ToyEnv()
    env._observation_spaces["loader_0"] = Box(-1, 1, (3,), np.float32)
    with pytest.raises(CheckpointError) as error:
        CheckpointPolicy(saved).reset(env, 0)
    assert "loader was trained with 2 observed numbers and 2 actions" in one_line(error)
    assert "3 observed numbers" in one_line(error)
