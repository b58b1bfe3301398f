"""What each word of the pathway does, to the minute."""

import pytest

from tests.worlds.build import comes, departures, play, scenario, starts, story

HOME = {"leave": "discharged"}


def test_a_move_keeps_the_old_place_until_the_new_one_is_free(tmp_path):
    loaded = scenario(
        tmp_path,
        places={"bay": {"count": 1}, "bed": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "01:10", "01:20"), "begins": "to_bay"}},
        pathway={
            "to_bay": {"move_to": "bay", "next": "look"},
            "look": {"wait": "15 min", "mark": "looked", "next": "to_bed"},
            "to_bed": {"move_to": "bed", "mark": "in_bed", "next": "rest"},
            "rest": {"stay": "2 h", "next": "home"},
            "home": HOME,
        },
        measures={"boarding": {"from": "looked", "to": "in_bed", "while_holding": "bay"}},
        kpis={"boarding": {"of": "boarding.hours"}, "bay": {"of": "bay.busy_hours"}, "longest": {"of": "boarding.p95"}},
    )
    game = play(loaded)
    assert starts(game, "to_bay") == {1: [60], 2: [75], 3: [195]}
    assert starts(game, "to_bed") == {1: [75], 2: [195], 3: [315]}
    assert departures(game) == {1: (195, "discharged"), 2: (315, "discharged"), 3: (435, "discharged")}
    assert game.kpis()["boarding"] == pytest.approx((15 + 120 + 120) / 60)
    assert game.kpis()["bay"] == pytest.approx((15 + 120 + 120) / 60)


def test_a_visit_keeps_the_own_place_and_cleans_the_visited_one(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"porter": {"count": 1}},
        places={"bay": {"count": 2}, "ct": {"count": 1, "clean": "5 min"}},
        entities={"patient": {"arrive": comes("01:00", "01:10"), "begins": "to_bay"}},
        pathway={
            "to_bay": {"move_to": "bay", "next": "scan"},
            "scan": {"visit": "ct", "with": "porter", "for": "20 min", "next": "home"},
            "home": HOME,
        },
        kpis={"bay": {"of": "bay.busy_hours"}, "ct": {"of": "ct.busy_hours"}, "porter": {"of": "porter.busy_hours"}},
    )
    game = play(loaded)
    assert starts(game, "scan") == {1: [60], 2: [85]}
    assert game.kpis() == pytest.approx({"bay": 55 / 60, "ct": 40 / 60, "porter": 40 / 60})


def test_a_full_icu_blocks_the_theatre(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"surgeon": {"count": 2}},
        places={"theatre": {"count": 1}, "icu": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "01:00"), "begins": "surgery"}},
        pathway={
            "surgery": {"move_to": "theatre", "with": "surgeon", "for": "1 h", "next": "to_icu"},
            "to_icu": {"move_to": "icu", "next": "stay"},
            "stay": {"stay": "5 h", "next": "home"},
            "home": HOME,
        },
        kpis={"surgeon": {"of": "surgeon.busy_hours"}, "theatre": {"of": "theatre.busy_hours"}},
    )
    game = play(loaded)
    assert departures(game) == {1: (420, "discharged"), 2: (720, "discharged")}
    assert game.kpis() == pytest.approx({"surgeon": 2, "theatre": 1 + 5})


def test_the_same_physician_is_waited_for_although_others_are_free(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"physician": {"count": 2}},
        entities={"patient": {"arrive": comes("01:00", "01:10", "01:20"), "begins": "look"}},
        pathway={
            "look": {"use": "physician", "for": "30 min", "next": "laboratory"},
            "laboratory": {"wait": "5 min", "next": "disposition"},
            "disposition": {"use": "physician", "same": True, "for": "10 min", "next": "home"},
            "home": HOME,
        },
    )
    game = play(loaded)
    # 1 is seen by A from 60 to 90, 2 by B from 70 to 100, 3 by A from 90 to 120.
    assert starts(game, "look") == {1: [60], 2: [70], 3: [90]}
    # At 95 patient 1 wants A, who is busy until 120; B is free from 100 and takes 2 at 105; 3 follows at 130.
    assert starts(game, "disposition") == {1: [120], 2: [105], 3: [130]}


def test_an_emergency_interrupts_and_the_interrupted_resumes(tmp_path):
    parts = {
        "staff": {"physician": {"count": 1}},
        "entities": {
            "usual": {"arrive": comes("01:00"), "has": {"acuity": 3}, "begins": "look"},
            "urgent": {"arrive": comes("01:10"), "has": {"acuity": 1}, "begins": "look"},
        },
        "queues": {"line": {"classes": "acuity", "order": "class"}},
        "measures": {"to_look": {"from": "arrival", "to": "looked"}},
        "kpis": {"looked": {"of": "looked.count"}, "wait": {"of": "line.mean_wait"}, "served": {"of": "line.served"}},
    }
    look = {"use": "physician", "queue": "line", "for": "30 min", "mark": "looked", "next": "home"}
    resumed = play(scenario(tmp_path, pathway={"look": {**look, "preempt": "resume"}, "home": HOME}, **parts))
    assert departures(resumed) == {1: (120, "discharged"), 2: (100, "discharged")}
    assert story(resumed, 1) == [
        (60, "resource_use", "look"),
        (70, "resource_use_end", "look"),
        (70, "queue", "look"),
        (100, "resource_use", "look"),
        (120, "resource_use_end", "look"),
        (120, "arrival_departure", "depart"),
    ]
    assert resumed.kpis() == pytest.approx({"looked": 2, "wait": 15, "served": 2})
    again = play(scenario(tmp_path, pathway={"look": {**look, "preempt": "restart"}, "home": HOME}, **parts))
    assert departures(again) == {1: (130, "discharged"), 2: (100, "discharged")}
    assert again.kpis()["looked"] == 2, "to start again is not to be seen once more"


def test_work_that_starts_again_takes_as_long_as_it_would_have(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"physician": {"count": 1}},
        entities={
            "usual": {"arrive": comes("01:00"), "has": {"acuity": 3}, "begins": "look"},
            "urgent": {"arrive": comes("01:01", "01:09", "01:40"), "has": {"acuity": 1}, "begins": "quick"},
        },
        queues={"line": {"classes": "acuity", "order": "class"}},
        pathway={
            "look": {
                "use": "physician",
                "queue": "line",
                "for": {"uniform": ["20 min", "25 min"]},
                "next": {"split": {"look": "50%", "home": "50%"}},
            },
            "quick": {"use": "physician", "priority": -1, "preempt": "restart", "for": "2 min", "next": "home"},
            "home": HOME,
        },
    )
    plain = scenario(
        tmp_path,
        staff={"physician": {"count": 1}},
        entities={"usual": {"arrive": comes("01:00"), "has": {"acuity": 3}, "begins": "look"}},
        queues={"line": {"classes": "acuity", "order": "class"}},
        pathway={
            "look": {
                "use": "physician",
                "queue": "line",
                "for": {"uniform": ["20 min", "25 min"]},
                "next": {"split": {"look": "50%", "home": "50%"}},
            },
            "home": HOME,
        },
    )
    for seed in range(8):
        game, alone = play(loaded, seed), play(plain, seed)
        uses = [row for row in game.events() if row[1] == 1 and row[3] == "look"]
        finished = [uses[i + 1][0] - uses[i][0] for i in range(len(uses) - 1) if uses[i][2] == "resource_use"]
        whole = [round(length, 6) for length in finished if length > 19]
        uses = [row for row in alone.events() if row[1] == 1 and row[3] == "look"]
        expected = [round(b[0] - a[0], 6) for a, b in zip(uses[::2], uses[1::2], strict=True)]
        assert len(expected) == len(whole)
        assert all(20 <= length <= 25 for length in whole)


def test_leaving_unseen_runs_across_two_queues_and_ends_with_being_seen(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}, "physician": {"count": 1}},
        places={"bay": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "01:01", "01:02", "01:03"), "begins": "triage"}},
        pathway={
            "triage": {"use": "nurse", "for": "20 min", "next": "to_bay"},
            "to_bay": {"move_to": "bay", "next": "look"},
            "look": {"use": "physician", "for": "45 min", "mark": "seen", "next": "home"},
            "home": HOME,
            "gone": {"leave": "left_without_being_seen"},
        },
        timers={"patience": {"for": "patient", "from": "arrival", "until": "seen", "after": "70 min", "go": "gone"}},
        kpis={"gone": {"of": "left_without_being_seen.count"}},
    )
    game = play(loaded)
    # 1 is seen from 80 to 125, 2 from 125; 3 leaves the bay's queue at 132 and 4 triage's queue or the bay's at 133.
    assert departures(game) == {
        1: (125, "discharged"),
        2: (170, "discharged"),
        3: (132, "left_without_being_seen"),
        4: (133, "left_without_being_seen"),
    }
    assert game.kpis()["gone"] == 2
    assert [pool.busy for pool in game.running.pools] == [0, 0, 0]


def test_those_who_wait_too_long_for_a_step_take_another_way(tmp_path):
    loaded = scenario(
        tmp_path,
        places={"icu": {"count": 1}, "ward": {"count": 5}},
        entities={"patient": {"arrive": comes("01:00", "01:10"), "begins": "to_icu"}},
        pathway={
            "to_icu": {"move_to": "icu", "or": {"after": "4 h", "go": "to_ward"}, "next": "rest"},
            "rest": {"stay": "10 h", "next": "home"},
            "to_ward": {"move_to": "ward", "mark": "off_service", "next": "rest"},
            "home": HOME,
        },
        kpis={"off_service": {"of": "off_service.count"}},
    )
    game = play(loaded)
    assert departures(game) == {1: (660, "discharged"), 2: (70 + 240 + 600, "discharged")}
    assert game.kpis()["off_service"] == 1


def test_shifts_let_work_be_finished_and_count_the_overtime(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"surgeon": {"shifts": {"00:00": 0, "08:00": 2, "17:00": 1}}},
        entities={"patient": {"arrive": comes("06:00", "06:10", "16:30", "16:40", "16:50"), "begins": "surgery"}},
        pathway={"surgery": {"use": "surgeon", "for": "50 min", "next": "home"}, "home": HOME},
        kpis={"overtime": {"of": "surgeon.overtime_hours"}, "occupancy": {"of": "surgeon.occupancy"}},
    )
    game = play(loaded)
    # At 17:00 two are at work and one may stay: the first to finish (17:20) goes home, the other's unit takes the last.
    assert starts(game, "surgery") == {1: [480], 2: [480], 3: [990], 4: [1000], 5: [1050]}
    assert game.kpis()["overtime"] == pytest.approx(20 / 60)
    assert game.kpis()["occupancy"] == pytest.approx(5 * 50 / (9 * 60 * 2 + 7 * 60))


def test_units_of_several_kinds_are_taken_all_at_once(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 3}, "physician": {"count": 1}},
        entities={
            "small": {"arrive": comes("01:00", "01:00"), "begins": "talk"},
            "large": {"arrive": comes("01:05"), "begins": "resuscitation"},
        },
        pathway={
            "talk": {"use": "nurse", "for": "20 min", "next": "home"},
            "resuscitation": {"use": ["physician", "nurse", "nurse"], "for": "30 min", "next": "home"},
            "home": HOME,
        },
        kpis={"physician": {"of": "physician.busy_hours"}, "nurse": {"of": "nurse.busy_hours"}},
    )
    game = play(loaded)
    assert starts(game, "resuscitation") == {3: [80]}
    assert game.kpis() == pytest.approx({"physician": 0.5, "nurse": (20 + 20 + 60) / 60})


def test_a_deterioration_changes_the_class_in_the_queue_at_once(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"physician": {"count": 1}},
        entities={
            "usual": {"arrive": comes("01:00", "01:05", "01:10", "01:15"), "has": {"acuity": 3}, "begins": "look"},
            "frail": {"arrive": comes("01:12"), "has": {"acuity": 3}, "begins": "look"},
        },
        queues={"line": {"classes": "acuity", "order": "class"}},
        pathway={
            "look": {"use": "physician", "queue": "line", "for": "30 min", "mark": "seen", "next": "home"},
            "home": HOME,
        },
        health={
            "untreated": {
                "for": "frail",
                "from": "arrival",
                "until": "seen",
                "states": {
                    "stable": {"worse": {"after": "10 min", "set": {"acuity": 1}, "mark": "worsened"}},
                    "worse": {},
                },
            }
        },
        kpis={"worsened": {"of": "worsened.count"}},
    )
    game = play(loaded)
    assert starts(game, "look") == {1: [60], 4: [90], 2: [120], 3: [150], 5: [180]}
    assert game.kpis()["worsened"] == 1


def test_a_deterioration_opens_reserved_places_at_once(tmp_path):
    loaded = scenario(
        tmp_path,
        places={"bay": {"count": 1}},
        entities={"frail": {"arrive": comes("01:12"), "has": {"acuity": 3}, "begins": "to_bay"}},
        queues={"line": {"classes": "acuity"}},
        pathway={
            "to_bay": {"move_to": "bay", "queue": "line", "mark": "in_bay", "next": "rest"},
            "rest": {"stay": "30 min", "next": "home"},
            "home": HOME,
        },
        health={
            "untreated": {
                "for": "frail",
                "from": "arrival",
                "until": "in_bay",
                "states": {"stable": {"worse": {"after": "70 min", "set": {"acuity": 1}}}, "worse": {}},
            }
        },
        agents={"chief": {"sees": ["hour"], "can": [{"reserve": "bay", "for": "acuity <= 1", "levels": [0, 1]}]}},
    )
    game = play(loaded, moves=[(0, "chief_0", "set bay.reserve 1")])
    assert starts(game, "to_bay") == {1: [72 + 70]}


def test_a_long_queue_that_passes_in_no_time_does_so_one_after_the_other(tmp_path):
    loaded = scenario(
        tmp_path,
        places={"desk": {"shifts": {"00:00": 0, "08:00": 1}}},
        entities={"patient": {"arrive": {"timetable": [{"at": "01:00", "count": 3000}]}, "begins": "at_desk"}},
        pathway={"at_desk": {"move_to": "desk", "next": "home"}, "home": HOME},
    )
    game = play(loaded)
    found = departures(game)
    assert list(found) == list(range(1, 3001))
    assert {minute for minute, _ in found.values()} == {480}
