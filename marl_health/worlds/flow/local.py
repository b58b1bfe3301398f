"""Several agents of one role: each sees and does the same at a site of its own, under the same names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marl_health.spec.errors import Where

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.program import AgentSpec


def local(text: str, site: str | None) -> str:
    """A name or meaning as an agent at a site has it: without the name of that site, which is ``here``."""
    return text if site is None else re.sub(rf"\b{site}\.", "here.", re.sub(rf"\b{site}_", "", text))


def names_seen(spec: AgentSpec) -> list[str]:
    """Name of each number that an agent sees."""
    names = [name for sight in spec.sights for name in sight.names]
    return [local(name, spec.site) for name in [*names, *(name for move in spec.moves for name, _ in move.sights)]]


def names_of_actions(spec: AgentSpec) -> list[str]:
    """Name of each action of an agent; the first is ``wait``."""
    return ["wait", *(local(name, spec.site) for move in spec.moves for name in move.names)]


def check_alike(compiler: Compiler, spec: AgentSpec, path: Where) -> None:
    """Note an agent that sees or can do more or less than the first of its role."""
    first = next(other for other in compiler.program.agents if other.role == spec.role)
    for what, count, expected in (
        ("sees", len(names_seen(spec)), len(names_seen(first))),
        ("can do", len(names_of_actions(spec)), len(names_of_actions(first))),
    ):
        if count != expected and not compiler.names.problems:
            compiler.names.problem(
                path, f"{what} {count} things, but {first.name} of the same role {expected}; agents of a role are alike"
            )
