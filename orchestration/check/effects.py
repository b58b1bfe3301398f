"""Point 1: every action changes something that is measured, and every number that is seen varies.

From states that a random policy, waiting and the rule visit, two exact copies run on: in one an agent does the action,
in the other it waits; all others, and everybody from then on, wait in both. What differs afterwards is the action's
doing. Its own cost does not count: money spent, and whatever is counted at the very moment of acting, such as the
number of cancellations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from marl_health.worlds.flow.readings import Reading, Spent
from orchestration.check.finding import Finding
from orchestration.check.search import TRAINED
from policies import make
from policies.base import role_of

VISITORS = ("random", "wait", "rule")
"""Policies whose states are visited in turn: crowds are rare where capacity is bought at random."""

EPISODES = 12
"""Episodes in which states are visited, at most."""

TRIES = 30
"""States from which an action is tried, at most."""

APART = 30.0
"""Minutes between looks at what is measured, at most, where decisions come at events: not at the same in two copies."""

Action = tuple[str, int]


def effects(scenario: Scenario) -> Iterator[Finding]:
    """Look at each role's actions and at what it sees."""
    env = HealthParallelEnv(scenario)
    dead, tried = idle_actions(env)
    fixed = constant_observations(env)
    for agent in env.possible_agents:
        role, names = role_of(agent), env.action_names(agent)
        idle = [names[action] for who, action in dead if who == agent]
        never = [name for name in idle if not tried[agent, names.index(name)]]
        figure = f"{len(names) - 1 - len(idle)} of {len(names) - 1}" + (f"; not: {', '.join(idle)}" if idle else "")
        data = {"role": role, "without_effect": idle, "never_possible": never}
        yield Finding(1, f"actions of {role} that change a measure", figure, not idle, data)
        seen = env.observation_names(agent)
        stuck = [seen[number] for number in fixed[agent]]
        figure = f"{len(seen) - len(stuck)} of {len(seen)}" + (f"; not: {', '.join(stuck)}" if stuck else "")
        yield Finding(1, f"observations of {role} that vary", figure, not stuck, {"role": role, "constant": stuck})


def idle_actions(env: HealthParallelEnv) -> tuple[list[Action], dict[Action, int]]:
    """Actions that changed nothing, and from how many states each was tried."""
    tried = {(agent, action): 0 for agent in env.possible_agents for action in range(1, _size(env, agent))}
    todo = dict.fromkeys(tried)
    for infos in _visits(env):
        now = [(agent, action) for agent, action in todo if tried[agent, action] < TRIES]
        now = [(agent, action) for agent, action in now if infos[agent]["action_mask"][action]]
        if now:
            waiting = _Course(env.fork())
            for agent, action in now:
                tried[agent, action] += 1
                if _differs(env.fork(), agent, action, waiting):
                    del todo[agent, action]
        if all(tried[one] >= TRIES for one in todo):
            break
    return list(todo), tried


def constant_observations(env: HealthParallelEnv) -> dict[str, list[int]]:
    """By agent, the numbers of its observation that were the same in all states visited."""
    first: dict[str, list[float]] = {}
    same = {agent: set(range(len(env.observation_names(agent)))) for agent in env.possible_agents}
    for _ in _visits(env):
        for agent, left in same.items():
            numbers = env.game.observe(agent)
            known = first.setdefault(agent, numbers)
            left -= {number for number in left if numbers[number] != known[number]}
        if not any(same.values()):
            break
    return {agent: sorted(left) for agent, left in same.items()}


def _visits(env: HealthParallelEnv) -> Iterator[dict[str, dict[str, Any]]]:
    """Run episodes, and stop at each decision."""
    for number in range(EPISODES):
        policy, seed = make(VISITORS[number % len(VISITORS)]), TRAINED + number
        observations, infos = env.reset(seed=seed)
        policy.reset(env, seed)
        while env.agents:
            yield infos
            observations, _, _, _, infos = env.step(policy.act(env, observations, infos))


class _Course:
    """What the readings were at each look while everybody waited; found out as far as somebody asks."""

    def __init__(self, env: HealthParallelEnv) -> None:
        self._env = env
        self._begun = env.game.now
        self.read = _reader(env)
        self.start = self.read()
        self._later: list[list[float]] = []

    def after(self, steps: int) -> list[float]:
        """Readings after so many looks, at least 1; those at the end, if it is over by then."""
        while len(self._later) < steps:
            _wait(self._env, self._begun, len(self._later) + 1)
            self._later.append(self.read())
        return self._later[steps - 1]


def _differs(env: HealthParallelEnv, agent: str, action: int, waiting: _Course) -> bool:
    read = _reader(env)
    trial = env.fork()
    trial.game.act(agent, action)  # at the moment of acting only what it costs is counted
    counts = _differences(_reader(trial)(), waiting.start, range(len(waiting.start)))
    others = [number for number in range(len(waiting.start)) if number not in counts]
    begun, steps = env.game.now, 1
    env.game.act(agent, action)
    _wait(env, begun, steps)
    while not _differences(read(), waiting.after(steps), others):
        if env.game.finished:
            return False
        steps += 1
        _wait(env, begun, steps)
    return True


def _wait(env: HealthParallelEnv, begun: float, steps: int) -> None:
    """Everybody waits until the look of this number after the time ``begun``, or until the end; see the end itself."""
    game, clock = env.game, env.scenario.clock
    if game.finished:
        return
    minutes = begun + steps * (clock.step if clock.decide is None else min(APART, clock.episode / 48))
    if minutes < clock.episode - 1e-9:
        game.skip(minutes)
    if minutes >= clock.episode - 1e-9 or game.ended:
        game.finish()


def _reader(env: HealthParallelEnv) -> Callable[[], list[float]]:
    """Reads every reading that score and KPIs use, but for the money spent."""
    game: Any = env.game
    world = game.running
    readings: list[Reading] = [one for one in world.program.readings if not isinstance(one, Spent)]
    return lambda: [one.read(world) for one in readings]


def _differences(now: Sequence[float], other: Sequence[float], numbers: Sequence[int]) -> set[int]:
    return {number for number in numbers if now[number] != other[number]}


def _size(env: HealthParallelEnv, agent: str) -> int:
    return len(env.action_names(agent))
