"""Every packaged scenario in which one agent decides is a Gymnasium env like any other."""

import pickle

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

from marl_health.envs.registration import Entry, entries

ALONE = [entry for entry in entries() if len(entry.roles) == 1]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("entry", ALONE, ids=[entry.name for entry in ALONE])
def test_gymnasium_accepts_it(entry):
    env = gymnasium.make(entry.gymnasium_id)
    check_env(env.unwrapped, skip_render_check=True)
    again = pickle.loads(pickle.dumps(env.spec)).make()
    first, second = env.reset(seed=5)[0], again.reset(seed=5)[0]
    assert (first == second).all()
    assert gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()).make().spec.id == entry.gymnasium_id


def test_acronyms_are_written_in_capitals():
    names = ("icu_resource_allocation", "or_utilization", "radiology_scheduling")
    assert [Entry(name, 0, ("one",)).gymnasium_id for name in names] == [
        "marl_health/ICUResourceAllocation-v0",
        "marl_health/ORUtilization-v0",
        "marl_health/RadiologyScheduling-v0",
    ]
