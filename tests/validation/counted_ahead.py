"""Whom dlon450/ambulance-diversion-sim takes for waiting when it diverts above a threshold, counted in our world.

Its counter is ``n_in_queue``, and it is not the number of patients who wait. By line of its ``functions.py``, commit
1f6441a:

* It is ahead of the clock. When a doctor begins with a patient, all who will come until that work is over, or until the
  next multiple of four hours, are counted at once, and the ambulances among them diverted or not (336, 341-348). Hence
  an ambulance meets all who came before it, less those who had been taken from the queue when the first work began
  that is still going on.
* Whoever leaves or dies is taken from the queue only when a doctor calls them (137, 151-154, 332), or calls somebody
  more urgent while they are the first of their level (153, 157-165).
* Whoever is diverted is counted, too (343), until a doctor is free and they are the first of their level (144-148),
  which may be before they come.
* A doctor who is idle takes whoever comes next at once, ahead of time (155). They are not diverted, unless they were
  before (302, 346); and if they come in a later shift than the one in which the doctor took them, nobody is counted
  because of that work (341).
"""

from collections import deque
from dataclasses import dataclass

from marl_health import Scenario
from marl_health.worlds.flow.game import FlowGame
from marl_health.worlds.flow.world import FlowWorld

DEPARTMENT = "1"
DOCTORS = "doctor_1"
SHIFT = 240.0
"""Minutes between starts of shifts, beyond which the counter is never ahead."""
EVERY = 1.0
"""Minutes between our decisions. Theirs are taken for each ambulance; in a crisis one comes every five minutes."""


@dataclass
class Work:
    """A doctor's work on one patient.

    Attributes:
        number: it is the first, second, ... that began.
        taken: how many had been taken from the queue when it had begun.
        until: when it will be over, unless it is interrupted: so far its beginning put the counter ahead.
    """

    number: int
    taken: int
    until: float


class Counter:
    """Their counter for the first department, kept up to date from the event log.

    Args:
        world: an episode that was reset just now, with an event log.
    """

    def __init__(self, world: FlowWorld) -> None:
        assert world.log is not None and world.cast is not None, "reset the game with events=True"
        self.world, self.log, self.people = world, world.log, world.cast.people
        self.doctors = next(pool for pool in world.pools if pool.name == DOCTORS)
        self.read = 0  # rows of the log
        self.arrived = self.taken = self.works = 0
        self.levels: dict[int, deque[int]] = {acuity: deque() for acuity in (1, 2, 3, 4, 5)}
        self.last = dict.fromkeys(self.levels, 0)  # number of the work at which somebody of the level was taken last
        self.ahead: deque[Work] = deque()  # what goes on, each longer than all that began before it in this shift
        self.shift = 0
        self.idle = 0  # doctors who took somebody in an earlier shift who has not come yet
        self.seen: set[int] = set()
        self.diverted: set[int] = set()  # who are still in a level
        self.gone: dict[int, float] = {}
        self.interrupted = -1.0  # when work last was

    def exceeds(self, threshold: float) -> bool:
        """Whether the next one to come would be diverted."""
        self.catch_up()
        self.forget(self.world.now)
        if self.idle or (not self.ahead and self.doctors.free > 0):
            return False
        taken = self.ahead[0].taken if self.ahead else self.taken + 1  # they are counted at the next work
        return self.arrived + 1 - taken > threshold

    def forget(self, now: float) -> None:
        """Drop what is over, or began in an earlier shift."""
        if now // SHIFT != self.shift:
            self.shift = int(now // SHIFT)
            self.idle = max(0, self.doctors.free)
            self.ahead.clear()
        while self.ahead and self.ahead[0].until <= now:
            self.ahead.popleft()

    def catch_up(self) -> None:
        """Read what has been written to the log since the last time."""
        while self.read < len(self.log):
            time, who, kind, event, where = self.log[self.read]
            self.read += 1
            if not self.people[who].kind.endswith(DEPARTMENT):
                continue
            if event == "arrival":
                self.arrived += 1
                self.levels[self.acuity(who)].append(who)
            elif event.startswith("drive"):
                self.divert(time, who)
            elif kind == "queue" and who in self.seen:
                self.interrupted = time
            elif kind == "resource_use" and where == DOCTORS and who not in self.seen:
                self.seen.add(who)
                if not (event.startswith("resuscitation") and time == self.interrupted):  # else no doctor became free
                    self.begin(time, who)
            elif event == "depart":
                self.gone[who] = time

    def acuity(self, who: int) -> int:
        """Their level, from 1."""
        return int(self.people[who].attributes["acuity"])

    def divert(self, time: float, who: int) -> None:
        """Somebody came and is sent away: they stay in the queue, unless they have been taken from it already."""
        acuity = self.acuity(who)
        level = self.levels[acuity]
        self.forget(time)
        known = max(self.ahead[0].number if self.ahead else self.works, self.last[acuity])
        if len(level) == 1 and known < self.works:  # they were the first of their level when the next work began
            level.clear()
            self.last[acuity] = known + 1
            self.taken += 1
            for work in self.ahead:
                work.taken += work.number > known
        else:
            self.diverted.add(who)

    def begin(self, time: float, who: int) -> None:
        """A free doctor calls one after the other, until one is there who can be treated."""
        self.works += 1
        called = None
        while called != who:
            for acuity, level in self.levels.items():
                while level and level[0] in self.diverted:
                    self.take(acuity)
            first = next(acuity for acuity, level in self.levels.items() if level)
            for acuity, level in self.levels.items():
                while acuity > first and level and self.gone.get(level[0], time) < time:
                    self.take(acuity)
            called = self.take(first)
            assert called == who or called in self.gone or called in self.seen, "somebody was passed over"
        self.forget(time)
        if self.idle:
            self.idle -= 1
            return
        until = self.end_of(who, time)
        if not self.ahead or until > self.ahead[-1].until:
            self.ahead.append(Work(self.works, self.taken, until))

    def take(self, acuity: int) -> int:
        """Take the first of a level from the queue."""
        self.taken += 1
        self.last[acuity] = self.works
        return self.levels[acuity].popleft()

    def end_of(self, who: int, began: float) -> float:
        """When work that began since the last decision will be over, interruptions aside."""
        entity = self.world.entities.get(who)
        if entity is None:
            return began
        return entity.until if entity.remaining is None else entity.joined + entity.remaining


def play(scenario: Scenario, threshold: float, seed: int) -> FlowGame:
    """An episode in which the first department diverts while their counter would be above the threshold."""
    game = scenario.kind.make_game(scenario.program)
    assert isinstance(game, FlowGame)
    game.reset(seed, events=True)
    (agent,) = (agent for agent in game.agents if agent.startswith(f"ed_{DEPARTMENT}"))
    moves = [game.action_names(agent).index(f"set ambulance_{DEPARTMENT}.next {way}") for way in ("open", "divert")]
    world, counter, diverts = game.running, Counter(game.running), False
    while not game.finished:
        if counter.exceeds(threshold) != diverts:
            diverts = not diverts
            assert game.act(agent, moves[diverts])
        world.advance(min(world.now + EVERY, game.program.horizon))
        if world.now >= game.program.horizon:
            world.close()
    return game


def ambulances_diverted(game: FlowGame) -> float:
    """The share of the first department's ambulances that it diverted, in per cent."""
    people = game.people()
    came = {
        who for who, person in people.items() if person.kind.endswith(DEPARTMENT) and person.attributes["ambulance"]
    }
    away = {who for _, who, _, event, _ in game.events() if event.startswith("drive")}
    return 100 * len(came & away) / len(came)
