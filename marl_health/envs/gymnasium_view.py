"""A scenario with a single agent as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray
from typing_extensions import override

from marl_health.envs.parallel import HealthParallelEnv, Observation
from marl_health.spec.scenario import Scenario


class HealthGymnasiumEnv(gymnasium.Env[Observation, np.int64]):
    """The Gymnasium view: observation, reward and info are those of the only agent.

    Args:
        scenario: a packaged scenario's name, the path of a YAML file, or a loaded scenario.
        render_mode, max_cycles, chosen, events: as of :class:`HealthParallelEnv`, which is kept in ``parallel``.

    Raises:
        ScenarioError: if the scenario cannot be used.
        ValueError: if not exactly one agent decides in it.
    """

    metadata = {"render_modes": ["human", "ansi", "rgb_array"], "render_fps": 4}

    def __init__(
        self,
        scenario: str | Path | Scenario,
        *,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        chosen: Mapping[str, str] | None = None,
        events: bool = False,
    ) -> None:
        self.parallel = HealthParallelEnv(
            scenario, render_mode=render_mode, max_cycles=max_cycles, chosen=chosen, events=events
        )
        agents = self.parallel.possible_agents
        if len(agents) > 1:
            raise ValueError(
                f"{len(agents)} agents decide in '{self.parallel.scenario.name}' ({', '.join(agents)}), and Gymnasium "
                "knows only one; use marl_health.parallel_env"
            )
        self.agent = agents[0]
        self.render_mode = render_mode
        self.observation_space = self.parallel.observation_space(self.agent)
        self.action_space: Discrete[np.int64] = Discrete(len(self.parallel.action_names(self.agent)))

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        observations, infos = self.parallel.reset(seed=seed, options=options)
        return observations[self.agent], infos[self.agent]

    @override
    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        observations, rewards, terminations, truncations, infos = self.parallel.step({self.agent: int(action)})
        agent = self.agent
        return observations[agent], rewards[agent], terminations[agent], truncations[agent], infos[agent]

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are possible now, by the name that sb3-contrib's ``MaskablePPO`` looks for."""
        return self.parallel.action_mask(self.agent).astype(np.bool_)

    @override
    def render(self) -> Any:
        return self.parallel.render()

    @override
    def close(self) -> None:
        self.parallel.close()
