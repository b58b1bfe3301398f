"""`animate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import policies as policies_by_name
from marl_health import Scenario, load
from orchestration.commands.options import Chosen, NameOrFile, chosen_alternatives
from orchestration.errors import CommandError
from orchestration.output import output_file, progress_bar

if TYPE_CHECKING:
    from PIL import Image

    from orchestration.animation import Clip

FORMS = (".gif", ".mp4")
DAY = 1440.0


def animate(
    scenario: NameOrFile,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .gif, or an .mp4 (which needs ffmpeg).")],
    policy: Annotated[
        str | None, typer.Option(help=f"{policies_by_name.FORMS}. Default: rule where there is one, else wait.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 0,
    begin: Annotated[
        float, typer.Option("--from", metavar="HOUR", min=0, help="Hours after the first decision.")
    ] = 0.0,
    hours: Annotated[float | None, typer.Option(help="How long (default: a day, or to the end).")] = None,
    days: Annotated[float | None, typer.Option(help="The same in days.")] = None,
    every: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            min=1,
            help="From picture to picture (default: at each decision, at least each half hour).",
        ),
    ] = None,
    fps: Annotated[float, typer.Option(min=0.2, max=50, help="Pictures a second.")] = 5.0,
    chosen: Chosen = None,
) -> None:
    """Film an episode on a floor plan, or on a map of several sites: who waits where, what is full, what is decided."""
    if out.suffix.lower() not in FORMS:
        raise CommandError(f"{out}: a film's name ends in {' or '.join(FORMS)}")
    loaded = load(scenario, chosen_alternatives(chosen))
    if policy is not None:
        policies_by_name.check(policy)
    from orchestration.film import NoEncoder, ffmpeg, gif_centiseconds, write_gif, write_mp4

    for name, number in (("--hours", hours), ("--days", days), ("--every", every)):
        if number is not None and not 0 < number < inf:
            raise typer.BadParameter(f"{number:g} should be a number above 0", param_hint=name)
    if hours is not None and days is not None:
        raise typer.BadParameter("says the same as --hours; leave one of them out", param_hint="--days")
    clip = _clip(loaded, policy, seed, begin, hours, days, every)
    count = len(clip.times)
    try:
        if out.suffix.lower() == ".mp4":
            ffmpeg()
        with output_file(out) as file, progress_bar(f"{loaded.name}, {clip.policy}", count) as progress:
            assert file is not None
            pictures, palette = _pictures(clip, progress)
            if out.suffix.lower() == ".gif":
                write_gif(file.buffer, pictures, gif_centiseconds(count, fps), palette)
            else:
                write_mp4(file.name, pictures, fps)
    except NoEncoder as error:
        raise CommandError(f"{out}: {error}") from error
    print(f"{out}: {count} pictures at {fps:g} a second, {out.stat().st_size / 1e6:.2f} MB")


def _clip(
    scenario: Scenario,
    policy: str | None,
    seed: int,
    begin: float,
    hours: float | None,
    days: float | None,
    every: float | None,
) -> Clip:
    """What to film.

    Raises:
        CommandError: if that is nothing, or not in the episode.
    """
    from orchestration.animation import Clip, length, usual_every, usual_policy

    whole = length(scenario)
    if not begin * 60.0 < whole:
        raise CommandError(f"an episode of '{scenario.name}' lasts {whole / 60:g} hours; begin before its end")
    lasts = min(DAY, whole - begin * 60.0) if hours is days is None else (hours or 0.0) * 60.0 + (days or 0.0) * DAY
    if begin * 60.0 + lasts > whole + 1e-6:
        left = (whole - begin * 60.0) / 60.0
        raise CommandError(
            f"an episode of '{scenario.name}' lasts {whole / 60:g} hours, so from hour {begin:g} on "
            f"there are {left:g} to film, not {lasts / 60:g}"
        )
    return Clip(
        scenario,
        policy or usual_policy(scenario),
        seed,
        begin * 60.0,
        min(whole, begin * 60.0 + lasts),
        every or usual_every(scenario),
    )


def _pictures(clip: Clip, progress: Callable[[], None]) -> tuple[Iterator[Image.Image], list[tuple[int, int, int]]]:
    """The pictures, made as they are asked for, and their colours."""
    from marl_health.envs.render_picture import palette_of, scene_as_picture
    from orchestration.animation import scenes

    seen = scenes(clip)
    first = next(seen)

    def drawn() -> Iterator[Image.Image]:
        for scene in chain([first], seen):
            yield scene_as_picture(scene)
            progress()

    return drawn(), palette_of(first)
