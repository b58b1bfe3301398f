"""Deciding about somebody of whom the truth is hidden: labels, totals, what is revealed, and planning without it."""

from math import sqrt

import numpy as np
import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from policies import make
from tests.worlds.build import play, scenario
from tests.worlds.redrawn import at, clinic
from tests.worlds.test_hidden import GRADE, ILL, SCORE, TEST, ward


def desk(tmp_path, **parts):
    """Patients wait at a desk, from which an agent sends them on, with a label, or labels them where they are."""
    has = {"ill": ILL, "test": TEST, "label": {"choice": {"none": "100%", "low": 0, "high": 0}}}
    return scenario(
        tmp_path,
        clock={"episode": "8 h", "decide_every": "5 min"},
        staff={"doctor": {"count": 1}},
        entities={"patient": {"arrive": {"rate": {"per_hour": 6}}, "has": has, "begins": "desk"}},
        pathway={
            "desk": {"wait": "30 min", "next": "clinic"},
            "clinic": {
                "use": "doctor",
                "queue": "line",
                "for": {"by": "label", "low": "4 min", "high": "20 min", "else": "10 min"},
                "reveal": "ill",
                "adds": {"missed": {"by": "label", "high": 0, "else": {"by": "ill", "yes": 1, "no": 0}}},
                "next": "after",
            },
            "after": {"wait": "15 min", "next": "home"},
            "home": {"leave": "discharged"},
        },
        queues={"line": {"classes": "label", "order": {"first": ["high", "none", "low"]}}},
        slots={
            "at_desk": {"in": "desk", "top": 2, "show": ["test", "waited"]},
            "in_line": {"waiting": "line", "top": 2, "show": ["label"]},
            "seen": {"in": "after", "top": 2, "show": ["ill", "test"]},
        },
        agents={
            "nurse": {
                "sees": ["doctor.waiting", "at_desk", "in_line", "seen"],
                "can": [
                    {"choose": "at_desk", "do": {"set": {"label": "high"}, "go": "clinic"}},
                    {"choose": "at_desk", "do": {"set": {"label": "low"}, "go": "clinic"}},
                    {"choose": "in_line", "do": {"set": {"label": "high"}}},
                ],
            }
        },
        measures={"wait": {"from": "arrival", "to": "discharge"}},
        score={"clinical": [{"of": "missed.total", "worth": -5}], "efficiency": [{"of": "wait.hours", "worth": -1}]},
        kpis={"missed": {"of": "missed.total"}, "share_missed": {"of": "missed.total", "per": "patient.arrived"}},
        **parts,
    )


def follow_the_test(env):
    """The action of a nurse who labels by the test."""
    seen = env.readings("nurse_0")
    if not seen["at_desk[0]"]:
        return 0
    name = "high" if seen["at_desk[0].test"] else "low"
    return env.action_names("nurse_0").index(f"send to clinic with label {name} at_desk[0]")


def episode(env, seed, decide):
    env.reset(seed=seed)
    gained = 0.0
    while env.agents:
        gained += sum(env.step({"nurse_0": decide(env)})[1].values())
    return gained


def test_labels_change_what_happens_and_totals_count_it(tmp_path):
    env = marl_health.parallel_env(desk(tmp_path), events=True)
    assert env.action_names("nurse_0")[1:4:2] == [
        "send to clinic with label high at_desk[0]",
        "send to clinic with label low at_desk[0]",
    ]
    pairs = [(episode(env, seed, follow_the_test), episode(env, seed, lambda env: 0)) for seed in range(20)]
    gains = np.array([by_test - waiting for by_test, waiting in pairs])
    assert gains.mean() > 3 * gains.std() / sqrt(len(gains))
    people = env.game.people().values()
    seen = [person for person in people if ("ill.known", True) in [change[1:] for change in person.changes]]
    assert {person.attributes["label"] for person in people} == {"none"}, "the last episode was one of waiting"
    assert env.kpis()["missed"] == sum(person.attributes["ill"] for person in seen) > 0


def test_a_label_set_in_line_moves_its_bearer_up(tmp_path):
    env = marl_health.parallel_env(desk(tmp_path))
    env.reset(seed=1)
    while env.agents:
        line = env.game.running.lines[0]
        if line.waiting >= 2:
            entity = env.game.running.slot_list(1)[1]
            before = line.count[:]
            env.step({"nurse_0": env.action_names("nurse_0").index("set label high in_line[1]")})
            label = env.game.program.slots_of_values["label"]
            assert entity.values[label] == "high" and before != line.count
            return
        env.step({})
    raise AssertionError("nobody ever waited")


def test_the_truth_is_shown_once_it_was_revealed(tmp_path):
    env = marl_health.parallel_env(desk(tmp_path))
    names = env.observation_names("nurse_0")
    assert {"seen[0].ill.known", "seen[0].ill"} <= set(names) and "at_desk[0].ill" not in names
    env.reset(seed=4)
    shown = set()
    slot = env.game.program.slots_of_values["ill"]
    while env.agents:
        env.step({"nurse_0": follow_the_test(env)} if env.agents else {})
        if env.agents and (found := env.game.running.slot_list(2)):
            seen = env.readings("nurse_0")
            assert seen["seen[0].ill.known"] == 1.0
            assert seen["seen[0].ill"] == float(found[0].values[slot])
            shown.add(seen["seen[0].ill"])
    assert shown == {0.0, 1.0}


def test_before_it_is_revealed_zero_is_shown(tmp_path):
    loaded = clinic(
        tmp_path,
        {"rest": {"wait": "2 h", "next": "look"}, "look": {"wait": "2 h", "reveal": "ill", "next": "rest_on"},
         "rest_on": {"wait": "2 h", "next": "home"}},
        patient={"has": {"ill": {"chance": 1.0, "hidden": True}}},
        slots={"one": {"in": "rest", "top": 1, "show": ["ill"]}, "two": {"in": "look", "top": 1, "show": ["ill"]}},
        agents={"nurse": {"sees": ["one", "two"], "can": [{"choose": "one", "do": {"go": "look"}}]}},
    )  # fmt: skip
    game = at(loaded, 60.0)
    assert game.look("nurse_0") == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    game.running.advance(180.0)
    assert game.look("nurse_0") == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]


def in_two_minds(env):
    """A copy of a world in which all who may be ill, for all that is known, are what they were not."""
    other = env.fork()
    slots = env.game.program.slots_of_values
    for entity in other.game.running.entities.values():
        if not entity.values[slots["ill.known"]]:
            entity.values[slots["ill"]] = not entity.values[slots["ill"]]
    return other


def future(env, action, steps=30):
    """Rewards after an action, if everybody waits from then on."""
    gained = [sum(env.step({"nurse_0": action})[1].values())]
    while env.agents and len(gained) < steps:
        gained.append(sum(env.step({})[1].values()))
    return gained


def test_what_is_seen_and_redrawn_does_not_depend_on_the_hidden_truth(tmp_path):
    env = marl_health.parallel_env(desk(tmp_path))
    env.reset(seed=3)
    for _ in range(40):
        env.step({"nurse_0": follow_the_test(env)})
    other = in_two_minds(env)
    assert env.game.look("nurse_0") == other.game.look("nurse_0")
    for action in range(5):
        for key in range(4):
            assert future(env.fork(redraw=key), action) == future(other.fork(redraw=key), action)
    assert future(env.fork(), 0) != future(other.fork(), 0), "the true futures do differ"


def test_a_look_ahead_chooses_the_same_whatever_the_hidden_truth(tmp_path):
    env = marl_health.parallel_env(desk(tmp_path))
    views, infos = env.reset(seed=3)
    chosen = []
    for _ in range(50):
        acted = []
        for one in (env, in_two_minds(env)):
            policy = make("lookahead:futures=2,horizon=8,candidates=6,every=1")
            policy.reset(one, 0)
            acted.append(policy.act(one, views, infos))
        assert acted[0] == acted[1]
        chosen.append(acted[0]["nurse_0"])
        views, _, _, _, infos = env.step(acted[0])
    assert len(set(chosen)) > 1, "it does choose"


def test_what_patients_have_is_the_same_whatever_the_agent_does(tmp_path):
    def people(decide):
        env = marl_health.parallel_env(desk(tmp_path), events=True)
        episode(env, 5, decide)
        found = env.game.people().values()
        return {person.name: {word: person.attributes[word] for word in ("ill", "test")} for person in found}

    assert people(follow_the_test) == people(lambda env: 0)


def test_the_same_seed_gives_the_same_episode_with_and_without_an_event_log(tmp_path):
    loaded = desk(tmp_path)
    told = []
    for events in (True, False, False):
        env = marl_health.parallel_env(loaded, events=events)
        told.append((episode(env, 6, follow_the_test), repr(env.kpis()), env.conservation()))
    assert told[0][1:] == told[1][1:] == told[2][1:]
    assert told[1] == told[2] and told[0][0] == pytest.approx(told[1][0])
    inside = told[0][2]
    assert inside["arrived"] == sum(inside[where] for where in ("discharged", "died", "left", "inside"))


def test_an_exact_copy_goes_on_alike(tmp_path):
    env = marl_health.parallel_env(desk(tmp_path))
    env.reset(seed=8)
    for _ in range(30):
        env.step({"nurse_0": follow_the_test(env)})
    futures = []
    for one in (env.fork(), env):
        rewards = []
        while one.agents:
            rewards.append(one.step({"nurse_0": follow_the_test(one)})[1])
        futures.append((rewards, repr(one.kpis())))
    assert futures[0] == futures[1]


# ---------------------------------------------------------------- slips
def nurse(*can, show=("test",), **slots):
    return {
        "slots": {"people": {"in": "rest", "top": 1, "show": list(show), **slots}},
        "agents": {"nurse": {"sees": ["people"], "can": list(can)}},
    }


LABEL = {"choose": "people", "do": {"set": {"test": True}}}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (nurse(LABEL, show=["ill"]), "'ill' is hidden"),
        (nurse(LABEL, when="ill"), "'ill' is hidden"),
        (nurse({"choose": "people", "do": {}}), "needs go, set, or both"),
        (nurse({"choose": "people", "do": {"set": {"tst": True}}}), "did you mean 'test'"),
        (nurse({"choose": "people", "do": {"set": {"test": "5 min"}}}), "cannot become"),
        (nurse({"choose": "people", "do": {"set": {"score": "grene"}}}), "did you mean 'green'"),
        (nurse({"choose": "people", "do": {"set": {"test": True}, "go": "hme"}}), "did you mean 'home'"),
        ({"kpis": {"harm": {"of": "harm.total"}}}, "no measure"),
    ],
)
def test_slips_in_what_agents_may_do(tmp_path, parts, said):
    with pytest.raises(ScenarioError, match=said):
        ward(tmp_path, {"ill": ILL, "test": TEST, "grade": GRADE, "score": SCORE}, **parts)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"reveal": "test"}, "is not hidden"),
        ({"reveal": "il"}, "did you mean 'ill'"),
        ({"adds": {"harm": "ill"}}, "amounts can be added up"),
        ({"adds": {"harm": 1}, "next": "more"}, "is a plain number elsewhere"),
    ],
)
def test_slips_in_steps(tmp_path, step, said):
    pathway = {
        "rest": {"wait": "1 h", "next": "home", **step},
        **({"more": {"next": "home", "adds": {"harm": "3 usd"}}} if "next" in step else {}),
    }
    with pytest.raises(ScenarioError, match=said):
        clinic(tmp_path, pathway, patient={"has": {"ill": ILL, "test": TEST}})


def test_totals_have_the_unit_of_what_is_added(tmp_path):
    loaded = clinic(
        tmp_path,
        {"pay": {"wait": "1 h", "adds": {"bill": "120 usd", "dose": {"exponential": {"mean": 2}}}, "next": "home"}},
        times=("00:00", "01:00", "02:00"),
        kpis={"bill": {"of": "bill.total"}, "dose": {"of": "dose.total"}},
    )
    game = play(loaded)
    assert game.kpis()["bill"] == 360.0 and game.kpi_units() == {"bill": "usd", "dose": ""}
    assert game.kpis()["dose"] > 0
