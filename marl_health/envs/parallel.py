"""The one PettingZoo environment over every world."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy, deepcopy
from itertools import accumulate
from pathlib import Path
from struct import pack
from sys import maxsize
from typing import Any, Self, cast

import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from marl_health.spec.components import COMPONENTS
from marl_health.spec.scenario import Scenario, load
from marl_health.worlds.game import Game

_REWARDS = tuple("reward_" + component for component in COMPONENTS)
_FLOAT, _FLAG = np.dtype(np.float32), np.dtype(np.int8)
Observation = NDArray[np.float32]


class HealthParallelEnv(ParallelEnv[str, Observation, int]):
    """A scenario as a cooperative game of several agents.

    Observations:
        One flat ``float32`` vector per agent in [-1, 1]; :meth:`observation_names` names each number.

    Actions:
        ``Discrete``, one move per decision; 0 is always to wait. ``info["action_mask"]`` (int8) tells which moves are
        possible now. An impossible move counts as a wait, and is counted in ``info["illegal_actions"]``.

    Rewards:
        What the measures gained since the last decision, weighted as the scenario says: the same for every agent, plus
        what the scenario pays to a single role. ``info`` holds its five components, which add up to it.

    Starting state:
        The world after its warm-up. The seed fixes the patients: who comes when and what they need.

    Steps:
        Every so often, or at events that ask some agents (``clock.decide``); the others see the world and are paid too,
        but can only wait (:class:`~marl_health.envs.wrappers.CarriedRewards` keeps their rewards for their next turn).

    Episode end:
        All are truncated when the time with decisions is over, or terminated where the world ends before that.

    Args:
        scenario: a packaged scenario's name, the path of a YAML file, or a loaded scenario.
        render_mode: ``None``, ``"rgb_array"`` (a floor plan), ``"ansi"`` (a text), or ``"human"`` (that text, printed
            at every decision).
        max_cycles: end the episode after so many decisions, if that is earlier; the run-out follows all the same.
        chosen: alternatives for the scenario's ``choose`` names.
        events: keep an event log, for :meth:`event_log`.

    Raises:
        ScenarioError: if the scenario cannot be used; it lists every problem with its place.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario,
        *,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        chosen: Mapping[str, str] | None = None,
        events: bool = False,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else load(scenario, chosen)
        self.metadata: dict[str, Any] = {
            "name": f"{self.scenario.name}_v{self.scenario.version - 1}",
            "render_modes": ["human", "ansi", "rgb_array"],
            "render_fps": 4,
            "is_parallelizable": True,
        }
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode is None, 'human', 'ansi' or 'rgb_array', not {render_mode!r}")
        self.render_mode = render_mode
        self.max_cycles = max_cycles or self.scenario.clock.steps or maxsize
        self.events = events
        self.game: Game = self.scenario.kind.make_game(self.scenario.program)
        self.possible_agents = list(self.game.agents)
        if not self.possible_agents:
            raise ValueError(f"nobody decides in '{self.scenario.name}': add agents to the scenario, or simulate it")
        self.agents: list[str] = []
        self._boxes = {
            agent: Box(-1.0, 1.0, (len(self.game.observation_names(agent)),), np.float32)
            for agent in self.possible_agents
        }
        self._choices = {  # Discrete is a Space of numpy integers; plain integers are as good, and what policies give
            agent: cast("Space[int]", Discrete(len(self.game.action_names(agent)))) for agent in self.possible_agents
        }
        self.observation_spaces = {agent: self._boxes[agent] for agent in self.possible_agents}
        self.action_spaces = dict(self._choices)
        self.state_space = Box(-1.0, 1.0, (len(self.game.state_names()),), np.float32)
        self._seen = _parts({agent: len(self.game.observation_names(agent)) for agent in self.possible_agents})
        self._format = f"{sum(part.stop - part.start for part in self._seen.values())}f"
        self._possible = _parts({agent: len(self.game.action_names(agent)) for agent in self.possible_agents})
        self.last_moves: dict[str, tuple[float, int]] = {}  # by agent: when, and which action other than to wait
        self._illegal = dict.fromkeys(self.possible_agents, 0)
        self._cycles = 0
        self._seeds = np.random.SeedSequence()

    # ------------------------------------------------------------ the ParallelEnv contract
    def observation_space(self, agent: str) -> Box:
        """The agent's observation space; the same object at each call."""
        return self._boxes[agent]

    def action_space(self, agent: str) -> Space[int]:
        """The agent's action space, ``Discrete``; the same object at each call."""
        return self._choices[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begin an episode.

        Args:
            seed: fixes the episode's patients. Without one, the next of a sequence that the last seed started.
            options: not used.
        """
        if seed is not None:
            self._seeds = np.random.SeedSequence(seed)
            episode = int(seed)
        else:
            episode = int(self._seeds.spawn(1)[0].generate_state(1, np.uint64)[0])
        self.game.reset(episode, events=self.events)
        self.agents = list(self.possible_agents)
        self.last_moves = {}
        self._illegal = dict.fromkeys(self.agents, 0)
        self._cycles = 0
        nothing = [0.0] * len(COMPONENTS)
        return self._observations(), self._infos(dict.fromkeys(self.agents, nothing), 0.0)

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Let every agent move, then run the world to the next decision."""
        agents = self.agents
        terms, minutes = self._move(actions)
        infos = self._infos(terms, minutes)
        observations = self._observations()
        terminations = dict.fromkeys(agents, self.game.ended)
        truncations = dict.fromkeys(agents, not (self.agents or self.game.ended))
        if self.render_mode == "human":
            self.render()
        return observations, {agent: sum(terms[agent]) for agent in agents}, terminations, truncations, infos

    def play(self, actions: Mapping[str, int]) -> dict[str, float]:
        """What :meth:`step` does, but nobody looks: only the rewards come back. For trials in a :meth:`fork`."""
        return {agent: sum(terms) for agent, terms in self._move(actions)[0].items()}

    def _move(self, actions: Mapping[str, int]) -> tuple[dict[str, list[float]], float]:
        """Let every agent move and run the world; the reward's components by agent, and the minutes that passed."""
        if not self.agents:
            raise RuntimeError("the episode is over or has not begun; call reset() first")
        agents, game = self.agents, self.game
        for agent in agents:
            action = actions.get(agent)
            if not action:
                continue
            if game.act(agent, int(action)):
                self.last_moves[agent] = (game.now, int(action))
            else:
                self._illegal[agent] += 1
        minutes = game.advance(last=self._cycles + 1 >= self.max_cycles)
        self._cycles += 1
        team, own = game.gains()
        if game.finished:
            self.agents = []
        terms = dict.fromkeys(agents, team)
        for agent, alone in own.items():
            terms[agent] = [shared + paid for shared, paid in zip(team, alone, strict=True)]
        return terms, minutes

    def state(self) -> Observation:
        """The global state: float32 in [-1, 1], shape ``state_space.shape``."""
        return np.array(self.game.state(), np.float32)

    def render(self) -> str | NDArray[np.uint8] | None:
        """A text or a picture of the world now, by ``render_mode``."""
        if self.render_mode is None:
            return None
        from marl_health.envs.render import draw, write

        if self.render_mode == "human":
            print(write(self))
            return None
        return write(self) if self.render_mode == "ansi" else draw(self)

    def close(self) -> None:
        """Nothing is held open."""

    def fork(self, redraw: int | None = None) -> Self:
        """A copy of the running episode to try things out in, while this one stays as it is.

        Args:
            redraw: without it the copy is exact: patients, durations and luck to come are those of this episode. That
                is for tests and checkpoints; a policy that plans with it is clairvoyant, and its results mean nothing.
                With a key (a whole number, at least 0) everything that nobody can know yet is drawn anew from what can
                be observed. The same key gives the same future; several actions are compared on the same futures.

        Raises:
            CannotFork: if the world runs a SimPy process.
        """
        other = copy(self)
        other.game = self.game.fork(redraw)
        other.render_mode = None if self.render_mode == "human" else self.render_mode  # trials are not printed
        other.agents = list(self.agents)
        other.last_moves = dict(self.last_moves)
        other._illegal = dict(self._illegal)
        other._seeds = deepcopy(self._seeds)
        return other

    # ------------------------------------------------------------ what the numbers mean
    def observation_names(self, agent: str) -> list[str]:
        """Name of each number in the agent's observation."""
        return self.game.observation_names(agent)

    def action_names(self, agent: str) -> list[str]:
        """Name of each action; the first is ``wait``."""
        return self.game.action_names(agent)

    def readings(self, agent: str) -> dict[str, float]:
        """What the agent sees, by name and unscaled: the facts of the observation, for rules and people."""
        return dict(zip(self.game.observation_names(agent), self.game.look(agent), strict=True))

    def action_mask(self, agent: str) -> NDArray[np.int8]:
        """1 for each action that is possible now; action 0 always is."""
        return np.array(self.game.mask(agent), np.int8)

    # ------------------------------------------------------------ what came out
    def kpis(self) -> dict[str, float]:
        """KPIs of the episode so far; nan where nothing was recorded."""
        return self.game.kpis()

    def kpis_by(self, attribute: str) -> dict[str, dict[str, float]]:
        """KPI to group to its value in the episode so far, where the scenario names the attribute under ``groups``.

        KPIs that no entity has a part in (what a resource does, money) are left out: ``game.whole_kpis()`` says why.
        The groups are those of ``groups()[attribute]``, as text.

        Raises:
            ValueError: the scenario does not split by this attribute.
        """
        return self.game.kpis_by(attribute)

    def groups(self) -> dict[str, list[str]]:
        """Groups by which KPIs can be split, by attribute; empty if the scenario names none."""
        return self.game.groups()

    def kpi_units(self) -> dict[str, str]:
        """Unit of each KPI (empty for counts and shares)."""
        return self.game.kpi_units()

    def conservation(self) -> dict[str, int]:
        """Everybody who ever came, warm-up and run-out included: arrived = discharged + died + left + inside."""
        return self.game.conservation()

    def event_log(self) -> list[tuple[Any, ...]]:
        """Rows (minutes, entity, event type, event, resource or outcome); empty unless made with ``events=True``."""
        return self.game.events()

    def snapshot(self) -> dict[str, Any]:
        """What is where now: clock, resources, queues, measures."""
        return self.game.snapshot()

    # ------------------------------------------------------------ inside
    def _observations(self) -> dict[str, Observation]:
        """What the agents see: parts of one array, which nobody else holds."""
        numbers = pack(self._format, *self.game.observe_all())  # a third of what an array of them takes
        whole = np.frombuffer(bytearray(numbers), _FLOAT)
        return {agent: whole[part] for agent, part in self._seen.items()}

    def _infos(self, terms: dict[str, list[float]], minutes: float) -> dict[str, dict[str, Any]]:
        masks = bytearray(self.game.mask_all())
        whole = np.frombuffer(masks, _FLAG)  # parts of one array again
        infos = {}
        paid: list[float] = []
        rewards: dict[str, Any] = {}
        for agent, part in self._possible.items():
            if terms[agent] is not paid:  # the same list for all, but for those who are paid something of their own
                paid = terms[agent]
                rewards = dict(zip(_REWARDS, paid, strict=True))
            infos[agent] = info = rewards.copy()
            info["action_mask"] = whole[part]
            info["active"] = float(masks.count(1, part.start, part.stop) > 1)
            info["elapsed_minutes"] = minutes
            info["illegal_actions"] = float(self._illegal[agent])
        return infos


def _parts(lengths: Mapping[str, int]) -> dict[str, slice]:
    """Where each agent's numbers stand if those of all follow each other."""
    ends = list(accumulate(lengths.values()))
    return {agent: slice(begin, end) for agent, begin, end in zip(lengths, [0, *ends], ends, strict=False)}
