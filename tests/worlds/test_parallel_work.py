"""Work side by side: it ends together, is broken off together, and no draw serves twice."""

import itertools

from tests.worlds.build import comes, departures, play, scenario, starts

HOME = {"leave": "discharged"}


def test_work_side_by_side_ends_with_the_last_branch(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00"), "begins": "work_up"}},
        pathway={
            "work_up": {
                "together": {
                    "bloods": {"do": ["draw", "laboratory"]},
                    "care": {"do": "wash"},
                    "never": {"do": "draw", "chance": "0%"},
                },
                "mark_end": "ready",
                "next": "home",
            },
            "draw": {"use": "nurse", "for": "4 min"},
            "laboratory": {"wait": "45 min"},
            "wash": {"use": "nurse", "for": "30 min"},
            "home": HOME,
        },
    )
    game = play(loaded)
    assert starts(game, "draw") == {1: [60]}
    assert starts(game, "wash") == {1: [64]}
    assert departures(game) == {1: (109, "discharged")}


def test_branches_that_are_all_left_out_take_no_time(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={"patient": {"arrive": comes("01:00"), "begins": "work_up"}},
        pathway={
            "work_up": {"together": {"bloods": {"do": "laboratory", "chance": "0%"}}, "next": "home"},
            "laboratory": {"wait": "45 min"},
            "home": HOME,
        },
    )
    assert departures(play(loaded)) == {1: (60, "discharged")}


def test_a_step_done_twice_in_a_branch_or_in_two_branches_draws_anew(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00"), "begins": "work_up"}},
        pathway={
            "work_up": {"together": {"a": {"do": ["wash", "wash"]}, "b": {"do": ["wash"]}}, "next": "home"},
            "wash": {"use": "nurse", "for": {"exponential": {"mean": "10 min"}}},
            "home": HOME,
        },
    )
    game = play(loaded, seed=3)
    ends = [time for time, _, kind, _, _ in game.events() if kind == "resource_use_end"]
    durations = [end - start for start, end in zip([60.0, *ends[:-1]], ends, strict=True)]
    assert len({round(duration, 9) for duration in durations}) == 3, "one uniform must not serve two draws"


def test_work_side_by_side_that_comes_again_draws_anew_in_every_branch(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {"arrive": comes("01:00"), "has": {"again": {"choice": {"3": "100%"}}}, "begins": "work_up"}
        },
        pathway={
            "work_up": {
                "together": {"a": {"do": "one"}, "b": {"do": "two"}},
                "next": {"split": {"work_up": "90%", "home": "10%"}},
            },
            "one": {"wait": {"exponential": {"mean": "10 min"}}, "mark_end": "one_done"},
            "two": {"wait": {"exponential": {"mean": "10 min"}}},
            "home": HOME,
        },
    )
    for seed in range(5):
        game = play(loaded, seed)
        begun = [row[0] for row in game.events() if row[3] == "one"]
        lengths = [second - first for first, second in itertools.pairwise(begun)]
        assert len({round(length, 9) for length in lengths}) == len(lengths)


def test_patience_in_one_branch_is_not_mixed_up_with_that_in_another(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        entities={
            "first": {"arrive": comes("00:30"), "begins": "long"},
            "patient": {"arrive": comes("01:00"), "begins": "work_up"},
        },
        pathway={
            "long": {"use": "nurse", "for": "40 min", "next": "home"},
            "work_up": {"together": {"a": {"do": "wash"}, "b": {"do": "wash"}}, "next": "home"},
            "wash": {"use": "nurse", "for": "30 min", "or": {"after": "25 min", "go": "unwashed"}},
            "unwashed": {"wait": "1 min", "mark": "unwashed"},
            "home": HOME,
        },
        kpis={"unwashed": {"of": "unwashed.count"}},
    )
    game = play(loaded)
    # The nurse comes free at 70: one branch is washed until 100, the other gives up at 85.
    assert departures(game)[2] == (100, "discharged")
    assert game.kpis()["unwashed"] == 1


def test_whoever_works_for_two_branches_at_once_is_given_back_twice(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 3}},
        entities={"patient": {"arrive": comes("01:00", "01:01", "01:02", "02:00", "03:00"), "begins": "work_up"}},
        pathway={
            "work_up": {"together": {"a": {"do": "draw"}, "b": {"do": "wash"}}, "next": "talk"},
            "draw": {"use": "nurse", "for": "4 min"},
            "wash": {"use": "nurse", "for": "9 min"},
            "talk": {"use": "nurse", "same": True, "for": "7 min", "next": "home"},
            "home": HOME,
        },
    )
    game = play(loaded)
    assert game.conservation()["discharged"] == 5
    pool = game.running.pools[0]
    assert pool.free == 3 and sorted(pool.idle) == [0, 1, 2]


def test_a_timer_breaks_off_parallel_work_and_gives_everything_back(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}, "porter": {"count": 1}},
        places={"bay": {"count": 1}, "ct": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "01:05"), "begins": "to_bay"}},
        pathway={
            "to_bay": {"move_to": "bay", "next": "work_up"},
            "work_up": {
                "together": {"a": {"do": "draw"}, "b": {"do": ["scan", "draw"]}, "c": {"do": "laboratory"}},
                "next": "home",
            },
            "draw": {"use": "nurse", "for": "50 min"},
            "scan": {"visit": "ct", "with": "porter", "for": "10 min"},
            "laboratory": {"wait": "3 h"},
            "home": HOME,
            "called": {"leave": "called_away"},
        },
        timers={"call": {"for": "patient", "from": "arrival", "until": "never_set", "after": "40 min", "go": "called"}},
        health={
            "shadow": {
                "for": "patient",
                "from": "arrival",
                "until": "discharge",
                "states": {"well": {"ill": {"after": "1000 h", "go": "called", "mark": "never_set"}}},
            }
        },
    )
    game = play(loaded)
    assert departures(game) == {1: (100, "called_away"), 2: (105, "called_away")}
    assert starts(game, "draw") == {1: [60], 2: [100]}
    assert [(pool.busy, pool.waiting) for pool in game.running.pools] == [(0, 0)] * 4
