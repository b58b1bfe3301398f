"""Any of our environments, or any PettingZoo parallel environment, as an RLlib `MultiAgentEnv`.

RLlib's own `ParallelPettingZooEnv` is not used because its order of agents varies with `PYTHONHASHSEED`, it
never ends an episode in which some agents terminate while others truncate, and it seeds several workers
alike.

**Masks.** Our environments hand the action mask out in `info`, where RLlib's modules do not look. The
adapter therefore appends it to the observation: an agent with a flat `Box` of m numbers and `Discrete(n)`
actions shows RLlib one flat `Box` of m + n numbers, the last n being the mask (1 = legal). A plain Box
passes through all of RLlib's connectors, buffers and default encoders, which a `Dict` does not. An agent of
another kind keeps its spaces, unmasked.

**Episode ends.** When an episode ends by time, `truncateds` holds nothing but `__all__`: if every agent had
a flag of its own, RLlib would call the episode terminated, and advantages would lose the value of the last
state.

**Seeds.** Every reset draws its seed from (`seed` of the env config, worker, sub-environment, number of the
reset), so no two workers or sub-environments share a stream. A seed passed to `reset` is ignored, since
RLlib passes 42 to every environment as a check, and overlapping seeds to workers. Training seeds lie in
[2**31, 2**32): small seeds stay unseen, for evaluation. With `copies` in the env config, so many
sub-environments in a row share a stream, and every `info` tells the seed, so that a learner can compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.tune import register_env

FIRST_TRAINING_SEED = 2**31

PATIENTS = "patients"
"""Key in `info`, where sub-environments share a stream: the seed of the episode."""


def role_of(agent: Any, *_: Any, **__: Any) -> str:
    """The role of an agent named `<role>_<i>`; RLlib's `policy_mapping_fn`: agents of a role share."""
    return str(agent).rsplit("_", 1)[0]


def masked_space(observation_space: Space[Any], action_space: Space[Any]) -> Space[Any]:
    """The observation space that RLlib sees: unchanged, unless it is flat and the actions are discrete."""
    n = _mask_size(observation_space, action_space)
    if n is None:
        return observation_space
    assert isinstance(observation_space, Box)
    low = np.concatenate([observation_space.low, np.zeros(n)]).astype(np.float32)
    high = np.concatenate([observation_space.high, np.ones(n)]).astype(np.float32)
    return Box(low, high, dtype=np.float32)


def with_mask(observation: NDArray[Any], mask: NDArray[Any] | None, n_actions: int) -> NDArray[np.float32]:
    """The observation, shape (m,), then its action mask, shape (n_actions,); no mask means all are legal."""
    mask = np.ones(n_actions, np.float32) if mask is None else mask
    return np.concatenate((observation, mask), dtype=np.float32, casting="unsafe")


class RLlibEnv(MultiAgentEnv):
    """A PettingZoo `ParallelEnv` as RLlib wants it.

    `agents` always equals `possible_agents`, in the order of the environment's own list: RLlib takes from the
    returned dictionaries who acts next.

    Args:
        env: the environment to show.
        config: RLlib's `EnvContext`, or any mapping; `seed` (default 0) starts the stream of episode seeds, and
            `copies` (default 1) is how many sub-environments share one.
    """

    def __init__(self, env: ParallelEnv[str, Any, Any], config: Mapping[str, Any] | None = None) -> None:
        self.env = env
        self.metadata = dict(getattr(env, "metadata", {}))
        self.render_mode = getattr(env, "render_mode", None)
        self.possible_agents: list[Any] = list(env.possible_agents)
        self.agents: list[Any] = list(env.possible_agents)
        super().__init__()  # type: ignore[no-untyped-call]
        self.action_spaces = {a: env.action_space(a) for a in self.possible_agents}
        inner = {a: env.observation_space(a) for a in self.possible_agents}
        self.observation_spaces = {a: masked_space(inner[a], self.action_spaces[a]) for a in self.possible_agents}
        self._n_actions = {a: _mask_size(inner[a], self.action_spaces[a]) for a in self.possible_agents}
        config = {} if config is None else config
        self._stream = (
            int(config.get("seed", 0)),
            getattr(config, "worker_index", 0),
            _sub_env_index(config) // int(config.get("copies", 1)),
        )
        self._tells_patients = int(config.get("copies", 1)) > 1
        self.episode_seed: int | None = None
        self._resets = 0
        self._alive: set[str] = set()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Start an episode with the environment's own next seed; `seed` is ignored (see above)."""
        base, worker, sub_env = self._stream
        sequence = np.random.SeedSequence(base, spawn_key=(worker, sub_env, self._resets))
        self._resets += 1
        own = FIRST_TRAINING_SEED + int(sequence.generate_state(1)[0]) % FIRST_TRAINING_SEED
        return self.start(own, options)

    def start(self, seed: int, options: dict[str, Any] | None = None) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Start the episode of this very seed."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self.episode_seed = seed
        self._alive = set(self.env.agents)
        return self._show(observations, infos)

    def step(  # type: ignore[override]  # as RLlib itself does against Gymnasium
        self, action_dict: dict[Any, Any]
    ) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
        """One joint step; the fourth dictionary holds only `__all__` when the episode ends by time."""
        observations, rewards, terminations, truncations, infos = self.env.step(action_dict)
        ended = {a for a in self._alive if terminations.get(a) or truncations.get(a)}
        before, self._alive = self._alive, set(self.env.agents) - ended
        over = not self._alive
        terminateds = {a: bool(terminations.get(a, False)) for a in self.possible_agents if a in before}
        truncated_end = over and not all(terminateds.values())
        if over:
            truncateds = {"__all__": truncated_end}
        else:
            truncateds = {a: bool(truncations.get(a, False)) for a in self.possible_agents if a in before}
            truncateds["__all__"] = False
        terminateds["__all__"] = over and not truncated_end
        shown, kept = self._show(observations, infos)
        return shown, {a: float(r) for a, r in rewards.items()}, terminateds, truncateds, kept

    def render(self) -> Any:
        """Whatever the environment renders."""
        return self.env.render()

    def close(self) -> None:
        """Close the environment."""
        self.env.close()  # type: ignore[no-untyped-call]

    def _show(self, observations: Mapping[Any, Any], infos: Mapping[Any, Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Observations with their masks appended, and infos without them (RLlib would store them twice)."""
        shown: dict[Any, Any] = {}
        kept: dict[Any, Any] = {}
        for agent in self.possible_agents:
            if agent not in observations:
                continue
            info = dict(infos.get(agent, ()))
            n = self._n_actions[agent]
            if n is None:
                shown[agent] = observations[agent]
            else:
                shown[agent] = with_mask(observations[agent], info.pop("action_mask", None), n)
            if self._tells_patients:
                info[PATIENTS] = self.episode_seed
            kept[agent] = info
        return shown, kept


def env_maker(scenario: str) -> Callable[[], ParallelEnv[str, Any, Any]]:
    """What makes the environment of a packaged scenario, or of a YAML file, in any process and folder."""
    path = Path(scenario)
    return partial(_make, str(path.resolve()) if path.is_file() else scenario)


def register(scenario: str, make_env: Callable[[], ParallelEnv[str, Any, Any]] | None = None) -> str:
    """Register an environment with `ray.tune` and return the name to give to `config.environment(...)`.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        make_env: makes one environment, if it is not to be made from the scenario.
    """
    name = f"marl_health/{scenario}"
    register_env(name, partial(_create, make_env or env_maker(scenario)))
    return name


def _make(scenario: str) -> ParallelEnv[str, Any, Any]:
    import marl_health

    env: ParallelEnv[str, Any, Any] = marl_health.parallel_env(scenario)
    return env


def _create(make_env: Callable[[], ParallelEnv[str, Any, Any]], config: Mapping[str, Any]) -> RLlibEnv:
    return RLlibEnv(make_env(), config)


def _mask_size(observation_space: Space[Any], action_space: Space[Any]) -> int | None:
    """How many numbers of mask are appended to an observation of this space; None for no mask."""
    flat = isinstance(observation_space, Box) and len(observation_space.shape) == 1
    return int(action_space.n) if flat and isinstance(action_space, Discrete) else None


def _sub_env_index(config: Mapping[str, Any]) -> int:
    """How many sub-environments were made with this config before: `EnvContext` does not number them."""
    index = int(getattr(config, "sub_envs_made", 0))
    if hasattr(config, "worker_index"):
        config.sub_envs_made = index + 1  # type: ignore[attr-defined]
    return index
