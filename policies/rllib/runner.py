"""An environment runner for parallel environments, several times as fast as RLlib's, that passes errors on.

RLlib's `MultiAgentEnvRunner` runs a pipeline of connectors for every step, copies observations and validates the
growing episode: 500 microseconds of a step and more, ten times what a small world costs. Here a step is one
forward pass per module over all its agents in all sub-environments, and an episode is put together once per
chunk. What comes out is the same: `MultiAgentEpisode`s for RLlib's own learners, and RLlib's usual metrics.

Limits, each refused with an error: feed-forward modules only; no connectors between environment and module; every
agent that is in the episode acts at every step, until it ends (which is what parallel environments do).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.columns import Columns
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.env.utils.infinite_lookback_buffer import InfiniteLookbackBuffer
from ray.rllib.utils.metrics import (
    NUM_AGENT_STEPS_SAMPLED,
    NUM_AGENT_STEPS_SAMPLED_LIFETIME,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_EPISODES,
    NUM_EPISODES_LIFETIME,
    NUM_MODULE_STEPS_SAMPLED,
    NUM_MODULE_STEPS_SAMPLED_LIFETIME,
    WEIGHTS_SEQ_NO,
)
from ray.rllib.utils.numpy import convert_to_numpy
from ray.tune.registry import ENV_CREATOR, _global_registry

# An episode of more steps than this, in which learning could hardly be judged, is taken for one without end.
LONGEST = 10_000


class BatchedEnvRunner(MultiAgentEnvRunner):
    """Use with `config.env_runners(env_runner_cls=BatchedEnvRunner)`.

    Episode callbacks are called as by RLlib; between start and end the episode object they get holds no data.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        if config._env_to_module_connector or config._module_to_env_connector:
            raise ValueError("BatchedEnvRunner runs no connectors; use RLlib's MultiAgentEnvRunner with them")
        super().__init__(config=config, **kwargs)
        if any(module.is_stateful() for module in self.module.values()):
            raise ValueError("BatchedEnvRunner runs no recurrent modules; use RLlib's MultiAgentEnvRunner")
        self._records: list[_Record] = []
        self._stage: list[Any] = []
        self._tells_steps = bool(config.callbacks_on_episode_step) or any(
            type(c).on_episode_step is not RLlibCallback.on_episode_step for c in self._callbacks
        )

    def apply(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `func` with this runner, and let its error reach whoever asked.

        RLlib's runner logs the error in a file of its process and exits: training ends with "the actor died".
        """
        return func(self, *args, **kwargs)

    def _sample(
        self,
        *,
        num_timesteps: int | None = None,
        num_episodes: int | None = None,
        explore: bool,
        random_actions: bool = False,
        force_reset: bool = False,
    ) -> list[MultiAgentEpisode]:
        """Step all sub-environments until there are this many steps, or finished episodes."""
        if random_actions:
            raise ValueError("BatchedEnvRunner has no random warm-up; use RLlib's MultiAgentEnvRunner for it")
        if force_reset or num_episodes is not None or self._needs_initial_reset:
            self._restart()
        self._needs_initial_reset = num_episodes is not None
        target = num_episodes if num_timesteps is None else num_timesteps
        finished: list[MultiAgentEpisode] = []
        steps = 0
        agent_steps: dict[str, int] = defaultdict(int)
        while (len(finished) if num_timesteps is None else steps) < target:
            lifetime = self.num_env_steps_sampled_lifetime + steps * (self.config.num_env_runners or 1)
            actions = self._decide(self._records, explore, lifetime)
            for index, record in enumerate(self._records):
                record.step(self.env.envs[index].unwrapped, actions[index])
                for agent in actions[index]:
                    agent_steps[agent] += 1
                steps += 1
                if self._tells_steps:
                    self._make_on_episode_callback("on_episode_step", index, self._ongoing_episodes)
                if record.over:
                    finished.append(record.fill(self._ongoing_episodes[index], self._weights_seq_no))
                    self._make_on_episode_callback("on_episode_end", index, self._ongoing_episodes)
                    self._begin(index)
        self._done_episodes_for_metrics.extend(finished)
        self._log(steps, len(finished), agent_steps)
        return finished + (self._cut() if num_timesteps is not None else [])

    def _restart(self) -> None:
        """Reset all sub-environments and forget the episodes under way."""
        self._ongoing_episodes_for_metrics.clear()
        self._ongoing_episodes = [None] * self.num_envs
        self._records = [_Record({}, {})] * self.num_envs
        for index in range(self.num_envs):
            self._begin(index)

    def _begin(self, index: int) -> None:
        """Reset one sub-environment into a new episode."""
        self._new_episode(index, self._ongoing_episodes)
        self._records[index] = _Record(*self.env.envs[index].unwrapped.reset())
        self._make_on_episode_callback("on_episode_start", index, self._ongoing_episodes)

    def _cut(self) -> list[MultiAgentEpisode]:
        """The episodes under way, up to here; each goes on in a new chunk under the same id."""
        chunks = []
        for index, record in enumerate(self._records):
            if not record.actions:
                continue
            chunk = record.fill(self._ongoing_episodes[index], self._weights_seq_no)
            self._ongoing_episodes_for_metrics[chunk.id_].append(chunk)
            chunks.append(chunk)
            self._ongoing_episodes[index] = MultiAgentEpisode(
                id_=chunk.id_,
                observation_space=chunk.observation_space,
                action_space=chunk.action_space,
                env_t_started=chunk.env_t,
                agent_to_module_mapping_fn=chunk.agent_to_module_mapping_fn,
                len_lookback_buffer=0,
            )
            self._ongoing_episodes[index].custom_data.update(chunk.custom_data)
            self._records[index] = record.rest()
        return chunks

    def play(self, seeds: Sequence[int]) -> list[float]:
        """Returns of the greedy policy in the episodes of these seeds, in environments kept for this.

        Nothing of the sampling changes, its random numbers included. A return is the mean over agents: with a
        shared reward, the team's.

        Raises:
            RuntimeError: an episode does not end.
        """
        while len(self._stage) < min(self.num_envs, len(seeds)):
            self._stage.append(_global_registry.get(ENV_CREATOR, self.config.env)(self.config.env_config))
        returns: list[float] = []
        for start in range(0, len(seeds), self.num_envs):
            batch = seeds[start : start + self.num_envs]
            records = [_Record(*env.start(seed)) for env, seed in zip(self._stage, batch, strict=False)]
            for _ in range(LONGEST):
                if all(record.over for record in records):
                    break
                for env, record, actions in zip(self._stage, records, self._decide(records, False, 0), strict=False):
                    if not record.over:
                        record.step(env, actions)
            else:
                raise RuntimeError(f"an episode did not end within {LONGEST:,} steps; let the environment truncate it")
            returns += [sum(map(sum, r.rewards.values())) / len(r.rewards) for r in records]
        return returns

    def _decide(self, records: Sequence[_Record], explore: bool, lifetime: int) -> list[dict[str, Any]]:
        """An action for every acting agent of every sub-environment: one forward pass per module."""
        rows: dict[str, list[Any]] = defaultdict(list)
        owners: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for index, record in enumerate(records):
            for agent, observation in record.now.items():
                module_id = self.config.policy_mapping_fn(agent, None)
                rows[module_id].append(observation)
                owners[module_id].append((index, agent))
        actions: list[dict[str, Any]] = [{} for _ in records]
        for module_id, batch in rows.items():
            chosen, outputs = self._forward(self.module[module_id], np.stack(batch), explore, lifetime)
            for row, (index, agent) in enumerate(owners[module_id]):
                actions[index][agent] = chosen[row]
                records[index].outputs[agent].append((outputs, row))
        return actions

    @staticmethod
    def _forward(module: Any, rows: Any, explore: bool, lifetime: int) -> tuple[list[Any], dict[str, Any]]:
        """The actions of a batch, as Python values, and what else the module says, as arrays."""
        batch = {Columns.OBS: torch.from_numpy(rows)}
        if explore:
            out = dict(module.forward_exploration(batch, t=lifetime))
            kind = module.get_exploration_action_dist_cls()
        else:
            out = dict(module.forward_inference(batch))
            kind = module.get_inference_action_dist_cls()
        if Columns.ACTIONS not in out:
            distribution = kind.from_logits(out[Columns.ACTION_DIST_INPUTS])
            shown = distribution if explore else distribution.to_deterministic()
            out[Columns.ACTIONS] = shown.sample()
            out[Columns.ACTION_LOGP] = shown.logp(out[Columns.ACTIONS])
        arrays = convert_to_numpy(out)
        actions = arrays.pop(Columns.ACTIONS)
        return actions.tolist() if actions.ndim == 1 else list(actions), arrays

    def _log(self, steps: int, episodes: int, agent_steps: dict[str, int]) -> None:
        """RLlib's counters, added up over the call instead of step by step."""
        log = self.metrics.log_value
        log(NUM_ENV_STEPS_SAMPLED, steps, reduce="sum")
        log(NUM_ENV_STEPS_SAMPLED_LIFETIME, steps, reduce="lifetime_sum", with_throughput=True)
        log(NUM_EPISODES, episodes, reduce="sum")
        log(NUM_EPISODES_LIFETIME, episodes, reduce="lifetime_sum")
        module_steps: dict[str, int] = defaultdict(int)
        for agent, n in agent_steps.items():
            log((NUM_AGENT_STEPS_SAMPLED, agent), n, reduce="sum")
            log((NUM_AGENT_STEPS_SAMPLED_LIFETIME, agent), n, reduce="lifetime_sum")
            module_steps[self.config.policy_mapping_fn(agent, None)] += n
        for module_id, n in module_steps.items():
            log((NUM_MODULE_STEPS_SAMPLED, module_id), n, reduce="sum")
            log((NUM_MODULE_STEPS_SAMPLED_LIFETIME, module_id), n, reduce="lifetime_sum")


class _Record:
    """What happened in one sub-environment since its reset, or since the last chunk was cut off.

    `now` maps the agents that act next to their observations; the other dictionaries hold a list per agent, with
    one observation and info more than actions, rewards and outputs.
    """

    def __init__(self, observations: dict[str, Any], infos: dict[str, Any]) -> None:
        self.now = dict(observations)
        self.over = False
        self.observations = {agent: [o] for agent, o in observations.items()}
        self.infos = {agent: [infos.get(agent, {})] for agent in observations}
        self.actions: dict[str, list[Any]] = defaultdict(list)
        self.rewards: dict[str, list[float]] = defaultdict(list)
        self.outputs: dict[str, list[tuple[dict[str, Any], int]]] = defaultdict(list)
        self.steps = 0
        self._terminated = False
        self._truncated = False
        self._ends: dict[str, tuple[bool, bool]] = {}

    def rest(self) -> _Record:
        """The start of the next chunk of the same episode."""
        return _Record(self.now, {agent: self.infos[agent][-1] for agent in self.now})

    def step(self, env: Any, actions: dict[str, Any]) -> None:
        """Step the environment and take down what it says."""
        observations, rewards, terminateds, truncateds, infos = env.step(actions)
        if observations.keys() != actions.keys():
            raise ValueError(
                f"BatchedEnvRunner: {sorted(actions)} acted, but {sorted(observations)} were shown what came of "
                "it; use RLlib's MultiAgentEnvRunner for agents that take turns or join late"
            )
        self.steps += 1
        self._terminated, self._truncated = terminateds["__all__"], truncateds["__all__"]
        self.over = self._terminated or self._truncated
        self.now = {}
        for agent, action in actions.items():
            self.actions[agent].append(action)
            self.observations[agent].append(observations[agent])
            self.rewards[agent].append(rewards[agent])
            self.infos[agent].append(infos.get(agent, {}))
            terminated = terminateds.get(agent, False) or self._terminated
            truncated = truncateds.get(agent, False) or self._truncated
            if terminated or truncated:
                self._ends[agent] = (terminated, truncated)
            else:
                self.now[agent] = observations[agent]

    def fill(self, episode: MultiAgentEpisode, weights: int) -> MultiAgentEpisode:
        """Put the record into the (empty) episode object, as arrays."""
        for agent, actions in self.actions.items():
            n = len(actions)
            outputs = self.outputs[agent]
            extras = {key: np.stack([batch[key][row] for batch, row in outputs]) for key in outputs[0][0]}
            terminated, truncated = self._ends.get(agent, (False, False))
            episode.agent_episodes[agent] = SingleAgentEpisode(
                agent_id=agent,
                module_id=episode.module_for(agent),
                multi_agent_episode_id=episode.id_,
                observation_space=episode.observation_space.get(agent),
                action_space=episode.action_space.get(agent),
                observations=np.stack(self.observations[agent]),
                infos=self.infos[agent],
                actions=np.asarray(actions),
                rewards=np.asarray(self.rewards[agent]),
                extra_model_outputs={**extras, WEIGHTS_SEQ_NO: np.full(n, weights)},
                terminated=terminated,
                truncated=truncated,
                t_started=episode.env_t_started,
                len_lookback_buffer=0,
            )
            gone = [episode.SKIP_ENV_TS_TAG] * (self.steps - n)
            episode.env_t_to_agent_t[agent] = InfiniteLookbackBuffer([*range(n + 1), *gone])
            episode.agent_t_started[agent] = episode.env_t_started
        episode.env_t = episode.env_t_started + self.steps
        episode.is_terminated, episode.is_truncated = self._terminated, self._truncated
        return episode
