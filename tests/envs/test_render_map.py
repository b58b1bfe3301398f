"""Maps of worlds that have sites."""

import time
from itertools import combinations
from math import hypot
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import marl_health
from marl_health.envs.render_canvas import TRIAGE, Canvas
from marl_health.envs.render_canvas import font as render_font
from marl_health.envs.render_cards import cards_of, rest_of
from marl_health.envs.render_map import _along as along
from marl_health.envs.render_map import _backdrop as backdrop
from marl_health.envs.render_picture import palette_of, scene_as_picture
from marl_health.envs.render_region import Vehicle, read_region, ways
from marl_health.envs.render_scene import read_scene

WORLDS = Path(__file__).parent.parent / "worlds"
MAPS = ["mci_small", "mci_surge", "mci_large", str(WORLDS / "two_hospitals.yaml"), str(WORLDS / "ambulances.yaml")]


def snapshots(name):
    """(agents, snapshots) of a scenario: at the start, and later with many under way."""
    scenario = marl_health.load(name)
    game = scenario.kind.make_game(scenario.program)
    game.reset(1, events=False)
    found = [game.snapshot()]
    for _ in range(20):
        game.advance()
    return list(game.agents), [*found, game.snapshot(), crowded(game.snapshot())]


def crowded(snapshot):
    """The snapshot with everything full, queues everywhere, and every vehicle blocked at a door."""
    for line in snapshot["lines"]:
        line["by_class"] = [9 for _ in line["by_class"]]
    for facts in snapshot["resources"].values():
        facts["taken"] = 60 if facts["unlimited"] else facts["capacity"] + 1
        facts["by_class"] = [facts["taken"], *[0 for _ in facts["by_class"][1:]]]
        facts["boarding"], facts["cleaning"] = [0 for _ in facts["by_class"]], 0
    for site in snapshot["sites"].values():
        site["inside"] = [70 for _ in site["inside"]]
    for units in snapshot["units"].values():
        for unit in units:
            unit |= {"state": "blocked", "from": unit["to"], "share": 1.0}
    return snapshot


@pytest.mark.parametrize("name", MAPS, ids=lambda name: Path(name).stem)
def test_everything_is_on_the_map_and_no_text_covers_another(name, monkeypatch):
    texts = []
    write = Canvas.text

    def text(self, x, y, text, size, *rest, **more):
        write(self, x, y, text, size, *rest, **more)
        anchor = more.get("anchor", rest[1] if len(rest) > 1 else "la")
        texts.append((text, self.pen.textbbox((x, y), text, font=render_font(size), anchor=anchor)))

    monkeypatch.setattr(Canvas, "text", text)
    agents, taken = snapshots(name)
    sizes = set()
    for snapshot in taken:
        texts.clear()
        backdrop.cache_clear()  # so that what never changes is written again
        moves = dict.fromkeys(agents, (snapshot["minutes"], "set something_with_a_long_name.order of_some_kind"))
        scene = read_scene(snapshot, "a scenario", agents, moves)
        picture = scene_as_picture(scene)
        sizes.add(picture.size)
        written = [text for text, _ in texts]
        cards = cards_of(scene, scene.region)
        assert [card.site for card in cards] == list(snapshot["sites"])
        for card in cards:
            assert card.title in written
            assert written.count(card.letter) >= 2, "on the map and on its card"
        rows = [row for card in cards for row in card.rows]
        rest = rest_of(scene, cards)
        assert len(rows) + len(rest) + len(snapshot["units"]) == len(snapshot["resources"])
        for title, resource in [*((row.title, row.resource) for row in rows), *((one.title, one) for one in rest)]:
            assert any(text.rstrip("…") and title.startswith(text.rstrip("…")) for text in written), title
            if resource.capacity:
                assert resource.numbers in written
        assert {told.agent for told in scene.moves} <= set(written)
        assert all(
            min(left, top) >= 0 and right <= picture.width and bottom <= picture.height
            for _, (left, top, right, bottom) in texts
        )
        pairs = [
            (a, b)
            for (a, one), (b, other) in combinations(texts, 2)
            if min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1
        ]
        assert not pairs
    assert len(sizes) == 1
    blocked = [vehicle for vehicle in scene.region.vehicles if vehicle.state == "blocked"]
    assert sum(int(text.split()[0]) for text in written if text.endswith(" blocked")) == len(blocked)


def test_sites_lie_as_on_a_map_with_north_above():
    _, (snapshot, *_) = snapshots(str(WORLDS / "two_hospitals.yaml"))
    points = dict(read_region(snapshot).layout.points)
    assert points["north"][1] < points["scene"][1] < points["south"][1]
    assert points["north"][0] < points["south"][0], "east is to the right"


def test_without_coordinates_distances_are_about_the_travel_times():
    _, (snapshot, *_) = snapshots(str(WORLDS / "ambulances.yaml"))
    layout = read_region(snapshot).layout
    points = dict(layout.points)
    pairs = list(combinations(points, 2))
    far = [hypot(points[a][0] - points[b][0], points[a][1] - points[b][1]) for a, b in pairs]
    assert np.corrcoef(far, [snapshot["roads"][a][b] for a, b in pairs])[0, 1] > 0.9
    assert ("town", "children") not in layout.roads, "that way leads past the general hospital"
    assert ways(layout)["town", "children"] == ["town", "general", "children"]


def test_who_moves_is_on_the_right_of_the_road():
    assert along([(0.0, 0.0), (100.0, 0.0)], 0.25, 5) == (25.0, 5.0)
    assert along([(100.0, 0.0), (0.0, 0.0)], 0.25, 5) == (75.0, -5.0)
    assert along([(0.0, 0.0), (10.0, 0.0), (10.0, 30.0)], 0.5, 0) == (10.0, 10.0)


def test_colours_of_the_tags_are_those_of_the_people():
    _, (snapshot, *_) = snapshots(str(WORLDS / "two_hospitals.yaml"))

    def pixels(cls, count):
        for site in snapshot["sites"].values():
            site["inside"] = [0 for _ in site["inside"]]
        snapshot["sites"]["scene"]["inside"][cls] = count
        picture = np.array(scene_as_picture(read_scene(snapshot, "x", [], {})))
        return [int((picture == np.array(colour)).all(axis=2).sum()) for colour in (TRIAGE[0], TRIAGE[2], TRIAGE[3])]

    names = snapshot["classes"]["names"]
    for number, tag in enumerate(("red", "yellow", "green")):
        few, many = pixels(names.index(tag), 0), pixels(names.index(tag), 5)
        gained = [after - before for before, after in zip(few, many, strict=True)]
        assert gained[number] > 100
        assert all(gain == 0 for other, gain in enumerate(gained) if other != number)


def test_who_is_aboard_is_not_at_the_site_any_more():
    _, (snapshot, *_) = snapshots("mci_small")
    snapshot["journeys"] = [
        {"entity": 7, "class": 0, "from": "scene", "to": "level_one", "since": None, "until": None},
        {"entity": 8, "class": 1, "from": "scene", "to": "level_one", "since": None, "until": None},
        {"entity": 9, "class": 2, "from": "scene", "to": "level_one", "since": 10.0, "until": 30.0},
    ]
    snapshot["minutes"] = 15.0
    unit = {"unit": 0, "state": "driving_in", "from": "scene", "to": "level_one", "share": 0.5, "riders": [7]}
    snapshot["units"] = {"ambulance": [unit]}
    before = list(snapshot["sites"]["scene"]["inside"])
    region = read_region(snapshot)
    assert [now - then for now, then in zip(region.inside["scene"], before, strict=True)][:3] == [0, 1, 0]
    assert region.vehicles == [Vehicle("ambulance", "driving_in", "scene", "level_one", 0.5, 1, 0, False)]
    assert [(walker.cls, walker.share) for walker in region.walkers] == [(2, 0.25)]


@pytest.mark.parametrize("name", MAPS, ids=lambda name: Path(name).stem)
def test_a_map_is_quick_the_same_each_time_and_in_its_palette(name):
    agents, (_, snapshot, _) = snapshots(name)
    scene = read_scene(snapshot, "x", agents, {})
    first = np.array(scene_as_picture(scene))
    times = []
    for _ in range(5):
        start = time.process_time()
        again = scene_as_picture(read_scene(snapshot, "x", agents, {}))
        times.append(time.process_time() - start)
    assert min(times) < 0.05
    assert isinstance(again, Image.Image)
    assert (np.array(again) == first).all()
    palette = palette_of(scene)
    assert len(palette) <= 255
    colours, counts = np.unique(first.reshape(-1, 3).astype(int), axis=0, return_counts=True)
    far = np.abs(colours[:, None] - np.array(palette)[None]).max(axis=2).min(axis=1)
    assert counts[far > 16].sum() < 0.005 * counts.sum()
    assert far[counts > 0.005 * counts.sum()].max() == 0, "fills are drawn as they are"
