"""The game: all that an env knows of a world."""

from __future__ import annotations

from typing import Any, Protocol

WITHOUT = "(without)"
"""The group of entities that lack an attribute; no scenario can name a value so."""


class Game(Protocol):
    """A world as a game between episodes of decisions. Times are minutes.

    Attributes:
        agents: names of those who decide, ``role_i``. now: time since the episode's first decision.
        finished: whether the last decision was taken. ended: whether the world itself came to an end by then.
    """

    agents: tuple[str, ...]

    @property
    def now(self) -> float:
        """Minutes since the first decision."""

    @property
    def finished(self) -> bool:
        """Whether the last decision was taken and the run-out is over."""

    @property
    def ended(self) -> bool:
        """Whether the world itself came to an end, before its horizon."""

    def reset(self, seed: int, *, events: bool) -> None:
        """Begin an episode: the same seed, the same patients."""

    def observation_names(self, agent: str) -> list[str]:
        """Name of each number in the agent's observation."""

    def observation_meanings(self, agent: str) -> list[tuple[str, float]]:
        """(meaning, scale) of each number in the agent's observation."""

    def action_names(self, agent: str) -> list[str]:
        """Name of each action; the first is ``wait``."""

    def action_meanings(self, agent: str) -> list[str]:
        """What each action does."""

    def state_names(self) -> list[str]:
        """Name of each number in the global state."""

    def due(self) -> list[str]:
        """Agents that have a decision to take now; the others can only wait."""

    def look(self, agent: str) -> list[float]:
        """Raw numbers that the agent sees."""

    def observe(self, agent: str) -> list[float]:
        """The same, scaled into [-1, 1]."""

    def mask(self, agent: str) -> list[int]:
        """1 for each action that is possible now."""

    def observe_all(self) -> list[float]:
        """What each agent sees, one after the other in their order."""

    def mask_all(self) -> list[int]:
        """1 for each action that is possible now to each agent, one after the other."""

    def act(self, agent: str, action: int) -> bool:
        """Do an action; False if it was not possible (then nothing happens)."""

    def advance(self, *, last: bool = False) -> float:
        """Run the world to the next decision; after the ``last`` one, through the run-out. Minutes that passed."""

    def skip(self, until: float) -> None:
        """Run the world to a time (minutes since the first decision) within the episode, without any decision."""

    def finish(self) -> None:
        """Run the world to the end of the episode and through the run-out, without another decision."""

    def gains(self) -> tuple[list[float], dict[str, list[float]]]:
        """Reward by component since the last call: the team's, and what roles got beside it, by agent."""

    def state(self) -> list[float]:
        """The global state, in [-1, 1]."""

    def fork(self, redraw: int | None = None) -> Game:
        """An exact copy that continues as this one would, or with a key, one with another future."""

    def kpis(self) -> dict[str, float]:
        """KPIs of the measured time so far."""

    def kpis_by(self, attribute: str) -> dict[str, dict[str, float]]:
        """KPIs of the measured time so far by group, without those that :meth:`whole_kpis` names.

        Raises:
            ValueError: the scenario does not split by this attribute.
        """

    def groups(self) -> dict[str, list[str]]:
        """Groups by which KPIs can be split, by attribute."""

    def whole_kpis(self) -> dict[str, str]:
        """KPIs that cannot be split by group, and why."""

    def kpi_units(self) -> dict[str, str]:
        """Unit of each KPI."""

    def conservation(self) -> dict[str, int]:
        """Where everybody is who ever came."""

    def events(self) -> list[tuple[Any, ...]]:
        """The event log."""

    def people(self) -> dict[int, Any]:
        """Who is who in the event log, by number: ``name`` (the same under every policy), ``kind``, ``attributes``."""

    def snapshot(self) -> dict[str, Any]:
        """What is where, for pictures."""
