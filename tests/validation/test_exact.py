"""The formulas against values published for them."""

import pytest

from tests.validation import exact


def test_erlang_b_and_c():
    assert exact.erlang_b(5, 3) == pytest.approx(0.110054, abs=5e-7)
    assert exact.erlang_b(20, 15) == pytest.approx(0.045593, abs=5e-7)
    assert exact.erlang_b(7, 4.2) == pytest.approx(exact.erlang_b_directly(7, 4.2), rel=1e-12)
    assert exact.m_m_c(2.5, 1, 3) == pytest.approx((0.702247, 1.404494, 3.511236, 3.898231), abs=5e-7)
    assert exact.m_m_c(0.8, 1, 1) == pytest.approx((0.8, 4, 3.2, 10.39721), abs=5e-6)
    assert exact.m_m_c(9, 1, 10)[:3] == pytest.approx((0.668732, 0.668732, 6.018584), abs=5e-7)


def test_pollaczek_khinchine():
    assert exact.pollaczek_khinchine(0.7, 1, 1.5) == pytest.approx(3.791667, abs=5e-7)
    assert exact.pollaczek_khinchine(0.8, 1, 0) == pytest.approx(2)
    assert exact.pollaczek_khinchine(0.8, 1, 0.5**0.5) == pytest.approx(3)


def test_priorities():
    assert exact.cobham([0.2, 0.3, 0.3], [1, 1, 1], [2, 2, 2]) == pytest.approx([1, 2, 8])
    assert exact.cobham([0.3, 0.4], [0.5, 1.5], [0.25, 4.5]) == pytest.approx([1.102941, 4.411765], abs=5e-7)
    assert exact.preemptive_resume([0.2, 0.3, 0.3], [1, 1, 1], [2, 2, 2]) == pytest.approx([1.25, 2.5, 10])


def test_erlang_a():
    assert exact.erlang_a(10, 2.5, 4, 0.5) == pytest.approx((0.122220, 2.444405, 0.877780), abs=5e-7)


def test_jackson():
    routing = [[0, 1, 0], [0, 0, 0.3], [0, 1, 0]]
    stay, _ = exact.jackson([10, 0, 0], routing, [20, 3, 6], [1, 5, 2])
    assert stay == pytest.approx(2.424991, abs=5e-7)
