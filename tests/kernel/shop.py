"""A shop to test the kernel with: customers are served from a line, for as many minutes as they carry with them."""

from marl_health.kernel import Entity, Line, Pool, World
from marl_health.kernel.disciplines import FirstCome
from marl_health.kernel.preemption import interrupt_for

CLASS, MINUTES = 0, 1


class Serve:
    """Wait in a line, work, give everything back; those who cannot be served at once may interrupt others."""

    name = "serve"
    index = 0
    rosters = ()
    give_up = None

    def __init__(self, line=0, preempt=False, resume=True, keeps=None):
        self.line = line
        self.preempt = preempt
        self.resume = resume
        self.keeps = keeps

    def enter(self, world, entity):
        entity.step = self
        line = world.lines[self.line]
        if line.request(world, entity) or (self.preempt and interrupt_for(line, world, entity, self.resume)):
            self.granted(world, entity)
        else:
            line.join(world, entity, world.now)

    def granted(self, world, entity):
        world.told.append((world.now, entity.id, "start"))
        minutes = entity.values[MINUTES] if entity.remaining is None else entity.remaining
        entity.remaining = None
        if self.keeps is not None:
            entity.place = world.pools[self.keeps]
        entity.until = world.now + minutes
        world.at(entity.until, entity)

    def done(self, world, entity):
        world.told.append((world.now, entity.id, "end"))
        entity.held.release(world, entity)


class Come:
    """An arrival: at its time the customer enters its step."""

    def __init__(self, entity):
        self.epoch = 0
        self.entity = entity

    def fire(self, world):
        self.entity.step.enter(world, self.entity)


class Shop(World):
    """``told`` holds (time, customer, start or end)."""

    def __init__(self):
        super().__init__()
        self.told = []
        self.step_of = Serve()

    def pool(self, capacity, *, identified=False, preempting=False, clean=None):
        made = Pool(f"pool{len(self.pools)}", len(self.pools), capacity, clean=clean, identified=identified,
                    preempting=preempting)  # fmt: skip
        self.pools.append(made)
        return made

    def line(self, *needs, discipline=None, classes=1, priority=0.0, kept=None):
        needs = tuple(need if isinstance(need, tuple) else (need, 1) for need in needs)
        number = len(self.lines)
        made = Line(
            f"line{number}",
            number,
            needs,
            kept=kept,
            slot=CLASS if classes > 1 else None,
            classes={cls: cls for cls in range(classes)} if classes > 1 else {},
            discipline=discipline or FirstCome(),
            priority=priority,
        )
        self.lines.append(made)
        return made

    def come(self, time, number, minutes, *, cls=0, step=None):
        """A customer arrives at a time."""
        entity = Entity(0, number, [0.5], step or self.step_of)
        entity.values = [cls, minutes]
        self.at(time, Come(entity))
        return entity

    def __setstate__(self, state):
        """How long cleaning takes does not travel with a copy; here, there is none."""
        super().__setstate__(state)
        for pool in self.pools:
            pool.clean = None

    def starts(self):
        """(time, customer) of each beginning of service, in order."""
        return [(time, number) for time, number, what in self.told if what == "start"]

    def ends(self):
        """Time of the end of each customer's service."""
        return {number: time for time, number, what in self.told if what == "end"}
