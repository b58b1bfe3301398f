"""What agents can do: every lever, to the minute and to the dollar."""

import pytest

from tests.worlds.build import comes, departures, game_of, play, scenario, starts

HOME = {"leave": "discharged"}


def clinic(tmp_path, can, times, *, kinds=None, staff=1, **parts):
    """Patients who need a nurse for an hour, a queue by acuity, and a chief with some levers."""
    entities = kinds or {"patient": {"arrive": comes(*times), "has": {"acuity": 3}, "begins": "talk"}}
    return scenario(
        tmp_path,
        staff={"nurse": {"count": staff}},
        entities=entities,
        queues={"line": {"classes": "acuity"}},
        pathway={"talk": {"use": "nurse", "queue": "line", "for": "1 h", "next": "home"}, "home": HOME},
        agents={"chief": {"sees": ["hour"], "can": can}},
        kpis={"spent": {"of": "spent"}},
        **parts,
    )


MIXED = {
    "usual": {"arrive": comes("01:00", "01:01", "01:02", "01:03"), "has": {"acuity": 3}, "begins": "talk"},
    "urgent": {"arrive": comes("01:10", "01:20"), "has": {"acuity": 1}, "begins": "talk"},
}


def test_an_order_takes_effect_after_its_lead_time(tmp_path):
    can = [{"set": "line.order", "to": {"arrival": "arrival", "urgent": "class"}, "lead": "90 min", "at_least": "2 h"}]
    loaded = clinic(tmp_path, can, (), kinds=MIXED)
    assert starts(play(loaded), "talk") == {1: [60], 2: [120], 3: [180], 4: [240], 5: [300], 6: [360]}
    game = play(loaded, moves=[(1, "chief_0", "set line.order urgent")])  # at 60, in effect at 150
    assert starts(game, "talk") == {1: [60], 2: [120], 5: [180], 6: [240], 3: [300], 4: [360]}


def test_a_lever_stays_locked_for_its_lead_and_its_minimum_duration(tmp_path):
    can = [{"set": "line.order", "to": {"arrival": "arrival", "urgent": "class"}, "lead": "90 min", "at_least": "2 h"}]
    game = game_of(clinic(tmp_path, can, (), kinds=MIXED))
    assert game.mask("chief_0") == [1, 0, 1]
    assert game.act("chief_0", 2)
    locked = []
    for _ in range(5):
        locked.append(game.mask("chief_0"))
        game.advance()
    assert locked == [[1, 0, 0]] * 4 + [[1, 1, 0]], "210 minutes after the move it is free again"
    assert not game.act("chief_0", 2)


def test_extra_units_come_after_the_lead_cost_by_the_hour_and_drain_when_they_go(tmp_path):
    can = [{"set": "nurse.extra", "levels": [0, 2], "lead": "30 min", "at_most": 2, "costs": "38 usd per hour"}]
    loaded = clinic(tmp_path, can, ("01:00", "01:00", "01:00", "01:00"))
    moves = [(1, "chief_0", "set nurse.extra +2"), (2, "chief_0", "set nurse.extra +0")]
    game = play(loaded, moves=moves)
    # From 90 to 150 there are three nurses; the last patient's second half hour is overtime for nobody: two go at 150.
    assert starts(game, "talk") == {1: [60], 2: [90], 3: [90], 4: [120]}
    assert game.running.pools[0].capacity == 1
    assert game.kpis()["spent"] == pytest.approx(2 * 38.0)
    assert game.mask("chief_0") == [1, 0, 0], "two changes were allowed"


def test_staff_who_are_called_in_come_stay_and_go(tmp_path):
    can = [{"call_in": "nurse", "count": 1, "lead": "45 min", "for": "100 min", "at_most": 1, "costs": "250 usd"}]
    loaded = clinic(tmp_path, can, ("01:00",) * 5)
    game = play(loaded, moves=[(1, "chief_0", "call in 1 nurse")])
    # The second nurse is there from 105 to 205: she takes one at 105 and one at 165, whom she sees to the end (225).
    assert starts(game, "talk") == {1: [60], 2: [105], 3: [120], 4: [165], 5: [180]}
    assert game.running.pools[0].capacity == 1
    assert game.kpis()["spent"] == 250
    assert game.mask("chief_0") == [1, 0]


def test_a_reserve_keeps_units_for_some(tmp_path):
    can = [{"reserve": "nurse", "for": "acuity <= 1", "levels": [0, 1]}]
    loaded = clinic(tmp_path, can, (), kinds=MIXED, staff=2)
    game = play(loaded, moves=[(0, "chief_0", "set nurse.reserve 1")])
    # The usual ones get the first nurse only; the second is kept for those who come at 70 and 80.
    found = starts(game, "talk")
    assert found[1] == [60] and found[5] == [70]
    assert found[6] == [120], "the first unit that comes free goes to one who qualifies, although others wait longer"
    freed = play(loaded, moves=[(0, "chief_0", "set nurse.reserve 1"), (2, "chief_0", "set nurse.reserve 0")])
    assert starts(freed, "talk")[2] == [120]


def test_an_agent_calls_somebody_to_the_front(tmp_path):
    can = [{"choose": "waiting", "do": "first", "costs": "5 usd", "at_most": 2}]
    slots = {"waiting": {"waiting": "line", "top": 3, "by": "waited", "show": ["waited"]}}
    loaded = clinic(tmp_path, can, ("01:00", "01:01", "01:02", "01:03"), slots=slots)
    game = play(loaded, moves=[(1.5, "chief_0", "first waiting[2]")])
    assert starts(game, "talk") == {1: [60], 4: [120], 2: [180], 3: [240]}
    assert game.kpis()["spent"] == 5


def test_slots_are_masked_unless_somebody_is_in_them(tmp_path):
    can = [{"choose": "waiting", "do": "first"}]
    slots = {"waiting": {"waiting": "line", "top": 3, "by": "acuity", "when": "acuity > 1"}}
    game = game_of(clinic(tmp_path, can, (), kinds=MIXED, slots=slots))
    game.advance()
    game.advance()
    assert game.now == 120
    # At 120 the second of the usual ones has just not been served yet: three of them wait; the urgent do not qualify.
    assert game.mask("chief_0") == [1, 1, 1, 1]
    for _ in range(2):
        game.advance()
    assert game.mask("chief_0") == [1, 1, 0, 0]


def test_an_agent_sends_somebody_elsewhere(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "01:01", "01:02"), "begins": "talk"}},
        queues={"line": {}},
        slots={"waiting": {"waiting": "line", "top": 2}},
        pathway={
            "talk": {"use": "nurse", "queue": "line", "for": "1 h", "next": "home"},
            "home": HOME,
            "elsewhere": {"leave": "referred"},
        },
        agents={"chief": {"sees": ["waiting"], "can": [{"choose": "waiting", "do": {"go": "elsewhere"}}]}},
    )
    game = play(loaded, moves=[(1.5, "chief_0", "send to elsewhere waiting[0]")])
    assert departures(game) == {1: (120, "discharged"), 2: (120, "referred"), 3: (180, "discharged")}


def ward(tmp_path, **shorten):
    return scenario(
        tmp_path,
        places={"bed": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "02:00"), "begins": "to_bed"}},
        slots={"in_ward": {"in": "rest", "top": 2, "by": "waited"}},
        pathway={
            "to_bed": {"move_to": "bed", "next": "rest"},
            "rest": {"stay": "10 h", "shorten": {"mark": "sped_up", **shorten}, "next": "home"},
            "home": HOME,
        },
        agents={"chief": {"sees": ["in_ward"], "can": [{"choose": "in_ward", "do": "shorten"}]}},
        kpis={"sped_up": {"of": "sped_up.count"}},
    )


def test_a_stay_is_shortened_after_its_share_and_its_lead(tmp_path):
    loaded = ward(tmp_path, at_least="50%", lead="90 min")
    game = game_of(loaded)
    masks = []
    while game.now < 7 * 60:
        masks.append(game.mask("chief_0")[1])
        game.advance()
    assert masks == [0] * 6 + [1], "half of the stay is over five hours after 01:00"
    assert game.act("chief_0", 1)
    assert game.mask("chief_0")[1] == 0, "once is enough"
    while not game.finished:
        game.advance()
    assert departures(game)[1] == (7 * 60 + 90, "discharged")
    assert starts(game, "to_bed")[2] == [7 * 60 + 90]
    assert game.kpis()["sped_up"] == 1


def test_shortening_never_makes_a_stay_longer(tmp_path):
    game = play(ward(tmp_path, lead="3 h"), moves=[(9, "chief_0", "shorten in_ward[0]")])
    assert departures(game)[1] == (660, "discharged")


def test_an_impossible_move_changes_nothing_and_is_counted(tmp_path):
    import marl_health

    can = [{"reserve": "nurse", "for": "acuity <= 1", "levels": [0, 1]}]
    env = marl_health.parallel_env(clinic(tmp_path, can, ("01:00",)))
    env.reset(seed=0)
    for action in (1, 99, -1, 0, 2):
        _, _, _, _, infos = env.step({"chief_0": action})
    assert infos["chief_0"]["illegal_actions"] == 3
    assert env.game.running.reserves[0].level == 1


def test_taking_away_more_than_is_on_duty_leaves_nobody_and_no_debt(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"shifts": {"00:00": 1, "12:00": 3}}},
        entities={"patient": {"arrive": comes("01:00"), "begins": "talk"}},
        pathway={"talk": {"use": "nurse", "for": "1 h", "next": "home"}, "home": HOME},
        agents={"chief": {"sees": ["hour"], "can": [{"set": "nurse.extra", "levels": [0, -2]}]}},
        kpis={"overtime": {"of": "nurse.overtime_hours"}},
    )
    game = play(loaded, moves=[(0, "chief_0", "set nurse.extra -2")])
    assert starts(game, "talk") == {1: [720]}
    assert game.kpis()["overtime"] == 0
