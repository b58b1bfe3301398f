"""Text and floor plan."""

import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import marl_health
from marl_health.envs import render
from marl_health.envs.render_layout import HEAD, MARGIN, WIDTH, plan_floor
from marl_health.envs.render_scene import clock_words, words


def test_the_text_says_what_is_where(clinic):
    env = marl_health.parallel_env(clinic, render_mode="ansi")
    env.reset(seed=1)
    env.step({})
    env.step({"bed_manager_0": env.action_names("bed_manager_0").index("set bed.extra +2")})
    text = env.render()
    facts = env.snapshot()["resources"]
    assert "Clinic   Friday 19:00   day 1 of 1" in text
    assert f"{facts['bay']['taken']}/{facts['bay']['capacity']}" in text
    assert "Bed manager  set bed extra +2  (Friday 18:30)" in text
    assert "Scheduler    waits" in text


def test_the_picture_keeps_its_shape_and_shows_change(everywhere):
    env = marl_health.parallel_env(everywhere, render_mode="rgb_array")
    env.reset(seed=1)
    before = env.render()
    assert before.dtype == np.uint8
    assert before.shape[1:] == (WIDTH, 3)
    for _ in range(env.max_cycles):
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
        assert beds["by_class"] == snapshot["resources"]["bay"]["boarding"]


@pytest.mark.parametrize("rooms", [0, 1, 7, 40])
@pytest.mark.parametrize("cells", [1, 30, 600])
def test_rooms_do_not_overlap_and_stay_on_the_page(rooms, cells):
    shapes = tuple((f"department {room}", (("a place", cells), ("b", 2))) for room in range(rooms))
    plan = plan_floor(shapes, lambda text: 6.0 * len(text))
    spots = [spot for frame in plan.frames for spot in frame.spots]
    assert all(spot.columns * spot.rows >= (cells, 2)[number % 2] for number, spot in enumerate(spots))
    assert len(spots) == 2 * rooms
    taken = []
    for frame in plan.frames:
        assert frame.x >= MARGIN
        assert frame.x + frame.width <= WIDTH - MARGIN
        assert frame.y + frame.height <= plan.height
        for left, top, right, bottom in taken:
            apart = (
                frame.x >= right or frame.x + frame.width <= left or frame.y >= bottom or frame.y + frame.height <= top
            )
            assert apart
        taken.append((frame.x, frame.y, frame.x + frame.width, frame.y + frame.height))
        for spot in frame.spots:
            assert spot.columns * plan.cell <= spot.width
            assert spot.y + spot.rows * plan.cell <= frame.y + frame.height
            assert spot.y == frame.y + HEAD


def test_words():
    assert words("ed_bay") == "ED bay"
    assert words("icu_bed") == "ICU bed"
    assert words("set ward_bed.extra +6", begins=False) == "set ward bed extra +6"
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
