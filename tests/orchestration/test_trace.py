"""One patient's story: the spans that a log is read as, names that hold under every policy, and the command."""

import math
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import marl_health
from orchestration.episodes import run, tasks
from orchestration.timeline import Timeline
from orchestration.trace import UnknownEntity, aligned, moment, stories, stretch, tell
from tests.orchestration.command_line import invoke

HERE = Path(__file__).parent
CLINIC = str(HERE / "clinic.yaml")
SMALL = str(HERE.parent / "worlds" / "small_hospital.yaml")


# ------------------------------------------------------------ reading a log
def test_spans_agree_with_the_world_at_every_decision():
    """What is taken and who waits, counted in the spans of the log, is what the world itself says."""
    env = marl_health.parallel_env(SMALL, events=True)
    env.reset(seed=2)
    snapshots = []
    moves = random.Random(4)
    while env.agents:
        snapshots.append(env.snapshot())
        env.step({agent: moves.randrange(env.action_space(agent).n) for agent in env.agents})
    timeline = Timeline.of(env.scenario, env.game.people(), env.event_log())
    seen = Counter()
    for snapshot in snapshots:
        now = snapshot["minutes"] + env.scenario.program.warm_up
        running = [span for span in timeline.spans if span.start < now <= span.end]
        taken = Counter(span.resource for span in running if span.resource)
        for name, resource in snapshot["resources"].items():
            assert taken[name] == resource["taken"], (name, now)
            seen[name] += taken[name]
        waiting = sum(span.what == "wait" for span in running)
        assert waiting == sum(snapshot["queues"].values()), now
        seen["waiting"] += waiting
    assert all(seen[name] for name in ("bay", "physician", "nurse", "ct", "theatre", "surgeon", "icu_bed", "waiting"))


def test_units_are_never_shared():
    scenario = marl_health.load(SMALL)
    episode = run(next(iter(tasks(scenario, ["random"], [1], events=True))))
    timeline = Timeline.of(scenario, episode.people, episode.events)
    by_unit = {}
    for span in timeline.spans:
        if span.resource:
            by_unit.setdefault((span.resource, span.unit), []).append((span.start, span.end))
    for stretches in by_unit.values():
        assert all(a_end <= b_start for (_, a_end), (b_start, _) in pairwise(stretches))


# ------------------------------------------------------------ telling it
def test_the_same_patient_under_two_policies():
    scenario = marl_health.load(SMALL)
    policies = ["wait", "random"]
    episodes = [run(next(iter(tasks(scenario, [policy], [3], events=True)))) for policy in policies]
    numbers = [{person.name: number for number, person in episode.people.items()} for episode in episodes]
    common = sorted(set(numbers[0]) & set(numbers[1]))
    came = [
        {entity: time for time, entity, _, event, _ in episode.events if event == "arrival"} for episode in episodes
    ]
    # Somebody who comes back at the same time under both, and somebody whom other people's returns give another number.
    back = next(n for n in common if "/" in n and came[0][numbers[0][n]] == came[1][numbers[1][n]])
    shifted = next(n for n in common if "/" not in n and numbers[0][n] != numbers[1][n])
    for entity in (back, shifted):
        waiting, moving = stories(scenario, policies, entity, 3)
        assert waiting.name == moving.name == entity
        assert (waiting.kind, waiting.attributes, waiting.start) == (moving.kind, moving.attributes, moving.start)
        rows = aligned(waiting, moving)
        assert [a for a, _ in rows if a is not None] == waiting.lines
        assert [b for _, b in rows if b is not None] == moving.lines
        assert all(a.key == b.key for a, b in rows if a is not None and b is not None)
    assert waiting.number != moving.number
    again = stories(scenario, policies, str(waiting.number), 3)
    assert [story.name for story in again] == [shifted] * 2  # a number means the patient of the first policy


def test_waits_and_stay_are_those_of_the_log():
    scenario = marl_health.load(CLINIC)
    episode = run(next(iter(tasks(scenario, ["wait"], [0], events=True))))
    told = 0
    for number in list(episode.people)[::7]:
        rows = {(kind, event): time for time, entity, kind, event, _ in episode.events if entity == number}
        if ("arrival_departure", "depart") not in rows:
            continue
        story = tell(scenario, "wait", episode, episode.people[number].name)
        assert story.start == rows["arrival_departure", "arrival"]
        assert story.end == rows["arrival_departure", "depart"]
        waited = sum(rows["resource_use", step] - rows["queue", step] for kind, step in rows if kind == "queue")
        assert story.waited == pytest.approx(waited)
        assert sum(line.waited for line in story.lines if not math.isnan(line.waited)) == pytest.approx(waited)
        told += waited > 0
    assert told > 3


def test_unknown_names_say_which_there_are():
    with pytest.raises(UnknownEntity, match=r"no entity '9999'.*from 1 to \d+, names are patient-1 to patient-\d+"):
        stories(marl_health.load(CLINIC), ["wait"], "9999", 0)


def test_an_episode_without_anybody_is_told(tmp_path):
    (tmp_path / "clinic.yaml").write_text(Path(CLINIC).read_text().replace("per_hour: 11,", "per_hour: 0.000001,"))
    said = invoke("trace", tmp_path / "clinic.yaml", "--entity", "1", code=1).stderr
    assert "nobody came in the episode with seed 0" in said


def test_times_in_words():
    scenario = marl_health.load(CLINIC)  # the warm-up begins two hours before Monday 12:00
    assert moment(scenario, 0.0) == "Mon 10:00"
    assert moment(scenario, 15 * 60.0 - 1) == "Tue 00:59"
    assert (stretch(0.2), stretch(61), stretch(1500), stretch(math.nan)) == ("0 min", "1 h 01 min", "1 d 1 h", "")


# ------------------------------------------------------------ the command
def test_trace_tells_a_story():
    text = invoke("trace", CLINIC, "--entity", 12).stdout
    for words in (
        "patient-12 (number 12) in clinic, seed 0",
        "acuity ",
        "into_room: moves to room",
        "care: with nurse",
    ):
        assert words in text


def test_trace_sets_two_policies_side_by_side():
    text = invoke("trace", CLINIC, "--entity", "patient-30", "--policies", "wait,random", "--seed", 4).stdout
    assert "wait: time" in text and "random: time" in text
    assert text.count("leaves on Mon") == 2


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--entity", "0"], "there is no entity '0'", 1),
        (["--entity", "3", "--policy", "wiat"], "there is no policy", 1),
        (["--entity", "3", "--policies", "wait"], None, 0),
        (["--entity", "3", "--policies", "wait,wait"], "two different policies", 2),
        (["--entity", "3", "--policies", "wait,random,rule"], "two different policies", 2),
        (["--entity", "3", "--policies", "wait,random", "--policy", "random"], "compare; leave out --policy", 2),
        ([], "--entity", 2),
    ],
)
def test_slips_are_told(arguments, said, code):
    result = invoke("trace", CLINIC, *arguments, code=code)
    assert said is None or said in " ".join(result.stderr.replace("│", " ").split())
