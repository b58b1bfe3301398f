"""Worlds make no cycles of references, so the collector of cycles may rest while they run."""

import gc

import pytest

import marl_health
from marl_health.worlds.flow.world import FlowWorld
from tests.worlds.worlds import EVERY, short


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_whoever_leaves_is_freed_without_the_collector_of_cycles(scenario):
    program = marl_health.load(scenario).program
    world = FlowWorld(program, 1)
    gc.collect()
    world.advance(program.horizon)
    assert gc.isenabled()
    assert gc.collect() == 0
