"""Both registries and the versioned modules."""

import importlib
import pickle
import subprocess
import sys

import gymnasium
import pettingzoo
import pytest
from pettingzoo import AECEnv

import marl_health
from marl_health.envs.registration import Entry, entries, read_entry, register_all

ENTRIES = entries()
everyone = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])


def test_what_is_read_off_the_text_is_what_is_compiled():
    compiled = [marl_health.load(name) for name in marl_health.scenarios()]
    assert [(entry.name, entry.version + 1, list(entry.roles)) for entry in ENTRIES] == [
        (scenario.name, scenario.version, scenario.roles) for scenario in compiled if scenario.roles
    ]


@pytest.mark.filterwarnings("error")
@everyone
def test_pettingzoo_makes_it(entry):
    env = pettingzoo.make("parallel", entry.id, max_cycles=3)
    assert isinstance(env, marl_health.HealthParallelEnv)
    assert env.scenario.name == entry.name
    assert env.max_cycles == 3
    assert env.metadata["name"] == f"{entry.name}_v{entry.version}"
    assert isinstance(pettingzoo.make("aec", f"marl_health/{entry.name}_v{entry.version}"), AECEnv)
    assert pettingzoo.make("parallel", f"marl_health/{entry.name}").scenario is env.scenario


@everyone
def test_gymnasium_knows_it_only_if_one_agent_decides(entry):
    assert (entry.gymnasium_id in gymnasium.registry) == (len(entry.roles) == 1)


@everyone
def test_its_module(entry):
    module = importlib.import_module(f"marl_health.envs.{entry.name}_v{entry.version}")
    assert getattr(marl_health.envs, f"{entry.name}_v{entry.version}") is module
    assert module.parallel_env().scenario.name == entry.name
    assert isinstance(module.env(), AECEnv)
    assert isinstance(module.raw_env(), AECEnv)
    assert pickle.loads(pickle.dumps(module.parallel_env))().scenario.name == entry.name


@everyone
def test_its_module_in_a_fresh_process(entry):
    code = f"from marl_health.envs.{entry.name}_v{entry.version} import env, parallel_env, raw_env"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.filterwarnings("error")
def test_registering_twice_changes_nothing():
    before = dict(pettingzoo.parallel_registry)
    register_all()
    assert pettingzoo.parallel_registry == before


def test_reading_off_the_text():
    text = """\
schema: marl_health/v1
version: 3   # of the scenario
agents:  # who decides

  # the first one
  bed_manager:
    sees: [x]
    can:
      - {set: y}
  coordinator: {sees: [x]}

measures: {}
"""
    entry = read_entry("two_wards", text)
    assert entry == Entry("two_wards", 2, ("bed_manager", "coordinator"))
    assert entry.id == "marl_health/two_wards-v2"
    assert entry.gymnasium_id == "marl_health/TwoWards-v2"
    changed = read_entry("one_ward", "version: 1\nagents:\n  coordinator: null\n  porter:\n    sees: [x]\n", entry)
    assert changed == Entry("one_ward", 0, ("bed_manager", "porter"))
    assert read_entry("broken", "agents: {}\n") is None
    assert read_entry("quiet", "version: 1\nagents: {}\n") == Entry("quiet", 0, ())
