"""Room that is kept for urgent cases is worth having, and so is not to keep too much."""

import pytest

import policies
from tests.policies.rules.played import differences

Z = 3.66


@pytest.mark.slow
@pytest.mark.parametrize("other", ["kept:0", "kept:510"])
def test_the_world_rewards_booking_limits(other):
    mean, error = differences("surgical_scheduling", "rule", other, range(40))
    assert mean > Z * error


@pytest.mark.parametrize("slip", ["kept", "kept:-1", "kept:511", "kept:x"])
def test_slips_are_told(slip):
    with pytest.raises(policies.PolicyError, match=r"kept:0 to kept:510"):
        policies.make(slip)
