"""What dotted references stand for: readings for score and KPIs, sights for observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.spec.errors import Where
from marl_health.spec.numbers import Quantity
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow import model, readings, sights
from marl_health.worlds.flow.compile_clocks import add_sequel
from marl_health.worlds.flow.compile_fleet_views import fleet_readings, fleet_sight, fleet_sights
from marl_health.worlds.flow.compile_hidden import is_hidden
from marl_health.worlds.flow.compile_stock import stock_reading, stock_readings, stock_sight, stock_sights
from marl_health.worlds.flow.diary import make_due
from marl_health.worlds.flow.fleet_views import fleet_reading
from marl_health.worlds.flow.machine_views import MACHINE_READINGS, machine_reading, machine_words, units_sight
from marl_health.worlds.flow.moments import MOMENTS, First, Noted, Peak, Spread
from marl_health.worlds.flow.over_sites import SightOver, at_each, combined
from marl_health.worlds.flow.program import Sequel
from marl_health.worlds.flow.stock_views import READINGS

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable

POOL_READINGS = ("occupancy", "booked", "busy_hours", "overtime_hours")
SPAN_STATISTICS = ("count", "mean", "median", "p90", "p95", "share_within")


class ReadingTable:
    """Makes readings from references such as ``boarding.hours`` or ``ward_bed.occupancy``."""

    def __init__(self, compiler: Compiler, lines: LineTable) -> None:
        self.compiler = compiler
        self.program = compiler.program
        self.lines = lines
        self._made: dict[str, readings.Reading] = {}
        self.spans = {span.name: number for number, span in enumerate(self.program.spans)}

    def reading(self, reference: str, path: Where) -> readings.Reading | None:
        """The reading for a reference, or ``None`` after a problem."""
        made = self._make(reference)
        if made is None:
            hint = _hint(reference, self.known())
            self.compiler.names.problem(path, f"'{reference}' is no measure of this scenario{hint}")
        return made

    def known(self) -> list[str]:
        """Every reference that can be read."""
        stock = self.compiler.scenario.stock
        found = ["spent", "expected_deaths"]
        found += [f"{name}.{what}" for name in self.spans for what in (*SPAN_STATISTICS, "hours", "hours_over")]
        found += [f"{name}.count" for name in (*self.program.outcome_names, *self.program.marks)]
        found += [f"{name}.{what}" for name in self.program.marks for what in MOMENTS]
        found += [f"{name}.total" for name in self.program.totals]
        found += [f"{name}.arrived" for name in self.program.kinds]
        found += [f"{name}.{what}" for name in self.program.pool_index if name not in stock for what in POOL_READINGS]
        found += [f"{pool.name}.{what}" for pool in self.program.pools for what in machine_words(pool)]
        found += stock_readings(self.compiler)
        found += fleet_readings(self.compiler)
        found += [
            f"{name}.{what}"
            for name in (*self.lines.of_queue, *self.lines.of_pool)
            for what in ("mean_wait", "mean_length", "served")
        ]
        return found

    def unit(self, per: Quantity, reading: readings.Reading, path: Where) -> float:
        """How many of the reading's unit the quantity ``per`` is."""
        dimension, factor = {"h": ("time", 60.0), "min": ("time", 1.0), "usd": ("money", 1.0)}.get(
            reading.unit, ("number", 1.0)
        )
        if per.dimension not in (dimension, "number") or per.value < 1e-6:
            example = {"time": "1 h", "money": "1000 usd", "number": "10"}[dimension]
            self.compiler.names.problem(path, f"needs a quantity above 0 in the measure's unit, such as {example}")
            return 1.0
        return per.value / factor if per.dimension == "time" else per.value

    def keep(self, key: str, reading: readings.Reading) -> readings.Reading:
        """The reading that is known by a key: this one, unless there is one already."""
        if key not in self._made:
            reading.index = len(self.program.readings)
            self.program.readings.append(reading)
            self._made[key] = reading
        return self._made[key]

    def _make(self, reference: str) -> readings.Reading | None:
        if reference in self._made:
            return self._made[reference]
        everywhere = at_each(self.program, reference)
        if everywhere is not None:
            parts = [self._make(each) for each in everywhere[1]]
            found = [part for part in parts if part is not None]
            return self.keep(reference, combined(found, reference)) if len(found) == len(parts) else None
        if reference == "spent":
            return self.keep(reference, readings.Spent())
        if reference == "expected_deaths":
            return self.keep(reference, readings.ExpectedDeaths())
        name, _, what = reference.rpartition(".")
        if name in self.spans:
            return self._span(reference, name, what)
        if what == "count" and name in self.program.outcome_names:
            return self.keep(reference, readings.Outcomes(name, self.program.outcome_names.index(name)))
        if what == "count" and name in self.program.marks:
            mark = self.program.marks[name]
            self.program.sequels[mark] = [sequel or Sequel() for sequel in self.program.sequels[mark]]
            return self.keep(reference, readings.Marks(name, mark))
        if what in MOMENTS and name in self.program.marks:
            return self._moment(reference, name, what)
        if what == "total" and name in self.program.totals:
            number = [*self.program.totals].index(name)
            return self.keep(reference, readings.Total(name, number, self.program.totals[name]))
        if what == "arrived" and name in self.program.kinds:
            return self.keep(reference, readings.Arrivals(name, self.program.kinds.index(name)))
        if name in self.compiler.scenario.stock and what in READINGS:
            return stock_reading(self, reference, name, what)
        if name in self.program.pool_index and what in POOL_READINGS and name not in self.compiler.scenario.stock:
            return self._pool(reference, name, what)
        if reference in fleet_readings(self.compiler) and name in self.program.pool_index:
            return self.keep(reference, fleet_reading(name, self.program.pool_index[name], what))
        if name in self.program.pool_index and what in MACHINE_READINGS:
            pool = self.program.pool_index[name]
            if what in machine_words(self.program.pools[pool]):
                return self.keep(reference, machine_reading(name, pool, what))
        lines = tuple(self.lines.of_queue.get(name) or self.lines.of_pool.get(name) or ())
        if lines:
            return self._line(reference, name, lines, what)
        return None

    def _moment(self, reference: str, name: str, what: str) -> readings.Reading:
        """When a mark was first set, or the hour in which it was most often; its moments are noted from now on."""
        mark = self.program.marks[name]
        if not any(f"{name}.{moment}" in self._made for moment in MOMENTS):
            for kind in range(len(self.program.kinds)):
                add_sequel(self.compiler, mark, kind, clocks=(Noted(mark),))
        return self.keep(reference, First(name, mark) if what == "first" else Peak(name, mark))

    def spread(self, reference: str, path: Where) -> readings.Reading | None:
        """The largest difference of a reading between the sites of a template, or ``None`` after a problem."""
        everywhere = at_each(self.program, reference)
        if everywhere is None:
            self.compiler.names.problem(
                path,
                f"'{reference}' has no spread over sites; write TEMPLATE.NAME.what, such as hospital.bed.occupancy",
            )
            return None
        parts = [self.reading(each, path) for each in everywhere[1]]
        found = [part for part in parts if part is not None]
        return self.keep(f"spread {reference}", Spread(found, reference)) if len(found) == len(parts) else None

    def _span(self, reference: str, name: str, what: str) -> readings.Reading | None:
        span = self.spans[name]
        if what in ("hours", "hours_over"):
            alike = isinstance(self.program.spans[span].target, float)
            return self.keep(reference, readings.SpanHours(name, span, what == "hours_over", alike))
        if what in SPAN_STATISTICS:
            return self.keep(reference, readings.SpanStatistic(name, span, what))
        return None

    def _pool(self, reference: str, name: str, what: str) -> readings.Reading:
        pool = self.program.pool_index[name]
        if what == "overtime_hours":
            return self.keep(reference, readings.PoolHours(name, pool, "overtime"))
        if what == "busy_hours":
            return self.keep(reference, readings.PoolHours(name, pool, "busy"))
        on_duty = self.keep(f"{name}.on_duty_hours", readings.PoolHours(name, pool, "on_duty"))
        if what == "booked":
            booked = self.keep(f"{name}.booked_hours", readings.BookedHours(name, pool))
            meaning = f"unit-hours of work begun with '{name}', counted to its end / unit-hours there were"
            return self.keep(reference, readings.Ratio("", meaning, booked, on_duty))
        busy = self.keep(f"{name}.busy_hours", readings.PoolHours(name, pool, "busy"))
        meaning = f"unit-hours of '{name}' taken / unit-hours there were"
        return self.keep(reference, readings.Ratio("", meaning, busy, on_duty))

    def _line(self, reference: str, name: str, lines: tuple[int, ...], what: str) -> readings.Reading | None:
        if what not in ("served", "mean_wait", "mean_length"):
            return None
        served = self.keep(f"{name}.served", readings.LineTotal(name, lines, "served"))
        if what == "mean_wait":
            waited = self.keep(f"{name}.waited", readings.LineTotal(name, lines, "waited"))
            meaning = f"mean wait of those served from '{name}', those who did not wait included"
            return self.keep(reference, readings.Ratio("min", meaning, waited, served))
        if what == "mean_length":
            hours = self.keep(f"{name}.hours", readings.LineTotal(name, lines, "hours"))
            clocked = self.keep("clocked", readings.Clocked())
            return self.keep(
                reference, readings.Ratio("", f"time average of those waiting in '{name}'", hours, clocked)
            )
        return served


class SightTable:
    """Makes sights from references such as ``ed_bay.free`` or ``{see: ed_queue.waiting, by: acuity}``."""

    def __init__(self, compiler: Compiler, lines: LineTable, slots: dict[str, int]) -> None:
        self.compiler = compiler
        self.program = compiler.program
        self.lines = lines
        self.slots = slots
        self.spans = {span.name: number for number, span in enumerate(self.program.spans)}

    def sight(self, seen: str | model.Sight, path: Where) -> sights.Sight | None:
        """The sight for an entry of ``sees``, or ``None`` after a problem."""
        reference = seen if isinstance(seen, str) else seen.see
        by = None if isinstance(seen, str) else seen.by
        scale = None if isinstance(seen, str) or seen.scale is None else seen.scale.value
        if scale is not None and scale <= 0:
            self.compiler.names.problem((*path, "scale"), "the scale must be above 0")
            scale = None
        if reference in self.compiler.scenario.slots and reference not in self.slots:
            return None  # the slot list itself has a problem, which was told
        step, _, what = reference.rpartition(".")
        if what == "due" and step in self.program.step_index:
            return make_due(self.compiler, model.Sight(see=seen) if isinstance(seen, str) else seen, step, path)
        if reference in fleet_sights(self.compiler):
            return fleet_sight(self.compiler, model.Sight(see=seen) if isinstance(seen, str) else seen, path)
        if not isinstance(seen, str) and seen.from_ is not None:
            self.compiler.names.problem((*path, "from"), "goes with SITE.minutes_away only")
        within = [] if isinstance(seen, str) else seen.within
        made = self._make(reference, by, within, scale, path)
        if made is None:
            hint = _hint(reference, self.known())
            self.compiler.names.problem(path, f"there is nothing to see as '{reference}'{hint}")
        elif made is BLIND:
            return None
        return made

    def known(self) -> list[str]:
        """Every reference that can be seen."""
        found = ["hour", "weekday", "time_left", *self.slots]
        stock = self.compiler.scenario.stock
        found += [
            f"{name}.{what}" for name in self.program.pool_index if name not in stock for what in sights.PoolNow.WORDS
        ]
        found += [f"{pool.name}.units" for pool in self.program.pools if pool.wear or pool.set_up]
        found += stock_sights(self.compiler)
        found += fleet_sights(self.compiler)
        found += [f"{name}.{what}" for name in self.lines.of_queue for what in ("waiting", "oldest")]
        found += [f"{name}.{what}" for name in self.spans for what in ("now", "oldest")]
        found += [f"{name}.arriving" for name in self.program.kinds]
        found += [f"{name}.due" for name in self.program.step_index]
        return found

    def _make(
        self, reference: str, by: str | None, within: list[float], scale: float | None, path: Where
    ) -> sights.Sight | None:
        everywhere = at_each(self.program, reference)
        if everywhere is not None:
            return self._over_sites(*everywhere, by, within, scale, path)
        if reference == "hour":
            return sights.Cycle("hour", 1440.0)
        if reference == "weekday":
            return sights.Cycle("weekday", 10080.0)
        if reference == "time_left":
            return sights.TimeLeft()
        if reference in self.slots:
            spec = self.program.slot_lists[self.slots[reference]]
            shown = tuple((what, scale_of) for what, _, scale_of in spec.shown)
            return sights.SlotList(reference, self.slots[reference], spec.top, shown)
        name, _, what = reference.rpartition(".")
        if what in ("waiting", "oldest") and name in self.compiler.scenario.queues:
            if name not in self.lines.of_queue or name in self.lines.broken:
                return BLIND  # the queue itself has a problem, which was told
            return self._line(name, what, by, scale, path)
        if by is not None:
            self.compiler.names.problem((*path, "by"), "only queues are seen by class: QUEUE.waiting and QUEUE.oldest")
            return BLIND
        if name in self.program.pool_index and name in self.compiler.scenario.stock:
            return stock_sight(self.compiler, name, what, within, scale, path)
        if name in self.program.pool_index and what in sights.PoolNow.WORDS:
            pool = self.program.pool_index[name]
            resource = self.program.pools[pool]
            most = 20 if resource.unlimited else max(units for _, units in resource.shifts)
            default = max(3.0, most / 4) if what in ("waiting", "cleaning") else max(1.0, most / 2)
            return sights.PoolNow(name, pool, what, scale or default)
        if what == "units" and name in self.program.pool_index:
            return units_sight(self.program, self.program.pool_index[name], scale)
        if name in self.spans and what in ("now", "oldest"):
            return sights.SpanNow(name, self.spans[name], what, scale or (10.0 if what == "now" else 120.0))
        if name in self.program.kinds and what == "arriving":
            return self._arriving(name, scale)
        return None

    def _over_sites(
        self,
        template: str,
        references: list[str],
        by: str | None,
        within: list[float],
        scale: float | None,
        path: Where,
    ) -> sights.Sight | None:
        """The sum over all sites of a template; the same must be seen of each."""
        sites = [site.name for site in self.program.sites.values() if site.template == template]
        parts = [self._make(each, by, within, None, path) for each in references]
        found = [part for part in parts if part is not None]
        if any(part is BLIND for part in found):
            return BLIND
        if len(found) < len(parts):
            return None
        if len({len(part.names) for part in found}) > 1:
            self.compiler.names.problem(path, "this is divided otherwise from site to site, so there is no sum of it")
            return BLIND
        return SightOver(found, template, sites, scale)

    def _arriving(self, name: str, scale: float | None) -> sights.Sight:
        arrive = self.compiler.scenario.entities[name].arrive
        rate = 60.0 * arrive.rate.per_minute if arrive is not None and arrive.rate is not None else 1.0
        return sights.RecentArrivals(name, self.program.kinds.index(name), scale or max(0.1, rate))

    def _line(self, name: str, what: str, by: str | None, scale: float | None, path: Where) -> sights.Sight:
        lines = tuple(self.lines.of_queue[name])
        queue = self.compiler.scenario.queues[name]
        if by is not None and by != queue.classes:
            remedy = f"it has the classes of '{queue.classes}'" if queue.classes else "give the queue classes: " + by
            self.compiler.names.problem((*path, "by"), f"'{name}' is not divided by '{by}'; {remedy}")
            return BLIND
        if by is not None and any(is_hidden(self.compiler.scenario, kind, by) for kind in self.program.kinds):
            self.compiler.names.problem((*path, "by"), f"'{by}' is hidden, so agents may not see the queue by it")
            return BLIND
        classes: dict[Any, int] = self.program.lines[lines[0]].classes if by is not None else {}
        return sights.LineNow(name, lines, what, classes, scale or (5.0 if what == "waiting" else 60.0))


BLIND = sights.TimeLeft()
"""Stands for a sight whose problem was already told."""


def _hint(reference: str, known: list[str]) -> str:
    """What may be meant by a reference: if its first word is known, what can follow it."""
    name = reference.partition(".")[0]
    return did_you_mean(reference, [other for other in known if other.partition(".")[0] == name] or known)
