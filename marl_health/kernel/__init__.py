"""The discrete-event kernel: an event loop on SimPy, entities, resource pools, random rows, measures.

How it works, in prose:

* A :class:`World` is a ``simpy.Environment``. Its heap holds ordinary SimPy events and *things* of ours (entities,
  clocks, arrival sources, shift changes). A thing's heap entry is valid while the thing's ``epoch`` equals the one
  written into the entry; raising the epoch cancels whatever was scheduled, at no cost until the entry is popped.
* An :class:`Entity` points to its current step, an immutable object compiled once from a scenario. The world calls
  ``step.done`` when the entity's entry comes up, a line calls ``step.granted`` when it is its turn.
* A :class:`Line` is a queue of entities that need the same things (one or several pools, all or nothing). A
  :class:`Pool` holds capacity and, when units come free, offers them to the best head among its lines.
* Every entity owns a row of uniforms, a function of (episode seed, source, ordinal), so that what happens to one
  patient does not depend on what a policy did to another.

The kernel knows neither health care nor reinforcement learning.
"""

from marl_health.kernel.entity import Entity, Step, Thing
from marl_health.kernel.line import Line
from marl_health.kernel.measures import Accrual, Span
from marl_health.kernel.pool import Pool, Reserve
from marl_health.kernel.world import World

__all__ = ["Accrual", "Entity", "Line", "Pool", "Reserve", "Span", "Step", "Thing", "World"]
