"""Trained policies by name: they fit their scenario, say so where they do not, and decide at once."""

import json
import time

import numpy as np
import pytest
import torch

import marl_health
import policies.trained
from marl_health.adapters.rllib import masked_space, role_of
from orchestration import episodes
from orchestration.evaluation.compare import compare
from orchestration.simulate import simulate
from policies import PolicyError
from policies.registry import check, make
from policies.rllib.checkpoint import MANIFEST, _size_apart, save_checkpoint, words_of
from policies.rllib.ppo import MaskedPPOModule
from policies.trained import trained, trained_elsewhere
from tests.orchestration.command_line import invoke

NAME = "hospital_throughput"

SHIPPED = [(name, scenario) for name, folders in trained().items() for scenario in folders]


@pytest.mark.parametrize(("name", "scenario"), SHIPPED)
def test_it_says_what_made_it_and_fits_what_it_was_made_for(name, scenario):
    facts = json.loads((trained()[name][scenario] / MANIFEST).read_text())
    loaded = marl_health.load(scenario)
    assert facts["scenario"] == loaded.name
    assert facts["command"].startswith("marl-health train ")
    assert facts["version"] == loaded.version and facts["hash"] == loaded.hash, "train it anew, or drop it"
    assert sum(f.stat().st_size for f in trained()[name][scenario].rglob("*") if f.is_file()) < 5_000_000
    make(name).reset(marl_health.parallel_env(scenario), 0)


@pytest.mark.slow
def test_mappo_does_better_than_the_rule_that_it_started_from():
    found = compare(marl_health.load(NAME), {name: name for name in ("rule", "mappo")}, 30, 6_000_000, jobs=1)
    assert found.paired["mappo"]["return"].low > 0


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of trained policies with one of the hospital in it, which was drawn by lot."""
    torch.manual_seed(0)
    env = marl_health.parallel_env(NAME)
    modules = {
        role_of(agent): MaskedPPOModule(
            observation_space=masked_space(env.observation_space(agent), env.action_space(agent)),
            action_space=env.action_space(agent),
            inference_only=True,
            model_config={"hidden": (128, 128)},
        )
        for agent in env.possible_agents
    }
    folder = tmp_path / NAME / "by_lot"
    folder.parent.mkdir()
    facts = {name: getattr(env.scenario, name) for name in ("version", "hash")}
    save_checkpoint(folder, modules, {"algorithm": "by_lot", "scenario": NAME, "words": words_of(env), **facts})
    monkeypatch.setattr(policies.trained, "FOLDER", tmp_path)
    episodes._policy.cache_clear()
    yield folder
    episodes._policy.cache_clear()


def test_a_decision_takes_less_than_ten_milliseconds(shelf):
    policy, env = make("by_lot"), marl_health.parallel_env(NAME)
    observations, infos = env.reset(seed=5)
    policy.reset(env, 5)
    took = []
    while env.agents:
        start = time.thread_time()
        actions = policy.act(env, observations, infos)
        took.append(time.thread_time() - start)
        assert all(infos[agent]["action_mask"][action] for agent, action in actions.items())
        observations, _, _, _, infos = env.step(actions)
    assert np.median(took) < 0.010


def test_another_scenario_has_none(shelf):
    check("by_lot")
    with pytest.raises(PolicyError, match="no 'by_lot' was trained in the scenario 'two_ed_diversion"):
        simulate(marl_health.load("two_ed_diversion"), "by_lot", 1, 0)


def test_a_slip_in_the_name_is_told(shelf):
    with pytest.raises(PolicyError, match="did you mean 'by_lot'"):
        check("by_lott")


def told(shelf, change):
    """What is said where the words of the bed manager, changed in the manifest, are not those of the scenario."""
    manifest = json.loads((shelf / MANIFEST).read_text())
    change(manifest["words"]["bed_manager"]["sees"])
    (shelf / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(PolicyError) as error:
        simulate(marl_health.load(NAME), "by_lot", 1, 0)
    return str(error.value)


def test_what_numbers_mean_has_to_be_what_it_was(shelf):
    def swap(seen):
        place = seen.index("surgical_bed.free")
        seen[place], seen[0] = seen[0], seen[place]

    assert "bed_manager sees something else here: the same words in another order, from number 0" in told(shelf, swap)


def test_words_that_training_did_not_know_are_told(shelf):
    def rename(seen):
        seen[seen.index("surgical_bed.free")] = "surgical_bed.empty"

    said = told(shelf, rename)
    assert (
        "sees something else here: 'surgical_bed.free', which training did not know, and not 'surgical_bed.emp" in said
    )


def test_a_variant_of_the_scenario_may_use_it_and_says_so(shelf, capsys):
    """A larger hospital calls more people in, and the same ones."""
    large = marl_health.load("hospital_throughput_large")
    assert simulate(large, "by_lot", 1, 0).replications[0].moves
    assert _size_apart("call in 2 ed_physician") != _size_apart("call in 2 ed_nurse")
    assert _size_apart("shorten fit_to_leave[1]") != _size_apart("shorten fit_to_leave[2]")
    assert trained_elsewhere("by_lot", marl_health.load(NAME)) is None and trained_elsewhere("wait", large) is None
    simulated = ("simulate", large.name, "--policy", "by_lot", "--replications", 1, "--jobs", 1)
    assert f"note: 'by_lot' was trained on {NAME} version 3 (hash" in invoke(*simulated).stderr
