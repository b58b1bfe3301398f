"""Priorities that rise after a wait."""

import pickle

import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, game_of, play, scenario, starts
from tests.worlds.test_invariants import audit

HOME = {"leave": "discharged"}
RISES = {"rises": {"after": "40 min", "to": -5}}


def desk(tmp_path, usual=(), urgent=(), *, usual_step=None, urgent_step=None, **parts):
    """One nurse, 30 minutes for each; urgent ones go first."""
    kinds = {"usual": usual, "urgent": urgent}
    return scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        entities={name: {"arrive": comes(*times), "begins": name} for name, times in kinds.items()},
        pathway={
            "usual": {"use": "nurse", "for": "30 min", "next": "home", **(usual_step or {})},
            "urgent": {"use": "nurse", "for": "30 min", "priority": -1, "next": "home", **(urgent_step or {})},
            "home": HOME,
        },
        **parts,
    )


TIMES = ["01:05"], ["01:00", "01:10", "01:20", "01:45", "02:10"]


@pytest.mark.parametrize("events", [False, True])
def test_whoever_has_waited_long_enough_passes_another_line(tmp_path, events):
    def order(loaded):
        game = game_of(loaded, events=events)
        seen = []
        while not game.finished:
            game.advance()
            audit(game.running)
            inside = sorted(game.running.entities)
            if not seen or seen[-1] != inside:
                seen.append(inside)
        return seen

    # The nurse is free at 01:30, 02:00, 02:30 ..; at 02:00 the usual one has waited for 55 minutes.
    plain = desk(tmp_path, *TIMES, clock={"episode": "6 h", "decide_every": "5 min"})
    rising = desk(tmp_path, *TIMES, usual_step=RISES, clock={"episode": "6 h", "decide_every": "5 min"})
    assert 2 in order(plain)[-2] and len(order(plain)[-2]) == 1, "last without it"
    assert order(rising)[-2] == [6] and 2 not in order(rising)[-3]
    assert starts(play(plain), "usual") == {2: [210]}
    assert starts(play(rising), "usual") == {2: [120]}


def test_the_wait_counts_when_a_unit_comes_free_and_not_before(tmp_path):
    late = desk(tmp_path, *TIMES, usual_step={"rises": {"after": "55 min", "to": -5}})
    assert starts(play(late), "usual") == {2: [120]}, "55 minutes at 02:00, just enough"
    late = desk(tmp_path, *TIMES, usual_step={"rises": {"after": "56 min", "to": -5}})
    assert starts(play(late), "usual") == {2: [150]}
    small = desk(tmp_path, *TIMES, usual_step={"rises": {"after": "40 min", "to": -0.5}})
    assert starts(play(small), "usual") == {2: [210]}, "it rises, but not above -1"


@pytest.mark.parametrize("events", [False, True])
def test_in_a_line_with_classes_it_passes_the_classes_too(tmp_path, events):
    acuities = [("01:00", 1), ("01:05", 2), ("01:10", 1), ("01:20", 1), ("01:25", 2), ("01:50", 1)]
    found = []
    for rises in ({}, RISES):
        loaded = scenario(
            tmp_path,
            clock={"episode": "6 h", "decide_every": "5 min"},
            staff={"nurse": {"count": 1}},
            queues={"desk": {"classes": "acuity", "order": "class"}},
            entities={
                "patient": {
                    "arrive": {
                        "timetable": [{"at": at, "on": "Monday", "has": {"acuity": cls}} for at, cls in acuities]
                    },
                    "has": {"acuity": {"choice": {"1": "50%", "2": "else"}}},
                    "begins": "care",
                }
            },
            pathway={"care": {"use": "nurse", "for": "30 min", "queue": "desk", "next": "home", **rises}, "home": HOME},
        )
        game = game_of(loaded, events=events)
        gone = []
        while not game.finished:
            game.advance()
            gone += [entity for entity in range(1, 7) if entity not in game.running.entities and entity not in gone
                     and entity <= game.running.population]  # fmt: skip
        found.append(gone)
    assert found[0] == [1, 3, 4, 6, 2, 5], "acuity 1 first"
    # Free at 01:30 (nobody has waited for 40 minutes): 3. At 02:00: 2 has waited for 55, 4 for 40: both have risen, and
    # of those acuity 1 goes first. At 02:30: 2 and 5 and, with its 40 minutes, 6, which is of acuity 1.
    assert found[1] == [1, 3, 4, 6, 2, 5]
    assert found[1] == found[0], "where all have risen, classes decide as before"


def test_classes_are_passed_by_those_who_rose_alone(tmp_path):
    acuities = [("01:00", 1), ("01:05", 2), ("01:40", 1), ("01:45", 1), ("01:46", 2)]
    orders = []
    for rises in ({}, RISES):
        loaded = scenario(
            tmp_path,
            staff={"nurse": {"count": 1}},
            queues={"desk": {"classes": "acuity", "order": "class"}},
            entities={
                "patient": {
                    "arrive": {
                        "timetable": [{"at": at, "on": "Monday", "has": {"acuity": cls}} for at, cls in acuities]
                    },
                    "has": {"acuity": {"choice": {"1": "50%", "2": "else"}}},
                    "begins": "care",
                }
            },
            pathway={"care": {"use": "nurse", "for": "1 h", "queue": "desk", "next": "home", **rises}, "home": HOME},
        )
        orders.append({entity: when[0] for entity, when in starts(play(loaded), "care").items()})
    assert orders[0] == {1: 60, 3: 120, 4: 180, 2: 240, 5: 300}
    assert orders[1] == {1: 60, 2: 120, 3: 180, 4: 240, 5: 300}, "at 02:00 only the second has waited for 40 minutes"


def test_the_personal_line_of_a_unit_rises_too_and_copies_are_exact(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        entities={
            "patient": {"arrive": comes("00:00"), "has": {"seen": "no"}, "begins": "first"},
            "urgent": {"arrive": comes("00:50", "00:55", "01:10"), "begins": "rush"},
        },
        pathway={
            "first": {"use": "nurse", "for": "10 min", "next": "pause"},
            "pause": {"wait": "45 min", "next": "again"},
            "again": {"use": "nurse", "same": "yes", "for": "10 min", "next": "home", **RISES},
            "rush": {"use": "nurse", "for": "30 min", "priority": -1, "next": "home"},
            "home": HOME,
        },
    )
    game = game_of(loaded)
    game.advance()
    copy = pickle.loads(pickle.dumps(game))
    for one in (game, copy):
        while not one.finished:
            one.advance()
    # Back at 00:55, served neither at 01:20 (after 25 minutes) but at 01:50.
    assert starts(game, "again") == {1: [110]} == starts(copy, "again")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"rises": {"after": "10 min", "to": 0}}, "must go to a priority below 0"),
        ({"rises": {"after": "0 min", "to": -1}}, "more than 0"),
        ({"rises": {"to": -1}}, "after"),
    ],
)
def test_slips_are_told(tmp_path, step, told):
    with pytest.raises(ScenarioError, match=told):
        desk(tmp_path, ["01:00"], ["02:00"], usual_step=step)


def test_steps_that_share_a_queue_rise_alike(tmp_path):
    with pytest.raises(ScenarioError, match="share the queue 'line'"):
        desk(
            tmp_path,
            ["01:00"],
            ["02:00"],
            usual_step={"queue": "line", "rises": {"after": "10 min", "to": -2}, "priority": -1},
            urgent_step={"queue": "line"},
            queues={"line": {}},
        )
