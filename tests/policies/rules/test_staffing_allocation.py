"""The offered load and the staffing rule are what theory says, and the world rewards nurses who float."""

from math import cos, exp, pi, sin

import pytest

import policies
from policies.optimal.staffing import abandonment, modified_offered_load, square_root_staffing
from tests.policies.rules.played import differences

Z = 3.66


def test_the_modified_offered_load_of_a_daily_wave_is_its_closed_form():
    """For a sinusoidal rate the load is one as well, later and flatter (Eick, Massey and Whitt 1993)."""
    wave, mean = 2 * pi / 24, 0.75

    def rate(hour):
        return 6 + 2 * sin(wave * hour)

    for hour in (0, 5, 11, 18):
        turned = (sin(wave * hour) - wave * mean * cos(wave * hour)) / (1 + (wave * mean) ** 2)
        exact = 6 * mean + 2 * mean * turned
        assert modified_offered_load(rate, hour, mean, pieces=2000) == pytest.approx(exact, rel=1e-3)
        assert modified_offered_load(rate, hour, mean) == pytest.approx(exact, rel=0.01)


def test_a_constant_rate_has_the_load_of_littles_law():
    assert modified_offered_load(lambda hour: 5.0, 3.0, 0.5) == pytest.approx(2.5)


def test_abandonment_with_patience_as_long_as_service_is_that_of_a_poisson_number():
    """With equal rates the number inside is that of infinitely many servers, and whoever is over them abandons."""
    load, servers = 4.0, 5
    chances = [exp(-load)]
    for number in range(1, 80):
        chances.append(chances[-1] * load / number)
    over = sum(chance * max(0, number - servers) for number, chance in enumerate(chances))
    assert abandonment(load, 1.0, servers) == pytest.approx(over / load)


@pytest.mark.parametrize("load", [5.0, 20.0, 80.0])
def test_with_square_root_staffing_units_of_all_sizes_give_up_alike(load):
    """What is left undone, as a share, shrinks as one over the root of the size (Garnett and others 2002)."""
    small, large = (abandonment(one, 1.0, round(square_root_staffing(one, 1.0))) for one in (load, 4 * load))
    assert small / large == pytest.approx(2.0, rel=0.35)


@pytest.mark.slow
def test_the_world_rewards_who_looks():
    mean, error = differences("staffing_allocation", "rule", "wait", range(160))
    assert mean > Z * error


@pytest.mark.parametrize("slip", ["square_root", "square_root:-1", "square_root:nan", "without:nurses"])
def test_slips_are_told(slip):
    with pytest.raises(policies.PolicyError, match=r"write a number from 0 to 5|write without:agency"):
        policies.make(slip)
