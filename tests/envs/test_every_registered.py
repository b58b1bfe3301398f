"""Everything in both registries is an env like any other, made by its id; a warning that is not named here is an error.

The reference scenarios of the family `cross_workflow` and the reproduced models are among them. What else is checked of
the packaged scenarios, by their names, stands in ``test_pettingzoo.py`` and ``test_registration.py``.
"""

import pickle
import warnings

import cloudpickle
import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test

from marl_health import scenarios
from marl_health.envs.registration import NAMESPACE, Entry, entries

PARALLEL = sorted(name for name in pettingzoo.parallel_registry if name.startswith(f"{NAMESPACE}/"))
ALONE = sorted(name for name in gymnasium.registry if name.startswith(f"{NAMESPACE}/"))
CYCLES = 30
SEED = 5

BY_DESIGN = {
    "We recommend agents to be named in the format <descriptor>_<number>": "a role may be of several words",
    "Agents have different observation space sizes": "roles see different things",
    "Agents have different action space sizes": "roles can do different things",
    "Observations are different shapes": "roles see different things",
}
"""Warnings of PettingZoo's test of envs whose agents take turns that are ignored, and why."""

pytestmark = pytest.mark.filterwarnings("error")


def test_everything_in_which_somebody_decides_is_registered():
    assert sorted(name for name in pettingzoo.aec_registry if name.startswith(f"{NAMESPACE}/")) == PARALLEL
    assert sorted(entry.id for entry in entries()) == PARALLEL
    assert {entry.name for entry in entries()} == set(scenarios()) - {"treatment_centre"}  # nobody decides there
    assert len(ALONE) >= 13


@pytest.mark.parametrize("name", PARALLEL)
def test_pettingzoo(name):
    parallel_api_test(pettingzoo.make("parallel", name), num_cycles=CYCLES)
    with warnings.catch_warnings():
        for message in BY_DESIGN:
            warnings.filterwarnings("ignore", message)
        api_test(pettingzoo.make("aec", name), num_cycles=CYCLES)
    spec = pettingzoo.parallel_registry[name]
    assert pickle.loads(pickle.dumps(spec)) == spec
    env = pettingzoo.make("parallel", name)
    _, infos = env.reset(seed=SEED)
    for _ in range(CYCLES):
        infos = env.step(last_legal(infos))[-1]
    ours = told(env.fork(), infos)
    for way in (pickle, cloudpickle):  # in the middle of an episode
        assert told(way.loads(way.dumps(env)), infos) == ours


@pytest.mark.parametrize("name", ALONE)
def test_gymnasium(name):
    env = gymnasium.make(name)
    check_env(gymnasium.make(name, disable_env_checker=True).unwrapped)
    observation, _ = env.reset(seed=SEED)
    specs = [way.loads(way.dumps(env.spec)) for way in (pickle, cloudpickle)]
    for spec in (EnvSpec.from_json(env.spec.to_json()), *specs):
        assert spec.id == name
        assert (spec.make().reset(seed=SEED)[0] == observation).all()
    twins = [way.loads(way.dumps(env)) for way in (pickle, cloudpickle)]
    following = env.step(0)[0]
    assert all((twin.step(0)[0] == following).all() for twin in twins)


@pytest.mark.parametrize("name", ALONE)
def test_gymnasium_side_by_side(name):
    """In one process or in one each, copies see what a single env does that is started with the same seed."""
    single = gymnasium.make(name)
    observation, _ = single.reset(seed=SEED + 1)
    seen = [observation, *(single.step(0)[0] for _ in range(3))]
    for mode in ("sync", "async"):
        copies = gymnasium.make_vec(name, num_envs=2, vectorization_mode=mode)
        try:
            both = [copies.reset(seed=SEED)[0]]
            both += [copies.step(np.zeros(2, np.int64))[0] for _ in range(3)]
        finally:
            copies.close()
        assert all((found[1] == expected).all() for found, expected in zip(both, seen, strict=True)), mode


def test_acronyms_are_written_in_capitals():
    names = ("icu_resource_allocation", "or_utilization", "radiology_scheduling")
    assert [Entry(name, 0, ("one",)).gymnasium_id for name in names] == [
        "marl_health/ICUResourceAllocation-v0",
        "marl_health/ORUtilization-v0",
        "marl_health/RadiologyScheduling-v0",
    ]


def last_legal(infos):
    """By agent, the last action that is possible: the first is always to wait."""
    return {agent: int(np.flatnonzero(info["action_mask"])[-1]) for agent, info in infos.items()}


def told(env, infos):
    """What an env says to a step, to be compared."""
    observations, rewards, _, truncations, infos = env.step(last_legal(infos))
    return (
        {agent: seen.tolist() for agent, seen in observations.items()},
        rewards,
        truncations,
        {agent: info["action_mask"].tolist() for agent, info in infos.items()},
    )
