"""Measures against sums that are worked out the slow way."""

import random
from math import inf

import pytest

from marl_health.kernel import Accrual, Span


def test_an_accrual_adds_lumps_and_rates():
    accrual = Accrual()
    accrual.add(5.0)
    accrual.change(10.0, 2.0)
    assert accrual.read(10.0) == 5.0
    accrual.change(14.0, -0.5)
    accrual.add(1.0)
    assert accrual.read(20.0) == pytest.approx(5 + 4 * 2 + 6 * 1.5 + 1)
    assert accrual.read(20.0) == accrual.read(20.0)


def test_an_accrual_is_the_integral_of_its_rate():
    generator = random.Random(1)
    accrual, rate, now, total = Accrual(), 0.0, 0.0, 0.0
    for _ in range(1000):
        step, change = generator.expovariate(1.0), generator.uniform(-2, 2)
        now += step
        total += rate * step
        rate += change
        accrual.change(now, change)
        assert accrual.read(now) == pytest.approx(total)


@pytest.mark.parametrize("seed", range(5))
def test_a_span_agrees_with_brute_force(seed):
    generator = random.Random(seed)
    span, inside, finished, now = Span(), {}, [], 0.0
    for number in range(600):
        now += generator.choice([0.0, generator.expovariate(0.5)])
        if inside and generator.random() < 0.48:
            who = generator.choice(list(inside))
            record = generator.random() < 0.8
            span.end(now, who, record)
            finished.append((*inside.pop(who), now, record))
        else:
            target = generator.choice([0.0, 3.0, generator.expovariate(0.1), inf])
            span.begin(now, number, target)
            span.begin(now + 1.0, number, 0.0)  # is inside already, so nothing changes
            inside[number] = (now, target)
        if generator.random() < 0.5:
            spent = sum(end - start for start, _, end, _ in finished)
            spent += sum(now - start for start, _ in inside.values())
            over = sum(max(0.0, end - start - target) for start, target, end, _ in finished)
            over += sum(max(0.0, now - start - target) for start, target in inside.values())
            assert span.minutes(now) == pytest.approx(spent)
            assert span.over(now) == pytest.approx(over, abs=1e-6)
            assert span.inside == len(inside)
            assert span.oldest(now) == pytest.approx(max((now - start for start, _ in inside.values()), default=0.0))
    recorded = [(start, target, end) for start, target, end, record in finished if record]
    assert span.durations == [end - start for start, _, end in recorded]
    assert span.within == [end - start <= target for start, target, end in recorded]


def test_the_end_of_a_span_that_never_began_is_nothing():
    span = Span()
    span.end(5.0, 1, True)
    assert span.durations == [] and span.minutes(9.0) == 0.0


def test_time_over_a_target_does_not_need_to_be_looked_at_to_be_right():
    looked, unseen = Span(), Span()
    for span in (looked, unseen):
        span.begin(0.0, 1, 10.0)
    for now in range(30):
        looked.over(float(now))
    for span in (looked, unseen):
        span.end(30.0, 1, True)
    assert looked.over(40.0) == unseen.over(40.0) == 20.0
