"""The orchestrator: workflows side by side, a decision at a time."""

import pytest

import marl_health
from orchestration.orchestrator import Orchestrator, Workflow
from orchestration.strategies import STRATEGIES, StrategyError
from policies import PolicyError
from tests.orchestration.strategies.worlds import STEPS, scenarios


def registered(strategy, *policies, **how):
    """Both small worlds, registered."""
    orchestrator = Orchestrator(strategy, **how)
    for scenario, policy in zip(scenarios().values(), policies or ("random", "random"), strict=True):
        orchestrator.register(Workflow(scenario, policy))
    return orchestrator


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_step_is_one_decision_of_every_workflow_whenever_episodes_end(strategy):
    orchestrator = registered(strategy, coordinator="random", seed=40)
    told = {name: [] for name in STEPS}
    for _ in range(100):
        happened = orchestrator.coordinate_step()
        assert list(happened) == list(STEPS)
        for name, one in happened.items():
            told[name].append((one.seed, one.decision, one.over))
            assert one.actions.keys() == one.rewards.keys() == {f"{role}_0" for role in ("front_desk", "manager")}
            assert one.minutes > 0
    for number, (name, steps) in enumerate(STEPS.items()):
        expected = [
            (40 + number + 2 * (step // steps), step % steps + 1, step % steps == steps - 1) for step in range(100)
        ]
        assert told[name] == expected


def test_independent_workflows_do_what_they_do_alone():
    orchestrator = registered("independent", "constant:manager=1", "random", seed=3)
    gained = sum(sum(orchestrator.coordinate_step()["clinic"].terms.values()) for _ in range(STEPS["clinic"]))
    from orchestration.episodes import ScenarioRef, Task, run

    alone = run(Task(ScenarioRef.of(scenarios()["clinic"]), "constant:manager=1", 3))
    assert gained == pytest.approx(alone.gained)


def test_a_team_is_paid_as_one_and_a_coordinator_changes_what_is_paid():
    one = registered("coordinated", "wait", "wait").coordinate_step()
    assert len({reward for each in one.values() for reward in each.rewards.values()}) == 1

    led, alone = (
        registered("hierarchical", "wait", "wait", coordinator="random"),
        registered("independent", "wait", "wait"),
    )
    changed = 0
    for _ in range(60):
        here, there = led.coordinate_step()["walk_in"], alone.coordinate_step()["walk_in"]
        assert here.terms == there.terms, "what happens is the same; what it is worth is not"
        terms = there.terms
        paid = sum(here.weights.get(name, 1.0) * term for name, term in terms.items())
        assert here.rewards["manager_0"] == pytest.approx(paid)
        changed += here.rewards != there.rewards
    assert changed > 5


def test_steps_depend_on_the_seed_alone():
    one, same, other = (registered("hierarchical", coordinator="random", seed=seed) for seed in (5, 5, 6))
    steps = [[each.coordinate_step() for _ in range(20)] for each in (one, same, other)]
    assert steps[0] == steps[1] != steps[2]


def test_what_cannot_be_registered_is_told():
    with pytest.raises(StrategyError, match="did you mean 'sequential'"):
        Orchestrator("sequentail")
    orchestrator = Orchestrator()
    with pytest.raises(StrategyError, match="no workflow is registered"):
        orchestrator.coordinate_step()
    with pytest.raises(PolicyError, match="there is no policy 'rul'; did you mean 'rule'"):
        orchestrator.register(Workflow(scenarios()["clinic"], "rul"))
    with pytest.raises(StrategyError, match="nobody decides in 'treatment_centre'"):
        orchestrator.register(Workflow(marl_health.load("treatment_centre")))
    assert [orchestrator.register(Workflow(scenarios()["clinic"])) for _ in range(2)] == ["clinic", "clinic_2"]
    assert set(orchestrator.coordinate_step()) == {"clinic", "clinic_2"}
    with pytest.raises(StrategyError, match="register all of them before the first"):
        orchestrator.register(Workflow(scenarios()["walk_in"]))
    with pytest.raises(StrategyError, match="register two at least"):
        registered_one = Orchestrator()
        registered_one.register(Workflow(scenarios()["clinic"]))
        registered_one.train(steps=10)
