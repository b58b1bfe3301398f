"""Every strategy learns: in environments of one or several worlds, with any algorithm, and goes on where it should."""

import json
from pathlib import Path

import pytest

from marl_health.spec.document import parse_document
from orchestration.episodes import ScenarioRef, Task, run
from orchestration.experiment.reading import read_experiment
from orchestration.strategies import STRATEGIES
from orchestration.strategies.base import COORDINATOR
from orchestration.strategies.ensemble import Play, play
from orchestration.strategies.lots import lots_of
from tests.orchestration.strategies.worlds import FILES

pytestmark = pytest.mark.slow  # Ray is started

SMALL = {
    "ppo": {"train_batch_size_per_learner": 60, "minibatch_size": 60, "num_epochs": 1},
    "mappo": {"train_batch_size_per_learner": 60, "minibatch_size": 60, "num_epochs": 1},
    "qmix": {"min_sample_timesteps_per_iteration": 60, "learning_starts": 20, "updates": 1},
    "dqn": {"min_sample_timesteps_per_iteration": 60, "learning_starts": 20, "updates": 1},
}


@pytest.fixture(scope="module", autouse=True)
def ray_started():
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def experiment(strategy, algorithm="ppo"):
    """A few steps on both small worlds."""
    data = {
        "schema": "marl_health/experiment/v1",
        "name": "both",
        "description": "Both.",
        "scenarios": [str(file) for file in FILES.values()],
        "strategy": strategy,
        "algorithm": {
            "name": algorithm,
            "settings": {"num_env_runners": 0, "num_envs_per_env_runner": 2, **SMALL[algorithm]},
        },
        "seeds": [1],
        "budget": {"steps": 60},
        "evaluation": {"every": 60, "replications": 2, "policies": ["wait"], "final": {"replications": 2}},
    }
    return read_experiment(parse_document(json.dumps(data), "here"))


def learn(setup, folder, begins=None):
    """One iteration; the algorithm, and what it says. The policy is kept in `<folder>/1`."""
    from orchestration.experiment.guided import guided
    from orchestration.experiment.training import _facts, _plan, make_config

    config = make_config(setup, 1, begins)
    plan = _plan(setup, range(2_000_000, 2_000_002), folder, _facts(setup, 1))
    algorithm = guided(config.algo_class, plan)(config=config)
    return algorithm, algorithm.train()


def setups(strategy, algorithm, folder):
    from orchestration.experiment.training import set_up

    said = experiment(strategy, algorithm)
    return [set_up(said, lot, folder) for lot in lots_of(said)]


@pytest.mark.parametrize(
    ("strategy", "algorithm"),
    [("coordinated", "mappo"), ("coordinated", "qmix"), ("hierarchical", "mappo"), ("hierarchical", "dqn")],
)
def test_worlds_that_learn_together_are_judged_and_kept_workflow_by_workflow(strategy, algorithm, tmp_path):
    (setup,) = setups(strategy, algorithm, tmp_path)
    assert setup.label == f"{strategy} {algorithm}"
    trained, result = learn(setup, tmp_path / "kept")
    modules = set(trained.config.policies)
    if strategy == "coordinated":
        assert "clinic.manager+walk_in.manager" not in modules, "one sees more than the other"
        assert modules == {f"{world}.{role}" for world in FILES for role in ("front_desk", "manager")}
    else:
        assert COORDINATOR in modules and len(modules) == 5
    values = result["judged"]["values"]
    means = [values[f"{name}.return"][0] for name in FILES]
    assert values["return"][0] == pytest.approx(sum(means)) and {"clinic.in_time", "walk_in.spent"} < values.keys()
    parts = sorted(path.name for path in (tmp_path / "kept" / "1").iterdir())
    assert parts == sorted([*FILES, *([COORDINATOR] if strategy == "hierarchical" else [])])
    found = play(Play(setup.lot.ensemble, str(tmp_path / "kept" / "1"), 2_000_000))
    if strategy == "coordinated":
        for name, file in FILES.items():
            ref = ScenarioRef.of(setup.lot.workflows[name])
            alone = run(Task(ref, str(tmp_path / "kept" / "1" / name), 2_000_000))
            assert alone.gained == pytest.approx(found[name].gained), "it acts alone as it does beside others"
            assert (alone.kpis["wait_mean"], alone.conservation) == (
                found[name].kpis["wait_mean"],
                found[name].conservation,
            )
            assert Path(ref.file).resolve() == file
    manifest = json.loads((tmp_path / "kept" / "1" / "walk_in" / "checkpoint.json").read_text())
    assert manifest["scenario"] == "walk_in" and manifest["strategy"] == strategy and "workflows" not in manifest
    trained.stop()


def test_who_sees_and_can_as_much_shares_a_network_of_a_team(tmp_path):
    import marl_health

    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "walk_out.yaml").write_text(FILES["walk_in"].read_text().replace("name: walk_in", "name: walk_out"))
    said = experiment("coordinated").data | {"scenarios": [str(FILES["walk_in"]), str(folder / "walk_out.yaml")]}
    from orchestration.experiment.training import set_up

    read = read_experiment(parse_document(json.dumps(said), "here"))
    setup = set_up(read, lots_of(read)[0], tmp_path)
    trained, result = learn(setup, tmp_path / "kept")
    assert set(trained.config.policies) == {
        "walk_in.front_desk+walk_out.front_desk",
        "walk_in.manager+walk_out.manager",
    }
    assert {"walk_in.return", "walk_out.return"} < result["judged"]["values"].keys()
    assert marl_health.load(folder / "walk_out.yaml").name == "walk_out"
    trained.stop()


@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_a_workflow_begins_with_what_the_one_before_has_learned_where_shapes_allow(algorithm, tmp_path):
    import torch
    from ray.rllib.core.rl_module.rl_module import RLModule

    from policies.rllib.warm_start import donors

    (tmp_path / "later.yaml").write_text(
        FILES["walk_in"].read_text().replace("name: walk_in", "name: later").replace("top: 3", "top: 2")
    )
    from orchestration.experiment.training import make_config, set_up

    said = experiment("sequential", algorithm).data
    read = read_experiment(
        parse_document(json.dumps(said | {"scenarios": [str(FILES["walk_in"]), str(tmp_path / "later.yaml")]}), "here")
    )
    first, second = (set_up(read, lot, tmp_path) for lot in lots_of(read))
    assert second.lot.follows is first.lot and first.lot.follows is None
    trained, _ = learn(first, tmp_path / "kept")
    trained.stop()
    checkpoint = tmp_path / "kept" / "1"
    config = make_config(second, 1, checkpoint)
    assert donors(checkpoint, second.make_env, config.policies) == {"manager": "manager"}, "the front desk sees less"
    begun = config.build_algo()
    donor = RLModule.from_checkpoint(checkpoint / "modules" / "manager").state_dict()
    fresh = make_config(second, 1).build_algo()
    for module in (begun.get_module("manager"), begun.learner_group._learner.module["manager"].unwrapped()):
        state = module.state_dict()
        assert donor.keys() <= state.keys()
        assert all(torch.equal(state[name], weights) for name, weights in donor.items())
    desks = [each.get_module("front_desk").state_dict() for each in (begun, fresh)]
    assert all(torch.equal(desks[0][name], desks[1][name]) for name in desks[0]), "it begins from nothing, as ever"
    managers = [each.get_module("manager").state_dict() for each in (begun, fresh)]
    assert not all(torch.equal(managers[0][name], managers[1][name]) for name in managers[0])
    begun.stop()
    fresh.stop()


def test_every_strategy_has_its_lots():
    lots = {strategy: lots_of(experiment(strategy)) for strategy in STRATEGIES}
    assert {strategy: [lot.name for lot in each] for strategy, each in lots.items()} == {
        "independent": ["clinic", "walk_in"],
        "sequential": ["clinic", "walk_in"],
        "hierarchical": [""],
        "coordinated": [""],
    }
    assert lots["independent"][1].follows is None
