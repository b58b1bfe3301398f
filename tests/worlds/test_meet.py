"""Entities that wait for each other."""

import pickle

import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, departures, game_of, play, scenario, starts, story
from tests.worlds.test_invariants import audit

HOME = {"leave": "discharged"}
PARTY = {"meet": "handover", "next": "home"}


def ward(tmp_path, mothers, children, *, mother=None, child=None, **parts):
    """Mothers and children who wait for each other."""
    return scenario(
        tmp_path,
        entities={
            "mother": {"arrive": comes(*mothers), "begins": "mother_waits"},
            "child": {"arrive": comes(*children), "begins": "child_waits"},
        },
        **{
            "pathway": {
                "mother_waits": {**PARTY, **(mother or {})},
                "child_waits": {**PARTY, **(child or {})},
                "home": HOME,
            },
            **parts,
        },
    )


def test_whoever_is_first_waits_for_the_other_and_both_go_on_at_once(tmp_path):
    game = play(ward(tmp_path, ["01:00", "02:00", "05:00"], ["01:30", "04:00", "04:10"]))
    # Mothers are 1, 3 and 6; children 2, 4 and 5.
    assert {entity: when for entity, (when, _) in departures(game).items()} == {
        1: 90, 2: 90, 3: 240, 4: 240, 5: 300, 6: 300,
    }  # fmt: skip
    assert story(game, 2)[0][1:] == ("resource_use", "mother_waits".replace("mother", "child"))
    assert story(game, 1)[:2] == [(60, "queue", "mother_waits"), (90, "resource_use", "mother_waits")]


def test_a_party_with_classes_sends_the_most_urgent_first(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {
                "arrive": {
                    "timetable": [
                        {"at": at, "on": "Monday", "has": {"acuity": acuity}}
                        for at, acuity in (("01:00", 3), ("01:10", 1), ("01:20", 2))
                    ]
                },
                "has": {"acuity": {"choice": {"1": "30%", "2": "30%", "3": "else"}}},
                "begins": "ready",
            },
            "escort": {"arrive": comes("02:00", "03:00", "04:00"), "begins": "free"},
        },
        queues={"ready_queue": {"classes": "acuity", "order": "class"}},
        pathway={
            "ready": {**PARTY, "queue": "ready_queue", "mark": "met"},
            "free": PARTY,
            "home": HOME,
        },
        measures={"wait": {"from": "arrival", "to": "met", "for": "patient"}},
        kpis={"wait": {"of": "wait.mean"}, "line": {"of": "ready_queue.mean_wait"}, "all": {"of": "handover.served"}},
    )
    game = play(loaded)
    assert {entity: when for entity, (when, _) in departures(game).items()} == {
        2: 120, 4: 120, 3: 180, 5: 180, 1: 240, 6: 240,
    }  # fmt: skip
    assert game.kpis() == {"wait": (50 + 100 + 180) / 3, "line": (50 + 100 + 180) / 3, "all": 6.0}


def test_three_parties_and_two_steps_that_are_one_party(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={
            name: {"arrive": comes(*times), "begins": name}
            for name, times in (
                ("walk_in", ["01:00"]), ("referred", ["01:05"]), ("nurse", ["02:00", "02:30"]),
                ("bed", ["03:00", "05:00"]),
            )
        },
        queues={"patients": {}},
        pathway={
            "walk_in": {**PARTY, "queue": "patients"},
            "referred": {**PARTY, "queue": "patients"},
            "nurse": PARTY,
            "bed": PARTY,
            "home": HOME,
        },
    )  # fmt: skip
    left = {entity: when for entity, (when, _) in departures(play(loaded)).items()}
    assert left == {1: 180, 3: 180, 5: 180, 2: 300, 4: 300, 6: 300}


def test_whoever_gives_up_or_is_called_away_is_met_by_nobody(tmp_path):
    gives_up = {"or": {"after": "20 min", "go": "alone"}}
    pathway = {
        "mother_waits": {**PARTY, **gives_up},
        "child_waits": PARTY,
        "alone": {"leave": "left_alone"},
        "home": HOME,
    }
    game = play(ward(tmp_path, ["01:00", "01:25"], ["01:30"], pathway=pathway))
    assert departures(game) == {1: (80, "left_alone"), 2: (90, "discharged"), 3: (90, "discharged")}
    timers = {"patience": {"for": "mother", "from": "arrival", "until": "met", "after": "10 min", "go": "alone"}}
    pathway = {**pathway, "mother_waits": {**PARTY, "mark": "met"}}
    game = play(ward(tmp_path, ["01:00", "01:25"], ["01:30"], pathway=pathway, timers=timers))
    assert departures(game) == {1: (70, "left_alone"), 2: (90, "discharged"), 3: (90, "discharged")}


def test_a_loop_through_a_meeting_takes_whoever_waits_next(tmp_path):
    # The only escort meets one after the other and takes 10 minutes for each.
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {"arrive": comes("01:00", "01:00", "01:00"), "begins": "ready"},
            "escort": {"arrive": comes("00:30"), "has": {"done": 0}, "begins": "free"},
        },
        pathway={
            "ready": {**PARTY, "next": "home"},
            "free": {**PARTY, "next": "walk"},
            "walk": {"wait": "10 min", "next": {"split": {"free": "99.99%", "home": "else"}}},
            "home": HOME,
        },
    )
    assert [starts(play(loaded), step) for step in ("ready",)] == [{2: [60], 3: [70], 4: [80]}]


def test_agents_see_who_waits_and_choose_who_goes_first(tmp_path):
    agents = {"chief": {"sees": ["handover.waiting", "patients"], "can": [{"choose": "patients", "do": "first"}]}}
    loaded = ward(
        tmp_path,
        ["02:30"],
        ["01:00", "01:10"],
        child={"queue": "children"},
        queues={"children": {}},
        slots={"patients": {"waiting": "children", "top": 2, "show": ["waited"]}},
        agents=agents,
    )
    game = game_of(loaded)
    while not game.finished:
        if game.now == 120:
            assert game.look("chief_0") == [2.0, 1.0, 60.0, 1.0, 50.0]
            assert game.act("chief_0", 2)
        game.advance()
        audit(game.running)
    assert departures(game) == {2: (150, "discharged"), 3: (150, "discharged")}


def test_a_copy_made_while_somebody_waits_goes_on_alike(tmp_path):
    game = game_of(ward(tmp_path, ["01:00", "02:00"], ["03:00", "03:30"]))
    game.advance()
    game.advance()
    copies = [pickle.loads(pickle.dumps(game)), game.fork(), game.fork(redraw=3)]
    for one in (game, *copies):
        while not one.finished:
            one.advance()
            audit(one.running)
    assert {entity: when for entity, (when, _) in departures(game).items()} == {1: 180, 3: 180, 2: 210, 4: 210}
    assert all(one.events() == game.events() for one in copies[:2])
    assert departures(copies[2]) == departures(game), "nothing here is drawn"
    assert game.conservation()["inside"] == 0


def test_meetings_read_from_a_snapshot(tmp_path):
    game = game_of(ward(tmp_path, ["01:00"], ["22:00"]))
    game.advance()
    game.advance()
    (mothers, children) = game.snapshot()["lines"]
    assert (mothers["at"], mothers["waiting"], children["waiting"]) == ("handover", 1, 0)


@pytest.mark.parametrize(
    ("pathway", "told"),
    [
        ({"child_waits": {"wait": "1 h", "next": "home"}}, "nobody comes to meet those who wait here"),
        ({"child_waits": {**PARTY, "meet": "handovr"}}, "wait here; write meet: handovr in another"),
        ({"child_waits": {"use": "handover", "for": "1 h", "next": "home"}}, "'handover' is also a resource"),
        ({"mother_waits": {**PARTY, "preempt": "resume"}}, "preempt"),
        ({"mother_waits": {**PARTY, "queue": "both"}, "child_waits": {**PARTY, "queue": "both"}},
         "nobody comes to meet those who wait here"),
    ],
)  # fmt: skip
def test_slips_are_told(tmp_path, pathway, told):
    standard = {"mother_waits": PARTY, "child_waits": PARTY, "home": HOME}
    staff = {"handover": {"count": 1}} if "use" in str(pathway) else {}
    queues = {"both": {}} if "both" in str(pathway) else {}
    with pytest.raises(ScenarioError, match=told):
        ward(tmp_path, ["01:00"], ["02:00"], pathway={**standard, **pathway}, staff=staff, queues=queues)
