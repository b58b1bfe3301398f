"""The world now as a text of a few lines."""

from __future__ import annotations

from marl_health.envs.render_scene import Resource, Scene

BAR = 24
"""Width of a bar, in characters."""
MOST_CLASSES = 8
"""With more classes than this, only the sum of those who wait is told."""


def scene_as_text(scene: Scene) -> str:
    """Clock, places and staff with bars and numbers, who waits in front of them, each agent's last move.

    In the bars ``#`` is taken, ``~`` being cleaned, ``.`` free; ``!`` marks more in use than there should be.
    """
    heading = f"{scene.title}   {scene.clock}   {scene.day}   {scene.inside} inside"
    rows = [heading, "-" * len(heading)]
    places = [place for room in scene.rooms for place in room.places]
    width = max([len(resource.title) for resource in [*places, *scene.staff]], default=0)
    for room in scene.rooms:
        for place in room.places:
            rows.append(_row(place, width, scene))
    if scene.staff:
        rows.append("")
        for staff in scene.staff:
            rows.append(_row(staff, width, scene))
    if scene.moves:
        rows.append("")
        width = max(len(told.agent) for told in scene.moves)
        for told in scene.moves:
            rows.append(f"{told.agent:<{width}}  {f'{told.move}  ({told.when})' if told.move else 'waits'}")
    return "\n".join(rows)


def _row(resource: Resource, width: int, scene: Scene) -> str:
    numbers = f"{resource.taken:>4}" if resource.unlimited else f"{resource.taken:>4}/{resource.capacity:<4}"
    notes = ["full"] if resource.full else []
    if resource.cleaning:
        notes.append(f"{resource.cleaning} being cleaned")
    if sum(resource.boarding):
        notes.append(f"{sum(resource.boarding)} wait to move on")
    waiting = resource.waiting
    if sum(waiting):
        classes = zip(scene.classes, waiting, strict=True)
        split = ", ".join(f"{count} of {scene.attribute.lower()} {name}" for name, count in classes if count)
        notes.append(f"{sum(waiting)} waiting" + (f" ({split})" if 1 < len(scene.classes) <= MOST_CLASSES else ""))
    return f"{resource.title:<{width}}  {_bar(resource):<{BAR + 2}}  {numbers:<9}  {'; '.join(notes)}".rstrip()


def _bar(resource: Resource) -> str:
    if resource.unlimited:
        return ""
    size = max(resource.capacity, resource.taken + resource.cleaning, 1)
    full = round(resource.taken / size * BAR)
    dirty = round((resource.taken + resource.cleaning) / size * BAR) - full
    over = "!" if resource.taken + resource.cleaning > resource.capacity else ""
    return "[" + "#" * full + "~" * dirty + "." * (BAR - full - dirty) + "]" + over
