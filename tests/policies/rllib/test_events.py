"""Learning where decisions come at events: what the learner gets, in what time it discounts, and that it learns."""

from types import SimpleNamespace

import numpy as np
import pytest
import ray
import torch
from ray.rllib.core.columns import Columns

import marl_health
from policies.rllib.discount import DECISIONS, usual_minutes
from policies.rllib.mappo import mappo_config
from policies.rllib.ppo import masked_ppo_config
from policies.rllib.runner import BatchedEnvRunner
from tests.worlds.build import scenario
from tests.worlds.worlds import INCIDENT


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def runner(config, envs):
    torch.manual_seed(0)
    return BatchedEnvRunner(config=config.env_runners(num_envs_per_env_runner=envs), worker_index=1)


def test_time_is_discounted_where_steps_are_of_different_length():
    for make in (masked_ppo_config, mappo_config):
        assert make(str(INCIDENT)).gamma_minutes == 480 / DECISIONS
        assert make("two_ed_diversion").gamma_minutes is None
    assert masked_ppo_config(str(INCIDENT)).training(gamma_minutes=None).gamma_minutes is None
    assert usual_minutes(SimpleNamespace()) is None


def test_everybody_is_in_every_step_and_those_not_asked_wait():
    """The runner's episodes hold each step of each agent, with its minutes and rewards, however few were asked."""
    env = marl_health.parallel_env(INCIDENT)
    made = runner(masked_ppo_config(str(INCIDENT)), 2)
    for episode in made.sample(num_episodes=2, explore=True):
        assert episode.is_terminated and not episode.is_truncated, "the world ended, not the time"
        lengths = {len(one) for one in episode.agent_episodes.values()}
        assert len(lengths) == 1
        waits = 0
        for agent, one in episode.agent_episodes.items():
            count = len(env.action_names(agent))
            free = one.get_observations()[:-1, -count:].sum(-1) > 1
            assert not one.get_actions()[~free].any()
            logp = one.get_extra_model_outputs(Columns.ACTION_LOGP)
            np.testing.assert_allclose(logp[~free], 0.0, atol=1e-6)
            waits += int((~free).sum())
            minutes = [info["elapsed_minutes"] for info in one.get_infos()]
            assert minutes[0] == 0 and len({*minutes}) > 10 and max(minutes) <= 45 + 1e-9
        assert waits > lengths.pop()


WHO = {"patient": {"arrive": {"rate": {"per_hour": 20}}, "has": {"ill": {"chance": "50%"}}, "begins": "door"}}
PATHWAY = {
    "door": {"mark": "asks", "next": "hall"},
    "hall": {"wait": "1 min", "next": {"when": [{"if": "ill", "go": "harmed"}, {"else": "home"}]}},
    "sent": {"mark": "opened", "next": {"when": [{"if": "ill", "go": "home"}, {"else": "in_vain"}]}},
    "harmed": {"mark": "harmed", "next": "home"},
    "in_vain": {"mark": "in_vain", "next": "home"},
    "home": {"use": "nurse", "for": "1 min", "next": "gone"},
    "gone": {"leave": "discharged"},
}
AGENTS = {
    "triage": {
        "decides": "asks",
        "sees": ["hour", "in_hall", "nurse.free"],
        "can": [{"choose": "in_hall", "do": {"go": "sent"}}],
    },
    "helper": {
        "decides": "opened",
        "sees": ["hour", "nurse.free"],
        "can": [{"call_in": "nurse", "count": 1, "for": "1 h"}],
    },
}


@pytest.mark.slow
def test_whoever_is_asked_learns_what_to_do(local_ray, tmp_path):
    """Whoever is ill and is not sent is harmed, whoever is well and is sent is sent in vain.

    Always or never to send costs half of the patients, at random too; to send just those who are ill costs only those
    who come together. In between the helper is asked, who matters to nobody, and triage can only wait.
    """
    loaded = scenario(
        tmp_path,
        clock={"episode": "4 h", "decide": {"when": ["asks", "opened"], "together_within": "15 s"}},
        staff={"nurse": {"count": 9}},
        entities=WHO,
        pathway=PATHWAY,
        slots={"in_hall": {"in": "hall", "top": 1, "show": ["ill"]}},
        agents=AGENTS,
        score={
            "clinical": [{"of": "harmed.count", "worth": -1}],
            "efficiency": [{"of": "in_vain.count", "worth": -1}],
        },
    )
    config = masked_ppo_config(str(loaded.file), seed=1).env_runners(num_env_runners=0, num_envs_per_env_runner=4)
    config.training(train_batch_size_per_learner=600, minibatch_size=128, num_epochs=6, lr=3e-3, gamma=0.6, lambda_=0.5)
    algorithm = config.build_algo()
    before = np.mean(algorithm.env_runner.play(range(5)))
    for _ in range(6):
        algorithm.train()
    after = np.mean(algorithm.env_runner.play(range(5)))
    algorithm.stop()
    assert before < -30 and after > 0.4 * before
