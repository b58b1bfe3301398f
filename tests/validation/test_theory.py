"""Scenarios in the public language against queueing theory: where the two must agree, they do.

Seeds, lengths and bounds are those of ``experiments.validation.theory``, fixed beforehand. An estimate passes if its
95% interval is narrow (2% of the exact value for means, 5% for tails and the lowest class) and the exact value lies
within 3.66 standard errors, which allows for some forty comparisons.
"""

import pytest

import marl_health
from experiments.validation.estimates import compare, replicate
from experiments.validation.table import MOST_ERRORS
from experiments.validation.theory import FOLDER, SYSTEMS

QUICK = ("loss", "non_preemptive_2")


def found(name, replications):
    return [replicate((name, seed)) for seed in range(replications)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in SYSTEMS]
)
def test_system_agrees_with_theory(name):
    system = SYSTEMS[name]
    rows = compare(system, found(name, system.replications))
    print("\n".join(map(str, rows)))
    assert not [str(row) for row in rows if not row.passes]
    assert len(rows) == len(system.quantities)


def test_every_file_is_a_system_and_needs_no_more_than_the_language():
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(SYSTEMS)
    assert all(not marl_health.load(FOLDER / f"{name}.yaml").roles for name in SYSTEMS)


def test_another_system_does_not_agree():
    """Constant service is not exponential service: the check can fail."""
    rows = compare(SYSTEMS["m_e2_1"], found("m_d_1", 10))
    assert [row.z < -MOST_ERRORS and not row.passes for row in rows] == [True, True], "the controls are the same"


def test_a_control_without_its_mean_is_told():
    rows = compare(SYSTEMS["loss"], [kpis | {"arrived": kpis["arrived"] + 0.5} for kpis in found("loss", 10)])
    assert [row.quantity for row in rows if not row.passes][-1] == "arrived: known beforehand"


def test_too_short_a_run_is_not_accepted():
    (row,) = [
        row for row in compare(SYSTEMS["non_preemptive_2"], found("non_preemptive_2", 6)) if "class 2" in row.quantity
    ]
    assert row.half_width > row.precise and not row.passes
