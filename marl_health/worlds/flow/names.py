"""What the names of a scenario stand for, and where its problems are collected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from marl_health.spec.document import Document
from marl_health.spec.errors import Problem, ScenarioError, Where
from marl_health.spec.numbers import Nearest, read_key
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.asked import holds
from marl_health.worlds.flow.model import FlowScenario
from marl_health.worlds.flow.network import Network
from marl_health.worlds.flow.numbers import WITHOUT_ENTITY, Number
from marl_health.worlds.flow.tables import Tables
from marl_health.worlds.flow.values import fixed, of_slot

KIND = "kind"
"""An attribute that every entity has: the name of its type."""

MOST_PROBLEMS = 100

AUTOMATIC_MARKS = ("arrival", "discharge", "death")
"""Marks that the world sets by itself; they have the first three indices."""


class Names:
    """The names of one scenario.

    Attributes:
        problems: everything found wrong so far.
        slots: slot of each attribute in an entity's values; the same for all kinds.
        attributes: by kind, the compiled attributes it has.
        globals: vary draws and chosen alternatives, by name.
        network: how long it takes from site to site, if that is said.
        words: of choices between words, the word that was chosen.
    """

    def __init__(self, document: Document, scenario: FlowScenario, folders: list[Path]) -> None:
        self.document = document
        self.scenario = scenario
        self.problems: list[Problem] = []
        self._lacking: set[tuple[str, tuple[int, ...]]] = set()
        self.tables = Tables(folders, self.problem)
        self.kinds = list(scenario.entities)
        self.slots: dict[str, int] = {KIND: 0}
        for kind in scenario.entities.values():
            for name in kind.has:
                self.slots.setdefault(name, len(self.slots))
        self.attributes: list[dict[str, Number]] = [
            {KIND: Number(fixed(kind), "text", frozenset([kind]))} for kind in self.kinds
        ]
        self.globals: dict[str, Number] = {}
        self.network: Network | None = None
        self.words: dict[str, str] = {}
        for name in (*scenario.vary, *scenario.choose):
            if name in self.slots:
                section = "vary" if name in scenario.vary else "choose"
                self.problem((section, name), f"'{name}' is also an attribute; every name stands for one thing")
            if name in scenario.vary and name in scenario.choose:
                self.problem(("choose", name), f"'{name}' is also under vary; every name stands for one thing")

    def problem(self, path: Where, message: str) -> None:
        """Note that something is wrong; a scenario that is very wrong is not read further."""
        self.problems.append(self.document.problem(path, message))
        if len(self.problems) >= MOST_PROBLEMS:
            self.stop()

    def stop(self) -> NoReturn:
        """Tell everything that was found, each once, in the order of the file."""
        problems = dict.fromkeys(self.problems)
        raise ScenarioError(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column)))

    def unknown(self, path: Where, what: str, name: str, allowed: Iterable[str]) -> None:
        """Note that a name refers to nothing."""
        names = list(allowed)
        note = "" if names else f" (the scenario has no {what} at all)"
        self.problem(path, f"there is no {what} named '{name}'{note}{did_you_mean(name, names)}")

    def nearest(self, wanted: Nearest, path: Where) -> dict[str, str]:
        """By site, the nearest of the wanted ones, at every hour: all ways take longer together. Empty if none is."""
        sites = self.scenario.sites
        templates = dict.fromkeys(site.like for site in sites.values() if site.like is not None)
        among: dict[str, None] = {}
        for number, name in enumerate(wanted.nearest):
            alike = [name] if name in sites else [site for site, spec in sites.items() if spec.like == name]
            if not alike:
                self.unknown((*path, "nearest", number), "site or template", name, [*sites, *templates])
            among.update(dict.fromkeys(alike))
        known = dict.fromkeys(word for name in among for word in sites[name].parameters)
        for word in sorted(wanted.when.names() if wanted.when is not None and among else ()):
            if word not in known:
                self.unknown((*path, "when"), "parameter of these sites", word, known)
        found = [name for name in among if wanted.when is None or holds(wanted.when, sites[name].parameters)]
        if not found:
            if among:
                self.problem(path, "no site meets this condition")
            return {}
        if self.network is None:
            self.problem(path, "which is nearest? add travel: {distance: great_circle, speed: 50 km/h}, or its roads")
            return {}
        network = self.network
        return {name: network.nearest(name, found) for name in sites}

    # ------------------------------------------------------------ names in numbers
    def look_up(self, name: str, kinds: Sequence[int]) -> Number | None:
        """What a name in a number stands for, for entities of these kinds."""
        if name in self.globals:
            return self.globals[name]
        if name not in self.slots or not kinds or any(name not in self.attributes[kind] for kind in kinds):
            return None
        slot = self.slots[name]
        numbers = [self.attributes[kind][name] for kind in kinds]
        sets = [number.possible for number in numbers]
        known = None if any(s is None for s in sets) else frozenset().union(*sets)  # type: ignore[arg-type]
        return Number(
            of_slot(slot),
            numbers[0].dimension,
            known,
            may_be_zero=any(number.may_be_zero for number in numbers),
            may_be_negative=any(number.may_be_negative for number in numbers),
        )

    def column(self, text: str) -> str:
        """The column of a table that a text names: itself, or what a choice between words picks."""
        return self.words.get(text, text)

    def numbers(self, kinds: Sequence[int]) -> list[str]:
        """Names that may stand in a number."""
        common = set(self.slots)
        for kind in kinds:
            common &= set(self.attributes[kind])
        return [*self.globals, *(sorted(common) if kinds else [])]

    def attribute(self, name: str, path: Where, kinds: Sequence[int]) -> tuple[int, frozenset[Any] | None] | None:
        """(slot, possible values) of an attribute that all these kinds must have, or ``None`` after a problem.

        A step where nobody comes is a problem of its own, told by the graph, and so is an attribute that a kind lacks,
        wherever else it is used.
        """
        if not kinds and path[0] in WITHOUT_ENTITY:
            self.problem(path, f"'{name}' belongs to an entity, and there is none here; write a number instead")
            return None
        if name not in self.slots:
            self.unknown(path, "attribute", name, self.slots)
            return None
        if not kinds:
            return None
        lacking = tuple(kind for kind in kinds if name not in self.attributes[kind])
        if lacking:
            if (name, lacking) not in self._lacking:
                self._lacking.add((name, lacking))
                who = " and ".join(self.kinds[kind] for kind in lacking)
                has = "has" if len(lacking) == 1 else "have"
                self.problem(
                    path,
                    f"{who} can come here but {has} no attribute '{name}'; give it one, or send it another way",
                )
            return None
        if any(self.attributes[kind][name].dimension == "any" for kind in kinds):
            return None  # the attribute itself has a problem, which was told
        sets = [self.attributes[kind][name].possible for kind in kinds]
        known = None if any(s is None for s in sets) else frozenset().union(*sets)  # type: ignore[arg-type]
        return self.slots[name], known

    def covers(
        self,
        cases: Iterable[str],
        otherwise: bool,
        possible: frozenset[Any] | None,
        name: str,
        path: Where,
        *,
        extra_allowed: bool = False,
    ) -> None:
        """Note values without a case, and cases that never happen."""
        keys = {key: read_key(key) for key in cases}
        if possible is None:
            if not otherwise and not extra_allowed:
                self.problem(path, f"{name} can take many values; add else for those without a case")
            return
        missing = sorted((value for value in possible if value not in keys.values()), key=str)
        if missing and not otherwise:
            listed = ", ".join(shown_value(value) for value in missing[:8])
            self.problem(path, f"no case for {name} = {listed}; add one, or else")
        for key, value in keys.items():
            if value not in possible and not extra_allowed:
                hint = did_you_mean(key, [shown_value(item) for item in possible])
                self.problem((*path, key), f"{name} is never '{key}'{hint}")


def shown_value(value: Any) -> str:
    """A value as a scenario writes it."""
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
