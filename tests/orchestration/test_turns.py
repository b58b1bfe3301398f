"""What stands on fixed intervals elsewhere works where decisions come at events: clock, look-ahead, check, pictures."""

import math
from itertools import pairwise

import numpy as np
import pytest

import marl_health
import policies
from experiments.benchmarks import step
from marl_health.envs.joined import JoinedEnv
from orchestration.animation import Clip, scenes, usual_every
from orchestration.briefing.pace import seconds_needed
from orchestration.check import effects
from orchestration.check.replay import replay
from orchestration.check.search import Budget, Search
from orchestration.check.trials import Trials
from orchestration.episodes import own_seed
from orchestration.explain import clock_text
from orchestration.simulate import simulate
from policies.clock import spelled
from tests.worlds.build import comes, scenario
from tests.worlds.worlds import INCIDENT


@pytest.fixture(scope="module")
def incident():
    return marl_health.load(INCIDENT)


def played(loaded, policy, seed=0):
    """(return, steps) of an episode."""
    env = marl_health.parallel_env(loaded)
    observations, infos = env.reset(seed=seed)
    policy.reset(env, seed)
    gained = steps = 0
    while env.agents:
        observations, rewards, _, _, infos = env.step(policy.act(env, observations, infos))
        gained += np.mean(list(rewards.values()))
        steps += 1
        assert not any(info["illegal_actions"] for info in infos.values())
    return gained, steps


@pytest.mark.parametrize(
    "name",
    [
        "random",
        "adversarial:spray",
        "adversarial:expensive",
        "adversarial:refuse",
        "clock",
        "constant:observer=2",
        "lookahead:futures=2,horizon=4,candidates=2,every=4",
    ],
)
def test_policies_act_when_they_are_asked(name, incident):
    if name == "clock":
        names = {role: marl_health.parallel_env(incident).action_names(f"{role}_0") for role in incident.roles}
        blocks = {"22:00": {"observer": names["observer"][2]}, "23:30": {"coordinator": names["coordinator"][4]}}
        name = spelled(blocks)
    gained, steps = played(incident, policies.make(name))
    assert math.isfinite(gained) and steps > 15


def test_a_replication_counts_its_own_steps(incident):
    found = simulate(incident, "wait", 3, 0).replications
    for one in found:
        assert (one.gained, one.decisions) == pytest.approx(played(incident, policies.make("wait"), one.seed))
    assert len({one.decisions for one in found}) > 1


def test_an_episode_is_the_same_in_other_processes(incident):
    assert replay(incident).passed


def test_effects_are_looked_for_at_equal_times(tmp_path, monkeypatch):
    """Who acts may change when others are asked; a lever without any effect is found out all the same."""
    agent = {
        "sees": ["medic.waiting"],
        "can": [{"set": "medic.extra", "levels": [0, 1]}, {"set": "idler.extra", "levels": [0, 1]}],
    }
    loaded = scenario(
        tmp_path,
        clock={"starts": "Monday 08:00", "episode": "4 h", "run_out": "1 h", "decide": {"when": ["ready", "freed"]}},
        staff={"medic": {"count": 1}, "idler": {"count": 50}},
        entities={"casualty": {"arrive": comes("08:05", "08:10", "08:15"), "begins": "door"}},
        pathway={
            "door": {"mark": "ready", "next": "treat"},
            "treat": {"use": "medic", "for": "30 min", "mark_end": "freed", "next": "paper"},
            "paper": {"use": "idler", "for": "1 min", "next": "home"},
            "home": {"leave": "settled"},
        },
        measures={"stay": {"from": "arrival", "to": "freed"}},
        score={"efficiency": [{"of": "stay.hours", "worth": -1}]},
        agents={"chief": agent},
    )
    monkeypatch.setattr(effects, "VISITORS", ("random", "wait"))
    env = marl_health.parallel_env(loaded)
    dead, tried = effects.idle_actions(env)
    assert [env.action_names("chief_0")[action] for _, action in dead] == [
        name for name in env.action_names("chief_0") if "idler" in name
    ]
    assert min(tried.values()) > 0


def test_the_timetable_covers_the_hours_of_the_episode(incident):
    with Trials(incident, 1) as trials:
        search = Search(trials, Budget(), lambda: None)
        assert search._blocks() == ["00:00", "04:00", "20:00"]


def test_pictures_come_at_equal_times_up_to_the_end(incident):
    assert usual_every(incident) == 10
    clip = Clip(incident, "random", 0, 0.0, 480.0, 10.0)
    seen = list(scenes(clip))
    env = marl_health.parallel_env(incident)
    observations, infos = env.reset(seed=0)
    policy = policies.make("random")
    policy.reset(env, own_seed("random", 0))
    while env.agents:
        observations, _, _, _, infos = env.step(policy.act(env, observations, infos))
    end = env.game.now - incident.clock.run_out
    assert env.game.ended and len(seen) == int(end // 10) + 1
    assert len({scene.share for scene in seen}) == len(seen)
    assert all(a.share < b.share for a, b in pairwise(seen))


def test_it_is_said_when_they_decide(incident):
    said = clock_text(incident.clock)
    assert "at most 8 h" in said and "2 min after the first of: ready, freed, worsened, turned" in said
    assert "45 min" in said and "casualty" in said
    assert "every 30 min (144 in all)" in clock_text(marl_health.load("hospital_throughput").clock)
    assert 0 < seconds_needed(incident, ["random"], 1, 0, 1) < 60


def test_side_by_side_with_a_world_of_fixed_steps(incident):
    other = marl_health.parallel_env("two_ed_diversion", max_cycles=5)
    env = JoinedEnv({"one": marl_health.parallel_env(incident), "other": other})
    _, infos = env.reset(seed=1)
    minutes, steps = dict.fromkeys(env.possible_agents, 0.0), 0
    while env.agents:
        _, _, terminations, truncations, infos = env.step(dict.fromkeys(env.agents, 0))
        steps += 1
        for name, info in infos.items():
            minutes[name] += info["elapsed_minutes"]
        assert (steps == 5) == any(ended for name, ended in truncations.items() if name.startswith("other"))
    assert all(terminations.values()) and steps > 15
    assert {minutes[f"other.{agent}"] for agent in other.possible_agents} == {50}


def test_the_benchmark_of_a_step_counts_the_events(incident):
    env = marl_health.parallel_env(incident)
    moves = step.moves_of(env, "random", 3)
    before = env.conservation(), env.kpis()
    events = step.events_of(env, 3, moves)
    env.step(moves[-1])
    assert (env.conservation(), env.kpis()) == before
    assert len(events) == len(moves) - 1 and sum(events) > 50
