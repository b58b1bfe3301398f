"""Jobs that make vacated places ready: they wait for a crew, agents order them, and free the unit when they leave."""

import pickle

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, departures, game_of, play, scenario, story
from tests.worlds.test_invariants import audit

KPIS = {
    "cleaned": {"of": "cleaned.count"},
    "turnaround": {"of": "turnaround.mean"},
    "busy": {"of": "bed.busy_hours"},
    "booked": {"of": "bed.booked"},
}


def ward(tmp_path, times, *, beds=1, turnover=None, has=None, job=None, **parts):
    """Patients who have a bed for an hour; one cleaner, who takes half an hour for each bed."""
    return scenario(
        tmp_path,
        staff={"cleaner": {"count": 1}},
        places={"bed": {"count": beds, "turnover": {"as": "dirty_bed", **(turnover or {})}, **parts.pop("bed", {})}},
        entities={
            "patient": {"arrive": comes(*times), "has": has or {}, "begins": "in_bed"},
            "dirty_bed": {"begins": "clean", **(job or {})},
        },
        pathway={
            "in_bed": {"move_to": "bed", "next": "rest"},
            "rest": {"stay": "1 h", "next": "home"},
            "home": {"leave": "discharged"},
            "clean": {"use": "cleaner", "for": "30 min", "queue": "dirty", "mark_end": "clean_now", "next": "ready"},
            "ready": {"leave": "cleaned"},
        },
        queues={"dirty": parts.pop("dirty", {})},
        measures={"turnaround": {"from": "arrival", "to": "clean_now", "for": "dirty_bed"}},
        kpis=KPIS,
        **parts,
    )


def test_a_unit_is_free_again_when_its_job_leaves(tmp_path):
    game = play(ward(tmp_path, ("01:00", "01:10", "01:20"), beds=2))
    # Both beds are vacated at 02:00 and 02:10; the cleaner does one after the other, and the third waits until 02:30.
    assert departures(game) == {
        1: (120, "discharged"), 2: (130, "discharged"), 4: (150, "cleaned"), 5: (180, "cleaned"),
        3: (210, "discharged"), 6: (240, "cleaned"),
    }  # fmt: skip
    assert story(game, 5) == [(130, "queue", "clean"), (150, "resource_use", "clean"),
                              (180, "resource_use_end", "clean"), (180, "arrival_departure", "depart")]  # fmt: skip
    assert game.kpis() == {
        "cleaned": 3.0,
        "turnaround": (30 + 50 + 30) / 3,
        "busy": 3.0,
        "booked": pytest.approx(3 / 48),
    }
    assert game.conservation() == {"arrived": 6, "discharged": 3, "died": 0, "left": 3, "inside": 0}
    assert [person.name for person in game.people().values()] == [
        "patient-1", "patient-2", "patient-3", "patient-1@bed", "patient-2@bed", "patient-3@bed",
    ]  # fmt: skip


def test_meanwhile_it_counts_as_being_cleaned_and_as_nobodys(tmp_path):
    game = game_of(ward(tmp_path, ("01:00", "01:10", "01:20"), beds=2))
    found = {}
    for minute in (119, 125, 135, 155, 239, 241):
        game.running.advance(minute)
        bed, shown = game.running.pools[1], game.snapshot()["resources"]["bed"]
        audit(game.running)
        found[minute] = (bed.free, bed.busy, bed.cleaning)
        assert (shown["taken"], shown["cleaning"], sum(shown["by_class"])) == (bed.busy, bed.cleaning, bed.busy)
    assert found == {119: (0, 2, 0), 125: (0, 1, 1), 135: (0, 0, 2), 155: (0, 1, 1), 239: (1, 0, 1), 241: (2, 0, 0)}


SEEN = ["ward", "infectious", "waited", "wanted", "longest"]
GENERAL = {"ward": "general", "infectious": "infectious"}
TWO_WARDS = {
    "staff": {"cleaner": {"count": 1}},
    "places": {
        "icu_bed": {"count": 1, "turnover": {"as": "dirty_bed", "has": {"ward": "icu"}}},
        "ward_bed": {"count": 1, "turnover": {"as": "dirty_bed", "has": GENERAL}},
    },
    "entities": {
        "sick": {"arrive": comes("01:00", "02:20"), "begins": "in_icu"},
        "patient": {"arrive": comes("00:50", "02:10"), "has": {"infectious": True}, "begins": "in_ward"},
        "other": {"arrive": comes("00:40"), "begins": "desk"},
        "dirty_bed": {
            "has": {"ward": {"choice": {"icu": "50%", "general": "else"}}, "infectious": False}, "begins": "clean",
        },
    },
    "pathway": {
        "in_icu": {"move_to": "icu_bed", "for": "70 min", "next": "home"},
        "in_ward": {"move_to": "ward_bed", "for": "70 min", "next": "home"},
        "desk": {"use": "cleaner", "for": "2 h", "next": "home"},
        "home": {"leave": "discharged"},
        "clean": {
            "use": "cleaner", "queue": "dirty", "next": "ready",
            "for": {"by": "infectious", True: "1 h", False: "20 min"},
        },
        "ready": {"leave": "cleaned"},
    },
    "queues": {"dirty": {"classes": "ward", "order": {"first": ["icu", "general"]}}},
    "slots": {"dirty_beds": {"waiting": "dirty", "top": 2, "show": SEEN}},
    "agents": {"housekeeper": {"sees": ["dirty_beds"], "can": [{"choose": "dirty_beds", "do": "first"}]}},
    "clock": {"episode": "6 h", "decide_every": "5 min"},
}  # fmt: skip


def test_jobs_are_like_whoever_left_and_an_agent_sees_who_waits_and_says_which_is_next(tmp_path):
    loaded = scenario(tmp_path, **TWO_WARDS)
    ends = dict(sorted(departures(play(loaded)).values()))
    # By the order of the wards: the bed in intensive care, vacated last, is cleaned first, from 02:40 on.
    assert [minute for minute, outcome in ends.items() if outcome == "cleaned"][:2] == [180, 240]
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    while env.game.now < 150:
        env.step({})
    seen = env.readings("housekeeper_0")
    assert {key: seen[f"dirty_beds[0].{key}"] for key in SEEN} == {
        "ward": 0.0, "infectious": 1.0, "waited": 30.0, "wanted": 1.0, "longest": 20.0,
    }  # fmt: skip
    assert {key: seen[f"dirty_beds[1].{key}"] for key in SEEN} == {
        "ward": 1.0, "infectious": 0.0, "waited": 20.0, "wanted": 1.0, "longest": 10.0,
    }  # fmt: skip
    game = play(loaded, moves=[(2.5, "housekeeper_0", "first dirty_beds[0]")])
    assert sorted(minute for minute, outcome in departures(game).values() if outcome == "cleaned")[:2] == [220, 240]


def test_the_same_patients_leave_the_same_jobs_whatever_else_happens(tmp_path):
    slow = {"has": {"effort": {"uniform": [0, 1]}}}
    times = [f"{hour:02d}:{minute:02d}" for hour in range(8) for minute in (0, 20, 40)]
    efforts = []
    for beds in (1, 3):
        people = play(ward(tmp_path, times, beds=beds, job=slow)).people().values()
        efforts.append({person.name: person.attributes["effort"] for person in people if person.kind == "dirty_bed"})
    few, many = efforts
    assert 10 < len(few) < len(many) and few == {name: many[name] for name in few}
    assert len(set(many.values())) == len(many)


def test_a_place_that_is_taken_twice_makes_two_jobs(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"cleaner": {"count": 1}},
        places={"room": {"count": 1, "turnover": {"as": "job"}}},
        entities={
            "patient": {"arrive": comes("01:00"), "begins": "scan"},
            "job": {"has": {"effort": {"uniform": [0, 1]}}, "begins": "clean"},
        },
        pathway={
            "scan": {"visit": "room", "for": "1 h", "next": "again"},
            "again": {"visit": "room", "for": "1 h", "next": "home"},
            "home": {"leave": "discharged"},
            "clean": {"use": "cleaner", "for": "30 min", "next": "ready"},
            "ready": {"leave": "cleaned"},
        },
    )
    game = play(loaded)
    assert departures(game) == {1: (210, "discharged"), 2: (150, "cleaned"), 3: (240, "cleaned")}
    names = [person.name for person in game.people().values()]
    efforts = {person.attributes["effort"] for person in game.people().values() if person.kind == "job"}
    assert names == ["patient-1", "patient-1@room", "patient-1@room#2"] and len(efforts) == 2


def test_a_copy_made_while_units_are_cleaned_goes_on_alike(tmp_path):
    game = game_of(ward(tmp_path, ("01:00", "01:10", "01:20"), beds=2))
    game.running.advance(140)
    twin = pickle.loads(pickle.dumps(game))
    for one in (game, twin):
        while not one.finished:
            one.advance()
    assert twin.events() == game.events() and twin.kpis() == game.kpis()


def test_a_job_may_move_on_and_so_give_the_unit_back_before_it_leaves(tmp_path):
    loaded = scenario(
        tmp_path,
        places={"room": {"count": 1, "turnover": {"as": "tray"}}, "washer": {"count": 1}},
        entities={
            "patient": {"arrive": comes("01:00", "01:10"), "begins": "treat"},
            "tray": {"begins": "clear"},
        },
        pathway={
            "treat": {"move_to": "room", "for": "1 h", "next": "home"},
            "home": {"leave": "discharged"},
            "clear": {"stay": "10 min", "next": "wash"},
            "wash": {"move_to": "washer", "for": "3 h", "next": "ready"},
            "ready": {"leave": "washed"},
        },
    )
    # The second has the room from 02:10 on, for its tray is in the washer by then.
    assert departures(play(loaded))[2] == (190, "discharged")


@pytest.mark.parametrize(
    ("turnover", "parts", "said"),
    [
        ({"as": "dirty_bd"}, {}, "did you mean 'dirty_bed'"),
        ({"as": "patient"}, {}, "comes by itself too"),
        ({"has": {"ward": "icu"}}, {}, "dirty_bed has no attribute 'ward'"),
        ({"has": {"size": "tall"}}, {"job": {"has": {"size": 1}}}, "nothing here is named 'tall'"),
        ({}, {"bed": {"clean": "5 min"}}, "instead of clean"),
        ({}, {"bed": {"count": "unlimited"}}, "limited count"),
        ({}, {"slots": {"all": {"waiting": "bed", "top": 2, "show": ["wanted"]}},
              "agents": {"chief": {"sees": ["all"], "can": [{"choose": "all", "do": "first"}]}}}, "turnover jobs only"),
    ],
)  # fmt: skip
def test_slips(tmp_path, turnover, parts, said):
    with pytest.raises(ScenarioError, match=said):
        ward(tmp_path, ("01:00",), turnover=turnover, **parts)


def test_a_job_cannot_take_the_place_that_it_makes_ready(tmp_path):
    with pytest.raises(ScenarioError, match="would take the place that it makes ready"):
        scenario(
            tmp_path,
            places={"room": {"count": 1, "turnover": {"as": "job"}}},
            entities={"patient": {"arrive": comes("01:00"), "begins": "treat"}, "job": {"begins": "treat"}},
            pathway={"treat": {"visit": "room", "for": "1 h", "next": "home"}, "home": {"leave": "discharged"}},
        )
