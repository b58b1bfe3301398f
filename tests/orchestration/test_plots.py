"""Pictures: what they show is what happened, and the command writes them or says why not."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

import marl_health
from orchestration.episodes import run, tasks
from orchestration.layout import lay_out
from orchestration.plots.observe import KIND, OUTCOME, moves_of, observe
from orchestration.timeline import Timeline
from tests.orchestration.command_line import invoke

pytest.importorskip("matplotlib")
HERE = Path(__file__).parent
CLINIC = str(HERE / "clinic.yaml")
SMALL = str(HERE.parent / "worlds" / "small_hospital.yaml")


# ------------------------------------------------------------ what is shown
def test_moves_are_those_of_the_log():
    scenario = marl_health.load(CLINIC)
    episode = run(next(iter(tasks(scenario, ["wait"], [3], events=True))))
    begin, end = scenario.program.warm_up, scenario.program.horizon
    moves = moves_of(Timeline.of(scenario, episode.people, episode.events), episode.events, begin, end)
    during = [row for row in episode.events if begin <= row[0] < end]
    assert moves == {
        (KIND + "patient", "room"): sum(row[2:4] == ("resource_use", "into_room") for row in during),
        ("room", OUTCOME + "discharged"): sum(row[3:] == ("depart", "discharged") for row in during),
        **({("room", OUTCOME + "died"): n} if (n := sum(row[3:] == ("depart", "died") for row in during)) else {}),
    }


def test_nobody_is_lost_between_moves():
    """Over the whole run, whoever leaves a place came to it, or was there when the world began."""
    scenario = marl_health.load(SMALL)
    episode = run(next(iter(tasks(scenario, ["random"], [1], events=True))))
    timeline = Timeline.of(scenario, episode.people, episode.events)
    moves = moves_of(timeline, episode.events, 0.0, scenario.program.length)
    balance = Counter()
    for (a, b), count in moves.items():
        balance[a] -= count
        balance[b] += count
    there = Counter(span.resource for span in timeline.spans if span.step == "arrival")
    left = sum(count for name, count in balance.items() if name.startswith(OUTCOME))
    assert left == sum(row[3] == "depart" for row in episode.events)
    assert all(count + there[name] >= 0 for name, count in balance.items() if not name.startswith(KIND))


def test_what_is_observed_is_what_the_world_says():
    found = observe(marl_health.load(CLINIC), "wait", 2, 5)
    env = marl_health.parallel_env(CLINIC)
    env.reset(seed=6)
    second = found.replications[1]
    for number in range(len(second.hours)):
        snapshot = env.snapshot()
        assert second.waiting["line"][number] == snapshot["queues"]["line"]
        room = snapshot["resources"]["room"]
        assert second.taken["room"][number] == room["taken"] + room["cleaning"]
        env.step({})
    assert not env.agents


# ------------------------------------------------------------ a layout
EDGES = {
    ("a", "b"): 3.0,
    ("b", "c"): 2.0,
    ("a", "c"): 1.0,
    ("c", "d"): 2.0,
    ("d", "b"): 0.5,
    ("x", "y"): 1.0,
    ("b", "b"): 1.0,
}


def test_a_layout_runs_from_left_to_right_around_others():
    heights = dict.fromkeys("abcdxy", 1.0)
    found = lay_out({tuple(edge): weight for edge, weight in EDGES.items()}, heights, gap=0.5)
    assert [found.layer[node] for node in "abcd"] == [0, 1, 2, 3]
    assert found.ways["a", "c"][0] == "a" and len(found.ways["a", "c"]) == 3  # past the layer of b
    back = found.ways["d", "b"]
    assert (back[0], back[-1], len(back)) == ("d", "b", 3)
    for row in found.layers:
        for a, b in pairwise(sorted(row, key=found.y.__getitem__)):
            assert found.y[b] - found.y[a] >= (heights.get(a, 0) + heights.get(b, 0)) / 2
    assert all(0 <= found.y[node] <= found.height for node in heights)
    assert max(found.y["x"], found.y["y"]) < min(found.y[node] for node in "abcd")  # the smaller part below


# ------------------------------------------------------------ the command
@pytest.mark.parametrize("scenario", [CLINIC, SMALL])
def test_four_pictures(tmp_path, scenario):
    out = tmp_path / "new" / "folder"
    printed = invoke("plot", scenario, "--replications", 2, "--jobs", 1, "--out", out).stdout.split()
    name = marl_health.load(scenario).name
    assert [Path(line).name for line in printed] == [
        f"{name}_{what}.png" for what in ("queues", "occupancy", "day", "flow")
    ]
    for line in printed:
        with Image.open(line) as picture:
            assert picture.width > 800 and len(picture.convert("RGB").getcolors(1 << 24)) > 5


def test_the_same_seed_draws_the_same_picture(tmp_path):
    for folder in ("one", "two"):
        arguments = ("--replications", 1, "--jobs", 1, "--format", "svg", "--day", 1, "--out", tmp_path / folder)
        invoke("plot", CLINIC, *arguments)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
        assert "clinic, policy wait" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "gif"], "'gif' is none of png, svg, pdf"),
        (["--format", ".png"], "'.png' is none of png, svg, pdf"),
        (["--day", "2"], "has 1 day, so there is no day 2"),
        (["--policy", "wiat"], "did you mean 'wait'"),
        (["--out", CLINIC], "clinic.yaml: is a file; name a folder"),
        (["--out", f"{CLINIC}/plots"], "the folder cannot be made"),
    ],
)
def test_slips_are_told_and_leave_nothing(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = 2 if arguments[0] == "--format" else 1
    assert said in invoke("plot", CLINIC, *arguments, code=code).stderr
    assert not list(tmp_path.iterdir())


def test_nobody_is_a_picture_too(tmp_path):
    text = Path(CLINIC).read_text()
    assert "per_hour: 11," in text
    (tmp_path / "clinic.yaml").write_text(text.replace("per_hour: 11,", "per_hour: 0.000001,"))
    invoke("plot", tmp_path / "clinic.yaml", "--out", tmp_path, "--replications", 2, "--jobs", 1, "--format", "svg")
    assert "nobody came, moved or left" in (tmp_path / "clinic_flow.svg").read_text()
    assert len(list(tmp_path.glob("*.svg"))) == 4


def test_without_matplotlib_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = invoke("plot", CLINIC, "--out", tmp_path / "none", code=1).stderr
    assert "marl-health[plot]" in said and not (tmp_path / "none").exists()
