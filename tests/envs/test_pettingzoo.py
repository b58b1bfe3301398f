"""PettingZoo's own tests; a warning is an error. More of them, on envs made by ids: ``test_every_registered.py``."""

import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from pettingzoo.test import api_test, max_cycles_test, parallel_api_test, parallel_seed_test, render_test, seed_test

import marl_health
from marl_health.envs.registration import env as turns
from marl_health.envs.wrappers import CarriedRewards, DictObservations

pytestmark = pytest.mark.filterwarnings("error")
CYCLES = 60


def test_parallel_api(small):
    parallel_api_test(marl_health.parallel_env(small), num_cycles=CYCLES)


def test_parallel_seed(everywhere):
    parallel_seed_test(lambda: marl_health.parallel_env(everywhere), num_cycles=CYCLES)


def test_max_cycles(everywhere):
    module = SimpleNamespace(parallel_env=partial(marl_health.parallel_env, everywhere), env=partial(turns, everywhere))
    max_cycles_test(module)


def test_api_taking_turns(small):
    with warnings.catch_warnings():
        for by_design in (
            "We recommend agents to be named in the format <descriptor>_<number>",  # a role may be of several words
            "Agents have different observation space sizes",
            "Agents have different action space sizes",
            "Observations are different shapes",
        ):
            warnings.filterwarnings("ignore", by_design)
        api_test(turns(small), num_cycles=CYCLES)


def test_seed_taking_turns(clinic):
    seed_test(lambda: turns(clinic), num_cycles=CYCLES)


def test_render(everywhere, capsys):
    def coloured(picture):
        return len(np.unique(picture[::5, ::5].reshape(-1, 3), axis=0)) > 10

    render_test(partial(turns, everywhere), custom_tests={"rgb_array": coloured, "ansi": lambda text: "inside" in text})
    assert "inside" in capsys.readouterr().out  # mode "human" prints the text


def test_dict_form(everywhere):
    parallel_api_test(DictObservations(marl_health.parallel_env(everywhere)), num_cycles=CYCLES)


def test_rewards_that_are_kept_for_the_next_turn(everywhere):
    parallel_api_test(CarriedRewards(marl_health.parallel_env(everywhere)), num_cycles=CYCLES)
