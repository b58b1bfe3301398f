"""Where things are: the sites of a scenario, and how far it is from one to another."""

from __future__ import annotations

from collections.abc import Iterator

from marl_health import Scenario
from orchestration.document.blocks import Block, Paragraph, Table
from orchestration.document.inputs import words


def geography(scenario: Scenario) -> Iterator[Block]:
    """A table of sites, if there are any, and which of them the report describes."""
    sites = scenario.program.sites
    if not sites:
        return
    first: dict[str, str] = {}
    for site in sites.values():
        if site.template is not None:
            first.setdefault(site.template, site.name)
    network = scenario.program.travel
    rows = []
    for site in sites.values():
        where = "–" if site.at is None else f"{site.at[0]:g}, {site.at[1]:g}"
        said = ", ".join(f"{words(name)} {value}" for name, value in site.parameters.items()) or "–"
        near = "–"
        if network is not None and len(sites) > 1:
            to = network.nearest(site.name, [name for name in sites if name != site.name])
            near = f"{words(to)}, {network.base[site.name][to]:.1f} min"
        rows.append([f"`{site.name}`", where, words(site.template or "–"), said, near])
    yield Table(["site", "latitude, longitude", "made from", "parameters", "nearest other site"], rows)
    if len(first) < sum(site.template is not None for site in sites.values()):
        shown = " and ".join(f"`{site}` for every {words(template)}" for template, site in first.items())
        yield Paragraph(f"Of sites that are made from one template, the first is described below: {shown}.")
    if network is not None and network.hours:
        hours = ", ".join(f"{int(at) // 60:02d}:{int(at) % 60:02d} × {factor:g}" for at, factor in network.hours)
        yield Paragraph(f"Travel times are multiplied by the time of the day, from {hours}.")
