"""Films: what they show is what happens, they have the pictures they should, and nothing half-written stays."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import marl_health
from marl_health.envs import render_picture
from marl_health.envs.render import scene_of
from marl_health.envs.render_text import scene_as_text
from orchestration import film
from orchestration.animation import Clip, length, scenes, usual_every, usual_policy
from orchestration.film import NoEncoder, gif_centiseconds, write_gif, write_mp4
from tests.orchestration.command_line import invoke

HERE = Path(__file__).parent
CLINIC = str(HERE.parent / "envs" / "clinic.yaml")
SMALL = str(HERE.parent / "worlds" / "small_hospital.yaml")


def animate(*arguments, code=0):
    return invoke("animate", *arguments, code=code)


def texts(clip):
    return [scene_as_text(scene) for scene in scenes(clip)]


def film_of(path):
    """(pictures as arrays, how long each stays in milliseconds) of a GIF."""
    pictures, stays = [], []
    with Image.open(path) as gif:
        for number in range(gif.n_frames):
            gif.seek(number)
            stays.append(gif.info["duration"])
            pictures.append(np.asarray(gif.convert("RGB")).astype(int))
    return pictures, stays


# ------------------------------------------------------------ what is shown
@pytest.mark.parametrize("name", [CLINIC, SMALL, "two_ed_diversion"])
def test_at_decisions_a_film_shows_what_the_environment_does(name):
    scenario = marl_health.load(name)
    step = scenario.program.decide_every
    env = marl_health.parallel_env(scenario)
    env.reset(seed=4)
    shown = []
    for _ in range(6):
        shown.append(scene_as_text(scene_of(env)))
        env.step({})
    assert texts(Clip(scenario, "wait", 4, 0.0, 5 * step, step)) == shown
    assert len(set(shown)) == 6


@pytest.mark.parametrize("name", [CLINIC, "treatment_centre"])
def test_to_look_in_between_changes_nothing(name):
    scenario = marl_health.load(name)
    often = texts(Clip(scenario, "random", 2, 0.0, 360.0, 7.5))
    assert often[::8] == texts(Clip(scenario, "random", 2, 0.0, 360.0, 60.0))
    assert often[8::8] == texts(Clip(scenario, "random", 2, 60.0, 360.0, 60.0))
    assert len(set(often)) > 40


def test_in_between_the_decision_was_taken():
    scenario = marl_health.load(CLINIC)
    clip = Clip(scenario, "constant:bed_manager=set bed.extra +2", 1, 0.0, 90.0, 10.0)
    told = [next(told for told in scene.moves if told.agent == "Bed manager") for scene in scenes(clip)]
    decided = [one.when for one in told]
    assert decided[0] == ""  # at the moment of the decision it is still to come
    assert decided[1:] == ["Friday 18:00"] * 9


def test_the_last_picture_is_of_the_end_not_of_the_run_out():
    scenario = marl_health.load(CLINIC)
    env = marl_health.parallel_env(scenario)
    env.reset(seed=5)
    while env.agents:
        env.step({})
    *_, last = scenes(Clip(scenario, "wait", 5, 600.0, 720.0, 30.0))
    assert (last.clock, last.share) == ("Saturday 06:00", 1.0)
    assert scene_of(env).clock == "Saturday 12:00"


def test_what_is_usual():
    assert usual_policy(marl_health.load("hospital_throughput")) == "rule"
    assert usual_policy(marl_health.load("treatment_centre")) == usual_policy(marl_health.load(CLINIC)) == "wait"
    steps = {"hospital_throughput": 30.0, "treatment_centre": 30.0, "two_ed_diversion": 10.0, SMALL: 30.0}
    assert {name: usual_every(marl_health.load(name)) for name in steps} == steps


# ------------------------------------------------------------ the file
def test_a_gif_has_its_pictures_for_as_long_as_it_should(tmp_path):
    out = tmp_path / "clinic.gif"
    told = animate(CLINIC, "--hours", 6, "--every", 20, "--fps", 8, "--from", 1, "--seed", 3, "--out", out).output
    pictures, stays = film_of(out)
    assert len(pictures) == 19
    assert sum(stays[:-1]) == 2250  # 18 of an eighth of a second, which a GIF cannot tell one by one
    assert set(stays[:-1]) == {120, 130}
    assert stays[-1] == 2000
    assert "19 pictures at 8 a second" in told
    scenario = marl_health.load(CLINIC)
    drawn = [
        np.asarray(render_picture.scene_as_picture(scene)).astype(int)
        for scene in scenes(Clip(scenario, "wait", 3, 60.0, 420.0, 20.0))
    ]
    for seen, made in zip(pictures, drawn, strict=True):
        far = np.abs(seen - made).max(axis=2)
        assert (far > 40).sum() == 0
        assert (far > 0).mean() < 0.1
    assert list(tmp_path.iterdir()) == [out]


def test_a_day_of_the_hospital_is_small(tmp_path):
    out = tmp_path / "day.gif"
    animate("hospital_throughput", "--out", out)
    with Image.open(out) as gif:
        assert gif.n_frames == 49
    assert out.stat().st_size < 2_000_000


@pytest.mark.parametrize(("name", "count"), [("treatment_centre", 39), (SMALL, 49)])
def test_a_day_or_to_the_end(name, count, tmp_path):
    animate(name, "--out", tmp_path / "day.gif")
    with Image.open(tmp_path / "day.gif") as gif:
        assert gif.n_frames == count


def test_hours_do_not_drift():
    for fps in (0.5, 3, 7, 11.5, 50):
        for count in (1, 2, 100):
            stays = gif_centiseconds(count, fps)
            assert len(stays) == count
            assert stays[-1] >= 200
            assert sum(stays[:-1]) == round(100 * (count - 1) / fps)


def test_only_what_changes_is_written(tmp_path):
    noise = np.random.default_rng(1).integers(0, 2, (200, 200, 1), np.uint8).repeat(3, axis=2) * 255
    first, second = Image.fromarray(noise), Image.fromarray(noise)
    second.paste((255, 0, 0), (20, 30, 40, 60))
    sizes = []
    for pictures in ([first], [first, second, second, first]):
        with (tmp_path / "x.gif").open("w+b") as file:
            write_gif(file, pictures, [10] * len(pictures), [(0, 0, 0), (255, 255, 255), (255, 0, 0)])
            sizes.append(file.tell())
    assert sizes[1] < 1.15 * sizes[0]
    shown, _ = film_of(tmp_path / "x.gif")
    assert all(
        (seen == np.asarray(made)).all() for seen, made in zip(shown, [first, second, second, first], strict=True)
    )


# ------------------------------------------------------------ MP4
def test_without_ffmpeg_an_mp4_says_what_helps(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(film.importlib.util, "find_spec", lambda name: None)
    told = animate(CLINIC, "--out", tmp_path / "x.mp4", code=1).output
    assert "pip install 'marl-health[video]'" in told.replace("\n", " ")
    assert ".gif" in told
    assert list(tmp_path.iterdir()) == []


def test_an_mp4_is_written(tmp_path):
    try:
        film.ffmpeg()
    except NoEncoder:
        pytest.skip("neither ffmpeg nor imageio-ffmpeg is installed")
    animate(CLINIC, "--hours", 3, "--out", tmp_path / "x.mp4")
    assert (tmp_path / "x.mp4").read_bytes()[4:8] == b"ftyp"


def fake_ffmpeg(folder, script, monkeypatch):
    program = folder / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_ffmpeg_is_given_every_picture_whole(tmp_path, monkeypatch):
    fake_ffmpeg(tmp_path, 'for last; do :; done; cat > "$last"', monkeypatch)
    pictures = [Image.new("RGB", (7, 5), (shade, 1, 2)) for shade in range(9)]
    write_mp4(str(tmp_path / "raw"), iter(pictures), 5.0)
    assert (tmp_path / "raw").read_bytes() == b"".join(picture.tobytes() for picture in pictures)


def test_what_ffmpeg_says_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    fake_ffmpeg(tmp_path, "echo Unknown encoder libx264 >&2; exit 3", monkeypatch)
    told = animate(CLINIC, "--out", tmp_path / "x.mp4", code=1).output
    assert "Unknown encoder libx264" in told
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


# ------------------------------------------------------------ what goes wrong
@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["--out", "day.avi"], "day.avi: a film's name ends in .gif or .mp4", 1),
        (["--out", "day"], "ends in .gif or .mp4", 1),
        (["--out", "no/day.gif"], "there is no folder no", 1),
        (["--out", "folder.gif"], "folder.gif: is a folder; name a file in it", 1),
        (["--out", "file/day.gif"], "is a file and holds no others", 1),
        (["--out", "day.gif", "--hours", "0"], "0 should be a number above 0", 2),
        (["--out", "day.gif", "--hours", "nan"], "nan should be a number above 0", 2),
        (["--out", "day.gif", "--days", "-1"], "-1 should be a number above 0", 2),
        (["--out", "day.gif", "--days", "1", "--hours", "2"], "leave one of them out", 2),
        (["--out", "day.gif", "--every", "0"], "--every", 2),
        (["--out", "day.gif", "--every", "inf"], "inf should be a number above 0", 2),
        (["--out", "day.gif", "--fps", "0"], "--fps", 2),
        (["--out", "day.gif", "--fps", "nan"], "--fps", 2),
        (["--out", "day.gif", "--from", "12"], "lasts 12 hours; begin before its end", 1),
        (["--out", "day.gif", "--from", "10", "--hours", "3"], "from hour 10 on there are 2 to film, not 3", 1),
        (["--out", "day.gif", "--policy", "wiat"], "did you mean 'wait'", 1),
        (["--out", "day.gif", "--policy", "rule"], "has no reference rule", 1),
        ([], "--out", 2),
    ],
)
def test_what_is_wrong_is_told(arguments, told, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.gif").mkdir()
    (tmp_path / "file").write_text("")
    said = animate(CLINIC, *arguments, code=code).output
    assert told in " ".join(said.replace("│", " ").split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.gif"]
    assert list((tmp_path / "folder.gif").iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    assert "permission denied" in animate(CLINIC, "--out", tmp_path / "day.gif", code=1).output


def test_an_interrupted_film_leaves_what_was_there(tmp_path, monkeypatch):
    out = tmp_path / "day.gif"
    out.write_bytes(b"an older film")
    draw, drawn = render_picture.scene_as_picture, []

    def stops(scene):
        drawn.append(scene)
        if len(drawn) == 4:
            raise KeyboardInterrupt
        return draw(scene)

    monkeypatch.setattr(render_picture, "scene_as_picture", stops)
    assert "interrupted" in animate(CLINIC, "--out", out, code=1).output
    assert len(drawn) == 4
    assert out.read_bytes() == b"an older film"
    assert list(tmp_path.iterdir()) == [out]


def test_the_length_of_an_episode():
    assert length(marl_health.load("hospital_throughput")) == 3 * 1440
