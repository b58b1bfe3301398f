"""Little's law and conservation on the systems of queueing theory.

The scenarios of the catalogue are held to the same in tests/worlds/test_invariants.py, with agents that act at random.
"""

import pytest

import marl_health
from experiments.validation.theory import FOLDER, SYSTEMS
from tests.worlds.test_invariants import audit, waits_in_log
from tests.worlds.worlds import Watched

MOST_ARRIVALS = 20_000
WITHOUT_WAITING = ("loss", "loss_20", "icu")


@pytest.mark.parametrize("name", SYSTEMS)
def test_littles_law_holds_for_every_queue_and_nobody_is_lost(name):
    """L from the kernel's integral of the number waiting; arrivals at the queue and waits from the event log."""
    env = Watched(marl_health.load(FOLDER / f"{name}.yaml"), events=True)
    env.reset(seed=3)
    world = env.game.running
    rate = sum(mean for kpi, mean in SYSTEMS[name].known.items() if kpi.startswith("arrived")) / 60
    end = min(world.program.horizon, MOST_ARRIVALS / rate)
    for part in range(1, 11):
        world.advance(part / 10 * end)
        counts = env.conservation()
        assert counts["arrived"] == sum(counts[where] for where in ("discharged", "died", "left", "inside"))
        audit(world)
    assert counts["arrived"] == pytest.approx(end * rate, rel=0.1)
    found, _ = waits_in_log(env)
    for number, line in enumerate(world.lines):
        area = line.minutes(world.now)
        spent = sum((world.now if left is None else left) - joined for joined, left in found[number])
        assert area == pytest.approx(spent, rel=1e-6, abs=1e-6), line.name
        waits = [left - joined for joined, left in found[number] if left is not None]
        assert len(waits) > 100
        if name in WITHOUT_WAITING:
            assert area == 0
            continue
        length, joining, wait = area / world.now, len(found[number]) / world.now, sum(waits) / len(waits)
        assert abs(length - joining * wait) < 0.01 * length, line.name
