"""An experiment made of arguments: whole episodes, all processors, and a start from the rule where there is one."""

from pathlib import Path

import pytest

from marl_health import load
from orchestration.experiment.asking import asked_for
from orchestration.experiment.reading import load_experiment
from orchestration.experiment.suited import COPIES, LONGEST, episode_steps, settings_for
from policies.rllib.pairing import PairingError, share_patients

HERE = Path(__file__).resolve().parents[1]
WALK_IN, CLINIC = HERE / "walk_in.yaml", HERE / "clinic.yaml"
OPTIONS = {"seeds": [0], "minutes": 2.5, "steps": None, "replications": 7, "chosen": {}}


def test_arguments_make_an_experiment():
    made = asked_for(str(WALK_IN), algorithm="mappo", **OPTIONS | {"seeds": 5})
    assert (made.name, made.model.all_seeds, made.model.budget.time) == ("mappo_on_walk_in", [0, 1, 2, 3, 4], 2.5)
    assert made.model.evaluation.final.replications == 7
    assert made.hash == asked_for(str(WALK_IN), algorithm="mappo", **OPTIONS | {"seeds": 5}).hash
    assert made.hash != asked_for(str(WALK_IN), algorithm="qmix", **OPTIONS | {"seeds": 5}).hash


def test_the_hospital_is_learned_as_its_experiment_says():
    made = asked_for("hospital_throughput", algorithm="mappo", processors=2, **OPTIONS).model.algorithm
    written = load_experiment("hospital_mappo").model.algorithm
    spread = {"num_env_runners": 2, "num_envs_per_env_runner": 16}
    assert made.settings == written.settings | spread and made.init == written.init == "rule"


def test_without_a_rule_learning_starts_from_nothing_and_explores():
    made = asked_for(str(CLINIC), algorithm="mappo", **OPTIONS).model.algorithm
    assert made.init is None and "entropy_coeff" not in made.settings


def test_what_learns_from_a_buffer_or_by_a_strategy_keeps_its_own_settings():
    assert asked_for("or_utilization", algorithm="dqn", **OPTIONS).model.algorithm.settings == {}
    both = asked_for(str(CLINIC), str(WALK_IN), algorithm="mappo", strategy="independent", **OPTIONS)
    assert both.model.algorithm.settings == {} and both.model.algorithm.init is None


@pytest.mark.parametrize("processors", [1, 2, 4, 64])
@pytest.mark.parametrize("name", ["hospital_throughput", "or_utilization", "supply_chain_inventory", str(CLINIC)])
def test_a_batch_is_whole_episodes_of_every_copy(name, processors):
    scenario = load(name)
    steps, settings = episode_steps(scenario), settings_for(scenario, processors)
    runners = settings["num_env_runners"]
    assert runners == {1: 0, 64: 8}.get(processors, processors)
    rows, left = divmod(settings["train_batch_size_per_learner"], max(1, runners) * settings["num_envs_per_env_runner"])
    assert left == 0 and rows % steps == 0 and 100 <= rows <= 200
    assert settings["num_envs_per_env_runner"] >= 16 and settings["num_envs_per_env_runner"] % COPIES == 0


def test_a_long_episode_is_cut_into_equal_parts(monkeypatch):
    monkeypatch.setattr("orchestration.experiment.suited.episode_steps", lambda scenario: 2016)
    batch = settings_for(load(CLINIC), 2)["train_batch_size_per_learner"]
    assert batch == 2 * 16 * 504 and 504 * 4 == 2016 and LONGEST >= 504


def test_copies_that_do_not_come_out_even_would_be_told():
    class Config:
        num_envs_per_env_runner, env_config = 12, {}

    with pytest.raises(PairingError):
        share_patients(Config(), COPIES)
