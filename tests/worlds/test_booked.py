"""How much of a resource's time is booked: work counts in full when it begins, however far it reaches past the end."""

import pytest

from tests.worlds.build import comes, play, scenario

HOME = {"leave": "discharged"}
READ = ("nurse.booked", "nurse.occupancy", "bed.booked", "bed.occupancy")


def booked(tmp_path, arrive, pathway, **parts):
    """Booked and occupied shares of three nurses and a bed over a day, of patients who begin with `begin`."""
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 3}},
        places={"bed": {"count": 1}},
        entities={"patient": {"arrive": arrive, "begins": "begin"}},
        pathway={**pathway, "home": HOME},
        kpis={name.replace(".", "_"): {"of": name} for name in READ},
        **parts,
    )
    return play(loaded).kpis()


def test_work_counts_in_full_when_it_begins(tmp_path):
    kpis = booked(
        tmp_path,
        comes("10:00", "23:00"),
        {
            "begin": {"use": ["nurse", "nurse"], "for": "6 h", "next": "in_bed"},
            "in_bed": {"visit": "bed", "with": "nurse", "for": "12 h", "next": "home"},
        },
    )
    # Two nurses from 10:00 to 16:00, one and the bed from then to 04:00; two nurses from 23:00 to 05:00.
    assert kpis["nurse_occupancy"] == pytest.approx((2 * 6 + 8 + 2 * 1) / 72)
    assert kpis["nurse_booked"] == pytest.approx((2 * 6 + 12 + 2 * 6) / 72)
    assert kpis["bed_occupancy"] == pytest.approx(8 / 24)
    assert kpis["bed_booked"] == pytest.approx(12 / 24)


def test_what_began_in_the_warm_up_was_booked_there_and_the_share_may_exceed_one(tmp_path):
    kpis = booked(
        tmp_path,
        {"timetable": [{"at": "09:00", "on": "Monday"}, {"at": "23:00", "on": "Monday"}]},
        {
            "begin": {"use": "nurse", "for": "2 h", "next": "bed"},
            "bed": {"visit": "bed", "for": "30 h", "next": "home"},
        },
        clock={"starts": "Monday 10:00", "warm_up": "10 h", "episode": "15 h", "decide_every": "1 h"},
    )
    # The first nurse began in the warm-up; the second began at 23:00. The bed is taken from 11:00 on.
    assert kpis["nurse_occupancy"] == pytest.approx((1 + 2) / 45)
    assert kpis["nurse_booked"] == pytest.approx(2 / 45)
    assert kpis["bed_booked"] == pytest.approx(30 / 15) and kpis["bed_occupancy"] == pytest.approx(14 / 15)


def test_those_who_wait_in_a_place_book_nothing_more_of_it(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        places={"bed": {"count": 1}},
        entities={
            "patient": {"arrive": comes("19:00"), "begins": "in_bed"},
            "visitor": {"arrive": comes("22:00"), "begins": "look"},
        },
        pathway={
            "in_bed": {"move_to": "bed", "next": "rest"},
            "rest": {"stay": "9 h", "next": "home"},
            "look": {"use": "nurse", "for": "3 h", "next": "home"},
            "home": HOME,
        },
        timers={"turn": {"for": "patient", "from": "arrival", "until": "discharge", "after": "4 h", "go": "look"}},
        kpis={"bed": {"of": "bed.booked"}, "nurse": {"of": "nurse.booked"}},
    )
    # Until 23:00 the bed is booked to 04:00; then its patient waits in it for the nurse, who is busy to 01:00.
    assert play(loaded).kpis() == pytest.approx({"bed": 5 / 24, "nurse": 3 / 24})


def test_it_is_the_length_of_all_work_that_began_in_the_episode(tmp_path):
    """Parallel work included, and from the event log, which the run-out completes."""
    loaded = scenario(
        tmp_path,
        clock={"warm_up": "8 h", "episode": "16 h", "run_out": "2 days", "decide_every": "16 h"},
        staff={"nurse": {"count": 3}},
        entities={"patient": {"arrive": {"rate": {"per_hour": 2}}, "begins": "begin"}},
        pathway={
            "begin": {"together": {"a": {"do": ["draw", "talk"]}, "b": {"do": "walk"}}, "next": "home"},
            "draw": {"use": "nurse", "for": {"exponential": {"mean": "20 min"}}},
            "talk": {"use": ["nurse", "nurse"], "for": {"exponential": {"mean": "50 min"}}},
            "walk": {"use": "nurse", "for": {"exponential": {"mean": "40 min"}}},
            "home": HOME,
        },
        kpis={"booked": {"of": "nurse.booked"}, "busy": {"of": "nurse.occupancy"}},
    )
    game = play(loaded, seed=1)
    begun, minutes, overhanging = {}, 0.0, 0
    for time, entity, kind, step, _ in game.events():
        if kind == "resource_use":
            begun[entity, step] = time
        elif kind == "resource_use_end":
            start = begun[entity, step]
            minutes += (2 if step == "talk" else 1) * (time - start if 480 <= start < 1440 else 0.0)
            overhanging += start < 1440 < time
    assert game.kpis()["booked"] == pytest.approx(minutes / 60 / (3 * 16))
    assert overhanging > 0 and game.kpis()["busy"] != pytest.approx(game.kpis()["booked"])
