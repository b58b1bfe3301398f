"""`trace`."""

from __future__ import annotations

from typing import Annotated

import typer

import policies as policies_by_name
from marl_health import load
from orchestration.commands.options import Chosen, NameOrFile, chosen_alternatives
from orchestration.commands.runs import split_policies
from orchestration.errors import CommandError
from orchestration.simulate import NOBODY


def trace(
    scenario: NameOrFile,
    entity: Annotated[
        str, typer.Option(metavar="NUMBER_OR_NAME", help="Its number in the event log, or its name, as emergency-17.")
    ],
    policy: Annotated[str, typer.Option(help=f"{policies_by_name.FORMS}.")] = NOBODY,
    policies: Annotated[
        str | None, typer.Option(metavar="A,B", help="Two policies: the same patient under both, side by side.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 0,
    chosen: Chosen = None,
) -> None:
    """Tell what happened to one patient, and how it would have gone under another policy."""
    loaded = load(scenario, chosen_alternatives(chosen))
    if policies is not None and policy != NOBODY:
        raise typer.BadParameter("names the policies to compare; leave out --policy", param_hint="--policies")
    names = [policy] if policies is None else split_policies(policies)
    if len(names) > 2 or len(set(names)) < len(names):
        raise typer.BadParameter("names two different policies, as in wait,rule", param_hint="--policies")
    if not loaded.roles and policies is not None:
        raise CommandError(f"nobody decides in '{loaded.name}', so there is one story only; leave out --policies")
    from orchestration.commands.story import print_stories
    from orchestration.trace import UnknownEntity, stories

    try:
        found = stories(loaded, names, entity, seed)
    except UnknownEntity as error:
        raise CommandError(str(error)) from error
    print_stories(loaded, found, names, seed)
