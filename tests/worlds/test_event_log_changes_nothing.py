"""With an event log everybody takes the general way through a line; without one, the short way: it is the same."""

import pytest

from tests.worlds.worlds import EVERY, Player, env_of, short, steps_of

SEED = 4


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_an_episode_is_the_same_with_and_without_an_event_log(scenario):
    told = []
    for events in (False, True):
        env = env_of(scenario, events=events)
        seen = [
            ({agent: observation.tobytes() for agent, observation in observations.items()}, rewards)
            for observations, rewards, _ in steps_of(env, SEED, Player(SEED))
        ]
        told.append((seen, env.conservation(), env.kpis()))
    assert told[0][0] == [(views, pytest.approx(rewards, abs=1e-9)) for views, rewards in told[1][0]]
    assert told[0][1] == told[1][1]
    assert told[0][2] == pytest.approx(told[1][2], rel=1e-9, nan_ok=True)
