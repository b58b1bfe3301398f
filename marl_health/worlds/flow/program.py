"""The compiled scenario: immutable tables that every world of the scenario shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.line import Line

if TYPE_CHECKING:
    from marl_health.kernel.disciplines import Discipline
    from marl_health.kernel.pool import Pool
    from marl_health.worlds.flow.clocks import ClockSpec
    from marl_health.worlds.flow.decisions import Move
    from marl_health.worlds.flow.fleets import FleetSpec
    from marl_health.worlds.flow.groups import GroupTable
    from marl_health.worlds.flow.machines import SetUpSpec, WearSpec
    from marl_health.worlds.flow.model import FlowScenario
    from marl_health.worlds.flow.network import Network, SiteSpec
    from marl_health.worlds.flow.readings import Reading
    from marl_health.worlds.flow.sights import Sight
    from marl_health.worlds.flow.signals import Likelihood
    from marl_health.worlds.flow.sources import SourceSpec
    from marl_health.worlds.flow.stock import StockSpec
    from marl_health.worlds.flow.turnover import TurnoverSpec
    from marl_health.worlds.flow.turns import TurnsSpec
    from marl_health.worlds.flow.world import FlowWorld

Test = Callable[[Sequence[Any]], bool]

ARRIVAL = 0
"""Mark set on every entity when it arrives. Marks 1 and 2 are set when it leaves."""
DISCHARGE = 1
DEATH = 2

RECENT = 180.0
"""Time constant, in minutes, with which past arrivals fade from the recent arrival rate."""


class Way(Protocol):
    """Where to go next: a step itself, or a router that picks one."""

    def enter(self, world: Any, entity: Entity) -> None:
        """Send the entity on."""


@dataclass(frozen=True)
class PoolSpec:
    """A resource: capacity by time of the day and what happens when a unit is vacated.

    ``shifts``: (minutes after midnight, units), ascending; a single entry at 0 if it is the same all day.
    ``stock``: what is fixed about units that are used up; ``None`` for staff and places.
    ``crews``: (begin and end in minutes after midnight, units) of those who work a shift; ``shifts`` says the same.
    ``turnover``: the jobs that make vacated units ready; then nobody asks how long ``clean`` is.
    ``wear``, ``set_up``: of units that are machines.
    ``make``: the class of the pool in a world, or what makes it of name, index and capacity, if the rest does not say.
    ``fleet``: of units that are somewhere, and drive.
    """

    name: str
    place: bool
    shifts: tuple[tuple[float, int], ...]
    absent: Value | None
    clean: Value | None
    identified: bool
    preempting: bool
    department: str | None
    unlimited: bool
    crews: tuple[tuple[float, float, int], ...] = ()
    turnover: TurnoverSpec | None = None
    wear: WearSpec | None = None
    set_up: SetUpSpec | None = None
    stock: StockSpec | None = None
    make: Callable[[str, int, int], Pool] | None = None
    fleet: FleetSpec | None = None


def on_duty(begin: float, end: float, minute: float) -> bool:
    """Whether a shift that begins and ends at these minutes of the day is under way at another."""
    return begin <= minute < end if begin < end else minute >= begin or minute < end


@dataclass(frozen=True)
class LineSpec:
    """A queue: what its entities need, how they are divided into classes, which order is in force at the start.

    ``make``: the class of the line in a world, or what makes it with the same arguments.
    """

    name: str
    needs: tuple[tuple[int, int], ...]
    kept: int | None
    slot: int | None
    classes: dict[Any, int]
    discipline: Discipline
    priority: float
    make: Callable[..., Line] = Line
    rises: bool = False


@dataclass(frozen=True)
class RosterSpec:
    """A list kept in order: of those waiting in some lines, or of those in a step."""

    lines: tuple[int, ...]
    step: int | None
    key: Value


@dataclass(frozen=True)
class SlotsSpec:
    """Candidates that an agent sees and can point at."""

    name: str
    roster: int
    top: int
    accepts: Callable[[Entity], bool] | None
    shown: tuple[tuple[str, Value, float], ...]


@dataclass(frozen=True)
class SpanSpec:
    """A measure between two marks."""

    name: str
    begins: int
    ends: int
    kinds: frozenset[int]
    holding: int | None
    target: Value | float


class Sequel(NamedTuple):
    """What happens when a mark is set on an entity of some kind, in this order.

    Attributes:
        ends: measures that end. begins: measures that begin: (index, target, place that must be held).
        clocks: clocks that stop or start.
    """

    ends: tuple[int, ...] = ()
    begins: tuple[tuple[int, Value | float, int | None], ...] = ()
    clocks: tuple[Callable[[FlowWorld, Entity], None], ...] = ()


@dataclass(frozen=True)
class ScoreLine:
    """One line of the score: component index, reading, worth of one unit, and the agents that get it, if not all."""

    component: int
    reading: Reading
    worth: float
    to: tuple[str, ...] | None


@dataclass(frozen=True)
class KpiSpec:
    """A key performance indicator: a reading, optionally divided by another.

    ``gap``: attributes, if it is the largest difference between groups of one of them.
    ``whole``: why it cannot be split by group; empty if it can.
    """

    name: str
    reading: Reading
    per: Reading | None
    unit: str
    gap: tuple[str, ...] = ()
    whole: str = ""


@dataclass(frozen=True)
class AgentSpec:
    """An agent: its role, what it sees, in the order of the observation, its moves, in the order of the actions.

    ``name``: that of the agent, such as ``bed_manager_0``. ``site``: where it decides, if it belongs to one.
    """

    role: str
    sights: tuple[Sight, ...]
    moves: tuple[Move, ...]
    name: str
    site: str | None = None


@dataclass
class Program:
    """Everything a world needs, by index. Filled by the compiler, then never changed."""

    scenario: FlowScenario
    start: float = 0.0  # minutes after Monday 00:00 at which the warm-up begins
    warm_up: float = 0.0
    horizon: float = 0.0  # when the last decision's step ends, on the world's clock
    length: float = 0.0  # when the run-out ends
    decide_every: float = 1.0  # unless there are turns
    turns: TurnsSpec | None = None  # if decisions come at events
    gone: frozenset[int] | None = None  # kinds with the last of whom an episode ends, if it does
    tables: tuple[Path, ...] = ()  # files that numbers were read from
    state_sights: tuple[Sight, ...] = ()
    columns: int = 1
    kinds: list[str] = field(default_factory=list)
    slots_of_values: dict[str, int] = field(default_factory=dict)
    attributes: list[tuple[tuple[int, Value], ...]] = field(default_factory=list)  # by kind, in order of dependence
    begins: list[Way] = field(default_factory=list)
    comes: list[Any] = field(default_factory=list)  # by kind: the function of (world, row) for somebody who is new
    varied: list[tuple[str, Value]] = field(default_factory=list)
    pools: list[PoolSpec] = field(default_factory=list)
    pool_index: dict[str, int] = field(default_factory=dict)
    stocks: list[int] = field(default_factory=list)  # pools whose units are used up
    rush_leads: list[Value] = field(default_factory=list)  # of orders with a lead time of their own
    lines: list[LineSpec] = field(default_factory=list)
    line_index: dict[str, list[int]] = field(default_factory=dict)
    steps: list[Any] = field(default_factory=list)
    step_index: dict[str, int] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    no_values: list[Any] = field(default_factory=list)  # one ``None`` for each attribute: the values of a new entity
    no_marks: list[float | None] = field(default_factory=list)  # the same for marks
    sequels: list[list[Sequel | None]] = field(default_factory=list)  # [mark][kind]; no mark without one is counted
    clocks: list[ClockSpec] = field(default_factory=list)
    sources: list[SourceSpec] = field(default_factory=list)
    spans: list[SpanSpec] = field(default_factory=list)
    spans_of: list[tuple[int, ...]] = field(default_factory=list)  # by kind
    holding: dict[int, tuple[int, ...]] = field(default_factory=dict)  # pool -> spans that need it
    outcome_names: list[str] = field(default_factory=list)
    outcome_marks: list[int | None] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    sites: dict[str, SiteSpec] = field(default_factory=dict)  # where things are, by name
    travel: Network | None = None  # how long it takes from site to site
    heading: int = 0  # slot of the site that an entity is on the way to, if there is a network
    rosters: list[RosterSpec] = field(default_factory=list)
    slot_lists: list[SlotsSpec] = field(default_factory=list)
    reserves: list[tuple[int, Test]] = field(default_factory=list)
    levers: int = 0
    sliced: bool = True  # whether worlds keep what lies further off out of their heap
    score: list[ScoreLine] = field(default_factory=list)
    kpis: list[KpiSpec] = field(default_factory=list)
    groups: GroupTable | None = None  # by which attributes KPIs are split; most scenarios do not
    totals: dict[str, str] = field(default_factory=dict)  # unit of what steps add up, by name
    choices: list[tuple[tuple[int, Value], ...]] = field(default_factory=list)  # attribute changes that agents can make
    hidden: list[frozenset[int]] = field(default_factory=list)  # by kind, slots of what agents may not see
    known: dict[int, int] = field(default_factory=dict)  # slot of a hidden attribute -> of whether it was revealed
    signals: dict[Value, Likelihood] = field(default_factory=dict)  # by what draws them
    changes: list[tuple[tuple[int, Value], ...]] = field(default_factory=list)  # of hidden attributes and signals
    followed: dict[int, int] = field(default_factory=dict)  # identity of such changes -> their number
    trail: int = 0  # where entities keep which of them befell them; 0 if there are none
    agents: list[AgentSpec] = field(default_factory=list)
    observe: list[Callable[[FlowWorld], list[float]]] = field(default_factory=list)  # by agent: what it sees, scaled
    mask: list[Callable[[FlowWorld], list[int]]] = field(default_factory=list)  # by agent: which actions are possible
    observe_all: Any = None  # what all agents see, one after the other
    mask_all: Any = None  # which actions are possible to them
    read_score: Any = None  # function of a world: the running value of each line of the score
    pay: Any = None  # function of such values, now and before: reward by component, the team's and that of agents
    pickled: Any = None  # (function, arguments) that find or rebuild this program

    def __reduce__(self) -> Any:
        return self.pickled

    def __deepcopy__(self, memo: dict[int, Any]) -> Program:
        return self


def step_of(program: Program, index: int) -> Any:
    """A step of a program: how a pickled entity finds its step again."""
    return program.steps[index]
