"""What happens in environments that are stepped side by side, kept in arrays from which episodes are cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.env.utils.infinite_lookback_buffer import InfiniteLookbackBuffer
from ray.rllib.utils.metrics import WEIGHTS_SEQ_NO

from policies.rllib.choosing import choose

FIRST_STEPS = 64
"""For how many steps there is room at first."""


class Table:
    """An array that grows along its first axis, which counts steps; made once something is to stand in it."""

    def __init__(self) -> None:
        self.data: NDArray[Any] = np.empty(0)
        self._made = False

    def row(self, step: int, like: NDArray[Any]) -> NDArray[Any]:
        """The row of a step; `like` has the shape and the type that all rows have."""
        if not self._made:
            self._made = True
            self.data = np.zeros((max(FIRST_STEPS, step + 1), *like.shape), like.dtype)
        elif step >= len(self.data):
            self.data = np.concatenate([self.data, np.zeros_like(self.data)])
        row: NDArray[Any] = self.data[step]
        return row


class Take:
    """What happened in one environment since its reset, or since the last chunk of its episode was cut off.

    Attributes:
        begin: step at which it begins.
        acting: who acts next; nobody once the episode is over.
        order: who acted in the first step.
        infos: by step and agent; of one step more than rewards.
        rewards: by step and agent.
        ends: by agent that has left the steps it took, and whether it was terminated, or truncated.
        terminated, truncated: whether all were.
    """

    def __init__(self, begin: int, acting: Sequence[str], infos: dict[str, Any]) -> None:
        self.begin = begin
        self.acting = list(acting)
        self.order: Sequence[str] = ()
        self.infos = [infos]
        self.rewards: list[dict[str, float]] = []
        self.ends: dict[str, tuple[int, bool, bool]] = {}
        self.terminated = self.truncated = False

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return self.terminated or self.truncated

    def lengths(self) -> Iterator[tuple[str, int]]:
        """Who acted, and how often."""
        for agent in self.order:
            yield agent, self.ends[agent][0] if agent in self.ends else len(self.rewards)

    def earned(self) -> dict[str, list[float]]:
        """Rewards by agent."""
        return {agent: [rewards[agent] for rewards in self.rewards[:n]] for agent, n in self.lengths()}

    def pay(self, actions: Mapping[str, Any], rewards: Mapping[str, float], infos: Mapping[str, Any]) -> None:
        """Take down what a step brought."""
        if not self.rewards:
            self.order = tuple(actions)
        self.rewards.append(dict(rewards))
        self.infos.append(dict(infos))

    def leave(
        self, actions: Mapping[str, Any], terminateds: Mapping[str, bool], truncateds: Mapping[str, bool]
    ) -> None:
        """Take down who has left with the last step."""
        self.terminated, self.truncated = terminateds["__all__"], truncateds["__all__"]
        self.acting = []
        for agent in actions:
            terminated = terminateds.get(agent, False) or self.terminated
            truncated = truncateds.get(agent, False) or self.truncated
            if terminated or truncated:
                self.ends[agent] = (len(self.rewards), terminated, truncated)
            else:
                self.acting.append(agent)


class Recording:
    """Environments that are stepped side by side: one forward pass per module serves all agents in all of them.

    Every agent has a place of its own in the arrays of its module, so that nothing is collected agent by agent. A
    place in which nobody acts is left out of the forward pass.

    Args:
        envs: the environments.
        module_of: the module of an agent.
    """

    def __init__(self, envs: Sequence[Any], module_of: Callable[[str], str]) -> None:
        self._envs = list(envs)
        self.takes = [Take(0, (), {}) for _ in self._envs]
        self._t = 0
        self._observations: dict[str, Table] = defaultdict(Table)
        self._actions: dict[str, Table] = defaultdict(Table)
        self._outputs: dict[str, dict[str, Table]] = defaultdict(lambda: defaultdict(Table))
        self._places: dict[str, int] = defaultdict(int)
        self._seats: list[dict[str, tuple[str, int]]] = []
        for env in self._envs:
            seats = {}
            for agent in env.possible_agents:
                module = module_of(agent)
                seats[agent] = (module, self._places[module])
                self._places[module] += 1
            self._seats.append(seats)
        self._seated: dict[str, tuple[NDArray[np.int64] | None, list[tuple[int, str]]]] | None = None

    def begin(self, index: int, shown: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Begin an episode with what the reset of an environment has shown: observations and infos.

        Raises:
            ValueError: agents that share a module do not observe arrays of one shape.
        """
        observations, infos = shown
        for agent, observation in observations.items():
            module, place = self._seats[index][agent]
            seen = np.asarray(observation)
            row = self._observations[module].row(self._t, np.broadcast_to(seen, (self._places[module], *seen.shape)))
            if row[place].shape != seen.shape:
                raise ValueError(
                    f"BatchedEnvRunner: {agent} observes an array of shape {seen.shape}, others with the module "
                    f"'{module}' one of {row[place].shape}; give it a module of its own"
                )
            row[place] = seen
        self.takes[index] = Take(self._t, tuple(observations), dict(infos))
        self._seated = None

    def decide(self, modules: Mapping[str, Any], *, explore: bool, lifetime: int) -> list[dict[str, Any]]:
        """By environment the actions of who acts in it; with them a step begins."""
        moves: list[dict[str, Any]] = [{} for _ in self._envs]
        t = self._t
        for module, (places, owners) in self._who().items():
            table = self._observations[module]
            now = table.data[t]
            batch = now.copy() if places is None else now[places]
            chosen, outputs = choose(modules[module], batch, explore=explore, lifetime=lifetime)
            actions = chosen.tolist() if chosen.ndim == 1 else list(chosen)
            for (index, agent), action in zip(owners, actions, strict=True):
                moves[index][agent] = action
            self._keep(self._actions[module], module, places, np.asarray(actions))
            for key, values in outputs.items():
                self._keep(self._outputs[module][key], module, places, values)
        self._t += 1
        for table in self._observations.values():
            table.row(self._t, table.data[t])
        return moves

    def step(self, index: int, actions: dict[str, Any]) -> bool:
        """Step an environment; tells whether its episode is over.

        Raises:
            ValueError: others are shown something than those who acted.
        """
        observations, rewards, terminateds, truncateds, infos = self._envs[index].step(actions)
        if observations.keys() != actions.keys():
            raise ValueError(
                f"BatchedEnvRunner: {sorted(actions)} acted, but {sorted(observations)} were shown what came of "
                "it; use RLlib's MultiAgentEnvRunner for agents that take turns or join late"
            )
        take, seats, tables, t = self.takes[index], self._seats[index], self._observations, self._t
        for agent, observation in observations.items():
            module, place = seats[agent]
            tables[module].data[t, place] = observation
        take.pay(actions, rewards, infos)
        if True in terminateds.values() or True in truncateds.values():
            take.leave(actions, terminateds, truncateds)
            self._seated = None
        return take.over

    def cut(self, index: int, episode: MultiAgentEpisode, weights: int) -> MultiAgentEpisode:
        """Put what happened in an environment into an (empty) episode object.

        Args:
            index: of the environment.
            episode: the object.
            weights: number of the weights with which it was played.

        Raises:
            ValueError: an agent has another module in this episode than in others.
        """
        take = self.takes[index]
        begin, steps, earned = take.begin, len(take.rewards), take.earned()
        for agent, n in take.lengths():
            module, place = self._seats[index][agent]
            if episode.module_for(agent) != module:
                raise ValueError(
                    f"BatchedEnvRunner: policy_mapping_fn gives {agent} the module '{module}' in one episode and "
                    f"'{episode.module_for(agent)}' in another; use RLlib's MultiAgentEnvRunner for that"
                )
            outputs = {key: table.data[begin : begin + n, place].copy() for key, table in self._outputs[module].items()}
            _, terminated, truncated = take.ends.get(agent, (n, False, False))
            episode.agent_episodes[agent] = SingleAgentEpisode(
                agent_id=agent,
                module_id=module,
                multi_agent_episode_id=episode.id_,
                observation_space=episode.observation_space.get(agent),
                action_space=episode.action_space.get(agent),
                observations=self._observations[module].data[begin : begin + n + 1, place].copy(),
                infos=[infos.get(agent, {}) for infos in take.infos[: n + 1]],
                actions=self._actions[module].data[begin : begin + n, place].copy(),
                rewards=np.asarray(earned[agent]),
                extra_model_outputs={**outputs, WEIGHTS_SEQ_NO: np.full(n, weights)},
                terminated=terminated,
                truncated=truncated,
                t_started=episode.env_t_started,
                len_lookback_buffer=0,
            )
            gone = [episode.SKIP_ENV_TS_TAG] * (steps - n)
            episode.env_t_to_agent_t[agent] = InfiniteLookbackBuffer([*range(n + 1), *gone])
            episode.agent_t_started[agent] = episode.env_t_started
        episode.env_t = episode.env_t_started + steps
        episode.is_terminated, episode.is_truncated = take.terminated, take.truncated
        return episode

    def rewind(self) -> None:
        """Forget all but where every episode is now: what comes next is cut off as another chunk."""
        for table in self._observations.values():
            table.data[0] = table.data[self._t]
        self._actions.clear()
        self._outputs.clear()  # whether one explores decides what modules say
        self._t = 0
        self.takes = [Take(0, take.acting, take.infos[-1]) for take in self.takes]

    def _who(self) -> dict[str, tuple[NDArray[np.int64] | None, list[tuple[int, str]]]]:
        """By module the places in which somebody acts, None for all of them, and who sits there."""
        if self._seated is None:
            places: dict[str, list[int]] = defaultdict(list)
            owners: dict[str, list[tuple[int, str]]] = defaultdict(list)
            for index, take in enumerate(self.takes):
                for agent in take.acting:
                    module, place = self._seats[index][agent]
                    places[module].append(place)
                    owners[module].append((index, agent))
            self._seated = {
                module: (None if taken == [*range(self._places[module])] else np.array(taken), owners[module])
                for module, taken in places.items()
            }
        return self._seated

    def _keep(self, table: Table, module: str, places: NDArray[np.int64] | None, values: NDArray[Any]) -> None:
        """Take down what was decided in a step, by place."""
        if places is None:
            table.row(self._t, values)[:] = values
        else:
            row = table.row(self._t, np.broadcast_to(values[0], (self._places[module], *values.shape[1:])))
            row[places] = values
