"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NameOrFile = Annotated[
    str, typer.Argument(metavar="NAME_OR_FILE", help="A packaged scenario's name, or the path of a YAML file.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the first replication; number i has SEED + i.")]
Replications = Annotated[int, typer.Option(min=1, help="How many episodes.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Processes to share the work (default: one per CPU); results do not change.")
]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON.")]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="ATTRIBUTE", help="Split KPIs by an attribute that the scenario names under groups."),
]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="NAME=ALTERNATIVE", help="Pick one of the scenario's alternatives; repeatable."),
]


def chosen_alternatives(given: list[str] | None) -> dict[str, str]:
    """Names under ``choose`` to the alternatives picked for them.

    Raises:
        typer.BadParameter: if one is not NAME=ALTERNATIVE, or a name comes twice.
    """
    picks: dict[str, str] = {}
    for pick in given or ():
        name, equals, alternative = (part.strip() for part in pick.partition("="))
        if not (name and equals and alternative):
            raise typer.BadParameter(f"'{pick}' should read NAME=ALTERNATIVE", param_hint="--with")
        if name in picks:
            raise typer.BadParameter(f"'{name}' is given twice", param_hint="--with")
        picks[name] = alternative
    return picks
