"""Forced moves carry no weight in learning, and time may be discounted: both against returns worked out by hand."""

import numpy as np
import pytest
import ray
from ray.rllib.core.columns import Columns
from ray.rllib.evaluation.postprocessing import Postprocessing
from ray.rllib.utils.postprocessing.value_predictions import compute_value_targets

from policies.rllib.algorithms import algorithm_config
from policies.rllib.discount import DISCOUNT, discounts
from policies.rllib.joint.decisions import decisions
from policies.rllib.joint.replay import COUNTS, NEXT_ALIVE, TEAM, JointReplay
from policies.rllib.joint.rows import rows_of
from policies.rllib.mappo import mappo_config
from policies.rllib.ppo import MaskedPPO, masked_ppo_config
from policies.rllib.ppo.advantages import advantages
from policies.rllib.runner import BatchedEnvRunner
from policies.rllib.scale import ReturnScale
from tests.policies.games import Game, TwoSteps
from tests.policies.toy_env import ToyEnv


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def no(n):
    return np.zeros(n, bool)


def test_advantages_by_hand():
    """A decision, two forced moves, a decision, the end of the chunk; rewards 1, 2, 4, 8; discount 1/2; trace 0.5."""
    values = np.array([10.0, 99.0, -99.0, 6.0, 20.0])
    rewards = np.array([1.0, 2.0, 4.0, 8.0, 0.0])
    free = np.array([True, False, False, True, False])
    cut = np.array([False, False, False, True, False])
    found, targets = advantages(values, rewards, np.full(5, 0.5), free, no(5), cut, 0.5)
    second = 8 + 0.5 * 20 - 6  # 12
    # 1 + 2/2 + 4/4 + 6/8 - 10 = -6.25, and 1/8 of what comes after, which fades once
    first = -6.25 + 0.5 * second / 8
    assert found[[0, 3]] == pytest.approx([first, second])
    assert targets[[0, 3]] == pytest.approx([10 + first, 6 + second])
    values[1:3] = 1e9
    again, _ = advantages(values, rewards, np.full(5, 0.5), free, no(5), cut, 0.5)
    np.testing.assert_array_equal(found[[0, 3]], again[[0, 3]], err_msg="what forced moves are worth is never asked")


def test_full_trace_is_the_discounted_return():
    rng = np.random.default_rng(0)
    n = 40
    rewards, discount, values = rng.normal(size=n), rng.uniform(0.5, 1, n), rng.normal(size=n)
    free, ends = rng.random(n) < 0.4, no(n)
    ends[-2] = True
    _, targets = advantages(values, rewards, discount, free, ends, no(n), 1.0)
    tail, returns = 0.0, {}
    for t in reversed(range(n - 1)):
        tail = rewards[t] + discount[t] * tail
        returns[t] = tail
    for t in np.flatnonzero(free[:-1]):
        assert targets[t] == pytest.approx(returns[t], rel=1e-5)


def test_without_forced_moves_advantages_are_those_of_rllib():
    rng = np.random.default_rng(1)
    n = 60
    values, rewards = rng.normal(size=n).astype(np.float32), rng.normal(size=n).astype(np.float32)
    ends, cut = no(n), no(n)
    ends[18] = cut[38] = cut[58] = True  # rows 19, 39 and 59 are where chunks led to
    real = np.ones(n, bool)
    real[[19, 39, 59]] = False
    theirs = compute_value_targets(values, rewards * real, ends, cut, gamma=0.9, lambda_=0.8)
    _, mine = advantages(values, rewards * real, np.full(n, 0.9), real, ends, cut, 0.8)
    np.testing.assert_allclose(mine[real], theirs[real], rtol=1e-5, atol=1e-5)


def test_discount_by_time():
    told = [{"elapsed_minutes": m} for m in (0.0, 30.0, 60.0, 240.0)]
    np.testing.assert_allclose(discounts(told, 0.81, 60.0), [1.0, 0.9, 0.81, 0.81**4], rtol=1e-6)
    np.testing.assert_allclose(discounts(told, 0.81, None), [0.81] * 4, rtol=1e-6)
    with pytest.raises(KeyError, match=r"elapsed_minutes.*gamma_minutes"):
        discounts([{}], 0.9, 60.0)


def test_scale_discounts_each_step_as_it_is_told():
    scale = ReturnScale()
    scale.update(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.25, 0.9]))
    assert scale.value == pytest.approx(np.std([1 + 0.5 * 3, 2 + 0.25 * 4, 4]))


class Shifts(Game):
    """Steps of 10, 20, 30, 40 minutes; the clerk decides at the first and third, the guard never, the boss always.

    Step t pays 2 ** t.
    """

    steps = 4
    terminates = True
    shapes = {"boss_0": (2, 2), "clerk_0": (2, 2), "guard_0": (2, 2)}
    minutes = (10.0, 20.0, 30.0, 40.0)

    def begin(self):
        pass

    def play(self, actions):
        return 2.0**self.t

    def mask(self, agent):
        may = {"boss_0": True, "clerk_0": self.t % 2 == 0, "guard_0": False}[agent]
        return np.array([1, may], np.int8)

    def step(self, actions):
        elapsed = self.minutes[self.t]
        *out, infos = super().step(actions)
        return *out, {agent: info | {"elapsed_minutes": elapsed} for agent, info in infos.items()}

    def seen(self):
        return {a: np.array([self.t, 1], np.float32) for a in self.possible_agents}


def batch_of(make_config, **training):
    config = make_config("shifts", make_env=Shifts).env_runners(num_envs_per_env_runner=2)
    config.training(**training)
    runner = BatchedEnvRunner(config=config, worker_index=1)
    learner = config.build_learner(env=runner.env.envs[0].unwrapped)
    episodes = runner.sample(num_episodes=2)
    pipeline = learner._learner_connector
    made = pipeline(rl_module=learner.module, batch={}, episodes=episodes, shared_data={}, metrics=learner.metrics)
    return learner, made


@pytest.mark.parametrize("make_config", [masked_ppo_config, mappo_config])
def test_batch_holds_returns_by_time_and_weighs_decisions_only(make_config):
    learner, made = batch_of(make_config, gamma=0.5, gamma_minutes=20.0, lambda_=1.0)
    scale = next(c for c in learner._learner_connector.connectors if type(c).__name__ == "ScaleRewards").scale
    fades = [0.5 ** (m / 20.0) for m in Shifts.minutes]
    returns = [0.0]
    for t in reversed(range(4)):
        returns.insert(0, 2.0**t + fades[t] * returns[0])
    free = {"boss": [0, 1, 2, 3], "clerk": [0, 2], "guard": []}
    for name, part in made.items():
        at = part[Columns.OBS][:, 0].numpy()
        counts = part[Columns.LOSS_MASK].numpy()
        assert sorted(at[counts].tolist()) == sorted([float(t) for t in free[name]] * 2)
        np.testing.assert_allclose(part[DISCOUNT].numpy()[counts], [fades[int(t)] for t in at[counts]], rtol=1e-5)
        targets = part[Postprocessing.VALUE_TARGETS].numpy()[counts] * scale
        np.testing.assert_allclose(targets, [returns[int(t)] for t in at[counts]], rtol=1e-4)
        if free[name]:
            found = part[Postprocessing.ADVANTAGES].numpy()[counts]
            assert found.mean() == pytest.approx(0.0, abs=1e-5), "the mean is that of decisions alone"
            assert found.std() == pytest.approx(1.0, abs=1e-4)


def test_forced_moves_have_no_part_in_the_loss():
    learner, made = batch_of(masked_ppo_config)
    config = learner.config

    def loss(name):
        part = made[name]
        out = learner.module[name].unwrapped().forward_train(part)
        return learner.compute_loss_for_module(module_id=name, config=config, batch=part, fwd_out=out)

    before = loss("clerk")
    forced = ~made["clerk"][Columns.LOSS_MASK]
    assert forced.any()
    for column in (Postprocessing.VALUE_TARGETS, Postprocessing.ADVANTAGES, Columns.ACTION_LOGP):
        made["clerk"][column][forced] += 7.0
    assert loss("clerk") == before
    assert loss("guard") == 0.0 and not loss("guard").requires_grad


def test_who_never_decides_learns_nothing_and_breaks_nothing(local_ray):
    config = masked_ppo_config("shifts", make_env=Shifts).env_runners(num_env_runners=0, num_envs_per_env_runner=2)
    config.training(train_batch_size_per_learner=64, minibatch_size=8, num_epochs=2)
    algorithm = config.build_algo()
    before = {m: algorithm.get_module(m).get_state() for m in ("boss", "guard")}
    algorithm.train()
    for name, weights in before.items():
        after = algorithm.get_module(name).get_state()
        assert all(np.isfinite(w).all() for w in after.values())
        assert all((after[key] == w).all() for key, w in weights.items()) == (name == "guard")
    algorithm.stop()


def test_learner_goes_on_with_the_scale_of_rewards(local_ray, tmp_path):
    config = masked_ppo_config("toy", make_env=ToyEnv).env_runners(num_env_runners=0, num_envs_per_env_runner=2)
    config.training(train_batch_size_per_learner=200, minibatch_size=100, num_epochs=1)
    algorithm = config.build_algo()
    algorithm.train()
    other = MaskedPPO.from_checkpoint(algorithm.save_to_path(str(tmp_path / "saved")))
    one, two = (a.learner_group._learner.get_state()["reward_scale"] for a in (algorithm, other))
    assert one == two and one["count"] >= 600
    for each in (algorithm, other):
        each.stop()


FADES = [0.5 ** (m / 20.0) for m in Shifts.minutes]


def replayed(name, **training):
    """A buffer with two episodes of the shifts."""
    config = algorithm_config(name, "shifts", make_env=Shifts).env_runners(num_envs_per_env_runner=2)
    config.training(gamma=0.5, gamma_minutes=20.0, **training)
    episodes = BatchedEnvRunner(config=config, worker_index=1).sample(num_episodes=2)
    replay = JointReplay(100, seed=0, own=config.own_decisions)
    for episode in episodes:
        replay.add(decisions(rows_of(episode, config.seats, gamma=config.gamma, minutes=config.gamma_minutes)))
    return replay


def test_transition_leads_to_the_agents_next_decision():
    batch = replayed("dqn").sample(200, steps=1)
    at = batch["boss"][Columns.OBS][:, 0, 0]
    assert set(at) == {0.0, 1.0, 2.0, 3.0}
    ended = batch[TEAM][Columns.TERMINATEDS]
    np.testing.assert_array_equal(ended, at == 3)

    def column(name, key):
        return {t: set(np.round(batch[name][key][at == t, 0].astype(float), 5)) for t in range(4)}

    # The boss decides at each step, so its transitions are the steps.
    assert column("boss", Columns.REWARDS) == {t: {2.0**t} for t in range(4)}
    assert column("boss", DISCOUNT) == {t: {round(FADES[t], 5)} for t in range(4)}
    # The clerk decides at 0 and 2; what follows its decisions is what it earns until the next, or the end.
    earned = {0: 1 + FADES[0] * 2, 1: 2.0, 2: 4 + FADES[2] * 8, 3: 8.0}
    fades = {0: FADES[0] * FADES[1], 1: FADES[1], 2: FADES[2] * FADES[3], 3: FADES[3]}
    assert column("clerk", Columns.REWARDS) == {t: {round(v, 5)} for t, v in earned.items()}
    assert column("clerk", DISCOUNT) == {t: {round(v, 5)} for t, v in fades.items()}
    next_at = batch["clerk"][Columns.NEXT_OBS][:, 0, 0]
    assert (next_at[at == 0] == 2).all() and (next_at[at == 1] == 2).all()
    assert column("clerk", NEXT_ALIVE) == {0: {True}, 1: {True}, 2: {False}, 3: {False}}
    assert column("clerk", COUNTS) == {0: {True}, 1: {False}, 2: {True}, 3: {False}}
    assert column("guard", COUNTS) == {0: {True}, 1: {False}, 2: {False}, 3: {False}}, "a chunk begins with it"


class Quiet(Shifts):
    """The clerk alone may decide."""

    shapes = {"clerk_0": (2, 2), "guard_0": (2, 2)}

    def mask(self, agent):
        return np.array([1, agent == "clerk_0" and self.t % 2 == 0], np.int8)


def test_steps_at_which_nobody_decides_are_passed_over():
    config = algorithm_config("vdn", "quiet", make_env=Quiet).env_runners(num_envs_per_env_runner=1)
    (episode,) = BatchedEnvRunner(config=config, worker_index=1).sample(num_episodes=1)
    rows = decisions(rows_of(episode, config.seats, team="VDN", gamma=0.5, minutes=20.0))
    assert rows.state.shape[0] == 3 and rows.observations["clerk"][:, 0, 0].tolist() == [0, 2, 4]
    np.testing.assert_allclose(rows.team, [1 + FADES[0] * 2, 4 + FADES[2] * 8, 0], rtol=1e-6)
    np.testing.assert_allclose(rows.rewards["guard"][:, 0], rows.team)
    np.testing.assert_allclose(rows.discount, [FADES[0] * FADES[1], FADES[2] * FADES[3], 1], rtol=1e-6)
    assert rows.ended.tolist() == [False, True, False]
    replay = JointReplay(10, seed=0)
    replay.add(rows)
    batch = replay.sample(50, steps=2)
    first = batch["clerk"][Columns.OBS][:, 0, 0] == 0
    whole = sum(2.0**t * np.prod(FADES[:t]) for t in range(4))
    np.testing.assert_allclose(batch[TEAM][Columns.REWARDS][first], whole, rtol=1e-5)
    np.testing.assert_allclose(batch[TEAM][DISCOUNT][first], np.prod(FADES), rtol=1e-5)


def test_what_is_stored_is_as_it_was_where_everybody_decides():
    config = algorithm_config("vdn", "toy", make_env=TwoSteps).env_runners(num_envs_per_env_runner=1)
    (episode,) = BatchedEnvRunner(config=config, worker_index=1).sample(num_episodes=1)
    rows = rows_of(episode, config.seats, gamma=0.9)
    assert decisions(rows) is rows


def test_unit_of_time_that_is_none_is_refused():
    for make_config in (masked_ppo_config, mappo_config):
        config = make_config("shifts", make_env=Shifts).training(gamma_minutes=0.0)
        with pytest.raises(ValueError, match="gamma_minutes is longer than 0"):
            config.validate()
