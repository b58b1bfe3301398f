"""The world: a ``simpy.Environment`` whose heap also holds things that are valid while their epoch is current."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Any, Self, TypeVar

from simpy import Environment
from typing_extensions import override

from marl_health.kernel.entity import Entity

if TYPE_CHECKING:
    from marl_health.kernel.entity import Thing
    from marl_health.kernel.line import Line
    from marl_health.kernel.pool import Pool

Copied = TypeVar("Copied")

SLICE = 240.0
"""Minutes of what is put in order together: see ``near`` and ``far`` of :class:`World`."""

NORMAL = 1
EARLY = 0
FIRST = -1
"""Heap priorities: shift changes come before what happens at the same minute, the end of an advance before all."""


class CannotFork(RuntimeError):
    """The world runs SimPy processes; generators cannot be copied, so neither can the world."""


def exact_copy(thing: Copied) -> Copied:
    """A copy of a world, or of something that holds one.

    Raises:
        CannotFork: if a SimPy process is under way.
    """
    try:
        copied: Copied = pickle.loads(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL))
    except TypeError as error:
        raise CannotFork(
            "this world runs a SimPy process (a generator), which cannot be copied; "
            "write exogenous events as things with an epoch to make it forkable"
        ) from error
    return copied


class _Reached(Exception):
    """The world has run until the time it was asked for."""


class Halted(Exception):
    """Raised by something on the heap: the world stops there; with priority ``FIRST``, before all else at that time."""


class _End:
    """Marks on the heap the time until which the world runs."""

    __slots__ = ("epoch",)

    def __init__(self) -> None:
        self.epoch = 0

    def fire(self, world: World) -> None:
        """That time has come."""
        raise _Reached


class World(Environment):
    """A simulation that can be advanced, copied and pickled at any moment.

    Times are minutes. Ordinary SimPy events and processes share the heap and keep SimPy's semantics; a world that
    runs a process cannot be forked, and says so.

    Attributes:
        pools, lines: by index; steps refer to them so.
        near, numbers: SimPy's heap and its tie-breakers; far, edge: entries of later than ``edge``, by slices of
            ``SLICE`` minutes. A heap of what comes next stays small, and of what lies further off much is cancelled
            before anybody has to put it in order. :meth:`at` is the way to schedule; generated code does it itself.
        log: rows of the event log, or ``None`` when it is off.
    """

    # What is looked up at every event has a slot: a world has too many attributes for the fast kind of dictionary.
    __slots__ = ("_now", "edge", "far", "lines", "log", "near", "numbers", "pools")

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self.near: Any = self._queue
        self.far: defaultdict[float, list[Any]] = defaultdict(list)
        self.edge = (start // SLICE + 1.0) * SLICE
        self.numbers: Iterator[int] = self._eid
        self.pools: list[Pool] = []
        self.lines: list[Line] = []
        self.log: list[tuple[float, int, str, str, str]] | None = None

    def at(self, time: float, thing: Thing, priority: int = NORMAL) -> None:
        """Put a thing on the heap; the entry is void once the thing's epoch has moved on."""
        entry = (time, priority, next(self.numbers), thing, thing.epoch)
        if time < self.edge:
            heappush(self.near, entry)
        elif time < inf:
            self.far[time // SLICE].append(entry)

    @property
    def agenda(self) -> list[Any]:
        """All that is scheduled, in no order: (time, priority, tie-breaker, thing, epoch); SimPy's own are shorter."""
        return [*self.near, *chain.from_iterable(self.far.values())]

    def reschedule(self, entries: Iterable[Any]) -> None:
        """Put other entries in the place of all that is scheduled."""
        self.near.clear()
        self.far.clear()
        for entry in entries:
            (self.near if entry[0] < self.edge or len(entry) != 5 else self.far[entry[0] // SLICE]).append(entry)
        heapify(self.near)

    def _turn(self) -> None:
        """The next slice of time begins: what lies in it comes on the heap, but for what was cancelled."""
        slice_ = self.far.pop(self.edge // SLICE, ())
        self.near.extend([entry for entry in slice_ if entry[3].epoch == entry[4]])
        heapify(self.near)
        self.edge += SLICE

    @override
    def peek(self) -> float:
        """The time of the next entry, infinity if there is none."""
        while self.far and (not self.near or self.near[0][0] >= self.edge):
            self._turn()
        return super().peek()

    def next_number(self) -> int:
        """A number greater than every one before: the tie-breaker of heaps, deterministic."""
        return next(self.numbers)

    def step(self) -> None:
        """Process the next entry, ours or SimPy's."""
        self.peek()
        if self._queue and len(self._queue[0]) == 5:
            entry: Any = heappop(self._queue)
            self._now = entry[0]
            if entry[3].epoch == entry[4]:
                entry[3].fire(self)
        else:
            super().step()

    def advance(self, until: float) -> None:
        """Run every event before ``until`` (not at it), then set the clock to it; stop where something halts it.

        Whoever leaves is freed by reference counts, without any help of the collector of cycles, which would only go
        through all who are inside again and again. So it rests meanwhile.
        """
        collects = gc.isenabled()
        gc.disable()
        try:
            while self.edge < until:
                self._run(self.edge)
                self._turn()
            self._run(until)
            self._now = until
        except Halted:
            pass  # the clock stands where it was halted
        finally:
            if collects:
                gc.enable()

    def _run(self, until: float) -> None:
        queue = self.near
        end = _End()
        last = (until, FIRST, 0, end, 0)
        heappush(queue, last)
        try:
            while True:
                entry = heappop(queue)
                try:
                    now, _, _, thing, epoch = entry
                except ValueError:  # SimPy's own entries are shorter
                    heappush(queue, entry)
                    super().step()
                    continue
                if thing.epoch == epoch:  # else it was cancelled
                    self._now = now
                    if type(thing) is Entity:  # most are: do what Entity.fire does without its call
                        thing.step.done(self, thing)
                    else:
                        thing.fire(self)
        except _Reached:
            pass
        except Halted:
            queue.remove(last)
            heapify(queue)
            raise
        finally:
            end.epoch += 1

    def withdraw(self, entity: Entity) -> None:
        """Stop whatever the entity (or its tokens) does or waits for; its place is kept."""
        tokens = entity.tokens()
        for token in tokens:  # all of them leave their lines before any gives back what another could then get
            token.epoch += 1
            token.remaining = None
            token.children = None
            if token.line is not None:
                token.line.in_vain += self._now - token.joined
                token.line.leave(self._now, token)
        for token in tokens:
            if token.held is not None:
                token.held.release(self, token)

    def interrupted(self, entity: Entity) -> None:
        """Told just before an entity's work is interrupted for somebody more urgent."""

    def vacated_unit(self, pool: Pool, entity: Entity) -> None:
        """Told when an entity gave back a unit that a job has to make ready."""

    def dissolve(self) -> None:
        """Let go of everybody, when nobody needs the world any more.

        What is in it points at each other in circles, which only the collector of cycles could free; that costs an
        episode of a small world a twentieth of its time.
        """
        for line in self.lines:
            line.tickets.clear()
            line.best_ticket = None
        for pool in self.pools:
            pool.lines.clear()

    def fork(self) -> Self:
        """An exact copy that continues as this world would: for tests and checkpoints, clairvoyant for a policy.

        Raises:
            CannotFork: if a SimPy process is under way.
        """
        return exact_copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = memo[id(self)] = self.fork()
        return copied

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """``itertools.count`` loses its pickling in Python 3.14, so its next value is stored instead."""
        number = next(self._eid)
        self._eid = self.numbers = itertools.count(number)
        state = dict(self.__dict__)
        state.update((name, getattr(self, name)) for name in World.__slots__ if name not in ("numbers", "near", "far"))
        del state["_queue"]
        state["_eid"] = number
        state["agenda"] = self.agenda
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        agenda = state.pop("agenda")
        for name, value in state.items():
            setattr(self, name, value)
        self._eid = self.numbers = itertools.count(state["_eid"])
        self._queue = self.near = []
        self.far = defaultdict(list)
        self.reschedule(agenda)
