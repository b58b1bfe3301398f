"""What the runner records is, bit for bit, what a plain loop over lists finds, however it is cut into chunks."""

from functools import partial

import numpy as np
import pytest
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import TorchCategorical
from ray.rllib.utils.metrics import WEIGHTS_SEQ_NO
from ray.rllib.utils.torch_utils import FLOAT_MIN

from marl_health.adapters.rllib import RLlibEnv
from policies.rllib.algorithms import algorithm_config
from policies.rllib.choosing import draw
from policies.rllib.recording import FIRST_STEPS, Recording
from policies.rllib.runner import BatchedEnvRunner
from tests.adapters.leaving_env import ENDS, LeavingEnv
from tests.policies.rllib.plain_sampling import plain_sample
from tests.policies.toy_env import ToyEnv

ENVS = 3


def runner(name, make_env, share="role"):
    torch.manual_seed(0)
    config = algorithm_config(name, "recorded", seed=3, make_env=make_env, share=share)
    config.env_runners(num_envs_per_env_runner=ENVS, num_env_runners=0)
    made = BatchedEnvRunner(config=config, worker_index=1)
    torch.manual_seed(1)
    for module in made.module.values():
        for parameter in module.parameters():
            with torch.no_grad():
                parameter.add_(0.1 * torch.randn_like(parameter))
    torch.manual_seed(2)
    return made


def joined(chunks):
    """Chunks of episodes put together, in the order in which they began."""
    episodes = {}
    for chunk in chunks:
        episodes.setdefault(chunk.id_, []).append(chunk)
    return list(episodes.values())


@pytest.mark.parametrize("name", ["ppo", "mappo", "qmix"])
@pytest.mark.parametrize("make_env", [ToyEnv, *(partial(LeavingEnv, ENDS[i]) for i in (2, 4, 5, 7))])
def test_is_that_of_a_plain_loop(name, make_env):
    rounds = [5, 1, 40, FIRST_STEPS + 20, 2]
    if name == "qmix" and make_env is not ToyEnv:
        rounds = rounds[:3]
    made = runner(name, make_env)
    chunks = [chunk for n in rounds for chunk in made.sample(num_timesteps=n * ENVS, explore=True)]
    made = runner(name, make_env)
    envs = [env.unwrapped for env in made.env.envs]
    # The algorithm would tell the runner what all have sampled; without one each call counts from 0.
    lifetimes = [i * ENVS for n in rounds for i in range(n)]
    told = plain_sample(made.module, envs, lambda agent: made.config.policy_mapping_fn(agent, None), lifetimes)
    expected = [episode for episodes in told for episode in episodes if episode.actions]
    found = joined(chunks)
    assert len(found) == len(expected) and sum(map(len, chunks)) == sum(rounds) * ENVS
    unmatched = list(expected)
    for parts in found:
        whole = next(e for e in unmatched if _same(parts, e))
        unmatched.remove(whole)


def _same(parts, told):
    """Whether these chunks hold just what was told."""
    for agent in told.actions:
        own = [part.agent_episodes[agent] for part in parts if agent in part.agent_episodes]
        actions = np.concatenate([part.get_actions() for part in own])
        rewards = np.concatenate([part.get_rewards() for part in own])
        seen = np.concatenate(
            [part.get_observations(slice(0, len(part))) for part in own] + [own[-1].get_observations([-1])]
        )
        infos = [info for part in own for info in part.get_infos(slice(0, len(part)))] + [own[-1].get_infos(-1)]
        same = actions.tolist() == told.actions[agent] and rewards.tolist() == told.rewards[agent]
        same = same and len(infos) == len(told.infos[agent])
        if not (
            same
            and all(map(_alike, infos, told.infos[agent]))
            and np.array_equal(seen, np.stack(told.observations[agent]))
        ):
            return False
        for key in own[0].extra_model_outputs.keys() - {WEIGHTS_SEQ_NO}:
            said = np.concatenate([part.get_extra_model_outputs(key) for part in own])
            np.testing.assert_array_equal(said, np.stack([out[key] for out in told.outputs[agent]]))
    return True


def _alike(info, other):
    return info.keys() == other.keys() and all(np.array_equal(info[key], other[key]) for key in info)


def test_agents_that_share_a_module_see_alike():
    class Uneven(ToyEnv):
        def observation_space(self, agent):
            return ToyEnv().observation_space("loader_0" if agent == "router_1" else agent)

        def _observations(self):
            shown = super()._observations()
            return {**shown, "router_1": shown["loader_0"]}

    recording = Recording([RLlibEnv(Uneven())], lambda agent: agent.split("_")[0])
    with pytest.raises(ValueError, match=r"router_1 observes an array of shape \(6,\).*'router' one of \(10,\)"):
        recording.begin(0, RLlibEnv(Uneven()).start(1))


@pytest.mark.parametrize("actions", [1, 2, 5, 19, 70])
@pytest.mark.parametrize("rows", [1, 3, 16, 100])
def test_a_draw_is_that_of_rllib(actions, rows):
    torch.manual_seed(actions)
    logits = 3 * torch.randn(rows, actions)
    logits[:, 1:][torch.rand(rows, actions - 1) < 0.4] = FLOAT_MIN
    torch.manual_seed(4)
    distribution = TorchCategorical.from_logits(logits)
    expected = distribution.sample()
    after = torch.rand(1)
    torch.manual_seed(4)
    chosen, logp = draw(logits)
    assert torch.equal(chosen, expected) and torch.equal(logp, distribution.logp(expected))
    assert torch.equal(torch.rand(1), after), "as many random numbers are used"


def test_a_module_that_has_diverged_is_told():
    made = runner("ppo", ToyEnv)
    with torch.no_grad():
        made.module["loader"].pi[-1].bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="learning has diverged"):
        made.sample(num_timesteps=3, explore=True)


def test_what_modules_say_may_change_with_exploring():
    made = runner("qmix", ToyEnv)
    for explore in (True, False, True):
        chunk, *_ = made.sample(num_timesteps=6, explore=explore)
        outputs = chunk.agent_episodes["loader_0"].extra_model_outputs
        assert (Columns.ACTION_DIST_INPUTS in outputs) is not explore
