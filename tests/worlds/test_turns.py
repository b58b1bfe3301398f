"""Decisions at events: exact times against those worked out by hand, whose turn it is, and episodes that end early."""

import numpy as np
import pytest

import marl_health
from marl_health.envs.wrappers import CarriedRewards
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, scenario
from tests.worlds.worlds import INCIDENT, Player, steps_of

PATHWAY = {
    "door": {"mark": "ready", "next": "treat"},
    "treat": {"use": "medic", "for": "30 min", "mark": "begun", "mark_end": "freed", "next": "home"},
    "home": {"leave": "settled"},
}
CALL = {"call_in": "medic", "count": 1, "for": "10 h"}
FIRST = {"slots": {"queue": {"waiting": "medic", "top": 2}}}


def tent(tmp_path, *times, decide, agents, clock=(), **parts):
    """One medic who takes half an hour each, on a Monday from 08:00 to noon; casualties come at ``times``."""
    return scenario(
        tmp_path,
        clock={"starts": "Monday 08:00", "episode": "4 h", "run_out": "1 h", "decide": decide, **dict(clock)},
        entities={"casualty": {"arrive": comes(*times), "begins": "door"}},
        **{
            "staff": {"medic": {"count": 1}},
            "pathway": PATHWAY,
            "measures": {"stay": {"from": "arrival", "to": "freed"}},
            "score": {"efficiency": [{"of": "stay.hours", "worth": -1}]},
            **parts,
        },
        agents=agents,
    )


def agent(*decides, can=CALL):
    return {"sees": ["medic.waiting"], "can": [can], **({"decides": list(decides)} if decides else {})}


def turns(loaded, act=None, seed=0):
    """[(minute, who decides)] of an episode, and the minute at which it ended; ``act``: {minute: {agent: action}}."""
    env = marl_health.parallel_env(loaded)
    env.reset(seed=seed)
    found, passed = [], 0.0
    while env.agents:
        found.append((round(env.game.now, 6), "".join(name[0] for name in env.game.due())))
        assert round(env.game.now, 6) == round(passed, 6)
        _, _, _, _, infos = env.step((act or {}).get(found[-1][0], {}))
        passed += infos["ann_0"]["elapsed_minutes"]
        assert {info["illegal_actions"] for info in infos.values()} == {0.0}
    return found, round(passed, 6)


# ---------------------------------------------------------------- when
def test_a_step_comes_so_long_after_the_first_of_the_requests(tmp_path):
    """Ready at 5, 6, 8 and 20; treated until 35, 65, 95 and 125; requests within 2 minutes are one step."""
    loaded = tent(
        tmp_path,
        *("08:05", "08:06", "08:08", "08:20"),
        decide={"when": ["ready", "freed"], "together_within": "2 min"},
        agents={"ann": agent("ready"), "bob": agent("freed"), "cat": agent()},
    )
    by_hand = [(0, "abc"), (7, "ac"), (10, "ac"), (22, "ac"), (37, "bc"), (67, "bc"), (97, "bc"), (127, "bc")]
    assert turns(loaded) == (by_hand, 240)


def test_a_request_at_the_very_moment_of_a_decision_is_for_the_next(tmp_path):
    """The step for 5 is at 7; who is ready at 7 comes after the decisions of 7, and is asked for at 9."""
    agents = {"ann": agent("ready")}
    loaded = tent(tmp_path, "08:05", "08:07", decide={"when": "ready", "together_within": "2 min"}, agents=agents)
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    env.step({})
    assert (env.game.now, env.readings("ann_0")["medic.waiting"], env.conservation()["arrived"]) == (7, 0, 1)
    env.step({})
    assert (env.game.now, env.readings("ann_0")["medic.waiting"], env.conservation()["arrived"]) == (9, 1, 2)
    assert turns(loaded)[0] == [(0, "a"), (7, "a"), (9, "a")]


def test_what_a_decision_itself_sets_off_is_asked_for_too(tmp_path):
    """At 7 the second casualty is sent home, which is a mark; whoever decides at that is asked at 8."""
    pathway = {**PATHWAY, "sent": {"mark": "sent", "next": "home"}}
    send = {"choose": "queue", "do": {"go": "sent"}}
    loaded = tent(
        tmp_path,
        "08:05",
        "08:06",
        decide={"when": ["ready", "sent"]},
        agents={"ann": agent("ready", can=send), "bob": agent("sent")},
        pathway=pathway,
        **FIRST,
    )
    assert turns(loaded) == ([(0, "ab"), (6, "a"), (7, "a")], 240), "nobody is sent"
    assert turns(loaded, {7: {"ann_0": 1}}) == ([(0, "ab"), (6, "a"), (7, "a"), (8, "b")], 240)


def test_nobody_waits_longer_than_asked_for(tmp_path):
    """Ann is asked at 6, so that she need not be before 51; bob never, so that he is at 45, 90 and so on."""
    decide = {"when": ["ready", "begun"], "at_least_every": "45 min"}
    loaded = tent(tmp_path, "08:05", decide=decide, agents={"ann": agent("ready", "begun"), "bob": agent("begun")})
    # Both are asked at 6, since the medic begins at once.
    both = [(0, "ab"), (6, "ab"), (51, "ab"), (96, "ab"), (141, "ab"), (186, "ab"), (231, "ab")]
    assert turns(loaded) == (both, 240)
    loaded = tent(
        tmp_path,
        "08:05",
        decide={**decide, "when": ["ready", "freed"]},
        agents={"ann": agent("ready"), "bob": agent("freed")},
    )
    # Bob is asked when the medic is free again at 35, at 36; from then on it is 45 minutes for each of them.
    by_turns = [(6 + 45 * n, "a") for n in range(6)] + [(36 + 45 * n, "b") for n in range(5)]
    assert turns(loaded) == ([(0, "ab"), *sorted(by_turns)], 240)


def test_whoever_asked_is_due_at_a_step_that_comes_first(tmp_path):
    """Bob's time is up at 30; ann's request of 29 would be at 34, and is answered together with his."""
    decide = {"when": ["ready", "freed"], "together_within": "5 min", "at_least_every": "30 min"}
    agents = {"ann": agent("ready"), "bob": agent("freed")}
    loaded = tent(tmp_path, "08:29", decide=decide, agents=agents)
    # The medic is free at 59, within which bob is asked; his window of 5 minutes is not open any more at 60.
    found, _ = turns(loaded)
    assert found[:4] == [(0, "ab"), (30, "ab"), (60, "ab"), (90, "ab")]


def test_the_warm_up_the_end_and_the_run_out_ask_for_nothing(tmp_path):
    """Ready at 07:30 and 07:59:30, in the warm-up, and at 11:59 and 12:10, when there is no time to decide any more."""
    clock = {"starts": "Monday 08:00", "warm_up": "1 h"}
    loaded = tent(
        tmp_path,
        "07:30",
        "07:59",
        "11:58",
        "12:10",
        decide={"when": "ready", "together_within": "2 min"},
        agents={"ann": agent()},
        clock=clock,
    )
    assert turns(loaded) == ([(0, "a")], 240)


def test_every_kind_of_mark_asks(tmp_path):
    """Marks that the world sets by itself (arrival, death), and those of states of health."""
    worse = {"worse": {"after": "10 min", "mark": "worsened"}}
    states = {"ill": worse, "worse": {"dead": {"after": "7 min", "go": "died"}}}
    health = {"bleeding": {"for": "casualty", "from": "arrival", "until": "freed", "states": states}}
    for mark, minute in (("arrival", 6), ("worsened", 16), ("death", 23)):
        loaded = tent(
            tmp_path,
            "08:05",
            decide={"when": [mark]},
            agents={"ann": agent()},
            health=health,
            pathway={**PATHWAY, "died": {"leave": "died"}},
        )
        assert turns(loaded) == ([(0, "a"), (minute, "a")], 240), mark


# ---------------------------------------------------------------- who
def test_those_who_are_not_asked_see_the_world_and_can_only_wait(tmp_path):
    agents = {"ann": agent("ready"), "bob": agent("freed")}
    env = marl_health.parallel_env(tent(tmp_path, "08:05", "08:06", decide={"when": ["ready", "freed"]}, agents=agents))
    env.reset(seed=0)
    env.step({})
    env.step({})
    assert (env.game.now, env.game.due()) == (7, ["ann_0"])
    assert [env.action_mask(name).tolist() for name in env.agents] == [[1, 1], [1, 0]]
    assert env.readings("ann_0")["medic.waiting"] == env.readings("bob_0")["medic.waiting"] == 1
    before = env.game.running.pools[0].capacity
    _, _, _, _, infos = env.step({"ann_0": 0, "bob_0": 1})
    assert infos["bob_0"]["illegal_actions"] == 1 and infos["ann_0"]["illegal_actions"] == 0
    assert env.game.running.pools[0].capacity == before, "nobody was called"
    assert (env.game.now, env.game.due(), infos["bob_0"]["active"], infos["ann_0"]["active"]) == (36, ["bob_0"], 1, 0)


def test_the_agents_of_sites_are_asked_by_their_own_site(tmp_path):
    """One comes to the north at 5, one to the south at 20; the chief hears of both, the others of their own only."""
    template = {
        "staff": {"nurse": {"count": 1}},
        "pathway": {
            "door": {"mark": "ready", "next": "care"},
            "care": {"use": "nurse", "for": "10 min", "next": "home"},
        },
    }
    agents = {
        "keeper": {"each": "clinic", "decides": "ready", "sees": ["nurse.free"], "can": [{**CALL, "call_in": "nurse"}]},
        "chief": {"sees": ["hour"], "can": [{"set": "north_nurse.extra", "levels": [0, 1]}]},
    }
    loaded = scenario(
        tmp_path,
        clock={
            "starts": "Monday 08:00",
            "episode": "1 h",
            "decide": {"when": "ready"},
            "until_gone": ["late", "early"],
        },
        sites={"north": {"at": [0, 0], "like": "clinic"}, "south": {"at": [0, 1], "like": "clinic"}},
        templates={"clinic": template},
        entities={
            "early": {"at": "north", "arrive": comes("08:05"), "begins": "north.door"},
            "late": {"at": "south", "arrive": comes("08:20"), "begins": "south.door"},
        },
        pathway={"home": {"leave": "discharged"}},
        agents=agents,
    )
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    found = []
    while env.agents:
        found.append((env.game.now, env.game.due()))
        env.step({})
    assert found == [(0, list(env.possible_agents)), (6, ["keeper_0", "chief_0"]), (21, ["keeper_1", "chief_0"])]
    assert env.game.now == 30 and env.game.ended


# ---------------------------------------------------------------- the end
def test_the_world_ends_when_the_last_of_them_has_left(tmp_path):
    """They leave at 35 and 70; the run-out of an hour follows, and whatever is decided then is too late."""
    agents = {"ann": agent("ready")}
    parts = {"decide": {"when": "ready"}, "agents": agents, "clock": {"until_gone": "casualty"}}
    assert turns(tent(tmp_path, "08:05", "08:40", **parts)) == ([(0, "a"), (6, "a"), (41, "a")], 70)
    env = marl_health.parallel_env(tent(tmp_path, "08:05", "08:40", **parts))
    env.reset(seed=0)
    while env.agents:
        _, rewards, terminations, truncations, _ = env.step({})
    assert terminations == {"ann_0": True} and truncations == {"ann_0": False}
    assert env.game.now == 130 and rewards["ann_0"] == pytest.approx(-29 / 60)


def test_an_episode_that_is_cut_before_is_truncated(tmp_path):
    parts = {"decide": {"when": "ready"}, "agents": {"ann": agent("ready")}}
    loaded = tent(tmp_path, "08:05", "11:40", **parts, clock={"until_gone": ["casualty"]})
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    while env.agents:
        _, _, terminations, truncations, _ = env.step({})
    assert (terminations, truncations, env.game.now) == ({"ann_0": False}, {"ann_0": True}, 300)


def test_it_does_not_end_while_somebody_is_still_to_come_unless_they_stay_away(tmp_path):
    """Nobody is inside from 35 on: those of 09:00 stay away, the one of 10:00 does not (or does)."""
    arrive = comes("08:05", "09:00", "10:00")
    found = set()
    for seed in range(12):
        entities = {"casualty": {"arrive": {**arrive, "no_show": "50%"}, "begins": "door"}}
        parts = {"decide": {"when": "ready"}, "agents": {"ann": agent("ready")}, "clock": {"until_gone": "casualty"}}
        loaded = tent(tmp_path, **parts)
        spec = {**loaded.data, "entities": entities}
        loaded = scenario(tmp_path, **{key: spec[key] for key in spec if key not in ("schema",)})
        came = [step[0] - 1 for step in turns(loaded, seed=seed)[0][1:]]
        end = turns(loaded, seed=seed)[1]
        # It is known to be over when the last of those who might have come does not, or when the last of all has left.
        assert end == (
            240 if not came else max(came[-1] + 30, 60 if 60 not in came else 0, 120 if 120 not in came else 0)
        )
        found.add(tuple(came))
    assert len(found) >= 5


def test_a_fixed_interval_can_end_early_too(tmp_path):
    clock = {"starts": "Monday 08:00", "episode": "4 h", "decide_every": "20 min", "until_gone": "casualty"}
    loaded = tent(tmp_path, "08:05", "08:40", decide=None, agents={"ann": agent()}, clock=clock)
    assert turns(loaded) == ([(0, "a"), (20, "a"), (40, "a"), (60, "a")], 70)


# ---------------------------------------------------------------- rewards
@pytest.mark.parametrize("within", ["30 s", "2 min", "20 min"])
def test_rewards_add_up_to_the_score_however_requests_are_grouped(within, tmp_path):
    """The same patients and no decisions: 3 stays of 30 minutes, waits of 29 and 54, whatever the steps are."""
    decide = {"when": ["ready", "begun", "freed"], "together_within": within}
    loaded = tent(
        tmp_path,
        "08:05",
        "08:06",
        "08:11",
        decide=decide,
        agents={"ann": agent("ready"), "bob": agent("begun", "freed")},
    )
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    total = 0.0
    while env.agents:
        total += env.step({})[1]["bob_0"]
    assert total == pytest.approx(-(90 + 29 + 54) / 60, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_carried_rewards_come_with_the_next_turn_and_add_up_to_the_same(seed):
    plain, carried = marl_health.parallel_env(INCIDENT), CarriedRewards(marl_health.parallel_env(INCIDENT))
    paid = dict.fromkeys(plain.possible_agents, 0.0)
    late = dict(paid)
    minutes = dict.fromkeys(paid, 0.0)
    told = dict(minutes)
    steps = zip(steps_of(plain, seed, Player(seed)), steps_of(carried, seed, Player(seed)), strict=True)
    for number, ((seen, rewards, infos), (same, kept, others)) in enumerate(steps):
        for name in paid:
            assert np.array_equal(seen[name], same[name])
            assert others[name]["active"] == infos[name]["active"]
            if not number:
                continue
            paid[name] += rewards[name]
            late[name] += kept[name]
            minutes[name] += infos[name]["elapsed_minutes"]
            told[name] += others[name]["elapsed_minutes"]
            terms = sum(value for key, value in others[name].items() if key.startswith("reward_"))
            assert terms == pytest.approx(kept[name], abs=1e-12)
            if others[name]["active"] or not plain.agents:
                assert late[name] == pytest.approx(paid[name], abs=1e-12)
                assert told[name] == pytest.approx(minutes[name], abs=1e-9)
            else:
                assert kept[name] == others[name]["elapsed_minutes"] == 0.0
    assert late == pytest.approx(paid, abs=1e-9) and plain.game.ended


# ---------------------------------------------------------------- without decisions
def test_skipping_asks_nobody_and_misses_nothing(tmp_path):
    agents = {"ann": agent("ready")}
    parts = {"decide": {"when": "ready"}, "agents": agents}
    loaded = tent(tmp_path, "08:05", "08:40", **parts, clock={"until_gone": "casualty"})
    waiting, skipping, finishing = (marl_health.parallel_env(loaded) for _ in range(3))
    for env in (waiting, skipping, finishing):
        env.reset(seed=0)
    while waiting.agents:
        waiting.step({})
    skipping.game.skip(50)
    assert (skipping.game.now, skipping.game.ended) == (50, False)
    skipping.game.skip(240)
    assert (skipping.game.now, skipping.game.ended, skipping.game.finished) == (70, True, False)
    finishing.game.finish()
    assert sum(finishing.game.gains()[0]) == pytest.approx(-1), "two stays of half an hour"
    assert finishing.game.finished and finishing.game.ended and finishing.game.now == waiting.game.now
    assert finishing.conservation() == waiting.conservation()


# ---------------------------------------------------------------- slips
@pytest.mark.parametrize(
    ("clock", "agents", "said"),
    [
        ({"decide": {"when": "raedy"}}, {"ann": agent()}, r"clock\.decide\.when.*no mark named 'raedy'.*'ready'"),
        ({"decide": {"when": ["ready", "freed"]}}, {"ann": agent("ready")}, "nobody decides at 'freed'"),
        ({"decide": {"when": "ready"}}, {"ann": agent("freed")}, "agents.ann.decides.*no mark in clock.decide.when"),
        ({"decide": {"when": "ready", "together_within": "0 min"}}, {"ann": agent()}, "together_within must be longer"),
        ({"decide": {"when": "ready", "at_least_every": "0 min"}}, {"ann": agent()}, "at_least_every must be longer"),
        ({"decide": {"when": "ready", "together_within": "0.01 s"}}, {"ann": agent()}, "decisions are asked for"),
        (
            {"decide": {"when": "ready"}, "decide_every": "1 h"},
            {"ann": agent()},
            "exactly one of decide_every and decide",
        ),
        ({"decide": None}, {"ann": agent()}, "exactly one of decide_every and decide"),
        ({"decide": None, "decide_every": "1 h"}, {"ann": agent("ready")}, "decisions come every so often here"),
        ({"decide": {"when": "ready"}, "until_gone": "casulty"}, {"ann": agent()}, "no entity type named 'casulty'"),
    ],
)
def test_slips(clock, agents, said, tmp_path):
    with pytest.raises(ScenarioError, match=said):
        tent(tmp_path, "08:05", decide=None, agents=agents, clock=clock)
