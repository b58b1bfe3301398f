"""Text and floor plan."""

import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import marl_health
from marl_health.envs import render
from marl_health.envs.registration import entries
from marl_health.envs.render_canvas import NONE, TRIAGE, Canvas
from marl_health.envs.render_canvas import font as render_font
from marl_health.envs.render_layout import HEAD, MARGIN, QUEUE, WIDTH, Area, plan_floor
from marl_health.envs.render_picture import _backdrop as backdrop
from marl_health.envs.render_picture import palette_of, scene_as_picture
from marl_health.envs.render_scene import read_scene
from marl_health.envs.render_words import clock_words, move_words, words

HERE = Path(__file__).parent
WORLDS = [
    str(HERE / "clinic.yaml"),
    str(HERE / "lone.yaml"),
    str(HERE.parent / "worlds" / "small_hospital.yaml"),
    "treatment_centre",
    *(entry.name for entry in entries() if not marl_health.load(entry.name).program.sites),
]
"""Worlds whose picture is a floor plan; those with sites are in test_render_map.py."""


def test_the_text_says_what_is_where(clinic):
    env = marl_health.parallel_env(clinic, render_mode="ansi")
    env.reset(seed=1)
    env.step({})
    env.step({"bed_manager_0": env.action_names("bed_manager_0").index("set bed.extra +2")})
    text = env.render()
    facts = env.snapshot()["resources"]
    assert "Clinic   Friday 19:00   day 1 of 1" in text
    assert f"{facts['bay']['taken']}/{facts['bay']['capacity']}" in text
    assert "Bed manager  adds 2 extra beds  (Friday 18:30)" in text
    assert "Scheduler    waits" in text


def test_the_picture_keeps_its_shape_and_shows_change(everywhere):
    env = marl_health.parallel_env(everywhere, render_mode="rgb_array")
    env.reset(seed=1)
    before = env.render()
    assert before.dtype == np.uint8
    assert before.shape[1:] == (WIDTH, 3)
    while env.agents:
        env.step({})
    after = env.render()  # the run-out included
    assert after.shape == before.shape
    assert (after != before).any()


def test_a_picture_changes_nothing(clinic):
    plain, drawn = marl_health.parallel_env(clinic), marl_health.parallel_env(clinic, render_mode="rgb_array")
    plain.reset(seed=1)
    drawn.reset(seed=1)
    while plain.agents:
        drawn.render()
        left, right = plain.step({}), drawn.step({})
        assert all((left[0][agent] == right[0][agent]).all() for agent in left[0])


def test_a_frame_is_quick(everywhere):
    env = marl_health.parallel_env(everywhere, render_mode="rgb_array")
    env.reset(seed=1)
    env.render()
    times = []
    for _ in range(5):
        start = time.process_time()
        env.render()
        times.append(time.process_time() - start)
    assert min(times) < 0.05


def test_the_snapshot_agrees_with_the_world(clinic):
    env = marl_health.parallel_env(clinic)
    env.reset(seed=3)
    while env.agents:
        env.step({})
        snapshot = env.snapshot()
        assert snapshot["classes"] == {"attribute": "acuity", "names": ["1", "2", "3", "other"]}
        assert snapshot["inside"] == env.conservation()["inside"]
        for name, facts in snapshot["resources"].items():
            assert sum(facts["by_class"]) == facts["taken"], name
            assert all(few <= all_ for few, all_ in zip(facts["boarding"], facts["by_class"], strict=True))
            assert facts["capacity"] <= facts["most"]
        assert sum(line["waiting"] for line in snapshot["lines"]) == sum(snapshot["queues"].values())
        beds = next(line for line in snapshot["lines"] if line["name"] == "beds")
        assert beds["at"] == "bed"
        assert beds["by_class"] == beds["elsewhere"] == snapshot["resources"]["bay"]["boarding"]
        scans = next(line for line in snapshot["lines"] if line["name"] == "scans")
        assert scans["elsewhere"] == scans["by_class"], "who waits for a scan keeps the bay"
        nurse = [line for line in snapshot["lines"] if line["at"] == "nurse"]
        assert all(line["elsewhere"][3] == 0 for line in nurse), "visitors ask at the door, they are in no place"


@pytest.mark.parametrize("rooms", [0, 1, 7, 40])
@pytest.mark.parametrize("cells", [1, 30, 600])
def test_rooms_and_queues_do_not_overlap_and_stay_on_the_page(rooms, cells):
    shapes = tuple(
        (f"department {room}", (Area("a place", cells, room % 3 == 0), Area("b", 2, False))) for room in range(rooms)
    )
    plan = plan_floor(shapes, lambda text: 6.0 * len(text))
    spots = [spot for frame in plan.frames for spot in frame.spots]
    assert all(spot.columns * spot.rows >= (cells, 2)[number % 2] for number, spot in enumerate(spots))
    assert len(spots) == 2 * rooms
    queued = set(range(0, 2 * rooms, 6))
    boxes, number = [], 0
    for frame in plan.frames:
        assert frame.x >= MARGIN
        assert frame.x + frame.width <= WIDTH - MARGIN
        boxes.append((frame.x, frame.y, frame.x + frame.width, frame.y + frame.height))
        for spot in frame.spots:
            assert spot.x >= frame.x
            assert spot.x + spot.width <= frame.x + frame.width
            assert spot.columns * plan.cell <= spot.width
            assert spot.y + spot.rows * plan.cell <= frame.y + frame.height
            assert spot.y == frame.y + HEAD
            if number in queued:
                below = frame.y + frame.height
                boxes.append((spot.x, below, spot.x + spot.width, below + QUEUE))
            number += 1
    assert all(bottom <= plan.height for _, _, _, bottom in boxes)
    assert not overlapping(boxes)


def overlapping(boxes):
    """Pairs of (left, top, right, bottom) that share more than a pixel's edge."""
    return [
        (one, other)
        for one, other in combinations(boxes, 2)
        if min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1
    ]


def crowded(snapshot, each):
    """The snapshot with so many of every class in every queue, and every place full."""
    for line in snapshot["lines"]:
        line["by_class"] = [each for _ in line["by_class"]]
        line["elsewhere"] = [each // 2 for _ in line["by_class"]]
    for facts in snapshot["resources"].values():
        facts["taken"] = 60 if facts["unlimited"] else facts["capacity"] + 1
        facts["by_class"] = [facts["taken"], *[0 for _ in facts["by_class"][1:]]]
        facts["boarding"] = [0 for _ in facts["by_class"]]
        facts["cleaning"] = 0
    return snapshot


def snapshots(name):
    """(agents, snapshots) of a scenario: at the start, later, and in a crowd."""
    scenario = marl_health.load(name)
    game = scenario.kind.make_game(scenario.program)
    game.reset(1, events=False)
    found = [game.snapshot()]
    for _ in range(10):
        game.advance()
    return list(game.agents), [*found, game.snapshot(), crowded(game.snapshot(), 3), crowded(game.snapshot(), 90)]


@pytest.mark.parametrize("name", WORLDS, ids=lambda name: Path(name).stem)
def test_everything_is_on_the_page_and_nothing_covers_another(name, monkeypatch):
    texts, figures = [], []
    write, stamp = Canvas.text, Canvas.stamp

    def text(self, x, y, text, size, *rest, **more):
        write(self, x, y, text, size, *rest, **more)
        anchor = more.get("anchor", rest[1] if len(rest) > 1 else "la")
        texts.append((text, self.pen.textbbox((x, y), text, font=render_font(size), anchor=anchor)))

    def figure(self, image, x, y):
        stamp(self, image, x, y)
        figures.append((x, y, x + image.width, y + image.height))

    monkeypatch.setattr(Canvas, "text", text)
    monkeypatch.setattr(Canvas, "stamp", figure)
    agents, taken = snapshots(name)
    for snapshot in taken:
        texts.clear(), figures.clear()
        backdrop.cache_clear()  # so that what never changes is written again
        moves = dict.fromkeys(agents, (snapshot["minutes"], "set something_with_a_long_name.order of_some_kind"))
        scene = read_scene(snapshot, "a scenario", agents, moves)
        picture = scene_as_picture(scene)
        written = [text for text, _ in texts]
        places = [place for room in scene.rooms for place in room.places]
        for resource in [*places, *scene.staff]:
            assert resource.title in written
            if sum(resource.waiting) and not resource.unlimited:
                assert f"{sum(resource.waiting)} waiting" in written
            if resource.full and resource.place:
                assert f"FULL {resource.numbers}" in written
        assert {told.agent for told in scene.moves} <= set(written)
        boxes = [box for _, box in texts] + figures
        assert all(
            min(left, top) >= 0 and right <= picture.width and bottom <= picture.height
            for left, top, right, bottom in boxes
        )
        assert not overlapping(boxes)


def scene_with(snapshot, place, cls):
    """The snapshot's world with nobody in it but one of a class in a place."""
    empty = crowded(snapshot, 0)
    for name, facts in empty["resources"].items():
        facts["taken"] = int(name == place)
        facts["by_class"] = [int(name == place and number == cls) for number in range(len(facts["by_class"]))]
    return read_scene(empty, "clinic", [], {})


def pixels_of(scene, colour):
    return int((np.array(scene_as_picture(scene)) == np.array(colour, np.uint8)).all(axis=2).sum())


@pytest.mark.parametrize("place", ["bay", "lobby", "doctor"])
def test_colours_follow_acuity(clinic, place):
    env = marl_health.parallel_env(clinic)
    env.reset(seed=1)
    shades = [*TRIAGE[:3], NONE]
    nobody = [pixels_of(scene_with(env.snapshot(), "", 0), shade) for shade in shades]
    for cls in range(4):
        scene = scene_with(env.snapshot(), place, cls)
        gained = [pixels_of(scene, shade) - few for shade, few in zip(shades, nobody, strict=True)]
        assert gained[cls] > 40
        assert sum(gained) - gained[cls] <= (cls == 3) * 400  # "no class" enters the legend with its own colour only
        assert all(gain == 0 for number, gain in enumerate(gained) if number != cls)


def test_who_is_elsewhere_is_pale(clinic):
    env = marl_health.parallel_env(clinic)
    env.reset(seed=1)

    def picture(elsewhere):
        snapshot = env.snapshot()
        line = next(line for line in snapshot["lines"] if line["name"] == "front_desk")
        line["by_class"], line["elsewhere"] = [5, 0, 0, 0], [elsewhere, 0, 0, 0]
        return read_scene(snapshot, "clinic", [], {})

    red = [pixels_of(picture(elsewhere), TRIAGE[0]) for elsewhere in range(6)]
    assert red == sorted(red, reverse=True)
    assert len({red[number] - red[number + 1] for number in range(5)}) == 1, "each of them changes in the same way"


def test_a_move_is_told_and_is_news_for_a_while(clinic):
    env = marl_health.parallel_env(clinic, render_mode="rgb_array")
    env.reset(seed=1)
    env.step({"bed_manager_0": env.action_names("bed_manager_0").index("set bed.extra +2")})
    told = [told for told in render.scene_of(env).moves if told.move]
    assert [(one.agent, one.move, one.when, one.fresh) for one in told] == [
        ("Bed manager", "adds 2 extra beds", "Friday 18:00", True)
    ]
    env.step({})
    assert not any(one.fresh for one in render.scene_of(env).moves)


def test_the_palette_holds_the_colours_that_are_drawn(everywhere):
    env = marl_health.parallel_env(everywhere, render_mode="rgb_array")
    env.reset(seed=1)
    for _ in range(8):
        env.step({})
    palette = palette_of(render.scene_of(env))
    assert len(palette) <= 255
    colours, counts = np.unique(env.render().reshape(-1, 3).astype(int), axis=0, return_counts=True)
    far = np.abs(colours[:, None] - np.array(palette)[None]).max(axis=2).min(axis=1)
    assert counts[far > 16].sum() < 0.005 * counts.sum()
    assert far[counts > 0.005 * counts.sum()].max() == 0, "fills are drawn as they are"


def test_words():
    assert words("ed_bay") == "ED bay"
    assert words("icu_bed") == "ICU bed"
    assert words("set ward_bed.extra +6", begins=False) == "set ward bed extra +6"
    assert move_words("set ward_bed.extra +6") == "adds 6 extra ward beds"
    assert move_words("set porter.extra +1") == "adds 1 extra porter"
    assert move_words("set ward_bed.extra +0") == "no extra ward beds any more"
    assert move_words("set ward_bed.extra -2") == "closes 2 ward beds"
    assert move_words("set ed_bay.reserve 3") == "keeps 3 ED bays in reserve"
    assert move_words("set ed_bay.reserve 0") == "keeps no ED bay in reserve any more"
    assert move_words("set scan_queue.order discharge_first") == "puts the scan queue in order: discharge first"
    assert move_words("set ambulance_1.next divert") == "sets ambulance 1 to divert"
    assert move_words("call in 2 ed_physician") == "calls in 2 ED physicians"
    assert move_words("first boarders[0]") == "puts no. 1 of “boarders” first"
    assert move_words("shorten nearly_ready[2]") == "shortens the stay of no. 3 of “nearly ready”"
    assert move_words("send to cancelled waiting_cases[1]") == "sends no. 2 of “waiting cases” to: cancelled"
    assert (
        move_words("send to send_by_air with destination level_one to_send[6]")
        == "sends no. 7 of “to send” to: level one (send by air)"
    )
    assert move_words("something_else") == "something else"
    assert clock_words(0) == "Monday 00:00"
    assert clock_words(7 * 1440 - 30) == "Sunday 23:30"
    assert clock_words(-30) == "Sunday 23:30"


def test_the_command_writes_a_small_picture(clinic, tmp_path):
    out = tmp_path / "clinic.png"
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "marl_health.envs.render",
        clinic,
        "--hours",
        "5",
        "--out",
        str(out),
    ]
    subprocess.run(command, check=True)
    assert out.stat().st_size < 150_000
    with Image.open(out) as picture:
        assert picture.width == WIDTH


def test_the_command_says_what_is_wrong(capsys):
    with pytest.raises(SystemExit):
        render.main(["no_such_scenario", "--out", "x.png"])
    assert "no_such_scenario" in capsys.readouterr().err


def test_no_plotting_library_is_loaded(clinic):
    code = (
        "import sys, marl_health\n"
        f"env = marl_health.parallel_env({clinic!r}, render_mode='rgb_array')\n"
        "assert 'PIL' not in sys.modules\n"
        "env.reset(seed=1)\n"
        "env.render()\n"
        "assert 'PIL' in sys.modules\n"
        "assert not {'matplotlib', 'pandas', 'torch', 'ray'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
