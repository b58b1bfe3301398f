"""Set-up: a unit keeps what it was prepared for, others pay for the change, and agents may make it beforehand."""

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, departures, game_of, play, scenario
from tests.worlds.test_invariants import audit

HOME = {"leave": "discharged"}
KPIS = {"set_ups": {"of": "mri.set_ups"}, "set_up_hours": {"of": "mri.set_up_hours"}, "busy": {"of": "mri.busy_hours"}}
TECHNICIAN = {"technician": {"sees": ["mri.units"], "can": [{"switch": "mri"}]}}


def coils(**times):
    """Patients by coil, each at some times of the day."""
    return {
        f"{coil}_patient": {"arrive": comes(*when), "has": {"coil": {"choice": {coil: "100%"}}}, "begins": "scan"}
        for coil, when in times.items()
    }


def room(tmp_path, entities, *, units=1, set_up=None, queue=None, scan=None, **parts):
    """Scans of an hour; ten minutes to change the coil, but twenty for the one of the knee."""
    takes = {"by": "coil", "knee": "20 min", "else": "10 min"}
    return scenario(
        tmp_path,
        places={"mri": {"count": units, "set_up": {"by": "coil", "takes": takes, **(set_up or {})}}},
        entities=entities,
        pathway={"scan": {"visit": "mri", "for": "1 h", "queue": "line", "next": "home", **(scan or {})}, "home": HOME},
        queues={"line": {"classes": "coil", **(queue or {})}},
        kpis=KPIS,
        **{"clock": {"episode": "12 h", "decide_every": "10 min"}, **parts},
    )


def ends(game):
    """{name of the patient: minute at which they left}"""
    people = game.people()
    return {people[entity].name.removesuffix("_patient-1"): minute for entity, (minute, _) in departures(game).items()}


def test_whoever_needs_another_set_up_waits_for_the_change(tmp_path):
    game = play(room(tmp_path, coils(head=("01:00", "01:01"), knee=("01:02",))))
    # Set up for the head at first; then 20 minutes for the knee.
    assert departures(game) == {1: (120, "discharged"), 2: (180, "discharged"), 3: (260, "discharged")}
    assert game.kpis() == {"set_ups": 1.0, "set_up_hours": pytest.approx(1 / 3), "busy": pytest.approx(3 + 1 / 3)}


def test_those_who_need_no_change_may_go_first(tmp_path):
    entities = coils(head=("01:00", "01:10"), knee=("01:05",))
    assert ends(play(room(tmp_path, entities)))["knee"] == 200
    game = play(room(tmp_path, entities, queue={"order": "set_up"}))
    assert ends(game)["knee"] == 260 and game.kpis()["set_ups"] == 1.0
    to = {"arrival": "arrival", "same": "set_up"}
    agents = {"technician": {"sees": ["hour"], "can": [{"set": "line.order", "to": to}]}}
    loaded = room(tmp_path, entities, agents=agents)
    assert ends(play(loaded, moves=[(0, "technician_0", "set line.order same")]))["knee"] == 260


def test_the_unit_with_the_right_set_up_is_taken(tmp_path):
    game = play(room(tmp_path, coils(knee=("01:00",), head=("01:05",)), units=2))
    assert ends(game) == {"knee": 120, "head": 125} and game.kpis()["set_ups"] == 0.0


def test_an_agent_changes_a_unit_before_somebody_comes(tmp_path):
    loaded = room(tmp_path, coils(head=("06:00",), knee=("01:00",)), agents=TECHNICIAN)
    assert marl_health.parallel_env(loaded).action_names("technician_0") == [
        "wait", "switch mri[0] to head", "switch mri[0] to knee",
    ]  # fmt: skip
    assert ends(play(loaded))["knee"] == 140
    game = play(loaded, moves=[(0.5, "technician_0", "switch mri[0] to knee")])
    assert ends(game) == {"knee": 120, "head": 430}
    assert game.kpis() == {"set_ups": 2.0, "set_up_hours": 0.5, "busy": pytest.approx(2 + 1 / 6)}


def test_a_unit_in_use_is_changed_when_it_comes_free(tmp_path):
    loaded = room(tmp_path, coils(head=("01:00",), knee=("01:30",)), agents=TECHNICIAN)
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    seen = {}
    while env.agents:
        env.step({"technician_0": 2 if env.game.now == 70 else 0})
        if env.agents:
            seen[env.game.now] = {key.partition(".")[2]: value for key, value in env.readings("technician_0").items()}
    assert seen[80] == {"busy": 1.0, "out": 0.0, "ordered": 1.0, "is head": 1.0, "is knee": 0.0}
    assert seen[130] == {"busy": 0.0, "out": 1.0, "ordered": 0.0, "is head": 0.0, "is knee": 1.0}
    assert seen[150] == {"busy": 1.0, "out": 0.0, "ordered": 0.0, "is head": 0.0, "is knee": 1.0}
    assert env.kpis()["set_ups"] == 1.0


def test_units_may_serve_their_own_set_up_only(tmp_path):
    entities = coils(head=("01:00", "01:10"), knee=("01:05",))
    loaded = room(tmp_path, entities, set_up={"only": True}, agents=TECHNICIAN)
    game = game_of(loaded)
    while not game.finished:
        audit(game.running)
        game.advance()
    assert "knee" not in ends(game) and game.conservation()["inside"] == 1
    game = play(loaded, moves=[(4, "technician_0", "switch mri[0] to knee")])
    assert ends(game)["knee"] == 320
    two = room(tmp_path, entities, units=2, set_up={"only": True})
    assert ends(play(two))["knee"] == 125
    # Beside a nurse who is needed too, nobody is held up by those of the other class.
    nursed = room(
        tmp_path, entities, units=2, set_up={"only": True}, scan={"with": "nurse"}, staff={"nurse": {"count": 2}}
    )
    assert ends(play(nursed))["knee"] == 125


def test_everything_about_units_agrees_while_they_fail_and_change(tmp_path):
    times = [f"{hour:02d}:{minute:02d}" for hour in range(9) for minute in (0, 25, 50)]
    wear = {"fails": {"weibull": {"shape": 2, "mean": "3 h"}}, "repair": {"for": {"exponential": {"mean": "40 min"}}},
            "maintenance": {"for": "20 min"}}  # fmt: skip
    failures, set_ups = [], []
    for only in (False, True):
        loaded = scenario(
            tmp_path,
            places={"mri": {"count": 2, "wear": wear, "set_up": {"by": "coil", "takes": "10 min", "only": only}}},
            entities=coils(head=times[::2], knee=times[1::2]),
            pathway={"scan": {"visit": "mri", "for": "20 min", "queue": "line", "next": "home"}, "home": HOME},
            queues={"line": {"classes": "coil", "order": "set_up"}},
            kpis={**KPIS, "failures": {"of": "mri.failures"}},
            agents={"technician": {"sees": ["mri.units"], "can": [{"switch": "mri"}, {"maintain": "mri"}]}},
            clock={"episode": "12 h", "decide_every": "10 min"},
        )
        for seed in range(3):
            env = marl_health.parallel_env(loaded)
            env.reset(seed=seed)
            step = 0
            while env.agents:
                step += 1
                env.step({"technician_0": (step * 3 + seed) % 7})
                audit(env.game.running)
                if step % 20 == 0 and env.agents:
                    other = env.fork(redraw=step)
                    audit(other.game.running)
                    assert other.game.look("technician_0") == env.game.look("technician_0")
                    while other.agents:
                        other.step({})
                    audit(other.game.running)
            failures.append(env.kpis()["failures"])
            set_ups.append(env.kpis()["set_ups"])
    assert sum(failures) > 12 and sum(set_ups) > 30


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"set_up": {"by": "coyl"}}, "did you mean 'coil'"),
        ({"set_up": {"takes": {"exponential": {"mean": "5 min"}}}}, "leave chance out of it"),
        ({"set_up": {"takes": {"by": "coil", "knee": "20 min"}}}, "no case for coil = head"),
        ({"set_up": {"only": True}, "queue": {"classes": "kind"}}, "write classes: coil"),
        ({"set_up": {"only": True}, "scan": {"queue": None}}, "exactly|give it a queue"),
        ({"queue": {"classes": "kind", "order": "set_up"}}, "the queue's classes to be coil"),
    ],
)
def test_slips(tmp_path, parts, said):
    with pytest.raises(ScenarioError, match=said):
        room(tmp_path, coils(head=("01:00",), knee=("01:05",)), **parts)


def test_the_order_needs_something_to_be_set_up(tmp_path):
    with pytest.raises(ScenarioError, match="a place with a set_up"):
        scenario(
            tmp_path,
            places={"mri": {"count": 1}},
            entities=coils(head=("01:00",)),
            pathway={"scan": {"visit": "mri", "for": "1 h", "queue": "line", "next": "home"}, "home": HOME},
            queues={"line": {"classes": "coil", "order": "set_up"}},
        )
