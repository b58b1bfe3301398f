"""The batched environment runner against RLlib's own: the same episodes, chunks and metrics."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.connectors.env_to_module import FlattenObservations
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.policy.policy import PolicySpec

from marl_health.adapters.rllib import RLlibEnv, role_of
from policies.rllib.ppo import MaskedPPOModule, masked_ppo_config
from policies.rllib.runner import BatchedEnvRunner
from tests.adapters.leaving_env import ENDS, LeavingEnv
from tests.policies.toy_env import STEPS, ToyEnv


def runner(kind, make_env, envs=3, **options):
    torch.manual_seed(0)
    config = masked_ppo_config("toy", make_env=make_env).env_runners(num_envs_per_env_runner=envs, **options)
    made = kind(config=config, worker_index=1)
    torch.manual_seed(1)
    for module in made.module.values():
        with torch.no_grad():
            module.pi[-1].weight.normal_()  # not the near-uniform start: what is done must depend on what is seen
    return made


def assert_same(episode, other):
    assert len(episode) == len(other)
    assert episode.is_terminated == other.is_terminated
    assert episode.is_truncated == other.is_truncated
    assert episode.agent_episodes.keys() == other.agent_episodes.keys()
    for agent, mine in episode.agent_episodes.items():
        theirs = other.agent_episodes[agent]
        assert (mine.is_terminated, mine.is_truncated) == (theirs.is_terminated, theirs.is_truncated)
        assert mine.module_id == theirs.module_id
        np.testing.assert_array_equal(mine.get_observations(), theirs.get_observations())
        np.testing.assert_array_equal(mine.get_actions(), theirs.get_actions())
        np.testing.assert_allclose(mine.get_rewards(), theirs.get_rewards())
        assert mine.get_infos() == theirs.get_infos()
        assert mine.extra_model_outputs.keys() == theirs.extra_model_outputs.keys()
        for key in mine.extra_model_outputs:
            np.testing.assert_allclose(
                mine.get_extra_model_outputs(key), theirs.get_extra_model_outputs(key), rtol=1e-5, atol=1e-6
            )


@pytest.mark.parametrize("make_env", [ToyEnv, *(partial(LeavingEnv, ends) for ends in ENDS)])
def test_episodes_are_those_of_rllib(make_env):
    mine = runner(BatchedEnvRunner, make_env).sample(num_episodes=3, explore=False)
    theirs = runner(MultiAgentEnvRunner, make_env).sample(num_episodes=3, explore=False)
    assert len(mine) == len(theirs) == 3
    for episode, other in zip(mine, theirs, strict=True):
        assert_same(episode, other)


def test_exploring_stores_the_probability_of_what_was_done():
    episodes = runner(BatchedEnvRunner, ToyEnv).sample(num_timesteps=60, explore=True)
    for episode in (s for e in episodes for s in e.agent_episodes.values()):
        logits = torch.from_numpy(episode.get_extra_model_outputs(Columns.ACTION_DIST_INPUTS))
        actions = torch.from_numpy(episode.get_actions())
        expected = torch.log_softmax(logits, -1).gather(1, actions[:, None])[:, 0]
        stored = episode.get_extra_model_outputs(Columns.ACTION_LOGP)
        np.testing.assert_allclose(stored, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_chunks_of_an_episode_fit_together():
    whole = runner(BatchedEnvRunner, ToyEnv, envs=1).sample(num_timesteps=STEPS, explore=False)
    cutting = runner(BatchedEnvRunner, ToyEnv, envs=1)
    parts = [e for _ in range(4) for e in cutting.sample(num_timesteps=5, explore=False)]
    assert len(whole) == 1
    assert [(e.env_t_started, e.env_t, e.is_done) for e in parts] == [
        (0, 5, False),
        (5, 10, False),
        (10, 15, False),
        (15, 20, True),
    ]
    assert len({e.id_ for e in parts}) == 1
    for agent, episode in whole[0].agent_episodes.items():
        joined = [e.agent_episodes[agent] for e in parts]
        actions = np.concatenate([e.get_actions() for e in joined])
        np.testing.assert_array_equal(actions, episode.get_actions())
        for before, after in pairwise(joined):
            np.testing.assert_array_equal(before.get_observations(-1), after.get_observations(0))
    metrics = cutting.get_metrics()
    assert float(metrics["episode_return_mean"]) == pytest.approx(whole[0].get_return())
    assert float(metrics["episode_len_mean"]) == STEPS


def test_metrics_are_those_of_rllib():
    def measured(kind):
        made = runner(kind, ToyEnv)
        made.sample(num_episodes=3, explore=False)
        return made.get_metrics()

    def value(metric):
        return {k: float(v) for k, v in metric.items()} if isinstance(metric, dict) else float(metric)

    mine, theirs = measured(BatchedEnvRunner), measured(MultiAgentEnvRunner)
    for name in (
        "episode_return_mean",
        "episode_return_min",
        "episode_len_mean",
        "agent_episode_returns_mean",
        "module_episode_returns_mean",
        "num_episodes",
        "num_episodes_lifetime",
        "num_env_steps_sampled",
        "num_env_steps_sampled_lifetime",
    ):
        assert value(mine[name]) == pytest.approx(value(theirs[name])), name
    # RLlib counts observations here, a step more per episode; these are steps taken.
    assert value(mine["num_module_steps_sampled"]) == {"router": 2 * 3 * STEPS, "loader": 3 * STEPS}


def test_callbacks_are_called():
    calls = []

    class Telling(RLlibCallback):
        def on_episode_start(self, *, episode, **kwargs):
            calls.append(("start", episode.id_))

        def on_episode_step(self, *, env, env_index, **kwargs):
            calls.append(("step", None))

        def on_episode_end(self, *, episode, env, env_index, prev_episode_chunks, **kwargs):
            assert env.envs[env_index].unwrapped.env.t == STEPS, "the ended episode can still be read"
            calls.append(("end", episode.id_))
            assert len(episode) + sum(map(len, prev_episode_chunks)) == STEPS

    config = masked_ppo_config("toy", make_env=ToyEnv).env_runners(num_envs_per_env_runner=1)
    made = BatchedEnvRunner(config=config.callbacks(Telling), worker_index=1)
    made.sample(num_timesteps=15)
    made.sample(num_timesteps=15)
    kinds = [kind for kind, _ in calls]
    assert kinds == ["start"] + ["step"] * STEPS + ["end", "start"] + ["step"] * 10
    assert calls[0][1] == calls[STEPS + 1][1] != calls[STEPS + 2][1]


def test_play_is_the_greedy_policy_in_just_these_episodes():
    made = runner(BatchedEnvRunner, ToyEnv, envs=2)
    seeds = [7, 8, 9, 7, 10]
    returns = made.play(seeds)
    assert returns[0] == returns[3], "whatever else is in the batch"
    assert len(set(returns)) > 1
    env = RLlibEnv(ToyEnv())
    for seed, expected in zip(seeds, returns, strict=True):
        observations, _ = env.start(seed)
        total = 0.0
        while env.env.agents:
            actions = {}
            for agent, shown in observations.items():
                out = made.module[role_of(agent)].forward_inference({Columns.OBS: torch.from_numpy(shown)[None]})
                actions[agent] = int(out[Columns.ACTION_DIST_INPUTS].argmax())
            observations, rewards, _, _, _ = env.step(actions)
            total += rewards["loader_0"]
        assert expected == pytest.approx(total)


def test_play_disturbs_no_sampling():
    def sampled(interrupted):
        made = runner(BatchedEnvRunner, ToyEnv)
        torch.manual_seed(5)
        first = made.sample(num_timesteps=30)
        if interrupted:
            made.play([1, 2, 3, 4])
        return first + made.sample(num_timesteps=90)

    for episode, other in zip(sampled(True), sampled(False), strict=True):
        assert_same(episode, other)


def test_play_does_not_wait_forever(monkeypatch):
    class Endless(ToyEnv):
        def step(self, actions):
            out = super().step(actions)
            self.t %= STEPS - 1
            return out

    monkeypatch.setattr("policies.rllib.runner.LONGEST", 100)
    with pytest.raises(RuntimeError, match="did not end within 100 steps"):
        runner(BatchedEnvRunner, Endless).play([1])


def test_agents_that_take_turns_are_refused():
    class Turns(ToyEnv):
        def step(self, actions):
            return super().step(dict.fromkeys(self.agents, 0) | actions)

        def _observations(self):
            shown = super()._observations()
            return {a: o for i, (a, o) in enumerate(shown.items()) if i != self.t % 3}

    with pytest.raises(ValueError, match="take turns"):
        runner(BatchedEnvRunner, Turns).sample(num_timesteps=10)


def test_connectors_are_refused():
    with pytest.raises(ValueError, match="no connectors"):
        runner(BatchedEnvRunner, ToyEnv, env_to_module_connector=lambda *_, **__: FlattenObservations())


def test_random_warm_up_is_refused():
    with pytest.raises(ValueError, match="no random warm-up"):
        runner(BatchedEnvRunner, ToyEnv).sample(num_timesteps=5, random_actions=True)


def test_gpus_are_refused():
    with pytest.raises(ValueError, match="on the CPU"):
        runner(BatchedEnvRunner, ToyEnv, num_gpus_per_env_runner=1)


def test_modules_that_change_with_the_episode_are_refused():
    config = masked_ppo_config("toy", make_env=partial(LeavingEnv, ENDS[0]))
    config.multi_agent(
        policies={"one": PolicySpec(), "other": PolicySpec()},
        policy_mapping_fn=lambda agent, episode: "one" if episode is None else "other",
    )
    with pytest.raises(ValueError, match="walker_0 the module 'one' in one episode and 'other' in another"):
        BatchedEnvRunner(config=config, worker_index=1).sample(num_timesteps=5)


def test_recurrent_modules_are_refused():
    class Recurrent(MaskedPPOModule):
        def is_stateful(self):
            return True

    config = masked_ppo_config("toy", make_env=ToyEnv)
    config.rl_module(rl_module_spec=RLModuleSpec(module_class=Recurrent, model_config={"hidden": (4,)}))
    with pytest.raises(ValueError, match="no recurrent modules"):
        BatchedEnvRunner(config=config, worker_index=1)


def test_error_of_the_environment_is_passed_on():
    class Broken(ToyEnv):
        def step(self, actions):
            raise ZeroDivisionError("the ward has no beds")

    with pytest.raises(ZeroDivisionError, match="no beds"):
        runner(BatchedEnvRunner, Broken).apply(lambda r: r.sample(num_timesteps=5))
