"""Compiles KPIs, and the groups by which they can be split."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from marl_health.spec.errors import Where
from marl_health.spec.numbers import By, Choice, read_key
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow import readings as reading
from marl_health.worlds.flow.groups import Grouping, GroupTable
from marl_health.worlds.flow.moments import Plain
from marl_health.worlds.flow.names import shown_value
from marl_health.worlds.flow.program import KpiSpec
from marl_health.worlds.game import WITHOUT

if TYPE_CHECKING:
    from marl_health.spec.common import Kpi
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.references import ReadingTable

MOST_CELLS = 10_000
"""Combinations of groups; what is kept by cell takes that many numbers."""
GAP = "it compares groups already"


def compile_kpis(compiler: Compiler, readings: ReadingTable) -> None:
    """Compile KPIs and groups."""
    program = compiler.program
    for name, kpi in compiler.scenario.kpis.items():
        path: Where = ("kpis", name)
        above = (readings.spread if kpi.spread else readings.reading)(kpi.of, (*path, "of"))
        below = None if kpi.per is None else _divisor(readings, kpi.per, (*path, "per"))
        if above is None:
            continue
        unit = above.unit if below is None else "/".join(filter(None, (above.unit, below.unit)))
        whole = above.whole or ("" if below is None else below.whole)
        if kpi.gap:
            _check_gap(compiler, kpi, path, above, below, whole)
        program.kpis.append(KpiSpec(name, above, below, unit, tuple(kpi.gap), GAP if kpi.gap else whole))
    _compile_groups(compiler)


def _divisor(readings: ReadingTable, per: str | float, path: Where) -> reading.Reading | None:
    """What a KPI is divided by: a measure, or a number."""
    if isinstance(per, str):
        return readings.reading(per, path)
    return readings.keep(f"{per:g}", Plain(per))


def _check_gap(
    compiler: Compiler, kpi: Kpi, path: Where, above: reading.Reading, below: reading.Reading | None, whole: str
) -> None:
    """Note what makes a gap meaningless: nothing to split, or sizes of groups that differ anyway."""
    groups = compiler.scenario.groups
    for number, name in enumerate(kpi.gap):
        if name not in groups:
            remedy = f"name it under groups: of the scenario{did_you_mean(name, groups)}"
            compiler.names.problem((*path, "gap", number), f"groups of '{name}' are not kept apart; {remedy}")
    if whole:
        compiler.names.problem((*path, "gap"), f"there is no gap in '{kpi.of}' between groups: {whole}")
    elif below is None and not (isinstance(above, reading.SpanStatistic) and above.statistic != "count"):
        compiler.names.problem(
            (*path, "gap"),
            f"'{kpi.of}' is larger where the group is; divide it by the size of the group, as in per: ENTITY.arrived",
        )
    elif below is not None and not _counts(below):
        compiler.names.problem(
            (*path, "per"),
            "a gap needs a count here, to tell how many of each group it rests on, such as ENTITY.arrived",
        )


def _counts(below: reading.Reading) -> bool:
    """Whether a reading counts entities or what they did."""
    statistic = isinstance(below, reading.SpanStatistic) and below.statistic == "count"
    return statistic or isinstance(below, reading.Marks | reading.Outcomes | reading.Arrivals)


def _compile_groups(compiler: Compiler) -> None:
    """Number the combinations of the groups, and settle what is kept of each."""
    program, names, wanted = compiler.program, compiler.names, compiler.scenario.groups
    values: dict[str, list[Any]] = {}
    for number, name in enumerate(wanted):
        path: Where = ("groups", number)
        if name in values:
            names.problem(path, f"'{name}' is named twice")
        elif name not in names.slots:
            names.unknown(path, "attribute", name, names.slots)
        else:
            found = _values(compiler, name, path)
            if found is not None:
                values[name] = found
    cells = prod(len(found) for found in values.values())
    if cells > MOST_CELLS:
        listed = " × ".join(f"{len(found)} of {name}" for name, found in values.items())
        names.problem(("groups",), f"{listed} make {cells:,} groups, at most {MOST_CELLS:,} are kept; name fewer")
    if len(values) < len(wanted) or not wanted or cells > MOST_CELLS:
        return
    read = {
        part.index: part
        for kpi in program.kpis
        if not kpi.whole or kpi.gap
        for part in (kpi.reading, kpi.per)
        if part is not None
    }
    parts = read.values()
    combinations = list(product(*(range(len(found)) for found in values.values())))
    by, codes, stride = {}, [], cells
    for place, (name, found) in enumerate(values.items()):
        slot = names.slots[name]
        shown = tuple(WITHOUT if value is None else shown_value(value) for value in found)
        members = tuple(combination[place] for combination in combinations)
        by[name] = Grouping(slot, {value: code for code, value in enumerate(found)}, shown, members)
        stride //= len(found)
        codes.append((slot, {value: code * stride for code, value in enumerate(found)}))
    program.groups = GroupTable(
        slot=len(names.slots),
        cells=cells,
        by=by,
        codes=tuple(codes),
        marks=frozenset(part.mark for part in parts if isinstance(part, reading.Marks)),
        outcomes=frozenset(part.outcome for part in parts if isinstance(part, reading.Outcomes)),
        kinds=frozenset(part.kind for part in parts if isinstance(part, reading.Arrivals)),
        spans=frozenset(part.span for part in parts if isinstance(part, reading.SpanHours | reading.SpanStatistic)),
        deaths=any(isinstance(part, reading.ExpectedDeaths) for part in parts),
        opened=tuple(index for index, part in read.items() if not isinstance(part, reading.SpanStatistic)),
    )


def _values(compiler: Compiler, name: str, path: Where) -> list[Any] | None:
    """The values of an attribute, where the scenario lists them in its order; ``None`` last if a kind lacks it."""
    names = compiler.names
    possible: set[Any] = set()
    listed: dict[Any, None] = {}
    lacking = False
    for kind, attributes in zip(compiler.scenario.entities.values(), names.attributes, strict=True):
        number = attributes.get(name)
        if number is None:
            lacking = True
            continue
        if number.dimension == "any":
            return None  # the attribute itself has a problem, which was told
        if number.possible is None:
            names.problem(
                path,
                f"'{name}' can take many values; split by an attribute that takes few, such as one drawn by choice",
            )
            return None
        possible |= number.possible
        listed.update(dict.fromkeys(_listed(kind.has.get(name))))
    ordered = [value for value in listed if value in possible]
    if all(isinstance(value, int | float) for value in possible):
        ordered = []  # numbers have an order of their own
    rest = sorted(possible - set(ordered), key=lambda value: (str(type(value)), value))
    return [*ordered, *rest] + ([None] if lacking else [])


def _listed(form: Any) -> list[Any]:
    """Values that a form names, in its order."""
    if isinstance(form, Choice):
        return [read_key(key) for key in form.choice]
    if isinstance(form, By):
        return [value for case in (*form.cases.values(), form.otherwise) for value in _listed(case)]
    return []
