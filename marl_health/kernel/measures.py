"""Measures: counters and time integrals, posted where things happen and read by rewards and KPIs."""

from __future__ import annotations

from collections import deque
from math import inf


class Accrual:
    """A quantity that grows by lumps and at a rate: a counter, a time integral, or both.

    A count of patients only takes lumps; bed-hours only take a rate; money takes both. Reading is O(1).
    Units: the value is in whatever is posted; the rate is per minute.
    """

    __slots__ = ("last", "rate", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.rate = 0.0
        self.last = 0.0

    def add(self, amount: float) -> None:
        """Post a lump."""
        self.value += amount

    def change(self, now: float, rate: float) -> None:
        """Change the rate by ``rate`` per minute from now on."""
        self.value += self.rate * (now - self.last)
        self.last = now
        self.rate += rate

    def read(self, now: float) -> float:
        """The value at time ``now`` (which may not lie before the last change)."""
        return self.value + self.rate * (now - self.last)


class Span:
    """The time between two marks: how many are inside now, time spent, finished durations, time over a target.

    Attributes:
        time: entity-minutes inside; its ``rate`` is the number inside now.
        durations: minutes of each finished and recorded interval, in order of finishing.
        within: for each of them, whether it was no longer than its target.
        starts: (start, target) of each entity inside, by entity id, in order of beginning.
    """

    __slots__ = ("_deadlines", "_due_sum", "_late", "_looked", "_over", "durations", "starts", "time", "within")

    def __init__(self) -> None:
        self.time = Accrual()
        self.durations: list[float] = []
        self.within: list[bool] = []
        self.starts: dict[int, tuple[float, float]] = {}
        self._deadlines: dict[float, deque[tuple[float, int]]] = {}  # (due, number) by target, so in order of time
        self._looked = -inf  # when they were last looked at
        self._late = 0  # how many inside were over their target then
        self._due_sum = 0.0  # the sum of their deadlines
        self._over = 0.0  # minutes over target of those who have left

    @property
    def inside(self) -> int:
        """How many are between the two marks now."""
        return len(self.starts)

    def begin(self, now: float, number: int, target: float = inf) -> None:
        """Entity ``number`` passes the first mark; beyond ``target`` minutes its time counts as over."""
        if number not in self.starts:
            self.starts[number] = (now, target)
            time = self.time
            time.value += time.rate * (now - time.last)
            time.last = now
            time.rate += 1.0
            if target < inf:
                deadlines = self._deadlines.get(target)
                if deadlines is None:
                    deadlines = self._deadlines[target] = deque()
                deadlines.append((now + target, number))

    def end(self, now: float, number: int, record: bool) -> None:
        """Entity ``number`` passes the second mark; ``record`` says whether its duration is kept."""
        if number not in self.starts:
            return
        began, target = self.starts.pop(number)
        time = self.time
        time.value += time.rate * (now - time.last)
        time.last = now
        time.rate -= 1.0
        deadlines = self._deadlines.get(target)
        if deadlines is not None:
            while deadlines and deadlines[0][1] not in self.starts:
                deadlines.popleft()
            if not deadlines:
                del self._deadlines[target]
        due = began + target
        if due < now:
            self._over += now - due
            if due < self._looked:
                self._late -= 1
                self._due_sum -= due
        if record:
            self.durations.append(now - began)
            self.within.append(now - began <= target)

    def over(self, now: float) -> float:
        """Entity-minutes beyond the target until ``now``, of those inside and those who have left."""
        self._look_at_deadlines(now)
        return self._over + self._late * now - self._due_sum

    def oldest(self, now: float) -> float:
        """Longest time anyone inside has been there, in minutes."""
        for began, _ in self.starts.values():
            return now - began
        return 0.0

    def _look_at_deadlines(self, now: float) -> None:
        self._looked = now
        for deadlines in self._deadlines.values():
            while deadlines and deadlines[0][0] < now:
                due, number = deadlines.popleft()
                start = self.starts.get(number)
                if start is not None and start[0] + start[1] == due:
                    self._late += 1
                    self._due_sum += due
