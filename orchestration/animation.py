"""An episode as a series of pictures, at any times one likes; looking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import policies
from marl_health import HealthParallelEnv, Scenario
from marl_health.envs.render_scene import Scene, read_scene
from orchestration.episodes import own_seed
from orchestration.simulate import NOBODY
from policies.registry import rule_of

COARSEST = 30.0
"""Minutes between pictures, at most, unless somebody asks for more."""
DAY = 1440.0


@dataclass(frozen=True)
class Clip:
    """What is to be shown of an episode.

    Attributes:
        scenario: which plays. policy: who decides; of no account where nobody does. seed: of the episode.
        begin, end: minutes since the first decision. every: minutes between pictures.
    """

    scenario: Scenario
    policy: str
    seed: int
    begin: float
    end: float
    every: float

    @property
    def times(self) -> list[float]:
        """Of the pictures: minutes since the first decision."""
        count = int((self.end - self.begin) / self.every + 1e-9) + 1
        return [self.begin + number * self.every for number in range(count)]


def usual_policy(scenario: Scenario) -> str:
    """The reference rule where there is one, else to wait."""
    try:
        rule_of(scenario)
    except policies.PolicyError:
        return NOBODY
    return "rule" if scenario.roles else NOBODY


def usual_every(scenario: Scenario) -> float:
    """Minutes between pictures: each decision, but not coarser than ``COARSEST``; a 48th where they come at events."""
    step = float(scenario.program.decide_every) if scenario.program.turns is None else length(scenario) / 48
    return step / -int(-step // COARSEST)


def length(scenario: Scenario) -> float:
    """Minutes from the first decision to the end of an episode."""
    return float(scenario.program.horizon - scenario.program.warm_up)


def scenes(clip: Clip) -> Iterator[Scene]:
    """What there is to see at the clip's times, as far as the episode goes."""
    episode = _Played(clip) if clip.scenario.roles else _Watched(clip)
    times = clip.times
    number = 0
    while number < len(times):
        following = episode.decide()
        last = following >= length(clip.scenario) or episode.ends
        while number < len(times) and (times[number] < following or (last and times[number] <= following)):
            yield episode.look(times[number])
            number += 1
        if last:
            return
        episode.advance()


class _Watched:
    """An episode in which nobody decides."""

    agents: Sequence[str] = ()
    ends = False  # whether the world ends at the next decisions

    def __init__(self, clip: Clip) -> None:
        self.scenario = clip.scenario
        self.game: Any = clip.scenario.kind.make_game(clip.scenario.program)
        self.moves: Mapping[str, tuple[float, str]] = {}
        self.game.reset(clip.seed, events=False)

    def decide(self) -> float:
        """Take the decisions that are due; the minute of the next ones."""
        program = self.scenario.program
        if program.turns is None and program.gone is None:
            return min(length(self.scenario), float(self.game.now + program.decide_every))
        ahead, _ = self.ahead()  # nobody knows when that is but by going there
        begun = float(self.game.now)
        following = begun + float(ahead.advance())
        self.ends = bool(ahead.ended)
        return following

    def advance(self) -> None:
        """Go on to the next decisions."""
        self.game.advance()

    def look(self, minutes: float) -> Scene:
        """What there is to see at a time before the next decisions. Only a copy goes there."""
        game, moves = self.game, self.moves
        if minutes > game.now:
            game, moves = self.ahead()
            game.running.advance(self.scenario.program.warm_up + minutes)
        return read_scene(game.snapshot(), self.scenario.name, list(self.agents), dict(moves))

    def ahead(self) -> tuple[Any, Mapping[str, tuple[float, str]]]:
        """A copy of the game in which the decisions are taken, and the last moves then."""
        return self.game.fork(), self.moves


class _Played(_Watched):
    """An episode in which a policy decides."""

    def __init__(self, clip: Clip) -> None:
        self.scenario = clip.scenario
        self.env = HealthParallelEnv(clip.scenario)
        self.agents = self.env.possible_agents
        self.policy = policies.make(clip.policy)
        self.seen = self.env.reset(seed=clip.seed)
        self.game = self.env.game
        try:
            self.policy.reset(self.env, own_seed(clip.policy, clip.seed))
        except policies.PolicyError:
            raise
        except ValueError as error:
            raise policies.PolicyError(str(error)) from error
        self.actions: dict[str, int] = {}

    def decide(self) -> float:
        self.moves = {
            agent: (minutes, self.env.action_names(agent)[action])
            for agent, (minutes, action) in self.env.last_moves.items()
        }
        self.actions = self.policy.act(self.env, *self.seen)
        return super().decide()

    def advance(self) -> None:
        observations, _, _, _, infos = self.env.step(self.actions)
        self.seen = observations, infos

    def ahead(self) -> tuple[Any, Mapping[str, tuple[float, str]]]:
        game, moves = self.game.fork(), dict(self.moves)
        for agent, action in self.actions.items():
            if game.act(agent, action) and action:
                moves[agent] = (game.now, self.env.action_names(agent)[action])
        return game, moves
