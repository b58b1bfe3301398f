"""`document`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from marl_health import load
from orchestration.commands.options import Chosen, NameOrFile, chosen_alternatives
from orchestration.errors import CommandError, need
from orchestration.output import output_file

MARKDOWN, HTML = (".md", ".markdown"), (".html", ".htm")


def document(
    scenario: NameOrFile,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .html page, or .md with the drawing beside it (default: stdout)."),
    ] = None,
    chosen: Chosen = None,
) -> None:
    """Write a report on a scenario after the STRESS-DES guideline."""
    loaded = load(scenario, chosen_alternatives(chosen))
    if out is not None and out.suffix not in (*MARKDOWN, *HTML):
        raise CommandError(f"{out}: a report's name ends in .md or .html")
    need("matplotlib")
    from orchestration.document.blocks import markdown, page
    from orchestration.document.drawing import pathway_svg
    from orchestration.document.stress import report

    picture = out.with_name(f"{out.stem}_pathway.svg") if out is not None and out.suffix in MARKDOWN else None
    with output_file(out) as file, output_file(picture) as picture_file:
        svg = pathway_svg(loaded.sketch)
        blocks = report(loaded, svg)
        if picture_file is not None:
            picture_file.write(f'<?xml version="1.0" encoding="utf-8"?>\n{svg}')
        text = page(blocks) if out is not None and out.suffix in HTML else markdown(blocks, picture and picture.name)
        (file or sys.stdout).write(text)
