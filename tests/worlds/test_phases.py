"""Warm-up, episode and run-out: who is counted when."""

import pytest

import marl_health
from tests.worlds.build import comes, play, scenario
from tests.worlds.worlds import EVERY, SMALL, Player, env_of, short, steps_of

HOME = {"leave": "discharged"}


def phased(tmp_path, *times, **parts):
    """Warm-up on Monday until noon, an episode of 12 hours, a run-out of 24 hours; a talk takes 3 hours."""
    return scenario(
        tmp_path,
        clock={
            "starts": "Monday 12:00",
            "warm_up": "12 h",
            "episode": "12 h",
            "run_out": "24 h",
            "decide_every": "1 h",
        },
        staff={"nurse": {"count": 2}},
        entities={"patient": {"arrive": {"timetable": [{"at": time} for time in times]}, "begins": "talk"}},
        pathway={"talk": {"use": "nurse", "for": "3 h", "mark": "begun", "next": "home"}, "home": HOME},
        measures={"stay": {"from": "arrival", "to": "discharge", "target": "1 h"}},
        kpis={
            "left": {"of": "discharged.count"},
            "came": {"of": "patient.arrived"},
            "begun": {"of": "begun.count"},
            "stays": {"of": "stay.count"},
            "hours": {"of": "stay.hours"},
            "over": {"of": "stay.hours_over"},
            "mean": {"of": "stay.mean"},
            "busy": {"of": "nurse.busy_hours"},
            "served": {"of": "nurse.served"},
            "length": {"of": "nurse.mean_length"},
        },
        score={"efficiency": [{"of": "discharged.count", "worth": 1}], "risk": [{"of": "stay.hours", "worth": -1}]},
        **parts,
    )


def test_measures_begin_after_the_warm_up(tmp_path):
    # Two come at 08:00 and leave at 11:00, before the episode; one comes at 11:00 and leaves at 14:00, within it.
    kpis = play(phased(tmp_path, "08:00", "08:00", "11:00")).kpis()
    assert kpis["came"] == kpis["begun"] == kpis["served"] == 0
    assert kpis["left"] == kpis["stays"] == 1
    assert kpis["mean"] == 180
    assert kpis["hours"] == pytest.approx(2) and kpis["over"] == pytest.approx(2) and kpis["busy"] == pytest.approx(2)


def test_what_befalls_those_inside_at_the_end_still_counts(tmp_path):
    kpis = play(phased(tmp_path, "23:00")).kpis()
    # From 23:00 on Monday to 02:00 on Tuesday; the one of Tuesday 23:00 is not counted.
    assert kpis["left"] == kpis["came"] == kpis["stays"] == 1
    assert kpis["hours"] == pytest.approx(3) and kpis["over"] == pytest.approx(2)
    assert kpis["busy"] == pytest.approx(1), "what resources do counts until the last decision's step is over"


def test_those_who_come_in_the_run_out_are_not_counted_but_are_not_lost_either(tmp_path):
    game = play(phased(tmp_path, "01:00", "02:00", "03:00"))
    kpis = game.kpis()
    assert (kpis["came"], kpis["left"], kpis["begun"], kpis["stays"], kpis["hours"], kpis["served"]) == (0,) * 6
    # Three on Monday, before the first decision, and three on Tuesday, in the run-out.
    assert game.conservation() == {"arrived": 6, "discharged": 6, "died": 0, "left": 0, "inside": 0}


def test_those_inside_at_the_end_take_their_turn_in_the_run_out(tmp_path):
    game = play(phased(tmp_path, "23:00", "23:30", "23:50"))
    assert game.kpis()["mean"] == pytest.approx((180 + 180 + 130 + 180) / 3), "the third waits from 23:50 until 02:00"
    assert game.kpis()["left"] == 3


def test_the_last_reward_holds_what_the_run_out_brings(tmp_path):
    loaded = phased(
        tmp_path, "23:00", agents={"chief": {"sees": ["hour"], "can": [{"call_in": "nurse", "count": 1, "for": "1 h"}]}}
    )
    env = marl_health.parallel_env(loaded)
    rewards = [rewards["chief_0"] for _, rewards, _ in steps_of(env, 0) if rewards]
    assert rewards[:11] == [0.0] * 11
    assert rewards[11] == pytest.approx(1 - 3), "one leaves, three hours are spent, two of them after the last decision"


def test_rewards_count_what_resources_do_until_the_end_of_the_episode_as_kpis_do(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={
            "starts": "Monday 12:00",
            "warm_up": "12 h",
            "episode": "12 h",
            "run_out": "24 h",
            "decide_every": "1 h",
        },
        staff={"nurse": {"count": 1}},
        entities={"patient": {"arrive": comes("22:00", "22:00", "22:00"), "begins": "talk"}},
        pathway={"talk": {"use": "nurse", "for": "90 min", "next": "home"}, "home": HOME},
        score={
            "financial": [{"of": "nurse.busy_hours", "worth": -1}],
            "efficiency": [{"of": "nurse.served", "worth": 1}],
        },
        kpis={"busy": {"of": "nurse.busy_hours"}, "served": {"of": "nurse.served"}},
        agents={"chief": {"sees": ["hour"], "can": [{"call_in": "nurse", "count": 1, "for": "1 h"}]}},
    )
    env = marl_health.parallel_env(loaded)
    total = sum(rewards["chief_0"] for _, rewards, _ in steps_of(env, 0) if rewards)
    assert env.kpis() == pytest.approx({"busy": 2, "served": 2})
    assert total == pytest.approx(-2 + 2)


def test_levers_return_to_their_first_position_for_the_run_out():
    env = marl_health.parallel_env(str(SMALL))
    for _ in steps_of(env, 1, Player(1, eager=1.0)):
        pass
    world = env.game.running
    assert world.spent.rate == pytest.approx(0.0, abs=1e-12)
    for state in world.levers:
        assert state.in_force == 0
    assert all(reserve.level == 0 for reserve in world.reserves)


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_everybody_counted_came_before_the_last_decision(scenario):
    env = env_of(scenario, events=True)
    for _ in steps_of(env, 2, Player(2)):
        pass
    world = env.game.running
    program = world.program
    arrivals = {row[1]: row[0] for row in env.event_log() if row[3] == "arrival"}
    end = world.now - (program.length - program.horizon)
    assert end == program.horizon or env.game.ended
    early = sum(time < end for time in arrivals.values())
    assert sum(world.arrived) == early
    assert sum(world.arrived_all) == len(arrivals)
    for number, entity in world.entities.items():
        assert entity.counted == (arrivals[number] < end)


def test_an_episode_ends_for_all_agents_at_once_after_its_number_of_decisions():
    env = marl_health.parallel_env(str(SMALL))
    env.reset(seed=0)
    for decision in range(48):
        _, _, terminations, truncations, infos = env.step({})
        assert set(terminations.values()) == {False}
        assert set(truncations.values()) == {decision == 47}
        assert {info["elapsed_minutes"] for info in infos.values()} == {60.0}
    assert env.agents == []
    with pytest.raises(RuntimeError, match="reset"):
        env.step({})


def test_comes_are_mondays(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={"starts": "Sunday 00:00", "episode": "7 days", "decide_every": "1 days"},
        entities={"patient": {"arrive": comes("10:00"), "begins": "talk"}},
        pathway={"talk": {"wait": "1 h", "next": "home"}, "home": HOME},
    )
    game = play(loaded)
    assert [row[0] for row in game.events() if row[3] == "arrival"] == [1440 + 600]


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_an_episode_without_decisions_is_the_same_in_one_stretch(scenario):
    loaded = marl_health.load(scenario)
    told = []
    for in_one in (False, True):
        game = loaded.kind.make_game(loaded.program)
        game.reset(6, events=True)
        if in_one:
            game.advance()
            game.finish()
        while not game.finished:
            game.advance()
        game.finish()
        told.append((game.events(), game.conservation(), repr(game.kpis()), game.now))
    assert told[0] == told[1]
