"""Policies that no score should reward: they game, spend and refuse without a look at anybody's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from marl_health import HealthParallelEnv
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.decisions import CallInMove, ChooseMove, ExtraLever, GoFirst, Levels, Move, SendTo
from marl_health.worlds.flow.steps import FlowStep, Leave
from marl_health.worlds.flow.stock_views import OrderMove
from policies.base import ADVERSARIAL, PolicyError
from policies.simple import WAIT, Infos


class Option(NamedTuple):
    """An action that is legal now: its number, the move that it belongs to, which of its actions, what it costs."""

    number: int
    move: Move
    index: int
    price: float


Pick = Callable[[Sequence[Option], np.random.Generator], int]


def spray(options: Sequence[Option], generator: np.random.Generator) -> int:
    """At every decision any action but to wait: farms whatever is paid for acting."""
    return options[generator.integers(len(options))].number


def expensive(options: Sequence[Option], generator: np.random.Generator) -> int:
    """Always the action that costs most; waits when all that is left is free."""
    dearest = max(options, key=lambda option: option.price)
    return dearest.number if dearest.price > 0 else WAIT


def highest(options: Sequence[Option], generator: np.random.Generator) -> int:
    """Each lever to its last position, and everybody called in; `wait` leaves them all at their first."""
    for option in options:
        last = isinstance(option.move, Levels) and option.index == len(option.move.names) - 1
        if last or isinstance(option.move, CallInMove):
            return option.number
    return WAIT


def refuse(options: Sequence[Option], generator: np.random.Generator) -> int:
    """Send away whoever can be sent away: out of the hospital first, elsewhere if nobody can be."""
    moves = [option for option in options if isinstance(option.move, SendTo)]
    if not moves:
        return WAIT
    return max(moves, key=lambda option: (_turns_away(option.move.way), -option.number)).number


def last_slot(options: Sequence[Option], generator: np.random.Generator) -> int:
    """Whoever stands last in a list is next."""
    chosen = [option.number for option in options if isinstance(option.move, GoFirst)]
    return max(chosen, default=WAIT)


def _turns_away(way: Any) -> bool:
    """Whether this way ends at the door, whatever branches it takes: only steps that take no time lie between."""
    if isinstance(way, Leave):
        return True
    if isinstance(way, FlowStep):
        return type(way) is FlowStep and way.way is not None and _turns_away(way.way)
    return all(_turns_away(branch) for branch in way.ways())


PICKS: dict[str, Pick] = {
    "spray": spray,
    "expensive": expensive,
    "highest": highest,
    "refuse": refuse,
    "last_slot": last_slot,
}


class AdversarialPolicy:
    """Every agent picks among its legal actions in one bad way.

    Args:
        spec: ``adversarial:`` and a name of ``PICKS``.

    Raises:
        PolicyError: if there is no such name.
    """

    def __init__(self, spec: str) -> None:
        way = spec.removeprefix(ADVERSARIAL)
        if way not in PICKS:
            raise PolicyError(
                f"policy '{spec}': there is no '{way}'{did_you_mean(way, PICKS)} (known: {', '.join(PICKS)})"
            )
        self.name = spec
        self._pick = PICKS[way]
        self._generator = np.random.default_rng(0)
        self._options: dict[str, list[Option]] = {}

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Learn what each action is and costs."""
        self._generator = np.random.default_rng(seed)
        self._options = {agent: _options(env, agent) for agent in env.possible_agents}

    def act(self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Infos) -> dict[str, int]:
        """Pick."""
        actions = {}
        for agent in env.agents:
            mask = infos[agent]["action_mask"]
            legal = [option for option in self._options[agent] if mask[option.number]]
            actions[agent] = self._pick(legal, self._generator) if legal else WAIT
        return actions


def _options(env: HealthParallelEnv, agent: str) -> list[Option]:
    """All actions of an agent but to wait."""
    game: Any = env.game
    every = [(move, index) for move in game.specs[agent].moves for index in range(len(move.names))]
    least, pools = env.scenario.clock.step, game.program.pools
    return [
        Option(number, move, index, _price(move, index, least, pools)) for number, (move, index) in enumerate(every, 1)
    ]


def _price(move: Move, index: int, least: float, pools: Sequence[Any]) -> float:
    """US dollars that an action commits to; what costs by the hour counts until it can be changed again."""
    if isinstance(move, ExtraLever):
        return move.cost * move.units[index] * max(move.at_least, least)
    if isinstance(move, OrderMove):
        stock = pools[move.pool].stock
        return move.cost + float(stock.order_cost + stock.price * move.levels[index])
    return move.cost if isinstance(move, (CallInMove, ChooseMove)) else 0.0
