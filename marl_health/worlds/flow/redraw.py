"""The future drawn anew: a copy of a world in which everything that nobody can know yet is another draw.

An exact copy is clairvoyant: who arrives next, when the surgeon will finish and who will die are fixed in it. A policy
that plans with it cheats. The copy made here is a function of what can be observed and of a key, and of nothing else,
so a policy that plans with it decides the same whatever the future holds.

What can be observed stays: who is where and since when, attributes that are not ``hidden``, marks, levers and what
agents have ordered, capacities, measures. What nobody can know is drawn under the condition that it has not shown yet:

* what varies by episode, and who will come: see :mod:`marl_health.worlds.flow.redraw_coming`;
* the end of what is under way (work, stays, moves, cleaning, deliveries, patience, timers, states of health), given how
  long it has lasted. An early end that an agent arranged is known, and so is whether a stay is ripe for one where
  agents see that;
* when a machine fails, given its age and what its checks told, and when it is back;
* what is left of the unit exponential of a hazard is a new one;
* every row and key, so that everything that anybody has yet to draw is new. ``hidden`` attributes that no step has
  revealed are drawn given the signals of them: see :mod:`marl_health.worlds.flow.posterior`.

Draws are made in an order that can be observed as well: pools by index, entities in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log1p
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import KEYS, Entity
from marl_health.kernel.pool import Cleaning
from marl_health.kernel.preemption import work_done
from marl_health.kernel.randomness import stream, uniforms
from marl_health.kernel.world import exact_copy
from marl_health.worlds.flow.clocks import Clock, HealthClock, HealthSpec, TimerSpec
from marl_health.worlds.flow.decisions import ShortenStay
from marl_health.worlds.flow.machines import Machine
from marl_health.worlds.flow.posterior import Posterior
from marl_health.worlds.flow.redraw_coming import Coming
from marl_health.worlds.flow.redraw_fleets import redraw_fleets
from marl_health.worlds.flow.redraw_machines import redraw_machines
from marl_health.worlds.flow.remaining import Luck, Remaining
from marl_health.worlds.flow.sources import Leaver, Missing, Source
from marl_health.worlds.flow.steps import Delay
from marl_health.worlds.flow.stock import redraw_stocks
from marl_health.worlds.flow.stock_events import Delivery
from marl_health.worlds.flow.units import Unit
from marl_health.worlds.flow.values import fixed

if TYPE_CHECKING:
    from marl_health.worlds.flow.program import Program
    from marl_health.worlds.flow.world import FlowWorld

HIDDEN = (Entity, Clock, Source, Missing, Leaver, Cleaning, Machine, Delivery, Unit)
"""Things on the heap whose time nobody knows. The others are the calendar and what agents have ordered."""


def redrawn(world: FlowWorld, key: int) -> FlowWorld:
    """A copy of a world with another future.

    Args:
        world: it stays as it is.
        key: picks the future; the same key and the same observable state give the same copy. At least 0.

    Raises:
        CannotFork: if a SimPy process is under way.
    """
    state = world.__getstate__()
    state["agenda"] = [entry for entry in world.agenda if _lasts(entry)]
    bare = object.__new__(type(world))
    bare.__setstate__(state)
    copied = exact_copy(bare)
    _Redraw(copied, key).everything()
    return copied


def _lasts(entry: Any) -> bool:
    """Whether an entry of the heap is still valid, and no arrival, for these will be replaced anyway."""
    return len(entry) != 5 or (entry[3].epoch == entry[4] and not isinstance(entry[3], Source))


class _Redraw:
    """Draws the future of one world anew, in place.

    Args:
        world: a copy that nobody else holds, without arrivals on its heap.
        key: picks the future.
    """

    def __init__(self, world: FlowWorld, key: int) -> None:
        world.seed = int(stream(key, "redraw").integers(2**63))
        self.world = world
        self.luck = Luck(stream(world.seed, "luck"))
        self.remaining = Remaining(world, self.luck)
        self.posterior = Posterior(world, self.luck)
        self.shortened = {_step_of(world.program, move): (move.mark_index, move.lead) for move in _shortening(world)}

    def everything(self) -> None:
        """Draw all of it."""
        world = self.world
        ripe = self._ripe()
        unknown = [entry for entry in world.agenda if len(entry) == 5 and isinstance(entry[3], HIDDEN)]
        world.reschedule(entry for entry in world.agenda if len(entry) != 5 or not isinstance(entry[3], HIDDEN))
        coming = Coming(world, self.luck, self.remaining)
        coming.what_varies()
        self._rows()
        coming.who_comes()
        for leaver in world.leavers:
            leaver.values = self._as_far_as_seen(leaver.kind, leaver.values)
        coming.who_comes_again()
        busy = {entry[3] for entry in unknown if isinstance(entry[3], Entity)}
        for entity in tuple(world.entities.values()):
            for token in entity.tokens():
                if token in busy:
                    self._end(token, *ripe.get(token, (0.0, inf)))
                elif token.remaining is not None:
                    done, least = work_done(token, world.now)
                    token.remaining = max(0.0, self._whole(token, least) - done)
                for clock in (token.clocks or {}).values():
                    self._clock(clock)
        cleanings = [entry for entry in unknown if isinstance(entry[3], Cleaning)]
        cleanings.sort(key=lambda entry: (entry[3].pool.index, entry[3].began, entry[2]))
        for entry in cleanings:
            self._cleaning(entry[3])
        redraw_stocks(world, [entry[3] for entry in unknown if isinstance(entry[3], Delivery)], self.remaining)
        redraw_machines(world, self.remaining, self.luck)
        redraw_fleets(world, self.remaining)
        if world.gone is not None:
            world.gone.redraw(world)

    # ------------------------------------------------------------ what entities carry
    def _rows(self) -> None:
        """New rows and keys for everybody, and hidden attributes as they may be."""
        world, columns = self.world, self.world.program.columns
        block = uniforms(stream(world.seed, "inside"), columns * len(world.entities))
        names = {} if world.cast is None else world.cast.names
        for number, entity in enumerate(world.entities.values()):
            row = block[number * columns : (number + 1) * columns]
            name = names.get(entity.key)
            for token in entity.tokens():
                token.row = row
            if name is not None:
                names[entity.key] = name
        for leaver in world.leavers:
            key = int(self.luck.next() * KEYS)
            if leaver.key in names:
                names[key] = names[leaver.key]
            leaver.key = key
        for entity in tuple(world.entities.values()):
            drawn = self.posterior.draw(entity.kind, entity.values)
            if drawn:
                world.assign(entity, tuple((slot, fixed(value)) for slot, value in drawn))

    def _as_far_as_seen(self, kind: int, values: Sequence[Any]) -> list[Any]:
        """Attributes of somebody who is not here any more, the hidden ones as they may be."""
        known = list(values)
        for slot, value in self.posterior.draw(kind, values):
            known[slot] = value
        return known

    # ------------------------------------------------------------ what is under way
    def _whole(self, token: Entity, least: float, most: float = inf) -> float:
        """How long what a token is at lasts in all."""
        step: Any = token.step
        return self.remaining.whole(token.kind, token.values, step.duration, least, most)

    def _end(self, token: Entity, least: float, most: float) -> None:
        """When a token's work or stay ends, if it lasts between ``least`` and ``most`` minutes in all."""
        world = self.world
        now = world.now
        if isinstance(token.step, Delay):
            until = token.since + self._whole(token, max(least, now - token.since), most)
            mark, lead = self.shortened.get(token.step.index, (0, 0.0))
            arranged = token.marks[mark] if token.step.index in self.shortened else None
            if arranged is not None and arranged >= token.since:
                until = min(until, arranged + lead)
        else:
            done, longest = work_done(token, now)
            until = now + self._whole(token, longest) - done
        token.until = max(now, until)
        world.at(token.until, token)

    def _ripe(self) -> dict[Entity, tuple[float, float]]:
        """Bounds of the stays of those of whom an agent sees whether their stay may be shortened.

        Where no plan is written down, that tells how much of the stay as it will turn out is over.
        """
        world = self.world
        bounds: dict[Entity, tuple[float, float]] = {}
        for move in _shortening(world):
            if move.planned is not None or move.at_least <= 0:
                continue
            for entity in world.slot_list(move.slots):
                if entity.marks[move.mark_index] is not None or not world.still_there(move.slots, entity):
                    continue
                least, most = bounds.get(entity, (0.0, inf))
                turn = (world.now - entity.since) / move.at_least
                if move.possible(world, entity):
                    bounds[entity] = (least, min(most, turn))
                else:
                    bounds[entity] = (max(least, turn), most)
        return bounds

    def _clock(self, clock: Clock) -> None:
        """When a timer runs out, or what befalls somebody beside the pathway."""
        world, entity, spec = self.world, clock.entity, clock.spec
        passed = world.now - clock.began
        if isinstance(spec, TimerSpec):
            known = list(clock.known)
            for slot in world.program.hidden[entity.kind]:
                known[slot] = entity.values[slot]
            clock.known = known
            world.at(world.now + self.remaining.left(entity.kind, known, spec.after, passed), clock)
        else:
            assert isinstance(spec, HealthSpec) and isinstance(clock, HealthClock)
            left = [
                self.remaining.left(entity.kind, entity.values, transition.value, passed)
                if transition.fixed
                else -log1p(-self.luck.next())
                for transition in spec.states[clock.state]
            ]
            spec.redraw(world, clock, left)

    def _cleaning(self, cleaning: Cleaning) -> None:
        """When a unit is clean."""
        now, clean = self.world.now, cleaning.pool.clean
        assert clean is not None
        cleaning.values = self._as_far_as_seen(cleaning.kind, cleaning.values)
        minutes = self.remaining.left(cleaning.kind, cleaning.values, clean, now - cleaning.began)
        self.world.at(now + minutes, cleaning)


def _shortening(world: FlowWorld) -> list[ShortenStay]:
    """All moves that end stays early."""
    return [move for agent in world.program.agents for move in agent.moves if isinstance(move, ShortenStay)]


def _step_of(program: Program, move: ShortenStay) -> int:
    """Index of the step whose stays a move ends."""
    step = program.rosters[program.slot_lists[move.slots].roster].step
    assert step is not None
    return step
