"""`score`."""

from __future__ import annotations

import json as json_format
import warnings
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.options import Json
from orchestration.commands.store import Address, Runs, opened_store
from orchestration.errors import CommandError, need
from orchestration.output import output_file, write_json

if TYPE_CHECKING:
    from orchestration.evaluation.results import Results

MarlEval = Annotated[
    Path | None,
    typer.Option("--marl-eval", metavar="FILE", help="Write every run in the JSON layout of marl-eval, for its tools."),
]
Page = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write performance profiles and intervals as a page.")
]


def score(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Results in the JSON layout of marl-eval (default: the result store)."
        ),
    ] = None,
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this experiment.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Only in this scenario.")] = None,
    out: Runs = Path("runs"),
    store: Address = None,
    json: Json = None,
    marl_eval: MarlEval = None,
    html: Page = None,
) -> None:
    """Score learned policies over all their training seeds: IQM, normalised score, probability of improvement, KPIs."""
    if html is not None:
        need("matplotlib")
    from orchestration.commands.score_tables import print_scores, scored
    from orchestration.evaluation.marl_eval import to_marl_eval
    from orchestration.evaluation.scores import FewRunsWarning, ScoresError

    with (
        output_file(json) as json_file,
        output_file(marl_eval) as marl_eval_file,
        output_file(html) as page,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", FewRunsWarning)  # a note below the table says it
        try:
            results = _read(files) if files else _stored(out, store, experiment, scenario)
            results = [found for found in results if scenario is None or found.scenario == scenario]
            if not results:
                raise CommandError(f"there are no results in '{scenario}'")
            print_scores(results)
            if json_file is not None:
                write_json(json_file, scored(results))
            if marl_eval_file is not None:
                write_json(marl_eval_file, to_marl_eval(results))
            if page is not None:
                page.write(_page(results))
        except ScoresError as error:
            raise CommandError(str(error)) from error


def _stored(out: Path, store: str | None, experiment: str | None, scenario: str | None) -> list[Results]:
    from orchestration.evaluation.results import from_store

    with opened_store(store, out, create=False) as opened:
        return from_store(opened, experiment=experiment, scenario=scenario)


def _read(files: list[Path]) -> list[Results]:
    from orchestration.evaluation.marl_eval import from_marl_eval
    from orchestration.evaluation.scores import ScoresError

    found: dict[str, Results] = {}
    for file in files:
        try:
            read = from_marl_eval(json_format.loads(file.read_text(encoding="utf-8")))
        except (ValueError, ScoresError) as error:
            raise CommandError(f"{file}: {error}") from error
        for each in read:
            if each.scenario in found:
                raise CommandError(f"{file}: {each.scenario} is in a file before it too; name each scenario once")
            found[each.scenario] = each
    return list(found.values())


def _page(results: list[Results]) -> str:
    from orchestration.commands.score_tables import notes, suite_of
    from orchestration.evaluation.scores import HIGH, LOW
    from orchestration.plots.scores import intervals_svg, profile_svg

    parts = ["<!doctype html><meta charset=utf-8><title>Scores</title><style>body{font-family:sans-serif}</style>"]
    for each in results:
        scores = each.scores()
        parts += [f"<h1>{escape(each.scenario)}</h1>", profile_svg(scores.profile())]
        panels = {"return, IQM": scores.iqm(), "return, mean": scores.mean()}
        parts += [intervals_svg(panels), *(f"<p>{escape(note)}</p>" for note in notes(each))]
    suite = suite_of(results)
    if len(results) > 1 and suite.scenarios:
        label = f"normalised score ({LOW} 0, {HIGH} 1)"
        parts += ["<h1>All scenarios</h1>", profile_svg(suite.profile(), label)]
    return "\n".join(parts) + "\n"
