"""An environment runner for parallel environments, several times as fast as RLlib's, that passes errors on.

RLlib's `MultiAgentEnvRunner` runs a pipeline of connectors for every step, copies observations and validates the
growing episode: 500 microseconds of a step and more, ten times what a small world costs. Here a step is one
forward pass per module over all its agents in all sub-environments, and an episode is put together once per
chunk. What comes out is the same: `MultiAgentEpisode`s for RLlib's own learners, and RLlib's usual metrics.

Limits, each refused with an error: feed-forward modules only, on the CPU; no connectors between environment and module;
no random warm-up; an agent has the same module in every episode; every agent that is in the episode acts at every step,
until it ends (which is what parallel environments do).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.utils.metrics import (
    NUM_AGENT_STEPS_SAMPLED,
    NUM_AGENT_STEPS_SAMPLED_LIFETIME,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_EPISODES,
    NUM_EPISODES_LIFETIME,
    NUM_MODULE_STEPS_SAMPLED,
    NUM_MODULE_STEPS_SAMPLED_LIFETIME,
)
from ray.tune.registry import ENV_CREATOR, _global_registry

from policies.rllib.recording import Recording, Take

# An episode of more steps than this, in which learning could hardly be judged, is taken for one without end.
LONGEST = 10_000


class BatchedEnvRunner(MultiAgentEnvRunner):
    """Use with `config.env_runners(env_runner_cls=BatchedEnvRunner)`.

    Episode callbacks are called as by RLlib; between start and end the episode object they get holds no data.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        if config._env_to_module_connector or config._module_to_env_connector:
            raise ValueError("BatchedEnvRunner runs no connectors; use RLlib's MultiAgentEnvRunner with them")
        if config.num_gpus_per_env_runner:
            raise ValueError("BatchedEnvRunner runs modules on the CPU; leave num_gpus_per_env_runner at 0")
        super().__init__(config=config, **kwargs)
        if any(module.is_stateful() for module in self.module.values()):
            raise ValueError("BatchedEnvRunner runs no recurrent modules; use RLlib's MultiAgentEnvRunner")
        for module in self.module.values():
            module.eval()  # for good, else every forward pass changes it and back
        self._recording = Recording([], self._module_of)
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
        recording = self._recording
        finished: list[MultiAgentEpisode] = []
        steps = 0
        agent_steps: dict[str, int] = defaultdict(int)
        while (len(finished) if num_timesteps is None else steps) < target:
            lifetime = self.num_env_steps_sampled_lifetime + steps * (self.config.num_env_runners or 1)
            for index, actions in enumerate(recording.decide(self.module, explore=explore, lifetime=lifetime)):
                over = recording.step(index, actions)
                steps += 1
                if self._tells_steps:
                    self._make_on_episode_callback("on_episode_step", index, self._ongoing_episodes)
                if over:
                    _count(recording.takes[index], agent_steps)
                    finished.append(recording.cut(index, self._ongoing_episodes[index], self._weights_seq_no))
                    self._make_on_episode_callback("on_episode_end", index, self._ongoing_episodes)
                    self._begin(index)
        for take in recording.takes:
            _count(take, agent_steps)
        self._done_episodes_for_metrics.extend(finished)
        self._log(steps, len(finished), agent_steps)
        return finished + (self._cut() if num_timesteps is not None else [])

    def _restart(self) -> None:
        """Reset all sub-environments and forget the episodes under way."""
        self._ongoing_episodes_for_metrics.clear()
        self._ongoing_episodes = [None] * self.num_envs
        self._recording = Recording([env.unwrapped for env in self.env.envs], self._module_of)
        for index in range(self.num_envs):
            self._begin(index)

    def _begin(self, index: int) -> None:
        """Reset one sub-environment into a new episode."""
        self._new_episode(index, self._ongoing_episodes)
        self._recording.begin(index, self.env.envs[index].unwrapped.reset())
        self._make_on_episode_callback("on_episode_start", index, self._ongoing_episodes)

    def _cut(self) -> list[MultiAgentEpisode]:
        """The episodes under way, up to here; each goes on in a new chunk under the same id."""
        chunks = []
        for index, take in enumerate(self._recording.takes):
            if not take.rewards:
                continue
            chunk = self._recording.cut(index, self._ongoing_episodes[index], self._weights_seq_no)
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
        self._recording.rewind()
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
            recording = Recording(self._stage[: len(batch)], self._module_of)
            for index, seed in enumerate(batch):
                recording.begin(index, self._stage[index].start(seed))
            for _ in range(LONGEST):
                if all(take.over for take in recording.takes):
                    break
                for index, actions in enumerate(recording.decide(self.module, explore=False, lifetime=0)):
                    if not recording.takes[index].over:
                        recording.step(index, actions)
            else:
                raise RuntimeError(f"an episode did not end within {LONGEST:,} steps; let the environment truncate it")
            earned = [take.earned() for take in recording.takes]
            returns += [sum(map(sum, rewards.values())) / len(rewards) for rewards in earned]
        return returns

    def _module_of(self, agent: str) -> str:
        """The module that acts for an agent, in whatever episode."""
        return str(self.config.policy_mapping_fn(agent, None))

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
            module_steps[self._module_of(agent)] += n
        for module_id, n in module_steps.items():
            log((NUM_MODULE_STEPS_SAMPLED, module_id), n, reduce="sum")
            log((NUM_MODULE_STEPS_SAMPLED_LIFETIME, module_id), n, reduce="lifetime_sum")


def _count(take: Take, steps: dict[str, int]) -> None:
    """Add to the agents' steps those of an episode, or of a part of one."""
    for agent, n in take.lengths():
        steps[agent] += n
