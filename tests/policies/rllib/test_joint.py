"""Joint transitions: aligned in time, whoever leaves; kept whole; refused where the team is not paid alike."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from ray.rllib.core.columns import Columns
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

from marl_health.adapters.rllib import masked_space, with_mask
from policies.rllib.algorithms import algorithm_config
from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.module import AHEAD, CHOSEN, QModule
from policies.rllib.joint.replay import ALIVE, NEXT_ALIVE, NEXT_STATE, TEAM, JointReplay
from policies.rllib.joint.rows import NotATeamError, rows_of
from policies.rllib.runner import BatchedEnvRunner
from policies.rllib.state import STATE
from tests.adapters.leaving_env import LeavingEnv
from tests.policies.games import LuckyTeam, TwoSteps

STEPS = 7
LEAVES = {"nurse_0": 2, "nurse_1": 5, "doctor_0": 7, "porter_0": 7}
TERMINATES = {"nurse_0", "doctor_0"}


class Numbered(LeavingEnv):
    """Agents that leave; observations, states and rewards say in which episode and step they belong."""

    episodes = 0

    def __init__(self):
        super().__init__([("terminated" if a in TERMINATES else "truncated", t) for a, t in LEAVES.items()], shape=(2,))
        self.possible_agents = list(LEAVES)

    def reset(self, seed=None, options=None):
        Numbered.episodes += 1
        self.number = Numbered.episodes
        _, infos = super().reset(seed)
        return self._seen(self.agents), infos

    def step(self, actions):
        before = self.agents
        _, _, *rest = super().step(actions)
        reward = self.number + self.t / 10 + sum(actions.values()) / 100
        return self._seen(before), dict.fromkeys(before, reward), *rest

    def state(self):
        return np.array([self.number, self.t, self.number * self.t], np.float32)

    def _seen(self, agents):
        return {a: np.array([self.number, self.t], np.float32) for a in agents}


def sampled(kind=BatchedEnvRunner, calls=3, steps=22, make_env=Numbered):
    """Chunks of episodes, cut in the middle, and the seats of their agents."""
    config = algorithm_config("qmix", "numbered", make_env=make_env)
    config.env_runners(num_envs_per_env_runner=2, env_runner_cls=kind)
    runner = kind(config=config, worker_index=1)
    return [e for _ in range(calls) for e in runner.sample(num_timesteps=steps)], config.seats


def drawn_from(replay, size, steps=1, **options):
    return replay.sample(size, steps=steps, **options)


def assert_aligned(batch):
    """Every part of every transition belongs to one step of one episode."""
    team = batch[TEAM]
    number, t = team[STATE][:, 0], team[STATE][:, 1]
    np.testing.assert_array_equal(team[NEXT_STATE], np.stack([number, t + 1, number * (t + 1)], -1))
    did = np.zeros(len(t))
    for module, part in batch.policy_batches.items():
        if module == TEAM:
            continue
        agents = [a for a in LEAVES if a.startswith(module)]
        assert part[ALIVE].shape == (len(t), len(agents))
        for seat, agent in enumerate(agents):
            alive, after = part[ALIVE][:, seat], part[NEXT_ALIVE][:, seat]
            np.testing.assert_array_equal(alive, t < LEAVES[agent])
            expects = (t + 1 < LEAVES[agent]) | (
                (t + 1 == STEPS) & (agent == "porter_0")
            )  # it alone is cut off by time
            np.testing.assert_array_equal(after, expects)
            np.testing.assert_array_equal(part[Columns.OBS][alive, seat, :2], np.stack([number, t], -1)[alive])
            np.testing.assert_array_equal(part[Columns.NEXT_OBS][after, seat, :2], np.stack([number, t + 1], -1)[after])
            np.testing.assert_allclose(part[Columns.REWARDS][alive, seat], team[Columns.REWARDS][alive])
            did += np.where(alive, part[Columns.ACTIONS][:, seat], 0)
    np.testing.assert_allclose(team[Columns.REWARDS], number + (t + 1) / 10 + did / 100, rtol=1e-5)
    assert not team[Columns.TERMINATEDS].any(), "the last to go were cut off by time"


@pytest.mark.parametrize("kind", [BatchedEnvRunner, MultiAgentEnvRunner])
def test_transitions_are_aligned_in_time_whoever_leaves(kind):
    chunks, seats = sampled(kind)
    assert seats == {"doctor": ("doctor_0",), "nurse": ("nurse_0", "nurse_1"), "porter": ("porter_0",)}
    replay = JointReplay(capacity=1000, seed=0)
    for chunk in chunks:
        replay.add(rows_of(chunk, seats, team="QMIX"))
    assert len(replay) == sum(len(chunk) for chunk in chunks) > 60
    batch = drawn_from(replay, 500)
    assert_aligned(batch)
    assert len(np.unique(batch[TEAM][STATE], axis=0)) > 0.95 * len(replay), "all can be drawn"


def test_transitions_of_several_steps_stop_where_a_chunk_does():
    chunks, seats = sampled(calls=4, steps=24)
    replay, earned, ends = JointReplay(1000, seed=0), {}, {}
    for chunk in chunks:
        rows = rows_of(chunk, seats, gamma=0.9)
        replay.add(rows)
        for (number, t, _), reward in zip(rows.state[:-1], rows.team[:-1], strict=True):
            earned[number, t], ends[number, t] = reward, rows.state[-1, 1]
    batch = drawn_from(replay, 400, steps=3)
    team, spans = batch[TEAM], set()
    for i, (number, t, _) in enumerate(team[STATE]):
        span = int(min(3, ends[number, t] - t))
        spans.add(span)
        assert team[NEXT_STATE][i, 1] == t + span
        assert team[DISCOUNT][i] == pytest.approx(0.9**span)
        total = sum(0.9**j * earned[number, t + j] for j in range(span))
        assert team[Columns.REWARDS][i] == pytest.approx(total, rel=1e-5)
        own = sum(0.9**j * earned[number, t + j] for j in range(span) if t + j < LEAVES["nurse_1"])
        assert batch["nurse"][Columns.REWARDS][i, 1] == pytest.approx(own, rel=1e-5)
        expects = t + span < LEAVES["nurse_1"]
        assert batch["nurse"][NEXT_ALIVE][i, 1] == expects
        if expects:
            assert batch["nurse"][Columns.NEXT_OBS][i, 1, 1] == t + span
    assert spans == {1, 2, 3}


def test_oldest_rows_go_first_and_no_transition_bridges_a_gap():
    chunks, seats = sampled(calls=9)
    replay = JointReplay(capacity=50, seed=0)
    for chunk in chunks:
        rows = rows_of(chunk, seats)
        replay.add(rows)
        assert len(replay) <= 49
        drawn = drawn_from(replay, 200)
        assert_aligned(drawn)
        newest = set(map(tuple, rows.state[:-1]))
        assert newest <= set(map(tuple, drawn_from(replay, 2000)[TEAM][STATE])), "what just came is there"
    assert drawn_from(replay, 500)[TEAM][STATE][:, 0].min() > 1
    longest = max(chunks, key=len)
    with pytest.raises(ValueError, match=f"{len(longest) + 1} rows .* capacity"):
        JointReplay(capacity=len(longest), seed=0).add(rows_of(longest, seats))


def test_buffer_goes_on_where_it_was():
    chunks, seats = sampled()
    rows = [rows_of(chunk, seats) for chunk in chunks]
    replay, other = JointReplay(60, seed=3), JointReplay(60, seed=99)
    for chunk in rows[:8]:
        replay.add(chunk)
    other.set_state(replay.get_state())
    for chunk in rows[8:]:
        replay.add(chunk)
        other.add(chunk)
    one, two = drawn_from(replay, 64), drawn_from(other, 64)
    for module, part in one.policy_batches.items():
        for name, values in part.items():
            np.testing.assert_array_equal(values, two[module][name], err_msg=f"{module} {name}")
    with pytest.raises(ValueError, match="capacity 60, but 70"):
        JointReplay(70, seed=0).set_state(replay.get_state())


def test_rewards_of_a_batch_are_scaled():
    chunks, seats = sampled(calls=1)
    replay = JointReplay(100, seed=0)
    replay.add(rows_of(chunks[0], seats))
    twin = JointReplay(100, seed=0)
    twin.set_state(replay.get_state())
    whole, halved = drawn_from(replay, 20), drawn_from(twin, 20, scale=2.0)
    for module in whole.policy_batches:
        np.testing.assert_allclose(whole[module][Columns.REWARDS], 2 * halved[module][Columns.REWARDS])


def test_reward_of_ones_own_is_refused_by_who_and_how_much():
    class Owned(Numbered):
        def step(self, actions):
            seen, rewards, *rest = super().step(actions)
            if self.t == 4:
                rewards["porter_0"] += 0.5
            return seen, rewards, *rest

    chunks, seats = sampled(make_env=Owned)
    with pytest.raises(NotATeamError, match=r"QMIX needs a reward that all agents share, but .* porter_0 got .*; use "):
        for chunk in chunks:
            rows_of(chunk, seats, team="QMIX")
    for chunk in chunks:
        rows_of(chunk, seats)  # what credits each with its own does not mind


def test_end_of_the_world_is_no_end_by_time():
    def ended(make_env):
        chunks, seats = sampled(make_env=make_env)
        rows = [rows_of(chunk, seats) for chunk in chunks if chunk.is_done]
        assert len(rows) > 2
        for of_chunk in rows:
            assert of_chunk.ended[:-2].sum() == of_chunk.ended[-1] == 0
        return {(bool(r.ended[-2]), bool(r.alive["first" if make_env is TwoSteps else "left"][-1, 0])) for r in rows}

    assert ended(TwoSteps) == {(True, False)}
    assert ended(LuckyTeam) == {(False, True)}


def module(epsilon=0.0):
    torch.manual_seed(0)
    made = QModule(
        observation_space=masked_space(Box(-1, 1, (4,), np.float32), Discrete(3)),
        action_space=Discrete(3),
        model_config={"hidden": (16,), "epsilon": epsilon},
    )
    made.make_target_networks()
    return made


def rows_with(masks):
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(len(masks), 4))
    return torch.tensor(np.stack([with_mask(s, m, 3) for s, m in zip(seen, masks, strict=True)]))


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_masked_actions_are_never_chosen(epsilon):
    net = module(epsilon)
    with torch.no_grad():
        net.q[-1].bias[:] = torch.tensor([0.0, 100.0, 50.0])  # the values want what is illegal
    masks = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 1]] * 100)
    taken = net.forward_exploration({Columns.OBS: rows_with(masks)}, t=0)[Columns.ACTIONS].numpy()
    assert masks[np.arange(300), taken].all()
    greedy = net.forward_inference({Columns.OBS: rows_with(masks)})[Columns.ACTION_DIST_INPUTS].argmax(-1)
    np.testing.assert_array_equal(greedy, [0, 2, 1] * 100)
    assert (taken == greedy.numpy()).all() == (epsilon == 0.0)


def test_epsilon_follows_its_schedule():
    net = module([[0, 1.0], [1000, 0.0]])
    rows = {Columns.OBS: rows_with(np.ones((4000, 3)))}
    greedy = net.forward_inference(rows)[Columns.ACTION_DIST_INPUTS].argmax(-1)
    for t, epsilon in [(0, 1.0), (500, 0.5), (1000, 0.0), (9000, 0.0)]:
        same = (net.forward_exploration(rows, t=t)[Columns.ACTIONS] == greedy).float().mean()
        assert same == pytest.approx(1 - 2 / 3 * epsilon, abs=0.03)  # 4 standard errors


def test_next_action_is_picked_online_valued_by_the_target_and_legal():
    net = module()
    with torch.no_grad():
        net.q[-1].weight.zero_()
        net.q[-1].bias[:] = torch.tensor([1.0, 9.0, 5.0])
        net.target_q[-1].weight.zero_()
        net.target_q[-1].bias[:] = torch.tensor([30.0, 20.0, 10.0])
    masks = np.array([[1, 1, 1], [1, 0, 1], [1, 0, 0]])
    batch = {
        Columns.OBS: rows_with(np.ones((3, 3))),
        Columns.ACTIONS: torch.tensor([0, 1, 2]),
        Columns.NEXT_OBS: rows_with(masks),
    }
    out = net.forward_train(batch)
    assert out[CHOSEN].tolist() == [1.0, 9.0, 5.0]
    assert out[AHEAD].tolist() == [20.0, 10.0, 30.0]
    assert out[CHOSEN].requires_grad
    assert not out[AHEAD].requires_grad


def test_what_cannot_work_is_said_before_anything_starts():
    config = algorithm_config("qmix", "numbered", make_env=Numbered)
    config.validate()
    with pytest.raises(ValueError, match="num_learners"):
        config.copy().learners(num_learners=2).validate()
    with pytest.raises(ValueError, match="n_step is at least 1, not 0"):
        config.copy().training(n_step=0).validate()
    nobody = config.copy()
    nobody.agents = ()
    with pytest.raises(ValueError, match="qmix_config"):
        nobody.validate()
    with pytest.raises(ValueError, match="gamma_minutes is longer than 0"):
        config.copy().training(gamma_minutes=-5).validate()
