"""The formulas against values published for them, and against other ways to the same value."""

from math import prod

import pytest
from scipy import stats

from experiments.validation import exact


def test_erlang_b_and_c():
    assert exact.erlang_b(5, 3) == pytest.approx(0.110054, abs=5e-7)
    assert exact.erlang_b(20, 15) == pytest.approx(0.045593, abs=5e-7)
    assert exact.m_m_c(2.5, 1, 3) == pytest.approx((0.702247, 1.404494, 3.511236, 3.898231), abs=5e-7)
    assert exact.m_m_c(0.8, 1, 1) == pytest.approx((0.8, 4, 3.2, 10.39721), abs=5e-6)
    assert exact.m_m_c(9, 1, 10)[:3] == pytest.approx((0.668732, 0.668732, 6.018584), abs=5e-7)


def test_erlang_b_by_its_definition():
    weights = [prod(4.2 / number for number in range(1, n + 1)) for n in range(8)]
    assert exact.erlang_b(7, 4.2) == pytest.approx(weights[-1] / sum(weights), rel=1e-12)


def test_loss_of_an_intensive_care_unit():
    assert exact.loss(20, 4 * 4.74) == pytest.approx((0.132765, 0.822139), abs=5e-7)


def test_pollaczek_khinchine():
    assert exact.pollaczek_khinchine(0.7, 1, 1.5) == pytest.approx(3.791667, abs=5e-7)
    assert exact.pollaczek_khinchine(0.8, 1, 0) == pytest.approx(2)
    assert exact.pollaczek_khinchine(0.8, 1, 0.5**0.5) == pytest.approx(3)


def test_priorities():
    assert exact.cobham([0.2, 0.3, 0.3], [1, 1, 1], [2, 2, 2]) == pytest.approx([1, 2, 8])
    assert exact.cobham([0.3, 0.4], [0.5, 1.5], [0.25, 4.5]) == pytest.approx([1.102941, 4.411765], abs=5e-7)
    assert exact.preemptive_resume([0.2, 0.3, 0.3], [1, 1, 1], [2, 2, 2]) == pytest.approx([1.25, 2.5, 10])
    rates = [7 * share for share in (0.01, 0.10, 0.45, 0.36, 0.08)]
    five = exact.cobham_m_m_c(rates, 2, 4)
    assert five == pytest.approx([0.093047, 0.102956, 0.200109, 0.927427, 3.783903], abs=5e-7)
    weighted = sum(rate * wait for rate, wait in zip(rates, five, strict=True)) / 7
    assert weighted == pytest.approx(exact.m_m_c(7, 2, 4).wait)
    assert exact.cobham_m_m_c([0.2, 0.3, 0.3], 1, 1) == pytest.approx([1, 2, 8])


def test_erlang_a():
    assert exact.erlang_a(10, 2.5, 4, 0.5) == pytest.approx((0.122220, 2.444405, 0.877780), abs=5e-7)


def test_jackson():
    routing = [[0, 1, 0], [0, 0, 0.3], [0, 1, 0]]
    stay, _ = exact.jackson([10, 0, 0], routing, [20, 3, 6], [1, 5, 2])
    assert stay == pytest.approx(2.424991, abs=5e-7)
    assert exact.jackson([2.5], [[0]], [1], [3])[0] == pytest.approx(exact.m_m_c(2.5, 1, 3).wait + 1)


def test_infinite_servers():
    all_taken, taken = exact.infinite_servers(10, 16)
    assert all_taken == pytest.approx(0.048740, abs=5e-7)
    assert all_taken == pytest.approx(stats.poisson(10).sf(15))
    assert taken == pytest.approx(sum(stats.poisson(10).pmf(n) * min(n, 16) for n in range(100)) / 16)
